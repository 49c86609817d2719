package pyvalue_test

import (
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
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

// TestPosition has what CPython answers to [1, 2, 3][i].
func TestPosition(t *testing.T) {
	for i, want := range map[int64]int{0: 0, 2: 2, -1: 2, -3: 0} {
		at, err := pyvalue.Position("list", pyvalue.NumberOf(i), 3)
		require.NoError(t, err)
		require.Equal(t, want, at)
	}
	for _, i := range []int64{3, -4} {
		_, err := pyvalue.Position("list", pyvalue.NumberOf(i), 3)
		require.EqualError(t, err, "IndexError: list index out of range")
	}
	_, err := pyvalue.Position("list", pyvalue.NumberOf(new(big.Int).Lsh(big.NewInt(1), 100)), 3)
	require.EqualError(t, err, "IndexError: cannot fit 'int' into an index-sized integer")
	letters := []string{"a", "b", "c", "d"}
	require.Equal(t, []string{"d", "b"}, pyvalue.Pick(pyvalue.Span{Start: 3, Step: -2, Count: 2}, letters))
}

// TestGoNumbers names the types that can hold a number.
func TestGoNumbers(t *testing.T) {
	for _, l := range []struct {
		v     any
		types int // of 16
	}{
		{int64(1), 16}, {true, 16}, {1.0, 16},
		{int64(2), 15},   // not bool
		{int64(-1), 9},   // nor the six unsigned ones
		{int64(300), 13}, // neither 8 bits wide
		{0.5, 4},         // float32, float64 and the complex ones
		{0.1, 2},         // not exact in 32 bits
		{2i, 2},
		{"1", 0},
	} {
		n := 0
		for v := range pyvalue.GoNumbers(l.v) {
			form, ok := pyvalue.FromGo(v)
			require.True(t, ok)
			equal, _ := pyvalue.Equal(form, l.v)
			require.True(t, equal, "%v of type %v", v, v.Type())
			require.True(t, pyvalue.IsBasic(v.Type()))
			n++
		}
		require.Equal(t, l.types, n, "%v", l.v)
	}
	require.False(t, pyvalue.IsBasic(reflect.TypeFor[time.Month]()))
}

// TestTimeParts has what CPython says of datetime(2024, 2, 29, 12, 30, 5, tzinfo=timezone.utc).
func TestTimeParts(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 30, 5, 0, time.UTC)
	require.Equal(t, "time.struct_time(tm_year=2024, tm_mon=2, tm_mday=29, tm_hour=12, tm_min=30, tm_sec=5, "+
		"tm_wday=3, tm_yday=60, tm_isdst=0)", pyvalue.ReprStructTime(pyvalue.StructTime(at, 0)))
	require.Equal(t, brine.Tuple{int64(2024), int64(9), int64(4)}, pyvalue.TimeMethods["isocalendar"](at))
	require.Equal(t, int64(3), pyvalue.TimeMethods["weekday"](at))
	require.Equal(t, "Thu Feb 29 12:30:05 2024", pyvalue.TimeMethods["ctime"](at))
	require.Equal(t, 0.0, pyvalue.TimeMethods["utcoffset"](at))
	require.Nil(t, pyvalue.TimeMethods["tzname"](at.In(pyvalue.Naive)))
	require.Equal(t, int64(30), pyvalue.TimeParts["minute"](at))
}

// TestLenAbs has len() and abs().
func TestLenAbs(t *testing.T) {
	require.Equal(t, 2, pyvalue.Len("né"))
	require.Equal(t, 3, pyvalue.Len([]byte("né")))
	require.Equal(t, 1, pyvalue.Len(brine.Tuple{nil}))
	require.Equal(t, int64(7), pyvalue.Abs(pyvalue.NumberOf(int64(-7))))
	require.Equal(t, 5.0, pyvalue.Abs(pyvalue.NumberOf(3-4i)))
	require.Equal(t, 0.5, pyvalue.Abs(pyvalue.NumberOf(-0.5)))
}
