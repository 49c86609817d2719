package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type viewKind int

const (
	keysView viewKind = iota
	valuesView
	itemsView
)

func (k viewKind) method() string { return [...]string{"keys", "values", "items"}[k] }

// dictView is what keys(), values() and items() return: a live view of the dict.
type dictView struct {
	m    mapping
	kind viewKind
}

// item is what the view shows of a key.
func (v *dictView) item(ctx context.Context, key any) (any, error) {
	switch v.kind {
	case keysView:
		return key, nil
	case itemsView:
		return dictItem(ctx, v.m, key)
	}
	x, _, err := v.m.get(ctx, key)
	return x, err
}

func (v *dictView) all(ctx context.Context) ([]any, error) {
	keys := v.m.keys()
	for i, k := range keys {
		x, err := v.item(ctx, k)
		if err != nil {
			return nil, err
		}
		keys[i] = x
	}
	return keys, nil
}

// contains is Python's x in view.
func (v *dictView) contains(ctx context.Context, x any) (bool, error) {
	switch v.kind {
	case keysView:
		_, ok, err := v.m.get(ctx, x)
		return ok, err
	case itemsView:
		pair, ok := norm(x).(brine.Tuple)
		if !ok || len(pair) != 2 {
			return false, nil
		}
		value, ok, err := v.m.get(ctx, pair[0])
		if !ok || err != nil {
			return false, err
		}
		return identicalOrEqual(ctx, value, pair[1])
	}
	all, err := v.all(ctx)
	if err != nil {
		return false, err
	}
	i, err := search(ctx, all, x, 0, len(all))
	return i >= 0, err
}

// viewClasses are the classes of the three kinds of views.
var viewClasses = [...]*Class{
	newClass("builtins.dict_keys", objectClass),
	newClass("builtins.dict_values", objectClass),
	newClass("builtins.dict_items", objectClass),
}

func defineDictView(c *Class) {
	view := func(name string, args int, f func(ctx context.Context, v *dictView, args []any) (any, error)) {
		c.method(name, args, args, func(ctx context.Context, self any, args []any) (any, error) {
			v, ok := self.(*dictView)
			if !ok {
				return nil, vinegar.TypeError.New("a view of a dict is required")
			}
			return f(ctx, v, args)
		})
	}
	view("__len__", 0, func(_ context.Context, v *dictView, _ []any) (any, error) { return int64(v.m.size()), nil })
	view("__iter__", 0, func(_ context.Context, v *dictView, _ []any) (any, error) {
		return overKeys("dictionary", v.m, v.item), nil
	})
	view("__contains__", 1, func(ctx context.Context, v *dictView, args []any) (any, error) {
		return v.contains(ctx, args[0])
	})
	view("__repr__", 0, func(ctx context.Context, v *dictView, _ []any) (any, error) {
		all, err := v.all(ctx)
		if err != nil {
			return nil, err
		}
		return reprItems(ctx, "dict_"+v.kind.method()+"([", "])", all)
	})
	if c == viewClasses[valuesView] {
		return // values are equal by identity only and have no set operations
	}
	defineSetComparison(c)
	defineSetAlgebra(c)
	c.method("__hash__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return nil, unhashable(ClassOf(self))
	})
}
