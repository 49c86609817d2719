package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Negotiate is what the Dial functions do once they know how to open a stream: it opens one, finds out which family the
// peer speaks unless cfg tells, and returns a connection whose root has been fetched. open is called a second time if
// the first family tried was wrong. A ctx without a deadline gets the connection's default timeout for each attempt.
func Negotiate(ctx context.Context, open func(context.Context) (io.ReadWriteCloser, error), root any,
	cfg *Config) (*Conn, error) {
	return negotiate(ctx, open, root, cfg, "")
}

// negotiate is Negotiate for an address that is remembered by a key, "" for none.
func negotiate(ctx context.Context, open func(context.Context) (io.ReadWriteCloser, error), root any, cfg *Config,
	key string) (*Conn, error) {
	dialects, err := cfg.attempts(dialled.last(key))
	if err != nil {
		return nil, err
	}
	if cfg != nil && cfg.BindThreads {
		for i, d := range dialects {
			if dialects[i] = d.BindThreads(); dialects[i] == nil {
				return nil, fmt.Errorf("rpyc: dial: peers of protocol family %v do not bind threads", d)
			}
		}
	}
	var errs []error
	silent := 0
	for i := 0; i < len(dialects); i++ {
		d := dialects[i]
		with := cfg.clone()
		with.Dialect = d
		if cfg.mayBind() {
			with.Dialect = d.Unsettled()
		}
		c, err := attempt(ctx, open, root, &with, cfg.mayBind() && d == wire.FamilyC)
		if err == nil {
			dialled.met(key, d)
			return c, nil
		}
		errs = append(errs, err)
		if !hungUp(err) {
			break
		}
		wrong := (*WrongDialectError)(nil)
		if !errors.As(err, &wrong) {
			silent++
		} else if wrong.Got.BindsThreads() && cfg.mayBind() && !slices.Contains(dialects, wrong.Got) {
			dialects = append(dialects[:i+1], wrong.Got) // it has said CLOSE in the form it wants
		}
	}
	err = errors.Join(errs...)
	if silent == len(errs) {
		return nil, fmt.Errorf("rpyc: dial: the other end hung up without an answer: it may have refused this client, "+
			"expect TLS or a"+
			" handshake before, or not speak RPyC: %w", errs[0])
	}
	return nil, fmt.Errorf("rpyc: dial: %w", err)
}

// attempts returns the forms of a first message that are tried one after the other, the one that was understood last
// first. There is one for several families: what the answer tells need not be known before.
func (c *Config) attempts(last *wire.Dialect) ([]*wire.Dialect, error) {
	if c != nil && c.Dialect != nil {
		if !c.speaks(c.Dialect) {
			return nil, fmt.Errorf("rpyc: dial: %w", &FamilyError{Got: c.Dialect.Family(), Spoken: c.Families})
		}
		return []*wire.Dialect{c.Dialect}, nil
	}
	var dialects []*wire.Dialect
	if c.speaks(wire.FamilyD) || c.speaks(wire.FamilyE) {
		dialects = append(dialects, wire.FamilyD)
	}
	if c.speaks(wire.FamilyC) || c.speaksOld() {
		dialects = append(dialects, wire.FamilyC)
	}
	if last != nil && slices.Contains(dialects, last.Family()) {
		others := slices.DeleteFunc(dialects, func(d *wire.Dialect) bool { return d == last })
		dialects = slices.Insert(others, 0, last)
	}
	return dialects, nil
}

// mayBind reports whether to find out if the peer binds threads.
func (c *Config) mayBind() bool { return c == nil || c.Dialect == nil }

// hungUp reports whether a first request failed as it does with a peer of another family, which hangs up, with or
// without a CLOSE in its own form before.
func hungUp(err error) bool {
	var wrong *WrongDialectError
	var stranger *NotRPyCError
	var unknown *wire.UnknownDialectError
	var family *FamilyError
	var timeout interface{ Timeout() bool }
	return errors.As(err, &wrong) ||
		errors.Is(err, ErrClosed) && !errors.As(err, &stranger) && !errors.As(err, &unknown) && !errors.As(err, &family) &&
			!errors.Is(err, context.Canceled) &&
			!(errors.As(err, &timeout) && timeout.Timeout())
}

// attempt opens a stream, asks for the root in the dialect of cfg, and makes a connection as soon as the answer shows
// that the peer has understood.
func attempt(ctx context.Context, open func(context.Context) (io.ReadWriteCloser, error), root any, cfg *Config,
	survey bool) (*Conn, error) {
	base := context.WithoutCancel(ctx)
	ctx, cancel := bounded(ctx, cfg.Timeout)
	defer cancel()
	stream, err := open(ctx)
	if err != nil {
		return nil, err
	}
	c := newConn(base, stream, root, cfg)
	p := new(call)
	if err := c.ask(ctx, p, cfg.Dialect, survey); err != nil {
		c.abort(err)
		return nil, &ClosedError{Cause: err} // nothing but the question for the root was sent
	}
	err = c.open(func() error {
		var v any
		err := p.wait(ctx, waiterOf(ctx, nil))
		if err == nil {
			err = p.take(ctx, &v)
		}
		if err == nil {
			err = resolveTo(c.root, v)
		}
		if r, ok := c.root.Ref(); ok && r.HasKind() && cfg.Dialect.Family() == wire.FamilyD && !cfg.Dialect.IsUnsettled() {
			err = &WrongDialectError{Want: cfg.Dialect, Got: wire.FamilyE} // told that it is D, and so not found out
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ask sends the request for the root and waits for the beginning of the answer. If survey is set it goes on until it is
// known which of the older families the peer speaks.
func (c *Conn) ask(ctx context.Context, p *call, d *wire.Dialect, survey bool) error {
	stop := context.AfterFunc(ctx, func() { c.die(ended(ctx)) })
	err := c.start(ctx, p, wire.HandleGetRoot, nil)
	if err == nil {
		err = c.checkAnswer(d)
	}
	if err == nil && survey {
		if d, err = c.survey(p.seq); err == nil {
			c.dialect.Store(d)
		}
	}
	if err == nil && !d.IsUnsettled() && !c.cfg.speaks(d) {
		err = &FamilyError{Got: d.Family(), Spoken: c.cfg.Families}
	}
	if !stop() && err != nil {
		return ended(ctx)
	}
	return err
}
