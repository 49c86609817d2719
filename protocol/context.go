package protocol

import (
	"context"
	"time"
)

// incoming is its handler's context: it carries the request's identity, and otherwise is the connection's base context,
// so that contexts derived from it cost no goroutine.

// Deadline implements context.Context.
func (in *incoming) Deadline() (time.Time, bool) { return in.c.base.Deadline() }

// Done implements context.Context: it is closed when the connection has ended.
func (in *incoming) Done() <-chan struct{} { return in.c.base.Done() }

// Err implements context.Context.
func (in *incoming) Err() error { return in.c.base.Err() }

type incomingKey struct{}

// Value implements context.Context.
func (in *incoming) Value(key any) any {
	switch key {
	case incomingKey{}:
		return in
	case connKey{}:
		return in.c
	}
	return in.c.base.Value(key)
}

// handlerOf returns the request whose handler is about to wait, by the context that it passes on; nil if no handler
// is. It need not be a request of the connection that is waited for: in a chain of peers, what a handler waits for may
// come back through its own connection. Funcs made from Python callables may outlive the call they came with and have
// no context of their own to pass: they are taken to be called by the handler that runs at the time.
func handlerOf(ctx context.Context) *incoming {
	in, _ := ctx.Value(incomingKey{}).(*incoming)
	if in == nil {
		return nil
	}
	l := in.c.lock()
	defer l.unlock()
	if !in.finished {
		return in
	}
	if in.c.cfg.Concurrency == 1 && l.turns.lanes == nil && l.turns.current != nil && !l.turns.current.finished {
		return l.turns.current
	}
	return nil
}
