package protocol

import (
	"sync/atomic"
	"time"
)

// role is the reader's: the right to take messages in, which one goroutine at a time has.
//
// Whoever has it runs nothing of the user's. But handing each request to another goroutine costs more than most
// handlers do. So a reader that has taken in a request which can run at once, and sees no further message waiting,
// gives the role up and runs the request itself; when the handler has returned, it takes the role back if nobody else
// has taken it meanwhile. Somebody has by then if anybody began to wait for the peer, which passes the role on, or if
// the handler took very long, which the watch finds out (watch.go). A connection whose handlers take long is not read
// in this way for a while.
type role struct {
	state atomic.Int32
	given atomic.Uint32 // how often the role was given up

	slow   int  // holder's: requests to hand to others, because one took long
	handed bool // holder's: requests are run by somebody else at present

	alarm   alarm       // for the watch
	watched atomic.Bool // the watch knows of this role
	seen    uint32      // the watch's: given as it was last seen
	quiet   int         // the watch's: how often in a row nothing had changed
}

const (
	vacant int32 = iota
	held
	over // the stream has ended, and there is nothing left to read
)

const (
	slowHandler = time.Millisecond // a handler that takes longer is better not run by the reader
	slowMemory  = 16               // requests for which that is remembered
)

// epoch is what times are counted from where they are asked for often: time.Since reads one clock, time.Now two.
var epoch = time.Now()

// take gets the role if it is vacant.
func (r *role) take() bool { return r.state.CompareAndSwap(vacant, held) }

// end makes a vacant role one that nobody gets any more.
func (r *role) end() bool { return r.state.CompareAndSwap(vacant, over) }

// vacate gives the role up. Only its holder calls it.
func (c *Conn) vacate() {
	r := &c.reader
	r.given.Add(1)
	r.state.Store(vacant)
	if !r.watched.Load() {
		c.watchRole()
	}
}

// passRole sees to it that somebody reads, because somebody is about to wait for the peer.
func (c *Conn) passRole() {
	if !c.reader.take() {
		return
	}
	c.reader.handed = true
	l := c.lock()
	l.run(nil)
	l.unlock()
}

// serve is what the goroutines of a connection do. It begins with running a request that has a turn, or without one
// with reading, for which it has the role; and goes on with whatever there is to do. One goroutine that has nothing to
// do is kept, because one that has run handlers before has a stack that is large enough.
func (c *Conn) serve(in *incoming) {
	var parked chan task
	for {
		if in == nil {
			if in = c.read(); in == nil {
				return
			}
		}
		slow := c.work(in)
		in = nil
		if c.reader.take() {
			c.reader.handed = false
			if slow {
				c.reader.slow = slowMemory
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

// work runs a request that has a turn, and then others that are queued, and reports whether one of them took long.
// Answers go out a few at a time, so that the peer has something to do meanwhile.
func (c *Conn) work(in *incoming) (slow bool) {
	start := time.Since(epoch)
	last, passed := start, false
	held := false
	for n := 1; ; n++ {
		held = in.run(n%gathered != 0) || held
		in = c.leave(in)
		now := time.Since(epoch)
		slow = slow || now-last > slowHandler
		last = now
		if in == nil {
			if held {
				c.out.flush()
			}
			return slow
		}
		if !passed && now-start > slowHandler { // the peer may ask what is answered without a turn
			passed = true
			c.passRole()
		}
	}
}

// gathered is how many answers to queued requests go out together.
const gathered = 16

// leave is the end of a handler. It returns the request that has the turn next, if there is one.
func (c *Conn) leave(in *incoming) (next *incoming) {
	l := c.lock()
	in.finished = true
	if in.turn {
		in.turn = false
		next = l.pass(in.lane)
	}
	l.turns.over(in)
	if w := c.cfg.Workers; w != nil {
		w.hand(in, next)
	}
	collect := in.refs || len(l.imports.entries) > 0
	l.unlock()
	if collect {
		CollectSoon()
	}
	return next
}

// serveAfter does what a goroutine would have gone on with whose handler has ended it.
func (c *Conn) serveAfter(in *incoming) {
	if next := c.leave(in); next != nil || c.reader.take() {
		c.serve(next)
	}
}
