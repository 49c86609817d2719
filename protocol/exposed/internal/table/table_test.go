package table_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/table"
)

// object is a key that is no plain value; n says what it is equal to.
type object struct{ n int64 }

type equality struct{ asked int }

func (*equality) Same(a, b any) bool { return a == b }

func (e *equality) Equal(_ context.Context, a, b any) (bool, error) {
	e.asked++
	number := func(v any) int64 {
		if o, ok := v.(*object); ok {
			return o.n
		}
		return v.(int64)
	}
	return number(a) == number(b), nil
}

// TestTable compares a table with a Go map and a list of keys, through insertions, deletions and the rebuilding that
// these bring about. All keys have hash 7, as a peer can have it; objects equal a number.
func TestTable(t *testing.T) {
	var tab table.Table
	tab.Lock()
	defer tab.Unlock()
	by := new(equality)
	find := func(key any) int {
		i, err := tab.Find(context.Background(), table.NewKey(key, 7), by)
		require.NoError(t, err)
		return i
	}
	keys := func() (all []any) {
		for e := range tab.All {
			all = append(all, e.Of)
		}
		require.Len(t, all, tab.Len())
		return all
	}
	for n := range int64(1500) {
		require.Equal(t, -1, find(n))
		tab.Add(table.NewKey(n, 7), fmt.Sprint(n))
	}
	require.Zero(t, by.asked, "plain values are not compared with each other")
	var want []any
	for n := range int64(1500) {
		if n%100 != 3 {
			tab.Remove(find(n))
		} else {
			want = append(want, n)
		}
	}
	tab.Add(table.NewKey(nil, 7), "none")
	o := &object{303}
	require.Equal(t, append(want, nil), keys())
	require.Equal(t, "none", tab.At(find(nil)).Value)
	tab.Remove(find(nil))
	require.Equal(t, "303", tab.At(find(o)).Value)
	require.Positive(t, by.asked)
	other := &object{-1}
	require.Equal(t, -1, find(other))
	tab.Add(table.NewKey(other, 7), "other")
	require.Equal(t, "other", tab.At(find(other)).Value)
	require.Equal(t, "other", tab.At(find(int64(-1))).Value)
	require.Equal(t, append(want, other), keys())
	tab.Clear()
	require.Empty(t, keys())
	require.Equal(t, -1, find(int64(3)))
}

// TestTableBounds fills a chain with objects of one hash until looking through it is refused.
func TestTableBounds(t *testing.T) {
	var tab table.Table
	tab.Lock()
	defer tab.Unlock()
	by := new(equality)
	for n := range int64(5000) {
		key := table.NewKey(&object{n}, 1)
		if _, err := tab.Find(context.Background(), key, by); err != nil {
			require.EqualError(t, err, "MemoryError: more than 2048 keys with the same hash")
			require.Equal(t, 2049, tab.Len())
			return
		}
		tab.Add(key, nil)
	}
	t.Fatal("there is no bound")
}
