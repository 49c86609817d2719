package frame

import (
	"bytes"
	"io"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClassesHoldWhatTheyAreFor(t *testing.T) {
	for k := smallestPooled; k <= largestPooled; k++ {
		size := classSize(k - smallestPooled)
		require.Equal(t, 1<<k+1<<(k-3), size)
		for _, n := range []int{1 << k, 1<<k + 100, size} {
			require.Equal(t, k-smallestPooled, classFor(n), "%d bytes", n)
		}
		require.Equal(t, k-smallestPooled+1, classFor(size+1))
	}
	require.Zero(t, classFor(0))
	require.Equal(t, 300<<20, cap(NewLong(300<<20)), "too long to be kept")
}

func TestExtendKeepsWhatThereIs(t *testing.T) {
	b := Extend([]byte("head"), 1<<20)
	require.Equal(t, "head", string(b))
	require.GreaterOrEqual(t, cap(b), 4+1<<20)
	again := Extend(b, 1<<20)
	require.Same(t, &b[0], &again[0])
	short := make([]byte, 3, 4)
	require.Equal(t, 4, cap(Extend(short, 100)), "short values are append's")
}

// allocated returns how many bytes f allocates when it has been called before and nothing is collected.
func allocated(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // pools keep something for each processor
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestALongBodyIsAllocatedOnce reads bodies that are a little longer than a power of two. Under the race detector pools
// drop some of what they are given.
func TestALongBodyIsAllocatedOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random")
	}
	for _, n := range []int{64<<10 + 60, 256<<10 + 60, 1<<20 + 60, 4<<20 + 60, 16<<20 + 60} {
		stream := rawFrame(0, make([]byte, n), '\n')
		got := allocated(func() {
			b, err := NewReader(bytes.NewReader(stream), Limits{MaxFrame: int64(n)}).Next()
			require.NoError(t, err)
			require.Len(t, b.Payload, n)
			require.True(t, b.Owned())
		})
		require.Less(t, got, uint64(n+n/16+64<<10), "a body of %d bytes", n)
	}
}

// TestAnInflatedBodyIsAllocatedOnce is the same for compressed ones, of which nothing tells how long they will be.
func TestAnInflatedBodyIsAllocatedOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random")
	}
	const n = 3 << 20
	stream := rawFrame(1, zlibOf(lcg(n)), '\n')
	got := allocated(func() {
		b, err := NewReader(bytes.NewReader(stream), Limits{}).Next()
		require.NoError(t, err)
		require.Len(t, b.Payload, n)
	})
	require.Less(t, got, uint64(n+n/16+64<<10))
}

// TestOwnedBodiesAreNotUsedAgain looks for one piece of memory in two bodies.
func TestOwnedBodiesAreNotUsedAgain(t *testing.T) {
	const n = classAndMore
	stream := bytes.Repeat(rawFrame(0, lcg(n), '\n'), 5)
	r := NewReader(bytes.NewReader(stream), Limits{})
	held := map[*byte]bool{}
	for {
		b, err := r.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		first := &b.Payload[0]
		require.False(t, held[first])
		held[first] = true
		b.Release()
		FreeLong(NewLong(n))
	}
}

// classAndMore is the length of a class, so that memory of a body's own looks like the pool's.
const classAndMore = 9 << (20 - 3)
