package protocol_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

// site is a server that can be taken down and set up again at the same address.
type site struct {
	t     *testing.T
	addr  string
	calls atomic.Int32
	hold  chan struct{} // what Hold waits for
	held  chan struct{} // gets a token when Hold is called

	srv    *servers.Server
	result chan error
}

// Where is the server's address.
func (s *site) Where() string { s.calls.Add(1); return s.addr }

// Hold waits.
func (s *site) Hold() { s.held <- struct{}{}; <-s.hold }

func newSite(t *testing.T) *site {
	s := &site{t: t, addr: "127.0.0.1:0", hold: make(chan struct{}), held: make(chan struct{}, 10)}
	s.up()
	return s
}

func (s *site) up() {
	l, err := transport.Listen(context.Background(), "tcp", s.addr)
	require.NoError(s.t, err)
	s.addr = l.Addr().String()
	s.srv, s.result = &servers.Server{Service: s}, make(chan error, 1)
	srv, result := s.srv, s.result
	go func() { result <- srv.Serve(context.Background(), l) }()
}

func (s *site) down() {
	require.NoError(s.t, s.srv.Close())
	<-s.result
}

func (s *site) gone() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(s.t, s.srv.Shutdown(ctx))
	<-s.result
}

func where(t *testing.T, c *protocol.Client) (addr string) {
	t.Helper()
	require.NoError(t, c.DoIdempotent(t.Context(), func(ctx context.Context, conn *protocol.Conn) (err error) {
		addr, err = netref.Call[string](ctx, conn.Root(), "where")
		return err
	}))
	return addr
}

// TestClient goes on when its server goes down and comes up again, and tells of it.
func TestClient(t *testing.T) {
	s := newSite(t)
	var mu sync.Mutex
	var log []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, what)
	}
	disconnected := make(chan error, 10)
	c, err := protocol.NewClient(protocol.ClientConfig{
		Addrs: []string{s.addr}, MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		OnConnect:    func(context.Context, *protocol.Conn) error { note("on"); return nil },
		OnDisconnect: func(_ *protocol.Conn, err error) { note("off"); disconnected <- err },
	})
	require.NoError(t, err)
	require.Equal(t, s.addr, where(t, c))
	conn, err := c.Conn(t.Context())
	require.NoError(t, err)
	root := conn.Root()
	require.Len(t, c.Conns(), 1)

	s.down()
	require.ErrorIs(t, <-disconnected, protocol.ErrClosed)
	_, err = netref.Call[string](t.Context(), root, "where")
	require.ErrorIs(t, err, protocol.ErrClosed, "netrefs of the connection that has ended")
	require.True(t, protocol.SafeToRetry(err))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = c.Do(ctx, func(context.Context, *protocol.Conn) error { panic("there is no connection") })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var refused *net.OpError
	require.ErrorAs(t, err, &refused, "why it is not connected")
	require.True(t, protocol.SafeToRetry(err), "nobody was asked")

	s.up()
	require.Equal(t, s.addr, where(t, c))
	require.NoError(t, c.Close())
	_, err = c.Conn(t.Context())
	require.ErrorIs(t, err, protocol.ErrClientClosed)
	require.NoError(t, c.Close())
	require.Equal(t, []string{"on", "off", "on", "off"}, log)
	s.gone()
	_, err = protocol.NewClient(protocol.ClientConfig{})
	require.Error(t, err)
}

// TestClientRetries calls a server that dies in the midst of the call: what may have been carried out is repeated only
// if that was allowed.
func TestClientRetries(t *testing.T) {
	s := newSite(t)
	c, err := protocol.NewClient(protocol.ClientConfig{Addrs: []string{s.addr}, MinBackoff: time.Millisecond})
	require.NoError(t, err)
	calls := 0
	hold := func(ctx context.Context, conn *protocol.Conn) error {
		calls++
		_, err := netref.Call[any](ctx, conn.Root(), "hold")
		return err
	}
	result := make(chan error, 1)
	go func() { result <- c.Do(t.Context(), hold) }()
	<-s.held
	s.down()
	err = <-result
	require.ErrorIs(t, err, protocol.ErrClosed)
	require.False(t, protocol.SafeToRetry(err), "it was carried out")
	require.Equal(t, 1, calls)

	s.up()
	go func() { result <- c.DoIdempotent(t.Context(), hold) }()
	<-s.held
	s.down()
	s.up()
	<-s.held
	close(s.hold)
	require.NoError(t, <-result)
	require.Equal(t, 3, calls)

	// An error of the service is an answer.
	wrong := errors.New("mine")
	require.ErrorIs(t, c.DoIdempotent(t.Context(), func(context.Context, *protocol.Conn) error { return wrong }), wrong)
	require.NoError(t, c.Close())
	s.gone()
}

// TestClientBalances has connections to several servers, found by asking somebody, and goes on with those that are
// left.
func TestClientBalances(t *testing.T) {
	a, b := newSite(t), newSite(t)
	source := make(newsSource)
	c, err := protocol.NewClient(protocol.ClientConfig{
		Source: source, Conns: 2, MinBackoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond,
	})
	require.NoError(t, err)
	source <- errors.New("the registry is not up yet")
	source <- []string{a.addr, b.addr}
	require.Eventually(t, func() bool { return len(c.Conns()) == 4 }, time.Minute, time.Millisecond)
	for range 10 {
		where(t, c)
	}
	require.Equal(t, int32(5), a.calls.Load())
	require.Equal(t, int32(5), b.calls.Load())
	a.down()
	for range 10 {
		require.Equal(t, b.addr, where(t, c))
	}
	require.NoError(t, c.Close())
	b.gone()
}

// TestClientPings gives up a server that is there, but does not answer, and has its calls carried out by another.
func TestClientPings(t *testing.T) {
	s := newSite(t)
	var frozen atomic.Bool
	gone := make(chan error, 10)
	thawed := make(chan struct{})
	c, err := protocol.NewClient(protocol.ClientConfig{
		Addrs: []string{s.addr}, PingInterval: 10 * time.Millisecond, PingTimeout: 200 * time.Millisecond,
		MinBackoff:   time.Millisecond,
		OnDisconnect: func(_ *protocol.Conn, err error) { gone <- err },
		Dialer: &protocol.Dialer{Options: transport.Options{Handshake: func(_ context.Context, c net.Conn) (net.Conn, error) {
			return &freezing{Conn: c, frozen: &frozen, thawed: thawed}, nil
		}}},
	})
	require.NoError(t, err)
	require.Equal(t, s.addr, where(t, c))
	frozen.Store(true)
	require.ErrorIs(t, <-gone, context.DeadlineExceeded)
	frozen.Store(false)
	require.Equal(t, s.addr, where(t, c))
	require.NoError(t, c.Close())
	close(thawed)
	s.gone()
}

// freezing is a stream that can lose what is written.
type freezing struct {
	net.Conn
	frozen *atomic.Bool
	thawed chan struct{}
}

func (f *freezing) Write(p []byte) (int, error) {
	if f.frozen.Load() {
		return len(p), nil
	}
	return f.Conn.Write(p)
}

// TestClientMisused has durations and numbers that are negative, and calls that do not return.
func TestClientMisused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	failed := make(logged, 100)
	c, err := protocol.NewClient(protocol.ClientConfig{Addrs: []string{l.Addr().String()}, MinBackoff: -time.Second,
		MaxBackoff: -time.Second, Conns: -1, MaxServers: -1, DrainTimeout: -1, PingTimeout: -1, Logger: slog.New(failed)})
	require.NoError(t, err)
	for range 2 {
		require.Equal(t, "rpyc: not connected", <-failed)
	}
	require.NoError(t, c.Close())

	s := newSite(t)
	defer s.down()
	c, err = protocol.NewClient(protocol.ClientConfig{Addrs: []string{s.addr}, HedgeDelay: time.Hour})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	func() {
		defer func() { require.Contains(t, recover(), "of the call") }()
		_, _ = protocol.Idempotent(t.Context(), c, func(context.Context, *protocol.Conn) (int, error) {
			panic("of the call")
		})
	}()
	_, err = protocol.Idempotent(t.Context(), c, func(context.Context, *protocol.Conn) (int, error) {
		runtime.Goexit()
		return 0, nil
	})
	require.ErrorContains(t, err, "ended its goroutine")
}

// logged gets the messages of a log.
type logged chan string

func (l logged) Enabled(context.Context, slog.Level) bool      { return true }
func (l logged) Handle(_ context.Context, r slog.Record) error { l <- r.Message; return nil }
func (l logged) WithAttrs([]slog.Attr) slog.Handler            { return l }
func (l logged) WithGroup(string) slog.Handler                 { return l }
