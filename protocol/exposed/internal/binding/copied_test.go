package binding

import (
	"io"
	"iter"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

func TestWhatATypeCopies(t *testing.T) {
	for _, v := range []any{
		new([]int), new([]any), new([3]string), new(map[string]int), new(struct{ A int }), new(*struct{ A int }),
		new(time.Time), new(*big.Int), new(string), new(float64), new(bool),
	} {
		require.True(t, copies(reflect.TypeOf(v).Elem()), "%T", v)
	}
	for _, v := range []any{
		new(any), new(*netref.Object), new(io.Reader), new(func()), new(iter.Seq[int]), new(*any), new(*func()),
		new(**netref.Object),
	} {
		require.False(t, copies(reflect.TypeOf(v).Elem()), "%T", v)
	}
}

// TestCopiedAreThoseThatNothingElseHas binds handles to parameters and looks which of them nothing has any more.
func TestCopiedAreThoseThatNothingElseHas(t *testing.T) {
	ints, anything := reflect.TypeFor[[]int](), reflect.TypeFor[any]()
	o1, o2 := new(netref.Object), new(netref.Object)
	a := NewArgs([]any{o1, 1, o2, o1}, nil)
	require.Empty(t, a.Copied())
	a.bound(o1, ints)
	a.bound(1, ints)
	a.bound(o2, anything)
	a.bound(o1, ints)
	require.Equal(t, []*netref.Object{o1, o1}, a.Copied())
	a.bound(o2, ints)
	require.Equal(t, []*netref.Object{o1, o1}, a.Copied(), "passed and converted")
	a.bound(brine.Tuple{1, brine.Tuple{o1}}, anything) // such as *args
	require.Empty(t, a.Copied())

	keyword := NewArgs(nil, []netref.Keyword{{Name: "k", Value: o1}})
	keyword.bound(o1, ints)
	require.Empty(t, keyword.Copied())
}
