package netref_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// library has what is converted in these tests.
type library struct{ file *fake }

func (*library) Nested() any {
	ctx := context.Background()
	shared := exposed.NewList(1, brine.Tuple{2, exposed.NewList("x")})
	d := exposed.NewDict()
	_ = d.Set(ctx, brine.Tuple{"a", 1}, shared)
	_ = d.Set(ctx, []byte("k"), map[int]struct{}{1: {}, 2: {}})
	_ = d.Set(ctx, "none", nil)
	return exposed.NewList(d, shared, &point{X: 1})
}

func (*library) Ring() any {
	a := exposed.NewList()
	b := exposed.NewList(a)
	a.Append(b)
	return exposed.NewList(a, b)
}

func (*library) Deep(n int) any {
	l := exposed.NewList()
	for range n {
		l = exposed.NewList(l)
	}
	return l
}

func (*library) Members() any { return map[string]struct{}{"a": {}, "b": {}} }

func (*library) Flags() any { return map[string]bool{"a": true, "b": false} }

func (*library) Half() any { return half{} }

func (l *library) Open() any { return l.file }

// half is a number, as those of Python's modules decimal and fractions are.
type half struct{}

func (half) PyFloat() float64 { return 0.5 }
func (half) PyInt() int       { return 0 }
func (half) String() string   { return "1/2" }

// five may stand where an integer is wanted, as a member of an IntEnum may.
type five struct{}

func (five) PyIndex() int   { return 5 }
func (five) String() string { return "2001:db8::1" }

func (*library) Five() any { return five{} }

// fake is a file of Python's.
type fake struct {
	b      bytes.Buffer
	text   bool
	closed bool
}

func (f *fake) Read(n int) any {
	if f.text { // n characters
		all := []rune(f.b.String())
		return string(f.b.Next(len(string(all[:min(n, len(all))]))))
	}
	return bytes.Clone(f.b.Next(n))
}

func (f *fake) Write(v any) (int, error) {
	switch v := v.(type) {
	case string:
		if f.text {
			return f.b.WriteString(v)
		}
	case []byte:
		if !f.text {
			return f.b.Write(v)
		}
	}
	return 0, vinegar.TypeError.New("a bytes-like object is required, or is not")
}

func (f *fake) Close() { f.closed = true }

var _ = exposed.Register[fake](exposed.ClassOptions{Name: "_io.BytesIO"})

func TestFetch(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &library{}, nil)
	v, err := root.CallMethod(ctx, "nested")
	require.NoError(t, err)
	got, err := netref.Fetch(ctx, v)
	require.NoError(t, err)
	all := got.([]any)
	require.Len(t, all, 3)
	shared := []any{int64(1), brine.Tuple{int64(2), []any{"x"}}}
	require.Equal(t, map[any]any{
		[2]any{"a", int64(1)}: shared, [1]byte{'k'}: map[any]struct{}{int64(1): {}, int64(2): {}}, "none": nil,
	}, all[0])
	require.Equal(t, shared, all[1])
	require.IsType(t, (*netref.Object)(nil), all[2], "what is no container stays there")
	all[1].([]any)[0] = "changed"
	require.Equal(t, "changed", all[0].(map[any]any)[[2]any{"a", int64(1)}].([]any)[0], "fetched once, one copy")

	for _, plain := range []any{nil, true, int64(1), "x", brine.FrozenSet{int64(1)}} {
		got, err := netref.Fetch(ctx, plain)
		require.NoError(t, err)
		require.Equal(t, plain, got)
	}
	var ce *netref.ConvertError
	_, err = netref.Fetch(ctx, mustObject(ctx, root, "ring"))
	require.ErrorAs(t, err, &ce)
	require.Equal(t, "it contains itself", ce.Reason)
	_, err = netref.Fetch(ctx, mustObject(ctx, root, "deep", 50))
	require.NoError(t, err)
	_, err = netref.Fetch(ctx, mustObject(ctx, root, "deep", 200))
	require.ErrorAs(t, err, &ce)
	require.Contains(t, ce.Reason, "too deep")
}

func TestConvertSpecialTypes(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &library{}, nil)
	flags, err := netref.Call[map[string]bool](ctx, root, "flags")
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"a": true, "b": false}, flags, "a dict")
	members, err := netref.Call[map[string]bool](ctx, root, "members")
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"a": true, "b": true}, members, "a set")

	f, err := netref.Call[float64](ctx, root, "half")
	require.NoError(t, err)
	require.Equal(t, 0.5, f)
	_, err = netref.Call[int](ctx, root, "half")
	require.ErrorContains(t, err, "half: cannot use ")
	r, err := netref.Call[*big.Rat](ctx, root, "half")
	require.NoError(t, err)
	require.Equal(t, "1/2", r.String())
	n, err := netref.Call[int8](ctx, root, "five")
	require.NoError(t, err)
	require.Equal(t, int8(5), n)
	big5, err := netref.Call[*big.Int](ctx, root, "five")
	require.NoError(t, err)
	require.Equal(t, big.NewInt(5), big5)
	bigger, err := netref.Call[**big.Int](ctx, root, "five")
	require.NoError(t, err)
	require.Equal(t, big.NewInt(5), *bigger)
	addr, err := netref.Call[netip.Addr](ctx, root, "five")
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddr("2001:db8::1"), addr)

	row, err := netref.As[[]struct {
		Name  string
		Price *float64
	}](ctx, brine.Tuple{brine.Tuple{"apple", 0.5}, brine.Tuple{"pear", nil}})
	require.NoError(t, err)
	require.Equal(t, "pear", row[1].Name)
	require.Nil(t, row[1].Price)
	_, err = netref.As[struct{ A, B int }](ctx, brine.Tuple{int64(1)})
	require.EqualError(t, err, "cannot use tuple as struct { A int; B int } (1 items for 2 fields)")
	num, err := netref.As[big.Int](ctx, int64(7))
	require.NoError(t, err)
	require.Equal(t, "7", num.String())
	_, err = netref.As[big.Int](ctx, "7")
	require.EqualError(t, err, "cannot use str as big.Int: '7'")
	keys, err := netref.As[map[any]struct{}](ctx, brine.FrozenSet{brine.Tuple{int64(1), "a"}})
	require.NoError(t, err)
	require.Contains(t, keys, any([2]any{int64(1), "a"}))
	_, err = netref.As[netip.Addr](ctx, "nowhere")
	require.ErrorContains(t, err, "cannot use str as netip.Addr: 'nowhere' (")
	_, err = netref.As[int](ctx, strings.Repeat("x", 1000))
	require.Less(t, len(err.Error()), 120, "a long text is cut off")
}

// TestTimes reads what CPython's str() and isoformat() give.
func TestTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2024-02-29 13:14:15":              "2024-02-29T13:14:15Z",
		"2024-02-29 13:14:15.000006":       "2024-02-29T13:14:15.000006Z",
		"2024-02-29T13:14:15.000006+05:30": "2024-02-29T13:14:15.000006+05:30",
		"0001-01-01 00:00:00+00:00":        "0001-01-01T00:00:00Z",
		"9999-12-31 23:59:59.999999-23:59": "9999-12-31T23:59:59.999999-23:59",
		"2024-02-29":                       "2024-02-29T00:00:00Z",
		"2024-02-29T13:14:15Z":             "2024-02-29T13:14:15Z",
	} {
		got, err := netref.As[time.Time](t.Context(), text)
		require.NoError(t, err, text)
		require.Equal(t, want, got.Format(time.RFC3339Nano), text)
	}
	got, err := netref.As[time.Time](t.Context(), "1890-01-01 00:00:00+00:53:28")
	require.NoError(t, err, "a zone of local mean time")
	_, offset := got.Zone()
	require.Equal(t, 53*60+28, offset)
	for _, text := range []string{"", "2024-02-30", "2024-02-29 25:00:00", "yesterday"} {
		_, err := netref.As[time.Time](t.Context(), text)
		require.Error(t, err, text)
	}
}

func TestFile(t *testing.T) {
	ctx := t.Context()
	for _, text := range []bool{false, true} {
		l := &library{file: &fake{text: text}}
		root, _ := connect(t, l, nil)
		f, err := netref.Call[io.ReadWriteCloser](ctx, root, "open")
		require.NoError(t, err)
		n, err := io.WriteString(f, "grüße\n")
		require.NoError(t, err)
		require.Equal(t, 8, n)
		_, err = fmt.Fprintln(f, strings.Repeat("x", 5000))
		require.NoError(t, err)
		b := make([]byte, 3)
		_, err = io.ReadFull(f, b)
		require.NoError(t, err)
		require.Equal(t, "grü"[:3], string(b))
		rest, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, "grüße\n"[3:]+strings.Repeat("x", 5000)+"\n", string(rest))
		_, err = f.Read(nil)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.True(t, l.file.closed)
		s, err := netref.Call[io.Seeker](ctx, root, "open")
		require.NoError(t, err)
		_, err = s.Seek(0, io.SeekStart)
		require.ErrorIs(t, err, vinegar.AttributeError, "it has none")
	}
	l := &library{file: &fake{text: true}}
	root, _ := connect(t, l, nil)
	w, err := netref.Call[io.Writer](ctx, root, "open")
	require.NoError(t, err)
	_, err = w.Write([]byte{0xff})
	require.Error(t, err)
	_, err = netref.Call[interface{ Fly() }](ctx, root, "open")
	require.ErrorContains(t, err, "open: cannot use _io.BytesIO as interface")
}

// TestKeep drops the last variable with a handle.
func TestKeep(t *testing.T) {
	ctx := t.Context()
	root, c := connect(t, &shop{}, nil)
	mustObject(ctx, root, "list").Keep()
	l := mustObject(ctx, root, "list").Keep()
	for range 3 {
		runtime.GC()
		_, err := root.CallMethod(ctx, "add", 1, 2) // behind what a cleanup might have sent
		require.NoError(t, err)
	}
	require.Equal(t, 3, c.Imported(), "the root and two lists")
	l.Release()
	require.Equal(t, 2, c.Imported())
	require.Same(t, l, l.Keep(), "a released handle is not kept")
	require.NoError(t, c.Close())
	<-c.Done()
	require.Zero(t, c.Imported())
}
