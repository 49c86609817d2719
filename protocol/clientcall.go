package protocol

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Do calls f with a connection, and again with another one if f fails with an error that says that the peer has
// certainly not been asked (see [SafeToRetry]). f makes one call, or knows what it does. Every other error is returned
// as it is; SafeToRetry tells of it whether the call could have been carried out.
func (c *Client) Do(ctx context.Context, f func(ctx context.Context, conn *Conn) error) error {
	return c.do(ctx, f, &attempts{})
}

// DoIdempotent is [Client.Do] for calls that may be carried out twice: they are tried again, at another server if there
// is one, after every end of a connection and when no answer has come in time. SafeToRetry tells of the last attempt
// only.
func (c *Client) DoIdempotent(ctx context.Context, f func(ctx context.Context, conn *Conn) error) error {
	return c.do(ctx, f, &attempts{idempotent: true})
}

// errEndedGoroutine is the outcome of a call that has not returned: runtime.Goexit, as testing's FailNow has it.
var errEndedGoroutine = errors.New("rpyc: the call has ended its goroutine")

// Idempotent is [Client.DoIdempotent] for a call with a result. With ClientConfig.HedgeDelay, f is called a second
// time, at the same time and with a connection to another server, if the first has not returned by then; the first
// answer counts, be it a result or an exception, and the context of the other call ends. f may not change what other
// calls of f use. A panic in f is one of Idempotent, with the trace of f in its text.
func Idempotent[T any](ctx context.Context, c *Client, f func(ctx context.Context, conn *Conn) (T, error)) (T, error) {
	if c.cfg.HedgeDelay <= 0 {
		var result T
		err := c.DoIdempotent(ctx, func(ctx context.Context, conn *Conn) (err error) {
			result, err = f(ctx, conn)
			return err
		})
		return result, err
	}
	type outcome struct {
		result   T
		err      error
		by       int
		panicked any
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome, 2)
	tries := [2]*attempts{{idempotent: true}, {idempotent: true}}
	begin := func(by int) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.ctx.Err() != nil {
			return false
		}
		c.wg.Go(func() {
			o := outcome{by: by, err: errEndedGoroutine}
			defer func() {
				if p := recover(); p != nil {
					o.panicked = fmt.Sprintf("%v\n\n%s", p, debug.Stack())
				}
				outcomes <- o
			}()
			o.err = c.do(ctx, func(ctx context.Context, conn *Conn) (err error) {
				o.result, err = f(ctx, conn)
				return err
			}, tries[by])
		})
		return true
	}
	if !begin(0) {
		var none T
		return none, ErrClientClosed
	}
	delay := time.NewTimer(c.cfg.HedgeDelay)
	defer delay.Stop()
	for running := 1; ; {
		select {
		case <-delay.C:
			if c.mayHedge(tries[0], tries[1]) && begin(1) {
				running++
			}
		case o := <-outcomes:
			if o.panicked != nil {
				panic(o.panicked) // where the caller can recover from it
			}
			if running--; running > 0 && unanswered(o.err) {
				continue
			}
			c.earnHedge()
			if running > 0 {
				c.lost(tries[1-o.by])
			}
			return o.result, o.err
		}
	}
}

const (
	// maxHedges is how many hedged calls may be made at once after a quiet time.
	maxHedges = 10
	// hedgeShare is the share of calls that may be hedged.
	hedgeShare = 0.1
)

// mayHedge reports whether a call may be asked a second time, of another server than the one that has it.
func (c *Client) mayHedge(first, second *attempts) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hedges < 1 || first.at == nil {
		return false
	}
	for _, s := range c.servers {
		if s.measure(); s.Ready && !s.Ejected() && s != first.at {
			c.hedges--
			second.at = first.at
			return true
		}
	}
	return false
}

// earnHedge counts a call, of which some may be hedged.
func (c *Client) earnHedge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hedges = min(c.hedges+hedgeShare, maxHedges)
}

// lost notes that another server was faster by the delay at least.
func (c *Client) lost(a *attempts) {
	c.mu.Lock()
	s := a.at
	c.mu.Unlock()
	if s != nil {
		c.report(s, false)
	}
}

// attempts are those of one call.
type attempts struct {
	idempotent bool
	at         *server // the one asked last, which is avoided; Client.mu guards it
}

func (c *Client) do(ctx context.Context, f func(ctx context.Context, conn *Conn) error, a *attempts) error {
	for n := 0; ; n++ {
		conn, s, err := c.choose(ctx, a)
		if err != nil {
			return err
		}
		err = c.try(ctx, conn, s, f, a.idempotent)
		again := SafeToRetry(err) || a.idempotent && ctx.Err() == nil && unanswered(err)
		if err == nil || !again || n >= c.cfg.Retries || ctx.Err() != nil || c.ctx.Err() != nil {
			return err
		}
	}
}

// try calls f once and notes what that says of the server.
func (c *Client) try(ctx context.Context, conn *Conn, s *server, f func(context.Context, *Conn) error,
	idempotent bool) error {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		s.under--
	}()
	if idempotent && c.cfg.TryTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.cfg.TryTimeout, &TimeoutError{After: c.cfg.TryTimeout})
		defer cancel()
	}
	err := f(ctx, conn)
	if !errors.Is(err, context.Canceled) && !SafeToRetry(err) {
		c.report(s, !unanswered(err))
	}
	return err
}

// unanswered reports whether an error says that a peer has not answered: its connection has ended, or the time is over.
// A TimeoutError that the service has raised is an answer.
func unanswered(err error) bool {
	var late *TimeoutError
	return errors.Is(err, ErrClosed) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded) && !raised(err)
}

// raised reports whether an error is an exception of the peer's.
func raised(err error) bool {
	var e *vinegar.Error
	return errors.As(err, &e) && e.Remote()
}

// report notes whether a server has answered a call, and ejects it if too many in a row were not answered.
func (c *Client) report(s *server, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case answered:
		s.Succeeded()
	case c.cfg.Failures > 0 && s.gone.Err() == nil && s.Failed(c.cfg.Failures):
		c.cfg.Logger.Warn("rpyc: server is left alone", "addr", s.addr.Addr, "failures", c.cfg.Failures)
		close(s.renew)
		s.renew = make(chan struct{})
		c.adjust()
		if !s.probed {
			s.probed = true
			c.wg.Go(func() { c.probe(s) })
		}
	}
}
