package protocol

import (
	"context"
	"time"

	"github.com/gorpyc/gorpyc/netref"
)

// incoming is its handler's context: it carries the request's identity, and otherwise is the context of its hooks, of
// the metadata that came with it (served), or the connection's base context, so that contexts derived from it cost no
// goroutine.

// parent is what the handler's context is besides the request's identity.
func (in *incoming) parent() context.Context {
	if in.observed != nil {
		return in.observed.ctx
	}
	return in.underlying()
}

// underlying is the context without what hooks have put there.
func (in *incoming) underlying() context.Context {
	if in.meta != nil {
		return in.meta
	}
	return in.c.base
}

// Deadline implements context.Context.
func (in *incoming) Deadline() (time.Time, bool) { return in.parent().Deadline() }

// Done implements context.Context: it is closed when the connection has ended, or earlier if a hook wants it or the
// caller has given up.
func (in *incoming) Done() <-chan struct{} { return in.parent().Done() }

// Err implements context.Context.
func (in *incoming) Err() error { return in.parent().Err() }

type incomingKey struct{}

// Value implements context.Context.
func (in *incoming) Value(key any) any {
	if v, ok := in.identity(key); ok {
		return v
	}
	return in.parent().Value(key)
}

// identity is the part of Value that tells which request it is.
func (in *incoming) identity(key any) (any, bool) {
	switch key {
	case incomingKey{}:
		return in, true
	case connKey{}:
		return in.c, true
	}
	if in.d.Python2() && netref.IsByteTexts(key) {
		return true, true
	}
	return nil, false
}

// handlerOf returns the request whose handler is about to wait, by the context that it passes on; nil if no handler
// is. It need not be a request of the connection that is waited for: in a chain of peers, what a handler waits for may
// come back through its own connection. Funcs made from Python callables may outlive the call they came with and have
// no context of their own to pass: they are taken to be called by the handler that runs at the time.
func handlerOf(ctx context.Context) *incoming {
	in, l := lockHandlerOf(ctx)
	if l.c != nil {
		l.unlock()
	}
	return in
}

// waiterOf is handlerOf for a request that is about to be sent and then waited for. It counts the handler as one that
// waits, since what the peer asks in order to answer may come before yield is called; resume is to be called in any
// case.
//
// c is the connection of the request. Its OnConnect has no context to pass on, so a wait on c that is no handler's is
// taken for one of OnConnect's while that runs; nil for c leaves that out.
func waiterOf(ctx context.Context, c *Conn) *incoming {
	in, l := lockHandlerOf(ctx)
	if in == nil && l.c == nil && c != nil && c.connecting.Load() {
		l = c.lock()
		in = l.turns.opening
	}
	if in != nil {
		if in.waits++; in.waits == 1 {
			l.turns.waiting++
		}
	}
	if l.c != nil {
		l.unlock()
	}
	return in
}

// lockHandlerOf returns the handler, if there is one, with its connection locked. If l is not zero it is to be
// unlocked.
func lockHandlerOf(ctx context.Context) (in *incoming, l locked) {
	in, _ = ctx.Value(incomingKey{}).(*incoming)
	if in == nil {
		return nil, locked{}
	}
	l = in.c.lock()
	if !in.finished {
		return in, l
	}
	if now := l.turns.single.current; in.c.cfg.Concurrency == 1 && now != nil && !now.finished {
		return now, l
	}
	return nil, l
}
