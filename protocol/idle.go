package protocol

import "time"

// IdleSince tells when the connection was last seen to be busy, or when it was made if it never was; false if it is
// busy: if a request of either side is under way, or was a fraction of a second ago. PING and other requests that run
// none of the user's code do not make it busy. It is what a server goes by that has to choose whom to give up.
func (c *Conn) IdleSince() (since time.Time, idle bool) {
	l := c.lock()
	busy := !l.turns.idle() || len(l.pending) > 0
	l.unlock()
	if busy || c.reader.watched.Load() {
		return time.Time{}, false
	}
	return epoch.Add(time.Duration(c.reader.calm.Load())), true
}

// noteCalm notes that the connection is not busy. The watch calls it when it ends, so that requests need not look at a
// clock.
func (r *role) noteCalm() { r.calm.Store(int64(time.Since(epoch))) }

// awaitFirst bounds the time until the peer's first message, if the configuration does. The returned func is called
// when it has begun.
func (c *Conn) awaitFirst() (came func()) {
	d := c.cfg.FirstTimeout
	if d <= 0 {
		return func() {}
	}
	timer := time.AfterFunc(d, func() { c.die(&IdleError{After: d}) })
	return func() { timer.Stop() }
}
