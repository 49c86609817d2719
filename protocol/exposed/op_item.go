package exposed

import (
	"context"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// toIndex converts an index of a sequence of that kind, objects with __index__ included. kind is "slice" for a bound of
// a slice, and "" for an integer that is no index.
func toIndex(ctx context.Context, v any, kind string) (n pyvalue.Number, err error) {
	x := norm(v)
	if n = pyvalue.NumberOf(x); n.Kind == pyvalue.NotNumber {
		var r any
		if o, ok := x.(*netref.Object); ok {
			if r, err = o.CallMethod(ctx, "__index__"); isAttributeError(err) {
				err = nil
			}
		} else if a := ClassOf(x).flat["__index__"]; a != nil {
			r, err = a.invoke(ctx, x, &Args{})
		}
		n = pyvalue.NumberOf(norm(r))
	}
	if n.Kind == pyvalue.Int || err != nil {
		return n, err
	}
	switch kind {
	case "":
		return n, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(v))
	case "slice":
		return n, vinegar.TypeError.New("slice indices must be integers or None or have an __index__ method")
	case "string":
		return n, vinegar.TypeError.Errorf("string indices must be integers, not '%s'", TypeName(v))
	}
	return n, vinegar.TypeError.Errorf("%s indices must be integers or slices, not %s", kind, TypeName(v))
}

// resolve applies a slice to n items.
func resolve(ctx context.Context, s brine.Slice, n int) (pyvalue.Span, error) {
	var parts [3]*big.Int
	for i, v := range []any{s.Step, s.Start, s.Stop} { // in the order in which CPython asks objects
		if v == nil {
			continue
		}
		x, err := toIndex(ctx, v, "slice")
		if err != nil {
			return pyvalue.Span{}, err
		}
		parts[i] = x.BigInt()
	}
	return raised(pyvalue.Indices(parts[1], parts[2], parts[0], int64(n)))
}

// sliced is Python's items[key] for a list, tuple or string given as items; one makes the value of an item, build that
// of a slice.
func sliced[T any](ctx context.Context, kind string, items []T, key any, one func(T) any, build func([]T) any) (
	any, error,
) {
	if s, ok := key.(brine.Slice); ok {
		sp, err := resolve(ctx, s, len(items))
		if err != nil {
			return nil, err
		}
		return build(pyvalue.Pick(sp, items)), nil
	}
	n, err := toIndex(ctx, key, kind)
	if err != nil {
		return nil, err
	}
	i, err := raised(pyvalue.Position(kind, n, len(items)))
	if err != nil {
		return nil, err
	}
	return one(items[i]), nil
}

// search finds an item by Python's equality, -1 if there is none.
func search(ctx context.Context, all []any, v any, from, to int) (int, error) {
	for i := from; i < to && i < len(all); i++ {
		eq, err := identicalOrEqual(ctx, all[i], v)
		if err != nil || eq {
			return i, err
		}
	}
	return -1, nil
}

// GetItem is Python's v[key].
func GetItem(ctx context.Context, v, key any) (r any, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Item(ctx, key)
	}
	a := ClassOf(v).flat["__getitem__"]
	if a == nil {
		return nil, vinegar.TypeError.Errorf("'%s' object is not subscriptable", TypeName(v))
	}
	return a.invoke(ctx, v, NewArgs([]any{norm(key)}, nil))
}

// Contains is Python's item in v.
func Contains(ctx context.Context, v, item any) (found bool, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Contains(ctx, item)
	}
	if a := ClassOf(v).flat["__contains__"]; a != nil {
		r, err := a.invoke(ctx, v, NewArgs([]any{item}, nil))
		if err != nil {
			return false, err
		}
		return Truth(ctx, r)
	}
	if !iterable(v) {
		return false, vinegar.TypeError.Errorf("argument of type '%s' is not iterable", TypeName(v))
	}
	for x, err := range Iterate(ctx, v) {
		if err != nil {
			return false, err
		}
		if eq, err := identicalOrEqual(ctx, x, item); err != nil || eq {
			return eq, err
		}
	}
	return false, nil
}

// repeats is how often a sequence of a length is repeated if it is multiplied by v, to have at most so many items.
func repeats(ctx context.Context, length, most int, v any) (int, error) {
	n, err := toIndex(ctx, v, "")
	switch {
	case err != nil:
		return 0, err
	case n.BigInt().Sign() <= 0 || length == 0:
		return 0, nil
	case n.Big != nil || n.Int > int64(most/length):
		return 0, vinegar.MemoryError.Errorf("more than %d items", most)
	}
	return int(n.Int), nil
}
