package classic_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// scientific returns a Python that has numpy, pandas and the rpyc of GORPYC_TEST_PYTHON: that one, or one in a virtual
// environment that is made in the cache when it is needed for the first time.
func scientific(t *testing.T) string {
	t.Helper()
	path := python(t)
	if exec.Command(path, "-c", "import numpy, pandas").Run() == nil {
		return path
	}
	if os.Getenv("GORPYC_TEST_PYTHON") == "" || os.Getenv("GORPYC_NO_NUMPY") != "" {
		t.Skip("NO NUMPY: the Python here has none, and none is installed without GORPYC_TEST_PYTHON or with GORPYC_NO_NUMPY")
	}
	out, err := exec.Command(path, "-c", "import sys, rpyc.version as v; print('%d.%d' % sys.version_info[:2], "+
		"getattr(v, 'version_string', None) or v.__version__)").Output()
	require.NoError(t, err)
	version := strings.Fields(string(out))
	require.Len(t, version, 2)
	cache := os.Getenv("GORPYC_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		require.NoError(t, err)
		cache = filepath.Join(dir, "gorpyc")
	}
	dir := filepath.Join(cache, fmt.Sprintf("numpy-py%s-rpyc%s", version[0], version[1]))
	bin, exe := "bin", ""
	if runtime.GOOS == "windows" {
		bin, exe = "Scripts", ".exe"
	}
	made := filepath.Join(dir, bin, "python"+exe)
	if exec.Command(made, "-c", "import numpy, pandas, rpyc").Run() == nil {
		return made
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, path, "-m", "venv", "--clear", dir).CombinedOutput(); err != nil {
		t.Skipf("NO NUMPY: %v %s", err, out)
	}
	if out, err := exec.CommandContext(ctx, made, "-m", "pip", "install", "-q", "--disable-pip-version-check", "numpy",
		"pandas", "rpyc=="+version[1]).CombinedOutput(); err != nil {
		t.Skipf("NO NUMPY: it cannot be installed: %v %s", err, out)
	}
	return made
}

// connectScientific connects to a server that has imported numpy and pandas.
func connectScientific(t *testing.T) (c *classic.Conn, eval func(t *testing.T, expression string) *netref.Object) {
	t.Helper()
	addr, stop, err := startServer(scientific(t))
	require.NoError(t, err)
	t.Cleanup(stop)
	c = dial(t, addr, nil)
	require.NoError(t, c.Execute(t.Context(), "import numpy as np, pandas as pd"))
	return c, func(t *testing.T, expression string) *netref.Object {
		t.Helper()
		o, err := classic.Eval[*netref.Object](t.Context(), c, expression)
		require.NoError(t, err)
		return o
	}
}

func TestArraysAndFrames(t *testing.T) {
	ctx := t.Context()
	c, eval := connectScientific(t)

	t.Run("complex", func(t *testing.T) {
		equal(t, c, "np.complex128(1+2j)", 1+2i)
		equal(t, c, "np.array([1+2j, 3])", []complex128{1 + 2i, 3})
		equal(t, c, "[np.float64(1.5), np.int32(2)]", []complex128{1.5, 2})
		for _, expression := range []string{"[np.complex128(1+2j)]", "[np.complex64(1)]", "np.array([1j])", "[1j]"} {
			_, err := classic.Eval[[]float64](ctx, c, expression)
			var ce *netref.ConvertError
			require.ErrorAs(t, err, &ce, expression)
		}
	})

	t.Run("elements", func(t *testing.T) {
		halves, err := classic.Obtain[[]float32](ctx, eval(t, "np.arange(65536, dtype='u2').view('f2')"))
		require.NoError(t, err)
		wide, err := classic.Obtain[[]float32](ctx, eval(t, "np.arange(65536, dtype='u2').view('f2').astype('f4')"))
		require.NoError(t, err)
		require.Len(t, halves, 65536)
		for i := range halves {
			require.True(t, halves[i] == wide[i] && math.Signbit(float64(halves[i])) == math.Signbit(float64(wide[i])) ||
				halves[i] != halves[i] && wide[i] != wide[i], "%d: %v, not %v", i, halves[i], wide[i])
		}
		column, err := classic.Obtain[[]float64](ctx, eval(t, "np.arange(3, dtype='f2')"))
		require.NoError(t, err)
		require.Equal(t, []float64{0, 1, 2}, column)

		// NaT, the beginning of 1970, a date before it and one after it, as numpy writes them in seconds.
		for _, dtype := range []string{"M8[Y]", "M8[M]", "M8[W]", "M8[D]", "M8[h]", "M8[15m]", "M8[s]", "M8[ns]", "M8[ps]"} {
			dates := "np.array(['NaT', '1970-01-01', '1969-11-03T14:15:16', '1970-02-28T01:02:03'], dtype='M8[s]')" +
				".astype('" + dtype + "')"
			got, err := classic.Obtain[[]time.Time](ctx, eval(t, dates))
			require.NoError(t, err, dtype)
			seconds, err := classic.Obtain[[]int64](ctx, eval(t, dates+"[1:].astype('M8[s]').astype('i8')"))
			require.NoError(t, err)
			require.Len(t, got, 4)
			require.True(t, got[0].IsZero())
			for i, s := range seconds {
				require.Equal(t, time.Unix(s, 0).UTC(), got[i+1], dtype)
			}
		}
		equal := func(expression string, want []time.Duration) {
			t.Helper()
			got, err := classic.Obtain[[]time.Duration](ctx, eval(t, expression))
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		equal("np.array([1, -2], dtype='m8[W]')", []time.Duration{7 * 24 * time.Hour, -14 * 24 * time.Hour})
		equal("np.array([3000], dtype='m8[ps]')", []time.Duration{3})
		maybe, err := classic.Obtain[[]*time.Duration](ctx, eval(t, "np.array(['NaT', 1], dtype='m8[s]')"))
		require.NoError(t, err)
		require.Nil(t, maybe[0])
		require.Equal(t, time.Second, *maybe[1])
		texts, err := classic.Obtain[[]string](ctx, eval(t, "np.array([], dtype='U5')"))
		require.NoError(t, err)
		require.Empty(t, texts)

		long, err := classic.Eval[bool](ctx, c, "hasattr(np, 'float128')") // which not every platform has
		require.NoError(t, err)
		var ce *netref.ConvertError
		for expression, dtype := range map[string]string{
			"np.arange(3, dtype='f16')": "f16", "np.arange(3, dtype='c32')": "c32", "np.array([1], dtype='m8[Y]')": "m8[Y]",
			"np.array([1], dtype='m8[M]')": "m8[M]", "np.array([1], dtype='m8[ps]')": "m8[ps]",
			"np.array([2**60], dtype='M8[D]')": "M8[D]",
			"np.array([2**60], dtype='m8[D]')": "m8[D]", "np.array([[1, 2]], dtype='f16')": "f16",
			"np.array(1, dtype='f16')": "f16",
		} {
			if !long && (dtype == "f16" || dtype == "c32") {
				continue
			}
			a, err := classic.Obtain[*pickle.Array](ctx, eval(t, expression))
			require.NoError(t, err)
			_, err = netref.As[[]float64](ctx, a)
			require.ErrorAs(t, err, &ce, expression)
			_, err = netref.As[[]time.Duration](ctx, a)
			require.ErrorAs(t, err, &ce, expression)
			require.ErrorContains(t, err, dtype, expression)
		}
		_, err = classic.Obtain[[]time.Duration](ctx, eval(t, "np.array(['NaT', 1], dtype='m8[s]')"))
		require.ErrorAs(t, err, &ce)
		if long { // Python's float() of each
			both(t, c, "np.arange(3, dtype='f16')", []float64{0, 1, 2})
			neither[[]float64](t, c, "np.arange(3, dtype='c32')", must[*netref.Object](t, c, "np.clongdouble(1)").ClassName())
			frame, err := classic.ObtainFrame(ctx, eval(t, "pd.DataFrame({'a': np.arange(2, dtype='f16')})"))
			require.NoError(t, err)
			_, err = classic.Column[float64](frame, "a")
			require.ErrorContains(t, err, "f16")
		}
	})

	t.Run("obtain", func(t *testing.T) {
		xs, shape, err := classic.ObtainArray[float64](ctx, eval(t, "np.arange(6, dtype='f8').reshape(2, 3)"))
		require.NoError(t, err)
		require.Equal(t, []float64{0, 1, 2, 3, 4, 5}, xs)
		require.Equal(t, []int{2, 3}, shape)
		rows, err := classic.Obtain[[][]int32](ctx, eval(t, "np.array([[1, 2], [3, 4]], dtype='i4')"))
		require.NoError(t, err)
		require.Equal(t, [][]int32{{1, 2}, {3, 4}}, rows)
		fortran, _, err := classic.ObtainArray[float64](ctx, eval(t, "np.asfortranarray(np.arange(6.).reshape(2, 3))"))
		require.NoError(t, err)
		require.Equal(t, []float64{0, 1, 2, 3, 4, 5}, fortran)
		strided, _, err := classic.ObtainArray[int64](ctx, eval(t, "np.arange(10)[::3].astype('>i8')"))
		require.NoError(t, err)
		require.Equal(t, []int64{0, 3, 6, 9}, strided)
		for dtype, want := range map[string]any{
			"?": []bool{true, false}, "i1": []int8{1, 0}, "u1": pickle.ByteArray{1, 0}, "u2": []uint16{1, 0},
			"f4":  []float32{1, 0},
			"c16": []complex128{1, 0}, "c8": []complex64{1, 0}, "u8": []uint64{1, 0},
		} {
			a, err := classic.Obtain[*pickle.Array](ctx, eval(t, fmt.Sprintf("np.array([1, 0], dtype=%q)", dtype)))
			require.NoError(t, err)
			require.Equal(t, want, a.GoValue(), dtype)
		}
		n, err := classic.Obtain[[]float64](ctx, eval(t, "[np.float64(1.5), np.int32(2)]"))
		require.NoError(t, err)
		require.Equal(t, []float64{1.5, 2}, n)
		dates, err := classic.Obtain[[]time.Time](ctx, eval(t, "np.array(['2024-02-29T12', '1969-12-31T23'], dtype='M8[h]')"))
		require.NoError(t, err)
		require.Equal(t, []time.Time{time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
			time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC)}, dates)
		texts, err := classic.Obtain[[]string](ctx, eval(t, "np.array(['a', 'é€😀'])"))
		require.NoError(t, err)
		require.Equal(t, []string{"a", "é€😀"}, texts)
		mixed, err := classic.Obtain[[]any](ctx, eval(t, "np.array([1, 'x', None], dtype=object)"))
		require.NoError(t, err)
		require.Equal(t, []any{int64(1), "x", nil}, mixed)
		require.NoError(t, c.Execute(ctx, "import pickle"))
		for p := range 6 {
			data, err := classic.Eval[[]byte](ctx, c, fmt.Sprintf("pickle.dumps([np.arange(4, dtype='>f4').reshape(2, 2, "+
				"order='F'), np.float32(0.5)], min(%d, pickle.HIGHEST_PROTOCOL))", p))
			require.NoError(t, err)
			v, err := pickle.Unmarshal(data)
			require.NoError(t, err)
			both := v.([]any)
			rows, err := netref.As[[][]float64](ctx, both[0])
			require.NoError(t, err, "protocol %d", p)
			require.Equal(t, [][]float64{{0, 2}, {1, 3}}, rows)
			require.Equal(t, 0.5, both[1])
		}
		_, _, err = classic.ObtainArray[int8](ctx, eval(t, "np.arange(3)"))
		require.ErrorIs(t, err, pickle.ErrArray)
	})

	t.Run("records", func(t *testing.T) {
		type tick struct {
			Time  int64   `rpyc:"t"`
			Price float64 `rpyc:"o"`
		}
		const ticks = "np.array([(1, 2.5), (2, -1)], dtype=[('t', '<i8'), ('o', '<f8')])"
		want := []tick{{1, 2.5}, {2, -1}}
		for _, expression := range []string{ticks, ticks + ".view(np.recarray)", ticks + "[::-1][::-1]",
			"np.array([(7, 1, 2.5), (8, 2, -1)], dtype=[('x', 'u1'), ('t', '<i8'), ('o', '>f4')])[['t', 'o']]",
			"np.ma.array(" + ticks + ").filled()"} {
			both(t, c, expression, want)
			both(t, c, expression, []map[string]float64{{"t": 1, "o": 2.5}, {"t": 2, "o": -1}})
			both(t, c, expression+"[0]", want[0])
			both(t, c, expression+"[0]", map[string]float64{"t": 1, "o": 2.5})
		}
		both(t, c, ticks, [][]float64{{1, 2.5}, {2, -1}})
		both(t, c, ticks, []struct {
			T    int8
			None string `rpyc:",optional"`
		}{{T: 1}, {T: 2}})
		neither[[]struct{ Price float64 }](t, c, ticks, "numpy.void")
		both(t, c, "np.array([[(1, 2), (3, 4)]], dtype=[('t', 'i4'), ('o', 'f8')], order='F')", [][]tick{{{1, 2}, {3, 4}}})
		type inner struct{ Q uint8 }
		type mixed struct {
			S string
			B []byte
			K bool
			D time.Time
			V []int
			N inner
		}
		mix := "np.array([('ab', b'x', True, '2024-01-02', (1, 2), (7,))], dtype=[('s', 'U4'), ('b', 'S3'), ('k', '?'), " +
			"('d', 'M8[D]'), ('v', 'i4', (2,)), ('n', [('q', 'u1')])])"
		obtained, err := classic.Obtain[[]mixed](ctx, eval(t, mix))
		require.NoError(t, err)
		require.Equal(t, []mixed{{"ab", []byte("x"), true, time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), []int{1, 2},
			inner{7}}}, obtained)
		type named struct {
			Name string
			N    int
		}
		both(t, c, "np.array([('x', 5)], dtype=[('name', 'O'), ('n', 'i8')])", []named{{"x", 5}})
		both(t, c, "pd.DataFrame({'name': ['x', 'y'], 'n': [5, 6]})", []named{{"x", 5}, {"y", 6}})
		both(t, c, "pd.DataFrame({'name': ['x'], 'n': [5]}).to_records()", []*named{{"x", 5}})

		a, err := classic.Obtain[*pickle.Array](ctx, eval(t, ticks))
		require.NoError(t, err)
		prices, err := pickle.Values[float64](a.Field("o"))
		require.NoError(t, err)
		require.Equal(t, []float64{2.5, -1}, prices)
		require.Nil(t, a.Field("p"))
		ns, err := c.Namespace(ctx)
		require.NoError(t, err)
		require.NoError(t, c.Execute(ctx, "import pickle"))
		for _, expression := range []string{ticks, ticks + ".view(np.recarray)", mix, "np.ma.array([1, 2], mask=[0, 1])"} {
			for p := range 6 {
				data, err := classic.Eval[[]byte](ctx, c, fmt.Sprintf("pickle.dumps(%s, min(%d, pickle.HIGHEST_PROTOCOL))",
					expression, p))
				require.NoError(t, err)
				v, err := pickle.Unmarshal(data)
				require.NoError(t, err)
				require.IsType(t, a, v, "%s in protocol %d", expression, p)
				back, err := c.Deliver(ctx, v)
				require.NoError(t, err, expression)
				require.NoError(t, ns.SetItem(ctx, "got", back))
				require.True(t, must[bool](t, c, fmt.Sprintf("got.dtype == %s.dtype and bool((got == %[1]s).all())", expression)),
					expression)
			}
		}
		dtype, err := classic.Obtain[*pickle.Layout](ctx, eval(t, "np.dtype([('a', 'f8', (2, 3))])"))
		require.NoError(t, err)
		require.Equal(t, "|V48", dtype.DType)
		require.Len(t, dtype.Fields, 1)
		require.Equal(t, "a", dtype.Fields[0].Name)
		require.Equal(t, "<f8", dtype.Fields[0].DType)
		require.Equal(t, []int{2, 3}, dtype.Fields[0].Shape)
	})

	t.Run("values", func(t *testing.T) {
		both(t, c, "np.ma.array([1, 2, 3], mask=[0, 1, 0])", []*int{ptr(1), nil, ptr(3)})
		both(t, c, "np.ma.array([1, 2, 3])", []int{1, 2, 3})
		neither[[]int](t, c, "np.ma.array([1, 2, 3], mask=[0, 1, 0])", "numpy.ma.core.MaskedConstant")
		both(t, c, "np.str_('x')", "x")
		both(t, c, "np.array(['x', 'y'])", []string{"x", "y"})
		both(t, c, "np.timedelta64(90, 'm')", 90*time.Minute)
		both(t, c, "np.timedelta64(-5, 'ns')", -5*time.Nanosecond)
		both(t, c, "np.array([1, -2], dtype='m8[W]')", []time.Duration{7 * 24 * time.Hour, -14 * 24 * time.Hour})
		both(t, c, "np.array([1, 255], dtype='u1')", []byte{1, 255})
		neither[[]byte](t, c, "np.array([1, 2])", "numpy.ndarray")
		neither[float64](t, c, "np.timedelta64(5, 'ns')", "numpy.timedelta64")

		neither[string](t, c, "np.datetime64('NaT')", "numpy.datetime64")
		neither[map[int]int](t, c, "np.arange(3)", "numpy.ndarray")
		both(t, c, "[np.bool_(True), True]", []int{1, 1})
		both(t, c, "[np.datetime64('NaT'), np.datetime64('2024-03'), np.datetime64('2024', 'Y')]", []*time.Time{nil,
			ptr(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)), ptr(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))})
		both(t, c, "[np.timedelta64('NaT'), np.timedelta64(2, 'h')]", []*time.Duration{nil, ptr(2 * time.Hour)})
		both(t, c, "np.float32(0.1)", big.NewRat(13421773, 134217728))
		both(t, c, "[np.complex64(1 + 2j), np.float32(0.5)]", []complex128{1 + 2i, 0.5})
		both(t, c, "pd.Series(['a', 'b'], dtype='category')", map[int]string{0: "a", 1: "b"})
		both(t, c, "[pd.NA, pd.NaT, np.ma.masked, 5]", []*big.Int{nil, nil, nil, big.NewInt(5)})
		const names = "pd.DataFrame([[1] * 5], columns=" +
			"pd.Index([('a', 2), None, True, 1e20, pd.Timestamp('2024-01-02')], dtype=object))"
		frame, err := classic.ObtainFrame(ctx, eval(t, names))
		require.NoError(t, err)
		require.Equal(t, must[[]string](t, c, "[str(name) for name in "+names+".columns]"), frame.Columns)
		span, period := nameOf(t, c, "pd.Timedelta(5, 's')"), nameOf(t, c, "pd.Period('2024-01', 'M')")
		neither[int64](t, c, "pd.Timedelta(5, 's')", span)
		neither[time.Duration](t, c, "pd.Period('2024-01', 'M')", period)

		both(t, c, "np.matrix([[1, 2]])", [][]int{{1, 2}})
		both(t, c, "np.array(['NaT', '2024-01-02'], dtype='M8[s]')", []*time.Time{nil,
			ptr(time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC))})
		sent := new(requests)
		counted := dial(t, c.RemoteAddr().String(), &protocol.Config{Trace: sent})
		array, err := classic.Eval[*netref.Object](ctx, counted, "__import__('numpy').arange(1000.)")
		require.NoError(t, err)
		var floats []float64
		require.Equal(t, 2, sent.during(func() { floats, err = netref.As[[]float64](ctx, array) }), "its size, and it")
		require.NoError(t, err)
		require.Len(t, floats, 1000)
		require.Equal(t, 999.0, floats[999])

		day := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
		both(t, c, "pd.Series([1, 2])", []int{1, 2})
		both(t, c, "pd.Series(['a', None])", []*string{ptr("a"), nil})
		both(t, c, "pd.Series([2**53 + 1, None], dtype='Int64')", []*int64{ptr(int64(1<<53 + 1)), nil})
		both(t, c, "pd.Series([True, None], dtype='boolean')", []*bool{ptr(true), nil})
		both(t, c, "pd.Series([1, 2], index=['a', 'b'])", map[string]int{"a": 1, "b": 2})
		both(t, c, "pd.Series([1, 2], index=['x', 'y'])", struct{ X, Y int }{1, 2})
		both(t, c, "pd.Series([1, 2], dtype='category')", []int{1, 2})
		both(t, c, "[pd.Index([1, 2]), pd.RangeIndex(2)]", [][]int{{1, 2}, {0, 1}})
		both(t, c, "pd.MultiIndex.from_tuples([(1, 2)])", [][]int{{1, 2}})
		both(t, c, "pd.Timestamp('2024-01-02')", day)
		both(t, c, "pd.Timestamp('2024-01-02T03:04:05.123456789', tz='Europe/Prague')",
			time.Date(2024, 1, 2, 2, 4, 5, 123456789, time.UTC))
		both(t, c, "pd.Timedelta('1s')", time.Second)
		both(t, c, "pd.NaT", (*time.Time)(nil))
		both(t, c, "[pd.NA, 1]", []*int{nil, ptr(1)})
		both(t, c, "pd.DataFrame({'a': [1], 'b': [2]})", []string{"a", "b"})
		both(t, c, "pd.DataFrame({'a': [1, 3], 'b': [2, 4]})", map[string][]int{"a": {1, 3}, "b": {2, 4}})
	})

	t.Run("deliver", func(t *testing.T) {
		ns, err := c.Namespace(ctx)
		require.NoError(t, err)
		check := func(o *netref.Object, expression string) {
			t.Helper()
			require.NoError(t, ns.SetItem(ctx, "got", o))
			ok, err := classic.Eval[bool](ctx, c, "bool("+expression+")")
			require.NoError(t, err)
			require.True(t, ok, expression)
		}
		o, err := classic.DeliverArray(ctx, c, []float64{1, 2.5, -3, 4, 5, 6}, 3, 2)
		require.NoError(t, err)
		check(o, "type(got) is np.ndarray and got.dtype == 'f8' and got.shape == (3, 2) and got[0, 1] == 2.5 and "+
			"got.flags.writeable")
		o, err = classic.DeliverArray(ctx, c, []bool{true, false})
		require.NoError(t, err)
		check(o, "got.dtype == bool and got.tolist() == [True, False]")
		o, err = classic.DeliverArray(ctx, c, []int16{})
		require.NoError(t, err)
		check(o, "got.shape == (0,) and got.dtype == 'i2'")
		a, err := pickle.NewArray([]complex64{1, complex(0, -1)})
		require.NoError(t, err)
		v, err := c.Deliver(ctx, map[string]any{"inside": []any{a}})
		require.NoError(t, err)
		check(v.(*netref.Object), "got['inside'][0][1] == -1j")
		_, err = classic.DeliverArray(ctx, c, []int16{1, 2, 3}, 2, 2)
		require.Error(t, err)
	})

	t.Run("big", func(t *testing.T) {
		big := make([]float64, 1<<20)
		for i := range big {
			big[i] = math.Sqrt(float64(i))
		}
		start := time.Now()
		o, err := classic.DeliverArray(ctx, c, big, 1024, 1024)
		require.NoError(t, err)
		there := time.Since(start)
		start = time.Now()
		back, _, err := classic.ObtainArray[float64](ctx, o)
		require.NoError(t, err)
		require.Equal(t, big, back)
		t.Logf("8 MiB of numbers: there in %v, back in %v", there, time.Since(start))
	})
}
