package exposed_test

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// TestNilMapIsMadeOnce: views that were taken while the variable was nil, and calls afterwards, are about one map with
// one lock. The runtime ends a process that writes a map while it reads it.
func TestNilMapIsMadeOnce(t *testing.T) {
	for range 20 {
		var entries map[string]int
		view, err := callPublic(&entries, "keys")
		require.NoError(t, err)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for j := range 100 {
					_, err := callPublic(&entries, "__setitem__", fmt.Sprint(i, j), int64(j))
					require.NoError(t, err)
					_, err = callPublic(view, "__contains__", "x")
					require.NoError(t, err)
				}
			})
		}
		all.Wait()
		n, err := callPublic(view, "__len__")
		require.NoError(t, err)
		require.EqualValues(t, 400, n)
		require.Len(t, entries, 400)
	}
	var empty map[string]int
	_, err := callPublic(empty, "__setitem__", "a", int64(1))
	require.ErrorIs(t, err, vinegar.TypeError)
}

// TestPopitemOfNaN ends: a NaN, which is not found, is the last key.
func TestPopitemOfNaN(t *testing.T) {
	for name, d := range map[string]any{"exposed.Dict": exposed.NewDict(), "pickle.Dict": new(pickle.Dict),
		"map[float64]int": map[float64]int{}, "map[any]any": map[any]any{}} {
		_, err := callPublic(d, "__setitem__", math.NaN(), int64(1))
		require.NoError(t, err, name)
		_, err = callPublic(d, "popitem")
		require.ErrorIs(t, err, vinegar.KeyError, name)
		_, err = callPublic(d, "clear")
		require.NoError(t, err, name)
		n, err := callPublic(d, "__len__")
		require.NoError(t, err, name)
		require.EqualValues(t, 0, n, name)
	}
}

// TestFailedEntriesCostNothing: a key that a dict refuses is not counted.
func TestFailedEntriesCostNothing(t *testing.T) {
	budget := exposed.NewBudget(4 << 20)
	ctx := exposed.WithBudget(t.Context(), budget)
	d := new(pickle.Dict)
	all := &exposed.Policy{AllowAll: true}
	for range 20 {
		_, err := callOn(ctx, all, d, "__setitem__", func() {}, make([]byte, 1<<20))
		require.ErrorIs(t, err, vinegar.TypeError)
	}
	_, err := callOn(ctx, all, d, "__setitem__", "a", make([]byte, 2<<20))
	require.NoError(t, err)
}
