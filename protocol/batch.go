package protocol

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/gorpyc/gorpyc/netref"
)

// part is requests of a batch that are sent together and waited for once.
type part struct {
	asks  []netref.Ask
	calls []call
	later []started // what is waited for by itself; mostly nothing

	left atomic.Int64  // calls that have no answer, and one more while they are being sent
	done chan struct{} // gets a token when that is 0
}

// started is a request that takes two messages, made as an asynchronous one.
type started struct {
	i int // of asks
	*call
}

// partSize is how many requests of a batch are sent together at most. Twice as many are under way: while the answers to
// a part come in, the next one is on its way.
const partSize = 512

var parts = sync.Pool{New: func() any { return new(part) }}

// RequestAll sets what each request of a batch has failed with, after it has made all of them. It is [Conn.Request] for
// many: sent by few writes, waited for by one wake-up.
func (r *requester) RequestAll(ctx context.Context, asks []netref.Ask) {
	c := (*Conn)(r)
	in := waiterOf(ctx, c)
	var all []*part
	for len(asks) > 0 {
		n := min(len(asks), partSize)
		p := c.startPart(ctx, asks[:n], in == nil)
		asks = asks[n:]
		if len(all) == 0 {
			if in != nil {
				in.c.yield(in, in.c == c)
			}
			c.passRole(true)
		} else {
			all[len(all)-1].wait(ctx, c, in)
		}
		all = append(all, p)
	}
	if len(all) > 0 {
		all[len(all)-1].wait(ctx, c, in)
	}
	if in != nil {
		in.c.resume(in)
	}
	for _, p := range all {
		p.take(ctx, c)
	}
}

// startPart sends the requests of a part. stranger says that no handler is known to wait for them.
func (c *Conn) startPart(ctx context.Context, asks []netref.Ask, stranger bool) *part {
	p := parts.Get().(*part)
	p.asks = asks
	if cap(p.calls) < len(asks) {
		p.calls = make([]call, len(asks))
	}
	p.calls = p.calls[:len(asks)]
	p.done = make(chan struct{}, 1) // not used again: one of a synctest bubble must not turn up outside
	p.left.Store(int64(len(asks)) + 1)
	defer p.completed()
	defer c.out.flushFor(ctx)
	for i := range asks {
		if stranger {
			p.calls[i].strangers = 1
		}
		p.start(ctx, c, i)
	}
	return p
}

// start sends one request.
func (p *part) start(ctx context.Context, c *Conn, i int) {
	a, q := &p.asks[i], &p.calls[i]
	q.sync, q.part, q.c = true, p, c
	if q.observed = c.observeCall(ctx, a.Op, a.Args()); q.observed != nil {
		ctx = q.observed.ctx
	}
	err := c.start(ctx, q, a.Op, a.Args())
	if err == nil {
		return
	}
	if err == errCallsInTwo {
		x := &call{c: c}
		if err = c.startInTwo(ctx, x, a.Args()); err == nil {
			p.later = append(p.later, started{i, x})
		}
	}
	q.complete(answer{err: err})
}

// completed notes that a call has its answer.
func (p *part) completed() {
	if p.left.Add(-1) == 0 {
		p.done <- struct{}{}
	}
}

// wait waits until all calls have their answers, or ctx ends, which is then the answer of those that have none. in is
// the handler that waits, nil if none does.
func (p *part) wait(ctx context.Context, c *Conn, in *incoming) {
	done := ctx.Done()
	if in != nil && done == c.base.Done() {
		done = nil // the end of the connection answers the calls anyway
	}
	select {
	case <-p.done:
		return
	case <-done:
	}
	err := interruption(ctx)
	var forgotten []int64
	l := c.lock()
	for i := range p.calls {
		if q := &p.calls[i]; l.pending[q.seq] == q {
			delete(l.pending, q.seq)
			q.answer.err = err
			forgotten = append(forgotten, q.seq)
		}
	}
	l.unlock()
	c.sendCancel(sendTry, forgotten...)
	for range forgotten {
		p.completed()
	}
	<-p.done
}

// take stores the results. The part must not be used any more.
func (p *part) take(ctx context.Context, c *Conn) {
	for _, s := range p.later {
		ctx, cancel := bounded(ctx, c.cfg.Timeout)
		if err := s.Wait(ctx); err != nil {
			p.calls[s.i].answer = answer{err: err}
		} else {
			p.calls[s.i].answer = s.answer
		}
		cancel()
	}
	for i := range p.calls {
		a, q := &p.asks[i], &p.calls[i]
		if q.lent {
			c.takeBack(q)
		}
		if q.observed == nil {
			a.Err = q.take(ctx, a.Dst)
			continue
		}
		a.Err = q.take(q.observed.ctx, a.Dst)
		q.observed.endCall(a.Err)
	}
	clear(p.calls)
	clear(p.later)
	p.asks, p.later, p.done = nil, p.later[:0], nil
	parts.Put(p)
}
