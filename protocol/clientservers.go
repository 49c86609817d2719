package protocol

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"math"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/internal/balance"
	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

// server is one that the client connects to, as long as it is in Client.servers. Client.mu guards what may change.
type server struct {
	balance.Server
	addr  Address         // its network, address and name; the rest is in balance.Server
	gone  context.Context // ended when the server is to be left, and with the client
	leave context.CancelFunc
	cut   context.Context // ended when calls under way at a server that was left are not waited for any longer
	abort context.CancelFunc

	conns  []*Conn
	best   *Conn         // what measure has found; nil if none is usable
	under  int           // calls of Do and its like that are under way
	next   int           // the connection whose turn it is
	err    error         // why the last attempt to connect has failed; nil if it has not
	probed bool          // a goroutine asks it since it was ejected
	fresh  bool          // the next connection is to a server that was ejected, and that has not begun anew
	renew  chan struct{} // closed, and replaced, to have it connected to anew
	slots  int           // goroutines that connect to it or look after a connection
}

// maxAddresses is how many addresses of a source are looked at.
const maxAddresses = 10_000

func newClient(cfg ClientConfig) *Client {
	c := &Client{cfg: cfg, change: make(chan struct{}), seed: maphash.MakeSeed(), hedges: maxHedges}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// watch has the source tell of addresses until the client is closed.
func (c *Client) watch() {
	backoff := c.cfg.MinBackoff
	for c.ctx.Err() == nil {
		err := c.cfg.Source.Watch(c.ctx, func(addrs []Address) {
			backoff = c.cfg.MinBackoff
			c.update(addrs)
		})
		if err == nil || c.ctx.Err() != nil {
			return
		}
		c.failed(nil, err)
		wait := jitter(backoff)
		c.cfg.Logger.Warn("rpyc: source of addresses failed", "error", err, "retry", wait)
		backoff = min(2*backoff, c.cfg.MaxBackoff)
		_ = pause.For(c.ctx, wait)
	}
}

// update takes the addresses that there are.
func (c *Client) update(addrs []Address) {
	seen := map[Address]bool{}
	var ranked []Address
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		at := Address{Network: a.Network, Addr: a.Addr}
		if a.Weight < 0 || seen[at] {
			continue
		}
		seen[at] = true
		a.Weight = min(max(a.Weight, 1), maxWeight)
		ranked = append(ranked, a)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(ranked) == 0 {
		c.lastErr = errors.New("rpyc: no server is known for the service")
	}
	c.rank(ranked)
	c.ranked = ranked
	c.adjust()
}

// rank sorts addresses by the order in which they are connected to, which remains the same for the client's life.
func (c *Client) rank(addrs []Address) {
	if len(addrs) <= c.cfg.MaxServers {
		return
	}
	draw := make(map[Address]float64, len(addrs))
	for _, a := range addrs {
		chance := float64(maphash.String(c.seed, a.Addr)>>11+1) / (1 << 53)
		draw[a] = -math.Log(chance) / float64(a.Weight) // a weighted sample is those with the least
	}
	before := func(differ, less bool) int {
		switch {
		case !differ:
			return 0
		case less:
			return -1
		}
		return 1
	}
	slices.SortFunc(addrs, func(a, b Address) int {
		if n := cmp.Compare(a.Priority, b.Priority); n != 0 {
			return n
		}
		if near := a.Zone == c.cfg.Zone; near != (b.Zone == c.cfg.Zone) {
			return before(true, near)
		}
		return before(draw[a] != draw[b], draw[a] < draw[b])
	})
}

// adjust connects to those servers that are to be connected to, and leaves the others. The lock is held.
func (c *Client) adjust() {
	if c.ctx.Err() != nil {
		return
	}
	at := map[Address]*server{}
	for _, s := range c.servers {
		at[Address{Network: s.addr.Network, Addr: s.addr.Addr}] = s
	}
	var servers []*server
	room := c.cfg.MaxServers
	for _, a := range c.ranked {
		if len(servers) >= room {
			break
		}
		where := Address{Network: a.Network, Addr: a.Addr}
		s := at[where]
		if s == nil || s.addr.ServerName != a.ServerName {
			s = c.newServer(a)
		} else {
			delete(at, where)
			s.Weight, s.Priority, s.Zone = a.Weight, a.Priority, a.Zone
		}
		if (s.err != nil && len(s.conns) == 0 || s.Ejected()) && room < 2*c.cfg.MaxServers {
			room++
		}
		servers = append(servers, s)
	}
	c.servers = servers
	for _, s := range at {
		s.leave()
		c.draining = append(c.draining, s)
	}
	for n := len(c.draining) - c.cfg.MaxServers; n > 0; n-- {
		c.draining[n-1].abort()
	}
}

// newServer begins to connect to a server. The lock is held.
func (c *Client) newServer(a Address) *server {
	s := &server{addr: Address{Network: a.Network, Addr: a.Addr, ServerName: a.ServerName}, slots: c.cfg.Conns,
		renew:  make(chan struct{}),
		Server: balance.Server{Weight: a.Weight, Priority: a.Priority, Zone: a.Zone}}
	s.gone, s.leave = context.WithCancel(c.ctx)
	s.cut, s.abort = context.WithCancel(c.ctx)
	for range c.cfg.Conns {
		c.wg.Go(func() { c.maintain(s) })
	}
	return s
}

// left notes that a goroutine of a server that was left has ended.
func (c *Client) left(s *server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.slots--; s.slots == 0 {
		s.leave()
		s.abort()
		c.draining = slices.DeleteFunc(c.draining, func(d *server) bool { return d == s })
	}
}

// choose waits for a connection to use. For an attempt of a call, it is one to another server than that of the attempt
// before, if there is one, and the call counts as under way.
func (c *Client) choose(ctx context.Context, a *attempts) (*Conn, *server, error) {
	ctx, cancel := bounded(ctx, c.cfg.Dialer.Config.clone().Timeout)
	defer cancel()
	for {
		c.mu.Lock()
		var avoid *server
		if a != nil {
			avoid = a.at
		}
		conn, s := c.pick(avoid)
		if s != nil && a != nil {
			s.under++
			a.at = s
		}
		change := c.change
		stranger := c.strangers()
		c.mu.Unlock()
		if conn != nil {
			return conn, s, nil
		}
		if stranger != nil {
			return nil, nil, &NotConnectedError{Cause: stranger}
		}
		select {
		case <-change:
		case <-c.ctx.Done():
			return nil, nil, ErrClientClosed
		case <-ctx.Done():
			c.mu.Lock()
			last := c.lastErr
			c.mu.Unlock()
			return nil, nil, &NotConnectedError{Cause: ended(ctx), Last: last}
		}
	}
}

// strangers returns an error if all servers have turned out not to speak RPyC, so that waiting is of no use. The client
// goes on trying, as they may be replaced. The lock is held.
func (c *Client) strangers() (err error) {
	for _, s := range c.servers {
		var stranger *NotRPyCError
		if len(s.conns) > 0 || !errors.As(s.err, &stranger) {
			return nil
		}
		err = s.err
	}
	return err
}

// pick returns the connection for the next call, nil if there is none. The lock is held.
func (c *Client) pick(avoid *server) (*Conn, *server) {
	if c.ctx.Err() != nil {
		return nil, nil
	}
	all := make([]*balance.Server, len(c.servers))
	for i, s := range c.servers {
		all[i] = &s.Server
		s.measure()
	}
	var not *balance.Server
	if avoid != nil {
		not = &avoid.Server
	}
	chosen := balance.Pick(all, c.cfg.Zone, not)
	if chosen == nil {
		return nil, nil
	}
	s := c.servers[slices.Index(all, chosen)]
	s.next++
	return s.best, s
}

// measure finds out how many calls are under way at the server, and which connection has the fewest.
func (s *server) measure() {
	calls, least := 0, 0
	s.best = nil
	for i := range s.conns {
		conn := s.conns[(s.next+i)%len(s.conns)]
		pending, usable := conn.occupied()
		calls += pending
		if usable && (s.best == nil || pending < least) {
			s.best, least = conn, pending
		}
	}
	s.Load, s.Ready, s.Asked = max(calls, s.under), s.best != nil, s.under > 0
}

// occupied tells how many calls are without an answer, and whether requests may be sent, as far as is known.
func (c *Conn) occupied() (pending int, usable bool) {
	l := c.lock()
	defer l.unlock()
	return len(l.pending), !l.broken && !l.leaving
}
