package servers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
	"github.com/gorpyc/gorpyc/servers"
)

func TestMain(m *testing.M) {
	if role := testProgram(); role != nil {
		role()
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/gorpyc/gorpyc/protocol.collect"))
}

// call calls a method of the peer's root.
func call[T any](t *testing.T, c *protocol.Conn, method string, args ...any) T {
	t.Helper()
	v, err := netref.Call[T](t.Context(), c.Root(), method, args...)
	require.NoError(t, err)
	return v
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func listen() (net.Listener, error) { return listenOn("127.0.0.1:0") }

func listenOn(addr string) (net.Listener, error) {
	return transport.Listen(context.Background(), "tcp", addr)
}

func netDial(addr string) (net.Conn, error) { return net.Dial("tcp", addr) }

// counter counts its own calls.
type counter struct {
	n       atomic.Int64
	entered chan struct{}
	leave   chan struct{}
}

func (c *counter) Count() int64 { return c.n.Add(1) }

func (c *counter) Block() string {
	close(c.entered)
	<-c.leave
	return "done"
}

// start serves on a free port and returns the address and what Serve returns.
func start(t *testing.T, ctx context.Context, srv *servers.Server) (string, <-chan error) {
	t.Helper()
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	result := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		result <- srv.Serve(ctx, l)
	}()
	t.Cleanup(func() { // of a test that is skipped or fails before it has stopped the server
		_ = srv.Close()
		<-ended
	})
	return l.Addr().String(), result
}

func dial(t *testing.T, addr string) *protocol.Conn {
	t.Helper()
	c, err := protocol.Dial(t.Context(), "tcp", addr, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.CloseNow()
		<-c.Done()
	})
	return c
}

func count(t *testing.T, c *protocol.Conn) int {
	t.Helper()
	n, err := netref.Call[int](t.Context(), c.Root(), "count")
	require.NoError(t, err)
	return n
}

func TestSharedAndOwnServices(t *testing.T) {
	for name, want := range map[string]int{"shared": 2, "own": 1} {
		t.Run(name, func(t *testing.T) {
			srv := &servers.Server{Service: &counter{}}
			if name == "own" {
				srv.NewService = func() any { return &counter{} }
			}
			addr, result := start(t, t.Context(), srv)
			a, b := dial(t, addr), dial(t, addr)
			require.Equal(t, 1, count(t, a))
			require.Equal(t, want, count(t, b))
			require.Eventually(t, func() bool { return len(srv.Clients()) == 2 }, 30*time.Second, time.Millisecond,
				"a connection serves before it is listed")
			require.NoError(t, srv.Close())
			require.ErrorIs(t, <-result, servers.ErrServerClosed)
			<-a.Done()
			<-b.Done()
			_, err := net.Dial("tcp", addr)
			require.Error(t, err)
		})
	}
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	svc := &counter{entered: make(chan struct{}), leave: make(chan struct{})}
	srv := &servers.Server{Service: svc}
	addr, result := start(t, t.Context(), srv)
	c := dial(t, addr)
	idle := dial(t, addr)
	r, err := c.Root().CallMethodAsync(t.Context(), "block")
	require.NoError(t, err)
	<-svc.entered
	down := make(chan error, 1)
	go func() { down <- srv.Shutdown(t.Context()) }()
	require.ErrorIs(t, <-result, servers.ErrServerClosed)
	<-idle.Done()
	close(svc.leave)
	v, err := netref.Await[string](t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "done", v)
	require.NoError(t, <-down)
	<-c.Done()
	require.ErrorIs(t, srv.Serve(t.Context(), closedListener(t)), servers.ErrServerClosed)
}

func closedListener(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

func TestShutdownGivesUp(t *testing.T) {
	svc := &counter{entered: make(chan struct{}), leave: make(chan struct{})}
	srv := &servers.Server{Service: svc}
	addr, result := start(t, t.Context(), srv)
	c := dial(t, addr)
	_, err := c.Root().CallMethodAsync(t.Context(), "block")
	require.NoError(t, err)
	<-svc.entered
	cause := errors.New("no patience")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	require.ErrorIs(t, srv.Shutdown(ctx), cause)
	<-c.Done() // the connection is gone, though the handler still runs
	close(svc.leave)
	require.NoError(t, srv.Shutdown(t.Context()))
	<-result
}

func TestContextEndsServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := &servers.Server{Service: &counter{}}
	addr, result := start(t, ctx, srv)
	c := dial(t, addr)
	require.Equal(t, 1, count(t, c))
	cancel()
	require.ErrorIs(t, <-result, context.Canceled)
	<-c.Done()
	require.NoError(t, srv.Shutdown(t.Context()))
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	srv := &servers.Server{Service: &counter{}}
	l, err := transport.Listen(t.Context(), "unix", path)
	require.NoError(t, err)
	result := make(chan error, 1)
	go func() { result <- srv.Serve(t.Context(), l) }()
	c, err := protocol.Dial(t.Context(), "unix", path, nil)
	require.NoError(t, err)
	require.Equal(t, 1, count(t, c))
	require.NoError(t, c.Close())
	require.NoError(t, srv.Shutdown(t.Context()))
	<-result
	<-c.Done()
}

// picky refuses connections.
type picky struct{ err error }

func (p picky) OnConnect(*protocol.Conn) error { return p.err }

func TestRefusedConnection(t *testing.T) {
	srv := &servers.Server{Service: picky{errors.New("not today")}}
	addr, result := start(t, t.Context(), srv)
	_, err := protocol.Dial(t.Context(), "tcp", addr, nil)
	require.ErrorIs(t, err, protocol.ErrClosed)
	require.Empty(t, srv.Clients())
	require.NoError(t, srv.Close())
	<-result
}

func TestManyConnections(t *testing.T) {
	srv := &servers.Server{Service: &counter{}}
	addr, result := start(t, t.Context(), srv)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			c, err := protocol.Dial(t.Context(), "tcp", addr, nil)
			if err != nil {
				t.Error(err)
				return
			}
			for range 10 {
				if _, err := netref.Call[int](t.Context(), c.Root(), "count"); err != nil {
					t.Error(err)
				}
			}
			_ = c.Close()
			<-c.Done()
		})
	}
	wg.Wait()
	c := dial(t, addr)
	require.Equal(t, 1001, count(t, c))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, srv.Shutdown(ctx))
	<-result
	<-c.Done()
}

// Greeter is a service.
type Greeter struct{}

// Greet greets.
func (Greeter) Greet(name string) string { return "Hello, " + name }

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l, err := transport.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := &servers.Server{Service: Greeter{}}
	go func() { _ = srv.Serve(ctx, l) }()

	conn, err := protocol.Dial(ctx, "tcp", l.Addr().String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(netref.Call[string](ctx, conn.Root(), "greet", "Ann"))
	_ = conn.Close()
	_ = srv.Shutdown(ctx)
	<-conn.Done()
	// Output: Hello, Ann <nil>
}

// namedConn counts how often its peer's address is written out.
type namedConn struct {
	net.Conn
	written atomic.Int32
}

func (c *namedConn) RemoteAddr() net.Addr { return c }
func (c *namedConn) Network() string      { return "counted" }
func (c *namedConn) String() string       { c.written.Add(1); return "somebody" }

// TestThePeersNameIsWrittenOnceForTheLog serves connections with a logger and without.
func TestThePeersNameIsWrittenOnceForTheLog(t *testing.T) {
	for _, log := range []*slog.Logger{nil, slog.New(slog.NewTextHandler(io.Discard, nil))} {
		near, far := net.Pipe()
		stream := &namedConn{Conn: far}
		s := &servers.Server{Service: &struct{}{}, Logger: log}
		served := make(chan error, 1)
		go func() { served <- s.ServeConn(t.Context(), stream) }()
		c, err := protocol.NewConn(t.Context(), near, nil, &protocol.Config{Dialect: wire.FamilyD})
		require.NoError(t, err)
		_, err = c.Ping(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.NoError(t, <-served)
		if log == nil {
			require.Zero(t, stream.written.Load(), "nobody logs")
		} else {
			require.Equal(t, int32(1), stream.written.Load())
		}
		require.NoError(t, s.Close())
	}
}
