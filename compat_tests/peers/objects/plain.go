package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// plainRows are attributes, calls, items and what an object is.
var plainRows = []row{
	{`x = o.name`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := netref.Get[string](ctx, o, "name")
		return x, err
	}},
	{`x = o.part.label`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		part, err := netref.Get[*netref.Object](ctx, o, "part")
		if err != nil {
			return nil, err
		}
		return netref.Get[string](ctx, part, "label")
	}},
	{`o.name = "desk"`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		if err := o.Set(ctx, "name", "desk"); err != nil {
			return nil, err
		}
		return o.Get(ctx, "name")
	}},
	{`del o.size`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		if err := o.Del(ctx, "size"); err != nil {
			return nil, err
		}
		return o.Has(ctx, "size")
	}},
	{`x = getattr(o, "nothing", 0)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := netref.GetOr(ctx, o, "nothing", 0)
		return x, err
	}},
	{`x = getattr(o, "size", 0)`, func(ctx context.Context, c *client) (any, error) {
		return netref.GetOr(ctx, c.object("o"), "size", 0)
	}},
	{`x = hasattr(o, "name")`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Has(ctx, "name")
		return x, err
	}},
	{`x = hasattr(o, "nothing")`, func(ctx context.Context, c *client) (any, error) {
		return c.object("o").Has(ctx, "nothing")
	}},
	{`x = dir(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Dir(ctx)
		return slices.DeleteFunc(x, func(name string) bool { return strings.HasPrefix(name, "_") }), err
	}},
	{`x = o.__doc__`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Doc(ctx)
		return x, err
	}},
	{`x = o.nothing`, func(ctx context.Context, c *client) (any, error) { return c.object("o").Get(ctx, "nothing") }},

	{`x = o.add(1, 2)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := netref.Call[int](ctx, o, "add", 1, 2)
		return x, err
	}},
	{`x = o.add(1, 'a')`, func(ctx context.Context, c *client) (any, error) {
		return c.object("o").CallMethod(ctx, "add", 1, "a")
	}},
	{`add = o.add`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		add, err := netref.Get[func(a, b int) (int, error)](ctx, o, "add")
		if err != nil {
			return nil, err
		}
		return add(1, 2)
	}},
	{`x = o.greet("Ann", punct="?")`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := netref.Call[string](ctx, o, "greet", "Ann", netref.Kw("punct", "?"))
		return x, err
	}},
	{`x = o.total(*numbers)`, func(ctx context.Context, c *client) (any, error) {
		o, numbers := c.object("o"), []any{1, 2, 3}
		x, err := netref.Call[int](ctx, o, "total", numbers...)
		return x, err
	}},
	{`x = o.shape(**options)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		options := struct {
			Depth  int
			Width  float64
			Height *float64
			Colour string `rpyc:",omitempty"`
		}{Depth: 2, Width: 1.5}
		x, err := netref.Call[any](ctx, o, "shape", netref.KwArgs(options))
		return x, err
	}},
	{`x = f(3, by=4)`, func(ctx context.Context, c *client) (any, error) {
		f := c.object("f")
		x, err := netref.CallFunc[int](ctx, f, 3, netref.Kw("by", 4))
		return x, err
	}},
	{`a, b = o.pair()`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		ab, err := netref.Call[[2]any](ctx, o, "pair")
		return ab, err
	}},
	{`o.touch()`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		if _, err := o.CallMethod(ctx, "touch"); err != nil {
			return nil, err
		}
		return netref.Get[[]string](ctx, o, "log")
	}},
	{`x = o.none()`, func(ctx context.Context, c *client) (any, error) {
		return netref.Call[*int](ctx, c.object("o"), "none")
	}},

	{`x = l[0]`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		x, err := netref.Item[int](ctx, l, 0)
		return x, err
	}},
	{`x = l[-1]`, func(ctx context.Context, c *client) (any, error) { return c.object("l").Item(ctx, -1) }},
	{`x = l[9]`, func(ctx context.Context, c *client) (any, error) { return c.object("l").Item(ctx, 9) }},
	{`l[0] = 9`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		if err := l.SetItem(ctx, 0, 9); err != nil {
			return nil, err
		}
		return netref.As[[]int](ctx, l)
	}},
	{`del l[0]`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		if err := l.DelItem(ctx, 0); err != nil {
			return nil, err
		}
		return netref.As[[]int](ctx, l)
	}},
	{`x = l[1:3]`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		x, err := netref.Item[[]int](ctx, l, netref.Slice(1, 3))
		return x, err
	}},
	{`x = l[::-1]`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		x, err := netref.Item[[]int](ctx, l, netref.Slice(nil, nil, -1))
		return x, err
	}},
	{`l[0:2] = [7]`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		if err := l.SetItem(ctx, netref.Slice(0, 2), []int{7}); err != nil {
			return nil, err
		}
		return netref.As[[]int](ctx, l)
	}},
	{`del l[1:]`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		if err := l.DelItem(ctx, netref.Slice(1)); err != nil {
			return nil, err
		}
		return netref.As[[]int](ctx, l)
	}},
	{`x = d["a"]`, func(ctx context.Context, c *client) (any, error) {
		d := c.object("d")
		x, err := netref.Item[int](ctx, d, "a")
		return x, err
	}},
	{`x = d["zz"]`, func(ctx context.Context, c *client) (any, error) { return c.object("d").Item(ctx, "zz") }},
	{`x = 2 in l`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		x, err := l.Contains(ctx, 2)
		return x, err
	}},
	{`x = 7 in l`, func(ctx context.Context, c *client) (any, error) { return c.object("l").Contains(ctx, 7) }},
	{`x = len(l)`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		x, err := l.Len(ctx)
		return x, err
	}},

	{`x = bool(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Bool(ctx)
		return x, err
	}},
	{`x = bool(empty)`, func(ctx context.Context, c *client) (any, error) { return c.object("empty").Bool(ctx) }},
	{`x = bool(m)`, func(ctx context.Context, c *client) (any, error) { return c.object("m").Bool(ctx) }},
	{`x = int(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Int(ctx)
		return x, err
	}},
	{`x = float(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Float(ctx)
		return x, err
	}},
	{`x = complex(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Complex(ctx)
		return x, err
	}},
	{`x = operator.index(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Index(ctx)
		return x, err
	}},
	{`x = bytes(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Bytes(ctx)
		return x, err
	}},
	{`x = bytes(list(array))`, func(ctx context.Context, c *client) (any, error) { return c.object("array").Bytes(ctx) }},
	{`x = str(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Str(ctx)
		return x, err
	}},
	{`x = repr(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Repr(ctx)
		return x, err
	}},
	{`x = format(o, ">9")`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Format(ctx, ">9")
		return x, err
	}},
	{`x = hash(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Hash(ctx)
		return x, err
	}},
	{`x = hash(l)`, func(ctx context.Context, c *client) (any, error) { return c.object("l").Hash(ctx) }},
	{`x = o.__class__`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.Type(ctx)
		if err != nil {
			return nil, err
		}
		return netref.Get[string](ctx, x, "__name__")
	}},
	{`x = isinstance(v, cls)`, func(ctx context.Context, c *client) (any, error) {
		v, cls := c.object("v"), c.object("cls")
		x, err := v.IsInstance(ctx, cls)
		return x, err
	}},
	{`x = isinstance(v, other_cls)`, func(ctx context.Context, c *client) (any, error) {
		return c.object("v").IsInstance(ctx, c.object("other_cls"))
	}},
	{`x = isinstance(l, list)`, func(_ context.Context, c *client) (any, error) {
		l := c.object("l")
		x := l.ClassName() == "builtins.list"
		return x, nil
	}},

	{`x = len(m)`, func(ctx context.Context, c *client) (any, error) { return c.object("m").Len(ctx) }},
	{`x = m[0]`, func(ctx context.Context, c *client) (any, error) { return c.object("m").Item(ctx, 0) }},
	{`x = int(m)`, func(ctx context.Context, c *client) (any, error) { return c.object("m").Int(ctx) }},
	{`x = operator.index(m)`, func(ctx context.Context, c *client) (any, error) { return c.object("m").Index(ctx) }},
	{`x = list(iter(m))`, func(ctx context.Context, c *client) (any, error) {
		for _, err := range c.object("m").Iter(ctx) {
			return nil, err
		}
		return nil, nil
	}},
	{`with o:`, func(ctx context.Context, c *client) (any, error) {
		err := c.object("o").With(ctx, func(any) error { return nil })
		return errors.Is(err, vinegar.TypeError) && errors.Is(err, vinegar.AttributeError), nil
	}},
}
