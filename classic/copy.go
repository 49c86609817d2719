package classic

import (
	"context"
	"errors"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Obtain copies a remote object with everything in it (rpyc.classic.obtain): it is [netref.Obtain]. Any peer that
// allows it will do, not only a classic server.
func Obtain[T any](ctx context.Context, v any) (T, error) { return netref.Obtain[T](ctx, v) }

// Deliver copies a Go value to the server (rpyc.classic.deliver) and returns what it has become there: a handle, or the
// value itself if it goes by value, such as a number or a text. The table of package pickle says what Python gets; a
// struct becomes a types.SimpleNamespace. It takes one round trip, after a few the first time.
func (c *Conn) Deliver(ctx context.Context, v any) (any, error) {
	version, err := c.Python(ctx)
	if err != nil {
		return nil, err
	}
	p := 4
	if version[0] < 3 {
		p = 2
	}
	data, err := protocol.Pickle(ctx, v, p)
	if err != nil {
		return nil, err
	}
	loads, err := c.pickler(ctx)
	if err != nil {
		return nil, err
	}
	return loads.CallMethod(ctx, "loads", data)
}

// pickler returns the server's pickle module: rpyc.lib.compat knows the best one that it has, as RPyC itself finds it.
func (c *Conn) pickler(ctx context.Context) (*netref.Object, error) {
	compat, err := c.Module(ctx, "rpyc.lib.compat")
	if err == nil {
		return netref.Get[*netref.Object](ctx, compat, "pickle")
	}
	if errors.Is(err, vinegar.ImportError) { // a server that is no RPyC
		return c.Module(ctx, "pickle")
	}
	return nil, err
}

// deliverObject is Deliver for what becomes an object.
func (c *Conn) deliverObject(ctx context.Context, v any) (*netref.Object, error) {
	got, err := c.Deliver(ctx, v)
	if err != nil {
		return nil, err
	}
	return netref.As[*netref.Object](ctx, got)
}
