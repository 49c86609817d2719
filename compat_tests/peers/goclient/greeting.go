package main

import (
	"context"
	"fmt"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// guest is called by a server that calls its client when that connects, and calls it then.
type guest struct {
	refuses bool
	sum     int
}

// OnConnect implements protocol.Connecter.
func (g *guest) OnConnect(c *protocol.Conn) (err error) {
	g.sum, err = netref.Call[int](context.Background(), c.Root(), "add", 1, 2)
	if g.refuses && err == nil {
		err = vinegar.ValueError.New("refused", int64(g.sum))
	}
	return err
}

func (*guest) Name() string { return "anna" }

func (*guest) Apply(ctx context.Context, f func(context.Context) (int, error)) (int, error) {
	n, err := f(ctx)
	return n * 10, err
}

func greeting(ctx context.Context, c *client) error {
	port, err := netref.Call[int](ctx, c.root, "endpoint", "greeting")
	if err != nil {
		return err
	}
	g := &guest{}
	conn, err := c.dial(ctx, port, g, protocol.Config{})
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	step(ctx, c, "sum", func(context.Context) (int, error) { return g.sum, nil })
	step(ctx, c, "greeted", func(ctx context.Context) (bool, error) {
		return until(func() (bool, error) {
			t, err := netref.Call[brine.Tuple](ctx, conn.Root(), "greeting")
			return len(t) > 0, err
		})
	})
	step(ctx, c, "greeting", func(ctx context.Context) (any, error) { return conn.Root().CallMethod(ctx, "greeting") })
	do(ctx, c, "refused", func(ctx context.Context) error {
		conn, err := c.dial(ctx, port, nil, protocol.Config{})
		for n := 0; err == nil && n < 10000; n++ {
			_, err = conn.Root().CallMethod(ctx, "add", 1, 2)
		}
		return err
	})
	do(ctx, c, "own refusal", func(ctx context.Context) error {
		_, err := c.dial(ctx, port, &guest{refuses: true}, protocol.Config{})
		return err
	})
	step(ctx, c, "alive", func(ctx context.Context) (any, error) { return conn.Root().CallMethod(ctx, "add", 1, 2) })
	return nil
}
