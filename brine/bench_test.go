package brine_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// appendCall appends what calling add(1, 2) on a method sends: 75 bytes, the
// commonest message there is.
func appendCall(b []byte) ([]byte, error) {
	b = brine.AppendTupleHeader(b, 2)
	b = brine.AppendInt(b, 1234)
	b = brine.AppendTupleHeader(b, 2)
	b = brine.AppendInt(b, 7)
	b = brine.AppendTupleHeader(b, 2)
	b = brine.AppendInt(b, 2)
	b = brine.AppendTupleHeader(b, 3)

	b = brine.AppendTupleHeader(b, 2)
	b = brine.AppendInt(b, 3)
	b = brine.AppendTupleHeader(b, 3)
	b, err := brine.AppendString(b, "builtins.method")
	if err != nil {
		return b, err
	}
	b = brine.AppendInt(b, 94732868411072)
	b = brine.AppendInt(b, 140286074138704)

	b = brine.AppendTupleHeader(b, 2)
	b = brine.AppendInt(b, 1)
	b = brine.AppendTupleHeader(b, 2)
	b = brine.AppendInt(b, 1)
	b = brine.AppendInt(b, 2)

	b = brine.AppendTupleHeader(b, 2)
	b = brine.AppendInt(b, 1)
	return brine.AppendTupleHeader(b, 0), nil
}

// readCall reads it with typed reads and returns a sum of the numbers.
func readCall(c brine.Cursor) (sum int64, err error) {
	for err == nil && c.Len() > 0 {
		var n int64
		switch c.Kind() {
		case brine.KindTuple:
			_, err = c.Tuple()
		case brine.KindInt:
			n, err = c.Int64()
		case brine.KindString:
			_, err = c.StringBytes()
		default:
			err = c.Skip()
		}
		sum += n
	}
	return sum, err
}

func TestNothingIsAllocated(t *testing.T) {
	buf := make([]byte, 0, 1024)
	call, err := appendCall(nil)
	require.NoError(t, err)
	every, err := brine.Marshal(brine.Tuple{
		nil, true, 1, 1e6, int64(-1 << 62), "text", []byte("bytes"), 1.5, 2i, brine.Ellipsis, brine.NotImplemented,
		brine.Slice{}, brine.FrozenSet{1, "x"}, new(big.Int).Lsh(big.NewInt(1), 400),
	})
	require.NoError(t, err)
	p := []byte("bytes")
	for name, f := range map[string]func(){
		"AppendInt":     func() { buf = brine.AppendInt(buf[:0], -1<<63) },
		"AppendUint":    func() { buf = brine.AppendUint(buf[:0], 1<<64-1) },
		"AppendFloat":   func() { buf = brine.AppendFloat(buf[:0], 1.5) },
		"AppendComplex": func() { buf = brine.AppendComplex(buf[:0], 1.5i) },
		"AppendString":  func() { buf, _ = brine.AppendString(buf[:0], "a text of some length") },
		"AppendBytes":   func() { buf = brine.AppendBytes(buf[:0], p) },
		"AppendBool":    func() { buf = brine.AppendBool(brine.AppendNone(buf[:0]), true) },
		"Headers": func() {
			buf = brine.AppendSliceHeader(brine.AppendFrozenSetHeader(brine.AppendTupleHeader(buf[:0], 300), 5))
		},
		"Singletons": func() { buf = brine.AppendNotImplemented(brine.AppendEllipsis(buf[:0])) },
		"Append":     func() { buf, _ = brine.Append(buf[:0], int64(1<<40)) },
		"call":       func() { buf, _ = appendCall(buf[:0]) },
		"read call":  func() { _, _ = readCall(brine.NewCursor(call)) },
		"skip call":  func() { c := brine.NewCursor(call); _ = c.Skip() },
		"skip every": func() { c := brine.NewCursor(every); _ = c.Skip() },
	} {
		t.Run(name, func(t *testing.T) {
			require.Zero(t, testing.AllocsPerRun(100, f))
		})
	}
}

func BenchmarkAppendCall(b *testing.B) {
	buf, err := appendCall(nil)
	require.NoError(b, err)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = appendCall(buf[:0])
	}
}

func BenchmarkReadCall(b *testing.B) {
	data, err := appendCall(nil)
	require.NoError(b, err)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readCall(brine.NewCursor(data)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSkipCall(b *testing.B) {
	data, err := appendCall(nil)
	require.NoError(b, err)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		c := brine.NewCursor(data)
		if err := c.Skip(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValue and BenchmarkMarshal run over values of different make.
func BenchmarkValue(b *testing.B) {
	benchmarkValues(b, func(b *testing.B, v any, data []byte) {
		for b.Loop() {
			if _, err := brine.Unmarshal(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMarshal(b *testing.B) {
	benchmarkValues(b, func(b *testing.B, v any, data []byte) {
		for b.Loop() {
			data, _ = brine.Append(data[:0], v)
		}
	})
}

func benchmarkValues(b *testing.B, run func(b *testing.B, v any, data []byte)) {
	call, err := appendCall(nil)
	require.NoError(b, err)
	message, err := brine.Unmarshal(call)
	require.NoError(b, err)
	ints := make(brine.Tuple, 1000)
	set := make(brine.FrozenSet, 1000)
	for i := range ints {
		ints[i], set[i] = int64(i*i), int64(i)
	}
	for _, c := range []struct {
		name string
		v    any
	}{
		{"call", message},
		{"int", int64(123456789)},
		{"bigint100", new(big.Int).Lsh(big.NewInt(1), 330)},
		{"string20", "twenty characters ok"},
		{"bytes64k", make([]byte, 1<<16)},
		{"ints1000", ints},
		{"frozenset1000", set},
	} {
		b.Run(c.name, func(b *testing.B) {
			data, err := brine.Marshal(c.v)
			require.NoError(b, err)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			run(b, c.v, data)
		})
	}
}
