package pyvalue

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

func TestItems(t *testing.T) {
	for _, row := range []struct {
		v    any
		want []any
	}{
		{"aé\xff", []any{"a", "é", "\xff"}}, {[]byte{1, 255}, []any{int64(1), int64(255)}},
		{brine.Tuple{nil, 2}, []any{nil, 2}},
		{brine.FrozenSet{"x"}, []any{"x"}}, {"", []any{}}, {[]byte{}, []any{}},
	} {
		items, ok := Items(row.v)
		require.True(t, ok)
		require.Equal(t, row.want, items)
	}
	for _, v := range []any{nil, int64(1), 1.5, brine.Slice{}, brine.Ellipsis, []any{}} {
		_, ok := Items(v)
		require.False(t, ok)
	}
}

func TestFromGo(t *testing.T) {
	type shade uint8
	type name string
	for _, row := range []struct{ v, want any }{
		{true, true}, {int8(-3), int64(-3)}, {uint64(math.MaxUint64), new(big.Int).SetUint64(math.MaxUint64)},
		{uintptr(5), int64(5)}, {shade(7), int64(7)}, {float32(0.5), 0.5}, {complex64(1i), 1i}, {name("x"), "x"},
		{1500 * time.Millisecond, 1.5},
	} {
		v, ok := FromGo(reflect.ValueOf(row.v))
		require.True(t, ok)
		require.Equal(t, row.want, v)
	}
	for _, v := range []any{nil, []byte{}, struct{}{}, &struct{}{}, map[string]int{}} {
		_, ok := FromGo(reflect.ValueOf(v))
		require.False(t, ok)
	}
}

func TestNotPlain(t *testing.T) {
	for _, v := range []any{[]any{}, 5, &struct{}{}, map[string]int{}, int8(1)} {
		_, plain := Truth(v)
		require.False(t, plain)
		require.Empty(t, TypeName(v))
		_, ok := Key(v)
		require.False(t, ok)
		_, ok = HashScalar(v)
		require.False(t, ok)
		_, ok = Key(brine.Tuple{v})
		require.False(t, ok)
		require.Equal(t, fmt.Sprintf("(<Go %T>,)", v), Repr(brine.Tuple{v}))
	}
	deep := any("x")
	for range 100_000 {
		deep = brine.Tuple{deep}
	}
	_, ok := Key(deep)
	require.False(t, ok)
	require.Contains(t, Repr(deep), "...")
}

func TestScanLiteral(t *testing.T) {
	for _, row := range []struct {
		text, rest string
		want       any
	}{
		{"1, b=2", ", b=2", int64(1)}, {"'a,b' )", " )", "a,b"}, {"(1, -2.5), 3", ", 3", brine.Tuple{int64(1), -2.5}},
		{" None", "", nil}, {"b'x'", "", []byte("x")}, {"1 + 2j)", ")", 1 + 2i},
	} {
		v, rest, err := ScanLiteral(row.text)
		require.NoError(t, err)
		require.Equal(t, row.want, v)
		require.Equal(t, row.rest, rest)
	}
	for _, text := range []string{"[1]", "{}", "", "x", "([],)"} {
		_, _, err := ScanLiteral(text)
		require.Error(t, err, text)
	}
}

// TestStrongKeys has numbers that CPython's hash does not tell apart.
func TestStrongKeys(t *testing.T) {
	keys := map[any]bool{}
	for i := range int64(1000) {
		n := new(big.Int).Mul(big.NewInt(i), big.NewInt(hashPrime))
		require.Zero(t, HashNumber(NumberOf(IntValue(n))))
		k, ok := Key(IntValue(n))
		require.True(t, ok)
		keys[k] = true
	}
	require.Len(t, keys, 1000)
}

// TestModularPowerIsBounded refuses what would take seconds, and computes what RSA needs.
func TestModularPowerIsBounded(t *testing.T) {
	ones := func(bits uint) Number {
		n := new(big.Int).Lsh(big.NewInt(1), bits)
		return NumberOf(n.Sub(n, big.NewInt(1)))
	}
	got, err := ModularPower(ones(4096), ones(4096), ones(4096))
	require.NoError(t, err)
	require.Equal(t, int64(0), got)
	got, err = ModularPower(ones(60000), ones(60000), ones(64))
	require.NoError(t, err)
	require.Equal(t, IntValue(new(big.Int).Exp(ones(60000).BigInt(), ones(60000).BigInt(), ones(64).BigInt())), got)
	for _, n := range []Number{ones(14000), ones(65000), ones(4 << 20)} {
		_, err := ModularPower(ones(14000), n, n)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "OverflowError", e.Class)
	}
}

func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"(1, 'a', b'\\x00', -1.5e3, 1+2j)", "[{'a': None}]",
		"'''x''' r'\\'", "0x_f", "((((", "1_", "\"\\u00e9\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseLiteral(s)
		if err != nil || TypeName(v) == "" {
			return
		}
		if _, set := v.(brine.FrozenSet); set {
			t.Fatal("no literal is a frozenset")
		}
		// What Repr writes is read back as the same value, but for what Go's strings and Python's literals cannot
		// express.
		again, err := ParseLiteral(Repr(v))
		if err == nil {
			require.Equal(t, Repr(v), Repr(again))
		}
	})
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		s    string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc…"}, {"aé", 2, "a…"}, {"aéb", 3, "aé…"}, {"", 0, ""}, {"é", 1, "…"}} {
		require.Equal(t, c.want, Shorten(c.s, c.most), "%q", c.s)
	}
}
