package protocol

import (
	"sync"
	"time"
)

// The watch looks from time to time at the connections that are busy, whether one is not read from because a handler
// runs where its request was read, and has somebody else read. One goroutine does it for the whole process, and only while
// there are busy connections. A timer for each request, or looking more often, costs more than is won by running handlers on
// the reading goroutine: it keeps the scheduler's monitor awake.
var watch struct {
	sync.Mutex
	conns   []*Conn
	running bool
}

const (
	// watchPeriod is how long a handler may keep its connection from being read: between one and two periods.
	watchPeriod = 50 * time.Millisecond
	// watchQuiet is after how many periods without requests a connection is not looked at any more.
	watchQuiet = 4
)

func watchRole(c *Conn) {
	watch.Lock()
	defer watch.Unlock()
	if c.reader.watched.Swap(true) {
		return
	}
	c.reader.seen, c.reader.quiet = c.reader.given.Load(), 0
	watch.conns = append(watch.conns, c)
	if !watch.running {
		watch.running = true
		go watchRoles()
	}
}

func watchRoles() {
	var stuck []*Conn
	for {
		time.Sleep(watchPeriod)
		watch.Lock()
		busy := watch.conns[:0]
		for _, c := range watch.conns {
			keep, isStuck := c.reader.look()
			if isStuck {
				stuck = append(stuck, c)
			}
			if keep {
				busy = append(busy, c)
			}
		}
		clear(watch.conns[len(busy):])
		watch.conns = busy
		if len(busy) == 0 {
			watch.running = false
		}
		running := watch.running
		watch.Unlock()
		for i, c := range stuck {
			c.passRole()
			stuck[i] = nil
		}
		if !running {
			return
		}
		stuck = stuck[:0]
	}
}

// look is one look of the watch at a role: whether to go on watching it, and whether it has been vacant since the last look.
func (r *role) look() (keep, stuck bool) {
	given, state := r.given.Load(), r.state.Load()
	switch {
	case state == over:
		return false, false
	case given != r.seen:
		r.seen, r.quiet = given, 0
		return true, false
	case state == vacant:
		return true, true
	}
	if r.quiet++; r.quiet < watchQuiet {
		return true, false
	}
	// A holder that gives the role up now either sees that it is not watched, or is seen here.
	r.watched.Store(false)
	if r.given.Load() == given || r.watched.Swap(true) {
		return false, false
	}
	r.quiet = 0
	return true, false
}
