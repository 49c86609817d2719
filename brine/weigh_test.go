package brine_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// tupleOf is the encoding of a tuple of n values, each made by item.
func tupleOf(n int, item func(i int) string) string {
	var b strings.Builder
	b.Write(brine.AppendTupleHeader(nil, n))
	for i := range n {
		b.WriteString(item(i))
	}
	return b.String()
}

func always(item string) func(int) string { return func(int) string { return item } }

// numbered is a text of three bytes, another one for each i below 2²¹.
func numbered(i int) string {
	return "\x08\x0c" + string([]byte{byte(i & 127), byte(i >> 7 & 127), byte(i >> 14 & 127)})
}

// heavy are encodings that become as large as can be for their length, of 100,000 values and more.
var heavy = map[string]string{
	"Nones":                  tupleOf(1<<20, always("\x00")),
	"numbers":                tupleOf(1<<18, always("\x16\x03999")),
	"long integers":          tupleOf(1<<13, always("\x17\x00\x00\x10\x00"+strings.Repeat("7", 4096))),
	"floats":                 tupleOf(1<<18, always("\x18\x40\x09\x21\xfb\x54\x44\x2d\x18")),
	"complexes":              tupleOf(1<<17, always("\x1b"+strings.Repeat("\x40", 16))),
	"texts":                  tupleOf(1<<18, always("\x08\x0ax")),
	"byte strings":           tupleOf(1<<18, always("\x0ax")),
	"a long text":            "\x08\x0f\x01\x00\x00\x00" + strings.Repeat("x", 1<<24),
	"tuples of one":          tupleOf(1<<18, always("\x10\x00")),
	"deep tuples":            tupleOf(1<<11, always(strings.Repeat("\x10", 250)+"\x00")),
	"slices":                 tupleOf(1<<17, always("\x19\x12\x00\x00\x00")),
	"frozensets":             tupleOf(1<<16, always("\x1a\x10\x50")),
	"frozensets of bytes":    tupleOf(1<<12, always("\x1a\x0e\x60"+strings.Repeat("abcdefgh", 12))),
	"a frozenset":            "\x1a" + tupleOf(1<<18, numbered),
	"a frozenset of tuples":  "\x1a" + tupleOf(1<<18, func(i int) string { return "\x10" + numbered(i) }),
	"a frozenset of a text":  "\x1a\x08\x0f\x00\x40\x00\x00" + strings.Repeat("x", 1<<22),
	"a frozenset of one":     "\x1a" + tupleOf(1<<20, always("\x50")),
	"a slice of a frozenset": tupleOf(1<<16, always("\x19\x1a\x12\x50\x51\x52")),
}

// TestWeigh compares what values are said to weigh with what they take.
func TestWeigh(t *testing.T) {
	for name, data := range heavy {
		t.Run(name, func(t *testing.T) {
			c := brine.NewCursor([]byte(data))
			weight := c.Weigh(math.MaxInt64)
			require.LessOrEqual(t, weight, int64(brine.MaxWeight*len(data)))
			require.Equal(t, 0, c.Offset())
			before, beforeAll := heap()
			v, err := c.Value()
			after, afterAll := heap()
			took := after - before
			require.NoError(t, err)
			require.Zero(t, c.Len())
			runtime.KeepAlive(v)
			require.LessOrEqual(t, took, weight)
			if strings.Contains(name, "frozenset") {
				require.LessOrEqual(t, afterAll-beforeAll, 2*weight, "with what comparing the members took")
			} else {
				require.Greater(t, took, weight/3, "the estimate is not wild")
			}
			for _, limit := range []int64{weight - 1, weight / 2, 100} {
				again := brine.NewCursor([]byte(data))
				require.Greater(t, again.Weigh(limit), limit)
			}
		})
	}
}

// heap is how much memory is in use, and how much has ever been.
func heap() (now, ever int64) {
	var m runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.TotalAlloc)
}

// TestWeighMalformed has claims that the data does not keep: they are worth what is there, and cost nothing.
func TestWeighMalformed(t *testing.T) {
	claim := string(binary.BigEndian.AppendUint32([]byte{0x15}, 1<<30))
	for _, data := range []string{"", "\xff", claim, claim + "\x00", "\x1a" + claim, "\x19\x00",
		strings.Repeat("\x10", 1<<20)} {
		c := brine.NewCursor([]byte(data))
		require.LessOrEqual(t, c.Weigh(math.MaxInt64), int64(brine.MaxWeight*brine.DefaultDepth), fmt.Sprintf("%.20q", data))
	}
	data := []byte(tupleOf(1000, always("\x1a\x11\x50\x51")))
	require.Zero(t, testing.AllocsPerRun(10, func() {
		c := brine.NewCursor(data)
		c.Weigh(math.MaxInt64)
	}))
}
