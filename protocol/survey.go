package protocol

import "github.com/gorpyc/gorpyc/protocol/wire"

// Messages that a peer may send before it is known which family it speaks.
const (
	earlyMessages = 1024
	earlyBytes    = 64 << 20
)

// survey finds out which of the families A to C the peer speaks, whose messages begin in the same way, by how it
// answers the request for its root, which has been sent with the number root, and one more. Messages that come
// meanwhile are received afterwards. The caller holds the reader role, and nothing is served yet.
func (c *Conn) survey(root int64) (*wire.Dialect, error) {
	var s wire.Survey
	question := int64(-1)
	size := 0
	for s.Dialect == nil {
		buf, err := c.frames.Next()
		if err != nil {
			return nil, err
		}
		buf.Detach(buf.Payload)
		c.early = append(c.early, buf)
		if size += len(buf.Payload); len(c.early) > earlyMessages || size > earlyBytes {
			return nil, &LimitError{
				What: "messages before the protocol family is known", Got: int64(len(c.early)), Limit: earlyMessages,
			}
		}
		if n := c.weigh(wire.FamilyC, buf.Payload); n > c.cfg.Limits.Decoded {
			return nil, c.tooHeavy(n)
		}
		kind, seq, body, err := wire.FamilyC.ReadHeader(buf.Payload)
		switch {
		case err != nil:
			return nil, err
		case kind == wire.Request || !seq.IsNum():
		case seq.N == question:
			s.Answered(kind)
		case seq.N == root && kind == wire.Exception:
			return nil, decodeException(&body)
		case seq.N == root:
			if err := s.Answer(body); err != nil {
				return nil, err
			}
			if s.Dialect == nil {
				question = c.askCommon(wire.HandleRepr, s.AppendQuestion)
			}
		}
	}
	return s.Dialect, nil
}

// surveyClient is survey for the side that was connected to: it sends the request for the root itself.
func (c *Conn) surveyClient() error {
	d, err := c.survey(c.askCommon(wire.HandleGetRoot, func(b []byte) []byte {
		b = wire.FamilyC.AppendLabel(b, wire.LabelValue)
		return wire.FamilyC.AppendNothing(b)
	}))
	if err == nil {
		c.setDialect(d)
	}
	return err
}

// askCommon sends a request in the form that the families have in common and returns its number. Nobody waits for the
// answer.
func (c *Conn) askCommon(h wire.Handler, args func([]byte) []byte) int64 {
	seq := c.seq.Add(1) - 1
	w := c.getWorkspace()
	defer c.putWorkspace(w)
	s := &w.scratch
	s.begin()
	s.b = args(wire.FamilyC.AppendRequest(s.b, seq, h))
	if c.endFrame(wire.FamilyC, s) == nil { // it always is: the frame has a few bytes
		_ = c.send(c.base, s, sendLater)
	}
	return seq
}
