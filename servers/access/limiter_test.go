package access

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestRateOfLimiter: after a burst, requests come at the rate, each waiting for its place; what would wait too long, or
// finds the queue full, is refused at once.
func TestRateOfLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Limit{Rate: 10, Burst: 2, Wait: Duration(250 * time.Millisecond)})
		began := time.Now()
		var mu sync.Mutex
		var entered []time.Duration
		refused := 0
		for range 6 {
			go func() {
				x, err := l.enter(t.Context(), true)
				mu.Lock()
				defer mu.Unlock()
				if err != nil || x != nil {
					refused++
					return
				}
				entered = append(entered, time.Since(began))
			}()
		}
		time.Sleep(refusalTime/2 - time.Millisecond)
		synctest.Wait()
		mu.Lock()
		require.Zero(t, refused, "it takes a while")
		mu.Unlock()
		time.Sleep(refusalTime + 2*time.Millisecond)
		synctest.Wait()
		mu.Lock()
		require.Equal(t, 2, refused, "they would have to wait for 300 ms or more")
		mu.Unlock()
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, entered, 4)
		for i, ms := range []float64{0, 0, 100, 200} {
			require.InDelta(t, ms, float64(entered[i].Milliseconds()), 1)
		}
		require.True(t, l.idle(time.Now()))

		l = newLimiter(Limit{Rate: 10, Burst: 1, Queue: 1})
		_, _ = l.enter(t.Context(), true)
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		ended := make(chan error, 1)
		go func() {
			_, err := l.enter(ctx, true)
			ended <- err
		}()
		synctest.Wait()
		x, err := l.tryEnter(t.Context(), true)
		require.NoError(t, err)
		require.InDelta(t, 200, x.after.Milliseconds(), 1, "when the token after the promised one is there")
		cancel(gone)
		require.ErrorIs(t, <-ended, gone)
		require.False(t, l.idle(time.Now()))
		time.Sleep(100 * time.Millisecond)
		require.True(t, l.idle(time.Now()), "who has gone has given its token back")
		require.Equal(t, 3, newLimiter(Limit{Rate: 2.5}).limit.Burst)
		require.Equal(t, 1, newLimiter(Limit{Rate: 0.1}).limit.Burst)
	})
}

// TestPlacesOfLimiter: places are given in the order in which they were asked for, also where somebody has left the
// queue.
func TestPlacesOfLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Limit{Concurrent: 1, Wait: Duration(time.Minute)})
		x, err := l.enter(t.Context(), true)
		require.NoError(t, err)
		require.Nil(t, x)
		order := make(chan int, 10)
		ask := func(ctx context.Context, n int) {
			go func() {
				x, err := l.enter(ctx, true)
				if x == nil && err == nil {
					order <- n
				} else {
					order <- -n
				}
			}()
			synctest.Wait()
		}
		ctx, cancel := context.WithCancel(t.Context())
		ask(t.Context(), 1)
		ask(ctx, 2)
		ask(t.Context(), 3)
		cancel()
		require.Equal(t, -2, <-order)
		l.leave()
		require.Equal(t, 1, <-order)
		l.leave()
		require.Equal(t, 3, <-order)
		x, err = l.enter(t.Context(), false)
		require.NoError(t, err)
		require.Nil(t, x, "it needs no place")
		ask(t.Context(), 4)
		time.Sleep(2 * time.Minute)
		require.Equal(t, -4, <-order)
		l.leave()
		require.True(t, l.idle(time.Now()))
	})
}

// TestDenialsTakeAWhile: who has no rule has no limit either.
func TestDenialsTakeAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(&Policy{Rules: []Rule{{Who: []string{"ann"}}}})
		require.NoError(t, err)
		began := time.Now()
		_, err = e.current.Load().enter(t.Context(), &protocol.RequestInfo{Op: wire.HandleCallAttr})
		var denied *DeniedError
		require.ErrorAs(t, err, &denied)
		require.InDelta(t, refusalTime, time.Since(began), float64(refusalTime)/2)
	})
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b.c", true}, {"a", "a", true}, {"a", "ab", false},
		{"a*", "abc", true}, {"*c", "abc", true}, {"*b*", "abc", true}, {"*d*", "abc", false}, {"a*c*e", "abcde", true},
		{"a*c*e", "abcdef", false}, {"**a", "ba", true}, {"a**", "a", true}, {"a?c", "abc", false}, {"[a]", "a", false},
		{"*ab", "aab", true}, {"*aab", "aaab", true},
	} {
		require.Equal(t, c.want, glob(c.pattern, c.text), "%q %q", c.pattern, c.text)
	}
}
