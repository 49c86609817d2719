package vinegar

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

func load(t *testing.T, v any) (*Error, error) {
	b, err := brine.Marshal(v)
	require.NoError(t, err)
	c := brine.NewCursor(append(b, 0xff)) // what follows is not looked at
	e, err := DecodePayload(&c)
	require.Equal(t, 1, c.Len())
	return e, err
}

func TestMalformedPayloads(t *testing.T) {
	name := brine.Tuple{"builtins", "ValueError"}
	for _, row := range []struct {
		payload any
		reason  string
	}{
		{nil, "no exception"},
		{int64(2), "no exception"},
		{[]byte("text"), "no exception"},
		{brine.FrozenSet{int64(1), int64(2), int64(3), int64(4)}, "no exception"},
		{brine.Tuple{name, brine.Tuple{}, brine.Tuple{}}, "3 fields"},
		{brine.Tuple{name, brine.Tuple{}, brine.Tuple{}, "", ""}, "5 fields"},
		{brine.Tuple{"ab", brine.Tuple{}, brine.Tuple{}, ""}, "pair"},
		{brine.Tuple{brine.Tuple{"a"}, brine.Tuple{}, brine.Tuple{}, ""}, "pair"},
		{brine.Tuple{brine.Tuple{"a", nil}, brine.Tuple{}, brine.Tuple{}, ""}, "not named by text"},
		{brine.Tuple{brine.Tuple{[]byte{0xff}, "a"}, brine.Tuple{}, brine.Tuple{}, ""}, "not named by text"},
		{brine.Tuple{name, nil, brine.Tuple{}, ""}, "arguments"},
		{brine.Tuple{name, strings.Repeat("x", maxSplit+1), brine.Tuple{}, ""}, "arguments"},
		{brine.Tuple{name, make([]byte, maxSplit+1), brine.Tuple{}, ""}, "arguments"},
		{brine.Tuple{name, brine.Tuple{}, nil, ""}, "attributes"},
		{brine.Tuple{name, brine.Tuple{}, brine.Tuple{"ab"}, ""}, "attributes"},
		{brine.Tuple{name, brine.Tuple{}, brine.Tuple{brine.Tuple{"a"}}, ""}, "attributes"},
		{brine.Tuple{name, brine.Tuple{}, brine.Tuple{brine.Tuple{int64(1), "a"}}, ""}, "attributes"},
	} {
		_, err := load(t, row.payload)
		var bad *PayloadError
		require.ErrorAs(t, err, &bad, Repr(row.payload))
		require.Contains(t, err.Error(), row.reason)
	}
}

func TestPayloadCutShort(t *testing.T) {
	whole, err := AppendPayload(nil, FileNotFoundError.New(2, "x", "/f"), &DumpOptions{Version: "6.0.2"})
	require.NoError(t, err)
	for n := range whole {
		c := brine.NewCursor(whole[:n])
		_, err := DecodePayload(&c)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		var bad *PayloadError
		require.ErrorAs(t, err, &bad)
		require.Zero(t, c.Offset())
	}
}

func TestUnusualPayloads(t *testing.T) {
	name := brine.Tuple{"builtins", "ValueError"}
	e, err := load(t, brine.Tuple{name, "\u20acb", brine.FrozenSet{brine.Tuple{"x", int64(1)}}, nil})
	require.NoError(t, err)
	require.Equal(t, []any{"\u20ac", "b"}, e.Args)
	require.Equal(t, []Attr{{"x", int64(1)}}, e.Attrs)
	require.Empty(t, e.Traceback)
	require.Contains(t, e.FormatTraceback(), "Remote Traceback (1)")

	e, err = load(t, brine.Tuple{brine.Tuple{[]byte("exceptions"), []byte("IOError")}, []byte("a"),
		brine.Tuple{brine.Tuple{[]byte("x"), int64(1)}}, []byte("tb")})
	require.NoError(t, err)
	require.Same(t, OSError, e.Class)
	require.Equal(t, []any{int64('a')}, e.Args)
	require.Equal(t, []Attr{{"x", int64(1)}}, e.Attrs)
	require.Equal(t, "tb", e.Traceback)
}

// A peer can invent as many classes as it likes: none of them is kept.
func TestUnknownClassesAreNotKept(t *testing.T) {
	before := len(registry.classes)
	e, err := load(t, brine.Tuple{brine.Tuple{"invented", "Thing"}, brine.Tuple{}, brine.Tuple{}, ""})
	require.NoError(t, err)
	require.Len(t, registry.classes, before)
	_, ok := Lookup("invented", "Thing")
	require.False(t, ok)
	require.ErrorIs(t, e, GenericException)
	require.ErrorIs(t, e, Exception)
	require.NotErrorIs(t, e, ValueError)
	require.EqualError(t, e, "invented.Thing")

	other, err := load(t, brine.Tuple{brine.Tuple{"invented", "Thing"}, brine.Tuple{}, brine.Tuple{}, ""})
	require.NoError(t, err)
	require.NotSame(t, e.Class, other.Class)
	require.ErrorIs(t, e, other.Class)
}

func FuzzDecodePayload(f *testing.F) {
	for _, row := range goldenRows(f) {
		f.Add(row.payload(f))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := brine.NewCursor(data)
		e, err := DecodePayload(&c)
		if err != nil {
			var bad *PayloadError
			require.ErrorAs(t, err, &bad)
			return
		}
		require.True(t, strings.HasPrefix(e.Error(), e.Class.String()))
		require.True(t, e.Is(BaseException))
		b, err := AppendPayload(nil, e, &DumpOptions{Version: "6.0.2"})
		require.NoError(t, err)
		c = brine.NewCursor(b)
		again, err := DecodePayload(&c)
		require.NoError(t, err)
		require.True(t, again.Class.same(e.Class) || again.Class.same(UnicodeError))
		if again.Class.same(StopIteration) {
			return
		}
		require.Equal(t, Repr(brine.Tuple(e.Args)), Repr(brine.Tuple(again.Args)))
		require.Equal(t, e.FormatTraceback(), again.Traceback)
	})
}
