package protocol_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// watcher notes what hooks are told of.
type watcher struct {
	name string
	mu   sync.Mutex
	log  []string
	info []protocol.RequestInfo
	come chan struct{} // gets a token for each request that has ended
	work func(ctx context.Context) context.Context
}

func newWatcher(name string) *watcher { return &watcher{name: name, come: make(chan struct{}, 1000)} }

func (w *watcher) hooks() protocol.Hooks {
	return protocol.Hooks{Serve: []protocol.ServeHook{w}, Call: []protocol.CallHook{w}, Conn: []protocol.ConnHook{w}}
}

func (w *watcher) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, w.name+" "+what)
}

// lines returns what was noted since it was last asked.
func (w *watcher) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.log = nil }()
	return w.log
}

// ended waits for n requests to end and returns what is known of them.
func (w *watcher) ended(t *testing.T, n int) []protocol.RequestInfo {
	t.Helper()
	for range n {
		select {
		case <-w.come:
		case <-time.After(time.Minute):
			require.Fail(t, "a request has not ended")
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.info = nil }()
	return w.info
}

type hookKey struct{}

func (w *watcher) begin(ctx context.Context, what string) context.Context {
	w.note(what)
	if w.work != nil {
		return w.work(ctx)
	}
	trail, _ := ctx.Value(hookKey{}).(string)
	return context.WithValue(ctx, hookKey{}, trail+w.name)
}

func (w *watcher) end(ctx context.Context, what string, r *protocol.RequestInfo) {
	trail, _ := ctx.Value(hookKey{}).(string)
	w.note(what + " " + trail)
	w.mu.Lock()
	w.info = append(w.info, *r)
	w.mu.Unlock()
	w.come <- struct{}{}
}

func (w *watcher) ServeBegin(ctx context.Context, r *protocol.RequestInfo) context.Context {
	if protocol.FromContext(ctx) != r.Conn {
		w.note("has no connection")
	}
	return w.begin(ctx, "serves")
}
func (w *watcher) ServeEnd(ctx context.Context, r *protocol.RequestInfo) { w.end(ctx, "served", r) }
func (w *watcher) CallBegin(ctx context.Context, _ *protocol.RequestInfo) context.Context {
	return w.begin(ctx, "calls")
}
func (w *watcher) CallEnd(ctx context.Context, r *protocol.RequestInfo) { w.end(ctx, "called", r) }
func (w *watcher) ConnOpened(*protocol.Conn)                            { w.note("opened") }
func (w *watcher) ConnClosed(c *protocol.Conn) {
	if c.Err() != nil {
		w.note("closed")
	}
}

// watchedService is what the tests of hooks call.
type watchedService struct{}

func (watchedService) Add(a, b int) int { return a + b }

// Trail is what the hooks have put into the context, and whether it is the handler's.
func (watchedService) Trail(ctx context.Context) (string, bool) {
	trail, _ := ctx.Value(hookKey{}).(string)
	return trail, protocol.FromContext(ctx) != nil
}

func (watchedService) Fail() error { return vinegar.KeyError.New("k") }

// CallBack calls f with the handler's context.
func (watchedService) CallBack(ctx context.Context, f *netref.Object) (int, error) {
	return netref.CallFunc[int](ctx, f, 20)
}

// Forever waits for its context.
func (watchedService) Forever(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// CallRoot calls a method of the peer's root.
func (watchedService) CallRoot(ctx context.Context, method string) (any, error) {
	return protocol.FromContext(ctx).Root().CallMethod(ctx, method, 1, 2)
}

var _ = exposed.Register[watchedService](exposed.ClassOptions{Name: "tests.Watched"})

// watchedPair makes a client that client watches and a server that the others watch.
func watchedPair(t *testing.T, client *watcher, server ...*watcher) *protocol.Conn {
	t.Helper()
	var all []protocol.Hooks
	for _, w := range server {
		all = append(all, w.hooks())
	}
	near, far := tcpPair(t)
	s, err := protocol.NewConn(context.Background(), far, watchedService{},
		&protocol.Config{Hooks: protocol.JoinHooks(all...)})
	require.NoError(t, err)
	c, err := protocol.NewConn(context.Background(), near, nil,
		&protocol.Config{Dialect: wire.FamilyD, Hooks: client.hooks()})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Close()
		<-c.Done()
		<-s.Done()
	})
	return c
}

// TestHooksAreToldOfRequests looks at what hooks of both sides are told.
func TestHooksAreToldOfRequests(t *testing.T) {
	client, server := newWatcher("c"), newWatcher("s")
	c := watchedPair(t, client, server)
	ctx := t.Context()
	_, err := netref.Call[int](ctx, c.Root(), "add", 1, 2)
	require.NoError(t, err)
	require.Equal(t, wire.HandleGetRoot, client.ended(t, 2)[0].Op, "the root is asked for by the first call")
	server.ended(t, 1)

	for _, row := range []struct {
		method, named string
		op            wire.Handler
		known         bool
		class         string // of the error
		do            func() error
	}{
		{"add", "add", wire.HandleCallAttr, true, "", func() error {
			_, err := netref.Call[int](ctx, c.Root(), "add", 1, 2)
			return err
		}},
		{"CallBack", "call_back", wire.HandleGetAttr, true, "", func() error {
			_, err := c.Root().Get(ctx, "CallBack")
			return err
		}},
		{"fail", "fail", wire.HandleCallAttr, true, "KeyError", func() error {
			_, err := c.Root().CallMethod(ctx, "fail")
			return err
		}},
		{"made_up", "made_up", wire.HandleCallAttr, false, "AttributeError", func() error {
			_, err := c.Root().CallMethod(ctx, "made_up")
			return err
		}},
		{"", "", wire.HandleStr, true, "", func() error { _, err := c.Root().Str(ctx); return err }},
	} {
		err := row.do()
		got, served := client.ended(t, 1)[0], server.ended(t, 1)[0]
		for _, r := range []protocol.RequestInfo{got, served} {
			require.Equal(t, row.op, r.Op)
			require.Equal(t, "tests.Watched", r.Class)
			require.Equal(t, row.class, r.ErrorClass())
			require.Equal(t, row.class != "", r.Failed())
			require.True(t, r.Err == nil || r.ErrorKnown())
			require.Equal(t, row.op == wire.HandleCallAttr, r.IsCall())
			if r.IsCall() {
				require.Equal(t, r.Method, r.Operation())
			} else {
				require.Equal(t, strings.TrimSpace(r.Op.String()+" "+r.Method), r.Operation())
			}
			require.False(t, r.Start.IsZero())
			require.Positive(t, r.Duration)
		}
		require.Equal(t, err == nil, got.Err == nil)
		require.Equal(t, row.method, got.Method)
		require.Equal(t, row.named, served.Method)
		require.False(t, got.Known)
		require.Equal(t, row.known, served.Known, row.method)
		require.Positive(t, got.BytesIn)
		require.Equal(t, served.BytesIn, got.BytesOut)
		require.Equal(t, served.BytesOut, got.BytesIn)
	}
}

// TestErrorsThatAreNotKnown are of classes that a peer has made up.
func TestErrorsThatAreNotKnown(t *testing.T) {
	for class, known := range map[*vinegar.Class]bool{vinegar.ValueError: true, vinegar.NewClass("tests.Declared"): true,
		vinegar.ClassNamed("theirs.Own"): false} {
		r := protocol.RequestInfo{Err: class.New()}
		require.Equal(t, known, r.ErrorKnown())
	}
}

// TestMessagesAreCountedBeforeCompression sends more than a frame compresses.
func TestMessagesAreCountedBeforeCompression(t *testing.T) {
	server := newWatcher("s")
	a, b, err := protocol.Pair(t.Context(), watchedService{}, nil, &protocol.Config{Compress: true, Hooks: server.hooks()})
	require.NoError(t, err)
	_, err = b.Root().CallMethod(t.Context(), "nothing", strings.Repeat("x", 100_000))
	require.Error(t, err)
	require.NoError(t, b.Close())
	<-a.Done()
	for _, r := range server.ended(t, 3) { // the root's, the call's on both sides
		if r.Method == "nothing" {
			require.Greater(t, max(r.BytesIn, r.BytesOut), 100_000)
		}
	}
}

// TestHooksChangeTheContext has two hooks put something into the context of a handler, and of what it calls.
func TestHooksChangeTheContext(t *testing.T) {
	client, first, second := newWatcher("c"), newWatcher("1"), newWatcher("2")
	c := watchedPair(t, client, first, second)
	ctx := context.WithValue(t.Context(), hookKey{}, "own ")
	v, err := c.Root().CallMethod(ctx, "trail")
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{"12", true}, v)
	client.ended(t, 2)
	require.Equal(t, []string{"c opened", "c calls", "c calls", "c called own cc", "c called own c"}, client.lines(),
		"the request for the root stands in the call that needs it")
	require.Equal(t, []string{"1 opened", "1 serves", "1 served 1"}, first.lines())
	require.Equal(t, []string{"2 opened", "2 serves", "2 served 12"}, second.lines())

	n, err := netref.Call[int](ctx, c.Root(), "call_back", func(ctx context.Context, n int) (int, error) {
		trail, _ := ctx.Value(hookKey{}).(string)
		return n + len(trail), nil
	})
	require.NoError(t, err)
	require.Equal(t, 21, n, "the callback has the context of the client's hook")
	require.Equal(t, []string{"1 serves", "1 calls", "1 called 121", "1 served 1"}, first.lines())
	require.Equal(t, []string{"2 serves", "2 calls", "2 called 1212", "2 served 12"}, second.lines())

	require.NoError(t, c.Close())
	<-c.Done()
	require.Equal(t, []string{"c calls", "c serves", "c served c", "c called own c", "c closed"}, client.lines())
}

// TestHookEndsAHandler has a hook give a handler a deadline.
func TestHookEndsAHandler(t *testing.T) {
	client, server := newWatcher("c"), newWatcher("s")
	server.work = func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancelCause(ctx)
		cancel(vinegar.InterruptedError.New("hook"))
		return ctx
	}
	c := watchedPair(t, client, server)
	_, err := c.Root().CallMethod(t.Context(), "forever")
	require.ErrorIs(t, err, vinegar.InterruptedError)
	require.Equal(t, "InterruptedError", server.ended(t, 1)[0].ErrorClass())
}

// TestHooksOfAsynchronousRequests are told when the answer has come, and when there is none.
func TestHooksOfAsynchronousRequests(t *testing.T) {
	client, server := newWatcher("c"), newWatcher("s")
	c := watchedPair(t, client, server)
	ctx := t.Context()
	require.NoError(t, c.Request(ctx, nil, wire.HandleGetAttr, c.Root(), "add"))
	client.ended(t, 2)
	for _, row := range []struct{ method, class string }{{"trail", ""}, {"fail", "KeyError"}} {
		_, err := c.Start(ctx, wire.HandleCallAttr, c.Root(), row.method, brine.Tuple{})
		require.NoError(t, err)
		got := client.ended(t, 1)[0]
		require.Equal(t, row.method, got.Method)
		require.Equal(t, row.class, got.ErrorClass())
	}
	_, err := c.Start(ctx, wire.HandleCallAttr, c.Root(), "forever", brine.Tuple{})
	require.NoError(t, err)
	_ = c.CloseNow()
	require.Equal(t, "EOFError", client.ended(t, 1)[0].ErrorClass())
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = c.Start(cancelled, wire.HandleCallAttr, c.Root(), "add", brine.Tuple{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, client.ended(t, 1)[0].Err, context.Canceled)
}

// TestPanicsOfHooksAreLogged and the request goes on.
func TestPanicsOfHooksAreLogged(t *testing.T) {
	client, server := newWatcher("c"), newWatcher("s")
	server.work = func(context.Context) context.Context { panic("hook") }
	c := watchedPair(t, client, server)
	n, err := netref.Call[int](t.Context(), c.Root(), "add", 1, 2)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, "add", server.ended(t, 1)[0].Method)
}

// TestHooksSeeWhatCPythonCalls has CPython read a method and call it then, which is how it calls one that it has kept,
// and be called.
func TestHooksSeeWhatCPythonCalls(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	server := newWatcher("s")
	port := serveOne(t, watchedService{}, &protocol.Config{Hooks: server.hooks()})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, python, "testdata/hooks.py", "call", port).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "OK\n", string(out))
	var got []string
	for range 9 {
		for _, r := range server.ended(t, 1) {
			got = append(got, strings.Join([]string{r.Op.String(), r.Class, r.Method, r.ErrorClass()}, " "))
		}
	}
	require.Equal(t, []string{
		"GETATTR tests.Watched add ", "CALL tests.Watched add ", "CALL tests.Watched add TypeError",
		"GETATTR tests.Watched call_root ",
		"GETROOT   ", "CALLATTR __main__.ClientService divide ZeroDivisionError", // to CPython
		"CALL tests.Watched call_root ZeroDivisionError",
		"GETATTR tests.Watched missing AttributeError", "GETATTR tests.Watched missing AttributeError",
	}, got)
}

// TestHooksSeeCallsToCPython calls a server of CPython's.
func TestHooksSeeCallsToCPython(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/hooks.py", "serve")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	client := newWatcher("c")
	c, err := protocol.Dial(ctx, "tcp", "127.0.0.1:"+strings.TrimSpace(port), &protocol.Config{Hooks: client.hooks()})
	require.NoError(t, err)
	n, err := netref.Call[int](ctx, c.Root(), "add", 1, 2)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	_, err = c.Root().CallMethod(ctx, "divide", 1, 2)
	require.ErrorIs(t, err, vinegar.ZeroDivisionError)
	n, err = netref.Call[int](ctx, c.Root(), "apply", func(ctx context.Context, n int) int {
		return n + len(ctx.Value(hookKey{}).(string))
	})
	require.NoError(t, err)
	require.Equal(t, 21, n)
	got := client.ended(t, 4)
	var lines []string
	for _, r := range got {
		lines = append(lines, strings.Join([]string{r.Op.String(), r.Class, r.Method, r.ErrorClass()}, " "))
	}
	const root = "__main__.ServerService"
	require.Equal(t, []string{"CALLATTR " + root + " add ", "CALLATTR " + root + " divide ZeroDivisionError"}, lines[:2])
	require.True(t, strings.HasPrefix(lines[2], "CALL builtins.function "), lines[2])
	require.Equal(t, "CALLATTR "+root+" apply ", lines[3])
	require.NoError(t, c.Close())
	<-c.Done()
	require.False(t, errors.Is(c.Err(), context.Canceled))
}

// TestNoHooksCostNothing counts the allocations of a call, on both sides, when nothing observes it. Hooks that are told
// of it take more.
func TestNoHooksCostNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	count := func(h protocol.Hooks) float64 {
		a, b, err := protocol.Pair(context.Background(), nil, watchedService{}, &protocol.Config{Hooks: h})
		require.NoError(t, err)
		defer func() { _ = a.CloseNow(); <-a.Done(); <-b.Done() }()
		return testing.AllocsPerRun(1000, func() { _, _ = netref.Call[int](context.Background(), a.Root(), "add", 1, 2) })
	}
	none := count(protocol.Hooks{})
	require.LessOrEqual(t, none, 6.0, "what a call has taken before there were hooks")
	require.Greater(t, count(protocol.Hooks{Call: []protocol.CallHook{quiet{}}}), none)
}

type quiet struct{}

func (quiet) CallBegin(context.Context, *protocol.RequestInfo) context.Context { return nil }
func (quiet) CallEnd(context.Context, *protocol.RequestInfo)                   {}

// TestQueuedCountsRequestsThatHaveNotBegun has three requests come while one runs.
func TestQueuedCountsRequestsThatHaveNotBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b, err := protocol.Pair(context.Background(), nil, watchedService{}, nil)
		require.NoError(t, err)
		_, err = netref.Call[int](t.Context(), a.Root(), "add", 1, 2)
		require.NoError(t, err)
		for range 4 {
			_, err := a.Start(t.Context(), wire.HandleCallAttr, a.Root(), "forever", brine.Tuple{})
			require.NoError(t, err)
		}
		time.Sleep(time.Second) // of the bubble: until another goroutine reads than the one that runs the handler
		synctest.Wait()
		require.Equal(t, 3, b.Queued())
		_ = a.CloseNow()
		_ = b.CloseNow()
		<-a.Done()
		<-b.Done()
	})
}
