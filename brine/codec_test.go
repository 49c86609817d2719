package brine_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

type (
	quantity struct {
		value any
		unit  string
	}
	point [4]byte
	blob  string
	image string
)

var errNoUnit = errors.New("a quantity without a unit")

// codecs has one codec of each form.
func codecs(t testing.TB) *brine.Codecs {
	cs := &brine.Codecs{}
	require.NoError(t, brine.Register(cs, 0xfa, brine.OneValue,
		func(q quantity) (any, error) { return brine.Tuple{q.value, q.unit}, nil },
		func(body any) (quantity, error) {
			t, ok := body.(brine.Tuple)
			if !ok || len(t) != 2 {
				return quantity{}, errNoUnit
			}
			unit, _ := t[1].(string)
			return quantity{t[0], unit}, nil
		}))
	require.NoError(t, brine.Register(cs, 0xfb, brine.Fixed(4),
		func(p point) (any, error) { return p[:], nil },
		func(body any) (point, error) { return point(body.([]byte)), nil }))
	require.NoError(t, brine.Register(cs, 0xfc, brine.Length1,
		func(b blob) (any, error) { return []byte(b), nil },
		func(body any) (blob, error) { return blob(body.([]byte)), nil }))
	require.NoError(t, brine.Register(cs, 0xfd, brine.Length4,
		func(i image) (any, error) { return []byte(i), nil },
		func(body any) (image, error) { return image(body.([]byte)), nil }))
	return cs
}

func withCodecs(data string, cs *brine.Codecs) brine.Cursor {
	c := brine.NewCursor([]byte(data))
	c.SetCodecs(cs)
	return c
}

// TestCodecs encodes values of codecs as rpyc.core.brine does with its dump functions, and decodes them, alone and in
// containers; every way to read agrees, and nothing shorter is a value.
func TestCodecs(t *testing.T) {
	cs := codecs(t)
	for _, row := range []struct {
		value any
		data  string
	}{
		// stream.append(b"\xfa"); brine._dump((3, "m"), stream)
		{quantity{int64(3), "m"}, "\xfa\x11\x53\x08\x0am"},
		{quantity{quantity{int64(1), "s"}, "m"}, "\xfa\x11\xfa\x11\x51\x08\x0as\x08\x0am"},
		// stream.append(b"\xfb" + struct.pack("!4B", 1, 2, 3, 4))
		{point{1, 2, 3, 4}, "\xfb\x01\x02\x03\x04"},
		{blob("ab"), "\xfc\x02ab"},
		{blob(""), "\xfc\x00"},
		{image("abc"), "\xfd\x00\x00\x00\x03abc"},
	} {
		require.True(t, cs.Has(row.value))
		b, err := cs.Append([]byte("x"), row.value, 0)
		require.NoError(t, err)
		require.Equal(t, "x"+row.data, string(b))
		for _, form := range []struct {
			data string
			want any
		}{
			{row.data, row.value}, {"\x11\x00" + row.data, brine.Tuple{nil, row.value}},
			{"\x19\x12" + row.data + "\x00\x00", brine.Slice{Start: row.value}},
			{"\x1a\x10" + row.data, brine.FrozenSet{row.value}},
		} {
			c := withCodecs(form.data, cs)
			v, err := c.Value()
			require.NoError(t, err)
			require.Zero(t, c.Len())
			v, err = cs.Load(v)
			require.NoError(t, err)
			require.Equal(t, form.want, v)
			c = withCodecs(form.data, cs)
			require.NoError(t, c.Skip())
			require.Zero(t, c.Len())
			c = withCodecs(form.data, cs)
			require.LessOrEqual(t, c.Weigh(math.MaxInt64), int64(brine.MaxWeight*len(form.data)))
			for n := range len(form.data) {
				c, again := withCodecs(form.data[:n], cs), withCodecs(form.data[:n], cs)
				_, err := c.Value()
				require.Error(t, err, "%q", form.data[:n])
				require.Error(t, again.Skip())
				again.Weigh(math.MaxInt64)
			}
		}
		_, err = brine.Unmarshal([]byte(row.data))
		var unknown *brine.UnknownTagError
		require.ErrorAs(t, err, &unknown)
		require.Equal(t, row.data[0], unknown.Tag)
		require.ErrorContains(t, err, fmt.Sprintf("unknown tag %#x", row.data[0]))
	}
	require.False(t, cs.Has(3) || (*brine.Codecs)(nil).Has(blob("x")))
	_, err := cs.Load(brine.Coded{Tag: 0xfa})
	require.ErrorIs(t, err, errNoUnit)
	_, err = cs.Load(brine.Coded{Tag: 0xff})
	require.True(t, brine.IsUnknownTag(err))
}

// TestCodecsAreBounded nests values of codecs in each other, announces more bytes than there are, and fills memory.
func TestCodecsAreBounded(t *testing.T) {
	cs := codecs(t)
	deep := strings.Repeat("\xfa", brine.DefaultDepth) + "\x00"
	c := withCodecs(deep, cs)
	require.NoError(t, c.Skip())
	c = withCodecs("\xfa"+deep, cs)
	var limit *brine.LimitError
	require.ErrorAs(t, c.Skip(), &limit)
	_, err := c.Value()
	require.ErrorAs(t, err, &limit)
	require.Equal(t, brine.KindCoded, c.Kind())
	require.Equal(t, "coded", c.Kind().String())

	c = withCodecs("\xfd"+string(binary.BigEndian.AppendUint32(nil, math.MaxUint32)), cs)
	require.Error(t, c.Skip())
	c = withCodecs(tupleOf(1000, always("\xfa\x10\x00")), cs)
	require.Greater(t, c.Weigh(math.MaxInt64), int64(1000*64))

	_, err = cs.Append(nil, blob(strings.Repeat("x", 256)), 0)
	require.Error(t, err)
	_, err = cs.Append(nil, quantity{make(chan int), "m"}, 0)
	require.Error(t, err)
	_, err = cs.Append(nil, quantity{int64(1), "m"}, brine.DefaultDepth)
	require.Error(t, err)
}

func TestRegisterRefuses(t *testing.T) {
	cs := codecs(t)
	dump, load := func(blob) (any, error) { return nil, nil }, func(any) (blob, error) { return "", nil }
	require.ErrorContains(t, brine.Register(cs, 0xfe, brine.Length1, dump, load), "brine_test.blob is registered")
	fresh := &brine.Codecs{}
	require.ErrorContains(t, brine.Register(fresh, 0x18, brine.Length1, dump, load), "float")
	require.ErrorContains(t, brine.Register(fresh, 0xfe, brine.Body(-2), dump, load), "form")
	require.ErrorContains(t, brine.Register(fresh, 0xfe, brine.Length1, func(string) (any, error) { return nil, nil },
		func(any) (string, error) { return "", nil }), "string")
	require.NoError(t, brine.Register(fresh, 0xfe, brine.Length1, dump, load))
	require.ErrorContains(t, brine.Register(fresh, 0xfe, brine.Length1, func(image) (any, error) { return nil, nil },
		func(any) (image, error) { return "", nil }), "0xfe is registered")
}
