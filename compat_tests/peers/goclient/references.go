package main

import (
	"context"
	"runtime"
	"slices"
	"weak"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

func references(ctx context.Context, c *client) error {
	step(ctx, c, "dropped", func(ctx context.Context) (brine.Tuple, error) {
		tracked, err := netref.Call[*netref.Object](ctx, c.root, "tracked", c.tag+"-a")
		if err != nil {
			return nil, err
		}
		name, err := tracked.Get(ctx, "name")
		if err != nil {
			return nil, err
		}
		gone, err := c.logged(ctx, "final:"+c.tag+"-a") // the handle is not used any more: the collector gives it back
		return pair(name, gone), err
	})
	kept, err := netref.Call[*netref.Object](ctx, c.root, "tracked", c.tag+"-b")
	if err != nil {
		return err
	}
	step(ctx, c, "echo", func(ctx context.Context) (bool, error) {
		back, err := c.root.CallMethod(ctx, "echo", kept)
		return back == any(kept), err
	})
	c.call(ctx, "same", "same", kept, kept)
	step(ctx, c, "not dropped", func(ctx context.Context) (bool, error) {
		lines, err := c.events(ctx)
		return slices.Contains(lines, "final:"+c.tag+"-b"), err
	})
	kept.Release()
	step(ctx, c, "dropped after many", func(ctx context.Context) (bool, error) {
		return c.logged(ctx, "final:"+c.tag+"-b")
	})
	step(ctx, c, "twice", func(ctx context.Context) (bool, error) {
		two, err := netref.Call[[2]*netref.Object](ctx, c.root, "twice")
		return two[0] == two[1], err
	})
	step(ctx, c, "many", func(ctx context.Context) (sum int, err error) {
		points, err := netref.Call[[]*netref.Object](ctx, c.root, "many", 300)
		if err != nil {
			return 0, err
		}
		for _, point := range points {
			x, err := netref.Get[int](ctx, point, "x")
			if err != nil {
				return 0, err
			}
			sum += x
		}
		return sum, nil
	})
	c.call(ctx, "mixed", "mixed")

	mine := &Mine{name: c.tag}
	watch := weak.Make(mine)
	step(ctx, c, "mine", func(ctx context.Context) (bool, error) {
		back, err := netref.Call[*Mine](ctx, c.root, "echo", mine)
		return back == mine, err
	})
	c.call(ctx, "mine type", "echo_type", mine)
	c.call(ctx, "hold", "hold", mine) // the last use: nothing but the peer's reference keeps it from here on
	step(ctx, c, "held", func(ctx context.Context) (bool, error) {
		_, err := c.root.CallMethod(ctx, "bump")
		runtime.GC()
		return watch.Value() != nil, err
	})
	c.call(ctx, "release", "release")
	step(ctx, c, "released", func(context.Context) (bool, error) {
		return until(func() (bool, error) { return watch.Value() == nil, nil })
	})

	other, err := c.connect(ctx)
	if err != nil {
		return err
	}
	otherKept, err := netref.Call[*netref.Object](ctx, other.Root(), "tracked", c.tag+"-c")
	if err != nil {
		return err
	}
	step(ctx, c, "closed", func(ctx context.Context) (bool, error) {
		if err := other.Close(); err != nil {
			return false, err
		}
		return c.logged(ctx, "final:"+c.tag+"-c")
	})
	runtime.KeepAlive(otherKept) // its end is not what releases the object
	return nil
}

// Mine is an object of this program's that the service holds.
type Mine struct{ name string }
