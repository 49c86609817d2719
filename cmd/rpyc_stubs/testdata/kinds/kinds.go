// Package kinds has everything that rpyc_stubs translates.
package kinds

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/big"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Level is an int in Python.
type Level int

// Failure is an exception in Python.
type Failure struct{ Code int }

func (*Failure) Error() string { return "failed" }

// Exceptions, the more special one first.
var (
	// Torn says that a kind is torn.
	Torn = vinegar.NewClass("kinds.TornError", Broken, vinegar.OSError)
	// Broken is raised for what is broken.
	Broken = vinegar.NewClass("kinds.Broken", vinegar.LookupError)
	plain  = vinegar.NewClass("kinds.Plain")
)

// Options are keyword arguments.
type Options struct {
	Limit int    `default:"10"`
	Order string `rpyc:"order_by,required"`
	Deep  bool
}

// Shape is an interface.
type Shape interface {
	Area() float64
	grow()
}

type node struct {
	Value int
	Next  *node
}

// Kinds is a service.
//
// It has a \ and """quotes""".
//
//rpyc:service
//rpyc:expose Pair twice=Double
type Kinds struct {
	sync.Mutex
	exposed.Attrs
	base
	Name    string `rpyc:"title"`
	Hidden  int    `rpyc:"-"`
	private int
	Tree    *node // documented at the line
	// Prices has a doc.
	Prices map[string][]float64 `rpyc:",readonly"`
}

type base struct{ Inherited int }

func (base) FromBase(x int) int { return x }

// Pair has a constructor.
//
//rpyc:class MakePair
//rpyc:name other.Couple
type Pair struct{ Left, Right any }

// MakePair makes one.
func MakePair(left any, right any) *Pair { return &Pair{left, right} }

// Double doubles.
func Double(n int) int { return 2 * n }

// Generic cannot be described.
type Generic[T any] struct{ X T }

// Get is not seen.
func (g *Generic[T]) Get() T { return g.X }

func (*Kinds) Scalars(a int8, b uint64, c float32, d complex128, e string, f bool, g []byte, h [3]byte, i Level) (bool, error) {
	return true, nil
}
func (*Kinds) Big(n *big.Int, d time.Duration, p *int) *string { return nil }
func (*Kinds) Containers(a []int, b map[string]bool, c map[int]struct{}, d [2]string, e [9]int) ([]int, map[string]bool, map[int]struct{}, [2]string, error) {
	return nil, nil, nil, [2]string{}, nil
}
func (*Kinds) Brine(a brine.Tuple, b brine.FrozenSet, c brine.Slice, d *netref.Object) *exposed.List {
	return nil
}
func (*Kinds) Funcs(ctx context.Context, f func(int, ...string) error, g func(context.Context, []int) (string, error), h func()) func(a int) []int {
	return nil
}
func (*Kinds) Sequences(a iter.Seq[int], b iter.Seq2[string, error]) (iter.Seq2[string, int], <-chan Level) {
	return nil, nil
}

// Stock returns what there is.
//
//rpyc:returns dict[str, list[Couple]]
func (*Kinds) Stock() *exposed.Dict { return exposed.NewDict() }

// Locked is a lock.
//
//rpyc:returns list[int] | None
//rpyc:params n, /
func (*Kinds) Locked(n int) *node { return nil }

func (*Kinds) Search(query string, o Options) []Shape                     { return nil }
func (*Kinds) Stream(r io.Reader, err error) (*Failure, *vinegar.Class)   { return nil, nil }
func (*Kinds) Unnamed(int, _ string, last bool)                           {}
func (*Kinds) Keywords(class, UserID, self int, lambda ...netref.Keyword) {}
func (*Kinds) Trailing(xs []any, kw map[string]int)                       {}

// Everything is declared by hand.
//
//rpyc:params a, /, b='x, y', *rest, c, d=(1, 2), **kw
func (*Kinds) Declared(a int, b string, rest []float64, c any, d []int, kw map[string]int) {}

//rpyc:default b=-1.5, c=None
//rpyc:posonly a
//rpyc:kwonly c, d
func (*Kinds) Directed(a int, b float64, c *int, d bool) {}

// SetCallback has a name that is not Python's.
//
//rpyc:name setCallback
func (*Kinds) SetCallback(f func()) {}

// Import has a name that Python's grammar takes.
func (*Kinds) Import(from string) error { return errors.New("no") }

// Set shadows a builtin.
func (*Kinds) Set(int) map[string]struct{}      { return nil }
func (*Kinds) Int() int                         { return 0 }
func (*Kinds) Tree2() *node                     { return nil }
func (*Kinds) Other(g Generic[int]) *sync.Mutex { return nil }
func (*Kinds) When(t time.Time) time.Time       { return t }
func (*Kinds) OnConnect()                       {}
func (*Kinds) String() string                   { return "" }
func (*Kinds) unexported()                      {}

func (*Pair) PyLen() int                       { return 2 }
func (*Pair) PyIter() iter.Seq[any]            { return nil }
func (*Pair) PyGetItem(i int) (any, error)     { return nil, nil }
func (*Pair) PyEnter() *Pair                   { return nil }
func (*Pair) PyExit(exc error) bool            { return false }
func (*Pair) PyEq(other any) (any, error)      { return nil, nil }
func (*Pair) PyHash() int64                    { return 0 }
func (*Pair) PyAdd(other *Pair) (*Pair, error) { return nil, nil }
func (*Pair) PyNext() (string, bool)           { return "", false }
func (*Pair) PyCall(args ...any) (any, error)  { return nil, nil }

var _ = plain
