package exposed_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

var ctx = context.Background()

// The classes of the behaviour service, as a Go programmer writes them.

type Point struct {
	X, Y int
}

var pointClass = exposed.Register[Point](exposed.ClassOptions{
	Name:   "behaviour_service.Point",
	Doc:    "A point on the integer plane.",
	New:    exposed.Func(func(x, y int) *Point { return &Point{x, y} }, "x", "y"),
	Static: map[string]any{"origin": exposed.Func(func() *Point { return &Point{} }).Doc("The point (0, 0).")},
	Docs:   map[string]string{"Norm1": "Manhattan length."},
	Params: map[string][]string{"Norm1": {}},
})

func abs(n int) int { return max(n, -n) }

func (p *Point) Norm1() int               { return abs(p.X) + abs(p.Y) }
func (p *Point) PyRepr() string           { return fmt.Sprintf("Point(%d, %d)", p.X, p.Y) }
func (p *Point) String() string           { return fmt.Sprintf("<%d;%d>", p.X, p.Y) }
func (p *Point) PyFormat(s string) string { return fmt.Sprintf("%s|%d|%d", s, p.X, p.Y) }
func (p *Point) PyHash() int              { return 1000*p.X + p.Y }
func (p *Point) PyLt(o *Point) bool       { return p.X < o.X || p.X == o.X && p.Y < o.Y }
func (p *Point) PyAdd(o *Point) *Point    { return &Point{p.X + o.X, p.Y + o.Y} }
func (p *Point) PyMul(k int) *Point       { return &Point{p.X * k, p.Y * k} }
func (p *Point) PyRMul(k int) *Point      { return p.PyMul(k) }
func (p *Point) PyNeg() *Point            { return &Point{-p.X, -p.Y} }
func (p *Point) PyLen() int               { return 2 }
func (p *Point) PyContains(v int) bool    { return v == p.X || v == p.Y }
func (p *Point) PyIter() []int            { return []int{p.X, p.Y} }
func (p *Point) PyBool() bool             { return *p != Point{} }
func (p *Point) PyInt() int               { return p.X + p.Y }
func (p *Point) PyFloat() float64         { return float64(p.X + p.Y) }
func (p *Point) PyIndex() int             { return p.X + p.Y }
func (p *Point) PyCall(k int) *Point      { return p.PyMul(k) }

func (p *Point) PyEq(ctx context.Context, o any) (any, error) {
	x, err := exposed.GetAttr(ctx, nil, o, "x")
	if errors.Is(err, vinegar.AttributeError) {
		return brine.NotImplemented, nil
	}
	if err != nil {
		return nil, err
	}
	y, err := exposed.GetAttr(ctx, nil, o, "y")
	if err != nil {
		return nil, err
	}
	return exposed.Equal(ctx, brine.Tuple{p.X, p.Y}, brine.Tuple{x, y})
}

func (p *Point) PyGetItem(i int) (int, error) {
	switch i {
	case 0:
		return p.X, nil
	case 1:
		return p.Y, nil
	}
	return 0, vinegar.IndexError.New("point index out of range")
}

type Point3 struct {
	Point
	Colour string
}

var point3Class = exposed.Register[Point3](exposed.ClassOptions{
	Name:  "behaviour_service.Point3",
	Doc:   "A point with a colour.",
	Bases: []*exposed.Class{pointClass},
	New: exposed.Func(func(x, y int, colour string) *Point3 { return &Point3{Point{x, y}, colour} },
		"x", "y", "colour='red'"),
})

type Gadget struct {
	exposed.Attrs
	Value any
	mu    sync.Mutex
	n     int
}

func newGadget() *Gadget { return &Gadget{Value: 10} }

func (g *Gadget) Describe(verbose bool) string {
	word := "False"
	if verbose {
		word = "True"
	}
	return fmt.Sprintf("gadget value=%v verbose=%s", g.Value, word)
}

func (g *Gadget) plain() string { return "plain" }

func (g *Gadget) counter() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	return g.n
}

var _ = exposed.Register[Gadget](exposed.ClassOptions{
	Name:   "behaviour_service.Gadget",
	Doc:    "An object with attributes of every visibility.",
	New:    newGadget,
	Params: map[string][]string{"Describe": {"self", "verbose=False"}},
	Docs:   map[string]string{"describe": "Describe the gadget."},
	Properties: map[string]exposed.Property{
		"counter": {Get: (*Gadget).counter},
		"bad": {Get: func(*Gadget) (int, error) {
			return 0, vinegar.ZeroDivisionError.New("division by zero")
		}},
		"ro": {Get: func(*Gadget) string { return "read-only" }},
	},
	Hidden: map[string]any{"hidden": "hidden", "_private": "private",
		"plain": exposed.Func((*Gadget).plain).Doc("not exposed")},
})

type Context struct {
	tag      string
	suppress bool
	log      *[]string
}

func (c *Context) PyEnter() string {
	*c.log = append(*c.log, "enter:"+c.tag)
	return "entered:" + c.tag
}

func (c *Context) PyExit(err error) bool {
	*c.log = append(*c.log, fmt.Sprintf("exit:%s:%t", c.tag, err != nil))
	return c.suppress
}

// Calc has methods of many shapes.
type Calc struct{ last int }

func (c *Calc) Add(a, b int) int { return a + b }
func (c *Calc) Div(_ context.Context, a, by int) (int, error) {
	if by == 0 {
		return 0, vinegar.ZeroDivisionError.New("division by zero")
	}
	return a / by, nil
}
func (c *Calc) Greet(name, greeting, punct string) string { return greeting + ", " + name + punct }
func (c *Calc) Sum(ns ...int) (total int) {
	for _, n := range ns {
		total += n
	}
	return
}
func (c *Calc) CallShape(args brine.Tuple, kw []netref.Keyword) (brine.Tuple, brine.Tuple) {
	var ks brine.Tuple
	for _, k := range kw {
		ks = append(ks, brine.Tuple{k.Name, k.Value})
	}
	return args, ks
}
func (c *Calc) Echo(x any) any         { return x }
func (c *Calc) Nothing()               { c.last++ }
func (c *Calc) Fail(kind string) error { return fail(kind) }
func (c *Calc) Panic(n int) int        { return []int{1, 2, 3}[n] }
func (c *Calc) GetURL() string         { return "url" }
func (c *Calc) HTTPServer() string     { return "server" }
func (c *Calc) ID() int                { return 7 }
func (c *Calc) CountUp(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
func (c *Calc) Search(q string, o SearchOptions) string { return fmt.Sprint(q, o) }
func (c *Calc) Page(q string, o PageOptions) string     { return fmt.Sprint(q, o) }
func (c *Calc) secret() string                          { return "secret" }

// SearchOptions are keyword arguments.
type SearchOptions struct {
	Limit int `default:"10"`
	Sort  string
	Must  bool `rpyc:"must_have,required"`
}

// PageOptions are parameters with defaults that are given by position or by name, but for one.
type PageOptions struct {
	Exact bool
	First int `rpyc:",positional" default:"1"`
	Size  int `rpyc:"count,positional" default:"10"`
}

var errShared = vinegar.ValueError.New("shared")

func fail(kind string) error {
	switch kind {
	case "value":
		return vinegar.ValueError.New("bad value", int64(7), nil)
	case "shared":
		return errShared
	case "go":
		return errors.New("plain")
	}
	return nil
}

var _ = exposed.Register[Calc](exposed.ClassOptions{
	Name: "calc.Calc",
	Docs: map[string]string{"Add": "Add two numbers."},
	Params: map[string][]string{
		"Add":       {"a", "b"},
		"Greet":     {"name", "greeting='Hello'", "*", "punct='!'"},
		"CallShape": {"*args", "**kwargs"},
	},
})

func get(t *testing.T, p *exposed.Policy, v any, name string) any {
	t.Helper()
	r, err := exposed.GetAttr(ctx, p, v, name)
	require.NoError(t, err)
	return r
}

func callAttr(v any, name string, args ...any) (any, error) {
	var kw []netref.Keyword
	var pos []any
	for _, a := range args {
		if k, ok := a.(netref.Keyword); ok {
			kw = append(kw, k)
		} else {
			pos = append(pos, a)
		}
	}
	return exposed.CallAttr(ctx, nil, v, name, exposed.NewArgs(pos, kw))
}

func must(t *testing.T) func(v any, err error) any {
	return func(v any, err error) any {
		t.Helper()
		require.NoError(t, err)
		form, _ := exposed.ByValue(v)
		return form
	}
}

func refOf(name string) wire.Ref { return wire.Ref{Name: name, Class: 1, Object: 2} }

func classRef(name string) wire.Ref { return wire.Ref{Name: name, Class: 1} }

func dir(t *testing.T, v any) []string {
	t.Helper()
	names, err := exposed.Dir(ctx, nil, v)
	require.NoError(t, err)
	return names
}

func instanceCheck(t *testing.T, class, v any) bool {
	t.Helper()
	ok, err := exposed.InstanceCheck(ctx, class, v)
	require.NoError(t, err)
	return ok
}
