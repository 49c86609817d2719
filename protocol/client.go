package protocol

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Client stays connected to a service: it connects by itself, and again when a connection has ended, to whichever of
// the service's servers answers, and spreads calls over several connections if it is to. RPyC has no counterpart.
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
	wg     sync.WaitGroup

	mu      sync.Mutex
	slots   []*slot
	next    int           // the slot whose turn it is
	change  chan struct{} // closed, and replaced, when a connection is there
	lastErr error         // why the last attempt has failed; nil after one that has not
}

// slot is the place of one connection.
type slot struct {
	conn *Conn  // nil while there is none
	addr string // of conn, or of the attempt to connect
}

// ClientConfig says what a [Client] connects to and how.
type ClientConfig struct {
	// Network is that of the addresses; "" means "tcp".
	Network string
	// Addrs are the addresses of the servers, any of which will do.
	Addrs []string
	// Resolve, if not nil, is asked for the addresses in place of Addrs, before each attempt to connect. A registry is
	// one source of them (registry.Registrar's Discover).
	Resolve func(ctx context.Context) ([]string, error)
	// Dialer says how to connect, and what each connection serves; nil connects as [Dial] does.
	Dialer *Dialer

	// Conns is how many connections are kept, to different servers as far as there are; 0 means 1. Calls take turns on
	// them.
	Conns int
	// MinBackoff and MaxBackoff bound the pause after none of the addresses could be connected to. It doubles each
	// time, and is shortened by up to a half at random, so that the clients of a server do not come back all at once.
	// 0 means 100 ms and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// PingInterval is how often the peer is pinged while no call is under way; a connection whose peer does not answer
	// within PingTimeout is given up. During a call the peer is not pinged, since RPyC answers nothing else then; the
	// call's own timeout counts. 0 means 30 s and negative never; a PingTimeout of 0 means 10 s.
	PingInterval, PingTimeout time.Duration
	// Retries is how often [Client.Do] and [Client.DoIdempotent] try again at most; 0 means 3, negative never.
	Retries int

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

// NewClient makes a client and has it begin to connect. It fails only if cfg has neither Addrs nor Resolve. The caller
// closes the client in the end.
func NewClient(cfg ClientConfig) (*Client, error) {
	if len(cfg.Addrs) == 0 && cfg.Resolve == nil {
		return nil, errors.New("rpyc: a client needs addresses")
	}
	cfg.Addrs = slices.Clone(cfg.Addrs)
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&cfg.MinBackoff, 100 * time.Millisecond}, {&cfg.MaxBackoff, 30 * time.Second},
		{&cfg.PingInterval, 30 * time.Second}, {&cfg.PingTimeout, 10 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.or
		}
	}
	if cfg.Network == "" {
		cfg.Network = "tcp"
	}
	if cfg.Retries == 0 {
		cfg.Retries = 3
	}
	if cfg.Logger == nil {
		cfg.Logger = silent
	}
	if cfg.Dialer == nil {
		cfg.Dialer = &Dialer{}
	}
	c := &Client{cfg: cfg, change: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for range max(cfg.Conns, 1) {
		s := &slot{}
		c.slots = append(c.slots, s)
		c.wg.Go(func() { c.maintain(s) })
	}
	return c, nil
}

// Conn returns a connection that stands, as far as is known; the next call returns another if several are kept. It
// waits for one until ctx ends, which without a deadline means the connections' default timeout; the error, a
// *[NotConnectedError], then says why connecting has failed last.
func (c *Client) Conn(ctx context.Context) (*Conn, error) {
	ctx, cancel := bounded(ctx, c.cfg.Dialer.Config.clone().Timeout)
	defer cancel()
	for {
		c.mu.Lock()
		conn, change := c.pick(), c.change
		c.mu.Unlock()
		if conn != nil {
			return conn, nil
		}
		select {
		case <-change:
		case <-c.ctx.Done():
			return nil, ErrClientClosed
		case <-ctx.Done():
			c.mu.Lock()
			last := c.lastErr
			c.mu.Unlock()
			return nil, &NotConnectedError{Cause: ended(ctx), Last: last}
		}
	}
}

// pick returns the connection whose turn it is, nil if there is none. The lock is held.
func (c *Client) pick() *Conn {
	if c.ctx.Err() != nil {
		return nil
	}
	for range c.slots {
		s := c.slots[c.next]
		c.next = (c.next + 1) % len(c.slots)
		if s.conn != nil && s.conn.usable() {
			return s.conn
		}
	}
	return nil
}

// Conns returns the connections there are at the moment.
func (c *Client) Conns() []*Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	var conns []*Conn
	for _, s := range c.slots {
		if s.conn != nil {
			conns = append(conns, s.conn)
		}
	}
	return conns
}

// Do calls f with a connection, and again with another one if f fails with an error that says that the peer has
// certainly not been asked (see [SafeToRetry]). f makes one call, or knows what it does. Every other error is returned
// as it is; SafeToRetry tells of it whether the call could have been carried out.
func (c *Client) Do(ctx context.Context, f func(ctx context.Context, conn *Conn) error) error {
	return c.do(ctx, f, false)
}

// DoIdempotent is [Client.Do] for calls that may be carried out twice: they are tried again after every end of a
// connection. SafeToRetry tells of the last attempt only.
func (c *Client) DoIdempotent(ctx context.Context, f func(ctx context.Context, conn *Conn) error) error {
	return c.do(ctx, f, true)
}

func (c *Client) do(ctx context.Context, f func(ctx context.Context, conn *Conn) error, idempotent bool) error {
	for n := 0; ; n++ {
		conn, err := c.Conn(ctx)
		if err != nil {
			return err
		}
		err = f(ctx, conn)
		again := SafeToRetry(err) || idempotent && errors.Is(err, ErrClosed)
		if err == nil || !again || n >= c.cfg.Retries || ctx.Err() != nil || c.ctx.Err() != nil {
			return err
		}
	}
}

// Close closes the connections there are, as [Conn.Close] does, and ends the client. It returns when they have ended,
// which includes their handlers.
func (c *Client) Close() error {
	c.cancel()
	c.wg.Wait()
	return nil
}
