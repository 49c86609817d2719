package classic_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
)

// equal requires an expression of the server's to be converted to want, which tells the type.
func equal[T any](t *testing.T, c *classic.Conn, expression string, want T) {
	t.Helper()
	got, err := classic.Eval[T](t.Context(), c, expression)
	require.NoError(t, err, expression)
	require.Equal(t, want, got, expression)
}

// TestClassesMadeByExec converts objects of classes that name the module builtins as theirs, because they were made by
// exec, as they would be converted if their classes were in any other module.
func TestClassesMadeByExec(t *testing.T) {
	c := connect(t, nil)
	require.NoError(t, c.Execute(t.Context(), `
import datetime, decimal, enum
class Color(enum.IntEnum):
    RED = 5
class Whole(int): pass
class Real(float): pass
class Complex(complex): pass
class Exact(decimal.Decimal): pass
class Moment(datetime.datetime): pass
class Span(datetime.timedelta): pass
class Indexed:
    def __index__(self): return 7
class Floating:
    def __float__(self): return 1.5
class Both:
    def __float__(self): return 1.5
    def __complex__(self): return 1 + 2j
class Bytes:
    def __bytes__(self): return b"bytes"
`))
	o, err := classic.Eval[*netref.Object](t.Context(), c, "Color.RED")
	require.NoError(t, err)
	require.Equal(t, "builtins.Color", o.ClassName())
	equal(t, c, "Color.RED", 5)
	equal(t, c, "[Color.RED, Whole(8), Indexed()]", []int64{5, 8, 7})
	equal(t, c, "Whole(2**70)", new(big.Int).Lsh(big.NewInt(1), 70))
	equal(t, c, "[Real(0.25), Exact('1.5'), Floating()]", []float64{0.25, 1.5, 1.5})
	equal(t, c, "Moment(2024, 2, 29, 12)", time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC))
	equal(t, c, "Span(seconds=1.5)", 1500*time.Millisecond)
	equal(t, c, "[Complex(1, 2), Both(), Floating(), decimal.Decimal(3)]", []complex128{1 + 2i, 1 + 2i, 1.5, 3})
	b, err := classic.Eval[*netref.Object](t.Context(), c, "Bytes()")
	require.NoError(t, err)
	got, err := b.Bytes(t.Context())
	require.NoError(t, err)
	require.Equal(t, "bytes", string(got))
	for _, expression := range []string{
		"[]", "{}", "len", "object()", "ValueError(1)", "iter([])", "datetime.date(1, 1, 1)",
	} {
		_, err := classic.Eval[int](t.Context(), c, expression)
		var ce *netref.ConvertError
		require.ErrorAs(t, err, &ce, expression)
	}
}

// TestObtainNamedTuples copies what has no names in its pickle.
func TestObtainNamedTuples(t *testing.T) {
	ctx, c := t.Context(), connect(t, nil)
	require.NoError(t, c.Execute(ctx, "import urllib.parse, fractions, uuid, collections, http"))
	split, err := classic.Eval[*netref.Object](ctx, c, "[urllib.parse.urlsplit('http://host/path?q#f')]")
	require.NoError(t, err)
	type parts struct{ Scheme, Netloc, Path, Query, Fragment string }
	structs, err := classic.Obtain[[]parts](ctx, split)
	require.NoError(t, err)
	require.Equal(t, []parts{{"http", "host", "/path", "q", "f"}}, structs)
	items, err := classic.Obtain[[][]string](ctx, split)
	require.NoError(t, err)
	require.Equal(t, [][]string{{"http", "host", "/path", "q", "f"}}, items)
	_, err = classic.Obtain[[]map[string]any](ctx, split)
	var ce *netref.ConvertError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, "urllib.parse.SplitResult", ce.From)
	_, err = classic.Obtain[[]struct{ A, B string }](ctx, split)
	require.ErrorAs(t, err, &ce)

	member, err := classic.Eval[*netref.Object](ctx, c, "[http.HTTPStatus.OK]")
	require.NoError(t, err)
	_, err = classic.Obtain[[]map[string]any](ctx, member)
	require.ErrorAs(t, err, &ce)
}

func TestDeliverNothing(t *testing.T) {
	ctx, c := t.Context(), connect(t, nil)
	for _, v := range []any{
		big.NewFloat(1.5), *big.NewFloat(1.5), struct{ x int }{1}, []any{&struct{ x int }{1}},
		map[string]any{"k": big.NewFloat(1)},
	} {
		_, err := c.Deliver(ctx, v)
		require.Error(t, err, "%T", v)
	}
	_, err := c.Deliver(ctx, struct{}{})
	require.NoError(t, err)
}
