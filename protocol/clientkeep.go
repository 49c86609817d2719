package protocol

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

// jitter is a pause of about d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// maintain connects to a server, looks after the connection until it ends, and connects again, until the server is to
// be left.
func (c *Client) maintain(s *server) {
	defer c.left(s)
	backoff := c.cfg.MinBackoff
	for s.gone.Err() == nil {
		conn, err := c.connect(s)
		if err != nil {
			if s.gone.Err() != nil {
				return
			}
			c.failed(s, err)
			wait := jitter(backoff)
			c.cfg.Logger.Warn("rpyc: not connected", "addr", s.addr.Addr, "error", err, "retry", wait)
			backoff = min(2*backoff, c.cfg.MaxBackoff)
			_ = pause.For(s.gone, wait)
			continue
		}
		c.cfg.Logger.Info("rpyc: connected", "addr", s.addr.Addr, "conn", conn.Name())
		began := time.Now()
		renew := c.attend(s, conn) && conn.Err() == nil
		c.drop(s, conn, renew)
		switch {
		case renew: // first, since drop has counted this goroutine
			c.wg.Go(func() {
				defer c.left(s)
				c.retire(s, conn)
			})
		case conn.Err() != nil:
			c.disconnected(s, conn)
		case s.gone.Err() != nil:
			c.drain(s, conn)
		default: // the peer shuts down: calls that are under way on it go on
			c.wg.Go(func() { c.seeOff(s, conn) })
		}
		if time.Since(began) > backoff { // a server that hangs up at once is not to be asked all the time
			backoff = c.cfg.MinBackoff
			continue
		}
		_ = pause.For(s.gone, jitter(backoff))
		backoff = min(2*backoff, c.cfg.MaxBackoff)
	}
}

// connect makes a connection to a server and gives it to those who call.
func (c *Client) connect(s *server) (*Conn, error) {
	conn, err := c.cfg.Dialer.dial(s.gone, c.cfg.Network, s.addr)
	if err != nil {
		return nil, err
	}
	if c.cfg.OnConnect != nil {
		if err := c.cfg.OnConnect(s.gone, conn); err != nil {
			_ = conn.Close()
			<-conn.Done()
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wasDown := len(s.conns) == 0
	s.conns = append(s.conns, conn)
	s.err, c.lastErr = nil, nil
	if wasDown && !s.fresh { // what failed was perhaps another process
		s.Reset()
		c.adjust()
	}
	s.fresh = false
	c.changed()
	return conn, nil
}

// changed wakes those who wait for a server that can be called. The lock is held.
func (c *Client) changed() {
	close(c.change)
	c.change = make(chan struct{})
}

// failed notes why there is no connection to a server, or, if s is nil, to any.
func (c *Client) failed(s *server, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastErr = err
	if s == nil {
		return
	}
	was := s.err
	s.err = err
	if c.strangers() != nil {
		c.changed() // those who wait need not
	}
	if was == nil && len(s.conns) == 0 {
		c.adjust()
	}
}

// drop takes a connection from those that calls are made on. If it is to be renewed, a goroutine more belongs to the
// server: the one that retires it.
func (c *Client) drop(s *server, conn *Conn, renew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if renew {
		s.fresh = true
		s.slots++
	}
	s.conns = slices.DeleteFunc(s.conns, func(other *Conn) bool { return other == conn })
}

// attend waits until the connection has ended, its peer shuts down, the server is to be left or, which it reports,
// connected to anew, and pings the peer now and then.
func (c *Client) attend(s *server, conn *Conn) (renew bool) {
	c.mu.Lock()
	anew := s.renew
	c.mu.Unlock()
	leaving := make(chan struct{})
	conn.notifyLeave(func() { close(leaving) })
	var tick <-chan time.Time
	if c.cfg.PingInterval > 0 {
		ticker := time.NewTicker(c.cfg.PingInterval)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-conn.base.Done(): // sooner than Conn.Done, which waits for handlers: a new connection need not
			return false
		case <-leaving:
			return false
		case <-s.gone.Done():
			return false
		case <-anew:
			return true
		case <-tick:
			c.ping(conn)
		}
	}
}

// ping gives a connection up whose peer does not answer although it has nothing else to do.
func (c *Client) ping(conn *Conn) {
	if conn.hasPending() {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.cfg.PingTimeout)
	defer cancel()
	if _, err := conn.Ping(ctx); err != nil && !conn.hasPending() && c.ctx.Err() == nil {
		conn.die(err)
	}
}

// hasPending reports whether a call is without an answer.
func (c *Conn) hasPending() bool {
	pending, _ := c.occupied()
	return pending > 0
}

// drainTick is how often it is looked whether calls are under way at a server that was left. One that has chosen the
// connection just before has as much time to begin.
const drainTick = 50 * time.Millisecond

// drain closes the connection to a server that was left when no calls are under way there any more.
func (c *Client) drain(s *server, conn *Conn) {
	ctx, cancel := context.WithTimeout(s.cut, c.cfg.DrainTimeout)
	defer cancel()
	ticker := time.NewTicker(drainTick)
	defer ticker.Stop()
	for waiting := true; waiting; {
		select {
		case <-ctx.Done():
			waiting = false
		case <-conn.base.Done():
			waiting = false
		case <-ticker.C:
			c.mu.Lock()
			waiting = s.under > 0
			c.mu.Unlock()
			waiting = waiting || conn.hasPending()
		}
	}
	c.end(s, conn)
}

// end closes a connection.
func (c *Client) end(s *server, conn *Conn) {
	_ = conn.Close()
	<-conn.Done()
	c.disconnected(s, conn)
}

// retire closes a connection to an ejected server when nobody waits for answers on it any more. What was given up may
// run there for ever, and hold up what comes behind it on this connection, but not on a new one.
func (c *Client) retire(s *server, conn *Conn) {
	ticker := time.NewTicker(drainTick)
	defer ticker.Stop()
	for waiting := true; waiting; {
		select {
		case <-s.gone.Done():
			c.drain(s, conn)
			return
		case <-conn.base.Done():
			waiting = false
		case <-ticker.C:
			waiting = conn.hasPending()
		}
	}
	c.end(s, conn)
}

// seeOff waits for the end of a connection whose peer shuts down.
func (c *Client) seeOff(s *server, conn *Conn) {
	select {
	case <-conn.base.Done():
	case <-c.ctx.Done():
		_ = conn.Close()
		<-conn.Done()
	}
	c.disconnected(s, conn)
}

// disconnected tells of the end of a connection.
func (c *Client) disconnected(s *server, conn *Conn) {
	err := conn.Err()
	c.cfg.Logger.Info("rpyc: disconnected", "addr", s.addr.Addr, "conn", conn.Name(), "reason", err)
	if c.cfg.OnDisconnect != nil {
		c.cfg.OnDisconnect(conn, err)
	}
}

// probe leaves a server alone that was ejected and then asks it, again and again, until it answers.
func (c *Client) probe(s *server) {
	for {
		c.mu.Lock()
		wait := s.Pause(minEjection, max(c.cfg.MaxBackoff, minEjection))
		c.mu.Unlock()
		_ = pause.For(s.gone, wait)
		c.mu.Lock()
		if s.gone.Err() != nil || !s.Ejected() { // it was connected to anew
			s.probed = false
			c.mu.Unlock()
			return
		}
		s.measure()
		conn := s.best
		c.mu.Unlock()
		if conn == nil {
			continue // connecting says how it is
		}
		ctx, cancel := context.WithTimeout(s.gone, c.cfg.PingTimeout)
		_, err := conn.Ping(ctx)
		cancel()
		c.mu.Lock()
		if err != nil {
			s.StillOut()
		} else {
			c.cfg.Logger.Info("rpyc: server is tried again", "addr", s.addr.Addr)
			s.Readmit(c.cfg.Failures)
			s.probed = false
			c.adjust()
			c.changed()
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}
