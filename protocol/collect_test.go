package protocol

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
)

// keeping keeps what it is given, or not.
type keeping struct {
	mu   sync.Mutex
	kept []any
}

func (k *keeping) Keep(x any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, x)
}

func (*keeping) Quick() {}

func (*keeping) Sum(ctx context.Context, numbers []int) (n int) {
	for _, x := range numbers {
		n += x
	}
	return n
}

// collections runs f in a bubble, on a connection to a keeping service, and returns how many collections that led to,
// each of which takes cost, as far as the collector can tell.
func collections(t *testing.T, cfg *Config, cost time.Duration, f func(t *testing.T, root *netref.Object)) (n int) {
	t.Helper()
	require.Eventually(t, func() bool { // those of other tests
		collector.Lock()
		defer collector.Unlock()
		return !collector.active
	}, time.Minute, time.Millisecond)
	reset := func() {
		collector.keptPause = 0
		collector.keptDue.Store(0)
	}
	measured := collectCost
	defer func() {
		collectCost = measured
		reset()
	}()
	collectCost = func() time.Duration {
		measured()
		return cost
	}
	before := collector.generation.Load()
	synctest.Test(t, func(t *testing.T) {
		reset()
		client, server, err := Pair(context.Background(), nil, &keeping{}, cfg)
		require.NoError(t, err)
		f(t, client.Root())
		_ = client.CloseNow()
		<-server.Done()
		time.Sleep(time.Hour) // the collector goes to sleep
		n = int(collector.generation.Load() - before)
	})
	return n
}

// TestKeptObjectsForceFewCollections keeps an object of the peer and serves requests for ten minutes. Collections may
// take a fiftieth of a processor, and where nothing is found a thousandth, unless they come every two minutes; small
// heaps are looked at every second.
func TestKeptObjectsForceFewCollections(t *testing.T) {
	const all = 10 * time.Minute
	for _, cost := range []time.Duration{0, 10 * time.Millisecond, time.Second, 10 * time.Second} {
		n := collections(t, nil, cost, func(t *testing.T, root *netref.Object) {
			_, err := root.CallMethod(t.Context(), "keep", func() {})
			require.NoError(t, err)
			for range all / (time.Second / 2) {
				time.Sleep(time.Second / 2)
				_, err := root.CallMethod(t.Context(), "quick")
				require.NoError(t, err)
			}
		})
		pause := max(time.Second, min(keptShare*cost, 2*time.Minute), collectShare*cost)
		most := float64(all) / float64(pause)
		require.LessOrEqual(t, float64(n), most+10, "each takes %v", cost)
		require.GreaterOrEqual(t, float64(n), most/2, "each takes %v", cost)
	}
}

// TestNewObjectsForceACollectionEach hands an object over every minute.
func TestNewObjectsForceACollectionEach(t *testing.T) {
	hand := func(t *testing.T, root *netref.Object) {
		for range 5 {
			_, err := root.CallMethod(t.Context(), "keep", func() {})
			require.NoError(t, err)
			time.Sleep(time.Minute)
		}
	}
	require.Equal(t, 5, collections(t, nil, time.Millisecond, hand))
	require.Zero(t, collections(t, &Config{NoCollect: true}, time.Millisecond, hand))
}

// TestKeptObjectsAreMissedLater drops an object a moment after it has survived a collection, and asks for nothing after
// that.
func TestKeptObjectsAreMissedLater(t *testing.T) {
	require.Equal(t, 2, collections(t, nil, time.Millisecond, func(t *testing.T, root *netref.Object) {
		_, err := root.CallMethod(t.Context(), "keep", func() {})
		require.NoError(t, err)
		time.Sleep(time.Second / 2)
		_, err = root.CallMethod(t.Context(), "quick")
		require.NoError(t, err)
		time.Sleep(time.Minute)
	}))
}

// TestValuesForceNoCollection hands lists over that become slices of the handler's.
func TestValuesForceNoCollection(t *testing.T) {
	require.Zero(t, collections(t, nil, time.Millisecond, func(t *testing.T, root *netref.Object) {
		for range 100 {
			n, err := netref.Call[int](t.Context(), root, "sum", []int{1, 2, 3})
			require.NoError(t, err)
			require.Equal(t, 6, n)
			// the second has come when the first returns
			first, err := root.CallMethodAsync(t.Context(), "sum", []int{1, 2, 3})
			require.NoError(t, err)
			second, err := root.CallMethodAsync(t.Context(), "sum", []int{1, 2, 3, 4})
			require.NoError(t, err)
			for _, r := range []*netref.AsyncResult{first, second} {
				_, err = r.Wait(t.Context())
				require.NoError(t, err)
			}
			time.Sleep(time.Second)
		}
	}))
}
