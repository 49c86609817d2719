package netref_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestAttributes(t *testing.T) {
	ctx := t.Context()
	o, _ := connect(t, nil, nil)
	_, err := o.Get(ctx, "name")
	require.ErrorIs(t, err, vinegar.AttributeError)

	root, _ := connect(t, struct{ Item *item }{&item{Name: "corner"}}, &protocol.Config{
		Access: exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true},
	})
	s, err := netref.Get[*netref.Object](ctx, root, "item")
	require.NoError(t, err)
	name, err := netref.Get[string](ctx, s, "name")
	require.NoError(t, err)
	require.Equal(t, "corner", name)
	v, err := s.Get(ctx, "name")
	require.NoError(t, err)
	require.Equal(t, "corner", v)
	_, err = netref.Get[int](ctx, s, "name")
	require.EqualError(t, err, "name: cannot use str as int: 'corner'")

	require.NoError(t, s.Set(ctx, "name", "market"))
	require.NoError(t, s.Set(ctx, "extra", 5))
	n, err := netref.Get[int](ctx, s, "extra")
	require.NoError(t, err)
	require.Equal(t, 5, n)
	require.NoError(t, s.Del(ctx, "extra"))
	_, err = s.Get(ctx, "extra")
	require.ErrorIs(t, err, vinegar.AttributeError)
	require.ErrorIs(t, s.Del(ctx, "extra"), vinegar.AttributeError)
	doc, err := s.Doc(ctx)
	require.NoError(t, err)
	require.Equal(t, "An item.", doc)
	names, err := s.Dir(ctx)
	require.NoError(t, err)
	require.Contains(t, names, "exposed_name")
}

func TestCalls(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &shop{}, nil)
	n, err := netref.Call[int](ctx, root, "add", 2, 3)
	require.NoError(t, err)
	require.Equal(t, 5, n)

	for _, args := range [][]any{
		{"Ann", "Hi", netref.Kw("punct", "?")},
		{"Ann", netref.Kw("punct", "?"), netref.Kw("greeting", "Hi")},
		{netref.Kw("punct", "?"), "Ann", netref.Kw("greeting", "Hi")},
		{netref.Kw("name", "Ann"), netref.Kw("greeting", "Hi"), netref.Kw("punct", "?")},
	} {
		s, err := netref.Call[string](ctx, root, "greet", args...)
		require.NoError(t, err)
		require.Equal(t, "Hi, Ann?", s)
	}
	s, err := netref.Call[string](ctx, root, "greet", "Ann")
	require.NoError(t, err)
	require.Equal(t, "Hello, Ann!", s)
	_, err = root.CallMethod(ctx, "greet", "Ann", netref.Kw("nope", 1))
	require.ErrorIs(t, err, vinegar.TypeError)

	_, err = netref.Call[struct{}](ctx, root, "list")
	require.NoError(t, err, "the result is dropped")
	f, err := netref.Get[*netref.Object](ctx, root, "add")
	require.NoError(t, err)
	n, err = netref.CallFunc[int](ctx, f, 4, 5)
	require.NoError(t, err)
	require.Equal(t, 9, n)
	v, err := f.Call(ctx, 1, 1)
	require.NoError(t, err)
	require.Equal(t, int64(2), v)
	var i8 int8
	require.EqualError(t, f.CallInto(ctx, &i8, 100, 100), "cannot use int as int8: 200 (out of range)")
	require.Error(t, f.CallInto(ctx, i8, 1, 1), "no pointer")
	_, err = root.CallMethod(ctx, "fail")
	require.ErrorIs(t, err, vinegar.ValueError)
}

func TestContainers(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &shop{}, nil)
	l := mustObject(ctx, root, "list")
	require.Equal(t, "builtins.list", l.ClassName())
	require.Equal(t, "<netref of builtins.list object>", l.String())
	require.False(t, l.IsClass())

	n, err := l.Len(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	s, err := netref.Item[string](ctx, l, 1)
	require.NoError(t, err)
	require.Equal(t, "two", s)
	_, err = l.Item(ctx, 10)
	require.ErrorIs(t, err, vinegar.IndexError)
	v, err := l.Item(ctx, brine.Slice{Start: int64(1), Stop: nil, Step: nil})
	require.NoError(t, err)
	rest, err := netref.As[[]any](ctx, v)
	require.NoError(t, err)
	require.Equal(t, []any{"two", 3.5}, rest)
	require.NoError(t, l.SetItem(ctx, 0, "one"))
	require.NoError(t, l.DelItem(ctx, 2))
	ok, err := l.Contains(ctx, "one")
	require.NoError(t, err)
	require.True(t, ok)
	ok, err = l.Contains(ctx, "three")
	require.NoError(t, err)
	require.False(t, ok)
	text, err := l.Repr(ctx)
	require.NoError(t, err)
	require.Equal(t, "['one', 'two']", text)
	text, err = l.Str(ctx)
	require.NoError(t, err)
	require.Equal(t, "['one', 'two']", text)
	_, err = l.Hash(ctx)
	require.ErrorIs(t, err, vinegar.TypeError)
}

func TestComparisons(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &shop{}, nil)
	other, _ := connect(t, &maker{1}, nil)
	one := mustObject(ctx, other, "make")
	for _, c := range []struct {
		op   string
		want any
	}{{"__eq__", true}, {"__lt__", false}} {
		v, err := one.Compare(ctx, c.op, one)
		require.NoError(t, err)
		require.Equal(t, c.want, v, c.op)
	}
	_, err := one.Compare(ctx, "__add__", one)
	require.ErrorIs(t, err, vinegar.AttributeError)
	v, err := one.Compare(ctx, "__eq__", 5)
	require.NoError(t, err)
	require.Equal(t, brine.NotImplemented, v)
	eq, err := one.Equal(ctx, 5)
	require.NoError(t, err)
	require.False(t, eq, "neither knows")
	eq, err = one.Equal(ctx, one)
	require.NoError(t, err)
	require.True(t, eq)
	h, err := one.Hash(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(1), h)
	l := mustObject(ctx, root, "list")
	eq, err = l.Equal(ctx, l)
	require.NoError(t, err)
	require.True(t, eq)
	require.True(t, one.Is(one))
	require.False(t, one.Is(l))
	require.False(t, one.Is(nil))
	var none *netref.Object
	require.True(t, none.Is(nil))
	require.False(t, none.Is(one))
}

type maker struct{ n int }

func (m *maker) Make() *version { return &version{m.n} }

func TestTruth(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		v    any
		want bool
	}{
		{&truthy{true}, true}, {&truthy{false}, false}, {&point{}, true}, {[]int{}, false}, {[]int{0}, true},
		{map[string]int{}, false},
		{&sized{0}, false}, {&sized{2}, true},
	} {
		root, _ := connect(t, struct{ V any }{c.v}, nil)
		o, err := netref.Get[*netref.Object](ctx, root, "v")
		require.NoError(t, err)
		got, err := o.Bool(ctx)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%#v", c.v)
	}
}

// TestWith leaves a context manager in every way.
func TestWith(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &shop{}, nil)
	exits := func() brine.Tuple {
		v, err := netref.Call[brine.Tuple](ctx, root, "exits")
		require.NoError(t, err)
		return v
	}
	strict, lenient := mustObject(ctx, root, "open", false), mustObject(ctx, root, "open", true)
	var got any
	require.NoError(t, strict.With(ctx, func(v any) error { got = v; return nil }))
	require.Equal(t, "inside", got)
	require.Equal(t, brine.Tuple{false}, exits())

	require.ErrorIs(t, strict.With(ctx, func(any) error { return errMine }), errMine)
	require.Equal(t, brine.Tuple{false, true}, exits())
	require.NoError(t, lenient.With(ctx, func(any) error { return errMine }), "it was suppressed")
	require.PanicsWithValue(t, "boom", func() { _ = strict.With(ctx, func(any) error { panic("boom") }) })
	require.Equal(t, brine.Tuple{false, true, true, true}, exits())
	require.ErrorIs(t, root.With(ctx, func(any) error {
		t.Error("it has no __enter__")
		return nil
	}), vinegar.AttributeError)
}

func TestRelease(t *testing.T) {
	ctx := t.Context()
	root, c := connect(t, &shop{}, nil)
	require.Equal(t, "<netref of the root>", root.String())
	require.Empty(t, root.ClassName())
	l := mustObject(ctx, root, "list")
	require.Equal(t, "tests.Shop", root.ClassName())
	require.False(t, l.Released())
	l.Release()
	l.Release()
	require.True(t, l.Released())
	_, err := l.Len(ctx)
	require.ErrorIs(t, err, netref.ErrReleased)
	_, err = root.CallMethod(ctx, "echo", brine.Tuple{1, l})
	require.ErrorIs(t, err, netref.ErrReleased, "not as an argument either")
	root.Release()
	n, err := netref.Call[int](ctx, root, "add", 1, 2)
	require.NoError(t, err, "the root stays")
	require.Equal(t, 3, n)
	require.NoError(t, c.Close())
	_, err = root.CallMethod(ctx, "add", 1, 2)
	require.ErrorIs(t, err, protocol.ErrClosed)
}
