package protocol

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Connecter is implemented by root objects that want to know of their connections (Service.on_connect).
type Connecter interface {
	// OnConnect is called before the first request of a connection is served, after a Dial function has got the
	// peer's root object. It may keep c and call the peer, with any context: while it waits for an answer, and while
	// anything else of this side waits for one on c, the peer's requests are served, as in RPyC; otherwise they wait
	// until it has returned. A call to a peer that has said nothing yet takes it for one of RPyC 6, after half a second,
	// unless Config.Dialect tells. An error or a panic refuses the connection, for which OnDisconnect is not called
	// then. A root object whose OnConnect has no result is called, too, and never refuses.
	OnConnect(c *Conn) error
}

// Disconnecter is implemented by root objects that want to know when a connection has ended
// (Service.on_disconnect).
type Disconnecter interface {
	// OnDisconnect is called once all handlers of the connection have returned.
	OnDisconnect(c *Conn)
}

// LazyRoot is a root object that is made when the peer first asks for it, and each time it asks again: the peer gets
// what the func returns, or the exception. It runs on a goroutine of its own; [FromContext] of its context is the
// connection. A proxy, whose root object is that of another server, does not have to reach that server before it
// accepts.
type LazyRoot func(ctx context.Context) (any, error)

func (f LazyRoot) make(c *Conn) (root any, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, vinegar.FromPanic(p, debug.Stack())
		}
	}()
	root, err = f(context.WithValue(c.base, connKey{}, c))
	if err == nil {
		c.made.Store(&root)
	}
	return root, err
}

// Served is the root object that the peer gets: [Conn.Local], or what a [LazyRoot] has made last; nil before that.
func (c *Conn) Served() any {
	if _, lazy := c.local.(LazyRoot); !lazy {
		return c.local
	}
	if made := c.made.Load(); made != nil {
		return *made
	}
	return nil
}

// CheckService says what is wrong with a value as a root object: a map, whose keys would be no names there. Servers
// call it when they start.
func CheckService(root any) error {
	t := reflect.TypeOf(root)
	if t != nil && t.Kind() == reflect.Map && exposed.ClassOf(root).Name() == "builtins.dict" {
		return fmt.Errorf("rpyc: a %v cannot be a service: to Python it is a dict, and its keys are no attributes; use "+
			"a type with methods, or exposed.ClassOptions.Static", t)
	}
	return nil
}

// VoidService is a root object that has nothing (rpyc.core.service.VoidService).
type VoidService struct{}

func (c *Conn) disconnected() {
	defer c.logPanic("OnDisconnect")
	if s, ok := c.local.(Disconnecter); ok {
		s.OnDisconnect(c)
	}
}

// logPanic keeps a panic of the user's code from taking the process down. It is deferred.
func (c *Conn) logPanic(where string) {
	if p := recover(); p != nil {
		c.log().Error("rpyc: panic", "in", where, "panic", p)
	}
}

type connKey struct{}

// FromContext returns the connection whose request a handler's context belongs to; nil for other contexts.
func FromContext(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}
