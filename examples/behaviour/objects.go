package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Point is a point on the integer plane.
type Point struct{ X, Y int }

func newPoint(x, y int) *Point { return &Point{x, y} }

var pointClass = exposed.Register[Point](exposed.ClassOptions{
	Name: "behaviour_service.Point",
	Doc:  "A point on the integer plane.",
	New:  exposed.Func(newPoint, "x", "y"),
	Docs: map[string]string{"Norm1": "Manhattan length."},
	Static: map[string]any{
		"origin": exposed.Func(func() *Point { return &Point{} }).Doc("The point (0, 0)."),
	},
})

// Norm1 is the Manhattan length.
func (p *Point) Norm1() int { return max(p.X, -p.X) + max(p.Y, -p.Y) }

func (p *Point) PyRepr() string              { return fmt.Sprintf("Point(%d, %d)", p.X, p.Y) }
func (p *Point) PyStr() string               { return fmt.Sprintf("<%d;%d>", p.X, p.Y) }
func (p *Point) PyFormat(spec string) string { return fmt.Sprintf("%s|%d|%d", spec, p.X, p.Y) }
func (p *Point) PyHash() int                 { return 1000*p.X + p.Y }
func (p *Point) PyNeg() *Point               { return &Point{-p.X, -p.Y} }
func (p *Point) PyMul(k int) *Point          { return &Point{p.X * k, p.Y * k} }
func (p *Point) PyRMul(k int) *Point         { return p.PyMul(k) }
func (p *Point) PyCall(k int) *Point         { return p.PyMul(k) }
func (p *Point) PyLen() int                  { return 2 }
func (p *Point) PyContains(v any) bool       { return v == any(int64(p.X)) || v == any(int64(p.Y)) }
func (p *Point) PyBool() bool                { return p.X != 0 || p.Y != 0 }
func (p *Point) PyInt() int                  { return p.X + p.Y }
func (p *Point) PyFloat() float64            { return float64(p.PyInt()) }
func (p *Point) PyIndex() int                { return p.PyInt() }

func (p *Point) PyIter() iter.Seq[int] {
	return func(yield func(int) bool) { _ = yield(p.X) && yield(p.Y) }
}

func (p *Point) PyGetItem(i any) (int, error) {
	switch i {
	case int64(0), false, 0.0:
		return p.X, nil
	case int64(1), true, 1.0:
		return p.Y, nil
	}
	return 0, vinegar.IndexError.New("point index out of range")
}

func (p *Point) PyEq(ctx context.Context, o any) (any, error) {
	x, y, ok, err := coordinates(ctx, o)
	if !ok {
		return brine.NotImplemented, err
	}
	return x == p.X && y == p.Y, nil
}

func (p *Point) PyLt(ctx context.Context, o any) (any, error) {
	x, y, ok, err := coordinates(ctx, o)
	if !ok {
		return brine.NotImplemented, err
	}
	return p.X < x || p.X == x && p.Y < y, nil
}

func (p *Point) PyAdd(ctx context.Context, o any) (any, error) {
	x, y, ok, err := coordinates(ctx, o)
	if !ok {
		return brine.NotImplemented, err
	}
	return &Point{p.X + x, p.Y + y}, nil
}

// coordinates reads those of anything that has them, an object of the client's included.
func coordinates(ctx context.Context, o any) (x, y int, ok bool, err error) {
	switch o := o.(type) {
	case *Point:
		return o.X, o.Y, true, nil
	case *Point3:
		return o.X, o.Y, true, nil
	case *netref.Object:
		if x, err = netref.Get[int](ctx, o, "exposed_x"); err == nil {
			y, err = netref.Get[int](ctx, o, "exposed_y")
		}
		if errors.Is(err, vinegar.AttributeError) {
			return 0, 0, false, nil
		}
		return x, y, err == nil, err
	}
	return 0, 0, false, nil
}

// Point3 is a point with a colour.
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

// Gadget is an object with attributes of every visibility.
type Gadget struct {
	exposed.Attrs
	Value any
	n     int
}

var _ = exposed.Register[Gadget](exposed.ClassOptions{
	Name:   "behaviour_service.Gadget",
	Doc:    "An object with attributes of every visibility.",
	Params: map[string][]string{"Describe": {"verbose=False"}},
	Docs:   map[string]string{"Describe": "Describe the gadget.", "plain": "not exposed"},
	Properties: map[string]exposed.Property{
		"counter": {Get: func(g *Gadget) int { g.n++; return g.n }},
		"bad":     {Get: func(*Gadget) (int, error) { return 0, vinegar.ZeroDivisionError.New("division by zero") }},
		"ro":      {Get: func(*Gadget) string { return "read-only" }},
	},
	Hidden: map[string]any{
		"hidden":   "hidden",
		"_private": "private",
		"plain":    func(*Gadget) string { return "plain" },
	},
})

// Describe describes the gadget.
func (g *Gadget) Describe(verbose bool) string {
	word := "False"
	if verbose {
		word = "True"
	}
	return fmt.Sprintf("gadget value=%v verbose=%s", g.Value, word)
}

// Tracked tells when the client has let go of it.
type Tracked struct {
	Name  string
	world *world
}

var _ = exposed.Register[Tracked](exposed.ClassOptions{
	Name: "behaviour_service.Tracked",
	Doc:  "Logs final:<name> when the server drops it.",
})

// PyDrop logs the end of the object.
func (t *Tracked) PyDrop() { t.world.log("final:" + t.Name) }

// Context is a context manager.
type Context struct {
	tag      string
	suppress bool
	world    *world
}

var _ = exposed.Register[Context](exposed.ClassOptions{Name: "behaviour_service.Context", Doc: "A context manager."})

// PyEnter begins the context.
func (c *Context) PyEnter() string {
	c.world.log("enter:" + c.tag)
	return "entered:" + c.tag
}

// PyExit ends the context; exc is what ended it, nil for nothing.
func (c *Context) PyExit(exc any) bool {
	word := "False"
	if exc != nil {
		word = "True"
	}
	c.world.log("exit:" + c.tag + ":" + word)
	return c.suppress
}
