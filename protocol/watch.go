package protocol

import "time"

// The watch finds handlers that keep their connection from being read. While a connection is busy, it looks from time
// to time whether the reader role is still vacant since the last look, because the goroutine that gave it up runs a
// handler, and then has another goroutine read. A timer for each request, or looking more often, would keep the
// scheduler's monitor awake, which costs more than running handlers on the reader saves.

const (
	// watchPeriod is how long a handler may keep its connection from being read: about one to two periods.
	watchPeriod = 50 * time.Millisecond
	// watchQuiet is after how many periods without requests a connection is not looked at any more.
	watchQuiet = 4
)

// watchRole begins to watch the reader role of a connection that becomes busy. The holder calls it after giving the
// role up.
func (c *Conn) watchRole() {
	r := &c.reader
	if r.watched.Swap(true) {
		return
	}
	r.seen, r.quiet = r.vacated.Load(), 0
	r.alarm.set(watchPeriod)
}

// watch is one look.
func (c *Conn) watch() {
	again, stuck := c.reader.look()
	if again {
		c.reader.lookForKept()
		c.reader.alarm.set(watchPeriod)
	} else {
		c.dropSpare()
	}
	if stuck {
		c.passRole(true) // the kernel has acknowledged by itself meanwhile
	}
}

// look tells whether to look again later, and whether the role has been vacant since the last look.
func (r *role) look() (again, stuck bool) {
	vacated, state := r.vacated.Load(), r.state.Load()
	switch {
	case state == over:
		return false, false
	case vacated != r.seen:
		r.seen, r.quiet = vacated, 0
		return true, false
	case state == vacant:
		return true, true
	}
	if r.quiet++; r.quiet < watchQuiet || r.lookForKept() {
		return true, false
	}
	r.noteCalm()
	// A holder that gives the role up now either sees that it is not watched, or is seen here.
	r.watched.Store(false)
	if r.vacated.Load() == vacated || r.watched.Swap(true) {
		return false, false
	}
	r.quiet = 0
	return true, false
}
