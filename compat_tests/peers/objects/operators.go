package main

import (
	"context"

	"github.com/gorpyc/gorpyc/netref"
)

// result is the row of a binary operator whose result is an object.
func result(line, left, op, right string) row {
	return row{line, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.Op[*netref.Object](ctx, c.object(left), op, c.object(right))
		return repr(ctx, x, err)
	}}
}

// with is the same with a number as the right operand.
func with(line, left, op string, right int) row {
	return row{line, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.Op[*netref.Object](ctx, c.object(left), op, right)
		return repr(ctx, x, err)
	}}
}

func repr(ctx context.Context, o *netref.Object, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return o.Repr(ctx)
}

func compared(line, left, op string, right func(c *client) any) row {
	return row{line, func(ctx context.Context, c *client) (any, error) {
		return netref.Op[bool](ctx, c.object(left), op, right(c))
	}}
}

func other(name string) func(c *client) any { return func(c *client) any { return c.object(name) } }

func number(n int) func(c *client) any { return func(*client) any { return n } }

// operatorRows are comparisons and operators.
var operatorRows = []row{
	{`x = o is p`, func(_ context.Context, c *client) (any, error) {
		o, p := c.object("o"), c.object("p")
		x := o.Is(p)
		return x, nil
	}},
	{`x = o.same(o)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		return netref.Call[bool](ctx, o, "same", o)
	}},
	{`x = v == w`, func(ctx context.Context, c *client) (any, error) {
		v, w := c.object("v"), c.object("w")
		x, err := v.Equal(ctx, w)
		return x, err
	}},
	{`x = v == v`, func(ctx context.Context, c *client) (any, error) {
		v := c.object("v")
		return netref.Op[bool](ctx, v, "==", v)
	}},
	compared(`x = v == 5`, "v", "==", number(5)),
	compared(`x = v != w`, "v", "!=", other("w")),
	{`x = v < w`, func(ctx context.Context, c *client) (any, error) {
		v, w := c.object("v"), c.object("w")
		x, err := netref.Op[bool](ctx, v, "<", w)
		return x, err
	}},
	compared(`x = v > w`, "v", ">", other("w")),
	compared(`x = v < 5`, "v", "<", number(5)),
	compared(`x = v <= w`, "v", "<=", other("w")),

	{`x = v + w`, func(ctx context.Context, c *client) (any, error) {
		v, w := c.object("v"), c.object("w")
		x, err := netref.Op[*netref.Object](ctx, v, "+", w)
		return repr(ctx, x, err)
	}},
	{`x = 10 - v`, func(ctx context.Context, c *client) (any, error) {
		v := c.object("v")
		x, err := netref.Op[*netref.Object](ctx, 10, "-", v)
		return repr(ctx, x, err)
	}},
	with(`x = v * 3`, "v", "*", 3),
	{`x = 3 * v`, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.Op[*netref.Object](ctx, 3, "*", c.object("v"))
		return repr(ctx, x, err)
	}},
	with(`x = v / 2`, "v", "/", 2),
	{`x = 2 / v`, func(ctx context.Context, c *client) (any, error) { return netref.Op[any](ctx, 2, "/", c.object("v")) }},
	result(`x = v // w`, "v", "//", "w"),
	result(`x = v % w`, "v", "%", "w"),
	with(`x = v ** 2`, "v", "**", 2),
	{`x = 2 ** v`, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.Op[*netref.Object](ctx, 2, "**", c.object("v"))
		return repr(ctx, x, err)
	}},
	{`x = v @ w`, func(ctx context.Context, c *client) (any, error) {
		return netref.Op[int](ctx, c.object("v"), "@", c.object("w"))
	}},
	result(`x = v << w`, "v", "<<", "w"),
	with(`x = v >> 1`, "v", ">>", 1),
	result(`x = v & w`, "v", "&", "w"),
	result(`x = v | w`, "v", "|", "w"),
	result(`x = v ^ w`, "v", "^", "w"),
	{`x = divmod(v, 2)`, func(ctx context.Context, c *client) (any, error) {
		v := c.object("v")
		x, err := netref.Op[[2]*netref.Object](ctx, v, "divmod", 2)
		if err != nil {
			return nil, err
		}
		var texts list
		for _, part := range x {
			text, err := part.Repr(ctx)
			if err != nil {
				return nil, err
			}
			texts = append(texts, text)
		}
		return texts, nil
	}},
	{`x = -v`, func(ctx context.Context, c *client) (any, error) {
		v := c.object("v")
		x, err := netref.Unary[*netref.Object](ctx, "-", v)
		return repr(ctx, x, err)
	}},
	{`x = +v`, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.Unary[*netref.Object](ctx, "+", c.object("v"))
		return repr(ctx, x, err)
	}},
	{`x = ~v`, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.Unary[*netref.Object](ctx, "~", c.object("v"))
		return repr(ctx, x, err)
	}},
	{`x = abs(v)`, func(ctx context.Context, c *client) (any, error) {
		v := c.object("v")
		x, err := netref.Unary[int](ctx, "abs", v)
		return x, err
	}},
	{`x = -o`, func(ctx context.Context, c *client) (any, error) { return netref.Unary[any](ctx, "-", c.object("o")) }},
	{`v += w`, func(ctx context.Context, c *client) (any, error) {
		v, w := c.object("v"), c.object("w")
		before := v
		v, err := netref.Op[*netref.Object](ctx, v, "+=", w)
		text, err := repr(ctx, v, err)
		return list{text, v == before}, err
	}},
	{`v -= 1`, func(ctx context.Context, c *client) (any, error) {
		before := c.object("v")
		v, err := netref.Op[*netref.Object](ctx, before, "-=", 1)
		text, err := repr(ctx, v, err)
		return list{text, v == before}, err
	}},
	{`x = v + "a"`, func(ctx context.Context, c *client) (any, error) {
		return netref.Op[any](ctx, c.object("v"), "+", "a")
	}},
	{`x = o + v`, func(ctx context.Context, c *client) (any, error) {
		return netref.Op[any](ctx, c.object("o"), "+", c.object("v"))
	}},
	{`x = l + [5]`, func(ctx context.Context, c *client) (any, error) {
		return netref.Op[any](ctx, c.object("l"), "+", []int{5})
	}},
}
