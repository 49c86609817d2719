package netref_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// delayed is a stream whose bytes arrive a while after they were written, as those of a network do.
type delayed struct {
	io.ReadWriteCloser
	packets chan packet
	done    chan struct{}
	once    sync.Once
}

type packet struct {
	b    []byte
	when time.Time
}

const oneWay = time.Second

func newDelayed(s io.ReadWriteCloser) *delayed {
	d := &delayed{ReadWriteCloser: s, packets: make(chan packet, 1<<14), done: make(chan struct{})}
	go func() {
		for {
			select {
			case p := <-d.packets:
				select {
				case <-time.After(time.Until(p.when)):
				case <-d.done:
					return
				}
				if _, err := s.Write(p.b); err != nil {
					return
				}
			case <-d.done:
				return
			}
		}
	}()
	return d
}

func (d *delayed) Write(b []byte) (int, error) {
	select {
	case d.packets <- packet{bytes.Clone(b), time.Now().Add(oneWay)}:
		return len(b), nil
	case <-d.done:
		return 0, io.ErrClosedPipe
	}
}

func (d *delayed) Close() error {
	d.once.Do(func() { close(d.done) })
	return d.ReadWriteCloser.Close()
}

// trace counts the requests that a connection sends.
type trace struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *trace) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *trace) requests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.b.String()) {
		if strings.HasPrefix(line, "> ") && strings.Contains(line, "REQUEST") && !strings.Contains(line, "DEL") {
			n++
		}
	}
	l.b.Reset()
	return n
}

// farAway connects to s over a network on which a round trip takes two seconds of a synctest bubble.
func farAway(t *testing.T, s any, public bool) (*netref.Object, *trace) {
	t.Helper()
	sent := &trace{}
	one, two := transport.Pipe()
	cfg := protocol.Config{Dialect: wire.FamilyD, Access: exposed.Policy{AllowPublic: public}}
	server, err := protocol.NewConn(context.Background(), newDelayed(one), s, &cfg)
	require.NoError(t, err)
	cfg.Trace = sent
	client, err := protocol.NewConn(context.Background(), newDelayed(two), nil, &cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = client.CloseNow()
		<-client.Done()
		<-server.Done()
	})
	return client.Root(), sent
}

// store has containers of every depth.
type store struct{}

func numbered(n int) *exposed.List {
	l := exposed.NewList()
	for i := range n {
		l.Append(i)
	}
	return l
}

func table(n int) *exposed.Dict {
	d := exposed.NewDict()
	for i := range n {
		if err := d.Set(context.Background(), fmt.Sprint("k", i), i); err != nil {
			panic(err)
		}
	}
	return d
}

func (store) List() any  { return numbered(10000) }
func (store) Small() any { return table(10) }
func (store) Large() any { return table(500) }

func (store) Rows() any {
	l := exposed.NewList()
	for range 100 {
		l.Append(numbered(10))
	}
	return l
}

func (store) Tables() any {
	l := exposed.NewList()
	for range 40 {
		l.Append(table(10))
	}
	return l
}

func (store) Many() any {
	l := exposed.NewList()
	for range 1000 {
		l.Append(table(10))
	}
	return l
}

func (store) Deep() any { // {"a": [{"b": [1]}]}
	inner := exposed.NewDict()
	_ = inner.Set(context.Background(), "b", exposed.NewList(1))
	outer := exposed.NewDict()
	_ = outer.Set(context.Background(), "a", exposed.NewList(inner))
	return outer
}

func (store) Points() any {
	l := exposed.NewList()
	for i := range 100 {
		l.Append(&point{X: i, Y: -i, Tag: "t"})
	}
	return l
}

// withoutCollector keeps handles from being given back during a test in a synctest bubble: that is done by a goroutine
// outside.
func withoutCollector(t *testing.T) {
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

// TestRoundTrips measures how many round trips a conversion takes, by a clock on which nothing else takes any time, and
// how many requests, by the trace.
func TestRoundTrips(t *testing.T) {
	withoutCollector(t)
	type nested = map[string][]map[string][]int
	for _, c := range []struct {
		method   string
		public   bool
		as       func(ctx context.Context, v any) (any, error)
		rounds   int
		requests int
	}{
		{"list", false, as[[]int], 1, 1},
		{"list", false, as[map[int]struct{}], 1, 1},
		{"list", false, netref.Fetch, 1, 1},
		{"small", false, as[map[string]int], 2, 1 + 10},
		{"small", true, as[map[string]int], 2, 1 + 10},
		{"large", false, as[map[string]int], 3, 1 + 1 + 500}, // one to be told that items() is not for us
		{"large", true, as[map[string]int], 3, 3},
		{"large", true, netref.Fetch, 3, 3},
		{"rows", false, as[[][]int], 2, 1 + 100},
		{"rows", false, as[[100][10]int], 2, 1 + 100},
		{"rows", false, netref.Fetch, 2, 1 + 100},
		{"tables", false, as[[]map[string]int], 3, 1 + 40 + 400 + 1},
		{"tables", false, as[[]struct {
			K0, K9 int
			No     int `rpyc:"-"`
		}], 2, 1 + 80},
		{"tables", false, netref.Fetch, 3, 1 + 40 + 400 + 1},                // one to find out about items()
		{"many", true, as[[]map[string]int], 0, 1 + 512 + 5120 + 1 + 2*488}, // those after the first window by items()
		{"deep", false, as[nested], 6, 6},
		{"deep", false, netref.Fetch, 6, 6},
		{"points", false, as[[]point], 2, 1 + 300},
		{"points", false, as[[]*point], 2, 1 + 300},
	} {
		t.Run(fmt.Sprint(c.method, c.public, c.requests), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				root, sent := farAway(t, store{}, c.public)
				v, err := root.CallMethod(ctx, c.method)
				require.NoError(t, err)
				sent.requests()
				began := time.Now()
				_, err = c.as(ctx, v)
				require.NoError(t, err)
				if c.rounds > 0 {
					require.Equal(t, c.rounds, int(time.Since(began)/(2*oneWay)), "round trips")
				}
				require.Equal(t, c.requests, sent.requests(), "requests")
			})
		})
	}
}

func as[T any](ctx context.Context, v any) (any, error) { return netref.As[T](ctx, v) }

// stuck answers no question about its contents.
type stuck struct{ gate chan struct{} }

func (s *stuck) PyIter() any { <-s.gate; return []int{} }

func (s *stuck) X() int { return 1 }

func (s *stuck) PyGetItem(any) int { <-s.gate; return 1 }

type stuckAttr struct{ gate chan struct{} }

func (s *stuckAttr) PyGetAttr(context.Context, string) (any, error) { <-s.gate; return 1, nil }

type pit struct{ gate chan struct{} }

func (p *pit) Iterable() any { return &stuck{p.gate} }
func (p *pit) Object() any   { return &stuckAttr{p.gate} }

// TestFetchTimesOut converts objects of a peer that does not answer, without a deadline in the context.
func TestFetchTimesOut(t *testing.T) {
	withoutCollector(t)
	for _, c := range []struct {
		method string
		as     func(ctx context.Context, v any) (any, error)
	}{
		{"iterable", as[[]int]}, {"iterable", as[map[int]struct{}]}, {"object", as[struct{ X int }]},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &pit{make(chan struct{})}
			root, _ := farAway(t, p, false)
			v, err := root.CallMethod(t.Context(), c.method)
			require.NoError(t, err)
			began := time.Now()
			_, err = c.as(t.Context(), v)
			var expired *protocol.TimeoutError
			require.ErrorAs(t, err, &expired)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 30*time.Second, time.Since(began))

			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			began = time.Now()
			_, err = c.as(ctx, v)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Minute, time.Since(began), "a deadline of one's own counts")
			close(p.gate)
			require.NotErrorIs(t, err, vinegar.TypeError)
		})
	}
}
