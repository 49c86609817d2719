package protocol

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// TestItemOfALongArray takes nothing of the array's length.
func TestItemOfALongArray(t *testing.T) {
	a, err := pickle.NewArray(make([]float64, 1<<20))
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	v, err := exposed.GetItem(t.Context(), a, int64(-5))
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, 0.0, v)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}
