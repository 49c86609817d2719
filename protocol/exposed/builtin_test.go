package exposed_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var allowAll = &exposed.Policy{AllowAll: true}

func topLevel(n int) int { return n }

func TestFunctions(t *testing.T) {
	named := exposed.Func(func(a int) int { return a }, "a=1").Named("f").Doc("Text.")
	for _, row := range []struct {
		f                            any
		name, qual, module, doc, sig any
		repr                         string
	}{
		{topLevel, "top_level", "top_level", "exposed_test", nil, "(arg1, /)", "<function top_level at 0x"},
		{func() {}, "<lambda>", "<lambda>", "exposed_test", nil, "()", "<function <lambda> at 0x"},
		{named, "f", "f", "exposed_test", "Text.", "(a=1)", "<function f at 0x"},
		{get(t, nil, pointClass, "norm1"), "exposed_norm1", "Point.exposed_norm1", "behaviour_service", "Manhattan length.",
			"(self)", "<function Point.exposed_norm1 at 0x"},
		{get(t, nil, pointClass, "origin"), "exposed_origin", "Point.exposed_origin", "exposed_test", "The point (0, 0).",
			"()", "<function Point.exposed_origin at 0x"},
	} {
		require.Equal(t, "builtins.function", exposed.ClassOf(row.f).Name())
		for name, want := range map[string]any{"__name__": row.name, "__qualname__": row.qual, "__module__": row.module,
			"__doc__": row.doc, "__text_signature__": row.sig} {
			require.Equal(t, want, get(t, allowAll, row.f, name), "%v %s", row.name, name)
		}
		require.True(t, strings.HasPrefix(repr(t, row.f), row.repr), repr(t, row.f))
		_, err := exposed.Hash(ctx, row.f)
		require.NoError(t, err)
	}
	r, err := exposed.CallAttr(ctx, allowAll, topLevel, "__call__", exposed.NewArgs([]any{int64(4)}, nil))
	require.NoError(t, err)
	require.Equal(t, 4, r)
	require.Equal(t, 7, named.GoValue().(func(int) int)(7))
}

func TestClassObjects(t *testing.T) {
	for name, want := range map[string]any{
		"__name__": "Point3", "__qualname__": "Point3", "__module__": "behaviour_service",
		"__doc__":   "A point with a colour.",
		"__bases__": brine.Tuple{pointClass},
	} {
		require.Equal(t, want, get(t, allowAll, point3Class, name))
	}
	mro := get(t, allowAll, point3Class, "__mro__").(brine.Tuple)
	require.Len(t, mro, 3)
	require.Equal(t, "<class 'behaviour_service.Point3'>", repr(t, point3Class))
	require.Equal(t, "<class 'object'>", repr(t, mro[2]))
	require.Equal(t, "A point with a colour.", point3Class.Doc())
	require.Equal(t, []*exposed.Class{pointClass}, point3Class.Bases())
	require.Equal(t, "builtins.type", get(t, allowAll, point3Class, "__class__").(*exposed.Class).Name())
	require.Same(t, pointClass, get(t, allowAll, &Point{}, "__class__"))
	require.Equal(t, true, must(t)(exposed.CallAttr(ctx, allowAll, pointClass, "__instancecheck__",
		exposed.NewArgs([]any{&Point3{}}, nil))))
	require.Contains(t, dir(t, point3Class), "exposed_norm1")
	for _, name := range []string{"exposed_nope", "exposed_x"} {
		_, err := exposed.GetAttr(ctx, nil, pointClass, name)
		require.EqualError(t, err, "AttributeError: type object 'Point' has no attribute '"+name+"'")
	}
	r, err := exposed.CallAttr(ctx, nil, pointClass, "origin", &exposed.Args{})
	require.NoError(t, err)
	require.Equal(t, &Point{}, r)
	_, err = exposed.Call(ctx, pointClass, exposed.NewArgs([]any{int64(1)}, nil))
	require.EqualError(t, err, "TypeError: Point.__init__() missing 1 required positional argument: 'y'")
	r, err = exposed.Call(ctx, exposed.ClassOf(pointClass), exposed.NewArgs([]any{&Point{}}, nil))
	require.NoError(t, err)
	require.Same(t, pointClass, r)
	norm1 := get(t, nil, pointClass, "norm1")
	_, err = exposed.Call(ctx, norm1, exposed.NewArgs([]any{int64(1)}, nil))
	require.EqualError(t, err, "TypeError: Point.exposed_norm1() does not apply to a 'int' object")
	require.False(t, instanceCheck(t, &Point{}, &Point{}))
}

func TestExceptionObjects(t *testing.T) {
	e := vinegar.ValueError.New("bad", int64(7)).From(vinegar.KeyError.New("inner"))
	require.Equal(t, brine.Tuple{"bad", int64(7)}, get(t, allowAll, e, "args"))
	require.Nil(t, get(t, allowAll, e, "__traceback__"))
	require.ErrorIs(t, get(t, allowAll, e, "__cause__").(error), vinegar.KeyError)
	require.Equal(t, "ValueError('bad', 7)", repr(t, e))
	s, err := exposed.Str(ctx, e)
	require.NoError(t, err)
	require.Equal(t, "('bad', 7)", s)
	require.Equal(t, "KeyError('x')", repr(t, vinegar.KeyError.New("x")))
	_, err = exposed.GetAttr(ctx, nil, e, "args")
	require.EqualError(t, err, "AttributeError: cannot access 'args'")
	c := exposed.ClassOf(e)
	require.True(t, c.IsSubclass(exposed.ClassOf(vinegar.Exception.New())))
	require.True(t, instanceCheck(t, vinegar.Exception, e))
	made, err := exposed.Call(ctx, c, exposed.NewArgs([]any{"again"}, nil))
	require.NoError(t, err)
	require.EqualError(t, made.(error), "ValueError: again")
	plain := errors.New("plain")
	require.Contains(t, repr(t, plain), "'plain'")
}

func TestViews(t *testing.T) {
	d := exposed.NewDict()
	for i, k := range []string{"a", "b"} {
		require.NoError(t, d.Set(ctx, k, i))
	}
	view := func(name string) any { return must(t)(callPublic(d, name)) }
	for _, row := range []struct {
		view, method string
		arg          any
		want         string
	}{
		{"keys", "__contains__", "a", "True"},
		{"keys", "__contains__", "z", "False"},
		{"values", "__contains__", 1.0, "True"},
		{"values", "__contains__", 5, "False"},
		{"items", "__contains__", brine.Tuple{"b", 1}, "True"},
		{"items", "__contains__", brine.Tuple{"b", 2}, "False"},
		{"items", "__contains__", "b", "False"},
		{"keys", "__eq__", brine.FrozenSet{"a", "b"}, "True"},
		{"keys", "__and__", brine.FrozenSet{"a"}, "{'a'}"},
		{"items", "__sub__", brine.FrozenSet{brine.Tuple{"a", 0}}, "{('b', 1)}"},
		{"values", "__eq__", brine.FrozenSet{int64(0), int64(1)}, "NotImplemented"},
	} {
		r, err := callAttr(view(row.view), row.method, row.arg)
		require.NoError(t, err)
		require.Equal(t, row.want, repr(t, r), "%v", row)
	}
	items, err := exposed.BuffIter(ctx, view("items"), nil)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{brine.Tuple{"a", 0}, brine.Tuple{"b", 1}}, items)
	require.Equal(t, "builtins.dict_items", exposed.ClassOf(view("items")).Name())
	keys := view("keys")
	require.NoError(t, d.Set(ctx, "c", 3))
	require.Equal(t, "dict_keys(['a', 'b', 'c'])", repr(t, keys))
	_, err = exposed.Hash(ctx, keys)
	require.EqualError(t, err, "TypeError: unhashable type: 'dict_keys'")
}

func TestGoMapMethods(t *testing.T) {
	m := map[uint8]string{2: "two", 1: "one", 200: "many"}
	require.Equal(t, "{1: 'one', 2: 'two', 200: 'many'}", repr(t, m))
	require.Equal(t, "two", must(t)(callPublic(m, "pop", int64(2))))
	require.Equal(t, "none", must(t)(callPublic(m, "pop", int64(2), "none")))
	must(t)(callAttr(m, "__delitem__", int64(1)))
	_, err := callAttr(m, "__delitem__", int64(1))
	require.EqualError(t, err, "KeyError: 1")
	must(t)(callPublic(m, "clear"))
	require.Empty(t, m)
	require.Equal(t, "{-0.5: True, 2.0: False}", repr(t, map[float64]bool{2: false, -0.5: true}))
}

// What the program's own code does with containers that it hands out.
func TestContainersFromGo(t *testing.T) {
	d := exposed.NewDict()
	require.NoError(t, d.Set(ctx, "k", 1))
	require.Equal(t, 1, d.Len())
	require.Equal(t, map[any]any{"k": 1}, d.GoValue())
	gone, err := d.Delete(ctx, "k")
	require.NoError(t, err)
	require.True(t, gone)
	for i := range 100 { // the entries are compacted on the way
		require.NoError(t, d.Set(ctx, i, i))
		if i%3 > 0 {
			_, err := d.Delete(ctx, i)
			require.NoError(t, err)
		}
	}
	require.Equal(t, 34, d.Len())
	require.Equal(t, int64(0), d.Keys()[0])
	v, ok, err := d.Get(ctx, 99)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 99, v)
	s := exposed.NewSet()
	require.NoError(t, s.Add(ctx, "x"))
	has, err := s.Has(ctx, "x")
	require.NoError(t, err)
	require.True(t, has)
	require.Equal(t, []any{"x"}, s.GoValue())
	_, err = s.Discard(ctx, "x")
	require.NoError(t, err)
	require.Zero(t, s.Len())
	require.Error(t, s.Add(ctx, d))

	// Objects that come back are converted to what the Go func wants.
	join := func(parts []string) string { return strings.Join(parts, "-") }
	r, err := exposed.Call(ctx, join, exposed.NewArgs([]any{exposed.NewList("a", "b")}, nil))
	require.NoError(t, err)
	require.Equal(t, "a-b", r)
	apply := func(f func(int, int) int) int { return f(2, 3) }
	r, err = exposed.Call(ctx, apply, exposed.NewArgs([]any{get(t, nil, &Calc{}, "add")}, nil))
	require.NoError(t, err)
	require.Equal(t, 5, r)
	byValue := func(p Point) int { return p.X }
	r, err = exposed.Call(ctx, byValue, exposed.NewArgs([]any{&Point{X: 9}}, nil))
	require.NoError(t, err)
	require.Equal(t, 9, r)
	kws := func(kw ...netref.Keyword) string { return fmt.Sprint(kw) }
	r, err = exposed.Call(ctx, kws, exposed.NewArgs(nil, []netref.Keyword{netref.Kw("a", 1)}))
	require.NoError(t, err)
	require.Equal(t, "[{a 1}]", r)
	counts := exposed.Func(func(m map[string]int) int { return m["a"] }, "**m")
	r, err = exposed.Call(ctx, counts, exposed.NewArgs(nil, []netref.Keyword{netref.Kw("a", int64(4))}))
	require.NoError(t, err)
	require.Equal(t, 4, r)
	_, err = exposed.Call(ctx, counts, exposed.NewArgs(nil, []netref.Keyword{netref.Kw("a", "x")}))
	require.ErrorContains(t, err, "argument 'a' must be int, not str")
	require.Equal(t, []string{"BEHAVIOUR", "BHV"}, exposed.ServiceAliases(&BehaviourService{}))
	require.Equal(t, []string{"CALC"}, exposed.ServiceAliases(&Calc{}))
}

type BehaviourService struct{ _ int }

var _ = exposed.Register[BehaviourService](exposed.ClassOptions{
	Service: true, Aliases: []string{"behaviour", "bhv"},
	Static: map[string]any{"answer": 42, "Point": pointClass},
	Hidden: map[string]any{"hidden": "hidden", "_secret": "secret"},
})

func TestServiceClass(t *testing.T) {
	s := &BehaviourService{}
	require.Equal(t, 42, get(t, nil, s, "answer"))
	require.Same(t, pointClass, get(t, nil, s, "Point"))
	require.Equal(t, brine.Tuple{"BEHAVIOUR", "BHV"}, must(t)(callAttr(s, "get_service_aliases")))
	require.EqualError(t, exposed.SetAttr(ctx, allowAll, s, "answer", 1), "AttributeError: access denied")
	var names []string
	for _, m := range exposed.Methods(nil, s) {
		names = append(names, m.Name)
	}
	require.Contains(t, names, "exposed_get_service_name")
	require.NotContains(t, names, "exposed_answer")
	require.NotContains(t, names, "exposed_Point")
	require.Contains(t, dir(t, s), "exposed_answer")
}

func TestTruthAndSizes(t *testing.T) {
	for _, row := range []struct {
		v    any
		want bool
	}{
		{nil, false}, {0, false}, {0.0, false}, {0i, false}, {"", false}, {[]byte{}, false}, {brine.Tuple{}, false},
		{brine.FrozenSet{}, false}, {[]int{}, false}, {map[int]int{}, false}, {&Point{}, false}, {false, false},
		{1, true}, {"a", true}, {[]int{0}, true}, {&Point{1, 0}, true}, {newGadget(), true}, {brine.Ellipsis, true},
		{brine.Tuple{nil}, true},
	} {
		got, err := exposed.Truth(ctx, row.v)
		require.NoError(t, err)
		require.Equal(t, row.want, got, "%T %v", row.v, row.v)
	}
	_, err := exposed.Len(ctx, 5)
	require.EqualError(t, err, "TypeError: object of type 'int' has no len()")
	_, err = exposed.GetItem(ctx, 5, 0)
	require.EqualError(t, err, "TypeError: 'int' object is not subscriptable")
	_, err = exposed.Contains(ctx, 5, 0)
	require.EqualError(t, err, "TypeError: argument of type 'int' is not iterable")
	in, err := exposed.Contains(ctx, exposed.NewGenerator(func() func() (int, bool) {
		n := 0
		return func() (int, bool) { n++; return n, n < 5 }
	}()), 3.0)
	require.NoError(t, err)
	require.True(t, in)
	n, err := exposed.Len(ctx, "né")
	require.NoError(t, err)
	require.Equal(t, 2, n)
}
