package main

import (
	"context"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

func operators(ctx context.Context, c *client) error {
	point := func(ctx context.Context, x, y int) (*netref.Object, error) {
		return netref.Call[*netref.Object](ctx, c.root, "make_point", x, y)
	}
	p, err := point(ctx, 3, 4)
	if err != nil {
		return err
	}
	q, err := point(ctx, 3, 5)
	if err != nil {
		return err
	}
	for _, op := range []string{"__eq__", "__ne__", "__lt__", "__gt__", "__le__"} {
		step(ctx, c, op, func(ctx context.Context) (any, error) { return p.Compare(ctx, op, q) })
	}
	step(ctx, c, "eq same", func(ctx context.Context) (any, error) {
		same, err := point(ctx, 3, 4)
		if err != nil {
			return nil, err
		}
		return p.Compare(ctx, "__eq__", same)
	})
	step(ctx, c, "eq number", func(ctx context.Context) (any, error) { return p.Compare(ctx, "__eq__", 5) })
	step(ctx, c, "hash", p.Hash)
	step(ctx, c, "hash list", func(ctx context.Context) (int64, error) {
		list, err := netref.Call[*netref.Object](ctx, c.root, "get_list")
		if err != nil {
			return 0, err
		}
		return list.Hash(ctx)
	})
	step(ctx, c, "str", p.Str)
	step(ctx, c, "repr", p.Repr)
	step(ctx, c, "dir", func(ctx context.Context) ([]string, error) {
		names, err := p.Dir(ctx)
		names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, "exposed_") })
		slices.Sort(names)
		return names, err
	})
	step(ctx, c, "doc", func(ctx context.Context) (string, error) {
		add, err := netref.Get[*netref.Object](ctx, c.root, "add")
		if err != nil {
			return "", err
		}
		return add.Doc(ctx)
	})
	step(ctx, c, "len", p.Len)
	step(ctx, c, "item", func(ctx context.Context) (brine.Tuple, error) {
		x, err := p.Item(ctx, 0)
		if err != nil {
			return nil, err
		}
		y, err := p.Item(ctx, 1)
		return pair(x, y), err
	})
	step(ctx, c, "item 2", func(ctx context.Context) (any, error) { return p.Item(ctx, 2) })
	step(ctx, c, "contains", func(ctx context.Context) (bool, error) { return p.Contains(ctx, 4) })

	// result is the repr of what a method of an object returns.
	result := func(o *netref.Object, method string, args ...any) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			v, err := netref.Call[*netref.Object](ctx, o, method, args...)
			if err != nil {
				return "", err
			}
			return v.Repr(ctx)
		}
	}
	step(ctx, c, "add", result(p, "__add__", q))
	step(ctx, c, "neg", result(p, "__neg__"))
	step(ctx, c, "call", func(ctx context.Context) (string, error) {
		v, err := netref.CallFunc[*netref.Object](ctx, p, 3)
		if err != nil {
			return "", err
		}
		return v.Repr(ctx)
	})
	step(ctx, c, "bool", func(ctx context.Context) (bool, error) {
		origin, err := point(ctx, 0, 0)
		if err != nil {
			return false, err
		}
		return origin.Bool(ctx)
	})
	step(ctx, c, "iter", func(ctx context.Context) ([]any, error) { return netref.As[[]any](ctx, p) })
	step(ctx, c, "class", func(ctx context.Context) (any, error) { return c.root.Get(ctx, "Point") })
	step(ctx, c, "construct", result(c.root, "Point", 5, netref.Kw("y", 6)))
	step(ctx, c, "method", func(ctx context.Context) (any, error) { return p.CallMethod(ctx, "norm1") })
	return nil
}
