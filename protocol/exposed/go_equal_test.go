package exposed_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// hashed counts how often it is compared.
type hashed struct {
	hash, equals int64
	compared     *int
}

func (h hashed) PyHash() int64 { return h.hash }

func (h hashed) PyEq(other any) bool {
	*h.compared++
	return other == h.equals
}

type (
	number int16
	word   string
)

// TestKeysOfInterfaces looks keys up in maps whose keys may have any Go type. The expected values are what a dict with
// the same keys says in CPython.
func TestKeysOfInterfaces(t *testing.T) {
	big63 := new(big.Int).Lsh(big.NewInt(1), 63)
	for _, l := range []struct {
		in       any // the map's only key
		equal    []any
		notEqual []any
	}{
		{int(1), []any{int64(1), 1.0, true, complex(1, 0)}, []any{int64(2), 1.5, "1", false, nil, complex(1, 1)}},
		{int8(-1), []any{int64(-1), -1.0}, []any{int64(255), true}},
		{int16(300), []any{int64(300), 300.0}, []any{int64(44)}},
		{int32(-7), []any{-7.0}, []any{int64(1<<32 - 7)}},
		{int64(0), []any{false, 0.0, math.Copysign(0, -1)}, []any{nil, ""}},
		{uint(5), []any{int64(5)}, []any{int64(-5)}},
		{uint8(200), []any{200.0}, []any{int64(-56)}},
		{uint16(1), []any{true}, nil},
		{uint32(1 << 31), []any{int64(1 << 31)}, []any{int64(-1 << 31)}},
		{uint64(1 << 63), []any{big63, 0x1p63}, []any{int64(math.MinInt64), -0x1p63, int64(math.MaxInt64)}},
		{uintptr(9), []any{9.0}, nil},
		{float32(0.5), []any{0.5, complex(0.5, 0)}, []any{int64(0), true}},
		{0x1p53, []any{int64(1 << 53)}, []any{int64(1<<53 + 1)}},
		{0x1p63, []any{big63}, nil},
		{complex64(2), []any{int64(2), 2.0}, []any{complex(2, 1)}},
		{complex(1, 2), []any{complex(1, 2)}, []any{1.0}},
		{true, []any{int64(1), 1.0}, []any{int64(0), "True"}},
		{number(3), []any{int64(3), 3.0}, []any{int64(4)}},
		{word("w"), []any{"w"}, []any{"v", []byte("w")}},
		{"w", []any{"w"}, []any{[]byte("w"), int64(0)}},
		{nil, []any{nil}, []any{false, int64(0)}},
	} {
		m := map[any]any{l.in: "v"}
		for _, k := range l.equal {
			require.Equal(t, "v", must(t)(callAttr(m, "__getitem__", k)), "%T %v for %v", l.in, l.in, k)
			must(t)(callAttr(m, "__setitem__", k, "v"))
		}
		require.Len(t, m, 1, "%T %v", l.in, l.in)
		for _, k := range l.notEqual {
			_, err := callAttr(m, "__getitem__", k)
			require.ErrorIs(t, err, vinegar.KeyError, "%T %v for %v", l.in, l.in, k)
		}
	}
}

// TestKeyComparisons counts comparisons: as in a dict, only keys with the same hash are compared.
func TestKeyComparisons(t *testing.T) {
	n := 0
	numbers, objects := map[any]any{}, map[any]any{}
	for i := range 5000 {
		numbers[i] = i
		objects[hashed{int64(i + 10000), int64(i + 10000), &n}] = i
	}
	compared := func(m map[any]any, key any) (int, error) {
		n = 0
		_, err := callAttr(m, "__getitem__", key)
		return n, err
	}
	for _, l := range []struct {
		in    map[any]any
		key   any
		n     int
		found bool
	}{
		{numbers, hashed{7, 7, &n}, 1, true},
		{numbers, hashed{7, 8, &n}, 1, false},
		{numbers, hashed{-7, 7, &n}, 0, false},
		{numbers, int64(-7), 0, false},
		{objects, int64(10042), 1, true},
		{objects, int64(42), 0, false},
		{objects, "x", 0, false},
	} {
		got, err := compared(l.in, l.key)
		require.Equal(t, l.n, got, "%v", l.key)
		require.Equal(t, l.found, err == nil, "%v: %v", l.key, err)
	}
	colliding := map[any]any{}
	for i := range 5000 {
		colliding[hashed{1, int64(i + 2), &n}] = i
	}
	got, err := compared(colliding, int64(1))
	require.ErrorIs(t, err, vinegar.MemoryError)
	require.LessOrEqual(t, got, 2048, "a peer can choose what has the same hash")
}
