package pyvalue_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// TestIndices has what CPython's slice(start, stop, step).indices(n) and len(range(...)) of it say.
func TestIndices(t *testing.T) {
	n := func(i int64) *big.Int { return big.NewInt(i) }
	huge := new(big.Int).Lsh(big.NewInt(1), 100)
	for _, l := range []struct {
		start, stop, step *big.Int
		n                 int64
		want              pyvalue.Span
	}{
		{nil, nil, nil, 5, pyvalue.Span{Start: 0, Stop: 5, Step: 1, Count: 5}},
		{n(1), n(-1), nil, 5, pyvalue.Span{Start: 1, Stop: 4, Step: 1, Count: 3}},
		{nil, nil, n(-1), 5, pyvalue.Span{Start: 4, Stop: -1, Step: -1, Count: 5}},
		{n(4), n(0), n(-2), 5, pyvalue.Span{Start: 4, Stop: 0, Step: -2, Count: 2}},
		{n(-100), n(100), n(2), 5, pyvalue.Span{Start: 0, Stop: 5, Step: 2, Count: 3}},
		{huge, nil, nil, 5, pyvalue.Span{Start: 5, Stop: 5, Step: 1}},
		{nil, nil, n(3), 0, pyvalue.Span{Start: 0, Stop: 0, Step: 3}},
		{n(3), n(1), nil, 5, pyvalue.Span{Start: 3, Stop: 1, Step: 1}},
	} {
		got, err := pyvalue.Indices(l.start, l.stop, l.step, l.n)
		require.NoError(t, err)
		require.Equal(t, l.want, got, "%v:%v:%v of %d", l.start, l.stop, l.step, l.n)
	}
	far, err := pyvalue.Indices(nil, nil, new(big.Int).Neg(huge), 5)
	require.NoError(t, err)
	require.Equal(t, int64(1), far.Count)
	_, err = pyvalue.Indices(nil, nil, n(0), 5)
	require.EqualError(t, err, "ValueError: slice step cannot be zero")
}

// TestTimedelta has what CPython says of timedelta(microseconds=n).
func TestTimedelta(t *testing.T) {
	for d, want := range map[pyvalue.Timedelta][2]string{
		0:                {"0:00:00", "datetime.timedelta(0)"},
		-1:               {"-1 day, 23:59:59.999999", "datetime.timedelta(days=-1, seconds=86399, microseconds=999999)"},
		pyvalue.Day * 2:  {"2 days, 0:00:00", "datetime.timedelta(days=2)"},
		90*1_000_000 + 5: {"0:01:30.000005", "datetime.timedelta(seconds=90, microseconds=5)"},
	} {
		require.Equal(t, want, [2]string{d.String(), d.Repr()})
	}
	half, err := pyvalue.Timedelta(3).Div(int64(2), false) // 1.5 and 2.5 round to 2
	require.NoError(t, err)
	require.Equal(t, pyvalue.Timedelta(2), half)
	half, err = pyvalue.Timedelta(5).Div(2.0, false)
	require.NoError(t, err)
	require.Equal(t, pyvalue.Timedelta(2), half)
	times, err := pyvalue.Timedelta(-7).Div(pyvalue.Timedelta(2), true)
	require.NoError(t, err)
	require.Equal(t, int64(-4), times)
	rest, err := pyvalue.Timedelta(-7).Mod(2)
	require.NoError(t, err)
	require.Equal(t, pyvalue.Timedelta(1), rest)
	_, err = pyvalue.Timedelta(7).Div(0.0, false)
	require.EqualError(t, err, "ZeroDivisionError: integer division or modulo by zero")
}
