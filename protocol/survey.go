package protocol

import (
	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

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

// surveyClient is survey for the side that was connected to, whose peer has begun as one of the families A to C: it
// sends the request for the root itself. The question is left out where the answer can only be FamilyC: a Go peer says
// so by its first message, a host by what its last connections spoke, and the others may not be spoken here.
func (c *Conn) surveyClient() error {
	buf, err := c.frames.Next()
	if err != nil {
		return err
	}
	buf.Detach(buf.Payload)
	c.early = append(c.early, buf)
	host := clientHost(c.RemoteAddr())
	if wire.FamilyC.AsksAsGo(buf.Payload) {
		c.setDialect(wire.FamilyC)
		return nil
	}
	if clients.only(host, wire.FamilyC) || !c.cfg.speaksOld() {
		c.guessed = true
		c.setDialect(wire.FamilyC)
		return nil
	}
	d, err := c.surveyAsked()
	if err == nil {
		clients.met(host, d)
		c.setDialect(d)
	}
	return err
}

// surveyAsked asks the peer for its root, and surveys by the answer.
func (c *Conn) surveyAsked() (*wire.Dialect, error) {
	return c.survey(c.askCommon(wire.HandleGetRoot, wire.FamilyA.AppendRootArgs))
}

// familyUnknown reports whether messages have to be looked at to see which family the peer speaks, or whether it is
// one that this side does.
func (c *Conn) familyUnknown() bool { return c.guessed || len(c.cfg.Families) > 0 && !c.admitted }

// settle takes a message to find out which family the peer speaks, if that is not certain, and returns it. A family
// that this side does not speak is refused.
func (c *Conn) settle(d *wire.Dialect, payload []byte) (*wire.Dialect, error) {
	if c.guessed {
		var err error
		if d, err = c.checkGuess(d, payload); err != nil {
			return nil, err
		}
	}
	if d.IsUnsettled() && (c.cfg.speaks(wire.FamilyD) || c.cfg.speaks(wire.FamilyE)) {
		return d, nil
	}
	if c.admitted = c.cfg.speaks(d); !c.admitted {
		return nil, c.refuseFamily(d, payload)
	}
	return d, nil
}

// checkGuess looks at how a message names an object. Families D and E differ in that. The host of a peer that was taken
// for one of FamilyC may have others: these show when they name our root, and are asked then. They have got the root's
// name where they look for its number, and go on to call it that.
func (c *Conn) checkGuess(d *wire.Dialect, payload []byte) (*wire.Dialect, error) {
	form := d.RefForm(payload, c.rootSeq.Load())
	switch {
	case d.IsUnsettled() && form.Members == 0 && d.AsksAsGo(payload):
		d = d.Settled(3)
	case form.Members == 0:
		return d, nil
	case d.IsUnsettled():
		d = d.Settled(form.Members)
	case form.Members == 3 && form.First == brine.KindString:
	default:
		early := c.early
		c.early = nil
		other, err := c.surveyAsked()
		if err != nil {
			return nil, err
		}
		c.early = append(early, c.early...)
		l := c.lock()
		key, _ := exposed.Identity(c.local)
		l.exports.alias = l.exports.byKey[key]
		l.unlock()
		d = other
	}
	c.guessed = false
	c.dialect.Store(d)
	if d.BeginsLike(wire.FamilyC) {
		clients.met(clientHost(c.RemoteAddr()), d)
	}
	return d, nil
}
