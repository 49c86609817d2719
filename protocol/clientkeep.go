package protocol

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// maintain connects, looks after the connection until it ends, and connects again, until the client is closed.
func (c *Client) maintain(s *slot) {
	backoff := c.cfg.MinBackoff
	for c.ctx.Err() == nil {
		conn, err := c.connect(s)
		if err != nil {
			c.setLastErr(err)
			if c.ctx.Err() != nil {
				return
			}
			pause := backoff/2 + rand.N(backoff/2+1)
			c.cfg.Logger.Warn("rpyc: not connected", "error", err, "retry", pause)
			backoff = min(2*backoff, c.cfg.MaxBackoff)
			select {
			case <-time.After(pause):
			case <-c.ctx.Done():
			}
			continue
		}
		c.cfg.Logger.Info("rpyc: connected", "addr", s.addr, "conn", conn.Name())
		began := time.Now()
		c.attend(conn)
		c.mu.Lock()
		addr := s.addr
		s.conn = nil
		c.mu.Unlock()
		if conn.Err() == nil { // calls that are under way on it go on
			c.wg.Go(func() { c.seeOff(conn, addr) })
		} else {
			c.disconnected(conn, addr)
		}
		if time.Since(began) > backoff { // a server that hangs up at once is not to be asked all the time
			backoff = c.cfg.MinBackoff
			continue
		}
		select {
		case <-time.After(backoff/2 + rand.N(backoff/2+1)):
		case <-c.ctx.Done():
		}
		backoff = min(2*backoff, c.cfg.MaxBackoff)
	}
}

// seeOff waits for the end of a connection whose peer shuts down.
func (c *Client) seeOff(conn *Conn, addr string) {
	select {
	case <-conn.base.Done():
	case <-c.ctx.Done():
		_ = conn.Close()
		<-conn.Done()
	}
	c.disconnected(conn, addr)
}

// disconnected tells of the end of a connection.
func (c *Client) disconnected(conn *Conn, addr string) {
	err := conn.Err()
	c.cfg.Logger.Info("rpyc: disconnected", "addr", addr, "conn", conn.Name(), "reason", err)
	if c.cfg.OnDisconnect != nil {
		c.cfg.OnDisconnect(conn, err)
	}
}

// setLastErr remembers why there is no connection.
func (c *Client) setLastErr(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastErr = err
}

// connect tries the addresses, those first that other connections do not use, and gives the connection to the slot.
func (c *Client) connect(s *slot) (*Conn, error) {
	addrs := c.cfg.Addrs
	if c.cfg.Resolve != nil {
		var err error
		if addrs, err = c.cfg.Resolve(c.ctx); err != nil {
			return nil, err
		}
		if len(addrs) == 0 {
			return nil, errors.New("rpyc: no server is known for the service")
		}
	}
	var errs []error
	for _, addr := range c.order(s, addrs) {
		conn, err := c.dial(s, addr)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
		if c.ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// order sorts addresses by how many of the client's connections use them, in random order among equals.
func (c *Client) order(s *slot, addrs []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	uses := map[string]int{}
	for _, other := range c.slots {
		if other != s && other.addr != "" {
			uses[other.addr]++
		}
	}
	sorted := slices.Clone(addrs)
	rand.Shuffle(len(sorted), func(i, j int) { sorted[i], sorted[j] = sorted[j], sorted[i] })
	slices.SortStableFunc(sorted, func(a, b string) int { return uses[a] - uses[b] })
	if len(sorted) > 0 {
		s.addr = sorted[0] // so that others that are connecting take another
	}
	return sorted
}

// dial connects to one address.
func (c *Client) dial(s *slot, addr string) (*Conn, error) {
	c.mu.Lock()
	s.addr = addr
	c.mu.Unlock()
	conn, err := c.cfg.Dialer.Dial(c.ctx, c.cfg.Network, addr)
	if err != nil {
		return nil, err
	}
	if c.cfg.OnConnect != nil {
		if err := c.cfg.OnConnect(c.ctx, conn); err != nil {
			_ = conn.Close()
			<-conn.Done()
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.conn, c.lastErr = conn, nil
	close(c.change)
	c.change = make(chan struct{})
	return conn, nil
}

// attend waits until the connection has ended, closing it with the client, or its peer shuts down, and pings the peer
// now and then.
func (c *Client) attend(conn *Conn) {
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
			return
		case <-leaving:
			return
		case <-c.ctx.Done():
			_ = conn.Close()
			<-conn.Done()
			return
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

// usable reports whether requests may be sent, as far as is known.
func (c *Conn) usable() bool {
	l := c.lock()
	defer l.unlock()
	return !l.broken && !l.leaving
}

// hasPending reports whether a call is without an answer.
func (c *Conn) hasPending() bool {
	l := c.lock()
	defer l.unlock()
	return len(l.pending) > 0
}
