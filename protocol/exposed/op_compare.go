package exposed

import (
	"cmp"
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Equal is Python's a == b. Values that cannot tell are equal only if they are the same object.
func Equal(ctx context.Context, a, b any) (bool, error) {
	a, _ = ByValue(a)
	b, _ = ByValue(b)
	return equal(ctx, a, b)
}

// equal is Equal for values in their normal form.
func equal(ctx context.Context, a, b any) (bool, error) {
	if eq, known := pyvalue.Equal(a, b); known {
		return eq, nil
	}
	v, err := richCompare(ctx, "__eq__", a, b)
	if err != nil {
		return false, err
	}
	return Truth(ctx, v)
}

// identicalOrEqual is how Python's containers look for an item.
func identicalOrEqual(ctx context.Context, a, b any) (bool, error) {
	if same(a, b) {
		return true, nil
	}
	return Equal(ctx, a, b)
}

// richCompare applies a comparison operator as Python does: a's method, then b's reflected one, then identity for ==
// and !=. For the others the last resort is a TypeError.
func richCompare(ctx context.Context, op string, a, b any) (any, error) {
	v, err := special(ctx, a, op, b)
	if err != nil || v != any(brine.NotImplemented) {
		return v, err
	}
	v, err = special(ctx, b, names.Reflected[op], a)
	if err != nil || v != any(brine.NotImplemented) {
		return v, err
	}
	switch op {
	case "__eq__":
		return same(a, b), nil
	case "__ne__":
		return !same(a, b), nil
	}
	return nil, vinegar.TypeError.Errorf("'%s' not supported between instances of '%s' and '%s'",
		names.Comparisons[op], TypeName(a), TypeName(b))
}

// less is Python's a < b.
func less(ctx context.Context, a, b any) (bool, error) {
	v, err := richCompare(ctx, "__lt__", a, b)
	if err != nil {
		return false, err
	}
	return Truth(ctx, v)
}

// special calls a special method of v's class; NotImplemented if there is none.
func special(ctx context.Context, v any, op string, args ...any) (any, error) {
	if o, ok := v.(*netref.Object); ok {
		if _, compares := names.Comparisons[op]; compares && len(args) == 1 {
			return o.Compare(ctx, op, args[0])
		}
		r, err := o.CallMethod(ctx, op, args...)
		if names.Binary[op] && isAttributeError(err) {
			return brine.NotImplemented, nil
		}
		return r, err
	}
	a := ClassOf(v).flat[op]
	if a == nil {
		return brine.NotImplemented, nil
	}
	return a.invoke(ctx, v, NewArgs(args, nil))
}

// compareItems compares two sequences item by item: the operator is applied to the first two items that differ, or to
// the lengths.
func compareItems(ctx context.Context, op string, a, b []any) (any, error) {
	if (op == "__eq__" || op == "__ne__") && len(a) != len(b) {
		return op == "__ne__", nil
	}
	ctx, err := Descend(ctx, " in comparison")
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(a) && i < len(b); i++ {
		eq, err := identicalOrEqual(ctx, a[i], b[i])
		if err != nil {
			return nil, err
		}
		if !eq {
			switch op {
			case "__eq__":
				return false, nil
			case "__ne__":
				return true, nil
			}
			x, _ := ByValue(a[i])
			y, _ := ByValue(b[i])
			return richCompare(ctx, op, x, y)
		}
	}
	return ordered(op, cmp.Compare(len(a), len(b))), nil
}

// ordered turns an order into the result of a comparison operator.
func ordered(op string, order int) bool {
	switch op {
	case "__eq__":
		return order == 0
	case "__ne__":
		return order != 0
	case "__lt__":
		return order < 0
	case "__le__":
		return order <= 0
	case "__gt__":
		return order > 0
	}
	return order >= 0
}

// Compare is the operation CMP: it calls the comparison method op ("__eq__", "__lt__" …) of v's class if the policy
// lets the peer read it. The result is the method's; brine.NotImplemented means that it cannot tell.
func Compare(ctx context.Context, p *Policy, v, other any, op string) (r any, err error) {
	defer protect(&err)
	v, other = norm(v), norm(other)
	if _, known := names.Comparisons[op]; !known && op != "__cmp__" {
		return nil, cannotAccess(op) // the policy guards attributes; that other methods can be called this way is not meant
	}
	if err := p.guard(ctx, UseGet, v, op); err != nil {
		return nil, err
	}
	c := ClassOf(v)
	o, foreign := v.(*netref.Object)
	name, err := p.nameFor(UseGet, op, func(n string) bool {
		return foreign && n == op || c.find(n, p.prefix(), false) != nil
	})
	if err != nil {
		return nil, err
	}
	if foreign {
		return o.Compare(ctx, name, other)
	}
	a := c.find(name, p.prefix(), false)
	if a == nil {
		return nil, vinegar.AttributeError.Errorf("type object '%s' has no attribute '%s'", c.name, name)
	}
	return a.invoke(ctx, v, NewArgs([]any{other}, nil))
}
