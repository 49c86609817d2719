package protocol

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
)

type recorder struct {
	mu    sync.Mutex
	seen  []string
	came  chan struct{}
	leave chan struct{}
}

// Note notes what it is told; the first time it waits.
func (r *recorder) Note(what string) {
	r.mu.Lock()
	first := len(r.seen) == 0
	r.seen = append(r.seen, what)
	r.mu.Unlock()
	if first {
		close(r.came)
		<-r.leave
	}
}

// TestWorkerBatches queues requests of two connections for one worker: it runs two of the first connection, as it was
// told, before it turns to the second.
func TestWorkerBatches(t *testing.T) {
	r := &recorder{came: make(chan struct{}), leave: make(chan struct{})}
	cfg := &Config{Workers: NewWorkers(1, 2, false)}
	ctx := t.Context()
	a, sa, err := Pair(ctx, nil, r, cfg)
	require.NoError(t, err)
	b, sb, err := Pair(ctx, nil, r, cfg)
	require.NoError(t, err)
	var results []*netref.AsyncResult
	ask := func(c *Conn, what string) {
		res, err := c.Root().CallMethodAsync(ctx, "note", what)
		require.NoError(t, err)
		results = append(results, res)
	}
	eventually := func(what string, ready func() bool) {
		require.Eventually(t, ready, 30*time.Second, time.Millisecond, what)
	}
	ask(a, "a1")
	<-r.came
	require.Equal(t, 1, cfg.Workers.Busy())
	for _, what := range []string{"a2", "a3", "a4", "a5"} {
		ask(a, what)
	}
	// Each call is three requests; those of a that matter are queued one behind the other.
	eventually("requests of a", func() bool { l := sa.lock(); defer l.unlock(); return l.turns.queued >= 4 })
	ask(b, "b1")
	eventually("request of b", func() bool {
		w := cfg.Workers
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.waiting.len() == 1
	})
	close(r.leave)
	for _, res := range results {
		_, err := netref.Await[any](ctx, res)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"a1", "a2", "b1", "a3", "a4", "a5"}, r.seen)
	for _, c := range []*Conn{a, b} {
		require.NoError(t, c.Close())
	}
	for _, c := range []*Conn{a, sa, b, sb} {
		<-c.Done()
	}
	require.Zero(t, cfg.Workers.Busy())
	require.NoError(t, context.Cause(ctx))
}
