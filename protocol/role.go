package protocol

import (
	"sync/atomic"
	"time"
)

// role is the reader role: the right to read messages, which one goroutine at a time holds.
//
// The holder runs none of the user's code. But handing each request to another goroutine costs more than most handlers
// do. So a reader that has read a request which can run at once, and sees no further message waiting, gives the role
// up and runs the request itself; when the handler has returned, it takes the role back unless another goroutine has
// it. Another one has it if somebody began to wait for the peer, which passes the role on, or if the handler took so
// long that the watch found the role vacant (watch.go). After a handler that took long, the next requests are
// delegated: other goroutines run them while the holder reads on.
type role struct {
	state   atomic.Int32
	vacated atomic.Uint32 // how often the role has been given up

	// Used by the holder of the role only.
	delegateNext int  // how many of the next requests are to be delegated
	delegated    bool // requests are being run by other goroutines

	// Used by the watch only (watch.go).
	alarm   alarm
	watched atomic.Bool  // the alarm is set
	calm    atomic.Int64 // when the watch last ended, from epoch
	seen    uint32       // vacated, when the watch last looked
	quiet   int          // how many looks in a row have found it unchanged

	keptAsked atomic.Uint64 // for collectKept: 1 more than the collector's generation when it was called; 0 if it was not
}

// The states of a role.
const (
	vacant int32 = iota
	taken
	over // the stream has ended, and there is nothing left to read
)

const (
	slowHandler = time.Millisecond // a handler that takes longer should not have been run by the reader
	afterSlow   = 16               // how many of the requests after a slow one are delegated
)

// epoch makes cheap points in time: time.Since(epoch) reads one clock, time.Now reads two.
var epoch = time.Now()

// take takes the role if it is vacant.
func (r *role) take() bool { return r.state.CompareAndSwap(vacant, taken) }

// end makes a vacant role one that nobody can take any more.
func (r *role) end() bool { return r.state.CompareAndSwap(vacant, over) }

// vacate gives the role up. Only its holder calls it.
func (c *Conn) vacate() {
	r := &c.reader
	r.vacated.Add(1)
	r.state.Store(vacant)
	if !r.watched.Load() {
		c.watchRole()
	}
}

// passRole has another goroutine read if nobody does. Whoever is about to wait for the peer calls it. sent says that
// something has been sent since the last message was read, which has acknowledged it.
func (c *Conn) passRole(sent bool) {
	if !c.reader.take() {
		return
	}
	if !sent {
		c.acknowledge()
	}
	c.reader.delegated = true
	l := c.lock()
	l.run(nil)
	l.unlock()
}

// serve is the main loop of a connection's goroutines. If in is not nil, it runs that request, which must have a turn;
// otherwise the caller must hold the reader role, and serve starts by reading. It goes on with whatever there is to
// do. When there is nothing, one goroutine of each connection is parked for the next task, because the stack of one
// that has run handlers is large enough already; others end.
func (c *Conn) serve(in *incoming) {
	var parked chan task
	for {
		if in == nil {
			if in = c.read(); in == nil {
				return
			}
		}
		slow := c.runInTurn(in)
		in = nil
		if c.reader.take() {
			c.reader.delegated = false
			if slow {
				c.reader.delegateNext = afterSlow
			}
			continue
		}
		l := c.lock()
		if l.turns.parked != nil || l.broken {
			l.unlock()
			return
		}
		if parked == nil {
			parked = make(chan task, 1)
		}
		l.turns.parked = parked
		l.unlock()
		t := <-parked
		if t.stop {
			return
		}
		in = t.in
	}
}

// task is what a parked goroutine is told to do: to run a request, to read if there is none, or to end.
type task struct {
	in   *incoming
	stop bool
}

// runInTurn runs a request that has a turn, and after it those that get the turn next. It reports whether one of them
// took long. Answers are held so that a few go out together and the peer has something to do meanwhile.
func (c *Conn) runInTurn(in *incoming) (slow bool) {
	start := time.Since(epoch)
	last, rolePassed, held := start, false, false
	for n := 1; ; n++ {
		held = in.run(n%heldAnswers != 0) || held
		in = c.finishRequest(in)
		now := time.Since(epoch)
		slow = slow || now-last > slowHandler
		last = now
		if in == nil {
			if held {
				c.out.flush()
			}
			return slow
		}
		if !rolePassed && now-start > slowHandler { // the peer may ask for what needs no turn
			rolePassed = true
			c.passRole(false)
		}
	}
}

// heldAnswers is how many answers to queued requests go out together.
const heldAnswers = 64

// finishRequest gives up the turn and the worker of a request whose handler has returned. If another request gets the
// turn, finishRequest returns it, and the caller has to run it.
func (c *Conn) finishRequest(in *incoming) (next *incoming) {
	l := c.lock()
	in.finished = true
	if in.hasTurn {
		in.hasTurn = false
		next = l.pass(in.lane)
	}
	l.turns.finished(in)
	if in.meta != nil {
		l.forgetMetadata(in)
	}
	l.trimLeases(in)
	if w := c.cfg.Workers; w != nil {
		w.passOn(in, next)
	}
	soon, kept := in.refs > 0 || l.imports.hasFresh(l.turns.came), len(l.imports.entries) > l.imports.kept+l.turns.came
	l.unlock()
	switch {
	case c.cfg.NoCollect:
	case soon:
		CollectSoon()
	case kept:
		c.collectKept()
	}
	return next
}

// serveAfter is called in a new goroutine when a handler has ended its own (runtime.Goexit). It finishes the request
// and goes on as serve would have done.
func (c *Conn) serveAfter(in *incoming) {
	if next := c.finishRequest(in); next != nil || c.reader.take() {
		c.serve(next)
	}
}
