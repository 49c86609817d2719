package pyvalue

import (
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// setEncoded stores the value that p encodes.
func setEncoded(dst reflect.Value, p []byte) error {
	c := brine.NewCursor(p)
	done, err := SetEncoded(dst, &c)
	if !done && err == nil && c.Offset() == 0 {
		return errOther
	}
	return err
}

var errOther = errors.New("not for it")

// TestNoAllocations is for arguments that go from the message into the parameter.
func TestNoAllocations(t *testing.T) {
	var n int
	var u uint8
	var f float64
	var b bool
	small, big := brine.AppendInt(nil, 7), brine.AppendInt(nil, 1<<40)
	float, truth := brine.AppendFloat(nil, 1.5), brine.AppendBool(nil, true)
	nv, uv := reflect.ValueOf(&n).Elem(), reflect.ValueOf(&u).Elem()
	fv, bv := reflect.ValueOf(&f).Elem(), reflect.ValueOf(&b).Elem()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for _, err := range [...]error{
			setEncoded(nv, big), setEncoded(uv, small), setEncoded(fv, float), setEncoded(bv, truth),
			setEncoded(nv, small),
		} {
			if err != nil {
				panic(err)
			}
		}
		for _, p := range [...]any{&n, &f, &b} {
			for _, enc := range [...][]byte{small, float, truth} {
				c := brine.NewCursor(enc)
				Decode(p, &c)
			}
		}
	}))
	require.Equal(t, 7, n)
	require.Equal(t, uint8(7), u)
	require.Equal(t, 1.5, f)
	require.True(t, b)
}

func TestSetEncoded(t *testing.T) {
	var n int32
	var list []int32
	dst := reflect.ValueOf(&n).Elem()
	require.NoError(t, setEncoded(dst, brine.AppendInt(nil, 3)))
	var fit *FitError
	require.ErrorAs(t, setEncoded(dst, brine.AppendInt(nil, 1<<40)), &fit)
	require.Equal(t, &FitError{Value: int64(1) << 40, To: reflect.TypeFor[int32](), Reason: OutOfRange}, fit)
	require.Equal(t, int32(3), n)
	require.Equal(t, errOther, setEncoded(dst, brine.AppendFloat(nil, 1)))
	p, err := brine.Marshal(brine.Tuple{1, 2, 3})
	require.NoError(t, err)
	require.Equal(t, errOther, setEncoded(reflect.ValueOf(&list).Elem(), p))
}

func BenchmarkSetEncodedInt(b *testing.B) {
	var n int
	dst, p := reflect.ValueOf(&n).Elem(), brine.AppendInt(nil, 1<<40)
	for b.Loop() {
		if err := setEncoded(dst, p); err != nil {
			b.Fatal(err)
		}
	}
}
