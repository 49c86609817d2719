package main

import (
	"context"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func closing(ctx context.Context, c *client) error {
	// tagged opens a connection whose end the service logs.
	tagged := func(tag string) (*protocol.Conn, error) {
		conn, err := c.connect(ctx)
		if err != nil {
			return nil, err
		}
		_, err = conn.Root().CallMethod(ctx, "tag", tag)
		return conn, err
	}
	conn, err := tagged(c.tag + "-a")
	if err != nil {
		return err
	}
	start := time.Now()
	do(ctx, c, "close", func(context.Context) error { return conn.Close() })
	step(ctx, c, "quick", func(context.Context) (bool, error) { return time.Since(start) < 2*time.Second, nil })
	do(ctx, c, "after close", func(ctx context.Context) error {
		_, err := conn.Ping(ctx)
		return err
	})
	step(ctx, c, "noticed", func(ctx context.Context) (bool, error) { return c.logged(ctx, "disconnect:"+c.tag+"-a") })
	for _, how := range []string{"socket", "close"} {
		other, err := tagged(c.tag + "-" + how)
		if err != nil {
			return err
		}
		step(ctx, c, "hang up "+how, func(ctx context.Context) (any, error) {
			return other.Root().CallMethod(ctx, "hang_up", how)
		})
		step(ctx, c, "after hang up "+how, func(ctx context.Context) (any, error) {
			return other.Root().CallMethod(ctx, "add", 1, 2)
		})
		step(ctx, c, "noticed "+how, func(ctx context.Context) (bool, error) {
			return c.logged(ctx, "disconnect:"+c.tag+"-"+how)
		})
	}
	c.call(ctx, "alive", "add", 1, 2)
	return nil
}

func ping(ctx context.Context, c *client) error {
	do(ctx, c, "ping", func(ctx context.Context) error {
		_, err := c.conn.Ping(ctx)
		return err
	})
	do(ctx, c, "ping data", func(ctx context.Context) error {
		data := strings.Repeat("\u00fc", 5000)
		var echo string
		if err := c.conn.Request(ctx, &echo, wire.HandlePing, data); err != nil {
			return err
		}
		if echo != data {
			return &protocol.PingError{}
		}
		return nil
	})
	return nil
}
