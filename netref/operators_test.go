package netref_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// money knows some operators, with money of its own currency or numbers.
type money struct{ Cents int }

func (m *money) PyAdd(o *money) *money  { return &money{m.Cents + o.Cents} }
func (m *money) PyIAdd(o *money) *money { m.Cents += o.Cents; return m }
func (m *money) PyMul(n int) *money     { return &money{m.Cents * n} }
func (m *money) PyRMul(n int) *money    { return &money{m.Cents * n} }
func (m *money) PyNeg() *money          { return &money{-m.Cents} }
func (m *money) PyLt(o *money) bool     { return m.Cents < o.Cents }
func (m *money) PyEq(o *money) bool     { return m.Cents == o.Cents }
func (m *money) PySub(*money) (*money, error) {
	return nil, vinegar.AttributeError.New("no '__rsub__' here, and this is from inside")
}

// bank makes money.
type bank struct{}

func (bank) Make(cents int) *money { return &money{cents} }

func TestOperators(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, bank{}, nil)
	a, b := mustObject(ctx, root, "make", 100), mustObject(ctx, root, "make", 20)
	cents := func(o *netref.Object, err error) int {
		require.NoError(t, err)
		n, err := netref.Get[int](ctx, o, "cents")
		require.NoError(t, err)
		return n
	}
	op := netref.Op[*netref.Object]
	require.Equal(t, 120, cents(op(ctx, a, "+", b)))
	require.Equal(t, 300, cents(op(ctx, a, "*", 3)))
	require.Equal(t, 300, cents(op(ctx, 3, "*", a)))
	require.Equal(t, -100, cents(netref.Unary[*netref.Object](ctx, "-", a)))
	sum, err := op(ctx, a, "+=", b)
	require.Equal(t, 120, cents(sum, err))
	require.Same(t, a, sum, "__iadd__")
	product, err := op(ctx, a, "*=", 2)
	require.Equal(t, 240, cents(product, err))
	require.NotSame(t, a, product, "there is no __imul__")

	for _, c := range []struct {
		x    any
		op   string
		y    any
		want bool
	}{
		{a, "<", b, false}, {a, ">", b, true}, {a, "==", b, false}, {a, "!=", b, true}, {a, "==", a, true},
		{a, "==", "x", false},
		{"x", "!=", a, true},
	} {
		got, err := netref.Op[bool](ctx, c.x, c.op, c.y)
		require.NoError(t, err, c.op)
		require.Equal(t, c.want, got, c.op)
	}

	for want, call := range map[string]func() error{
		"TypeError: unsupported operand type(s) for /: 'money' and 'int'": func() error {
			return errOf(op(ctx, a, "/", 2))
		},
		"TypeError: unsupported operand type(s) for +: 'money' and 'str'": func() error {
			return errOf(op(ctx, a, "+", "x"))
		},
		"TypeError: unsupported operand type(s) for +: 'NoneType' and 'money'": func() error {
			return errOf(op(ctx, nil, "+", a))
		},
		"TypeError: unsupported operand type(s) for -=: 'list' and 'money'": func() error {
			return errOf(op(ctx, []int{1}, "-=", a))
		},
		"TypeError: unsupported operand type(s) for ** or pow(): 'float' and 'money'": func() error {
			return errOf(op(ctx, 1.5, "**", a))
		},
		"TypeError: unsupported operand type(s) for divmod(): 'money' and 'tuple'": func() error {
			return errOf(op(ctx, a, "divmod", [1]int{1}))
		},
		"TypeError: '<=' not supported between instances of 'money' and 'bool'": func() error {
			return errOf(op(ctx, a, "<=", true))
		},
		"TypeError: bad operand type for unary ~: 'money'": func() error {
			return errOf(netref.Unary[int](ctx, "~", a))
		},
		"TypeError: bad operand type for abs(): 'money'": func() error {
			return errOf(netref.Unary[int](ctx, "abs", a))
		},
		"AttributeError: no '__rsub__' here, and this is from inside": func() error {
			return errOf(op(ctx, a, "-", b))
		},
		"TypeError: object of type 'money' has no len()": func() error {
			return errOf(a.Len(ctx))
		},
		"TypeError: 'money' object is not subscriptable": func() error {
			return errOf(a.Item(ctx, 1))
		},
		"TypeError: 'money' object does not support item assignment": func() error {
			return a.SetItem(ctx, 1, 2)
		},
		"TypeError: 'money' object doesn't support item deletion": func() error {
			return a.DelItem(ctx, 1)
		},
		"TypeError: argument of type 'money' is not a container": func() error {
			return errOf(a.Contains(ctx, 1))
		},
		"TypeError: 'money' object cannot be interpreted as an integer": func() error {
			return errOf(a.Index(ctx))
		},
		"TypeError: float() argument must be a string or a real number, not 'money'": func() error {
			return errOf(a.Float(ctx))
		},
		"TypeError: complex() first argument must be a string or a number, not 'money' (cannot access '__complex__')": func() error {
			return errOf(a.Complex(ctx))
		},
		"TypeError: unsupported operand type(s) for @: 'money' and 'int' (cannot access '__matmul__')": func() error {
			return errOf(op(ctx, a, "@", 1))
		},
		`netref: no operator "?"`:         func() error { return errOf(op(ctx, a, "?", 1)) },
		`netref: no operator "divmod="`:   func() error { return errOf(op(ctx, a, "divmod=", 1)) },
		`netref: no unary operator "not"`: func() error { return errOf(netref.Unary[int](ctx, "not", a)) },
	} {
		require.EqualError(t, call(), want)
	}
	_, err = netref.Op[string](ctx, a, "<", b)
	require.EqualError(t, err, "<: cannot use bool as string: False")
	_, err = op(ctx, a, "/", 2)
	require.ErrorIs(t, err, vinegar.AttributeError, "the cause")
}

func TestIsInstance(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, struct {
		Point, Other *exposed.Class
		P            *point
	}{exposed.ClassFor[point](), exposed.ClassFor[money](), &point{}}, nil)
	p, err := netref.Get[*netref.Object](ctx, root, "p")
	require.NoError(t, err)
	class, err := netref.Get[*netref.Object](ctx, root, "point")
	require.NoError(t, err)
	other, err := netref.Get[*netref.Object](ctx, root, "other")
	require.NoError(t, err)
	for _, c := range []struct {
		classes []*netref.Object
		want    bool
	}{{[]*netref.Object{class}, true}, {[]*netref.Object{other}, false}, {[]*netref.Object{other, class}, true},
		{nil, false}} {
		is, err := p.IsInstance(ctx, c.classes...)
		require.NoError(t, err)
		require.Equal(t, c.want, is)
	}
	_, err = p.IsInstance(ctx, p)
	require.ErrorIs(t, err, vinegar.TypeError)
}

func TestOptionalAttributes(t *testing.T) {
	ctx := t.Context()
	root, c := connect(t, &shop{Name: "corner"}, nil)
	name, err := netref.GetOr(ctx, root, "name", "none")
	require.NoError(t, err)
	require.Equal(t, "corner", name)
	size, err := netref.GetOr(ctx, root, "size", 7)
	require.NoError(t, err)
	require.Equal(t, 7, size)
	for attr, want := range map[string]bool{"name": true, "size": false, "list": true} {
		has, err := root.Has(ctx, attr)
		require.NoError(t, err)
		require.Equal(t, want, has)
	}
	require.NoError(t, c.Close())
	_, err = root.Has(ctx, "name")
	require.ErrorIs(t, err, protocol.ErrClosed)
	_, err = netref.GetOr(ctx, root, "size", 7)
	require.ErrorIs(t, err, protocol.ErrClosed, "not knowing is not the same as there being none")
}

// gate is a context manager that notes what it was left with.
type gate struct{ left []error }

func (g *gate) PyEnter() int { return 5 }

func (g *gate) PyExit(err error) any {
	g.left = append(g.left, err)
	return []int{} // false to Python
}

func TestWithErrors(t *testing.T) {
	g := &gate{}
	root, _ := connect(t, g, nil)
	ctx, cancel := context.WithCancel(t.Context())
	err := netref.With(ctx, root, func(n int) error {
		require.Equal(t, 5, n)
		return fs.ErrNotExist
	})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Len(t, g.left, 1)
	require.ErrorIs(t, g.left[0], vinegar.FileNotFoundError, "a Go peer is told the class")
	err = netref.With(ctx, root, func(string) error { return errors.New("is not called") })
	require.EqualError(t, err, "__enter__: cannot use int as string: 5")
	require.Len(t, g.left, 2, "it was entered")

	err = root.With(ctx, func(any) error {
		cancel()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, g.left, 3, "it is left although the context has ended")
}

func TestPairsAndNext(t *testing.T) {
	ctx := t.Context()
	for _, public := range []bool{false, true} {
		d := exposed.NewDict()
		var want []netref.Pair[string, int]
		for i := range 40 {
			key := string(rune('z'-i%26)) + string(rune('a'+i/26))
			require.NoError(t, d.Set(ctx, key, i))
			want = append(want, netref.Pair[string, int]{Key: key, Value: i})
		}
		root,
			_ := connect(t, struct{ D, L any }{d, []int{1, 2}}, &protocol.Config{Access: exposed.Policy{AllowPublic: public}})
		o, err := netref.Get[*netref.Object](ctx, root, "d")
		require.NoError(t, err)
		got, err := netref.Pairs[string, int](ctx, o)
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = netref.Pairs[string, string](ctx, o)
		require.ErrorContains(t, err, `result["za"]: cannot use int as string: 0`)
		l, err := netref.Get[*netref.Object](ctx, root, "l")
		require.NoError(t, err)
		_, err = netref.Pairs[int, int](ctx, l)
		require.ErrorContains(t, err, "not a mapping")

		v, err := l.CallMethod(ctx, "__iter__")
		require.NoError(t, err)
		it := v.(*netref.Object)
		for _, want := range []int{1, 2} {
			n, ok, err := netref.Next[int](ctx, it)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, want, n)
		}
		_, ok, err := netref.Next[int](ctx, it)
		require.NoError(t, err)
		require.False(t, ok)
		var all []int
		for n, err := range netref.Iter[int](ctx, l) {
			require.NoError(t, err)
			all = append(all, n)
		}
		require.Equal(t, []int{1, 2}, all)
	}
}

func TestKwArgs(t *testing.T) {
	type options struct {
		Depth  int
		Width  *float64
		Any    any
		Unused string `rpyc:",omitempty"`
		Named  bool   `rpyc:"is_named,omitempty"`
		Not    int    `rpyc:"-"`
	}
	kw := netref.Kw
	require.Equal(t, []netref.Keyword{kw("depth", 0)}, netref.KwArgs(options{}))
	require.Equal(t, []netref.Keyword{kw("depth", 1), kw("any", 2), kw("is_named", true)},
		netref.KwArgs(&options{Depth: 1, Any: 2, Named: true}))
	require.Equal(t, []netref.Keyword{kw("a", 1), kw("b", 2)}, netref.KwArgs(map[string]int{"b": 2, "a": 1}))
	for _, wrong := range []any{nil, 1, "x", []int{1}, map[int]int{}, (*options)(nil)} {
		require.Panics(t, func() { netref.KwArgs(wrong) })
	}
	root, _ := connect(t, &shop{}, nil)
	s, err := netref.Call[string](t.Context(), root, "greet", netref.KwArgs(map[string]string{"greeting": "Hi"}), "Ann",
		kw("punct", "?"))
	require.NoError(t, err)
	require.Equal(t, "Hi, Ann?", s)
}
