package protocol

import (
	"fmt"
	"sync"
	"time"
)

// keeper ends a connection whose peer is silent, or stops in the midst of a message, if the configuration says so. It
// looks a few times per timeout, which costs a connection a timer and nothing else.
type keeper struct {
	mu    sync.Mutex
	timer *time.Timer
	reads int64 // as last seen
	quiet time.Time
}

// startKeeper sets the keeper's timer, if the configuration asks for one.
func (c *Conn) startKeeper() {
	k, period := c.keeper, c.keeperPeriod()
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads, k.quiet = c.frames.Reads(), time.Now()
	k.timer = time.AfterFunc(period, c.keeperLook)
}

func (c *Conn) keeperPeriod() time.Duration {
	period := c.cfg.IdleTimeout
	if s := c.cfg.StallTimeout; period <= 0 || s > 0 && s < period {
		period = s
	}
	if period <= 0 {
		return 0
	}
	return max(period/4, time.Millisecond)
}

func (k *keeper) stop() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.timer != nil {
		k.timer.Stop()
	}
}

// keeperLook is called by the timer.
func (c *Conn) keeperLook() {
	k := c.keeper
	now := time.Now()
	l := c.lock()
	broken, busy := l.broken, !l.turns.idle() || len(l.pending) > 0
	l.unlock()
	if broken {
		return
	}
	k.mu.Lock()
	reads := c.frames.Reads()
	if busy || reads != k.reads {
		k.reads, k.quiet = reads, now
	}
	idle := now.Sub(k.quiet)
	k.timer.Reset(c.keeperPeriod())
	k.mu.Unlock()

	since := c.frames.Unfinished()
	stall := c.cfg.StallTimeout
	switch {
	case stall > 0 && !since.IsZero() && now.Sub(since) >= stall:
		c.die(&StallError{After: stall})
	case stall > 0 && c.out.stalled(stall):
		c.die(&StallError{After: stall, Writing: true})
	case c.cfg.IdleTimeout > 0 && idle >= c.cfg.IdleTimeout:
		c.die(&IdleError{After: c.cfg.IdleTimeout})
	}
}

// IdleError says that a connection was ended because of Config.IdleTimeout.
type IdleError struct {
	After time.Duration
}

// Error implements error.
func (e *IdleError) Error() string { return fmt.Sprintf("rpyc: the peer was idle for %v", e.After) }

// Timeout reports true, as net.Error wants it.
func (e *IdleError) Timeout() bool { return true }

// StallError says that a connection was ended because of Config.StallTimeout.
type StallError struct {
	After time.Duration
	// Writing says that the peer did not read; otherwise it did not send the rest of a message.
	Writing bool
}

// Error implements error.
func (e *StallError) Error() string {
	if e.Writing {
		return fmt.Sprintf("rpyc: the peer did not read for %v", e.After)
	}
	return fmt.Sprintf("rpyc: the peer stopped for %v in the midst of a message", e.After)
}

// Timeout reports true, as net.Error wants it.
func (e *StallError) Timeout() bool { return true }
