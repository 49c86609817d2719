package pickle_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

func roundTrip[T any](t *testing.T, v any, protocol int) T {
	t.Helper()
	data, err := pickle.Marshal(v, protocol)
	require.NoError(t, err)
	got, err := pickle.Unmarshal(data)
	require.NoError(t, err)
	out, ok := got.(T)
	require.True(t, ok, "%T", got)
	return out
}

func TestArray(t *testing.T) {
	for p := 2; p <= pickle.HighestProtocol; p++ {
		a, err := pickle.NewArray([]int32{1, -2, 3, 4, 5, 6}, 3, 2)
		require.NoError(t, err)
		b := roundTrip[*pickle.Array](t, a, p)
		require.Equal(t, []int{3, 2}, b.Shape)
		xs, err := pickle.Values[int32](b)
		require.NoError(t, err)
		require.Equal(t, []int32{1, -2, 3, 4, 5, 6}, xs)
		wide, err := pickle.Values[float64](b)
		require.NoError(t, err)
		require.Equal(t, []float64{1, -2, 3, 4, 5, 6}, wide)
		_, err = pickle.Values[int16](b)
		require.ErrorIs(t, err, pickle.ErrArray)
		_, err = pickle.Values[float32](b)
		require.ErrorIs(t, err, pickle.ErrArray)
	}
	empty, err := pickle.NewArray([]float64{})
	require.NoError(t, err)
	require.Equal(t, []int{0}, roundTrip[*pickle.Array](t, empty, 4).Shape)
	_, err = pickle.NewArray([]float64{1}, 2, 2)
	require.Error(t, err)
	_, err = pickle.NewArray([]float64{1}, -1, -1)
	require.Error(t, err)
	_, err = pickle.NewArray([]float64{}, math.MaxInt, math.MaxInt, 0)
	require.Error(t, err)
}

// TestArrayOrders decodes both byte orders and both orders of indices.
func TestArrayOrders(t *testing.T) {
	big := &pickle.Array{DType: ">i2", Shape: []int{2}, Data: []byte{0, 1, 255, 254}}
	xs, err := pickle.Values[int16](big)
	require.NoError(t, err)
	require.Equal(t, []int16{1, -2}, xs)

	columns := &pickle.Array{DType: "|u1", Shape: []int{2, 3}, Fortran: true, Data: []byte{1, 4, 2, 5, 3, 6}}
	rows, err := netref.As[[][]int](t.Context(), columns)
	require.NoError(t, err)
	require.Equal(t, [][]int{{1, 2, 3}, {4, 5, 6}}, rows)

	days := &pickle.Array{DType: "<M8[D]", Shape: []int{2}, Data: []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0x80}}
	require.Equal(t, []time.Time{time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC), {}}, days.GoValue())
	texts := &pickle.Array{DType: "<U2", Shape: []int{2}}
	require.ErrorIs(t, texts.GoValue().(error), pickle.ErrArray)
	texts.Data = []byte("a\x00\x00\x00\x00\x00\x00\x00\xe9\x00\x00\x00b\x00\x00\x00")
	require.Equal(t, []string{"a", "éb"}, texts.GoValue())
	number := &pickle.Array{DType: "<f8", Data: []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}}
	require.Equal(t, 1.5, number.GoValue())
}

func TestDict(t *testing.T) {
	var d pickle.Dict
	_, ok := d.Get("a")
	require.False(t, ok)
	require.NoError(t, d.Set(1, "one"))
	require.NoError(t, d.Set(true, "true"))
	require.NoError(t, d.Set(1.0, "float"))
	require.Equal(t, 1, d.Len())
	v, ok := d.Get(uint8(1))
	require.True(t, ok)
	require.Equal(t, "float", v)
	for k := range d.All() {
		require.Equal(t, 1, k, "the first of equal keys stays")
	}
	require.Error(t, d.Set([]any{}, nil))
	require.NoError(t, d.Set(math.NaN(), 1))
	require.NoError(t, d.Set(math.NaN(), 2))
	require.Equal(t, 3, d.Len())
}

// TestConversions is what becomes of what was read when a program wants its own types.
func TestConversions(t *testing.T) {
	ctx := t.Context()
	v,
		err := pickle.Unmarshal(
		[]byte("\x80\x04}(\x8c\x01a}\x8c\x01xK\x01s\x8c\x01b\x8f(K\x01K\x02\x90\x8c\x01c](K\x01K\x02eu."))
	require.NoError(t, err)
	type inner struct{ X int }
	type outer struct {
		A inner
		B map[int]struct{}
		C [2]uint8
		D string `rpyc:"d,optional"`
	}
	got, err := netref.As[outer](ctx, v)
	require.NoError(t, err)
	require.Equal(t, outer{inner{1}, map[int]struct{}{1: {}, 2: {}}, [2]uint8{1, 2}, ""}, got)
	p, err := netref.As[*outer](ctx, v)
	require.NoError(t, err)
	require.Equal(t, got, *p)
	m, err := netref.As[map[string]any](ctx, v)
	require.NoError(t, err)
	require.Len(t, m, 3)
	_, err = netref.As[struct{ Missing int }](ctx, v)
	require.ErrorContains(t, err, "missing")
	_, err = netref.As[map[string]int](ctx, v)
	require.ErrorContains(t, err, `["a"]`)
}

// TestRecord writes an element of a structured array, which is one again when it is read.
func TestRecord(t *testing.T) {
	a := &pickle.Array{DType: "|V3", Shape: []int{2}, Data: []byte{1, 0, 2, 3, 0, 4}, Fields: []pickle.Field{
		{Name: "a", Layout: pickle.Layout{DType: "<u2"}}, {Name: "b", Offset: 2, Layout: pickle.Layout{DType: "|u1"}}}}
	data, err := pickle.Marshal(a.Item(1), 2)
	require.NoError(t, err)
	v, err := pickle.Unmarshal(data)
	require.NoError(t, err)
	got, err := netref.As[struct{ A, B int }](t.Context(), v)
	require.NoError(t, err)
	require.Equal(t, struct{ A, B int }{3, 4}, got)
	require.Equal(t, brine.Tuple{uint16(3), uint8(4)}, v.(*pickle.Record).Values())

	whole := roundTrip[*pickle.Array](t, a, 4)
	rows, err := netref.As[[][2]int](t.Context(), whole)
	require.NoError(t, err)
	require.Equal(t, [][2]int{{1, 2}, {3, 4}}, rows)
	layout := roundTrip[*pickle.Layout](t, &pickle.Layout{DType: a.DType, Fields: a.Fields, Shape: []int{2}}, 4)
	require.Equal(t, []int{2}, layout.Shape)
	require.Equal(t, "b", layout.Fields[1].Name)
}
