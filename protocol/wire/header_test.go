package wire_test

import (
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

var families = []*wire.Dialect{wire.FamilyC, wire.FamilyD}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// message puts a header in front of a body that is given as a value.
func message(t testing.TB, d *wire.Dialect, k wire.Kind, seq, body any) []byte {
	t.Helper()
	v, b := brine.Tuple{int64(k), seq, body}, []byte(nil)
	if d == wire.FamilyD {
		v, b = v[1:], []byte{byte(k)}
	}
	b, err := brine.Append(b, v)
	require.NoError(t, err)
	return b
}

// TestKnownHeaders compares with bytes that upstream sends: GETROOT with number 0, and CLOSE with number 9.
func TestKnownHeaders(t *testing.T) {
	for _, c := range []struct {
		d       *wire.Dialect
		seq     int64
		h       wire.Handler
		payload string
	}{
		{wire.FamilyD, 0, wire.HandleGetRoot, "01 11 50 11 53 11 51 02"},
		{wire.FamilyC, 0, wire.HandleGetRoot, "12 51 50 11 53 11 51 02"},
		{wire.FamilyD, 9, wire.HandleClose, "01 11 59 11 52 11 51 02"},
	} {
		b := c.d.AppendRequest(nil, c.seq, c.h)
		b = c.d.AppendLabel(b, wire.LabelValue)
		b = brine.AppendTupleHeader(b, 0)
		require.Equal(t, unhex(t, c.payload), b)

		kind, seq, body, err := c.d.ReadHeader(b)
		require.NoError(t, err)
		require.Equal(t, wire.Request, kind)
		require.Equal(t, wire.Num(c.seq), seq)
		h, odd, err := c.d.ReadHandler(&body)
		require.NoError(t, err)
		require.Nil(t, odd)
		require.Equal(t, c.h, h)
		l, err := c.d.ReadLabel(&body)
		require.NoError(t, err)
		require.Equal(t, wire.LabelValue, l)
		v, err := body.Value()
		require.NoError(t, err)
		require.Equal(t, brine.Tuple{}, v)
		require.Zero(t, body.Len())
	}
}

// TestSequenceNumbersAreEchoed checks that whatever a request has for a number comes back in the answer.
func TestSequenceNumbersAreEchoed(t *testing.T) {
	huge, ok := new(big.Int).SetString("1000000000000000000000000000000", 10)
	require.True(t, ok)
	for _, d := range families {
		for _, seq := range []any{
			int64(0), int64(159), int64(160), int64(-7), int64(1) << 62, huge, nil, true, false, 2.5, "abc", "", []byte("x"),
			brine.Tuple{}, brine.Tuple{"a", int64(1)}, brine.Ellipsis, brine.FrozenSet{int64(1)},
		} {
			for _, k := range []wire.Kind{wire.Request, wire.Reply, wire.Exception} {
				payload := message(t, d, k, seq, int64(5))
				kind, s, body, err := d.ReadHeader(payload)
				require.NoError(t, err, "%v %v", d, seq)
				require.Equal(t, k, kind)
				_, isInt := seq.(int64)
				require.Equal(t, isInt, s.IsNum(), "%v", seq)
				v, err := body.Value()
				require.NoError(t, err)
				require.Equal(t, int64(5), v)
				require.Equal(t, message(t, d, wire.Reply, seq, int64(5)), brine.AppendInt(d.AppendHeader(nil, wire.Reply, s), 5))
				require.Equal(t, seq == any(""), s.String() == "")
			}
		}
	}
}

// TestUnusualFormOfSeq checks that a number in a form that upstream would not use is still that number, and that an odd
// one keeps its form.
func TestUnusualFormOfSeq(t *testing.T) {
	_, seq, _, err := wire.FamilyD.ReadHeader(unhex(t, "01 11 16 02 3037 55")) // the text "07"
	require.NoError(t, err)
	require.Equal(t, wire.Num(7), seq)

	odd := unhex(t, "14 01 55") // a tuple of one with a length of its own, where 10 would do
	_, seq, _, err = wire.FamilyD.ReadHeader(append(append(unhex(t, "01 11"), odd...), 0x55))
	require.NoError(t, err)
	require.Equal(t, append(unhex(t, "02 11"), odd...), wire.FamilyD.AppendHeader(nil, wire.Reply, seq))
}

func TestBadHeaders(t *testing.T) {
	var form *wire.FormError
	for name, c := range map[string]struct {
		d       *wire.Dialect
		payload string
		want    any
	}{
		"nothing":             {wire.FamilyD, "", &form},
		"only a kind":         {wire.FamilyD, "01", &form},
		"kind 0":              {wire.FamilyD, "00 11 50 55", &form},
		"kind 4":              {wire.FamilyD, "04 11 50 55", &form},
		"the other family":    {wire.FamilyD, "12 51 50 11 53 11 51 02", &form},
		"and the other way":   {wire.FamilyC, "01 11 50 11 53 11 51 02", &form},
		"one member":          {wire.FamilyD, "01 10 50", &form},
		"three members":       {wire.FamilyD, "01 12 50 50 50", &form},
		"two members in C":    {wire.FamilyC, "11 51 50", &form},
		"kind is text":        {wire.FamilyC, "12 08 0a 61 50 55", &form},
		"kind 0 in C":         {wire.FamilyC, "12 50 50 55", &form},
		"not a tuple":         {wire.FamilyD, "01 55", &form},
		"cut before the body": {wire.FamilyD, "01 11 50", io.ErrUnexpectedEOF},
		"cut in the body":     {wire.FamilyD, "01 11 50 11 53", io.ErrUnexpectedEOF},
		"unknown tag":         {wire.FamilyD, "01 11 50 07", nil},
		"text is not UTF-8":   {wire.FamilyD, "01 11 50 08 0a ff", nil},
	} {
		_, _, _, err := c.d.ReadHeader(unhex(t, c.payload))
		require.Error(t, err, name)
		require.ErrorContains(t, err, "bad message", name)
		switch want := c.want.(type) {
		case **wire.FormError:
			require.True(t, errors.As(err, want), "%s: %v", name, err)
		case error:
			require.ErrorIs(t, err, want, name)
		}
	}
}

// TestTrailingBytes checks that bytes behind a message are ignored, as upstream does.
func TestTrailingBytes(t *testing.T) {
	for _, d := range families {
		_, seq, body, err := d.ReadHeader(append(message(t, d, wire.Reply, int64(3), "x"), 0xff, 0xff))
		require.NoError(t, err)
		require.Equal(t, wire.Num(3), seq)
		v, err := body.Value()
		require.NoError(t, err)
		require.Equal(t, "x", v)
	}
}

func TestReadHandler(t *testing.T) {
	for _, d := range families {
		for _, c := range []struct {
			number any
			want   wire.Handler
		}{
			{int64(1), wire.HandlePing}, {int64(20), wire.HandleInstanceCheck}, {true, wire.HandlePing},
			{3.0, wire.HandleGetRoot},
			{int64(0), 0}, {int64(21), 0}, {int64(-1), 0}, {3.5, 0}, {"GETROOT", 0}, {brine.Tuple{int64(3)}, 0}, {1e300, 0},
		} {
			body := brine.NewCursor(marshal(t, brine.Tuple{c.number, int64(9)}))
			h, odd, err := d.ReadHandler(&body)
			require.NoError(t, err)
			require.Equal(t, c.want, h, "%v", c.number)
			if c.want == 0 {
				require.Equal(t, c.number, odd)
			} else {
				require.Nil(t, odd)
			}
			v, err := body.Value()
			require.NoError(t, err)
			require.Equal(t, int64(9), v, "the arguments follow")
		}
		var form *wire.FormError
		for _, bad := range []any{int64(5), nil, brine.Tuple{}, brine.Tuple{int64(1)},
			brine.Tuple{int64(1), int64(2), int64(3)}} {
			body := brine.NewCursor(marshal(t, bad))
			_, _, err := d.ReadHandler(&body)
			require.ErrorAs(t, err, &form, "%v", bad)
		}
	}
}

func TestReadLabel(t *testing.T) {
	for _, d := range families {
		for _, c := range []struct {
			label any
			want  wire.Label
		}{
			{int64(1), wire.LabelValue}, {int64(2), wire.LabelTuple}, {int64(3), wire.LabelLocalRef},
			{int64(4), wire.LabelRemoteRef},
			{true, wire.LabelValue}, {1.0, wire.LabelValue}, {4.0, wire.LabelRemoteRef},
			{int64(0), 0}, {int64(5), 0}, {int64(-1), 0}, {false, 0}, {1.5, 0}, {5.0, 0}, {"1", 0}, {nil, 0},
		} {
			cur := brine.NewCursor(marshal(t, brine.Tuple{c.label, "v"}))
			l, err := d.ReadLabel(&cur)
			if c.want == 0 {
				var bad *wire.LabelError
				require.ErrorAs(t, err, &bad, "%v", c.label)
				require.Equal(t, c.label, bad.Label)
				require.ErrorContains(t, err, "invalid label")
				continue
			}
			require.NoError(t, err, "%v", c.label)
			require.Equal(t, c.want, l)
			v, err := cur.Value()
			require.NoError(t, err)
			require.Equal(t, "v", v)
		}
		var form *wire.FormError
		for _, bad := range []any{int64(1), "xy", brine.Tuple{int64(1)}, brine.Tuple{int64(1), nil, nil}} {
			cur := brine.NewCursor(marshal(t, bad))
			_, err := d.ReadLabel(&cur)
			require.ErrorAs(t, err, &form, "%v", bad)
		}
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := brine.Marshal(v)
	require.NoError(t, err)
	return b
}

func TestDetect(t *testing.T) {
	for first := range 256 {
		d, err := wire.Detect([]byte{byte(first), 0x11})
		switch first {
		case 1, 2, 3:
			require.Same(t, wire.FamilyD, d)
		case 0x12:
			require.Same(t, wire.FamilyC, d)
		default:
			var unknown *wire.UnknownDialectError
			require.ErrorAs(t, err, &unknown)
			require.Equal(t, byte(first), unknown.First)
			require.Nil(t, d)
		}
	}
	_, err := wire.Detect(nil)
	require.Error(t, err)
}

func TestDialects(t *testing.T) {
	require.Equal(t, "C D", wire.FamilyC.String()+" "+wire.FamilyD.String())
	require.Empty(t, wire.FamilyC.Version(), "releases 4 and 5 cannot be told apart")
	require.Regexp(t, `^6\.`, wire.FamilyD.Version())
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for h := wire.HandlePing; h <= wire.HandleType; h++ {
		require.True(t, h.Known())
		require.NotEmpty(t, h.String())
		require.False(t, seen[h.String()], "two handlers are called %v", h)
		seen[h.String()] = true
	}
	require.Equal(t, "PING CLOSE GETROOT HANDLER0 HANDLER24", strings.Join([]string{
		wire.HandlePing.String(), wire.HandleClose.String(), wire.HandleGetRoot.String(), wire.Handler(0).String(),
		wire.Handler(24).String(),
	}, " "))
	require.False(t, wire.Handler(0).Known())
	require.False(t, wire.Handler(-1).Known())
	require.Equal(t, "REQUEST REPLY EXCEPTION KIND9", strings.Join([]string{
		wire.Request.String(), wire.Reply.String(), wire.Exception.String(), wire.Kind(9).String(),
	}, " "))
}
