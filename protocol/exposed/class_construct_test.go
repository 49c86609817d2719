package exposed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

// TestContainersCanBeCalled calls the classes of containers that a service has published.
func TestContainersCanBeCalled(t *testing.T) {
	ctx := t.Context()
	call := func(name string, pos []any, kw ...netref.Keyword) (any, error) {
		c, ok := Builtin(name)
		require.True(t, ok, name)
		return Call(ctx, c, NewArgs(pos, kw))
	}
	items := brine.Tuple{int64(1), int64(2), int64(1)}
	for name, want := range map[string]string{ // as CPython writes them
		"list": "[1, 2, 1]", "tuple": "(1, 2, 1)", "set": "{1, 2}", "frozenset": "frozenset({1, 2})",
	} {
		v, err := call(name, []any{items})
		require.NoError(t, err, name)
		text, err := Repr(ctx, v)
		require.NoError(t, err)
		require.Equal(t, want, text)
		_, err = call(name, []any{int64(5)})
		require.EqualError(t, err, "TypeError: 'int' object is not iterable", name)
		_, err = call(name, nil)
		require.NoError(t, err, name)
	}
	d, err := call("dict", []any{brine.Tuple{brine.Tuple{"a", int64(1)}}}, netref.Kw("b", int64(2)))
	require.NoError(t, err)
	text, err := Repr(ctx, d)
	require.NoError(t, err)
	require.Equal(t, "{'a': 1, 'b': 2}", text)
	_, err = call("dict", []any{d, d})
	require.EqualError(t, err, "TypeError: dict expected at most 1 argument, got 2")
}
