package wire_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

const someParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

var trailers = []struct {
	name string
	t    wire.Trailer
	hex  string // by the form in the package documentation
}{
	{"empty", wire.Trailer{}, "0000" + "01" + "ff524d44"},
	{"traceparent", wire.Trailer{TraceParent: "00-1"}, "01000430302d31" + "0007" + "01ff524d44"},
	{"tracestate", wire.Trailer{TraceState: "a=1"}, "020003613d31" + "0006" + "01ff524d44"},
	{"remaining", wire.Trailer{Bounded: true, Remaining: 2 * time.Millisecond},
		"03000800000000000007d0" + "000b" + "01ff524d44"},
	{"no time left", wire.Trailer{Bounded: true}, "0300080000000000000000" + "000b" + "01ff524d44"},
	{"token", wire.Trailer{Token: "é"}, "040002c3a9" + "0005" + "01ff524d44"},
	{"cancels", wire.Trailer{Cancels: []int64{1, -1}},
		"0500080000000000000001" + "050008ffffffffffffffff" + "0016" + "01ff524d44"},
	{"pairs", wire.Trailer{Pairs: map[string]string{"b": "", "a": "xy"}},
		"06000401617879" + "0600020162" + "000c" + "01ff524d44"},
	{"all", wire.Trailer{TraceParent: "p", TraceState: "s", Token: "t", Pairs: map[string]string{"k": "v"}, Bounded: true,
		Remaining: time.Microsecond, Cancels: []int64{5}},
		"01000170" + "02000173" + "04000174" + "0300080000000000000001" + "0500080000000000000005" + "060003016b76" +
			"0028" + "01ff524d44"},
}

var carrying = []*wire.Dialect{wire.FamilyA, wire.FamilyA2, wire.FamilyB, wire.FamilyB2, wire.FamilyC, wire.FamilyC2,
	wire.FamilyD, wire.FamilyE, wire.FamilyC.BindThreads(), wire.FamilyD.BindThreads(), wire.FamilyE.BindThreads()}

// carriers are messages that a trailer can stand behind; the last one's value ends with the bytes of one.
func carriers(t testing.TB, d *wire.Dialect) [][]byte {
	foot, _ := hex.DecodeString("000001ff524d44")
	message := func(t testing.TB, d *wire.Dialect, k wire.Kind, seq int64, body any) []byte {
		b := d.AppendHeader(d.AppendThreads(nil, wire.Threads{Sender: 1}), k, wire.Num(seq))
		b, err := brine.Append(b, body)
		require.NoError(t, err)
		return b
	}
	return [][]byte{
		message(t, d, wire.Request, 3, brine.Tuple{int64(3), boxed(wire.LabelValue, brine.Tuple{})}),
		message(t, d, wire.Reply, -1, boxed(wire.LabelValue, nil)),
		message(t, d, wire.Exception, 1, int64(1)),
		message(t, d, wire.Reply, 1, boxed(wire.LabelValue, foot)),
	}
}

func TestTrailer(t *testing.T) {
	for _, row := range trailers {
		enc, err := wire.AppendTrailer(nil, &row.t)
		require.NoError(t, err, row.name)
		require.Equal(t, row.hex, hex.EncodeToString(enc), row.name)
		require.Equal(t, row.name == "empty", row.t.IsEmpty())
		for _, d := range carrying {
			for _, m := range carriers(t, d) {
				_, ok := d.ReadTrailer(m, nil)
				require.False(t, ok, "%v: a value is taken for a trailer", d)
				got, ok := d.ReadTrailer(append(bytes.Clone(m), enc...), nil)
				require.True(t, ok, "%v %s", d, row.name)
				require.Equal(t, row.t, got, "%v %s", d, row.name)
				for cut := 1; cut < len(enc); cut++ { // what is cut short, or has something behind it, is none
					_, ok := d.ReadTrailer(append(bytes.Clone(m), enc[:cut]...), nil)
					require.False(t, ok)
					_, ok = d.ReadTrailer(append(bytes.Clone(m), enc[cut:]...), nil)
					require.False(t, ok)
				}
				_, ok = d.ReadTrailer(append(append(bytes.Clone(m), enc...), 0), nil)
				require.False(t, ok)
			}
		}
	}
}

func TestMalformedTrailers(t *testing.T) {
	m := carriers(t, wire.FamilyD)[0]
	for name, trailer := range map[string]string{
		"another version":          "0000" + "02ff524d44",
		"another magic":            "0000" + "01ff524d45",
		"too short a length":       "0700010a" + "0003" + "01ff524d44",
		"too long a length":        "0700010a" + "0005" + "01ff524d44",
		"a field too long":         "0700020a" + "0004" + "01ff524d44",
		"no head":                  "0700" + "0002" + "01ff524d44",
		"a control character":      "0100010a" + "0004" + "01ff524d44",
		"no UTF-8":                 "040001ff" + "0004" + "01ff524d44",
		"a number of 7 bytes":      "03000700000000000001" + "000a" + "01ff524d44",
		"a cancel of 9 bytes":      "050009000000000000000001" + "000c" + "01ff524d44",
		"a pair without a name":    "06000100" + "0004" + "01ff524d44",
		"a pair of nothing":        "060000" + "0003" + "01ff524d44",
		"a name longer than that":  "0600020361" + "0005" + "01ff524d44",
		"a name that is no UTF-8":  "06000201ff" + "0005" + "01ff524d44",
		"a value that is no UTF-8": "0600030161ff" + "0006" + "01ff524d44",
	} {
		b, err := hex.DecodeString(trailer)
		require.NoError(t, err)
		got, ok := wire.FamilyD.ReadTrailer(append(bytes.Clone(m), b...), nil)
		require.False(t, ok, name)
		require.True(t, got.IsEmpty(), name)
	}
	unknown, err := hex.DecodeString("090001ff" + "01000170" + "0008" + "01ff524d44")
	require.NoError(t, err)
	got, ok := wire.FamilyD.ReadTrailer(append(bytes.Clone(m), unknown...), nil)
	require.True(t, ok, "a field of a later release")
	require.Equal(t, wire.Trailer{TraceParent: "p"}, got)
	_, ok = wire.FamilyD.ReadTrailer([]byte("\x00\x00\x01\xffRMD"), nil)
	require.False(t, ok, "no message")
}

func TestTrailerLimits(t *testing.T) {
	fits := wire.Trailer{Token: strings.Repeat("x", wire.MaxTrailer-7-3)}
	b, err := wire.AppendTrailer([]byte("m"), &fits)
	require.NoError(t, err)
	require.Len(t, b, 1+wire.MaxTrailer)
	for _, n := range []int{len(fits.Token) + 1, 1 << 16, 1<<16 + 10, 1 << 20} {
		b, err := wire.AppendTrailer([]byte("m"), &wire.Trailer{Token: strings.Repeat("x", n)})
		var limit *brine.LimitError
		require.ErrorAs(t, err, &limit)
		require.EqualValues(t, wire.MaxTrailer, limit.Limit)
		require.Equal(t, "m", string(b))
	}
	for _, bad := range []wire.Trailer{{TraceParent: "a\nb"}, {TraceState: "é"}, {Token: "secret\xff"},
		{Pairs: map[string]string{"": "x"}}, {Pairs: map[string]string{strings.Repeat("n", 256): "x"}},
		{Pairs: map[string]string{"n": "\xff"}}} {
		b, err := wire.AppendTrailer([]byte("m"), &bad)
		var form *wire.FormError
		require.ErrorAs(t, err, &form)
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, "m", string(b))
	}
	// A time that is longer than Go's is the longest there is.
	m := carriers(t, wire.FamilyD)[0]
	long, err := hex.DecodeString("030008ffffffffffffffff" + "000b" + "01ff524d44")
	require.NoError(t, err)
	got, ok := wire.FamilyD.ReadTrailer(append(m, long...), nil)
	require.True(t, ok)
	require.Equal(t, time.Duration(math.MaxInt64).Truncate(time.Microsecond), got.Remaining)
}

func TestDumpShowsTrailers(t *testing.T) {
	tr := wire.Trailer{TraceParent: someParent, Token: "secret", Bounded: true, Remaining: 1500 * time.Millisecond,
		Cancels: []int64{7}, Pairs: map[string]string{"tenant": "a"}}
	b, err := wire.AppendTrailer(message(t, wire.FamilyD, wire.Request, int64(3),
		brine.Tuple{int64(3), boxed(wire.LabelValue, brine.Tuple{})}), &tr)
	require.NoError(t, err)
	require.Equal(t, `REQUEST 3 GETROOT () {traceparent `+someParent+
		`, within 1.5s, token of 6 bytes, cancel 7, "tenant" "a"}`, (&wire.Dumper{}).Dump(wire.FamilyD, b))
}

// FuzzTrailer reads arbitrary bytes behind a message, and writes what it has read again.
func FuzzTrailer(f *testing.F) {
	for _, row := range trailers {
		b, _ := hex.DecodeString(row.hex)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, d := range carrying {
			m := carriers(t, d)[0]
			got, ok := d.ReadTrailer(append(bytes.Clone(m), b...), nil)
			if !ok {
				continue
			}
			enc, err := wire.AppendTrailer(bytes.Clone(m), &got)
			if err != nil {
				t.Fatalf("%v was read and cannot be written: %v", got, err)
			}
			again, ok := d.ReadTrailer(enc, nil)
			if !ok || again.String() != got.String() || again.Token != got.Token || !slices.Equal(again.Cancels, got.Cancels) ||
				!maps.Equal(again.Pairs, got.Pairs) {
				t.Fatalf("%v became %v", got, again)
			}
		}
		_, _ = wire.FamilyD.ReadTrailer(b, nil)
	})
}
