package exposed_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var public = &exposed.Policy{AllowPublic: true}

func callPublic(v any, name string, args ...any) (any, error) {
	return exposed.CallAttr(ctx, public, v, name, exposed.NewArgs(args, nil))
}

func repr(t *testing.T, v any) string {
	t.Helper()
	s, err := exposed.Repr(ctx, v)
	require.NoError(t, err)
	return s
}

// On the default policy a list is open as far as its special methods go.
func TestListUnderDefaultPolicy(t *testing.T) {
	l := exposed.NewList(1, 2, 3)
	for _, name := range []string{"append", "index", "pop", "__reversed__", "sort", "__class__"} {
		_, err := callAttr(l, name)
		require.EqualError(t, err, "AttributeError: cannot access '"+name+"'")
	}
	require.Same(t, l, must(t)(callAttr(l, "__iadd__", brine.Tuple{4})))
	require.Equal(t, "[1, 2, 3, 4]", repr(t, l))
	part := must(t)(callAttr(l, "__getitem__", brine.Slice{Start: int64(1)}))
	require.Equal(t, "builtins.list", exposed.ClassOf(part).Name())
	require.Equal(t, "[2, 3, 4]", repr(t, part))
	require.Equal(t, "[1, 2, 3, 4]", must(t)(callAttr(l, "__format__", "")))
	_, err := callAttr(l, "__format__", "x")
	require.EqualError(t, err, "TypeError: unsupported format string passed to list.__format__")
	_, err = callAttr(l, "__add__", netref.New(nil, refOf("builtins.list")))
	require.EqualError(t, err, `TypeError: can only concatenate list (not "builtins.list") to list`)
}

// An object of the other end is kept as it is.
func TestForeignObjectsInContainers(t *testing.T) {
	o := netref.New(nil, refOf("builtins.function"))
	l, d := exposed.NewList(nil), exposed.NewDict()
	must(t)(callAttr(l, "__setitem__", int64(0), o))
	must(t)(callAttr(d, "__setitem__", "f", o))
	require.Same(t, o, must(t)(callAttr(l, "__getitem__", int64(0))))
	require.Same(t, o, must(t)(callAttr(d, "__getitem__", "f")))
	require.Equal(t, true, must(t)(callAttr(l, "__contains__", o)), "found by identity, without asking")
}

func TestGoSlices(t *testing.T) {
	s := []int{1, 2, 3}
	must(t)(callAttr(s, "__setitem__", int64(-1), int64(9)))
	require.Equal(t, []int{1, 2, 9}, s)
	_, err := callAttr(s, "__setitem__", int64(0), "x")
	require.EqualError(t, err, "TypeError: item must be int, not str")
	_, err = callPublic(s, "append", int64(4))
	require.EqualError(t, err, "TypeError: a Go []int has a fixed length; expose *[]int or an exposed.List to let it grow")
	_, err = callPublic(s, "reverse")
	require.NoError(t, err)
	require.Equal(t, []int{9, 2, 1}, s)
	_, err = callPublic(&s, "append", int64(4))
	require.NoError(t, err)
	require.Equal(t, []int{9, 2, 1, 4}, s)
	_, err = callPublic(&s, "append", "x")
	require.EqualError(t, err, "TypeError: item must be int, not str")
	require.Equal(t, "[9, 2, 1, 4]", repr(t, s))
	require.Equal(t, "[]", repr(t, []string(nil)))

	// A slice in a field is a list that grows with the field, and its structs are the field's own.
	type Shelf struct {
		Points []Point
		Origin Point
	}
	shelf := &Shelf{Points: []Point{{1, 2}}}
	points := get(t, nil, shelf, "points")
	_, err = callPublic(points, "append", &Point{3, 4})
	require.NoError(t, err)
	require.Equal(t, []Point{{1, 2}, {3, 4}}, shelf.Points)
	rw := &exposed.Policy{AllowSet: true}
	first := must(t)(callAttr(points, "__getitem__", int64(0)))
	require.NoError(t, exposed.SetAttr(ctx, rw, first, "x", int64(7)))
	require.Equal(t, 7, shelf.Points[0].X)
	require.NoError(t, exposed.SetAttr(ctx, rw, get(t, nil, shelf, "origin"), "y", int64(8)))
	require.Equal(t, 8, shelf.Origin.Y)
	a, _ := exposed.Identity(get(t, nil, shelf, "origin"))
	b, _ := exposed.Identity(get(t, nil, shelf, "origin"))
	require.True(t, a == b)
}

func TestGoMaps(t *testing.T) {
	m := map[string]int{"b": 2, "a": 1}
	require.Equal(t, "{'a': 1, 'b': 2}", repr(t, m))
	must(t)(callAttr(m, "__setitem__", "c", true))
	require.Equal(t, 1, m["c"])
	_, err := callAttr(m, "__setitem__", "c", "x")
	require.EqualError(t, err, "TypeError: value must be int, not str")
	_, err = callAttr(m, "__setitem__", int64(1), int64(1))
	require.EqualError(t, err, "TypeError: key must be str, not int")
	_, err = callAttr(m, "__getitem__", int64(1))
	require.EqualError(t, err, "KeyError: 1")
	_, err = callAttr(m, "__getitem__", exposed.NewList())
	require.EqualError(t, err, "TypeError: unhashable type: 'list'")
	ints := map[int]string{1: "one"}
	for _, k := range []any{int64(1), 1.0, true} {
		require.Equal(t, "one", must(t)(callAttr(ints, "__getitem__", k)))
	}
	anys := map[any]any{1: "one", "s": nil}
	for _, k := range []any{int64(1), 1.0, true} {
		require.Equal(t, "one", must(t)(callAttr(anys, "__getitem__", k)))
		must(t)(callAttr(anys, "__setitem__", k, "one"))
	}
	require.Len(t, anys, 2)
	var none map[string]int
	_, err = callAttr(none, "__setitem__", "a", int64(1))
	require.ErrorIs(t, err, vinegar.TypeError)
	must(t)(callAttr(&none, "__setitem__", "a", int64(1)))
	require.Equal(t, map[string]int{"a": 1}, none)
	set := map[int]struct{}{1: {}}
	_, err = callPublic(set, "add", int64(2))
	require.NoError(t, err)
	require.Equal(t, "{1, 2}", repr(t, set))
}

// A peer can put a container into itself. Nothing may follow it without end.
func TestSelfContainingContainers(t *testing.T) {
	l, d := exposed.NewList(), exposed.NewDict()
	l.Append(l, d)
	require.NoError(t, d.Set(ctx, "l", l))
	require.NoError(t, d.Set(ctx, "d", d))
	require.Equal(t, "[[...], {'l': [...], 'd': {...}}]", repr(t, l))
	m := exposed.NewList()
	m.Append(m, d)
	k := exposed.NewList()
	k.Append(k, d)
	_, err := exposed.Compare(ctx, nil, m, k, "__eq__")
	require.EqualError(t, err, "RecursionError: maximum recursion depth exceeded in comparison")
	deep := any(brine.Tuple{})
	for range 5000 {
		deep = brine.Tuple{deep}
	}
	_, err = exposed.Repr(ctx, deep)
	require.ErrorIs(t, err, vinegar.RecursionError)
	_, err = exposed.Hash(ctx, deep)
	require.ErrorIs(t, err, vinegar.RecursionError)
	wide := exposed.NewList(strings.Repeat("x", 1000))
	for range 60 {
		wide = exposed.NewList(wide, wide)
	}
	_, err = exposed.Repr(ctx, wide)
	require.ErrorIs(t, err, vinegar.MemoryError)
	for _, big := range []any{int64(1 << 40), int64(1 << 62)} {
		_, err = callPublic(exposed.NewList(1, 2), "__imul__", big)
		require.ErrorIs(t, err, vinegar.MemoryError)
	}
}

// Plain Go containers and fields may be shared by several connections.
func TestConcurrentPeers(t *testing.T) {
	type Box struct {
		Items []any
		Any   any
	}
	box := &Box{Any: 1}
	m, anys, l, d := map[string]any{}, make([]any, 4), exposed.NewList(), exposed.NewDict()
	rw := &exposed.Policy{AllowPublic: true, AllowSet: true}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				key := fmt.Sprint(i % 7)
				for _, f := range []func() error{
					func() error { _, err := callPublic(m, "__setitem__", key, g); return err },
					func() error { _, err := callPublic(m, "items"); return err },
					func() error { _, err := exposed.Repr(ctx, m); return err },
					func() error { _, err := callPublic(anys, "__setitem__", int64(i%4), key); return err },
					func() error { _, err := exposed.Repr(ctx, anys); return err },
					func() error { return exposed.SetAttr(ctx, rw, box, "any", any(key)) },
					func() error { _, err := exposed.GetAttr(ctx, rw, box, "any"); return err },
					func() error {
						items, err := exposed.GetAttr(ctx, rw, box, "items")
						if err == nil {
							_, err = callPublic(items, "append", int64(i))
						}
						return err
					},
					func() error { _, err := callPublic(l, "append", int64(i)); return err },
					func() error { _, err := callPublic(l, "pop", int64(0)); return err },
					func() error { return d.Set(ctx, key, i) },
					func() error { _, err := d.Delete(ctx, key); return err },
					func() error { d.Keys(); return nil },
				} {
					if err := f(); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, l.Len())
}

func TestOperate(t *testing.T) {
	for _, row := range []struct {
		a    any
		op   string
		b    any
		want any
		err  string
	}{
		{2, "__add__", 3, int64(5), ""},
		{2, "__add__", 0.5, 2.5, ""},
		{"a", "__add__", "b", "ab", ""},
		{1, "__add__", "b", nil, "TypeError: unsupported operand type(s) for +: 'int' and 'str'"},
		{"b", "__add__", 1, nil, `TypeError: can only concatenate str (not "int") to str`},
		{nil, "__sub__", 1, nil, "TypeError: unsupported operand type(s) for -: 'NoneType' and 'int'"},
		{3, "__mul__", &Point{1, 2}, &Point{3, 6}, ""},
		{&Point{1, 2}, "__add__", 5, nil, "TypeError: unsupported operand type(s) for +: 'Point' and 'int'"},
		{1, "__lt__", 1.5, true, ""},
		{1, "__lt__", "x", nil, "TypeError: '<' not supported between instances of 'int' and 'str'"},
		{1, "__eq__", "x", false, ""},
	} {
		r, err := exposed.Operate(ctx, row.op, row.a, row.b)
		if row.err != "" {
			require.EqualError(t, err, row.err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, row.want, r)
	}
}

// TestCollidingKeys puts in keys that all have one hash in CPython, the multiples of 2**61-1, and NaNs, of which none
// is found again. Compared one by one, they would take hours. An object that equals one of them is found all the same.
func TestCollidingKeys(t *testing.T) {
	const n, prime = 200_000, 1<<61 - 1
	d := exposed.NewDict()
	multiple := func(i int64) any { return new(big.Int).Mul(big.NewInt(i), big.NewInt(prime)) }
	for i := range int64(n) {
		require.NoError(t, d.Set(ctx, multiple(i), i))
		require.NoError(t, d.Set(ctx, math.NaN(), i))
		if i == n/2 {
			require.NoError(t, d.Set(ctx, &Point{0, 1}, "point")) // from here on, objects are looked for, too
		}
	}
	require.Equal(t, 2*n+1, d.Len())
	v, ok, err := d.Get(ctx, multiple(7))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, int64(7), v)
	for i := range int64(n) {
		ok, err := d.Delete(ctx, multiple(i))
		require.NoError(t, err)
		require.True(t, ok)
	}
	require.Equal(t, n+1, d.Len())
}

// sevenLike equals the int 7 and has its hash.
type sevenLike struct{ _ int }

func (*sevenLike) PyEq(ctx context.Context, o any) (bool, error) {
	return exposed.Equal(ctx, o, int64(7))
}
func (*sevenLike) PyHash() int { return 7 }

var _ = exposed.Register[sevenLike](exposed.ClassOptions{Name: "test.SevenLike"})

func TestObjectEqualToPlainKey(t *testing.T) {
	d := exposed.NewDict()
	require.NoError(t, d.Set(ctx, int64(7), "seven"))
	require.NoError(t, d.Set(ctx, nil, "none"))
	v, ok, err := d.Get(ctx, new(sevenLike))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "seven", v)
	d = exposed.NewDict()
	require.NoError(t, d.Set(ctx, new(sevenLike), "object"))
	v, ok, err = d.Get(ctx, 7.0)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "object", v)
	ok, err = d.Delete(ctx, true)
	require.NoError(t, err)
	require.False(t, ok)
	ok, err = d.Delete(ctx, 7+0i)
	require.NoError(t, err)
	require.True(t, ok)
	require.Zero(t, d.Len())
}
