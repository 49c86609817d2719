package protocol

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Client stays connected to the servers of a service: it learns of them from a [Source], connects by itself, again when
// a connection has ended, and spreads calls over the servers. RPyC has no counterpart.
//
// A call goes to the server with the fewest calls under way in proportion to its weight, and in turn among those that
// have equally few. A server that is no longer among the addresses gets no more calls; those under way there finish.
// One that has not answered several calls in a row is left alone for a while: see ClientConfig.Failures.
//
// What belongs to a connection ends with it: netrefs, and objects of ours the peer holds. Uses of such a netref fail at
// once with an error that matches [ErrClosed]. So a program keeps no netrefs across calls, or gets them anew in
// OnConnect.
//
// A Client is safe for concurrent use.
type Client struct {
	cfg    ClientConfig
	ctx    context.Context // of everything the client does by itself
	cancel context.CancelFunc
	wg     sync.WaitGroup // grows only while ctx has not ended and mu is held, or from a goroutine that is counted

	mu       sync.Mutex
	ranked   []Address     // all that are known, the best first
	servers  []*server     // those that are connected to, in that order
	draining []*server     // those that are not any more, with calls under way, the oldest first
	change   chan struct{} // closed, and replaced, when a server can be called that could not
	lastErr  error         // why the last attempt has failed; nil after one that has not
	hedges   float64       // how many hedged calls are allowed at the moment
	seed     maphash.Seed  // of the choice among more addresses than are connected to
}

// ClientConfig says what a [Client] connects to and how.
type ClientConfig struct {
	// Network is that of addresses which do not have one; "" means "tcp".
	Network string
	// Addrs are the addresses of the servers if they are always the same, and have neither weights nor zones.
	Addrs []string
	// Source, if not nil, tells the addresses in place of Addrs.
	Source Source
	// Dialer says how to connect, and what each connection serves; nil connects as [Dial] does.
	Dialer *Dialer

	// Conns is how many connections are kept to each server; 0 means 1.
	Conns int
	// MaxServers is how many servers are connected to at the same time if there are more: those of the lowest priority
	// first, those of the own zone first among them, and then some at random, heavy ones rather than light ones. For each
	// that cannot be called, one more is connected to. So with 1, all calls go to one server as long as it is well. 0
	// means 32.
	MaxServers int
	// Zone is where this program is. While at least half of the servers of the zone, by weight, can be called, all calls
	// go to them; otherwise to those of all zones. "" knows no zones.
	Zone string
	// DrainTimeout is how long the connections to a server that is no longer among the addresses are kept for calls that
	// are under way; 0 means 30 s.
	DrainTimeout time.Duration
	// MinBackoff and MaxBackoff bound the pause after an address could not be connected to. It doubles each time, and is
	// shortened by up to a half at random, so that the clients of a server do not come back all at once. 0 means 100 ms
	// and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// PingInterval is how often the peer is pinged while no call is under way; a connection whose peer does not answer
	// within PingTimeout is given up. During a call the peer is not pinged, since RPyC answers nothing else then; the
	// call's own timeout counts. 0 means 30 s and negative never; a PingTimeout of 0 means 10 s.
	PingInterval, PingTimeout time.Duration
	// Failures is how many calls of [Client.Do] and its like in a row have to fail at a server, by a timeout or by the
	// end of the connection, until it is left alone; 0 means 5 and negative never. Hedged calls that another server has
	// answered first are among them. Its connections are replaced, since what was given up may hold them up; the old
	// ones are closed when nobody waits for answers on them. After a second the server is pinged; if it answers, it
	// gets one call at a time until one is answered, and the first failure ends that. The pause doubles each time until
	// a call succeeds, up to MaxBackoff. If no other server can be called, one that is left alone is.
	Failures int
	// Retries is how often [Client.Do] and its like try again at most; 0 means 3, negative never.
	Retries int
	// TryTimeout bounds each attempt of [Client.DoIdempotent] and [Idempotent], after which they try another server. 0
	// means that the connection's default timeout does.
	TryTimeout time.Duration
	// HedgeDelay, if it is not 0, is how long [Idempotent] waits for an answer until it asks a second server as well. At
	// most a tenth of the calls is asked twice.
	HedgeDelay time.Duration

	// OnConnect, if not nil, is called with each new connection before it is used for calls. An error closes the
	// connection and counts as a failure to connect.
	OnConnect func(ctx context.Context, c *Conn) error
	// OnDisconnect, if not nil, is told that a connection has ended, and why.
	OnDisconnect func(c *Conn, err error)
	// Logger is told of connections made, lost and failed; nil is silent.
	Logger *slog.Logger
}

// ErrClientClosed is returned by uses of a [Client] after Close.
var ErrClientClosed = errors.New("rpyc: client closed")

// minEjection is how long a server is left alone the first time.
const minEjection = time.Second

// NewClient makes a client and has it begin to connect. It fails only if cfg has neither Addrs nor Source. The caller
// closes the client in the end.
func NewClient(cfg ClientConfig) (*Client, error) {
	if len(cfg.Addrs) == 0 && cfg.Source == nil {
		return nil, errors.New("rpyc: a client needs addresses: ClientConfig.Addrs or Source")
	}
	for _, d := range []struct {
		value    *time.Duration
		or       time.Duration
		negative bool // has a meaning; otherwise it counts as 0
	}{
		{&cfg.MinBackoff, 100 * time.Millisecond, false}, {&cfg.MaxBackoff, 30 * time.Second, false},
		{&cfg.PingInterval, 30 * time.Second, true}, {&cfg.PingTimeout, 10 * time.Second, false},
		{&cfg.DrainTimeout, 30 * time.Second, false},
	} {
		if *d.value == 0 || *d.value < 0 && !d.negative {
			*d.value = d.or
		}
	}
	for _, n := range []struct {
		value    *int
		or       int
		negative bool
	}{{&cfg.Retries, 3, true}, {&cfg.Failures, 5, true}, {&cfg.Conns, 1, false}, {&cfg.MaxServers, 32, false}} {
		if *n.value == 0 || *n.value < 0 && !n.negative {
			*n.value = n.or
		}
	}
	if cfg.Network == "" {
		cfg.Network = "tcp"
	}
	if cfg.Logger == nil {
		cfg.Logger = silent
	}
	if cfg.Dialer == nil {
		cfg.Dialer = &Dialer{}
	}
	c := newClient(cfg)
	if cfg.Source != nil {
		c.wg.Go(c.watch)
		return c, nil
	}
	addrs := make([]Address, len(cfg.Addrs))
	for i, a := range cfg.Addrs {
		addrs[i].Addr = a
	}
	c.update(addrs)
	return c, nil
}

// Conn returns a connection to the server whose turn it is; the next call may return another. It waits for one until
// ctx ends, which without a deadline means the connections' default timeout; the error, a *[NotConnectedError], then
// says why connecting has failed last.
//
// Calls on it count as under way while they are without an answer, but only those of [Client.Do] and its like tell
// whether the server is well.
func (c *Client) Conn(ctx context.Context) (*Conn, error) {
	conn, _, err := c.choose(ctx, nil)
	return conn, err
}

// Conns returns the connections there are at the moment, without those to servers that get no more calls.
func (c *Client) Conns() []*Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	var conns []*Conn
	for _, s := range c.servers {
		conns = append(conns, s.conns...)
	}
	return conns
}

// ServerStatus is what a [Client] knows of a server.
type ServerStatus struct {
	Address Address
	// Conns is how many connections there are, Calls how many calls are under way.
	Conns, Calls int
	// Ejected says that the server is left alone because of failures, Draining that it is no longer among the addresses.
	Ejected, Draining bool
	// Err is why the last attempt to connect has failed; nil if it has not.
	Err error
}

// Servers tells of the servers that are connected to, or are to be.
func (c *Client) Servers() []ServerStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []ServerStatus
	for i, s := range slices.Concat(c.servers, c.draining) {
		s.measure()
		a := s.addr
		a.Weight, a.Priority, a.Zone = s.Weight, s.Priority, s.Zone
		all = append(all, ServerStatus{Address: a, Conns: len(s.conns), Calls: s.Load, Ejected: s.Ejected(),
			Draining: i >= len(c.servers), Err: s.err})
	}
	return all
}

// Close closes the connections there are, as [Conn.Close] does, and ends the client. It returns when they have ended,
// which includes their handlers. OnConnect, OnDisconnect, a handler, and the func of an [Idempotent] call that can be
// hedged must not call it, since it waits for them; another goroutine can, without being waited for.
func (c *Client) Close() error {
	c.mu.Lock()
	c.cancel()
	c.mu.Unlock()
	c.wg.Wait()
	return nil
}
