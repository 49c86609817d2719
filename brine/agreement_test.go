package brine_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// checkAgreement reads the value at the start of data in every way there is and
// requires the ways to agree. It returns the value if there is one.
func checkAgreement(t testing.TB, data []byte) (any, bool) {
	kind := func() brine.Kind { c := brine.NewCursor(data); return c.Kind() }()
	value, err := brine.Unmarshal(data)

	c := brine.NewCursor(data)
	require.LessOrEqual(t, c.Weigh(math.MaxInt64), int64(brine.MaxWeight*len(data)))
	skipErr := c.Skip()
	if (err == nil) != (skipErr == nil) {
		require.Fail(t, "Value and Skip disagree", "%x: %v, %v", data, err, skipErr)
	}
	if err != nil {
		require.Zero(t, c.Offset(), "a failed read moved the cursor")
		return nil, false
	}
	size := c.Offset()

	c = brine.NewCursor(data)
	raw, err := c.Raw()
	require.NoError(t, err)
	require.Equal(t, data[:size], raw)
	require.Equal(t, size, c.Offset())
	require.Equal(t, len(data)-size, c.Len())

	c = brine.NewCursor(data)
	c.SetAlias(true)
	aliased, err := c.Value()
	require.NoError(t, err)
	require.Equal(t, size, c.Offset())
	require.Equal(t, describe(value), describe(aliased))

	typed, got := readTyped(t, data)
	require.Equal(t, kind, got)
	require.Equal(t, describe(value), describe(typed))
	return value, true
}

// readTyped reads the value at the start of data with the method for its type and
// checks that all others refuse it without moving.
func readTyped(t testing.TB, data []byte) (value any, kind brine.Kind) {
	reads := map[brine.Kind]func(c *brine.Cursor) (any, error){
		brine.KindBool:    func(c *brine.Cursor) (any, error) { return c.Bool() },
		brine.KindFloat:   func(c *brine.Cursor) (any, error) { return c.Float64() },
		brine.KindComplex: func(c *brine.Cursor) (any, error) { return c.Complex128() },
		brine.KindString:  func(c *brine.Cursor) (any, error) { return c.String() },
		brine.KindBytes:   func(c *brine.Cursor) (any, error) { return c.Bytes() },
		brine.KindInt: func(c *brine.Cursor) (any, error) {
			start := *c
			v, b, err := c.Int()
			narrow, narrowErr := start.Int64()
			if err == nil && b != nil {
				var outside *brine.RangeError
				require.ErrorAs(t, narrowErr, &outside)
				require.Zero(t, b.Cmp(outside.Value))
				require.False(t, b.IsInt64())
				return b, nil
			}
			require.Equal(t, err, narrowErr)
			require.Equal(t, v, narrow)
			return v, err
		},
		brine.KindTuple: func(c *brine.Cursor) (any, error) {
			n, err := c.Tuple()
			items := brine.Tuple{}
			for i := 0; err == nil && i < n; i++ {
				var item any
				item, err = c.Value()
				items = append(items, item)
			}
			return items, err
		},
	}
	start := brine.NewCursor(data)
	kind = start.Kind()
	for k, read := range reads {
		c := start
		v, err := read(&c)
		if k == kind {
			require.NoError(t, err)
			value = v
			continue
		}
		var wrong *brine.KindError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, kind, wrong.Got)
		require.Equal(t, k, wrong.Want)
		require.Zero(t, c.Offset())
	}
	if reads[kind] == nil {
		v, err := start.Value()
		require.NoError(t, err)
		value = v
	}
	return value, kind
}

// checkRoundTrip requires that a decoded value survives being encoded and
// decoded again. Python's limits hold for what is written too, so a value that came
// in a form without them may be refused.
func checkRoundTrip(t testing.TB, value any) {
	data, err := brine.Marshal(value)
	require.NoError(t, err)
	require.True(t, brine.Dumpable(value))
	again, err := brine.Unmarshal(data)
	require.NoError(t, err)
	require.Equal(t, describe(value), describe(again))
	twice, err := brine.Marshal(again)
	require.NoError(t, err)
	require.Equal(t, data, twice)
}

func FuzzUnmarshal(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if value, ok := checkAgreement(t, data); ok {
			checkRoundTrip(t, value)
		}
	})
}

// FuzzSkipAgrees walks over several values in a row under tight limits.
func FuzzSkipAgrees(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		tight := brine.Limits{Depth: 3, Digits: 5}
		values, skips := brine.NewCursor(data), brine.NewCursor(data)
		values.SetLimits(tight)
		skips.SetLimits(tight)
		for values.Len() > 0 {
			_, err := values.Value()
			skipErr := skips.Skip()
			require.Equal(t, err == nil, skipErr == nil, "%v, %v", err, skipErr)
			require.Equal(t, values.Offset(), skips.Offset())
			if err != nil {
				return
			}
		}
	})
}

// FuzzRoundTrip builds values from the fuzzer's choices.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(0), uint64(0), 0.0, "", []byte(nil), uint8(0))
	f.Add(int64(-49), uint64(1)<<63, 1.5, "é", []byte("12345"), uint8(5))
	f.Add(int64(160), uint64(200), math.Copysign(0, -1), "\xff", make([]byte, 256), uint8(255))
	f.Fuzz(func(t *testing.T, i int64, u uint64, fl float64, s string, p []byte, shape uint8) {
		big := new(big.Int).Mul(big.NewInt(i), new(big.Int).SetUint64(u))
		items := []any{i, u, big, fl, complex(fl, float64(i)), string([]rune(s)), p, i%2 == 0, nil, brine.Ellipsis,
			brine.NotImplemented}
		items = items[:int(shape)%(len(items)+1)]
		for _, v := range []any{
			brine.Tuple(items),
			brine.Slice{Start: brine.Tuple(items), Stop: u, Step: p},
			brine.Tuple{brine.Tuple(items), brine.Tuple{brine.Tuple(items)}},
		} {
			data, err := brine.Marshal(v)
			require.NoError(t, err)
			value, ok := checkAgreement(t, data)
			require.True(t, ok)
			checkRoundTrip(t, value)
		}
	})
}

func seed(f *testing.F) {
	for _, v := range loadVectors(f) {
		if data := v.data(f); len(data) > 0 && len(data) < 400 {
			f.Add(data)
		}
	}
}
