package netref_test

import (
	"context"
	"errors"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// shop is the peer of these tests.
type shop struct {
	exposed.Attrs
	Name string

	mu       sync.Mutex
	produced int
	exits    []any
	gate     chan struct{}
}

var _ = exposed.Register[shop](exposed.ClassOptions{
	Name: "tests.Shop", Doc: "A shop.",
	Params: map[string][]string{"Greet": {"name", "greeting='Hello'", "*", "punct='!'"}},
})

func (s *shop) Add(a, b int) int { return a + b }

func (s *shop) Greet(name, greeting, punct string) string { return greeting + ", " + name + punct }

func (s *shop) Many(xs ...int) (n int) {
	for _, x := range xs {
		n += x
	}
	return n
}

func (s *shop) Fail() error { return vinegar.ValueError.New("no") }

func (s *shop) Pair() (string, int) { return "a", 1 }

func (s *shop) Nothing() {}

func (s *shop) List() any { return exposed.NewList(int64(1), "two", 3.5) }

func (s *shop) Ints(n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

func (s *shop) Prices() map[string]any { return map[string]any{"apple": int64(3), "pear": 4.5} }

// Orders is deep enough for paths.
func (s *shop) Orders() any {
	return exposed.NewList(
		map[string]any{"price": int64(1)}, map[string]any{"price": int64(2)}, map[string]any{"price": int64(3)},
		map[string]any{"price": "cheap"},
	)
}

func (s *shop) Point() *point { return &point{X: 1, Y: 2, Tag: "t"} }

func (s *shop) Echo(x any) any { return x }

func (s *shop) Numbers(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			s.mu.Lock()
			s.produced++
			s.mu.Unlock()
			if !yield(i) {
				return
			}
		}
	}
}

func (s *shop) Produced() int { s.mu.Lock(); defer s.mu.Unlock(); return s.produced }

func (s *shop) Broken() func(yield func(int, error) bool) {
	return func(yield func(int, error) bool) {
		if yield(1, nil) {
			yield(0, vinegar.KeyError.New("broken"))
		}
	}
}

func (s *shop) Adder(n int) func(int) int { return func(x int) int { return x + n } }

func (s *shop) Wait() string { <-s.gate; return "through" }

func (s *shop) Open(suppress bool) *door { return &door{s: s, suppress: suppress} }

func (s *shop) Exits() brine.Tuple { s.mu.Lock(); defer s.mu.Unlock(); return brine.Tuple(s.exits) }

func (s *shop) Bytes() any { return bytearray{1, 2, 255} }

// bytearray iterates as numbers, as Python's does.
type bytearray []int

type point struct {
	X, Y int
	Tag  string
}

// door is a context manager.
type door struct {
	s        *shop
	suppress bool
}

func (d *door) PyEnter() string { return "inside" }

func (d *door) PyExit(err error) bool {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.s.exits = append(d.s.exits, err != nil)
	return d.suppress
}

// sized has a length and nothing else.
type sized struct{ n int }

func (s *sized) PyLen() int { return s.n }

// item is no root object anywhere, so that its attributes can be set.
type item struct {
	exposed.Attrs
	Name string
}

var _ = exposed.Register[item](exposed.ClassOptions{Doc: "An item."})

// truthy says itself what it is.
type truthy struct{ ok bool }

func (x *truthy) PyBool() bool { return x.ok }

// version compares.
type version struct{ n int }

func (v *version) PyEq(o *version) bool { return v.n == o.n }
func (v *version) PyLt(o *version) bool { return v.n < o.n }
func (v *version) PyHash() int          { return v.n }

var errMine = errors.New("mine")

func mustObject(ctx context.Context, o *netref.Object, method string, args ...any) *netref.Object {
	v, err := netref.Call[*netref.Object](ctx, o, method, args...)
	if err != nil {
		panic(err)
	}
	return v
}
