package protocol

import (
	"time"
)

// A handler that waits for the peer gives its turn up, if its context tells that it is the one that waits. If it waits
// with a context of another origin, its turn stays with it, and what the peer asks in order to answer waits for that
// turn. The connection can see that it may be so: a handler has a turn, a request of ours that was made since it began
// has no answer, nobody knows whose request that is, and a request of the peer is queued. If that stays so for a moment
// the turn is given away, and taken back when the answer has come. RPyC does not know the difference: whichever of its
// threads waits for an answer serves requests meanwhile.

// stuckPeriod is how often the connection looks whether that is so. A turn is given away at the second look.
const stuckPeriod = 50 * time.Millisecond

// suspect is a handler with a turn, and a call that it may be waiting for.
type suspect struct {
	in  *incoming
	seq int64
}

// lookForStuck has the connection looked at. It is called when a request is queued while a call is pending, or the
// other way round: no timer runs otherwise.
func (l locked) lookForStuck() {
	if !l.turns.looking {
		l.turns.looking = true
		time.AfterFunc(stuckPeriod, l.c.look)
	}
}

// look is one look.
func (c *Conn) look() {
	l := c.lock()
	defer l.unlock()
	t := &l.turns
	t.looking = false
	if l.broken {
		return
	}
	if l.unstick(&t.single) {
		l.lookForStuck()
	}
	for _, n := range t.lanes {
		if l.unstick(n) {
			l.lookForStuck()
		}
	}
}

// unstick gives a turn of the lane away if what it finds it has found at the look before. It reports whether to look
// again.
func (l locked) unstick(n *lane) bool {
	in := n.current
	if n.queue.len() == 0 || n.freeTurns > 0 || in == nil || !in.hasTurn {
		return false
	}
	p := l.strangest(in)
	if p == nil {
		n.suspect = suspect{}
		return false
	}
	if found := (suspect{in, p.seq}); n.suspect != found {
		n.suspect = found
		return true
	}
	n.suspect = suspect{}
	p.lent = true
	if l.turns.lent == nil {
		l.c.log().Warn("rpyc: a call that waits for the peer has kept a handler's turn from a request of the peer: "+
			"what a handler calls should get the context that the handler has got", "in", in.h.String())
		l.turns.lent = make(map[*call]*incoming)
	}
	l.turns.lent[p] = in
	if in.waits++; in.waits == 1 {
		l.turns.waiting++
	}
	l.giveUp(in)
	return n.queue.len() > 0
}

// strangest is the newest call made since the handler of in began that somebody waits for, and no handler is known to;
// nil if there is none.
func (l locked) strangest(in *incoming) (newest *call) {
	for _, p := range l.pending {
		if p.strangers > 0 && !p.lent && p.seq >= in.firstSeq && (newest == nil || p.seq > newest.seq) {
			newest = p
		}
	}
	return newest
}

// takeBack takes the turn back that was given away because of p, which somebody has waited for.
func (c *Conn) takeBack(p *call) {
	l := c.lock()
	in := l.turns.lent[p]
	delete(l.turns.lent, p)
	l.unlock()
	if in == nil {
		return
	}
	c.resume(in)
	l = c.lock()
	if l.turns.queued > 0 && len(l.pending) > 0 {
		l.lookForStuck() // it may have been another call that its handler waits for
	}
	l.unlock()
}

// strangerWaits notes that somebody is about to wait for p whom no handler is known for. strangerGoesOn is to be called
// afterwards.
func (p *call) strangerWaits() {
	l := p.c.lock()
	defer l.unlock()
	p.strangers++
	if l.turns.queued > 0 {
		l.lookForStuck()
	}
}

func (p *call) strangerGoesOn() {
	l := p.c.lock()
	p.strangers--
	lent := p.lent && p.strangers == 0
	l.unlock()
	if lent {
		p.c.takeBack(p)
	}
}
