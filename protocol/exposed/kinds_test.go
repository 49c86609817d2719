package exposed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// A doubler is a func that has a method as well.
type doubler func(n int) int

func (doubler) Name() string { return "double" }

// TestFuncTypeWithMethods calls an object of a func type with methods, which is a function to Python and has them.
func TestFuncTypeWithMethods(t *testing.T) {
	double := doubler(func(n int) int { return 2 * n })
	r, err := exposed.Call(ctx, double, exposed.NewArgs([]any{int64(21)}, nil))
	require.NoError(t, err)
	require.Equal(t, 42, r)
	r, err = exposed.CallAttr(ctx, nil, double, "name", &exposed.Args{})
	require.NoError(t, err)
	require.Equal(t, "double", r)
	_, err = exposed.Call(ctx, double, exposed.NewArgs(nil, []netref.Keyword{netref.Kw("n", 1)}))
	require.EqualError(t, err, "TypeError: <lambda>() takes no keyword arguments")
}

// A feed is a channel that has a method as well.
type feed chan int

func (feed) Name() string { return "feed" }

// TestChannelTypeWithMethods iterates over one, which is a generator to Python.
func TestChannelTypeWithMethods(t *testing.T) {
	numbers := make(feed, 2)
	numbers <- 1
	numbers <- 2
	close(numbers)
	v, ok, err := exposed.Next(ctx, numbers)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 1, v)
	all, err := exposed.BuffIter(ctx, numbers, nil)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{2}, all)
	name, err := exposed.CallAttr(ctx, nil, numbers, "name", &exposed.Args{})
	require.NoError(t, err)
	require.Equal(t, "feed", name)
}
