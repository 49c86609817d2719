package brine_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// nested returns levels containers, one in the other, around None. The headers
// are those of a tuple of one, a slice, a frozenset and a Python 2 long.
func nested(header string, levels int, tail string) []byte {
	return []byte(strings.Repeat(header, levels) + tail)
}

func requireLimit(t *testing.T, err error, what string, got, limit int64) {
	t.Helper()
	var e *brine.LimitError
	require.ErrorAs(t, err, &e)
	require.Equal(t, brine.LimitError{What: what, Got: got, Limit: limit}, *e)
}

func TestDepthLimit(t *testing.T) {
	for _, c := range []struct{ name, header, tail string }{
		{"tuple", "\x10", "\x00"},
		{"tuple with uint8 count", "\x14\x01", "\x00"},
		{"slice", "\x19\x12", "\x00"},
		{"frozenset", "\x1a\x10", "\x00"},
		{"frozenset of frozenset", "\x1a", "\x02"},
		{"long", "\x09", "\x51"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tail := c.tail
			if c.name == "slice" { // stop and step of every level
				tail += strings.Repeat("\x00\x00", 10000)
			}
			_, ok := checkAgreement(t, nested(c.header, brine.DefaultDepth, tail))
			require.True(t, ok)

			data := nested(c.header, brine.DefaultDepth+1, tail)
			_, err := brine.Unmarshal(data)
			requireLimit(t, err, "nesting depth", 301, 300)
			checkAgreement(t, data)

			data = nested(c.header, 1_000_000, tail) // neither time nor stack
			checkAgreement(t, data)

			cur := brine.NewCursor(nested(c.header, 5000, tail))
			cur.SetLimits(brine.Limits{Depth: math.MaxInt})
			require.NoError(t, cur.Skip())
		})
	}
}

func TestDepthCountsFromTheCaller(t *testing.T) {
	c := brine.NewCursor(nested("\x10", 5, "\x00"))
	c.SetLimits(brine.Limits{Depth: 5})
	require.NoError(t, func() error { d := c; return d.Skip() }())
	for depth := range 4 {
		c.SetDepth(depth)
		n, err := c.Tuple()
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	c.SetDepth(5)
	_, err := c.Tuple()
	requireLimit(t, err, "nesting depth", 6, 5)
	_, err = c.Value()
	requireLimit(t, err, "nesting depth", 6, 5)
	requireLimit(t, c.Skip(), "nesting depth", 6, 5)
	c.SetDepth(4)
	require.NoError(t, c.Skip())
}

func TestEncodingDepthLimit(t *testing.T) {
	for _, wrap := range []func(any) any{
		func(v any) any { return brine.Tuple{v} },
		func(v any) any { return brine.FrozenSet{v} },
		func(v any) any { return brine.Slice{Step: v} },
	} {
		var v any
		for range brine.DefaultDepth {
			v = wrap(v)
		}
		require.True(t, brine.Dumpable(v))
		checkRoundTrip(t, v)
		_, err := brine.Marshal(wrap(v))
		requireLimit(t, err, "nesting depth", 301, 300)
		require.False(t, brine.Dumpable(wrap(v)))
	}
	endless := brine.Tuple{nil, nil}
	endless[0], endless[1] = endless, endless
	_, err := brine.Marshal(endless)
	require.Error(t, err)
	require.False(t, brine.Dumpable(endless))
}

func TestDigitsLimit(t *testing.T) {
	text := func(s string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{0x17}, uint32(len(s))), s...)
	}
	most := strings.Repeat("9", brine.DefaultDigits)
	for _, s := range []string{most, "-" + most, " \t+" + most + "\r\n", "9_" + most[1:], "0" + most[1:]} {
		_, ok := checkAgreement(t, text(s))
		require.True(t, ok)
	}
	for _, s := range []string{most + "9", "0" + most, "-" + most + "0"} {
		_, err := brine.Unmarshal(text(s))
		requireLimit(t, err, "digits of an integer", 4301, 4300)
		checkAgreement(t, text(s))
	}
	c := brine.NewCursor(text("1234"))
	c.SetLimits(brine.Limits{Digits: 3})
	_, err := c.Int64()
	requireLimit(t, err, "digits of an integer", 4, 3)

	v, ok := new(big.Int).SetString(most, 10)
	require.True(t, ok)
	for _, v := range []*big.Int{v, new(big.Int).Neg(v)} {
		checkRoundTrip(t, v)
	}
	b, err := brine.AppendBigInt([]byte("kept"), new(big.Int).Add(v, big.NewInt(1)))
	requireLimit(t, err, "digits of an integer", 4301, 4300)
	require.Equal(t, "kept", string(b))
	_, err = brine.AppendBigInt(nil, new(big.Int).Lsh(v, 1_000_000))
	var limit *brine.LimitError
	require.ErrorAs(t, err, &limit)
	require.InDelta(t, 305_330, limit.Got, 2) // 10⁴³⁰⁰ · 2¹⁰⁰⁰⁰⁰⁰
}

// TestClaimsCostNothing feeds headers that announce far more than is there, also
// nested so that each repeats the claim of the one around it, and counts bytes.
func TestClaimsCostNothing(t *testing.T) {
	const size = 1 << 20
	claim := func(tag byte, n int64) []byte { return binary.BigEndian.AppendUint32([]byte{tag}, uint32(n)) }
	var chain []byte
	for range 290 {
		chain = append(chain, claim(0x15, size-2000)...)
	}
	chain = append(chain, make([]byte, size-len(chain))...)
	sets := bytes.ReplaceAll(chain, []byte{0x15}, []byte{0x1a, 0x15})
	for name, c := range map[string]struct {
		data []byte
		most uint64
	}{
		"bytes":            {claim(0x0f, 1<<32-1), 1 << 16},
		"tuple":            {claim(0x15, 1<<32-1), 1 << 16},
		"integer":          {claim(0x17, 1<<32-1), 1 << 16},
		"nested tuples":    {chain, 20 * size},
		"nested sets":      {sets[:size], 60 * size},
		"tuple of nothing": {append(claim(0x15, size), make([]byte, size-1)...), 1 << 16},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := brine.Unmarshal(c.data)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, c.most)
		})
	}
}

// TestNestedSetsTakeLinearTime would need minutes if every level of nesting
// looked at all members again.
func TestNestedSetsTakeLinearTime(t *testing.T) {
	const members = 20_000
	data := bytes.Repeat([]byte{0x1a, 0x11, 0x50}, 250)
	data = append(data, 0x1a)
	data = brine.AppendTupleHeader(data, members)
	for i := range int64(members) {
		data = brine.AppendInt(data, i)
	}
	v, err := brine.Unmarshal(data)
	require.NoError(t, err)
	for range 250 {
		v = v.(brine.FrozenSet)[1]
	}
	require.Len(t, v, members)
}

func TestDecodedValuesDoNotAliasByDefault(t *testing.T) {
	data, err := brine.Marshal([]byte("hello"))
	require.NoError(t, err)
	copied, err := brine.Unmarshal(data)
	require.NoError(t, err)
	c := brine.NewCursor(data)
	c.SetAlias(true)
	aliased, err := c.Value()
	require.NoError(t, err)
	data[2] = 'j'
	require.Equal(t, []byte("hello"), copied)
	require.Equal(t, []byte("jello"), aliased)
	require.Equal(t, 5, cap(aliased.([]byte)), "appending must not write behind the value")
}

func TestFailedReadsDoNotMove(t *testing.T) {
	data := []byte{0x11, 0x51, 0x11, 0x08, 0x0a, 0xff, 0x07} // (1, (bad text, unknown tag))
	c := brine.NewCursor(data)
	_, err := c.Tuple()
	require.NoError(t, err)
	_, err = c.Int64()
	require.NoError(t, err)
	for range 2 {
		_, err = c.Value()
		var decode *brine.DecodeError
		require.ErrorAs(t, err, &decode)
		require.ErrorIs(t, err, brine.ErrInvalidUTF8)
		require.Equal(t, 3, decode.Offset)
		require.Equal(t, 2, c.Offset())
		require.ErrorIs(t, c.Skip(), brine.ErrInvalidUTF8)
		require.Equal(t, 2, c.Offset())
	}
}

func TestErrorTexts(t *testing.T) {
	for want, data := range map[string]string{
		"brine: at byte 1: unknown tag 0x07: brine has none, and no codec is registered for it": "\x10\x07",
		"brine: at byte 0: unexpected EOF":                                   "",
		"brine: at byte 0: invalid integer text":                             "\x16\x01x",
		"brine: at byte 0: invalid UTF-8":                                    "\x08\x0a\xff",
		"brine: at byte 0: slice is not made of exactly three items":         "\x19\x02",
		"brine: at byte 0: nesting depth: 301 exceeds the limit of 300":      strings.Repeat("\x10", 301) + "\x00",
		"brine: at byte 0: value is not iterable":                            "\x1a\x00",
		"brine: at byte 1: long is not made of a value with an integer form": "\x09\x02",
		"brine: at byte 0: text is not made of a byte string":                "\x08\x50",
		"brine: at byte 0: want bool, got NotImplemented":                    "",
		"brine: at byte 0: integer of 64 bits does not fit int64":            "",
		"brine: cannot dump a value of type []interface {}":                  "",
		"digits of an integer: 4301 exceeds the limit of 4300":               "",
		"brine: invalid UTF-8":                                               "",
	} {
		_, err := brine.Unmarshal([]byte(data))
		switch {
		case data != "" || strings.Contains(want, "EOF"):
		case strings.Contains(want, "want bool"):
			c := brine.NewCursor([]byte{5})
			_, err = c.Bool()
		case strings.Contains(want, "64 bits"):
			c := brine.NewCursor(brine.AppendUint(nil, 1<<63))
			_, err = c.Int64()
		case strings.Contains(want, "interface"):
			_, err = brine.Marshal([]any{})
		case strings.Contains(want, "4301"):
			_, err = brine.Marshal(new(big.Int).Exp(big.NewInt(10), big.NewInt(4300), nil))
		default:
			_, err = brine.Marshal("\xff")
		}
		if strings.Contains(want, "depth") { // the innermost tuple is at fault
			want = strings.Replace(want, "byte 0", "byte 300", 1)
		}
		require.EqualError(t, err, want)
	}
}
