package protocol

import (
	"errors"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// The values of a message may take two hundred times the memory of their encoding. So a message is weighed before
// anything in it is decoded, unless it is too short to exceed the limit, as nearly all are.

// refWeight is what a handle takes that is made for a reference: the handle, its entry in the table, its cleanup.
const refWeight = 512

// weigh returns what the values of a message weigh, or 0 if they cannot exceed Limits.Decoded, or need not be counted.
func (c *Conn) weigh(d *wire.Dialect, payload []byte) int64 {
	limit := c.cfg.Limits.Decoded
	light := limit / brine.MaxWeight
	if c.cfg.Budget != nil {
		light = min(light, bytesPortion)
	}
	if int64(len(payload)) <= light {
		return 0
	}
	return d.Weigh(payload, c.cfg.Codecs, limit)
}

// admitWeight takes what the values of a message weigh from the budget, if it is a request. It returns an error if they
// weigh too much.
func (c *Conn) admitWeight(kind wire.Kind, weight int64) error {
	switch limit := c.cfg.Limits.Decoded; {
	case weight == 0:
		return nil
	case weight > limit:
		return tooHeavy(weight, limit)
	case kind == wire.Request && !c.takeDecoded(weight):
		limit = c.cfg.Budget.decoded.limit
		return tooHeavy(limit+1, limit)
	}
	return nil
}

// refuse answers a request that is too heavy to be decoded, or fails the call that a reply is for.
func (c *Conn) refuse(d *wire.Dialect, kind wire.Kind, seq wire.Seq, buf frame.Buffer, err error) {
	if kind == wire.Request {
		in := &incoming{c: c, d: d, seq: seq, buf: buf, thread: d.ReadThreads(buf.Payload).Sender}
		in.answerAtOnce(nil, formException(err))
		return
	}
	buf.Release()
	if p, _ := c.answered(seq); p != nil {
		p.fail(err)
	}
}

const decodedValues = "memory for the decoded values of a message"

func (c *Conn) tooHeavy(weight int64) error { return tooHeavy(weight, c.cfg.Limits.Decoded) }

func tooHeavy(weight, limit int64) error {
	return &LimitError{What: decodedValues, Got: weight, Limit: limit}
}

// isTooHeavy reports whether an error is tooHeavy's.
func isTooHeavy(err error) bool {
	var limit *LimitError
	return errors.As(err, &limit) && limit.What == decodedValues
}
