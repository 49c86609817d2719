package classic_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
)

func TestFrames(t *testing.T) {
	ctx := t.Context()
	c, eval := connectScientific(t)
	t.Run("frames", func(t *testing.T) {
		f, err := classic.ObtainFrame(ctx, eval(t, `pd.DataFrame({
			"n": [1, 2, 3], "x": [0.5, None, 2.5], "name": ["a", None, "c"], "ok": [True, False, True],
			"when": pd.to_datetime(["2024-01-02 00:00", None, "2024-01-04 05:06"]),
			"zoned": pd.to_datetime(["2024-01-02 01:00"] * 3).tz_localize("Europe/Prague"),
			"kind": pd.Categorical(["u", "v", "u"]), 5: [1, 2, 3]}, index=["r1", "r2", "r3"])`))
		require.NoError(t, err)
		require.Equal(t, []string{"n", "x", "name", "ok", "when", "zoned", "kind", "5"}, f.Columns)
		require.Equal(t, 3, f.Len())
		rows, err := netref.As[[]string](ctx, f.Index)
		require.NoError(t, err)
		require.Equal(t, []string{"r1", "r2", "r3"}, rows)
		ints, err := classic.Column[int](f, "n")
		require.NoError(t, err)
		require.Equal(t, []int{1, 2, 3}, ints)
		floats, err := classic.Column[float64](f, "x")
		require.NoError(t, err)
		require.Equal(t, 0.5, floats[0])
		require.True(t, math.IsNaN(floats[1]))
		names, err := classic.Column[any](f, "name")
		require.NoError(t, err)
		require.Equal(t, "a", names[0])
		oks, err := classic.Column[bool](f, "ok")
		require.NoError(t, err)
		require.Equal(t, []bool{true, false, true}, oks)
		whens, err := classic.Column[time.Time](f, "when")
		require.NoError(t, err)
		require.Equal(t, []time.Time{time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), {},
			time.Date(2024, 1, 4, 5, 6, 0, 0, time.UTC)}, whens)
		zoned, err := classic.Column[time.Time](f, "zoned")
		require.NoError(t, err)
		require.Equal(t, time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), zoned[0])
		kinds, err := classic.Column[string](f, "kind")
		require.NoError(t, err)
		require.Equal(t, []string{"u", "v", "u"}, kinds)
		_, err = classic.Column[int](f, "missing")
		require.ErrorContains(t, err, "no column")
		_, err = classic.Column[int](f, "kind")
		require.ErrorContains(t, err, `column "kind"`)

		o, err := classic.DeliverFrame(ctx, c, classic.Series{Name: "b", Data: []float64{1, 2}},
			classic.Series{Name: "a", Data: []string{"x", "y"}},
			classic.Series{Name: "i", Data: []int{7, 8}})
		require.NoError(t, err)
		ns, err := c.Namespace(ctx)
		require.NoError(t, err)
		require.NoError(t, ns.SetItem(ctx, "frame", o))
		ok, err := classic.Eval[bool](ctx, c, "list(frame.columns) == ['b', 'a', 'i'] and frame.b.dtype == 'f8' and "+
			"frame.i.dtype == 'i8' and list(frame.a) == ['x', 'y']")
		require.NoError(t, err)
		require.True(t, ok)
		back, err := classic.ObtainFrame(ctx, o)
		require.NoError(t, err)
		require.Equal(t, []string{"b", "a", "i"}, back.Columns)
		_, err = classic.DeliverFrame(ctx, c, classic.Series{Name: "b"})
		require.ErrorContains(t, err, "no slice")
		_, err = classic.DeliverFrame(ctx, c, classic.Series{Name: "a", Data: []*int{nil}},
			classic.Series{Name: "b", Data: []*int{nil, nil}})
		require.ErrorContains(t, err, "2 items, and the first one 1")
		_, err = classic.DeliverFrame(ctx, c, classic.Series{Name: "b", Data: 5})
		require.ErrorContains(t, err, "no slice")
	})

	t.Run("missing", func(t *testing.T) {
		f, err := classic.ObtainFrame(ctx, eval(t, `pd.DataFrame({
			"text": ["x", None], "object": pd.Series(["x", None], dtype=object), "int": pd.array([2**53 + 1, None], "Int64"),
			"bool": pd.array([True, None], "boolean"), "when": pd.to_datetime(["2024-01-02", None]),
			"big": [2**53 + 1, -2**53 - 1]})`))
		require.NoError(t, err)
		for _, name := range []string{"text", "object"} {
			texts, err := classic.Column[*string](f, name)
			require.NoError(t, err)
			require.Equal(t, []*string{ptr("x"), nil}, texts)
		}
		ints, err := classic.Column[*int64](f, "int")
		require.NoError(t, err)
		require.Equal(t, []*int64{ptr(int64(1<<53 + 1)), nil}, ints)
		_, err = classic.Column[int64](f, "int")
		require.ErrorContains(t, err, `column "int"`)
		bools, err := classic.Column[*bool](f, "bool")
		require.NoError(t, err)
		require.Equal(t, []*bool{ptr(true), nil}, bools)
		any1, err := classic.Column[any](f, "big")
		require.NoError(t, err)
		require.Equal(t, []any{int64(1<<53 + 1), int64(-1<<53 - 1)}, any1)
		any1, err = classic.Column[any](f, "int")
		require.NoError(t, err)
		require.Equal(t, int64(1<<53+1), any1[0])
		whens, err := classic.Column[*time.Time](f, "when")
		require.NoError(t, err)
		require.Equal(t, []*time.Time{ptr(time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)), nil}, whens)

		twice, err := classic.ObtainFrame(ctx, eval(t, "pd.DataFrame([[1, 2.5]], columns=['a', 'a'])"))
		require.NoError(t, err)
		first, err := classic.Column[int](twice, "a")
		require.NoError(t, err)
		require.Equal(t, []int{1}, first)
		second, err := classic.ColumnAt[float64](twice, 1)
		require.NoError(t, err)
		require.Equal(t, []float64{2.5}, second)
		require.Same(t, twice.Array("a"), twice.ArrayAt(0))
		for _, i := range []int{-1, 2} {
			_, err = classic.ColumnAt[int](twice, i)
			require.ErrorContains(t, err, "no column")
		}

		o, err := classic.DeliverFrame(ctx, c, classic.Series{Name: "s", Data: []*string{ptr("x"), nil}},
			classic.Series{Name: "i", Data: []*int64{ptr(int64(1<<53 + 1)), nil}},
			classic.Series{Name: "u", Data: []*uint8{nil, ptr(uint8(7))}},
			classic.Series{Name: "b", Data: []*bool{nil, ptr(false)}},
			classic.Series{Name: "f", Data: []*float64{ptr(0.5), nil}},
			classic.Series{Name: "t", Data: []*time.Time{whens[0], nil}})
		require.NoError(t, err)
		ns, err := c.Namespace(ctx)
		require.NoError(t, err)
		require.NoError(t, ns.SetItem(ctx, "frame", o))
		require.True(t, must[bool](t, c, "frame.s[1] is None and frame.i[0] == 2**53 + 1 and frame.i[1] is pd.NA and "+
			"frame.u[1] == 7 and frame.b[0] is pd.NA and bool(frame.b[1] == False) and frame.f.dtype == 'f8'"))
		back, err := classic.ObtainFrame(ctx, o)
		require.NoError(t, err)
		texts, err := classic.Column[*string](back, "s")
		require.NoError(t, err)
		require.Equal(t, []*string{ptr("x"), nil}, texts)
		ints, err = classic.Column[*int64](back, "i")
		require.NoError(t, err)
		require.Equal(t, []*int64{ptr(int64(1<<53 + 1)), nil}, ints)
		floats, err := classic.Column[float64](back, "f")
		require.NoError(t, err)
		require.True(t, floats[0] == 0.5 && math.IsNaN(floats[1]))

		ticks, err := classic.ObtainFrame(ctx, eval(t, "np.array([(1, 2.5)], dtype=[('t', 'i8'), ('o', 'f8')])"))
		require.NoError(t, err)
		require.Equal(t, []string{"t", "o"}, ticks.Columns)
		require.Equal(t, 1, ticks.Len())
		prices, err := classic.Column[float64](ticks, "o")
		require.NoError(t, err)
		require.Equal(t, []float64{2.5}, prices)
		_, err = classic.ObtainFrame(ctx, eval(t, "np.arange(3)"))
		require.ErrorContains(t, err, "no frame")
	})
}
