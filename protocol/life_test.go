package protocol_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestAfterDone is about funcs to be called at the end, and after it.
func TestAfterDone(t *testing.T) {
	c, _ := scripted(t, nil, nil)
	called := make(chan string, 2)
	c.AfterDone(func() {
		select {
		case <-c.Done():
			called <- "at the end"
		default:
			called <- "too early"
		}
	})
	require.NoError(t, c.CloseNow())
	require.Equal(t, "at the end", <-called)
	c.AfterDone(func() { called <- "after it" })
	require.Equal(t, "after it", <-called)
}

// careless panics wherever it is called back.
type careless struct{}

func (*careless) OnDisconnect(*protocol.Conn) { panic("in OnDisconnect") }

func (*careless) Give() *dropping { return &dropping{n: 1} }

type dropping struct{ n int }

func (*dropping) PyDrop() { panic("in PyDrop") }

// TestPanicsInHooksAreLogged checks that the process survives them.
func TestPanicsInHooksAreLogged(t *testing.T) {
	var log syncWriter
	c, p := scripted(t, &careless{}, &protocol.Config{Logger: slog.New(slog.NewTextHandler(&log, nil)), Name: "the one"})
	root := p.root()
	p.call(int64(1), root, "give")
	m := p.next()
	given := m.body.(brine.Tuple)[1]
	p.request(int64(2), wire.HandleDel, yours(given), val(1))
	p.expect("REPLY 2 None")
	p.call(int64(3), root, "give") // after the drop, in turn
	p.next()
	p.alive()
	_ = p.rw.Close()
	<-c.Done()
	require.Contains(t, log.String(), "in PyDrop")
	require.Contains(t, log.String(), "in OnDisconnect")
	require.Contains(t, log.String(), `"the one"`)
}

// failing has handlers that fail in the ways that are logged differently.
type failing struct{}

func (failing) Panic() { panic("in a handler") }

func (failing) Index(x []int) int { return x[len(x)] }

func (failing) Raise() error { return vinegar.KeyError.New("in order") }

func (failing) Stop() error { return vinegar.StopIteration.New() }

// TestHandlersAreLogged checks that a panic, which the peer alone would see otherwise, is an error with its place in
// the log, and that what RPyC logs for debugging is.
func TestHandlersAreLogged(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		var log syncWriter
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
		a, b, err := protocol.Pair(t.Context(), nil, failing{}, &protocol.Config{Logger: logger, Name: "the one"})
		require.NoError(t, err)
		for _, name := range []string{"panic", "raise", "stop"} {
			_, err = a.Root().CallMethod(t.Context(), name)
			require.Error(t, err)
		}
		_, err = netref.Call[int](t.Context(), a.Root(), "index", brine.Tuple{int64(1)})
		require.ErrorIs(t, err, vinegar.IndexError)
		require.NoError(t, a.Close())
		<-a.Done()
		<-b.Done()
		text := log.String()
		require.Equal(t, 2, strings.Count(text, "level=ERROR"), text)
		require.Contains(t, text, "in a handler")
		require.Contains(t, text, "life_test.go")
		require.Contains(t, text, "index out of range")
		require.Equal(t, level == slog.LevelDebug, strings.Contains(text, "in order"), text)
		require.NotContains(t, text, "StopIteration")
	}
}

// TestDropsAreTold checks that objects learn of the end of their last reference, by DEL or with the connection.
func TestDropsAreTold(t *testing.T) {
	s := &dropService{dropped: make(chan int, 8)}
	c, p := scripted(t, s, nil)
	root := p.root()
	var given []any
	for i := range 3 {
		p.call(int64(i), root, "give", val(i))
		given = append(given, p.next().body.(brine.Tuple)[1])
	}
	p.call("again", root, "again")
	require.Equal(t, given[2], p.next().body.(brine.Tuple)[1])
	p.request(int64(10), wire.HandleDel, yours(given[1]), val(1))
	require.Equal(t, 1, <-s.dropped)
	p.request(int64(11), wire.HandleDel, yours(given[2]), val(1)) // one reference is left
	_ = p.rw.Close()
	<-c.Done()
	require.ElementsMatch(t, []int{0, 2}, []int{<-s.dropped, <-s.dropped})
	require.Empty(t, s.dropped)
}

// TestMethodsKeepTheirObject gives objects back of which the peer has methods: they learn of it with the last of these.
func TestMethodsKeepTheirObject(t *testing.T) {
	s := &dropService{dropped: make(chan int, 8)}
	c, p := scripted(t, s, nil)
	var given, methods []any
	for i := range 2 {
		p.call(int64(i), p.root(), "give", val(i))
		given = append(given, p.next().body.(brine.Tuple)[1])
		for range 2 {
			p.request(int64(10), wire.HandleGetAttr, yours(given[i]), val("number"))
			methods = append(methods, p.next().body.(brine.Tuple)[1])
		}
		p.request(int64(20), wire.HandleDel, yours(given[i]), val(1))
		p.next()
	}
	p.request(int64(30), wire.HandleDel, yours(methods[0]), val(1))
	p.next()
	p.request(int64(31), wire.HandleCall, yours(methods[1]), val(brine.Tuple{}), val(brine.Tuple{}))
	require.Equal(t, val(int64(0)), p.next().body)
	require.Empty(t, s.dropped)
	p.request(int64(32), wire.HandleDel, yours(methods[1]), val(1))
	require.Equal(t, 0, <-s.dropped)
	_ = p.rw.Close()
	<-c.Done()
	require.Equal(t, 1, <-s.dropped)
	require.Empty(t, s.dropped)
}

// TestDropsAreToldInTurn gives an object back while a handler runs: it is told when that has returned, and before the
// next request is begun.
func TestDropsAreToldInTurn(t *testing.T) {
	s := &dropService{dropped: make(chan int, 8), gate: make(chan struct{})}
	_, p := scripted(t, s, nil)
	root := p.root()
	p.call(int64(1), root, "give", val(7))
	given := p.next().body.(brine.Tuple)[1]
	p.call(int64(2), root, "wait")
	p.request(int64(3), wire.HandleDel, yours(given), val(1))
	p.call(int64(4), root, "told")
	require.Equal(t, int64(3), p.next().seq)
	p.alive()
	require.Empty(t, s.dropped, "the handler has not returned")
	close(s.gate)
	require.Equal(t, int64(2), p.next().seq)
	require.Equal(t, val(int64(1)), p.next().body, "objects told before this request")
}

// TestQueuedRequestsEndWithTheirPeer hangs up while requests are queued behind a handler, or wait for a worker: they
// are not carried out.
func TestQueuedRequestsEndWithTheirPeer(t *testing.T) {
	for _, workers := range []*protocol.Workers{nil, protocol.NewWorkers(1, 1, false)} {
		s := &dropService{dropped: make(chan int, 8), gate: make(chan struct{})}
		c, p := scripted(t, s, &protocol.Config{Workers: workers})
		other, q := scripted(t, s, &protocol.Config{Workers: workers})
		root := p.root()
		p.call(int64(1), root, "wait")
		for i := range 5 {
			p.call(int64(2+i), root, "run")
		}
		p.alive() // all of them have been read
		if workers != nil {
			require.Eventually(t, func() bool { return workers.Busy() == 1 }, 30*time.Second, time.Millisecond)
			q.call(int64(1), q.root(), "run")
			q.alive()
		}
		_ = other.CloseNow()
		_ = p.rw.Close()
		for c.Err() == nil { // until the end has been read
			runtime.Gosched()
		}
		close(s.gate)
		<-c.Done()
		<-other.Done()
		require.Empty(t, s.dropped)
	}
}

// TestUnsentObjectsAreDropped has an answer that cannot be sent because its second object exceeds a limit: the first
// one is told that nobody holds it.
func TestUnsentObjectsAreDropped(t *testing.T) {
	s := &dropService{dropped: make(chan int, 8)}
	c, p := scripted(t, s, &protocol.Config{Limits: protocol.Limits{Exports: 2}})
	p.call(int64(1), p.root(), "pair")
	p.expectException(int64(1), "builtins.OverflowError")
	require.Equal(t, 1, <-s.dropped)
	require.Equal(t, 1, c.Exported(), "the root")
}

type dropService struct {
	dropped chan int
	gate    chan struct{}
	last    *told
}

func (s *dropService) Wait() { <-s.gate }

func (s *dropService) Run() { s.dropped <- 0 }

func (s *dropService) Told() int { return len(s.dropped) }

func (s *dropService) Pair() brine.Tuple { return brine.Tuple{&told{s, 1}, &told{s, 2}} }

func (s *dropService) Give(n int) *told { s.last = &told{s, n}; return s.last }

func (s *dropService) Again() *told { return s.last }

type told struct {
	s *dropService
	n int
}

func (d *told) PyDrop() { d.s.dropped <- d.n }

func (d *told) Number() int { return d.n }

// TestWhatExceptionsCarry sends arguments that brine cannot carry: their repr goes instead.
func TestWhatExceptionsCarry(t *testing.T) {
	_, p := scripted(t, raiser{}, nil)
	p.call(int64(1), p.root(), "fail")
	m := p.expectException(int64(1), "builtins.ValueError")
	require.Equal(t, brine.Tuple{int64(1), "[1, 'a']"}, m.body.(brine.Tuple)[1])
}

type raiser struct{}

func (raiser) Fail() error { return vinegar.ValueError.New(1, exposed.NewList(1, "a")) }

// writes records how bytes are divided among calls of Write.
type writes struct {
	io.ReadWriteCloser
	single bool
	mu     sync.Mutex
	sizes  []int
}

func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	for rest := b; len(rest) > 0; {
		n := 6 + int(binary.BigEndian.Uint32(rest))
		w.sizes = append(w.sizes, n)
		rest = rest[n:]
		if w.single && len(rest) > 0 {
			w.sizes = append(w.sizes, -1)
		}
	}
	w.mu.Unlock()
	return w.ReadWriteCloser.Write(b)
}

func (w *writes) OneFramePerWrite() bool { return w.single }

// TestOneFramePerWrite floods a stream that carries records.
func TestOneFramePerWrite(t *testing.T) {
	near, far := transport.Pipe()
	w := &writes{ReadWriteCloser: far, single: true}
	client, err := protocol.NewConn(context.Background(), near, nil, &protocol.Config{Dialect: wire.FamilyD})
	require.NoError(t, err)
	server, err := protocol.NewConn(context.Background(), w, &service{}, nil)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				n, err := netref.Call[int](t.Context(), client.Root(), "add", g, i)
				if err != nil || n != g+i {
					t.Error(n, err)
				}
			}
		})
	}
	wg.Wait()
	_ = client.Close()
	<-server.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotContains(t, w.sizes, -1, "two frames in one write")
	require.GreaterOrEqual(t, len(w.sizes), 800)
}

// TestTLS speaks TLS, as it is and with messages of all sizes.
func TestTLS(t *testing.T) {
	cert, pool := certificate(t)
	near, far := tcp(t)
	client := tls.Client(near, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12})
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	s, err := protocol.NewConn(context.Background(), server, &service{}, nil)
	require.NoError(t, err)
	c, err := protocol.NewConn(context.Background(), client, nil, &protocol.Config{Dialect: wire.FamilyD})
	require.NoError(t, err)
	for _, n := range []int{0, 1, 100, 16 << 10, 1 << 20} {
		text := strings.Repeat("x", n)
		got, err := netref.Call[string](t.Context(), c.Root(), "echo", text)
		require.NoError(t, err)
		require.Equal(t, text, got)
	}
	require.NoError(t, c.Close())
	<-c.Done()
	<-s.Done()
}

// TestCompress sends large messages deflated, if that is asked for, and leaves small ones alone.
func TestCompress(t *testing.T) {
	for _, compress := range []bool{false, true} {
		c, p := scripted(t, nil, &protocol.Config{Compress: compress})
		for _, n := range []int{10, 2900, 3100, 100_000} {
			blob := bytes.Repeat([]byte("abc"), n/3)
			_, err := c.Start(t.Context(), wire.HandlePing, blob)
			require.NoError(t, err)
			head, err := p.r.Peek(5)
			require.NoError(t, err)
			require.Equal(t, compress && n > 3000, head[4] == 1, n)
			m := p.next()
			require.Equal(t, brine.Tuple{int64(1), brine.Tuple{blob}}, m.body.(brine.Tuple)[1])
		}
	}
}

// TestTraceOfNonsense checks that what cannot be read can be traced.
func TestTraceOfNonsense(t *testing.T) {
	var w syncWriter
	c, p := scripted(t, nil, &protocol.Config{Trace: &w})
	p.write(frameOf([]byte{9, 9}))
	<-c.Done()
	require.True(t, strings.HasPrefix(w.String(), "< MALFORMED "), w.String())
}

func TestErrorsSayWhy(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&protocol.ClosedError{Cause: io.EOF}, "rpyc: connection closed: EOF"},
		{&protocol.ClosedError{Cause: protocol.ErrClosed}, "rpyc: connection closed"},
		{&protocol.TimeoutError{After: 30 * time.Second}, "rpyc: result expired after 30s"},
		{&protocol.LimitError{What: "requests queued", Got: 3, Limit: 2}, "requests queued: 3 exceeds the limit of 2"},
		{&protocol.WrongDialectError{Want: wire.FamilyD, Got: wire.FamilyC},
			"rpyc: the peer speaks protocol family C, not D"},
		{&protocol.PingError{}, "rpyc: ping: echo does not match what was sent"},
	} {
		require.EqualError(t, c.err, c.want)
		require.EqualError(t, fmt.Errorf("x: %w", c.err), "x: "+c.want)
	}
	require.False(t, protocol.SafeToRetry(io.EOF))
	var timeout interface{ Timeout() bool }
	require.ErrorAs(t, &protocol.TimeoutError{}, &timeout)
	require.True(t, timeout.Timeout())
}

// TestPing is about echoes.
func TestPing(t *testing.T) {
	c, p := scripted(t, nil, nil)
	for _, answer := range []struct {
		boxed any
		ok    bool
	}{{nil, true}, {val("another"), false}, {val(5), false}} {
		done := make(chan error, 1)
		go func() {
			_, err := c.Ping(t.Context())
			done <- err
		}()
		m := p.next()
		boxed := answer.boxed
		if boxed == nil {
			boxed = val(m.body.(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)[0])
		}
		p.reply(m.seq, boxed)
		require.Equal(t, answer.ok, <-done == nil)
	}
}
