package protocol

import "context"

// Connecter is implemented by root objects that want to know of their connections (Service.on_connect).
type Connecter interface {
	// OnConnect is called before the first request of a connection is served. It may keep c and start requests, but
	// must not wait for the peer's answers. An error refuses the connection.
	OnConnect(c *Conn) error
}

// Disconnecter is implemented by root objects that want to know when a connection has ended
// (Service.on_disconnect).
type Disconnecter interface {
	// OnDisconnect is called once all handlers of the connection have returned.
	OnDisconnect(c *Conn)
}

// VoidService is a root object that has nothing (rpyc.core.service.VoidService).
type VoidService struct{}

func (c *Conn) connected() error {
	if s, ok := c.local.(Connecter); ok {
		return s.OnConnect(c)
	}
	return nil
}

func (c *Conn) disconnected() {
	defer c.logPanic("OnDisconnect")
	if s, ok := c.local.(Disconnecter); ok {
		s.OnDisconnect(c)
	}
}

// logPanic keeps a panic of the user's code from taking the process down. It is deferred.
func (c *Conn) logPanic(where string) {
	if p := recover(); p != nil {
		c.cfg.Logger.Error("rpyc: panic", "conn", c.cfg.Name, "in", where, "panic", p)
	}
}

type connKey struct{}

// FromContext returns the connection whose request a handler's context belongs to; nil for other contexts.
func FromContext(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}
