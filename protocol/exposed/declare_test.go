package exposed_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestSignatures(t *testing.T) {
	for _, row := range []struct {
		f      any
		params []string
		want   string
	}{
		{func() {}, nil, "()"},
		{func(a int) {}, nil, "(arg1, /)"},
		{func(a int) {}, []string{"a"}, "(a)"},
		{func(ctx context.Context, a, b int) error { return nil }, []string{"a", "b=-1"}, "(a, b=-1)"},
		{func(a, b, c int) {}, []string{"a", "/", "b", "*", "c=2"}, "(a, /, b, *, c=2)"},
		{func(a int, rest ...string) {}, []string{"a", "*rest"}, "(a, *rest)"},
		{func(args brine.Tuple, b string, kw []netref.Keyword) {}, []string{"*args", "b='x'", "**kw"},
			"(*args, b='x', **kw)"},
		{func(kw map[string]int) {}, []string{"**kw"}, "(**kw)"},
		{func(q string, o SearchOptions) {}, []string{"q"}, "(q, *, limit=10, sort=..., must_have)"},
	} {
		require.Equal(t, row.want, exposed.Func(row.f, row.params...).Signature())
	}
}

// A declaration that does not fit is the programmer's mistake and is found when the program starts.
func TestBadDeclarations(t *testing.T) {
	for _, row := range []struct {
		f      any
		params []string
	}{
		{5, nil},
		{func() {}, []string{"a"}},
		{func(a, b int) {}, []string{"a=1", "b"}},
		{func(a, b int) {}, []string{"a", "a"}},
		{func(a int) {}, []string{"a="}},
		{func(a int) {}, []string{"a='x'"}},
		{func(a int) {}, []string{"a=nope"}},
		{func(a int) {}, []string{"a=1 2"}},
		{func(a int) {}, []string{"1a"}},
		{func(a int) {}, []string{"*a"}},
		{func(a int) {}, []string{"**a"}},
		{func(a int) {}, []string{"/", "a"}},
		{func(a, b int) {}, []string{"*", "a", "*", "b"}},
		{func(kw map[string]int, a int) {}, []string{"**kw", "a"}},
	} {
		require.Panics(t, func() { exposed.Func(row.f, row.params...) }, "%v", row.params)
	}
	type Odd struct{ X int }
	for _, o := range []exposed.ClassOptions{
		{Params: map[string][]string{"Nope": {}}},
		{Private: []string{"Nope"}},
		{Name: "module."},
		{New: 5},
		{Properties: map[string]exposed.Property{"p": {Get: func() int { return 1 }}}},
		{Properties: map[string]exposed.Property{"p": {Get: func(*Odd, int) int { return 1 }}}},
	} {
		require.Panics(t, func() { exposed.Register[Odd](o) })
	}
	require.Panics(t, func() { exposed.Register[Point](exposed.ClassOptions{}) }, "twice")
	require.Panics(t, func() { exposed.Register[struct{ X int }](exposed.ClassOptions{}) })
	exposed.ClassOf(&Odd{})
	require.Panics(t, func() { exposed.Register[Odd](exposed.ClassOptions{}) }, "after it was used")
}

func TestDefaults(t *testing.T) {
	var got []any
	f := exposed.Func(func(a *int, b string, c []byte, d float64, e any, g brine.Tuple, h bool, i int) {
		got = []any{a, b, c, d, e, g, h, i}
	}, "a=None", `b="it's\n\u00e9"`, `c=b'\x00y'`, "d=-1e3", "e=...", "g=(1, ('x',), ())", "h=True", "i=0x1F")
	_, err := exposed.Call(ctx, f, &exposed.Args{})
	require.NoError(t, err)
	require.Equal(t, []any{(*int)(nil), "it's\né", []byte("\x00y"), -1000.0, brine.Ellipsis,
		brine.Tuple{int64(1), brine.Tuple{"x"}, brine.Tuple{}}, true, 31}, got)
}

type base struct{ Hidden int }

func (base) FromBase() int { return 1 }

type Tagged struct {
	sync.Mutex
	base    `rpyc:"-"`
	Plain   int
	Renamed int `rpyc:"other"`
	Fixed   int `rpyc:"fixed,readonly"`
	Secret  int `rpyc:"-"`
	Err     error
	When    *Point
	private int
}

func TestFields(t *testing.T) {
	v := &Tagged{Plain: 1, Renamed: 2, Fixed: 3, private: 4}
	for name, want := range map[string]any{"plain": 1, "Plain": 1, "other": 2, "Renamed": 2, "fixed": 3, "err": nil,
		"when": (*Point)(nil)} {
		require.Equal(t, want, get(t, nil, v, name), name)
	}
	all := &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}
	for _, name := range []string{"secret", "Secret", "private", "lock", "unlock", "try_lock", "mutex", "hidden",
		"from_base", "base", "Lock"} {
		_, err := exposed.GetAttr(ctx, all, v, name)
		require.EqualError(t, err, "AttributeError: 'Tagged' object has no attribute '"+name+"'")
	}
	require.NoError(t, exposed.SetAttr(ctx, all, v, "other", int64(9)))
	require.Equal(t, 9, v.Renamed)
	require.EqualError(t, exposed.SetAttr(ctx, all, v, "fixed", int64(9)),
		"AttributeError: property 'exposed_fixed' of 'Tagged' object has no setter")
	require.EqualError(t, exposed.SetAttr(ctx, all, v, "other", "x"),
		"TypeError: attribute 'exposed_other' must be int, not str")
	require.EqualError(t, exposed.DelAttr(ctx, all, v, "other"),
		"AttributeError: property 'exposed_other' of 'Tagged' object has no deleter")
	require.EqualError(t, exposed.SetAttr(ctx, all, v, "nope", "x"), "AttributeError: 'Tagged' object has no attribute "+
		"'nope'")
	require.NoError(t, exposed.SetAttr(ctx, all, v, "when", &Point{1, 2}))
	require.Equal(t, &Point{1, 2}, v.When)
	require.NoError(t, exposed.SetAttr(ctx, all, v, "when", nil))
	require.Nil(t, v.When)
	require.EqualError(t, exposed.SetAttr(ctx, all, pointClass, "doc", "x"),
		"TypeError: cannot set 'doc' attribute of immutable type 'Point'")
}

type guarded struct{ names []string }

func (g *guarded) PyGetAttr(_ context.Context, name string) (any, error) {
	g.names = append(g.names, "get "+name)
	if name == "nope" {
		return nil, vinegar.AttributeError.New("not today")
	}
	return func(n int) int { return n + 1 }, nil
}

func (g *guarded) PySetAttr(_ context.Context, name string, _ any) error {
	g.names = append(g.names, "set "+name)
	return nil
}

func (g *guarded) PyDelAttr(_ context.Context, name string) error {
	g.names = append(g.names, "del "+name)
	return nil
}

var (
	_ exposed.AttrGetter  = (*guarded)(nil)
	_ exposed.AttrSetter  = (*guarded)(nil)
	_ exposed.AttrDeleter = (*guarded)(nil)
)

// An object that takes care of its attributes is asked past the policy.
func TestOwnAttributes(t *testing.T) {
	g := &guarded{}
	require.Equal(t, int64(6), must(t)(callAttr(g, "_anything", int64(5))))
	_, err := exposed.GetAttr(ctx, nil, g, []byte("nope"))
	require.EqualError(t, err, "AttributeError: not today")
	require.NoError(t, exposed.SetAttr(ctx, nil, g, "x", 1))
	require.NoError(t, exposed.DelAttr(ctx, nil, g, "x"))
	_, err = exposed.GetAttr(ctx, nil, g, 5)
	require.EqualError(t, err, "TypeError: name must be a string")
	require.Equal(t, []string{"get _anything", "get nope", "set x", "del x"}, g.names)
	require.NotContains(t, dir(t, g), "exposed_py_get_attr")
}

func TestIs(t *testing.T) {
	p, l := &Point{}, exposed.NewList()
	o := netref.New(nil, refOf("builtins.list"))
	for _, row := range []struct {
		a, b any
		want bool
	}{
		{p, p, true}, {p, &Point{}, false}, {l, l, true}, {o, netref.New(nil, refOf("builtins.list")), true},
		{1, int64(1), true}, {1, 1.0, false}, {1, true, false}, {nil, nil, true}, {nil, p, false}, {"a", "a", true},
		{brine.Tuple{1, p}, brine.Tuple{1, p}, true}, {brine.Tuple{1}, brine.Tuple{int64(1)}, true},
		{brine.Ellipsis, brine.Ellipsis, true}, {[]byte("a"), []byte("a"), true}, {brine.Tuple{1}, l, false},
	} {
		require.Equal(t, row.want, exposed.Is(row.a, row.b), "%v %v", row.a, row.b)
	}
}

type tally struct{ n int }

var _ = exposed.Register[tally](exposed.ClassOptions{Methods: map[string]any{
	"add":  exposed.Func(func(t *tally, n, times int) int { t.n += n * times; return t.n }, "n", "times=2"),
	"take": exposed.Func(func(t *tally, n, times int) int { t.n -= n * times; return t.n }, "self", "n", "times=2"),
}})

// TestDeclaredMethodsCountSelfOrNot declares the parameters of added methods with and without the object.
func TestDeclaredMethodsCountSelfOrNot(t *testing.T) {
	v := &tally{}
	require.EqualValues(t, 6, must(t)(exposed.CallAttr(ctx, nil, v, "add", kwArgs("n", int64(3)))))
	require.EqualValues(t, 4, must(t)(exposed.CallAttr(ctx, nil, v, "take", kwArgs("n", int64(1)))))
	_, err := exposed.CallAttr(ctx, nil, v, "take", &exposed.Args{})
	require.ErrorContains(t, err, "missing 1 required positional argument: 'n'")
}

// TestNoneType names the class of None, which Python reaches as type(None).
func TestNoneType(t *testing.T) {
	c, ok := exposed.Builtin("NoneType")
	require.True(t, ok)
	require.Equal(t, "builtins.NoneType", c.Name())
	require.Equal(t, c, exposed.ClassOf(nil))
}
