package protocol_test

import (
	"context"
	"errors"
	"io"
	"math/big"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// service is what the tests call.
type service struct {
	mu      sync.Mutex
	kept    []any
	running int
	most    int
	barrier chan struct{}
}

func (s *service) Add(a, b int) int { return a + b }

func (s *service) Echo(x any) any { return x }

func (s *service) Div(a, by int) (int, error) {
	if by == 0 {
		return 0, vinegar.ZeroDivisionError.New("division by zero")
	}
	return a / by, nil
}

func (s *service) Panic() { panic("boom") }

func (s *service) Exit() { runtime.Goexit() }

func (s *service) Keep(x any) { s.mu.Lock(); s.kept = append(s.kept, x); s.mu.Unlock() }

func (s *service) Forget() { s.mu.Lock(); s.kept = nil; s.mu.Unlock() }

func (s *service) Thing() *thing { return &thing{} }

type thing struct{ N int }

func (t *thing) Value() int { return t.N }

// PingPong calls back and forth until n is used up.
func (s *service) PingPong(ctx context.Context, f *netref.Object, n int) (int, error) {
	if n == 0 {
		return 0, nil
	}
	d, err := netref.CallFunc[int](ctx, f, n-1)
	return d + 1, err
}

// Hold runs until the gate opens.
func (s *service) Hold(gate func()) { gate() }

// Overlap gives others n chances to run at the same time, and counts those who do.
func (s *service) Overlap(n int) {
	s.mu.Lock()
	s.running++
	s.most = max(s.most, s.running)
	s.mu.Unlock()
	for range n {
		runtime.Gosched()
	}
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
}

// Meet returns when n calls of it run at the same time.
func (s *service) Meet(n int) {
	s.mu.Lock()
	s.running++
	if s.running == n {
		close(s.barrier)
	}
	s.mu.Unlock()
	<-s.barrier
}

// pair connects a client without a service to s.
func pair(t *testing.T, s any, cfg *protocol.Config) *protocol.Conn {
	t.Helper()
	a, b, err := protocol.Pair(context.Background(), nil, s, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = a.Close()
		<-a.Done()
		<-b.Done()
	})
	return a
}

func TestCall(t *testing.T) {
	ctx := t.Context()
	for _, d := range []*wire.Dialect{wire.FamilyC, wire.FamilyD} {
		t.Run(d.String(), func(t *testing.T) {
			root := pair(t, &service{}, &protocol.Config{Dialect: d}).Root()
			n, err := netref.Call[int](ctx, root, "add", 2, 3)
			require.NoError(t, err)
			require.Equal(t, 5, n)

			_, err = netref.Call[int](ctx, root, "div", 1, 0)
			require.ErrorIs(t, err, vinegar.ZeroDivisionError)
			require.ErrorIs(t, err, vinegar.ArithmeticError)
			var e *vinegar.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, []any{"division by zero"}, e.Args)
			require.Contains(t, e.Traceback, "exposed_div")

			_, err = root.CallMethod(ctx, "panic")
			require.ErrorIs(t, err, vinegar.RuntimeError)
			_, err = root.CallMethod(ctx, "nope")
			require.ErrorIs(t, err, vinegar.AttributeError)
			_, err = root.CallMethod(ctx, "add", 1)
			require.ErrorIs(t, err, vinegar.TypeError)
		})
	}
}

func TestValuesSurvive(t *testing.T) {
	ctx := t.Context()
	root := pair(t, &service{}, nil).Root()
	huge, _ := new(big.Int).SetString(strings.Repeat("9", 100), 10)
	for _, v := range []any{
		nil, true, false, int64(0), int64(-1), int64(1) << 62, huge, 1.5, complex(1, -2), "", "é\U0001F600", []byte{},
		[]byte("\x00\xff"),
		brine.Tuple{}, brine.Tuple{int64(1), brine.Tuple{"a", []byte("b")}},
		brine.Slice{Start: int64(1), Stop: nil, Step: int64(2)},
		brine.FrozenSet{int64(1)}, brine.Ellipsis, brine.NotImplemented, strings.Repeat("x", 100_000),
	} {
		got, err := root.CallMethod(ctx, "echo", v)
		require.NoError(t, err, "%v", v)
		require.Equal(t, v, got)
	}
}

func TestNestedCallsBothWays(t *testing.T) {
	ctx := t.Context()
	root := pair(t, &service{}, nil).Root()
	var back func(ctx context.Context, n int) (int, error)
	back = func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			return 0, nil
		}
		d, err := netref.Call[int](ctx, root, "ping_pong", back, n-1)
		return d + 1, err
	}
	n, err := netref.Call[int](ctx, root, "ping_pong", back, 40)
	require.NoError(t, err)
	require.Equal(t, 40, n)
}

func TestErrorThroughCallback(t *testing.T) {
	ctx := t.Context()
	root := pair(t, &service{}, nil).Root()
	_, err := netref.Call[int](ctx, root, "ping_pong", func(int) (int, error) { return 0, vinegar.KeyError.New("k") }, 1)
	require.ErrorIs(t, err, vinegar.KeyError)
	require.Contains(t, err.(*vinegar.Error).Traceback, "Remote Traceback (1)")
}

func TestRequestsRunOneAtATime(t *testing.T) {
	ctx := t.Context()
	s := &service{}
	root := pair(t, s, nil).Root()
	require.NoError(t, root.CallMethodInto(ctx, nil, "overlap", 0))
	var last *netref.AsyncResult
	for range 200 {
		r, err := root.CallMethodAsync(ctx, "overlap", 3)
		require.NoError(t, err)
		last = r
	}
	_, err := last.Wait(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, s.most)
}

func TestConcurrency(t *testing.T) {
	ctx := t.Context()
	s := &service{barrier: make(chan struct{}, 1)}
	root := pair(t, s, &protocol.Config{Concurrency: 3}).Root()
	require.NoError(t, root.CallMethodInto(ctx, nil, "overlap", 0))
	var rs []*netref.AsyncResult
	for range 3 {
		r, err := root.CallMethodAsync(ctx, "meet", 3)
		require.NoError(t, err)
		rs = append(rs, r)
	}
	for _, r := range rs {
		_, err := r.Wait(ctx)
		require.NoError(t, err)
	}
}

func TestOrder(t *testing.T) {
	ctx := t.Context()
	s := &service{}
	root := pair(t, s, nil).Root()
	var last *netref.AsyncResult
	for i := range 2000 {
		r, err := root.CallMethodAsync(ctx, "keep", i)
		if i == 0 {
			require.NoError(t, err)
		}
		last = r
	}
	_, err := last.Wait(ctx)
	require.NoError(t, err)
	require.Len(t, s.kept, 2000)
	for i, v := range s.kept {
		require.EqualValues(t, i, v)
	}
}

func TestManyGoroutinesOneConnection(t *testing.T) {
	ctx := t.Context()
	root := pair(t, &service{}, nil).Root()
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := range 100 {
				n, err := netref.Call[int](ctx, root, "add", g, i)
				if err != nil || n != g+i {
					t.Errorf("%d+%d = %d, %v", g, i, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestReferencesAreCounted(t *testing.T) {
	ctx := t.Context()
	a, b, err := protocol.Pair(ctx, nil, &service{}, nil)
	require.NoError(t, err)
	defer func() { _ = a.Close() }()
	root := a.Root()
	v, err := root.CallMethod(ctx, "thing")
	require.NoError(t, err)
	th := v.(*netref.Object)
	require.Equal(t, 2, b.Exported(), "root and thing")
	same, err := root.CallMethod(ctx, "echo", th)
	require.NoError(t, err)
	require.Same(t, th, same, "an object received again is the same handle")
	n, err := netref.Call[int](ctx, th, "value")
	require.NoError(t, err)
	require.Zero(t, n)

	th.Release()
	_, err = th.CallMethod(ctx, "value")
	require.ErrorIs(t, err, netref.ErrReleased)
	_, err = a.Ping(ctx) // DEL has been handled when the echo comes
	require.NoError(t, err)
	require.Equal(t, 1, b.Exported())
}

func TestArgumentsAreGivenBack(t *testing.T) {
	ctx := t.Context()
	a, b, err := protocol.Pair(ctx, nil, &service{}, nil)
	require.NoError(t, err)
	defer func() { _ = a.Close() }()
	root := a.Root()
	require.NoError(t, root.CallMethodInto(ctx, nil, "keep", &thing{}))
	for range 100 {
		require.NoError(t, root.CallMethodInto(ctx, nil, "echo", &thing{}))
	}
	require.Eventually(t, func() bool { return a.Exported() == 1 && b.Imported() == 1 }, 30*time.Second, time.Millisecond)
	require.NoError(t, root.CallMethodInto(ctx, nil, "forget"))
	require.Eventually(t, func() bool { return a.Exported() == 0 && b.Imported() == 0 }, 30*time.Second, time.Millisecond)
}

func TestIdentityOfLocalObjects(t *testing.T) {
	ctx := t.Context()
	conn := pair(t, &service{}, nil)
	mine := &thing{N: 7}
	back, err := conn.Root().CallMethod(ctx, "echo", mine)
	require.NoError(t, err)
	require.Same(t, mine, back)
}

func TestTimeouts(t *testing.T) {
	sa, sb := transport.Pipe()
	server, err := protocol.NewConn(t.Context(), sb, &service{}, nil)
	require.NoError(t, err)
	conn, err := protocol.NewConn(t.Context(), sa, nil, &protocol.Config{Timeout: 30 * time.Millisecond,
		Dialect: wire.FamilyD})
	require.NoError(t, err)
	defer func() {
		_ = conn.Close()
		<-server.Done()
	}()
	release := make(chan struct{})
	defer close(release)
	hold := func() { <-release }

	err = conn.Root().CallMethodInto(t.Context(), nil, "hold", hold)
	var te *protocol.TimeoutError
	require.ErrorAs(t, err, &te)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("changed my mind")
	cancel(cause)
	require.ErrorIs(t, conn.Root().CallMethodInto(ctx, nil, "add", 1, 2), cause)
	require.NoError(t, conn.Err(), "a call's end is not the connection's")
}

func TestClosedConnection(t *testing.T) {
	ctx := t.Context()
	a, b, err := protocol.Pair(ctx, nil, &service{}, nil)
	require.NoError(t, err)
	v, err := a.Root().CallMethod(ctx, "thing")
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	<-a.Done()
	<-b.Done()
	_, err = v.(*netref.Object).CallMethod(ctx, "value")
	require.ErrorIs(t, err, protocol.ErrClosed)
	require.True(t, protocol.SafeToRetry(err))
	require.Zero(t, b.Exported())
	require.ErrorIs(t, b.Err(), protocol.ErrClosed)
}

func TestPeerGoesAway(t *testing.T) {
	ctx := t.Context()
	a, b, err := protocol.Pair(ctx, nil, &service{}, nil)
	require.NoError(t, err)
	started := make(chan struct{})
	release := make(chan struct{})
	r, err := a.Root().CallMethodAsync(ctx, "add", 1, 2)
	if err == nil {
		_, err = r.Wait(ctx)
	}
	require.NoError(t, err)
	r, err = a.Root().CallMethodAsync(ctx, "hold", func() { close(started); <-release })
	require.NoError(t, err)
	<-started
	_ = b.CloseNow()
	_, err = r.Wait(ctx)
	require.ErrorIs(t, err, protocol.ErrClosed)
	require.ErrorIs(t, err, io.EOF)
	require.False(t, protocol.SafeToRetry(err))
	close(release)
	<-a.Done()
	<-b.Done()
}

type hooked struct {
	service
	log chan string
}

func (h *hooked) OnConnect(c *protocol.Conn) error { h.log <- "connect"; return nil }
func (h *hooked) OnDisconnect(c *protocol.Conn)    { h.log <- "disconnect" }
func (h *hooked) Who(ctx context.Context) string   { return protocol.FromContext(ctx).Name() }
func (h *hooked) CloseMe(ctx context.Context)      { _ = protocol.FromContext(ctx).Close() }

func TestHooks(t *testing.T) {
	ctx := t.Context()
	h := &hooked{log: make(chan string, 4)}
	a, b, err := protocol.Pair(ctx, nil, h, nil)
	require.NoError(t, err)
	require.Equal(t, "connect", <-h.log)
	who, err := netref.Call[string](ctx, a.Root(), "who")
	require.NoError(t, err)
	require.Equal(t, b.Name(), who)
	names, err := a.Root().Dir(ctx)
	require.NoError(t, err)
	require.NotContains(t, strings.Join(names, " "), "on_connect")
	require.ErrorIs(t, a.Root().CallMethodInto(ctx, nil, "close_me"), protocol.ErrClosed)
	require.Equal(t, "disconnect", <-h.log)
	<-a.Done()
}

func TestStalledWriteEndsTheConnection(t *testing.T) {
	mine, theirs := net.Pipe()
	defer func() { _ = theirs.Close() }()
	c, err := protocol.NewConn(t.Context(), mine, nil, &protocol.Config{Timeout: 50 * time.Millisecond,
		Dialect: wire.FamilyD})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // the connection's end comes first
	defer cancel()
	require.ErrorIs(t, c.Request(ctx, nil, wire.HandlePing, make([]byte, 3<<20)), protocol.ErrClosed)
	require.ErrorIs(t, c.Err(), context.DeadlineExceeded)
	<-c.Done()
}

func TestHandlerEndsItsGoroutine(t *testing.T) {
	ctx := t.Context()
	root := pair(t, &service{}, nil).Root()
	for range 3 {
		_, err := root.CallMethod(ctx, "exit")
		require.ErrorIs(t, err, vinegar.RuntimeError)
		n, err := netref.Call[int](ctx, root, "add", 1, 2)
		require.NoError(t, err)
		require.Equal(t, 3, n)
	}
}

func TestTrace(t *testing.T) {
	ctx := t.Context()
	var w syncWriter
	a, b, err := protocol.Pair(ctx, nil, &service{}, nil)
	require.NoError(t, err)
	_ = a.Close()
	<-b.Done()
	a, b, err = protocol.Pair(ctx, nil, &service{}, &protocol.Config{Trace: &w})
	require.NoError(t, err)
	_, err = netref.Call[int](ctx, a.Root(), "add", 2, 3)
	require.NoError(t, err)
	_ = a.Close()
	<-a.Done()
	<-b.Done()
	require.Contains(t, w.String(), `> REQUEST 1 CALLATTR (-protocol_test.service#1, "add", (2, 3), ())`)
	require.Contains(t, w.String(), "< REPLY 1 5")
}

type syncWriter struct {
	mu sync.Mutex
	b  strings.Builder
}

func (w *syncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *syncWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// TestConnectionsAllocate counts the allocations of opening and closing a connection, of both sides, without a network.
func TestConnectionsAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx, s := context.Background(), &service{}
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		a, b, err := protocol.Pair(ctx, nil, s, nil)
		require.NoError(t, err)
		require.NoError(t, a.Close())
		<-a.Done()
		<-b.Done()
	}), 65.0)
}
