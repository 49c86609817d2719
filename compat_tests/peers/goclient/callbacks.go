package main

import (
	"context"
	"errors"
	"sync"
	"weak"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func callbacks(ctx context.Context, c *client) error {
	c.call(ctx, "call", "call", func(a, b int) int { return a + b }, 20, 22)

	var depths []int
	var deeper func(ctx context.Context, n int) (int, error)
	deeper = func(ctx context.Context, n int) (int, error) {
		depths = append(depths, n)
		return netref.Call[int](ctx, c.root, "pingpong", deeper, n)
	}
	c.call(ctx, "ten deep", "pingpong", deeper, 10)
	step(ctx, c, "depths", func(context.Context) ([]int, error) { return depths, nil })

	bad := func() error { return vinegar.ValueError.New("bad", 1) }
	plain := func() error { return errors.New("plain") }
	crash := func() int {
		var none []int
		return none[len(depths)]
	}
	// catching has a failing function called and returns the name of the class and the args that the service caught.
	catching := func(ctx context.Context, f any) (class string, args any, err error) {
		caught, err := netref.Call[brine.Tuple](ctx, c.root, "call_catching", f)
		if err != nil {
			return "", nil, err
		}
		class, _ = caught[0].(string)
		return class, caught[1], nil
	}
	c.call(ctx, "fails", "call", bad)
	c.call(ctx, "caught", "call_catching", bad)
	step(ctx, c, "caught plain", func(ctx context.Context) (any, error) {
		_, args, err := catching(ctx, plain)
		return args, err
	})
	step(ctx, c, "panic", func(ctx context.Context) (bool, error) {
		class, _, err := catching(ctx, crash)
		return class != "ok", err
	})
	c.call(ctx, "ok", "call_catching", func() int { return 7 })

	increment := func(x int) int { return x + 1 }
	c.call(ctx, "register", "register", increment)
	c.call(ctx, "fire", "fire", 5)
	c.call(ctx, "unregister", "unregister", increment)
	c.call(ctx, "unregister again", "unregister", increment)

	var heard ears
	c.call(ctx, "tick", "tick", heard.append, 5, 0.001)
	step(ctx, c, "ticks", func(context.Context) ([]int, error) {
		_, err := until(func() (bool, error) { return len(heard.all()) == 5, nil })
		return heard.all(), err
	})

	once, watch := watched()
	c.call(ctx, "once", "call", once, "x") // the last use: nothing but the peer's reference can keep it from here on
	step(ctx, c, "released", func(context.Context) (bool, error) {
		return until(func() (bool, error) { return watch.Value() == nil, nil })
	})
	step(ctx, c, "theirs", func(ctx context.Context) (any, error) {
		add, err := c.root.Get(ctx, "add")
		if err != nil {
			return nil, err
		}
		return c.root.CallMethod(ctx, "call", add, 2, 3)
	})
	c.call(ctx, "alive", "add", 1, 2)
	return nil
}

// ears hears the ticks, which come on a goroutine of the connection.
type ears struct {
	mu    sync.Mutex
	heard []int
}

func (e *ears) append(i int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, i)
}

func (e *ears) all() []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard[:len(e.heard):len(e.heard)]
}

// memory is what a func holds on to, so that its end can be watched.
type memory struct{ last any }

// watched makes a func that returns its argument, and a weak pointer that is nil when the func has gone.
func watched() (f func(any) any, watch weak.Pointer[memory]) {
	m := &memory{}
	return func(x any) any { m.last = x; return x }, weak.Make(m)
}
