package shadow

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// store takes and gives long texts; longer is what the one that is asked adds.
type store struct{ longer int }

func (s store) Get(n int) []byte        { return make([]byte, n+s.longer) }
func (s store) Put(data []byte) int     { return len(data) }
func (s store) Ask(f func() string) int { return len(f()) }

const tooMuch = maxCompared + 1<<20

// What is too long to be compared passes, and what comes before and behind it is compared.
func TestLongMessages(t *testing.T) {
	use := func(ctx context.Context, root *netref.Object) {
		for _, n := range []int{10, tooMuch, 20} {
			data, err := netref.Call[[]byte](ctx, root, "get", n)
			require.NoError(t, err)
			require.Len(t, data, n)
			size, err := netref.Call[int](ctx, root, "put", make([]byte, n))
			require.NoError(t, err)
			require.Equal(t, n, size)
			size, err = netref.Call[int](ctx, root, "ask", func() string { return string(make([]byte, n)) })
			require.NoError(t, err)
			require.Equal(t, n, size)
		}
	}
	p := through(t, Options{Old: serve(t, store{}), New: serve(t, store{}), All: true}, 0, use)
	s := p.Report.snapshot()
	require.Empty(t, s.Differences)
	require.Equal(t, 1, s.Counts[dropped], "the request that is too long")
	require.Equal(t, 2, s.Skipped[tooLong], "the answer to get, and the call whose callback was answered so")
	times := map[string]int{}
	for _, l := range s.Latencies {
		times[l.Method] = l.Calls
	}
	require.Equal(t, map[string]int{"get()": 2, "put()": 2, "ask()": 2}, times)
	require.Zero(t, p.queued.Load())

	p = through(t, Options{Old: serve(t, store{}), New: serve(t, store{longer: tooMuch}), All: true}, 0,
		func(ctx context.Context, root *netref.Object) {
			_, err := netref.Call[[]byte](ctx, root, "get", 1)
			require.NoError(t, err)
		})
	s = p.Report.snapshot()
	require.Len(t, s.Differences, 1)
	require.Equal(t, "more than 16 MiB", s.Differences[0].New)
}

// A message that is short only as long as it is compressed is not kept either.
func TestCompressedMessages(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := New(Options{Old: serve(t, store{}), New: serve(t, store{}), All: true}, 0)
	served := make(chan error, 1)
	go func() { served <- p.Serve(t.Context(), l) }()
	c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), &protocol.Config{Compress: true})
	require.NoError(t, err)
	for _, n := range []int{1 << 20, tooMuch, 1} {
		size, err := netref.Call[int](t.Context(), c.Root(), "put", make([]byte, n))
		require.NoError(t, err)
		require.Equal(t, n, size)
	}
	require.NoError(t, c.Close())
	require.NoError(t, l.Close())
	require.NoError(t, <-served)
	s := p.Report.snapshot()
	require.Empty(t, s.Differences)
	require.Equal(t, 2, s.Latencies[0].Calls)
}

// All clients together have a budget, which is given back.
func TestMemoryIsBounded(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	hangs := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", silent.Addr().String())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := New(Options{Old: serve(t, store{}), New: hangs, All: true, Memory: 1 << 20, Patience: time.Second}, 0)
	served := make(chan error, 1)
	go func() { served <- p.Serve(t.Context(), l) }()
	for range 5 {
		c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
		require.NoError(t, err)
		defer c.Close()
		for range 20 {
			_, err := netref.Call[int](t.Context(), c.Root(), "put", make([]byte, 100_000))
			require.NoError(t, err)
			_, err = netref.Call[[]byte](t.Context(), c.Root(), "get", 100_000)
			require.NoError(t, err)
			require.LessOrEqual(t, p.queued.Load(), int64(1<<20+100*eventBytes))
		}
		require.NoError(t, c.Close())
	}
	require.NoError(t, l.Close())
	require.NoError(t, <-served)
	require.Positive(t, p.Report.snapshot().Counts[dropped])
	require.Zero(t, p.queued.Load())
}

// faulty is a connection in whose use a fault shows.
type faulty struct{ net.Conn }

func (faulty) Write([]byte) (int, error) { panic("a fault") }

// A fault in the comparison ends that of one client, and nothing else.
func TestFaultsOfTheComparison(t *testing.T) {
	open := serve(t, store{})
	p := through(t, Options{Old: serve(t, store{}), All: true, New: func(ctx context.Context) (net.Conn, error) {
		c, err := open(ctx)
		return faulty{c}, err
	}}, 0, func(ctx context.Context, root *netref.Object) {
		for range 10 {
			_, err := netref.Call[[]byte](ctx, root, "get", 3)
			require.NoError(t, err)
		}
	})
	s := p.Report.snapshot()
	require.Equal(t, 1, s.Counts[failed])
	require.Contains(t, s.Faults[0], "a fault")
	require.Zero(t, p.queued.Load())
}
