package main

import (
	"context"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

func attributes(ctx context.Context, c *client) error {
	gadgetOf := func(conn *protocol.Conn) (*netref.Object, error) {
		return netref.Call[*netref.Object](ctx, conn.Root(), "make_gadget")
	}
	get := func(o *netref.Object, name string) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) { return o.Get(ctx, name) }
	}
	gadget, err := gadgetOf(c.conn)
	if err != nil {
		return err
	}
	step(ctx, c, "value", get(gadget, "value"))
	step(ctx, c, "hidden", get(gadget, "hidden"))
	step(ctx, c, "property", get(gadget, "exposed_counter"))
	step(ctx, c, "bad", get(gadget, "exposed_bad"))
	do(ctx, c, "set denied", func(ctx context.Context) error { return gadget.Set(ctx, "value", 5) })
	do(ctx, c, "delete denied", func(ctx context.Context) error { return gadget.Del(ctx, "value") })

	rw, err := c.endpoint(ctx, "rw")
	if err != nil {
		return err
	}
	writable, err := gadgetOf(rw)
	if err != nil {
		return err
	}
	step(ctx, c, "set", func(ctx context.Context) (any, error) {
		if err := writable.Set(ctx, "value", 5); err != nil {
			return nil, err
		}
		return writable.Get(ctx, "value")
	})
	do(ctx, c, "delete", func(ctx context.Context) error { return writable.Del(ctx, "value") })
	step(ctx, c, "deleted", get(writable, "value"))

	public, err := c.endpoint(ctx, "public")
	if err != nil {
		return err
	}
	plain, err := gadgetOf(public)
	if err != nil {
		return err
	}
	step(ctx, c, "public", func(ctx context.Context) (any, error) { return plain.CallMethod(ctx, "plain") })

	all, err := c.endpoint(ctx, "all")
	if err != nil {
		return err
	}
	do(ctx, c, "root denied", func(ctx context.Context) error { return all.Root().Set(ctx, "answer", 5) })
	for _, conn := range []*protocol.Conn{rw, public, all} {
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}
