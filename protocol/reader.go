package protocol

import (
	"fmt"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// read takes in messages until there is a request that the reader is to run itself, for which it has given up the role, or
// until the stream has ended, when it returns nil. Whatever has come together is taken in before it is run, because the answers
// can go out together then; of what is in the buffer nothing has to be waited for.
func (c *Conn) read() (mine *incoming) {
	for n := 0; ; n++ {
		in, err := c.readOne(mine == nil)
		if in != nil {
			mine, n = in, 0
		}
		if err != nil {
			c.die(err)
			c.reader.state.Store(over)
			c.stopReading()
			return mine
		}
		if mine != nil && (n >= batch || !c.more() || c.crowded.Load()) {
			mine.more = n > 0
			c.vacate()
			return mine
		}
	}
}

// batch is how many messages are taken in at most before the first of them is run.
const batch = 128

// readOne takes in a message. free tells that the reader has nothing to run yet.
func (c *Conn) readOne(free bool) (*incoming, error) {
	buf, err := c.next()
	if err != nil {
		return nil, err
	}
	in, err := c.receive(buf, free)
	if err == nil && free && in == nil && c.crowded.Load() {
		err = c.waitForRoom()
	}
	return in, err
}

// waitForRoom stops reading while many requests are queued: the peer notices when its writes block. It must read on while a
// handler waits for the peer, because what it waits for comes behind the requests, and while writes block, because the
// peer may be unable to read before it has written.
func (c *Conn) waitForRoom() error {
	l := c.lock()
	defer l.unlock()
	for l.turns.crowded() && len(l.pending) == 0 && !l.broken && !c.out.waitsForPeer() {
		again := time.AfterFunc(watchPeriod, c.lookForRoom)
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

// lookForRoom has the reader look again, because a write may have got stuck, which nobody tells it.
func (c *Conn) lookForRoom() {
	c.out.markStuck()
	c.mu.Lock()
	c.readOn.Signal()
	c.mu.Unlock()
}

// receive takes in one message, whose buffer it releases or passes on. A request that is returned, only if free, has a turn
// and is the caller's to run. An error is the end of the conversation.
func (c *Conn) receive(buf frame.Buffer, free bool) (*incoming, error) {
	d := c.dialect.Load()
	if d == nil {
		var err error
		if d, err = wire.Detect(buf.Payload); err != nil {
			return nil, err
		}
		c.setDialect(d)
	}
	weight := c.weigh(d, buf.Payload)
	heavy := weight > c.cfg.Limits.Decoded
	if !heavy {
		c.traceIn(d, buf.Payload)
	}
	kind, seq, body, err := d.ReadHead(buf.Payload)
	if err != nil {
		return nil, c.misunderstood(d, buf, err)
	}
	if heavy {
		c.refuse(d, kind, seq, buf, weight)
		return nil, nil
	}
	u := unboxer{c: c, d: d, left: c.cfg.Limits.Decoded - weight}
	if kind == wire.Request {
		if c.reader.handed { // it may wait for long
			buf.Keep(buf.Payload)
			_, _, body, _ = d.ReadHead(buf.Payload)
		}
		return c.receiveRequest(u, seq, body, buf, free)
	}
	return nil, c.receiveAnswer(u, kind, seq, body, buf)
}

// answered takes the request of ours that seq is the number of out of the table; nil if nobody waits for the answer.
func (c *Conn) answered(seq wire.Seq) *call {
	if !seq.IsNum() {
		return nil
	}
	l := c.lock()
	defer l.unlock()
	p := l.pending[seq.N]
	if p != nil {
		delete(l.pending, seq.N)
	}
	return p
}

func (c *Conn) receiveAnswer(u unboxer, kind wire.Kind, seq wire.Seq, body brine.Cursor, buf frame.Buffer) error {
	p := c.answered(seq)
	if p == nil && c.quickAck != nil {
		// Nothing is sent on receipt of an answer that nobody waits for, such as that to DEL. A peer that has not set
		// TCP_NODELAY holds its next message back until this one is acknowledged.
		c.quickAck()
	}
	u.discard = p == nil
	var x boxed
	var err error
	if kind == wire.Exception {
		x.raw, err = body.Raw()
	} else {
		x, err = u.next(&body)
	}
	switch {
	case err != nil:
		if p != nil {
			p.fail(err)
		}
		buf.Release()
		if isTooHeavy(err) {
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
