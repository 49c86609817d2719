package brine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// TestTypes reads the classes that rpyc-ng 7.0.15 sends by value, by the tags of its brine module.
func TestTypes(t *testing.T) {
	for tag, want := range map[byte]brine.Type{
		0x1c: "NoneType", 0x1d: "int", 0x1e: "bool", 0x1f: "float", 0xf0: "bytes", 0xf1: "str", 0xf2: "complex",
		0xf3: "NotImplementedType", 0xf4: "ellipsis",
	} {
		enc := []byte{0x11, tag, 0x1a, 0x11, tag, tag} // (x, frozenset({x, x}))
		_, err := brine.Unmarshal(enc)
		require.Error(t, err, "%#x is unassigned elsewhere", tag)
		c := brine.NewCursor(enc)
		require.Error(t, c.Skip())
		require.Equal(t, brine.KindInvalid, kindOf([]byte{tag}, false))
		c.SetTypes(true)
		v, err := c.Value()
		require.NoError(t, err)
		require.Equal(t, brine.Tuple{want, brine.FrozenSet{want}}, v)
		require.Equal(t, "<class '"+string(want)+"'>", want.String())
		require.Equal(t, brine.KindType, kindOf([]byte{tag}, true))
		require.Equal(t, "type", brine.KindType.String())
		_, err = brine.Append(nil, want)
		require.Error(t, err)
	}
	require.Equal(t, brine.KindInvalid, kindOf([]byte{0xf5}, true))
	require.Equal(t, brine.KindInt, kindOf([]byte{0x20}, true))
}

func kindOf(enc []byte, types bool) brine.Kind {
	c := brine.NewCursor(enc)
	c.SetTypes(types)
	return c.Kind()
}

// TestBytesHeader has what stands before the bytes of a byte string, for each of its forms.
func TestBytesHeader(t *testing.T) {
	for n, header := range map[int]string{0: "\x01", 1: "\x0a", 4: "\x0d", 5: "\x0e\x05", 255: "\x0e\xff",
		256: "\x0f\x00\x00\x01\x00"} {
		require.Equal(t, "kept"+header, string(brine.AppendBytesHeader([]byte("kept"), n)), "%d bytes", n)
	}
	require.Panics(t, func() { brine.AppendBytesHeader(nil, -1) })
}
