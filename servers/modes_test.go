package servers_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/servers"
)

// hall has handlers that meet: each says that it has come, and stays until it is let go.
type hall struct {
	came   chan string
	leave  chan struct{}
	inside atomic.Int32
	most   atomic.Int32
}

func newHall() *hall { return &hall{came: make(chan string, 100), leave: make(chan struct{})} }

// Stay says name and stays.
func (h *hall) Stay(name string) string {
	n := h.inside.Add(1)
	defer h.inside.Add(-1)
	for {
		most := h.most.Load()
		if n <= most || h.most.CompareAndSwap(most, n) {
			break
		}
	}
	h.came <- name
	<-h.leave
	return name
}

// Pass says name.
func (h *hall) Pass(name string) string {
	h.came <- name
	return name
}

// Back calls f.
func (h *hall) Back(ctx context.Context, f func(context.Context) (string, error)) (string, error) {
	return f(ctx)
}

func async(t *testing.T, c *protocol.Conn, method, arg string) *netref.AsyncResult {
	t.Helper()
	r, err := c.Root().CallMethodAsync(t.Context(), method, arg)
	require.NoError(t, err)
	return r
}

func await(t *testing.T, r *netref.AsyncResult) string {
	t.Helper()
	s, err := netref.Await[string](t.Context(), r)
	require.NoError(t, err)
	return s
}

func stop(t *testing.T, srv *servers.Server, result <-chan error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, srv.Shutdown(ctx))
	require.ErrorIs(t, <-result, servers.ErrServerClosed)
}

// TestPoolQueues has more requests than workers, from several connections: no more run than there are workers, and in
// the end all have run.
func TestPoolQueues(t *testing.T) {
	h := newHall()
	srv := &servers.Server{Service: h, Mode: servers.Pool, Workers: 2}
	addr, result := start(t, t.Context(), srv)
	var results []*netref.AsyncResult
	var conns []*protocol.Conn
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		c := dial(t, addr)
		conns = append(conns, c)
		results = append(results, async(t, c, "stay", name))
	}
	<-h.came
	<-h.came
	for _, c := range conns { // what needs no worker is answered all the same
		_, err := c.Ping(t.Context())
		require.NoError(t, err)
	}
	require.Empty(t, h.came)
	close(h.leave)
	for i, r := range results {
		require.Equal(t, string(rune('a'+i)), await(t, r))
	}
	require.LessOrEqual(t, h.most.Load(), int32(2))
	stop(t, srv, result)
	for _, c := range conns {
		<-c.Done()
	}
}

// TestPoolRefuses has a request more than there are workers.
func TestPoolRefuses(t *testing.T) {
	python(t) // or the test is skipped before there is a handler that waits
	h := newHall()
	srv := &servers.Server{Service: h, Mode: servers.Pool, Workers: 1, WhenBusy: servers.Refuse}
	addr, result := start(t, t.Context(), srv)
	a, b := dial(t, addr), dial(t, addr)
	r := async(t, a, "stay", "a")
	<-h.came
	_, err := netref.Call[string](t.Context(), b.Root(), "pass", "b")
	require.ErrorIs(t, err, vinegar.BlockingIOError)
	require.Equal(t, "BlockingIOError 11", runPython(t, `
import sys, rpyc
c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
try:
    c.root.exposed_pass("c")
except BlockingIOError as e:
    print("BlockingIOError", e.errno)
c.close()`, port(addr)))
	close(h.leave)
	require.Equal(t, "a", await(t, r))
	s, err := netref.Call[string](t.Context(), b.Root(), "pass", "b")
	require.NoError(t, err)
	require.Equal(t, "b", s)
	stop(t, srv, result)
	<-a.Done()
	<-b.Done()
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// TestPoolOfOneServesCallbacks has the only worker wait for a client that calls the server again in order to answer.
func TestPoolOfOneServesCallbacks(t *testing.T) {
	for _, full := range []servers.Full{servers.Queue, servers.Refuse} {
		srv := &servers.Server{Service: newHall(), Mode: servers.Pool, Workers: 1, WhenBusy: full}
		addr, result := start(t, t.Context(), srv)
		require.Equal(t, "deep", runPython(t, `
import sys, rpyc
c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
def deeper(depth=20):
    return "deep" if depth == 0 else c.root.back(lambda: deeper(depth - 1))
print(deeper())
c.close()`, port(addr)))
		stop(t, srv, result)
	}
}

// TestOneShot serves one Python client, after which the server is closed.
func TestOneShot(t *testing.T) {
	srv := &servers.Server{Service: newHall(), Mode: servers.OneShot}
	addr, result := start(t, t.Context(), srv)
	require.Equal(t, "bar", runPython(t, `
import sys, rpyc
c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
print(c.root.exposed_pass("bar"))
c.close()`, port(addr)))
	require.ErrorIs(t, <-result, servers.ErrServerClosed)
	require.Empty(t, srv.Clients())
	_, err := net.Dial("tcp", addr)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, srv.Shutdown(t.Context()))
}

// TestMaxConns serves one connection at a time, with both things that can happen to a second.
func TestMaxConns(t *testing.T) {
	t.Run("queue", func(t *testing.T) {
		srv := &servers.Server{Service: newHall(), MaxConns: 1}
		addr, result := start(t, t.Context(), srv)
		a := dial(t, addr)
		second := make(chan *protocol.Conn)
		go func() {
			c, err := protocol.Dial(t.Context(), "tcp", addr, nil)
			if err != nil {
				t.Error(err)
			}
			second <- c
		}()
		_, err := a.Ping(t.Context())
		require.NoError(t, err)
		select {
		case <-second:
			t.Fatal("there was no room")
		default:
		}
		one := func() bool { return len(srv.Clients()) == 1 }
		require.Eventually(t, one, 30*time.Second, time.Millisecond) // a connection may answer before the server lists it
		require.NoError(t, a.Close())
		b := <-second
		require.Eventually(t, one, 30*time.Second, time.Millisecond)
		stop(t, srv, result)
		<-a.Done()
		<-b.Done()
	})
	t.Run("refuse", func(t *testing.T) {
		gone := make(chan struct{}, 10)
		srv := &servers.Server{Service: newHall(), MaxConns: 1, WhenFull: servers.Refuse, OnGone: func(*protocol.Conn) {
			gone <- struct{}{}
		}}
		addr, result := start(t, t.Context(), srv)
		a := dial(t, addr)
		_, err := protocol.Dial(t.Context(), "tcp", addr, nil)
		require.ErrorIs(t, err, protocol.ErrClosed)
		require.NoError(t, a.Close())
		<-gone
		var b *protocol.Conn
		require.Eventually(t, func() bool {
			b, err = protocol.Dial(t.Context(), "tcp", addr, nil)
			return err == nil
		}, 30*time.Second, 10*time.Millisecond)
		stop(t, srv, result)
		<-a.Done()
		<-b.Done()
	})
}

// failing is a listener that fails some times before it accepts.
type failing struct {
	net.Listener
	errs chan error
}

func (f *failing) Accept() (net.Conn, error) {
	select {
	case err := <-f.errs:
		return nil, err
	default:
		return f.Listener.Accept()
	}
}

// TestAcceptErrors goes on after failures that pass, and returns others.
func TestAcceptErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := &failing{l, make(chan error, 3)}
	f.errs <- syscall.EMFILE
	f.errs <- &net.OpError{Op: "accept", Err: syscall.ECONNABORTED}
	srv := &servers.Server{Service: newHall()}
	result := make(chan error, 1)
	go func() { result <- srv.Serve(t.Context(), f) }()
	c := dial(t, l.Addr().String())
	f.errs <- syscall.EINVAL
	// has Accept return, if it did not see the error at once
	last, _ := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.ErrorIs(t, <-result, syscall.EINVAL)
	_, err = c.Ping(t.Context())
	require.NoError(t, err, "the connections there are go on")
	require.NoError(t, srv.Shutdown(t.Context()))
	<-c.Done()
	if last != nil {
		<-last.Done()
	}
}

// TestRoomForNewcomers has descriptors run out: the connection that has been idle for longest makes room, and not one
// that is busy, or has been lately.
func TestRoomForNewcomers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := &failing{l, make(chan error, 3)}
	h := newHall()
	srv := &servers.Server{Service: h}
	result := make(chan error, 1)
	go func() { result <- srv.Serve(t.Context(), f) }()
	busy := dial(t, l.Addr().String())
	stays := async(t, busy, "stay", "busy")
	require.Equal(t, "busy", <-h.came)
	silent, lately := dial(t, l.Addr().String()), dial(t, l.Addr().String())
	require.Equal(t, "x", call[string](t, lately, "pass", "x"))
	<-h.came
	f.errs <- syscall.EMFILE
	newcomers := []*protocol.Conn{dial(t, l.Addr().String()), dial(t, l.Addr().String())} // one before the error, perhaps
	<-silent.Done()
	require.Equal(t, "x", call[string](t, lately, "pass", "x"))
	for _, c := range newcomers {
		_, err = c.Ping(t.Context())
		require.NoError(t, err)
	}
	close(h.leave)
	require.Equal(t, "busy", await(t, stays))
	stop(t, srv, result)
}

// TestFirstMessage has a server whose clients must say something soon.
func TestFirstMessage(t *testing.T) {
	srv := &servers.Server{Service: newHall(), Config: &protocol.Config{FirstTimeout: 10 * time.Millisecond}}
	addr, result := start(t, t.Context(), srv)
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, c.Close())
	stop(t, srv, result)
}

// TestConfigFor gives two clients different configurations, and follows a server's life.
func TestConfigFor(t *testing.T) {
	var seen atomic.Value
	srv := &servers.Server{Service: newHall()}
	srv.ConfigFor = func(conn net.Conn, credentials any) *protocol.Config {
		if seen.Swap(conn.RemoteAddr().String()) == nil {
			return &protocol.Config{Name: "first"}
		}
		return nil
	}
	srv.Config = &protocol.Config{Name: "others"}
	require.Nil(t, srv.Addr())
	addr, result := start(t, t.Context(), srv)
	for _, want := range []string{"first", "others"} {
		c := dial(t, addr)
		require.Equal(t, addr, srv.Addr().String())
		require.Equal(t, c.LocalAddr().String(), seen.Load())
		require.Eventually(t, func() bool { return len(srv.Clients()) == 1 }, 30*time.Second, time.Millisecond)
		require.Equal(t, want, srv.Clients()[0].Name())
		require.NoError(t, c.Close())
		require.Eventually(t, func() bool { return len(srv.Clients()) == 0 }, 30*time.Second, time.Millisecond)
	}
	select {
	case <-srv.Done():
		t.Error("the server still serves")
	default:
	}
	stop(t, srv, result)
	<-srv.Done()
	require.Nil(t, srv.Addr())
}

// TestLogLines compares with what an operator of RPyC's servers reads, by their first words.
func TestLogLines(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&lockedWriter{&mu, &log},
		&slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, slog.LevelKey, "addr", "peer":
				return slog.Attr{}
			}
			return a
		}}))
	gone := make(chan struct{})
	srv := &servers.Server{Service: &CalculatorService{}, Logger: logger, OnGone: func(*protocol.Conn) { close(gone) }}
	addr, result := start(t, t.Context(), srv)
	c := dial(t, addr)
	require.NoError(t, c.Close())
	<-gone
	stop(t, srv, result)
	<-c.Done()
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, `msg="server started" service=CALCULATOR
msg=accepted service=CALCULATOR
msg=welcome service=CALCULATOR
msg=goodbye service=CALCULATOR release=gorpyc
msg="server has terminated" service=CALCULATOR
`, log.String())
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// CalculatorService has a name that ends as the names of RPyC's services do.
type CalculatorService struct{}

type fooBar struct{}

var _ = exposed.Register[fooBar](exposed.ClassOptions{Service: true, Aliases: []string{"foo", "bar", "lalaland"}})

// TestServiceNames are the examples of the documentation of rpyc.Service, and what the peer is told.
func TestServiceNames(t *testing.T) {
	for _, c := range []struct {
		srv     *servers.Server
		name    string
		aliases []string
	}{
		{&servers.Server{Service: CalculatorService{}}, "CALCULATOR", []string{"CALCULATOR"}},
		{&servers.Server{NewService: func() any { return &CalculatorService{} }}, "CALCULATOR", []string{"CALCULATOR"}},
		{&servers.Server{Service: &fooBar{}}, "FOO", []string{"FOO", "BAR", "LALALAND"}},
		{&servers.Server{}, "VOID", []string{"VOID"}},
		{&servers.Server{Name: "shop", Aliases: []string{"A"}}, "shop", []string{"A"}},
	} {
		require.Equal(t, c.name, c.srv.ServiceName())
		require.Equal(t, c.aliases, c.srv.ServiceAliases())
	}
	srv := &servers.Server{Service: CalculatorService{}}
	addr, result := start(t, t.Context(), srv)
	require.Equal(t, "CALCULATOR ('CALCULATOR',)", runPython(t, `
import sys, rpyc
c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
print(c.root.get_service_name(), c.root.get_service_aliases())
c.close()`, port(addr)))
	stop(t, srv, result)
}
