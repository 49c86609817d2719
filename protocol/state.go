package protocol

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// state is everything about a connection that changes. It is reachable only through *locked.
type state struct {
	reading  bool // the reader has not returned yet
	unopened bool // OnConnect was not called or returned an error
	closing  bool // this side has asked for the end
	broken   bool // the stream is closed; nothing more is sent or received
	ending   bool // finish has begun
	draining bool // this side shuts down: see Conn.Shutdown
	sealed   bool // and every request that was begun has been answered
	leaving  bool // the peer shuts down
	gone     bool // and has answered all that it has begun
	cause    error

	pending map[int64]*call // requests of ours without an answer yet
	expiry  expiry

	closeTimer *time.Timer // ends the connection some time after the peer's CLOSE; nil before

	drained []chan struct{} // closed when no request is running or queued
	onLeave func()          // called when leaving is set
	after   []func()        // run when everything has ended

	served map[int64]*served // requests that the peer may give up, by their numbers; nil if metadata is off

	turns   turns
	exports exports
	imports imports
	foreign int // questions of the peer that other peers are being asked
	leases  leases
	del     delProbe
	inTwo   <-chan struct{} // closed when the last call of startInTwo has been sent; nil if there was none
}

func (s *state) init(concurrency int) {
	s.reading = true
	s.pending = make(map[int64]*call)
	s.turns.init(concurrency)
}

// locked is a Conn whose lock is held: what needs the lock is a method of it, or takes one.
type locked struct {
	*state
	c *Conn
}

func (c *Conn) lock() locked {
	c.mu.Lock()
	return locked{&c.state, c}
}

// unlock releases the lock. It is the one place that decides whether the connection has finished.
func (l locked) unlock() {
	if len(l.drained) > 0 && l.turns.idle() {
		for _, ch := range l.drained {
			close(ch)
		}
		l.drained = nil
		l.sealed = l.draining
	}
	finished := l.broken && !l.ending && !l.reading && l.turns.idle()
	if finished {
		l.ending = true
	}
	l.c.mu.Unlock()
	if finished {
		go l.c.finish()
	}
}

// die ends the conversation: whoever waits for the peer is told, nothing more is sent or read. Every end of a
// connection, whatever its reason, comes through here. Handlers that run go on until they return.
func (c *Conn) die(cause error) {
	l := c.lock()
	if l.broken {
		l.unlock()
		return
	}
	if l.closing && cause == io.EOF {
		cause = ErrClosed // the peer's answer to our CLOSE
	}
	l.broken = true
	l.cause = cause
	pending, sent := l.pending, !l.gone
	l.pending, l.served = nil, nil
	l.expiry.alarm.stop()
	if l.closeTimer != nil {
		l.closeTimer.Stop()
	}
	l.turns.end()
	c.readOn.Broadcast()
	l.unlock()

	if c.reader.end() { // otherwise the holder of the reader role notices that the stream is closed
		c.stopReading()
	}
	_ = c.stream.Close() // what it could say is of no use to anyone now
	c.out.close()
	c.cancel(&ClosedError{Cause: cause})
	for _, p := range pending {
		p.fail(&ClosedError{Cause: cause, Sent: sent})
	}
}

// finish runs when nothing of the connection is left running: it drops what the connection held.
func (c *Conn) finish() {
	if c.leaveParent != nil {
		c.leaveParent()
	}
	c.keeper.stop()
	c.dropSpare()
	l := c.lock()
	unopened, cause := l.unopened, l.cause
	l.unlock()
	if !unopened {
		c.disconnected()
		c.tellClosed()
	}
	l = c.lock()
	dropped := l.exports.clear()
	l.endLeases()
	l.imports.clear()
	l.unlock()
	for _, d := range dropped {
		c.tellDropped(d)
	}
	if cause != io.EOF && cause != ErrClosed {
		level := slog.LevelInfo
		family, unknown := (*FamilyError)(nil), (*wire.UnknownDialectError)(nil)
		if errors.As(cause, &family) || errors.As(cause, &unknown) {
			level = slog.LevelWarn
		}
		c.log().Log(context.Background(), level, "rpyc: connection ended", "cause", cause)
	}
	close(c.done)
	l = c.lock()
	after := l.after
	l.after = nil
	l.unlock()
	for _, f := range after {
		f()
	}
}

// AfterDone calls f in a goroutine of its own when the connection has ended, as [Conn.Done] says; at once if it has.
func (c *Conn) AfterDone(f func()) {
	l := c.lock()
	defer l.unlock()
	select {
	case <-c.done:
		go f()
	default:
		l.after = append(l.after, f)
	}
}

func (c *Conn) stopReading() {
	l := c.lock()
	l.reading = false
	l.unlock()
}

// setDialect is called once, before anything is sent.
func (c *Conn) setDialect(d *wire.Dialect) {
	if d.BindsThreads() {
		l := c.lock()
		l.turns.lanes = make(map[uint64]*lane)
		l.unlock()
	}
	c.guessed = c.guessed || d.IsUnsettled()
	c.dialect.Store(d)
	close(c.dialectSet)
}
