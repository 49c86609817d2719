package exposed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// A peer that may read everything can ask for the __call__ of a __call__ as often as it likes. CPython has the same
// limit.
func TestCallsOfCallsAreCounted(t *testing.T) {
	all := &exposed.Policy{AllowAll: true}
	f := any(func() int { return 5 })
	wrap := func(n int) any {
		c := f
		for range n {
			var err error
			c, err = exposed.GetAttr(ctx, all, c, "__call__")
			require.NoError(t, err)
		}
		return c
	}
	v, err := exposed.Call(ctx, wrap(900), &exposed.Args{})
	require.NoError(t, err)
	require.Equal(t, 5, v)
	_, err = exposed.Call(ctx, wrap(1100), &exposed.Args{})
	require.EqualError(t, err, "RecursionError: maximum recursion depth exceeded while calling a Python object")
}

func TestDeepTuplesEnd(t *testing.T) {
	deep := func() any {
		v := any(exposed.ClassOf(1))
		for range 5000 {
			v = brine.Tuple{v}
		}
		return v
	}
	one, other := deep(), deep()
	require.True(t, exposed.Is(one, one))
	require.False(t, exposed.Is(one, other)) // they are two tuples in Python, and too deep to have come by value
	_, err := exposed.IsInstance(ctx, "", one)
	require.ErrorIs(t, err, vinegar.RecursionError)
}
