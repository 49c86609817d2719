package pickle_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// TestDictForgets: keys that were looked up, or have been deleted, are not remembered.
func TestDictForgets(t *testing.T) {
	var d pickle.Dict
	long := strings.Repeat("x", 1<<20)
	kept := brine.Tuple{"kept", brine.FrozenSet{int64(1), "a"}}
	require.NoError(t, d.Set(kept, 1))
	before := heap()
	for i := range 64 {
		text := fmt.Sprint(i, long)
		for _, key := range []any{text, brine.Tuple{1, text}, brine.FrozenSet{text}, &i} {
			_, ok := d.Get(key)
			require.False(t, ok)
			require.False(t, d.Delete(key))
		}
		key := brine.Tuple{text}
		require.NoError(t, d.Set(key, i))
		v, ok := d.Get(key)
		require.True(t, ok)
		require.Equal(t, i, v)
		require.True(t, d.Delete(key))
	}
	require.Less(t, heap(), before+8<<20)
	v, ok := d.Get(kept)
	require.True(t, ok)
	require.Equal(t, 1, v)
	d.Clear()
	_, ok = d.Get(kept)
	require.False(t, ok)
	require.Zero(t, d.Len())
	runtime.KeepAlive(long)
}

func heap() uint64 {
	var m runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
