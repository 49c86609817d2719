package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
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

func (v *dictView) class() *Class { return viewClasses[v.kind] }

// item is what the view shows of a key.
func (v *dictView) item(ctx context.Context, key any) (any, error) {
	if v.kind == keysView {
		return key, nil
	}
	x, _, err := v.m.get(ctx, key)
	if v.kind == itemsView {
		x = brine.Tuple{key, x}
	}
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
	builtin("builtins.dict_keys", objectClass),
	builtin("builtins.dict_values", objectClass),
	builtin("builtins.dict_items", objectClass),
}
