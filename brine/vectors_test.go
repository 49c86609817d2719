package brine_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// vector is a row of testdata/brine_vectors.jsonl, see testdata/record.py.
type vector struct {
	ID        string
	Kind      string // roundtrip, load, reject, dump_reject, skip, meta
	Expr      string // the Python expression that was dumped
	Python    string // repr of the value; absent if very long, Expr says it then
	Hex       string
	HexRLE    [][2]any `json:"hex_rle"`
	Canonical string   // what Python dumps after loading, if that is not Hex
	Dumpable  bool
	ByVersion map[string]vector `json:"by_version"` // runs with another outcome
}

func (v vector) data(t testing.TB) []byte {
	text := v.Hex
	for _, run := range v.HexRLE {
		text += strings.Repeat(run[0].(string), int(run[1].(float64)))
	}
	data, err := hex.DecodeString(text)
	require.NoError(t, err)
	return data
}

func loadVectors(t testing.TB) []vector {
	f, err := os.Open("testdata/brine_vectors.jsonl")
	require.NoError(t, err)
	defer f.Close()
	var all []vector
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		require.NoError(t, json.Unmarshal(lines.Bytes(), &v))
		if v.Kind != "meta" {
			all = append(all, v)
		}
	}
	require.NoError(t, lines.Err())
	require.Greater(t, len(all), 1000)
	return all
}

// difference says why a vector does not end here as in the reference run,
// CPython 3.11 with RPyC 6.0.2.
type difference struct {
	prefixes []string
	run      string // the run whose outcome is ours; empty if the value is refused here
	reason   string
}

var differences = []difference{{
	prefixes: []string{
		"load/str_short/", "load/str_l1/truncated", "load/str_l4/truncated", "load/str_l4/huge_truncated",
		"load/int_l1/short", "load/int_l4/short",
		"load/byte/0a", "load/byte/0b", "load/byte/0c", "load/byte/0d",
	},
	reason: "a byte string or integer that is cut short is an error: passing on less than was sent would hide damage",
}, {
	prefixes: []string{"load/long/"},
	run:      "py3.11/rpyc-4.1.5",
	reason:   "the Python 2 long tag is read, as RPyC did up to 4.1.5, so that those peers can be served",
}, {
	prefixes: []string{"load/fset/with_slice", "load/fset/eq_slices", "dump/undumpable/fset_with_slice"},
	run:      "py3.13/rpyc-6.0.2",
	reason:   "slices are hashable from Python 3.12 on",
}}

// outcome returns the row that is to hold here.
func (v vector) outcome(t testing.TB) vector {
	for _, d := range differences {
		for _, prefix := range d.prefixes {
			if !strings.HasPrefix(v.ID, prefix) {
				continue
			}
			if d.run == "" {
				v.Kind = "reject"
				return v
			}
			other, differs := v.ByVersion[d.run]
			if !differs {
				return v
			}
			other.ID, other.Expr = v.ID, v.Expr
			return other
		}
	}
	return v
}

func TestDifferencesAreUsed(t *testing.T) {
	all := loadVectors(t)
	for _, d := range differences {
		for _, prefix := range d.prefixes {
			used := false
			for _, v := range all {
				used = used || strings.HasPrefix(v.ID, prefix) && v.outcome(t).Kind != v.Kind
			}
			require.True(t, used, "%s: no vector differs (%s)", prefix, d.reason)
		}
	}
}

// value returns the Go form of what Python had or got.
func (v vector) value(t testing.TB) any {
	switch v.ID { // Python prints every NaN alike
	case "dump/float/-nan", "load/float/neg_nan":
		return math.Copysign(pyNaN, -1)
	case "load/float/nan_payload":
		return math.Float64frombits(0x7ff800000000002a)
	case "load/float/snan":
		return math.Float64frombits(0x7ff0000000000001)
	}
	text := v.Python
	if text == "" {
		text = v.Expr
	}
	value, err := parsePython(text)
	require.NoError(t, err, v.ID)
	return value
}

func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			switch v := v.outcome(t); v.Kind {
			case "roundtrip":
				testRoundTrip(t, v)
			case "load":
				testLoad(t, v)
			case "reject":
				_, err := brine.Unmarshal(v.data(t))
				require.Error(t, err)
				var decode *brine.DecodeError
				require.ErrorAs(t, err, &decode)
			case "dump_reject":
				testDumpReject(t, v)
			default:
				require.Fail(t, "unknown kind", v.Kind)
			}
		})
	}
}

func testRoundTrip(t *testing.T, v vector) {
	data, value := v.data(t), v.value(t)
	require.True(t, brine.Dumpable(value))

	got, err := brine.Unmarshal(data)
	require.NoError(t, err)
	require.Equal(t, describe(value), describe(got))

	again, err := brine.Marshal(got) // keeps the order a frozenset arrived in
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(data), hex.EncodeToString(again))

	fresh, err := brine.Marshal(value)
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(data), hex.EncodeToString(fresh)) // repr shows a set in the order it was dumped

	prefix := []byte("prefix")
	appended, err := brine.Append(prefix, value)
	require.NoError(t, err)
	require.Equal(t, append(bytes.Clone(prefix), data...), appended)
}

func testLoad(t *testing.T, v vector) {
	data, value := v.data(t), v.value(t)
	got, err := brine.Unmarshal(data)
	require.NoError(t, err)
	require.Equal(t, describe(value), describe(got))

	canonical := data
	if v.Canonical != "" {
		canonical, err = hex.DecodeString(v.Canonical)
		require.NoError(t, err)
	}
	again, err := brine.Marshal(got)
	require.NoError(t, err)
	if !strings.Contains(v.Python, "frozenset") { // whose order is Python's affair
		require.Equal(t, hex.EncodeToString(canonical), hex.EncodeToString(again))
	}
}

// undumpable gives the Go counterparts of what Python refuses to dump.
func undumpable() map[string]any {
	type (
		namedInt   int
		namedStr   string
		namedTuple brine.Tuple
		namedBytes []byte
		namedFloat float64
	)
	tooDeep := brine.Tuple{}
	for range 1200 {
		tooDeep = brine.Tuple{tooDeep}
	}
	return map[string]any{
		"surrogate/lone_hi": "\xed\xa0\x80", "surrogate/lone_lo": "\xed\xb2\x80", "surrogate/in_text": "a\xed\xbf\xbfb",
		"undumpable/list": []any{1}, "undumpable/dict": map[string]any{}, "undumpable/set": map[any]struct{}{},
		"undumpable/object": struct{}{}, "undumpable/bytearray": &[]byte{'x'},
		"undumpable/memoryview":    bytes.NewReader([]byte{'x'}),
		"undumpable/list_in_tuple": brine.Tuple{1, []any{2}}, "undumpable/slice_of_list": brine.Slice{Start: []any{1}},
		"undumpable/namedtuple": struct{ X, Y int }{1, 2}, "undumpable/int_subclass": namedInt(5),
		"undumpable/enum":         namedInt(1),
		"undumpable/str_subclass": namedStr("x"), "undumpable/tuple_subclass": namedTuple{1},
		"undumpable/bytes_subclass": namedBytes("x"),
		"undumpable/float_subclass": namedFloat(1), "undumpable/func": strings.ToUpper,
		"undumpable/generator": make(chan int),
		"undumpable/deep1200":  tooDeep, "undumpable/decimal": big.NewRat(1, 1),
		"undumpable/digits4301": new(big.Int).Exp(big.NewInt(10), big.NewInt(4300), nil),

		// Types and modules are no values in Go.
		"undumpable/range": nil, "undumpable/type_int": nil, "undumpable/range_obj": nil, "undumpable/module": nil,
	}
}

func testDumpReject(t *testing.T, v vector) {
	value, ok := undumpable()[strings.TrimPrefix(v.ID, "dump/")]
	require.True(t, ok, "no Go counterpart given")
	if value == nil {
		t.Skip("no Go counterpart")
	}
	b, err := brine.Append([]byte("kept"), value)
	require.Error(t, err)
	require.Equal(t, "kept", string(b))
	if v.Dumpable || v.ID == "dump/undumpable/deep1200" {
		return
	}
	require.False(t, brine.Dumpable(value))
	var unsupported *brine.UnsupportedTypeError
	require.ErrorAs(t, err, &unsupported)
}

// TestVectorTruncations cuts every value at every byte.
func TestVectorTruncations(t *testing.T) {
	for _, v := range loadVectors(t) {
		if v.Kind != "roundtrip" {
			continue
		}
		data := v.data(t)
		for n := range data {
			_, err := brine.Unmarshal(data[:n])
			if !isCutShort(err) {
				require.Fail(t, "not cut short", "%s at %d: %v", v.ID, n, err)
			}
			c := brine.NewCursor(data[:n])
			if err := c.Skip(); !isCutShort(err) {
				require.Fail(t, "not cut short for Skip", "%s at %d: %v", v.ID, n, err)
			}
		}
	}
}

func isCutShort(err error) bool {
	e, ok := err.(*brine.DecodeError)
	return ok && e.Err == io.ErrUnexpectedEOF
}

// TestVectorDroppedPrefixes starts decoding at every byte, mostly amid a value.
func TestVectorDroppedPrefixes(t *testing.T) {
	for _, v := range loadVectors(t) {
		if strings.HasPrefix(v.Kind, "dump") || v.Kind == "skip" {
			continue
		}
		data := v.data(t)
		for n := range min(len(data), 200) {
			checkAgreement(t, data[n:])
		}
	}
}
