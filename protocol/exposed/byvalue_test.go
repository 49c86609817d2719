package exposed_test

import (
	"errors"
	"iter"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type (
	Celsius float64
	Shade   int
	Name    string
	Blob    []byte
	Stack   []int
	Op      func(int) int
)

func (s *Stack) Push(n int)  { *s = append(*s, n) }
func (Shade) String() string { return "a colour" }

func TestByValue(t *testing.T) {
	big1 := new(big.Int).Lsh(big.NewInt(1), 100)
	seven, text := 7, "x"
	for _, row := range []struct{ in, want any }{
		{nil, nil}, {true, true}, {int8(-3), int64(-3)}, {uint64(1 << 63), new(big.Int).Lsh(big.NewInt(1), 63)},
		{uint16(9), int64(9)}, {float32(0.5), 0.5}, {complex64(1i), 1i}, {"é", "é"}, {[]byte("b"), []byte("b")},
		{Celsius(36.6), 36.6}, {Shade(2), int64(2)}, {Name("n"), "n"}, {Blob("b"), []byte("b")},
		{1500 * time.Millisecond, 1.5}, {big1, big1}, {*big1, big1}, {(*big.Int)(nil), nil},
		{[2]int{1, 2}, brine.Tuple{int64(1), int64(2)}}, {[3]byte{1, 2, 3}, []byte{1, 2, 3}},
		{[2][1]string{{"a"}, {"b"}}, brine.Tuple{brine.Tuple{"a"}, brine.Tuple{"b"}}},
		{brine.Tuple{1, brine.Tuple{Name("x")}}, brine.Tuple{int64(1), brine.Tuple{"x"}}},
		{brine.FrozenSet{1}, brine.FrozenSet{int64(1)}}, {brine.Slice{Start: 1}, brine.Slice{Start: int64(1)}},
		{brine.Ellipsis, brine.Ellipsis}, {&seven, int64(7)}, {&text, "x"}, {(*int)(nil), nil},
		{(*Point)(nil), nil}, {(func())(nil), nil}, {(chan int)(nil), nil}, {error(nil), nil},
	} {
		got, ok := exposed.ByValue(row.in)
		require.True(t, ok, "%T", row.in)
		require.Equal(t, row.want, got)
		_, err := brine.Marshal(got)
		require.NoError(t, err)
	}
	for _, in := range []any{
		[]int{1}, map[string]int{}, &Point{}, errors.New("x"), func() {}, make(chan int), exposed.NewList(),
		exposed.NewDict(), exposed.NewSet(), pointClass, vinegar.ValueError.New("x"),
	} {
		_, ok := exposed.ByValue(in)
		require.False(t, ok, "%T", in)
	}
	// A tuple with parts that go by reference is left to be boxed item by item.
	p := &Point{}
	got, ok := exposed.ByValue(brine.Tuple{1, p})
	require.False(t, ok)
	require.Equal(t, brine.Tuple{int64(1), p}, got)
	// A struct becomes an object.
	got, ok = exposed.ByValue(Point{1, 2})
	require.False(t, ok)
	require.Equal(t, &Point{1, 2}, got)
	got, ok = exposed.ByValue(vinegar.ValueError)
	require.False(t, ok)
	require.Equal(t, "builtins.ValueError", got.(*exposed.Class).Name())
}

func TestClassNames(t *testing.T) {
	for _, row := range []struct {
		v    any
		want string
	}{
		{nil, "builtins.NoneType"}, {true, "builtins.bool"}, {1, "builtins.int"}, {"", "builtins.str"},
		{[]int{}, "builtins.list"}, {&[]string{}, "builtins.list"}, {exposed.NewList(), "builtins.list"},
		{map[string]int{}, "builtins.dict"}, {&map[string]int{}, "builtins.dict"}, {exposed.NewDict(), "builtins.dict"},
		{map[int]struct{}{}, "builtins.set"}, {exposed.NewSet(), "builtins.set"},
		{func() {}, "builtins.function"}, {Op(nil), "builtins.function"}, {exposed.Func(func() {}), "builtins.function"},
		{make(chan int), "builtins.generator"}, {iter.Seq[int](nil), "builtins.generator"},
		{exposed.NewGenerator(make(chan int)), "builtins.generator"},
		{make(chan<- int), "builtins.object"}, {struct{ X int }{}, "builtins.object"},
		{&Point{}, "behaviour_service.Point"}, {Point{}, "behaviour_service.Point"}, {&Context{}, "exposed_test.Context"},
		{&Stack{}, "exposed_test.Stack"}, {http.Header{}, "http.Header"}, {time.Time{}, "datetime.datetime"},
		{get(t, public, exposed.NewList(), "append"), "builtins.builtin_function_or_method"},
		{get(t, nil, exposed.NewList(), "__len__"), "builtins.method-wrapper"},
		{get(t, nil, &Calc{}, "add"), "builtins.method"},
		{pointClass, "builtins.type"}, {vinegar.KeyError.New(), "builtins.KeyError"},
		{errors.New(""), "builtins.RuntimeError"},
		{brine.Tuple{}, "builtins.tuple"}, {[2]int{}, "builtins.tuple"}, {Blob{}, "builtins.bytes"},
	} {
		c := exposed.ClassOf(row.v)
		require.NotNil(t, c)
		if row.want == "builtins.RuntimeError" {
			require.Contains(t, c.Name(), "builtins.") // which one is vinegar's business
			continue
		}
		require.Equal(t, row.want, c.Name(), "%T", row.v)
		require.Same(t, c, exposed.ClassOf(row.v))
		require.Positive(t, c.ID())
	}
	require.NotEqual(t, exposed.ClassOf([]int{}).ID(), exposed.ClassOf(map[int]int{}).ID())
}

func TestIdentity(t *testing.T) {
	mk := func(n int) func() int { return func() int { return n } }
	f, g := mk(1), mk(2)
	s := []int{1, 2, 3}
	m := map[string]int{}
	p := &Point{}
	ch := make(chan int)
	for _, v := range []any{f, s, m, p, ch, &m, &s, exposed.NewList()} {
		a, ok := exposed.Identity(v)
		require.True(t, ok, "%T", v)
		b, _ := exposed.Identity(v)
		require.True(t, a == b, "%T", v)
	}
	differ := func(x, y any) {
		t.Helper()
		a, _ := exposed.Identity(x)
		b, _ := exposed.Identity(y)
		require.False(t, a == b)
	}
	differ(f, g) // the same code, but not the same closure
	differ(s, s[:2])
	differ(m, map[string]int{})
	differ(p, &Point{})
	differ(s, &s)
	for _, v := range []any{nil, 1, "x", Point{}, []int{}, iter.Seq[int](func(func(int) bool) {}), brine.Tuple{p}} {
		_, ok := exposed.Identity(v)
		require.False(t, ok, "%T", v)
	}
}
