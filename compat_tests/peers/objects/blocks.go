package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Mine is an object of this program's.
type Mine struct{ Name string }

// Double is what the service calls.
func (*Mine) Double(n int) int { return 2 * n }

// blockRows are iteration, with blocks, asynchronous calls, exceptions and objects of ours.
var blockRows = []row{
	{`for x in g:`, func(ctx context.Context, c *client) (any, error) {
		g := c.object("g")
		var xs []int
		for x, err := range netref.Iter[int](ctx, g) {
			if err != nil {
				return nil, err
			}
			xs = append(xs, x)
		}
		return xs, nil
	}},
	{`for x in rpyc.buffiter(l):`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		var xs []int
		for x, err := range netref.Items[int](ctx, l) {
			if err != nil {
				return nil, err
			}
			xs = append(xs, x)
		}
		return xs, nil
	}},
	{`x = next(g)`, func(ctx context.Context, c *client) (any, error) {
		g := c.object("g")
		x, ok, err := netref.Next[int](ctx, g)
		if err != nil || !ok {
			return nil, err
		}
		y, _, err := netref.Next[int](ctx, g)
		return list{x, y}, err
	}},
	{`x = list(l)`, func(ctx context.Context, c *client) (any, error) {
		l := c.object("l")
		x, err := netref.As[[]int](ctx, l)
		return x, err
	}},
	{`x = dict(d)`, func(ctx context.Context, c *client) (any, error) {
		d := c.object("d")
		x, err := netref.As[map[string]int](ctx, d)
		return x, err
	}},
	{`for k, v in d.items():`, func(ctx context.Context, c *client) (any, error) {
		d := c.object("d")
		items, err := netref.Pairs[string, int](ctx, d)
		if err != nil {
			return nil, err
		}
		var pairs list
		for _, item := range items {
			k, v := item.Key, item.Value
			pairs = append(pairs, list{k, v})
		}
		return pairs, nil
	}},
	{`x = dict(big)`, func(ctx context.Context, c *client) (any, error) {
		return netref.As[map[int]string](ctx, c.object("big"))
	}},
	{`x = list(d.items())`, func(ctx context.Context, c *client) (any, error) {
		d := c.object("d")
		x, err := netref.Pairs[string, int](ctx, d)
		return x, err
	}},
	{`x = list(prices.items())`, func(ctx context.Context, c *client) (any, error) {
		return netref.Pairs[string, float64](ctx, c.object("prices"))
	}},
	{`x = set(s)`, func(ctx context.Context, c *client) (any, error) {
		s := c.object("s")
		x, err := netref.As[map[int]struct{}](ctx, s)
		return x, err
	}},
	{`x = obtain(deep)`, func(ctx context.Context, c *client) (any, error) {
		deep := c.object("deep")
		x, err := netref.Fetch(ctx, deep)
		return x, err
	}},
	{`x = [list(row) for row in rows]`, func(ctx context.Context, c *client) (any, error) {
		rows := c.object("rows")
		x, err := netref.As[[][]int](ctx, rows)
		return x, err
	}},

	{`with m as x:`, func(ctx context.Context, c *client) (any, error) {
		m := c.object("m")
		var inside string
		err := netref.With(ctx, m, func(x string) error {
			inside = x
			return nil
		})
		return entered(ctx, m, inside, err)
	}},
	{`with lenient:`, func(ctx context.Context, c *client) (any, error) {
		m := c.object("lenient")
		if err := m.With(ctx, func(any) error { return vinegar.ValueError.New("x") }); err != nil {
			return nil, err
		}
		return m.CallMethod(ctx, "events")
	}},
	{`with m: raise`, func(ctx context.Context, c *client) (any, error) {
		m := c.object("m")
		own := errors.New("x")
		err := m.With(ctx, func(any) error { return own })
		return entered(ctx, m, errors.Is(err, own), nil)
	}},

	{`r = rpyc.async_(o.add)(1, 2)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		r, err := o.CallMethodAsync(ctx, "add", 1, 2)
		if err != nil {
			return nil, err
		}
		return r.Wait(ctx)
	}},
	{`x = r.value`, func(ctx context.Context, c *client) (any, error) {
		r, err := c.object("o").CallMethodAsync(ctx, "add", 1, 2)
		if err != nil {
			return nil, err
		}
		x, err := netref.Await[int](ctx, r)
		return x, err
	}},
	{`x = r.ready`, func(ctx context.Context, c *client) (any, error) {
		r, err := c.object("o").CallMethodAsync(ctx, "add", 1, 2)
		if err != nil {
			return nil, err
		}
		<-r.Done()
		x := r.Ready()
		return x, nil
	}},
	{`rs = [add(i, 1) for i in range(9)]`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		var b netref.Batch
		xs := make([]int, 9)
		for i := range xs {
			b.Call(&xs[i], o, "add", i, 1)
		}
		return xs, b.Do(ctx)
	}},
	{`xs = [r.value for r in rs]`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		var b netref.Batch
		xs := make([]int, 4)
		for i := range xs {
			b.Call(&xs[i], o, "add", i, 2)
		}
		err := b.Do(ctx)
		return xs, err
	}},
	{`r = rpyc.timed(o.add, 5)(1, 2)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return netref.Call[int](ctx, o, "add", 1, 2)
	}},

	{`except KeyError as e:`, func(ctx context.Context, c *client) (any, error) {
		_, err := c.object("o").CallMethod(ctx, "missing")
		if errors.Is(err, vinegar.KeyError) {
			return exception(err).Args, nil
		}
		return nil, err
	}},
	{`x = e.args`, func(ctx context.Context, c *client) (any, error) {
		_, err := c.object("o").CallMethod(ctx, "fail")
		var e *vinegar.Error
		if !errors.As(err, &e) {
			return nil, err
		}
		x := e.Args
		return x, nil
	}},
	{`x = e.code`, func(ctx context.Context, c *client) (any, error) {
		_, err := c.object("o").CallMethod(ctx, "fail")
		e := exception(err)
		x, _ := e.Attr("code")
		return x, nil
	}},
	{`x = e._remote_tb`, func(ctx context.Context, c *client) (any, error) {
		_, err := c.object("o").CallMethod(ctx, "chain")
		e := exception(err)
		x := e.Traceback
		var found list
		for _, word := range []string{"in chain", "KeyError", "direct cause", "ValueError: outer"} {
			found = append(found, strings.Contains(x, word))
		}
		return found, nil
	}},

	{`x = o.apply(lambda n: n * 2, 21)`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := netref.Call[int](ctx, o, "apply", func(n int) int { return n * 2 }, 21)
		return x, err
	}},
	{`x = o.each(n * n for n in range(4))`, func(ctx context.Context, c *client) (any, error) {
		squares := func(yield func(int) bool) {
			for n := range 4 {
				if !yield(n * n) {
					return
				}
			}
		}
		o := c.object("o")
		x, err := netref.Call[[]int](ctx, o, "each", squares)
		return x, err
	}},
	{`x = o.each([1, 2])`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := netref.Call[[]int](ctx, o, "each", []int{1, 2})
		return x, err
	}},
	{`x = o.each(iter([3, 4]))`, func(ctx context.Context, c *client) (any, error) {
		o, channel := c.object("o"), make(chan int, 2)
		channel <- 3
		channel <- 4
		close(channel)
		x, err := netref.Call[[]int](ctx, o, "each", channel)
		return x, err
	}},
	{`x = o.look(Mine())`, func(ctx context.Context, c *client) (any, error) {
		o := c.object("o")
		x, err := o.CallMethod(ctx, "look", &Mine{Name: "mine"})
		return x, err
	}},
}

// entered reports what a with block gave and what its manager saw.
func entered(ctx context.Context, m *netref.Object, v any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	events, err := m.CallMethod(ctx, "events")
	return list{v, events}, err
}

// exception is the peer's exception that an error is.
func exception(err error) *vinegar.Error {
	var e *vinegar.Error
	if !errors.As(err, &e) {
		return &vinegar.Error{}
	}
	return e
}
