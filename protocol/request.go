package protocol

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Request asks the peer for the operation h and waits for the answer (Connection.sync_request). It is what all methods
// of netrefs come down to. dst is nil, or a pointer through which the result is stored: *any as received, anything else
// converted as netref.Assign does.
//
// The end of ctx ends the waiting, and the error is its cause; the peer carries the request out all the same, unless
// both sides have [Config.Metadata]. A ctx without a deadline gets the connection's default timeout.
func (c *Conn) Request(ctx context.Context, dst any, h wire.Handler, args ...any) error {
	o := c.observeCall(ctx, h, args)
	if o == nil {
		return c.request(ctx, dst, h, args, nil)
	}
	err := c.request(o.ctx, dst, h, args, o)
	o.endCall(err)
	return err
}

// request is Request, with what hooks are told of it.
func (c *Conn) request(ctx context.Context, dst any, h wire.Handler, args []any, o *observed) error {
	p := c.calls.Get().(*call)
	p.sync, p.observed = true, o
	in := waiterOf(ctx, c)
	if in == nil {
		p.strangers = 1
	}
	if err := c.start(ctx, p, h, args); err != nil {
		if in != nil {
			in.c.resume(in)
		}
		p.reset()
		c.calls.Put(p)
		if err == errCallsInTwo {
			return c.callInTwo(ctx, dst, args)
		}
		return err
	}
	if err := c.await(ctx, p, in); err != nil {
		return err
	}
	err := p.take(ctx, dst)
	p.reset()
	c.calls.Put(p)
	return err
}

// Start sends the request and returns at once (Connection.async_request). Nothing bounds the time until the answer
// comes.
func (c *Conn) Start(ctx context.Context, h wire.Handler, args ...any) (*netref.AsyncResult, error) {
	p := &call{c: c}
	if d := c.dialect.Load(); h == wire.HandleBuffIter && d != nil && d.IteratesNext() && len(args) == 2 &&
		args[1] == nil {
		go c.iterateAll(ctx, p, args[0])
		return netref.NewAsyncResult(p), nil
	}
	if p.observed = c.observeCall(ctx, h, args); p.observed != nil {
		ctx = p.observed.ctx
	}
	err := c.start(ctx, p, h, args)
	if err == errCallsInTwo {
		err = c.startInTwo(ctx, p, args)
	}
	if err != nil {
		if p.observed != nil {
			p.observed.endCall(err)
		}
		return nil, err
	}
	return netref.NewAsyncResult(p), nil
}

// start boxes and sends a request. Its answer completes p.
func (c *Conn) start(ctx context.Context, p *call, h wire.Handler, args []any) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	d, err := c.waitDialect(ctx)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		// before this request gets its number, so that requests are sent in the order of their numbers
		if o, ok := args[0].(*netref.Object); ok && o == c.root {
			if err := fetchRoot(ctx, o); err != nil {
				return err
			}
			if p.observed != nil {
				p.observed.info.Class = o.ClassName()
			}
		}
		d = c.dialect.Load() // which the root may have told
	}
	if h == wire.HandleCallAttr && d.CallsInTwo() {
		h, args = exitCall(args)
	}
	if h == wire.HandleCtxExit {
		if args, err = exitArgs(d, args); err != nil {
			return err
		}
	}
	h, args = d.Adapt(h, args)
	if h == wire.HandleCallAttr && d.CallsInTwo() {
		return errCallsInTwo
	}
	p.c = c
	p.seq = c.seq.Add(1) - 1
	w := c.getWorkspace()
	defer c.putWorkspace(w)
	s := &w.scratch
	m := &w.boxer
	m.ctx, m.c, m.d, m.lends = ctx, c, d, p.part == nil && c.lends()
	s.begin()
	all := args
	if d.BareTargets() && h.HasTarget() {
		args = m.bareTarget(args)
	}
	b := d.AppendRequest(d.AppendThreads(s.b, c.threads(ctx, d)), p.seq, h)
	if h == wire.HandleGetRoot {
		c.rootSeq.Store(p.seq)
		b = d.AppendRootArgs(b)
	} else {
		b, err = m.args(b, args)
	}
	if err == nil {
		b, err = c.appendMetadata(ctx, b, h, p.sync)
	}
	s.b, s.loan = b, m.loan
	if err == nil {
		err = c.endFrame(d, s)
	}
	if err != nil {
		m.undo()
		return err
	}

	if p.observed != nil {
		p.observed.info.BytesOut = s.size
	}
	l := c.lock()
	if l.broken {
		cause := l.cause
		l.unlock()
		m.undo()
		return &ClosedError{Cause: cause}
	}
	l.pending[p.seq] = p
	_, bounded := ctx.Deadline()
	timed := p.sync && !bounded && c.cfg.Timeout > 0
	l.expiry.ensure(c, timed)
	if timed {
		p.born = l.expiry.tick
	}
	mode := sendNow
	switch {
	case p.part != nil:
		mode = sendQueued
	case len(l.pending) <= 1:
	case p.sync:
		mode = sendGather
	default:
		mode = sendSoon
	}
	if p.strangers > 0 && l.turns.queued > 0 {
		l.lookForStuck()
	}
	c.readOn.Signal()
	l.unlock()

	err = c.send(ctx, s, mode)
	runtime.KeepAlive(all) // handles named in the request must not be given back before it is on its way
	switch {
	case err == nil:
	case errors.Is(err, errNotSent):
		if !c.forget(p) {
			if p.part != nil {
				return nil // whoever has taken it out completes it
			}
			if p.sync {
				<-p.ch
			}
		}
		m.undo()
		return ended(ctx)
	case c.forget(p):
		p.fail(c.lost())
	}
	return nil
}

// forget takes a call out of the table of those without an answer; false if it has one, or the connection has ended.
func (c *Conn) forget(p *call) bool {
	l := c.lock()
	defer l.unlock()
	if l.pending[p.seq] != p {
		return false
	}
	delete(l.pending, p.seq)
	return true
}

// lost is the error for a request that was handed to the stream when the connection ended.
func (c *Conn) lost() error {
	l := c.lock()
	defer l.unlock()
	return &ClosedError{Cause: l.cause, Sent: !l.gone}
}

// await waits until p has its answer. in is the handler that waits, nil if none does. If await returns an error, p has
// been forgotten and must not be used again.
func (c *Conn) await(ctx context.Context, p *call, in *incoming) error {
	if in != nil {
		in.c.yield(in, in.c == c)
		defer in.c.resume(in)
	}
	c.passRole(true)
	done := ctx.Done()
	if in != nil && done == c.base.Done() {
		done = nil // the end of the connection answers p anyway
	}
	var err error
	if done == nil {
		<-p.ch
	} else {
		select {
		case <-p.ch:
		case <-done:
			if c.forget(p) {
				c.sendCancel(sendTry, p.seq)
				err = interruption(ctx)
			} else {
				<-p.ch
			}
		}
	}
	if p.lent {
		c.takeBack(p)
	}
	return err
}

// interruption is the error for a request that was sent, when ctx ends the waiting for its answer. The context of a
// handler ends with its connection, and its error does not say that something was sent: this one does.
func interruption(ctx context.Context) error {
	err := ended(ctx)
	var closed *ClosedError
	if errors.As(err, &closed) && !closed.Sent {
		return &ClosedError{Cause: closed.Cause, Sent: true}
	}
	return err
}

// call is a request of ours from when it is sent to when its answer has been taken.
type call struct {
	c         *Conn
	seq       int64
	sync      bool          // whoever made it waits for it; as nobody else has it, it is used again
	lent      bool          // a handler's turn was given away because of it: see Conn.takeBack
	strangers int32         // goroutines that wait for it, and that no handler is known for
	ch        chan struct{} // gets a token when there is an answer; nil if it is not sync, or there is a part
	part      *part         // of a batch, which is told that there is an answer; nil for a request by itself
	born      uint          // the tick of expiry it was sent in; 0 if the default timeout is not for it
	answer    answer

	// Of a call that is not sync: closed when there is an answer. It is made when somebody waits, which in the midst of
	// many calls is the exception. When there is an answer it is hasAnswer.
	wake atomic.Pointer[chan struct{}]

	observed *observed // nil without hooks

	short [32]byte // memory for the encoding of a short answer
}

// newCall makes what Conn.calls holds. The pool is the connection's own because of the channel: one that was made in a
// synctest bubble must not turn up outside.
func newCall() any { return &call{ch: make(chan struct{}, 1)} }

func (p *call) reset() {
	p.c, p.born, p.answer, p.observed, p.strangers, p.lent = nil, 0, answer{}, nil, 0, false
}

// answer is a reply or what stands in its place.
type answer struct {
	err   error        // from this side
	exc   bool         // raw is an exception payload
	raw   []byte       // the encoded value, if it came by value
	buf   frame.Buffer // has raw, unless that is in call.short
	value any          // the value, if it had to be resolved
}

// complete gives the call its answer. It has been taken out of the table.
func (p *call) complete(a answer) {
	p.answer = a
	if p.observed != nil && !p.sync {
		p.endStarted(a)
	}
	switch {
	case p.part != nil:
		p.part.completed()
	case p.sync:
		p.ch <- struct{}{}
	default:
		if ch := p.wake.Swap(&hasAnswer); ch != nil {
			close(*ch)
		}
	}
}

// hasAnswer is a closed channel.
var hasAnswer = func() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}()

// completeRaw is complete for an answer that is left encoded, a part of buf.
func (p *call) completeRaw(raw []byte, exc bool, buf frame.Buffer) {
	if len(raw) <= len(p.short) {
		raw = p.short[:copy(p.short[:], raw)]
		buf.Release()
	} else {
		raw = buf.Detach(raw) // whoever waits may come for it late
	}
	p.complete(answer{exc: exc, raw: raw, buf: buf})
}

func (p *call) fail(err error) { p.complete(answer{err: err}) }

// take decodes the answer, if it came encoded, and stores it through dst.
func (p *call) take(ctx context.Context, dst any) error {
	a := &p.answer
	defer a.buf.Release()
	switch {
	case a.err != nil:
		return a.err
	case a.raw != nil:
		if a.exc {
			return p.c.refused(p.c.decodeException(a.raw))
		}
		raw := brine.NewCursor(a.raw)
		raw.SetAlias(a.buf.Owned())
		return decodeInto(p.converting(ctx), dst, &raw)
	}
	v, err := p.c.cfg.Codecs.Load(a.value)
	if err != nil {
		return err
	}
	return storeInto(p.converting(ctx), dst, v)
}

// converting is the context for conversions of the answer.
func (p *call) converting(ctx context.Context) context.Context {
	if p.c.dialect.Load().Python2() {
		return netref.WithByteTexts(ctx)
	}
	return ctx
}

// The methods below make *call a netref.Pending.

// Done implements netref.Pending.
func (p *call) Done() <-chan struct{} {
	if ch := p.wake.Load(); ch != nil {
		return *ch
	}
	ch := make(chan struct{})
	if p.wake.CompareAndSwap(nil, &ch) {
		return ch
	}
	return *p.wake.Load()
}

// Take implements netref.Pending.
func (p *call) Take(ctx context.Context, dst any) error { return p.take(ctx, dst) }

// Abandon implements netref.Pending.
func (p *call) Abandon() {
	if p.c.forget(p) {
		p.c.sendCancel(sendTry, p.seq)
		p.complete(answer{err: context.Canceled})
	}
}

// Wait implements netref.Pending.
func (p *call) Wait(ctx context.Context) error {
	if p.wake.Load() == &hasAnswer {
		return nil
	}
	p.c.out.flushGathered() // what asynchronous calls have left to a goroutine
	return p.wait(ctx, waiterOf(ctx, p.c))
}

// wait waits for the answer. in is the handler that does, nil if none.
func (p *call) wait(ctx context.Context, in *incoming) error {
	if in != nil {
		in.c.yield(in, false)
		defer in.c.resume(in)
	} else {
		p.strangerWaits()
		defer p.strangerGoesOn()
	}
	p.c.passRole(false)
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
		return interruption(ctx)
	}
}

// expiry fails calls after the default timeout. It counts ticks of one alarm for the whole connection: looking at the
// clock for every call would be a twentieth of what a call costs. A call fails up to a tick late, and never early.
type expiry struct {
	alarm   alarm
	armed   bool
	ticking bool // the alarm is set for a tick, because a call waits; otherwise for a longer time, only for stuck writes
	tick    uint // counts ticks; 0 only before the first
}

// ensure sees to it that expire will be called: after a tick if a call has been made, otherwise within a part of the
// timeout, because a handler may write what the peer does not read.
func (e *expiry) ensure(c *Conn, requests bool) {
	if c.cfg.Timeout <= 0 || e.armed && (e.ticking || !requests) {
		return
	}
	e.arm(c, requests)
}

func (e *expiry) arm(c *Conn, requests bool) {
	e.armed, e.ticking = true, requests
	period := c.cfg.Timeout / 4
	if requests {
		period = c.tickPeriod()
	}
	if e.tick == 0 {
		e.tick = 1
	}
	e.alarm.set(period)
}

// tickPeriod is how long a tick lasts: a small part of the timeout, and not so short that ticks themselves cost
// anything.
func (c *Conn) tickPeriod() time.Duration {
	p := max(c.cfg.Timeout/256, 5*time.Millisecond)
	if p >= 2*beat {
		p = p.Truncate(beat) // what the pulse makes of it
	}
	return p
}

// expire is a tick. It fails the calls whose time has passed, and ends a connection whose peer has not read for as
// long.
func (c *Conn) expire() {
	period := c.tickPeriod()
	ticks := uint((c.cfg.Timeout + period - 1) / period) // of a timeout
	l := c.lock()
	e := &l.expiry
	e.tick++
	var expired []*call
	waiting := false
	for seq, p := range l.pending {
		switch {
		case p.born == 0:
		case e.tick-p.born > ticks: // it was born in the midst of a tick
			expired = append(expired, p)
			delete(l.pending, seq)
		default:
			waiting = true
		}
	}
	if e.armed = false; !l.broken && (len(l.pending) > 0 || l.turns.running > 0 || c.out.writesPiece()) {
		e.arm(c, waiting)
	}
	idle := !e.armed
	l.unlock()
	if idle {
		c.dropSpare()
	}
	if c.out.stalled(c.cfg.Timeout) {
		go c.die(fmt.Errorf("rpyc: the peer does not read: %w", &TimeoutError{After: c.cfg.Timeout}))
	}
	for _, p := range expired {
		c.sendCancel(sendLater, p.seq)
		p.fail(&TimeoutError{After: c.cfg.Timeout})
	}
}
