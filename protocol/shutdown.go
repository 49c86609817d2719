package protocol

import (
	"context"
	"errors"
	"time"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ErrShutdown is the Cause of the [ClosedError] for a request that a peer has refused because it is shutting down. The
// request was not begun (Sent is false, [SafeToRetry] true), and the connection is about to end.
var ErrShutdown = errors.New("rpyc: the peer is shutting down")

// RPyC has no message that says "I take no more requests". Two things stand for it, which peers that do not know them
// take for what they look like:
//
//   - A request that comes while this side shuts down is answered with an EOFError that has the attribute not_begun
//     and a traceback that no exception of a handler has. An exception that a program in between passes on has another
//     traceback, so it is not taken for a refusal of the program's own.
//   - The CLOSE that follows the last answer has the number lastSeq. Whatever the peer has no answer for when it comes
//     was not begun.

const (
	lastSeq      = -1
	refusalAttr  = "not_begun"
	refusalText  = "the peer is shutting down, and has not begun this request"
	refusalTrace = "EOFError: " + refusalText + "\n"
	maxLate      = 1000                   // requests begun for handlers of requests that came later than the shutdown
	farewellWait = 300 * time.Millisecond // for the peer to hang up, if it reads at all
)

// Shutdown ends the connection in order, as [Conn.Close] does, after the requests that have been accepted are answered.
// Requests that come meanwhile are refused before they are begun: a Go peer gets a [ClosedError] that is safe to retry,
// a Python peer an EOFError with the attribute not_begun. Only while a handler waits for the peer are they carried out
// as always, because its answer may depend on them. If ctx ends before, the connection ends without waiting, and the
// error is the context's cause; if the peer has gone before everything was answered, it is a [ClosedError].
func (c *Conn) Shutdown(ctx context.Context) error {
	cut := context.AfterFunc(ctx, func() { c.die(ErrClosed) })
	defer cut()
	idle := make(chan struct{})
	l := c.lock()
	if !l.draining {
		l.draining = true
		l.turns.accepted = l.turns.running + l.turns.queued
	}
	l.drained = append(l.drained, idle)
	l.unlock()
	select {
	case <-idle:
	case <-c.base.Done():
	}
	if err := c.Err(); err != nil {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		return err
	}
	c.out.settle()
	if c.dialect.Load() != nil {
		c.sayLast()
		timer := time.AfterFunc(min(c.cfg.CloseTimeout, farewellWait), func() { c.die(ErrClosed) })
		defer timer.Stop()
		c.passRole(false)
		<-c.base.Done()
	}
	c.die(ErrClosed)
	if ctx.Err() != nil {
		return ended(ctx)
	}
	return nil
}

// sayLast sends the CLOSE behind the last answer. It does not wait.
func (c *Conn) sayLast() {
	d := c.dialect.Load()
	m := boxer{ctx: c.base, c: c, d: d}
	c.tell(sendLater, d, lastSeq, wire.HandleClose, func(b []byte) ([]byte, error) { return m.args(b, nil) })
}

// refuses reports whether a request that has just come is not to be begun, because this side shuts down. One that a
// handler may wait for is begun: at any time while handlers of accepted requests are under way, and for a number of
// requests afterwards, so that clients that go on asking cannot keep the connection for ever.
func (l locked) refuses(in *incoming) bool {
	if !l.draining || in.h == wire.HandleDel || in.h == wire.HandleClose {
		return false
	}
	t := &l.turns
	if l.sealed || t.waiting == 0 && len(l.pending) == 0 {
		return true
	}
	if t.accepted == 0 {
		t.late++
	}
	return t.late > maxLate
}

// refusal is the answer to a request that is not begun.
func refusal() *vinegar.Error {
	e := vinegar.EOFError.New(refusalText).With(refusalAttr, true)
	e.Traceback = refusalTrace
	return e
}

// refused reports whether the peer has answered with a refusal, and then what it means here.
func (c *Conn) refused(err error) error {
	e, ok := err.(*vinegar.Error)
	if !ok || e.Traceback != refusalTrace || !errors.Is(e, vinegar.EOFError) {
		return err
	}
	if v, _ := e.Attr(refusalAttr); v != true {
		return err
	}
	c.leave()
	return &ClosedError{Cause: ErrShutdown}
}

// leave notes that the peer is shutting down. Requests are still sent, since a handler of the peer's may depend on
// them.
func (c *Conn) leave() {
	l := c.lock()
	first := !l.leaving
	l.leaving = true
	f := l.onLeave
	l.unlock()
	if first && f != nil {
		f()
	}
}

// notifyLeave has f called, once, when the peer turns out to be shutting down. f must not block.
func (c *Conn) notifyLeave(f func()) {
	l := c.lock()
	l.onLeave = f
	already := l.leaving
	l.unlock()
	if already {
		f()
	}
}
