package protocol_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// lent is an object that is worth noticing when it is not given back.
type lent struct{ payload [64]byte }

// lender hands things out and takes things in, and keeps none.
type lender struct{}

// Lend makes n things.
func (lender) Lend(n int) brine.Tuple {
	t := make(brine.Tuple, n)
	for i := range t {
		t[i] = new(lent)
	}
	return t
}

// Borrow takes things and forgets them.
func (lender) Borrow(things []any) int { return len(things) }

// References that go through a connection in either direction leave nothing behind: neither side says when it is done
// with an object, the collectors do. GORPYC_REFERENCES sets how many go through; ten million take minutes.
func TestReferencesLeaveNothingBehind(t *testing.T) {
	total := 40_000
	if s := os.Getenv("GORPYC_REFERENCES"); s != "" {
		var err error
		total, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	const batch = 500
	a, b, err := protocol.Pair(t.Context(), lender{}, nil, nil)
	require.NoError(t, err)
	defer func() { _ = b.Close(); <-a.Done() }()
	root := b.Root()

	round := func() {
		things, err := netref.Call[[]any](t.Context(), root, "lend", batch)
		require.NoError(t, err)
		require.Len(t, things, batch)
		n, err := netref.Call[int](t.Context(), root, "borrow", lender{}.Lend(batch))
		require.NoError(t, err)
		require.Equal(t, batch, n)
	}
	settle := func() {
		var empty bool
		for deadline := time.Now().Add(30 * time.Second); !empty && time.Now().Before(deadline); {
			runtime.GC()
			_, err := b.Ping(t.Context()) // what is on its way comes before the answer
			require.NoError(t, err)
			// The root is what stays.
			empty = a.Exported() <= 1 && b.Exported() == 0 && a.Imported() == 0 && b.Imported() <= 1
		}
		require.True(t, empty, "exported %d and %d, imported %d and %d", a.Exported(), b.Exported(),
			a.Imported(), b.Imported())
	}
	heap := func() uint64 {
		settle()
		runtime.GC() // what cleanups let go of while the last collection ran
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}

	for range 10 {
		round()
	}
	before, peak := heap(), 0
	for sent := 0; sent < total; sent += 2 * batch {
		round()
		peak = max(peak, a.Exported()+b.Exported())
	}
	after := heap()
	t.Logf("%d references: heap %d KiB before, %d KiB after; at most %d exported at a time", total, before>>10,
		after>>10, peak)
	require.Less(t, after, before+8<<20, "the heap grew")
	require.Less(t, peak, 500_000, "references pile up while the connection is busy")
}
