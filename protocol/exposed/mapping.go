package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// mapping is what dict and set operations need of what holds the entries.
type mapping interface {
	size() int
	get(ctx context.Context, key any) (any, bool, error)
	set(ctx context.Context, key, value any) error
	del(ctx context.Context, key any) (any, bool, error)
	keys() []any
	clear() error
	// brought is the weight of what peers have put in and that is counted.
	brought() int64
}

// mappingProxy is what the attribute mapping of a view of a dict returns: the dict, to read.
type mappingProxy struct{ m mapping }

// asMapping finds the entries of a dict or set object.
func asMapping(v any) (mapping, bool) {
	switch x := v.(type) {
	case *Dict:
		return x, true
	case *Set:
		return &x.d, true
	case *mappingProxy:
		return x.m, true
	case pairs:
		return pairsMap{x}, true
	case *readOnly:
		m, ok := asMapping(x.v)
		return readOnlyMapping{m, x.class().name}, ok
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Map {
		return nil, false
	}
	return goMap{rv}, true
}

// overKeys iterates over the keys, or over what build makes of each if it is not nil, and fails when the size changes.
// what is the container's name in that error.
func overKeys(ctx context.Context, what string, m mapping, build func(ctx context.Context, key any) (any, error)) (
	*iterator, error,
) {
	keys := m.keys()
	n := len(keys)
	it := overItems(keys)
	if err := quota.Pay(ctx, it, int64(n)*quota.ItemSize); err != nil {
		return nil, err
	}
	switch {
	case what == "Set":
		it.as(setIteratorClass)
	case build == nil:
		it.as(dictKeyIteratorClass)
	}
	each := it.over
	it.over = nextFunc(func(ctx context.Context) (any, bool, error) {
		if m.size() != n {
			return nil, false, vinegar.RuntimeError.New(what + " changed size during iteration")
		}
		k, ok, err := each.next(ctx)
		if !ok || err != nil || build == nil {
			return k, ok, err
		}
		v, err := build(ctx, k)
		return v, err == nil, err
	})
	return it, nil
}

func equalMappings(ctx context.Context, a, b mapping) (any, error) {
	if a.size() != b.size() {
		return false, nil
	}
	ctx, err := Descend(ctx, " in comparison")
	if err != nil {
		return nil, err
	}
	for _, k := range a.keys() {
		x, _, err := a.get(ctx, k)
		if err != nil {
			return nil, err
		}
		y, ok, err := b.get(ctx, k)
		if err != nil || !ok {
			return false, err
		}
		if eq, err := identicalOrEqual(ctx, x, y); err != nil || !eq {
			return false, err
		}
	}
	return true, nil
}

func copyDict(ctx context.Context, m mapping) (*Dict, error) {
	d := new(Dict)
	for _, k := range m.keys() {
		v, _, err := m.get(ctx, k)
		if err == nil {
			err = d.share(ctx, k, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, d.hold(ctx, m.brought())
}

// updateDict is dict.update with a mapping or an iterable of pairs.
func updateDict(ctx context.Context, m mapping, from any) error {
	from = norm(from)
	item := func(key any) (any, error) { return GetItem(ctx, from, key) }
	o, foreign := from.(*netref.Object)
	if foreign && o.ClassName() == "builtins.dict" || !foreign && ClassOf(from).flat["keys"] != nil {
		keys, err := items(ctx, from)
		if err != nil {
			return err
		}
		for _, k := range keys {
			v, err := item(k)
			if err == nil {
				err = m.set(ctx, k, v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	pairs, err := items(ctx, from)
	if err != nil {
		return err
	}
	for i, p := range pairs {
		if !iterable(p) {
			return binding.NoPair(i)
		}
		kv, err := items(ctx, p)
		if err == nil && len(kv) != 2 {
			err = binding.WrongPair(i, len(kv))
		}
		if err == nil {
			err = m.set(ctx, kv[0], kv[1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
