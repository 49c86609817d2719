package exposed_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	_ "github.com/gorpyc/gorpyc/protocol" // answers what conversions ask of objects of ours
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestSpecialMethods(t *testing.T) {
	p := &Point{3, 4}
	for _, row := range []struct {
		name string
		args []any
		want any
	}{
		{"__len__", nil, int64(2)},
		{"__getitem__", []any{int64(1)}, int64(4)},
		{"__contains__", []any{int64(4)}, true},
		{"__contains__", []any{int64(5)}, false},
		{"__bool__", nil, true},
		{"__int__", nil, int64(7)},
		{"__float__", nil, 7.0},
		{"__index__", nil, int64(7)},
		{"__add__", []any{&Point{1, 1}}, &Point{4, 5}},
		{"__add__", []any{int64(5)}, brine.NotImplemented},
		{"__add__", []any{nil}, brine.NotImplemented},
		{"__mul__", []any{int64(2)}, &Point{6, 8}},
		{"__rmul__", []any{int64(2)}, &Point{6, 8}},
		{"__neg__", nil, &Point{-3, -4}},
		{"__format__", []any{"spec"}, "spec|3|4"},
		{"__eq__", []any{&Point{3, 4}}, true},
		{"__eq__", []any{&Point3{Point{3, 4}, "red"}}, true},
		{"__eq__", []any{int64(5)}, brine.NotImplemented},
		{"__ne__", []any{&Point{3, 4}}, false},
		{"__ne__", []any{int64(5)}, brine.NotImplemented},
		{"__lt__", []any{&Point{3, 5}}, true},
		{"__le__", []any{&Point{3, 5}}, brine.NotImplemented},
		{"__hash__", nil, int64(3004)},
		{"__str__", nil, "<3;4>"},
		{"__repr__", nil, "Point(3, 4)"},
	} {
		got := must(t)(callAttr(p, row.name, row.args...))
		require.Equal(t, row.want, got, "%s %v", row.name, row.args)
	}
	_, err := callAttr(p, "__getitem__", int64(2))
	require.EqualError(t, err, "IndexError: point index out of range")
	_, err = callAttr(p, "__sub__", p)
	require.EqualError(t, err, "AttributeError: 'Point' object has no attribute '__sub__'")
	_, err = callAttr(p, "__call__", int64(2))
	require.EqualError(t, err, "AttributeError: cannot access '__call__'")
	r, err := exposed.Call(ctx, p, exposed.NewArgs([]any{int64(2)}, nil))
	require.NoError(t, err)
	require.Equal(t, &Point{6, 8}, r)
	_, err = exposed.Call(ctx, []int{}, &exposed.Args{})
	require.EqualError(t, err, "TypeError: 'list' object is not callable")
	items, err := exposed.BuffIter(ctx, p, nil)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{3, 4}, items)

	var names []string
	for _, m := range exposed.Methods(nil, p) {
		names = append(names, m.Name)
	}
	for _, n := range []string{"__len__", "__iter__", "__call__", "__add__", "__index__", "exposed_norm1",
		"exposed_origin"} {
		require.Contains(t, names, n)
	}
	for _, n := range []string{"__sub__", "__eq__", "__hash__", "exposed_x", "__doc__", "__class__"} {
		require.NotContains(t, names, n)
	}
	names = nil
	for _, m := range exposed.Methods(nil, pointClass) {
		names = append(names, m.Name)
	}
	require.Contains(t, names, "__call__")
	require.Contains(t, names, "exposed_origin")
}

func TestCompare(t *testing.T) {
	p := &Point{1, 2}
	for _, row := range []struct {
		v, other any
		op       string
		want     any
	}{
		{p, p, "__eq__", true},
		{p, &Point{1, 2}, "__eq__", true},
		{p, &Point{1, 3}, "__ge__", brine.NotImplemented},
		{newGadget(), newGadget(), "__eq__", brine.NotImplemented},
		{pointClass, pointClass, "__eq__", true},
		{[]int{1, 2}, exposed.NewList(1.0, true), "__lt__", false},
		{[]int{1, 2}, []any{int64(1), 2.0}, "__eq__", true},
		{[]int{1, 2}, brine.Tuple{1, 2}, "__eq__", brine.NotImplemented},
		{[]int{1, 2}, netref.New(nil, refOf("builtins.list")), "__eq__", brine.NotImplemented},
		{map[string]int{"a": 1}, map[any]any{"a": 1.0}, "__eq__", true},
		{map[int]struct{}{1: {}}, brine.FrozenSet{int64(1)}, "__eq__", true},
	} {
		r, err := exposed.Compare(ctx, nil, row.v, row.other, row.op)
		require.NoError(t, err)
		require.Equal(t, row.want, r, "%v %s %v", row.v, row.op, row.other)
	}
	_, err := exposed.Compare(ctx, nil, p, p, "__cmp__")
	require.EqualError(t, err, "AttributeError: type object 'Point' has no attribute '__cmp__'")
	for _, op := range []string{"__add__", "__class__", "norm1"} {
		_, err = exposed.Compare(ctx, nil, p, p, op)
		require.EqualError(t, err, "AttributeError: cannot access '"+op+"'")
	}
	_, err = exposed.Compare(ctx, &exposed.Policy{DenySafe: true}, p, p, "__eq__")
	require.EqualError(t, err, "AttributeError: cannot access '__eq__'")
}

func TestHash(t *testing.T) {
	g := newGadget()
	a, err := exposed.Hash(ctx, g)
	require.NoError(t, err)
	b, err := exposed.Hash(ctx, g)
	require.NoError(t, err)
	require.Equal(t, a, b)
	for v, name := range map[any]string{exposed.NewList(): "list", exposed.NewDict(): "dict", exposed.NewSet(): "set"} {
		_, err := exposed.Hash(ctx, v)
		require.EqualError(t, err, "TypeError: unhashable type: '"+name+"'")
	}
	h, err := exposed.Hash(ctx, &Point{2, 3})
	require.NoError(t, err)
	require.Equal(t, int64(2003), h)
	// Values that are equal have equal hashes.
	d := exposed.NewDict()
	require.NoError(t, d.Set(ctx, brine.Tuple{1, "a"}, "first"))
	v, ok, err := d.Get(ctx, brine.Tuple{1.0, "a"})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "first", v)
	_, _, err = d.Get(ctx, brine.Tuple{exposed.NewList()})
	require.EqualError(t, err, "TypeError: unhashable type: 'list'")
	require.NoError(t, d.Set(ctx, &Point{1, 1}, "point"))
	v, ok, err = d.Get(ctx, &Point3{Point{1, 1}, ""})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "point", v)
}

func TestContextManagers(t *testing.T) {
	var log []string
	c := &Context{tag: "t", suppress: true, log: &log}
	require.Equal(t, "entered:t", must(t)(callAttr(c, "__enter__")))
	for _, exc := range []any{nil, vinegar.ValueError.New("x"), exposed.ClassOf(vinegar.KeyError.New()),
		netref.New(nil, classRef("builtins.ValueError")), netref.New(nil, classRef("odd.Thing")), int64(0), int64(1)} {
		r, err := exposed.Exit(ctx, nil, c, exc)
		require.NoError(t, err)
		require.Equal(t, true, r)
	}
	// The oldest peers call the method themselves.
	must(t)(callAttr(c, "__exit__", nil, nil, nil))
	must(t)(callAttr(c, "__exit__", netref.New(nil, classRef("builtins.KeyError")),
		netref.New(nil, classRef("builtins.KeyError")), nil))
	require.Equal(t, []string{"enter:t", "exit:t:false", "exit:t:true", "exit:t:true", "exit:t:true", "exit:t:true",
		"exit:t:false", "exit:t:true", "exit:t:false", "exit:t:true"}, log)
	_, err := exposed.Exit(ctx, nil, []int{}, nil)
	require.EqualError(t, err, "AttributeError: 'list' object has no attribute '__exit__'")
	_, err = exposed.Exit(ctx, nil, exitChecker{t}, netref.New(nil, classRef("builtins.KeyError")))
	require.NoError(t, err)
}

type exitChecker struct{ t *testing.T }

func (e exitChecker) PyExit(typ, exc, tb any) {
	require.Equal(e.t, "builtins.KeyError", typ.(*exposed.Class).Name())
	require.ErrorIs(e.t, exc.(error), vinegar.KeyError)
	require.Nil(e.t, tb)
}

// TestPositionalFields calls def page(arg1, /, first=1, count=10, *, exact=False).
func TestPositionalFields(t *testing.T) {
	c := &Calc{}
	for want, args := range map[string][]any{
		"a{false 1 10}": {"a"}, "b{false 2 10}": {"b", int64(2)}, "c{false 2 3}": {"c", int64(2), int64(3)},
		"d{true 2 3}": {"d", int64(2), netref.Kw("exact", true), netref.Kw("count", int64(3))},
	} {
		require.Equal(t, want, must(t)(callAttr(c, "page", args...)))
	}
	for want, args := range map[string][]any{
		"TypeError: Calc.exposed_page() takes from 2 to 4 positional arguments but 5 were given": {
			"a", int64(1), int64(2), true,
		},
		"TypeError: Calc.exposed_page() got multiple values for argument 'first'": {
			"a", int64(1), netref.Kw("first", int64(2)),
		},
		"TypeError: Calc.exposed_page() argument 'count' must be int, not str": {"a", int64(1), "x"},
		"TypeError: Calc.exposed_page() missing 1 required positional argument: 'arg1'": {
			netref.Kw("first", int64(2)),
		},
	} {
		_, err := callAttr(c, "page", args...)
		require.EqualError(t, err, want)
	}
}

func TestKeywordStruct(t *testing.T) {
	c := &Calc{}
	require.Equal(t, "q{10  true}", must(t)(callAttr(c, "search", "q", netref.Kw("must_have", true))))
	require.Equal(t, "q{3 up false}", must(t)(callAttr(c, "search", "q", netref.Kw("sort", "up"),
		netref.Kw("must_have", false),
		netref.Kw("limit", int64(3)))))
	_, err := callAttr(c, "search", "q")
	require.EqualError(t, err, "TypeError: Calc.exposed_search() missing 1 required keyword-only argument: 'must_have'")
	_, err = callAttr(c, "search", "q", netref.Kw("nope", true))
	require.EqualError(t, err, "TypeError: Calc.exposed_search() got an unexpected keyword argument 'nope'")
	_, err = callAttr(c, "search", "q", netref.Kw("limit", "x"), netref.Kw("must_have", true))
	require.EqualError(t, err, "TypeError: Calc.exposed_search() argument 'limit' must be int, not str")
}

func TestUndeclared(t *testing.T) {
	c := &Calc{}
	_, err := callAttr(c, "div", int64(1))
	require.EqualError(t, err, "TypeError: Calc.exposed_div() missing 1 required positional argument: 'arg2'")
	_, err = callAttr(c, "div", int64(1), int64(2), int64(3))
	require.EqualError(t, err, "TypeError: Calc.exposed_div() takes 3 positional arguments but 4 were given")
	_, err = callAttr(c, "div", int64(1), netref.Kw("by", int64(2)))
	require.EqualError(t, err, "TypeError: Calc.exposed_div() takes no keyword arguments")
	_, err = callAttr(c, "div", int64(1), "x")
	require.EqualError(t, err, "TypeError: Calc.exposed_div() argument 2 must be int, not str")
	_, err = callAttr(c, "add", int64(1), nil)
	require.EqualError(t, err, "TypeError: Calc.exposed_add() argument 'b' must be int, not None")
	_, err = callAttr(c, "add", int64(1), &Calc{})
	require.EqualError(t, err, "TypeError: Calc.exposed_add() argument 'b' must be int, not Calc")
	require.Equal(t, int64(6), must(t)(callAttr(c, "add", int64(1), &Point{2, 3})), "it has __index__")
	_, err = callAttr(c, "add", int64(1), 1.5)
	require.EqualError(t, err, "TypeError: Calc.exposed_add() argument 'b' must be int, not float")
	_, err = exposed.Call(ctx, func(n int8) {}, exposed.NewArgs([]any{int64(300)}, nil))
	require.ErrorIs(t, err, vinegar.OverflowError)
	require.Equal(t, int64(6), must(t)(callAttr(c, "sum", int64(1), int64(2), int64(3))))
	require.Equal(t, int64(0), must(t)(callAttr(c, "sum")))
	require.Nil(t, must(t)(callAttr(c, "nothing")))
	require.Equal(t, "Hi, Ann!", must(t)(callAttr(c, "greet", "Ann", "Hi")))
}

func TestRawArguments(t *testing.T) {
	enc := func(v any) []byte {
		b, err := brine.Marshal(v)
		require.NoError(t, err)
		return b
	}
	call := func(f any, pos, kw []byte) (any, error) {
		a := &exposed.Args{}
		a.SetRaw(pos, kw)
		return exposed.Call(ctx, f, a)
	}
	shape := get(t, nil, &Calc{}, "call_shape")
	for _, row := range []struct {
		pos, kw any
		want    any
		err     string
	}{
		{brine.Tuple{1, "a"}, brine.Tuple{}, brine.Tuple{brine.Tuple{int64(1), "a"}, brine.Tuple(nil)}, ""},
		{[]byte{1, 2}, brine.Tuple{}, brine.Tuple{brine.Tuple{int64(1), int64(2)}, brine.Tuple(nil)}, ""},
		{"né", brine.Tuple{}, brine.Tuple{brine.Tuple{"n", "é"}, brine.Tuple(nil)}, ""},
		{brine.Tuple{}, brine.Tuple{brine.Tuple{"b", 1}, brine.Tuple{"a", 2}, brine.Tuple{"b", 3}},
			brine.Tuple{brine.Tuple{}, brine.Tuple{brine.Tuple{"b", int64(3)}, brine.Tuple{"a", int64(2)}}}, ""},
		{brine.Tuple{}, brine.Tuple{"xy"}, brine.Tuple{brine.Tuple{}, brine.Tuple{brine.Tuple{"x", "y"}}}, ""},
		{int64(5), brine.Tuple{}, nil, "TypeError: argument after * must be an iterable, not int"},
		{nil, brine.Tuple{}, nil, "TypeError: argument after * must be an iterable, not NoneType"},
		{brine.Tuple{}, int64(5), nil, "TypeError: 'int' object is not iterable"},
		{brine.Tuple{}, nil, nil, "TypeError: 'NoneType' object is not iterable"},
		{brine.Tuple{}, brine.Tuple{brine.Tuple{[]byte("b"), 1}}, nil, "TypeError: keywords must be strings"},
		{brine.Tuple{}, brine.Tuple{1}, nil, "TypeError: cannot convert dictionary update sequence element #0 to a sequence"},
		{brine.Tuple{}, brine.Tuple{brine.Tuple{"a"}}, nil,
			"ValueError: dictionary update sequence element #0 has length 1; 2 is required"},
	} {
		r, err := call(shape, enc(row.pos), enc(row.kw))
		if row.err != "" {
			require.EqualError(t, err, row.err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, row.want, r)
	}
	r, err := call(func(a int, s string, f float64, b []byte, l []string) (string, int, float64, int, []string) {
		return s, a, f, len(b), l
	}, enc(brine.Tuple{5, "x", 2, []byte("abc"), brine.Tuple{"p", "q"}}), nil)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{"x", 5, 2.0, 3, []string{"p", "q"}}, r)
	_, err = call(func(a int) {}, enc(brine.Tuple{"x"}), nil)
	require.EqualError(t, err, "TypeError: <lambda>() argument 1 must be int, not str")

	// Arguments may also be objects of ours that come back.
	for _, kw := range []any{map[string]int64{"k": 5}, exposed.NewList(brine.Tuple{"k", int64(5)})} {
		a, err := exposed.CallArgs(ctx, exposed.NewList(1, 2), kw)
		require.NoError(t, err)
		r, err = exposed.Call(ctx, shape, a)
		require.NoError(t, err)
		require.Equal(t, brine.Tuple{brine.Tuple{1, 2}, brine.Tuple{brine.Tuple{"k", int64(5)}}}, r)
	}
}

func TestGenerators(t *testing.T) {
	var log []string
	count := func(n int, tag string) iter.Seq[int] {
		return func(yield func(int) bool) {
			defer func() { log = append(log, tag) }()
			for i := range n {
				if !yield(i) {
					return
				}
			}
		}
	}
	asObject := func(v any) any {
		form, ok := exposed.ByValue(v)
		require.False(t, ok)
		return form
	}
	g := asObject(count(2, "a"))
	require.Same(t, g, must(t)(callAttr(g, "__iter__")))
	require.Equal(t, int64(0), must(t)(callAttr(g, "__next__")))
	require.Equal(t, int64(1), must(t)(callAttr(g, "__next__")))
	require.Empty(t, log)
	for range 2 {
		_, err := callAttr(g, "__next__")
		require.ErrorIs(t, err, vinegar.StopIteration)
		require.Equal(t, []string{"a"}, log)
	}
	g = asObject(count(9, "b"))
	items, err := exposed.BuffIter(ctx, g, int64(3))
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{0, 1, 2}, items)
	g.(exposed.Dropper).PyDrop()
	g.(exposed.Dropper).PyDrop()
	require.Equal(t, []string{"a", "b"}, log)
	_, err = callAttr(g, "__next__")
	require.ErrorIs(t, err, vinegar.StopIteration)
	g = asObject(count(9, "never begun"))
	g.(exposed.Dropper).PyDrop()
	require.Len(t, log, 2)
	kept := exposed.NewGenerator(count(3, "kept")).KeepOpen()
	must(t)(callAttr(kept, "__next__"))
	kept.PyDrop()
	require.Equal(t, int64(1), must(t)(callAttr(kept, "__next__")))
	require.NoError(t, kept.Close())
	require.Equal(t, "kept", log[2])

	fails := asObject(iter.Seq2[int, error](func(yield func(int, error) bool) {
		_ = yield(1, nil) && yield(0, vinegar.ValueError.New("gen failed"))
	}))
	require.Equal(t, int64(1), must(t)(callAttr(fails, "__next__")))
	_, err = callAttr(fails, "__next__")
	require.EqualError(t, err, "ValueError: gen failed")
	_, err = callAttr(fails, "__next__")
	require.ErrorIs(t, err, vinegar.StopIteration)

	panics := asObject(iter.Seq[int](func(func(int) bool) { panic("oh") }))
	_, err = callAttr(panics, "__next__")
	require.Error(t, err)
	_, err = callAttr(panics, "__next__")
	require.ErrorIs(t, err, vinegar.StopIteration)

	ch := make(chan string, 2)
	ch <- "x"
	require.Equal(t, "x", must(t)(callAttr(ch, "__next__")))
	close(ch)
	_, err = callAttr(ch, "__next__")
	require.ErrorIs(t, err, vinegar.StopIteration)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = exposed.BuffIter(cancelled, make(chan int), nil)
	require.ErrorIs(t, err, context.Canceled)
	n := 0
	pull := exposed.NewGenerator(func() (int, bool) { n++; return n, n < 3 })
	items, err = exposed.BuffIter(ctx, pull, nil)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{1, 2}, items)
	require.Panics(t, func() { exposed.NewGenerator(5) })

	var inner any
	self := exposed.NewGenerator(iter.Seq[int](func(yield func(int) bool) {
		_, err := exposed.CallAttr(ctx, nil, inner, "__next__", &exposed.Args{})
		require.EqualError(t, err, "ValueError: generator already executing")
		yield(1)
	}))
	inner = self
	must(t)(callAttr(self, "__next__"))
}

func TestBuffIter(t *testing.T) {
	l := exposed.NewList(1, 2, 3)
	for range 2 {
		r, err := exposed.BuffIter(ctx, l, int64(2)) // no iterator: begins anew
		require.NoError(t, err)
		require.Equal(t, brine.Tuple{1, 2}, r)
	}
	it := must(t)(callAttr(l, "__iter__"))
	r, err := exposed.BuffIter(ctx, it, int64(2))
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{1, 2}, r)
	r, err = exposed.BuffIter(ctx, it, nil)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{3}, r)
	r, err = exposed.BuffIter(ctx, "né", nil)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{"n", "é"}, r)
	for _, bad := range []any{int64(-1), "x", 1.0} {
		_, err = exposed.BuffIter(ctx, l, bad)
		require.ErrorIs(t, err, vinegar.ValueError)
	}
	_, err = exposed.BuffIter(ctx, int64(5), nil)
	require.EqualError(t, err, "TypeError: 'int' object is not iterable")
	endless := make([]bool, 1<<20+1) // as good as endless: there is a limit to what is collected
	_, err = exposed.BuffIter(ctx, endless, nil)
	require.ErrorIs(t, err, vinegar.MemoryError)
	r, err = exposed.BuffIter(ctx, exposed.NewList(), int64(1<<40))
	require.NoError(t, err)
	require.Empty(t, r)
	_, err = callAttr(exposed.NewDict(), "__next__")
	require.True(t, errors.Is(err, vinegar.AttributeError))
}

func TestDictChangedDuringIteration(t *testing.T) {
	d := exposed.NewDict()
	require.NoError(t, d.Set(ctx, "a", 1))
	require.NoError(t, d.Set(ctx, "b", 1))
	it := must(t)(callAttr(d, "__iter__"))
	require.Equal(t, "a", must(t)(callAttr(it, "__next__")))
	require.NoError(t, d.Set(ctx, "c", 1))
	_, err := callAttr(it, "__next__")
	require.EqualError(t, err, "RuntimeError: dictionary changed size during iteration")
}

func TestOldSlicing(t *testing.T) {
	l := exposed.NewList(1, 2, 3)
	r, err := exposed.OldSlicing(ctx, nil, l, "__getitem__", "__getslice__", int64(1), nil, nil)
	require.NoError(t, err)
	require.Equal(t, []any{2, 3}, r.(*exposed.List).Items())
	_, err = exposed.OldSlicing(ctx, nil, l, "__setitem__", "__setslice__", int64(0), int64(1), []any{brine.Tuple{9, 9}})
	require.NoError(t, err)
	require.Equal(t, []any{int64(9), int64(9), 2, 3}, l.Items())
	_, err = exposed.OldSlicing(ctx, nil, int64(5), "__getitem__", "__getslice__", int64(1), nil, nil)
	require.EqualError(t, err, "AttributeError: 'int' object has no attribute '__getslice__'")
}

func TestGoContainerWithMethods(t *testing.T) {
	s := &Stack{}
	must(t)(callAttr(s, "push", int64(5)))
	require.Equal(t, int64(5), must(t)(callAttr(s, "__getitem__", int64(-1))))
	require.Equal(t, int64(1), must(t)(callAttr(s, "__len__")))
	require.True(t, must(t)(exposed.IsInstance(ctx, s, exposed.ClassOf([]int{}))).(bool))
	h := http.Header{}
	must(t)(callAttr(h, "set", "accept", "text/plain"))
	require.Equal(t, "text/plain", must(t)(callAttr(h, "Get", "Accept")))
	require.Equal(t, true, must(t)(callAttr(h, "__contains__", "Accept")))
}
