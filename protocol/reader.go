package protocol

import (
	"fmt"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// read takes in messages until there is a request that this goroutine is to run itself. It gives the reader role up and
// returns the request; nil if the stream has ended. Messages that have arrived together, up to maxBatch of them, are
// all taken in before the first request runs, because their answers can go out together then.
func (c *Conn) read() (next *incoming) {
	for n := 0; ; n++ {
		if len(c.early) == 0 {
			c.frames.Await()
		}
		in, err := c.readOne(next == nil)
		if in != nil {
			next, n = in, 0
		}
		if err != nil {
			c.die(err)
			c.reader.state.Store(over)
			c.stopReading()
			return next
		}
		if next != nil && (n >= maxBatch || !c.buffered() || c.crowded.Load()) {
			next.followed = n > 0
			c.vacate()
			return next
		}
	}
}

const maxBatch = 128

// buffered reports whether the next message has arrived already.
func (c *Conn) buffered() bool { return len(c.early) > 0 || c.frames.Buffered() }

// nextMessage returns the next message, of those that came early first.
func (c *Conn) nextMessage() (frame.Buffer, error) {
	if len(c.early) > 0 {
		buf := c.early[0]
		c.early = c.early[1:]
		return buf, nil
	}
	return c.frames.Next()
}

// readOne waits for one message and takes it in, as receive says.
func (c *Conn) readOne(readerRuns bool) (*incoming, error) {
	in, err := c.receive(readerRuns)
	if err == nil && readerRuns && in == nil && c.crowded.Load() {
		err = c.waitUncrowded()
	}
	return in, err
}

// waitUncrowded stops reading while many requests are queued: the peer notices when its writes block. It must read on
// while a handler waits for the peer, because what it waits for comes behind the requests, and while our writes block,
// because the peer may be unable to read before it has written.
func (c *Conn) waitUncrowded() error {
	l := c.lock()
	defer l.unlock()
	for l.turns.crowded() && len(l.pending) == 0 && !l.broken && !c.out.waitsForPeer() {
		again := time.AfterFunc(watchPeriod, c.lookAgain)
		c.readOn.Wait()
		again.Stop()
	}
	if n := l.turns.queued; n > c.cfg.Limits.Queued {
		return &LimitError{What: "requests queued", Got: int64(n), Limit: int64(c.cfg.Limits.Queued)}
	}
	if n, limit := l.turns.bytes, c.cfg.Limits.QueuedBytes; n > limit {
		return &LimitError{What: "bytes of requests queued", Got: n, Limit: limit}
	}
	c.crowded.Store(l.turns.crowded())
	return nil
}

// lookAgain wakes waitUncrowded to see whether a write is stuck, which nothing else would tell it.
func (c *Conn) lookAgain() {
	c.out.markStuck()
	c.mu.Lock()
	c.readOn.Signal()
	c.mu.Unlock()
}

// receive waits for one message and takes it in: its buffer is released or passed on. If readerRuns is set, it may
// return a request that has a turn and is the caller's to run. An error ends the connection.
func (c *Conn) receive(readerRuns bool) (*incoming, error) {
	buf, err := c.nextMessage()
	if err != nil {
		return nil, err
	}
	d := c.dialect.Load()
	if d == nil || c.familyUnknown() {
		if d, err = c.recognize(d, buf.Payload); err != nil {
			return nil, err
		}
	}
	u := unboxer{c: c, d: d, weight: c.weigh(d, buf.Payload)}
	kind, seq, body, err := d.ReadHeaderUnchecked(buf.Payload)
	if err != nil {
		if u.weight <= c.cfg.Limits.Decoded {
			c.traceIn(d, buf.Payload)
		}
		return nil, c.misunderstood(d, buf, err)
	}
	if err := c.admitWeight(kind, u.weight); err != nil {
		c.refuse(d, kind, seq, buf, err)
		return nil, nil
	}
	u.left = c.cfg.Limits.Decoded - u.weight
	c.traceIn(d, buf.Payload)
	body.SetCodecs(c.cfg.Codecs)
	c.takeMetadata(d, buf.Payload)
	if u.request = kind == wire.Request; u.request {
		if c.reader.delegated { // it may be queued for long, and must not hinder the frame reader meanwhile
			buf.Detach(buf.Payload)
			_, _, body, _ = d.ReadHeaderUnchecked(buf.Payload)
			body.SetCodecs(c.cfg.Codecs)
		}
		return c.receiveRequest(&u, seq, &body, buf, readerRuns)
	}
	return nil, c.receiveAnswer(&u, kind, seq, &body, buf)
}

// recognize finds the peer's family by its message. d is what it is taken for, nil if nothing is known.
func (c *Conn) recognize(d *wire.Dialect, payload []byte) (*wire.Dialect, error) {
	if d == nil {
		var err error
		if d, err = wire.Detect(payload); err != nil {
			return nil, err
		}
		if !d.AsksAsGo(payload) {
			d = d.Unsettled()
		}
		c.setDialect(d)
	}
	if c.familyUnknown() {
		return c.settle(d, payload)
	}
	return d, nil
}

// answered takes the call with the number seq out of the pending ones; nil if nobody waits for the answer. It reports
// whether the peer may have more to say before this side sends anything: answers to other calls, or requests that could
// run beside those that do.
func (c *Conn) answered(seq wire.Seq) (p *call, more bool) {
	l := c.lock()
	defer l.unlock()
	if seq.IsNum() {
		if p = l.pending[seq.N]; p != nil {
			delete(l.pending, seq.N)
		}
	}
	return p, len(l.pending) > 0 || l.turns.running > 0 && l.turns.parallel()
}

// acknowledge acknowledges at once what TCP has received, unless the next message is there already. A peer that has not
// set TCP_NODELAY, as CPython has not, holds its next small message back until the one before is acknowledged, for
// which the kernel waits up to 40 ms for data of ours to send along. So it is to be called when the reader is about to
// wait for a further message and nothing need be sent meanwhile. The caller has the reader role.
func (c *Conn) acknowledge() {
	if c.quickAck != nil && !c.buffered() {
		c.quickAck.QuickAck()
	}
}

// receiveAnswer completes the call that a reply or an exception is for. If nobody waits for it any more, it is read
// for the references in it, which are given back.
func (c *Conn) receiveAnswer(u *unboxer, kind wire.Kind, seq wire.Seq, body *brine.Cursor, buf frame.Buffer) error {
	p, more := c.answered(seq)
	if p == nil || more { // nothing is sent on receipt of an answer that nobody waits for, such as that to DEL
		defer c.acknowledge() // whoever waits for the answer is woken first
	}
	if p == nil && u.d.DelByRef() != nil {
		c.delAnswered(seq, kind)
	}
	u.discard = p == nil
	if p != nil && p.observed != nil {
		p.observed.info.BytesIn = len(buf.Payload)
	}
	var x boxed
	var err error
	if kind == wire.Exception {
		x.raw, err = body.Raw()
	} else {
		x, err = u.next(body)
	}
	switch {
	case err != nil:
		if p != nil {
			p.fail(err)
		}
		buf.Release()
		if isTooHeavy(err) || brine.IsUnknownTag(err) {
			return nil
		}
		return fmt.Errorf("rpyc: bad reply: %w", err)
	case p == nil:
		buf.Release()
	case x.raw != nil:
		p.completeRaw(x.raw, kind == wire.Exception, buf)
	default:
		buf.Release()
		p.complete(answer{value: x.value, err: u.err})
	}
	return nil
}

// WrongDialectError says that the peer speaks another protocol family than the connection was told.
type WrongDialectError struct {
	Want, Got *wire.Dialect
}

// Error implements error.
func (e *WrongDialectError) Error() string {
	return fmt.Sprintf("rpyc: the peer speaks protocol family %v, not %v", e.Got, e.Want)
}

// misunderstood explains a message that cannot be read. A peer of another family cannot read ours either, and sends a
// CLOSE in its own form.
func (c *Conn) misunderstood(d *wire.Dialect, buf frame.Buffer, err error) error {
	defer buf.Release()
	if other, e := wire.Detect(buf.Payload); e == nil && other != d {
		if _, _, _, e := other.ReadHeader(buf.Payload); e == nil {
			return &WrongDialectError{Want: d, Got: other}
		}
	}
	return err
}
