package netref_test

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

type (
	kilo    int
	text    string
	blob    []byte
	flag    bool
	numbers []int
)

var huge = new(big.Int).Lsh(big.NewInt(1), 100)

func pointer[T any](v T) *T { return &v }

// conversions are values as they come from a peer and what becomes of them. want is of the type converted to.
var conversions = []struct{ from, want any }{
	{true, true}, {false, flag(false)}, {true, flag(true)},
	{true, 1}, {false, uint8(0)}, {true, 1.0}, {true, complex64(1)}, {true, big.NewInt(1)},

	{int64(5), 5}, {int64(-5), int8(-5)}, {int64(5), int16(5)}, {int64(5), int32(5)}, {int64(5), int64(5)},
	{int64(5), kilo(5)},
	{int64(127), int8(127)}, {int64(-128), int8(-128)}, {int64(math.MinInt64), int64(math.MinInt64)},
	{int64(5), uint(5)}, {int64(255), uint8(255)}, {int64(5), uint16(5)}, {int64(5), uint32(5)}, {int64(5), uint64(5)},
	{int64(5), uintptr(5)},
	{int64(5), float32(5)}, {int64(5), 5.0}, {int64(5), complex128(5)}, {int64(5), big.NewInt(5)}, {int64(5), pointer(5)},
	{int64(2), 2 * time.Second}, {int64(5), pointer(kilo(5))},
	{huge, huge}, {new(big.Int).SetUint64(math.MaxUint64), uint64(math.MaxUint64)}, {huge, math.Ldexp(1, 100)},
	{huge, float32(math.Ldexp(1, 100))},

	{1.5, 1.5}, {1.5, float32(1.5)}, {1.5, complex128(1.5)}, {1.5, 1500 * time.Millisecond},
	{-0.25, -250 * time.Millisecond},
	{math.Inf(1), math.Inf(1)}, {math.Inf(-1), float32(math.Inf(-1))}, {1.5, pointer(1.5)},
	{complex(1, -2), complex(1, -2)}, {complex(1, -2), complex64(complex(1, -2))},
	{complex(1, -2), pointer(complex(1, -2))},

	{"é", "é"}, {"é", text("é")}, {"", ""}, {"x", pointer("x")},
	{[]byte("x"), []byte("x")}, {[]byte("x"), blob("x")}, {[]byte{}, []byte{}},

	{nil, []int(nil)}, {nil, map[string]int(nil)}, {nil, (*int)(nil)}, {nil, (*netref.Object)(nil)},
	{nil, (*big.Int)(nil)}, {nil, []byte(nil)},

	{brine.Tuple{int64(1), int64(2)}, []int{1, 2}}, {brine.Tuple{int64(1), int64(2)}, numbers{1, 2}},
	{brine.Tuple{}, []int{}},
	{brine.Tuple{int64(1), int64(2)}, [2]int8{1, 2}}, {brine.Tuple{int64(1), "a"}, []any{int64(1), "a"}},
	{brine.Tuple{int64(1), "a"}, brine.Tuple{int64(1), "a"}}, {brine.Tuple{int64(1)}, pointer([]int{1})},
	{brine.Tuple{int64(1)}, pointer([1]int{1})},
	{brine.Tuple{brine.Tuple{int64(1)}, brine.Tuple{}}, [][]int{{1}, {}}}, {brine.Tuple{"a", "b"}, []text{"a", "b"}},
	{brine.Tuple{nil, int64(1)}, []*int{nil, pointer(1)}}, {brine.Tuple{true, int64(1), 1.5}, []float64{1, 1, 1.5}},
	{brine.FrozenSet{int64(1)}, []int{1}}, {brine.FrozenSet{int64(1)}, brine.FrozenSet{int64(1)}},
	{brine.FrozenSet{"a"}, [1]string{"a"}},

	{brine.FrozenSet{"a", "b"}, map[string]struct{}{"a": {}, "b": {}}},
	{brine.FrozenSet{int64(1)}, map[int8]struct{}{1: {}}},

	{brine.Slice{Start: int64(1)}, brine.Slice{Start: int64(1)}}, {brine.Ellipsis, brine.Ellipsis},
	{brine.NotImplemented, brine.NotImplemented},
}

func TestAssign(t *testing.T) {
	ctx := t.Context()
	for _, c := range conversions {
		name := fmt.Sprintf("%T(%v) to %T", c.from, c.from, c.want)
		dst := reflect.New(reflect.TypeOf(c.want)).Elem()
		require.NoError(t, netref.Assign(ctx, dst, c.from), name)
		require.Equal(t, c.want, dst.Interface(), name)

		var v any = "something else"
		require.NoError(t, netref.Assign(ctx, reflect.ValueOf(&v).Elem(), c.from), name)
		require.Equal(t, c.from, v, "any takes everything as it came")
	}
}

// TestByteTexts converts what a peer on Python 2 sends, where texts are bytes.
func TestByteTexts(t *testing.T) {
	python2 := netref.WithByteTexts(t.Context())
	for _, c := range []struct {
		from any
		want any
	}{
		{[]byte("caf\xc3\xa9"), "caf\u00e9"},
		{brine.Tuple{[]byte("a"), "b"}, []string{"a", "b"}},
		{[]byte("10.0.0.1"), netip.MustParseAddr("10.0.0.1")},
	} {
		dst := reflect.New(reflect.TypeOf(c.want)).Elem()
		require.NoError(t, netref.Assign(python2, dst, c.from))
		require.Equal(t, c.want, dst.Interface())
		require.Error(t, netref.Assign(t.Context(), dst, c.from), "of any other peer it is no text")
	}
	require.Error(t, netref.Assign(python2, reflect.ValueOf(new(string)).Elem(), []byte{0xff}), "no UTF-8")
	var v any
	require.NoError(t, netref.Assign(python2, reflect.ValueOf(&v).Elem(), []byte("as it is")))
	require.Equal(t, []byte("as it is"), v)
}

// TestAssignRaw checks that encoded values are converted as decoded ones are.
func TestAssignRaw(t *testing.T) {
	ctx := t.Context()
	for _, c := range conversions {
		name := fmt.Sprintf("%T(%v) to %T", c.from, c.from, c.want)
		b, err := brine.Marshal(c.from)
		require.NoError(t, err)
		b = append(b, 0x55) // of what follows
		cur := brine.NewCursor(b)
		dst := reflect.New(reflect.TypeOf(c.want)).Elem()
		require.NoError(t, netref.AssignRaw(ctx, dst, &cur), name)
		require.Equal(t, c.want, dst.Interface(), name)
		require.Equal(t, 1, cur.Len(), "%s: the cursor is behind the value", name)
	}
}

// refusals are values that do not fit, with the whole text of the error.
var refusals = []struct {
	from, to any
	err      string
}{
	{nil, 0, "cannot use None as int"},
	{nil, "", "cannot use None as string"},
	{nil, false, "cannot use None as bool"},
	{nil, struct{}{}, "cannot use None as struct {}"},
	{nil, [1]int{}, "cannot use None as [1]int"},
	{true, "", "cannot use bool as string: True"},
	{int64(1), false, "cannot use int as bool: 1"},
	{int64(1), "", "cannot use int as string: 1"},
	{int64(1), []int{}, "cannot use int as []int: 1"},
	{int64(1), map[string]int{}, "cannot use int as map[string]int: 1"},
	{int64(1), struct{ X int }{}, "cannot use int as struct { X int }: 1"},
	{int64(128), int8(0), "cannot use int as int8: 128 (out of range)"},
	{int64(-129), int8(0), "cannot use int as int8: -129 (out of range)"},
	{int64(-1), uint(0), "cannot use int as uint: -1 (out of range)"},
	{int64(256), uint8(0), "cannot use int as uint8: 256 (out of range)"},
	{int64(math.MaxInt64), time.Duration(0), "cannot use int as time.Duration: 9223372036854775807 (out of range)"},
	{int64(300), pointer(int8(0)), "cannot use int as int8: 300 (out of range)"},
	{huge, 0, "cannot use int as int: 1267650600228229401496703205376 (out of range)"},
	{huge, uint64(0), "cannot use int as uint64: 1267650600228229401496703205376 (out of range)"},
	{new(big.Int).Lsh(big.NewInt(1), 5000), 0.0, "cannot use int as float64 (out of range)"},
	{huge, "", "cannot use int as string: 1267650600228229401496703205376"},
	{1.5, 0, "cannot use float as int: 1.5"},
	{1.0, 0, "cannot use float as int: 1.0"},
	{1.5, "", "cannot use float as string: 1.5"},
	{1e10, time.Duration(0), "cannot use float as time.Duration: 10000000000.0 (out of range)"},
	{math.NaN(), time.Duration(0), "cannot use float as time.Duration: nan (out of range)"},
	{1e300, float32(0), "cannot use float as float32: 1e+300 (out of range)"},
	{new(big.Int).Lsh(big.NewInt(1), 200), float32(0), "cannot use int as float32: " +
		"1606938044258990275541962092341162602522202993782792835301376 (out of range)"},
	{complex(1, 0), 0.0, "cannot use complex as float64: (1+0j)"},
	{"1", 0, "cannot use str as int: '1'"},
	{"x", []byte{}, "cannot use str as []uint8: 'x'"},
	{"x", []string{}, "cannot use str as []string: 'x'"},
	{[]byte("x"), "", "cannot use bytes as string: b'x'"},
	{[]byte("x"), []int{}, "cannot use bytes as []int: b'x'"},
	{[]byte("x"), [1]byte{}, "cannot use bytes as [1]uint8: b'x'"},
	{brine.Tuple{}, 0, "cannot use tuple as int"},
	{brine.Tuple{}, map[string]int{}, "cannot use tuple as map[string]int"},
	{brine.Tuple{int64(1)}, [2]int{}, "cannot use tuple as [2]int (1 items)"},
	{brine.Slice{}, 0, "cannot use slice as int"},
	{brine.Ellipsis, "", "cannot use ellipsis as string"},
	{brine.NotImplemented, false, "cannot use NotImplementedType as bool"},
	{brine.FrozenSet{}, "", "cannot use frozenset as string"},
	{brine.Tuple{int64(1), "a"}, []int{}, "result[1]: cannot use str as int: 'a'"},
	{brine.Tuple{int64(1), nil}, [2]int{}, "result[1]: cannot use None as int"},
	{brine.Tuple{brine.Tuple{int64(1)}, brine.Tuple{int64(1), int64(300)}}, [][]int8{},
		"result[1][1]: cannot use int as int8: 300 (out of range)"},
	{brine.FrozenSet{"a"}, map[int]struct{}{}, `result[key "a"]: cannot use str as int: 'a'`},
	{brine.FrozenSet{"a"}, []int{}, "result[0]: cannot use str as int: 'a'"},
	{brine.Tuple{"a"}, pointer([]int{}), "result[0]: cannot use str as int: 'a'"},
}

func TestAssignRefuses(t *testing.T) {
	ctx := t.Context()
	for _, c := range refusals {
		name := fmt.Sprintf("%T(%v) to %T", c.from, c.from, c.to)
		var ce *netref.ConvertError
		dst := reflect.New(reflect.TypeOf(c.to)).Elem()
		err := netref.Assign(ctx, dst, c.from)
		require.ErrorAs(t, err, &ce, name)
		require.EqualError(t, err, c.err, name)

		b, err := brine.Marshal(c.from)
		require.NoError(t, err)
		cur := brine.NewCursor(b)
		dst = reflect.New(reflect.TypeOf(c.to)).Elem()
		require.EqualError(t, netref.AssignRaw(ctx, dst, &cur), c.err, name)
	}
}

// TestConvertErrorTellsTypes is about what a program can ask of the error.
func TestConvertErrorTellsTypes(t *testing.T) {
	_, err := netref.As[[]struct{ Price uint8 }](t.Context(), brine.Tuple{int64(3)})
	var ce *netref.ConvertError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, "[0]", ce.Path)
	require.Equal(t, "int", ce.From)
	require.Equal(t, reflect.TypeFor[struct{ Price uint8 }](), ce.To)
}

type stand struct{ v any }

func (s stand) GoValue() any { return s.v }

// TestAssignLocal converts Go values of this program that went to a peer and came back.
func TestAssignLocal(t *testing.T) {
	ctx := t.Context()
	type point struct{ X, Y int }
	p := &point{1, 2}
	got, err := netref.As[*point](ctx, p)
	require.NoError(t, err)
	require.Same(t, p, got)
	v, err := netref.As[point](ctx, p)
	require.NoError(t, err)
	require.Equal(t, *p, v)
	s, err := netref.As[fmt.Stringer](ctx, time.Second)
	require.NoError(t, err)
	require.Equal(t, time.Second, s)
	xs, err := netref.As[[]int8](ctx, []any{int64(1), int64(2)})
	require.NoError(t, err)
	require.Equal(t, []int8{1, 2}, xs)
	m, err := netref.As[map[string]int8](ctx, map[any]any{"a": int64(1)})
	require.NoError(t, err)
	require.Equal(t, map[string]int8{"a": 1}, m)
	n, err := netref.As[numbers](ctx, stand{brine.Tuple{int64(5)}})
	require.NoError(t, err)
	require.Equal(t, numbers{5}, n)
	k, err := netref.As[kilo](ctx, kilo(3))
	require.NoError(t, err)
	require.Equal(t, kilo(3), k)

	_, err = netref.As[map[string]int8](ctx, map[any]any{"a": int64(300)})
	require.EqualError(t, err, `result["a"]: cannot use int as int8: 300 (out of range)`)
	_, err = netref.As[map[int]int8](ctx, map[any]any{"a": int64(3)})
	require.EqualError(t, err, `result[key "a"]: cannot use str as int: 'a'`)
	_, err = netref.As[[]int8](ctx, []any{"x"})
	require.EqualError(t, err, `result[0]: cannot use str as int8: 'x'`)
	_, err = netref.As[*point](ctx, &struct{ X int }{})
	require.Error(t, err)
}

func FuzzAssignRaw(f *testing.F) {
	for _, c := range conversions {
		if b, err := brine.Marshal(c.from); err == nil {
			f.Add(b)
		}
	}
	for _, c := range refusals {
		if b, err := brine.Marshal(c.from); err == nil {
			f.Add(b)
		}
	}
	types := []reflect.Type{}
	for _, c := range conversions {
		types = append(types, reflect.TypeOf(c.want))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		check := brine.NewCursor(b)
		raw, err := check.Raw()
		if err != nil {
			return
		}
		v, err := brine.Unmarshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range types {
			one, two := reflect.New(typ).Elem(), reflect.New(typ).Elem()
			cur := brine.NewCursor(raw)
			errRaw, errValue := netref.AssignRaw(t.Context(), one, &cur), netref.Assign(t.Context(), two, v)
			if (errRaw == nil) != (errValue == nil) {
				t.Fatalf("%v to %v: %v and %v", v, typ, errRaw, errValue)
			}
			if errRaw == nil && fmt.Sprintf("%#v", one) != fmt.Sprintf("%#v", two) && typ.Kind() != reflect.Pointer &&
				typ.Kind() != reflect.Slice {
				t.Fatalf("%v to %v: %#v and %#v", v, typ, one, two)
			}
		}
	})
}
