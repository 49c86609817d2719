package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Point is a point whose coordinates are whatever the client gave, so that what can be done with it is as open as in
// Python.
type Point struct {
	exposed.Attrs
	X, Y any
}

func newPoint(x, y any) *Point { return &Point{X: x, Y: y} }

var pointClass = exposed.Register[Point](exposed.ClassOptions{
	Name: "behaviour_service.Point",
	Doc:  "A point on the integer plane.",
	New:  exposed.Func(newPoint, "x", "y"),
	Docs: map[string]string{"Norm1": "Manhattan length."},
	Params: map[string][]string{
		"PyMul": {"k"}, "PyRMul": {"k"}, "PyCall": {"k"}, "PyGetItem": {"i"}, "PyContains": {"v"}, "PyFormat": {"spec"},
		"PyEq": {"o"}, "PyLt": {"o"}, "PyAdd": {"o"},
	},
	Static: map[string]any{
		"origin": exposed.Func(func() *Point { return newPoint(0, 0) }).Doc("The point (0, 0)."),
	},
})

// Point3 is a point with a colour.
type Point3 struct {
	Point
	Colour any
}

var point3Class = exposed.Register[Point3](exposed.ClassOptions{
	Name:  "behaviour_service.Point3",
	Doc:   "A point with a colour.",
	Bases: []*exposed.Class{pointClass},
	New: exposed.Func(func(x, y, colour any) *Point3 {
		return &Point3{Point: Point{X: x, Y: y}, Colour: colour}
	}, "x", "y", "colour='red'"),
})

func (p *Point) pair() brine.Tuple { return brine.Tuple{p.X, p.Y} }

// each makes a point of what f makes of the coordinates.
func (p *Point) each(f func(c any) (any, error)) (*Point, error) {
	x, err := f(p.X)
	if err != nil {
		return nil, err
	}
	y, err := f(p.Y)
	return newPoint(x, y), err
}

func abs(ctx context.Context, v any) (any, error) {
	return exposed.CallAttr(ctx, nil, v, "__abs__", exposed.NewArgs(nil, nil))
}

// Norm1 is the Manhattan length.
func (p *Point) Norm1(ctx context.Context) (any, error) {
	q, err := p.each(func(c any) (any, error) { return abs(ctx, c) })
	if err != nil {
		return nil, err
	}
	return q.PyInt(ctx)
}

// PyRepr is repr().
func (p *Point) PyRepr(ctx context.Context) (string, error) { return p.show(ctx, "Point(%s, %s)") }

// PyStr is str().
func (p *Point) PyStr(ctx context.Context) (string, error) { return p.show(ctx, "<%s;%s>") }

// PyFormat is format().
func (p *Point) PyFormat(ctx context.Context, spec string) (string, error) {
	s, err := p.show(ctx, "|%s|%s")
	return spec + s, err
}

func (p *Point) show(ctx context.Context, form string) (string, error) {
	x, err := exposed.Str(ctx, p.X)
	if err != nil {
		return "", err
	}
	y, err := exposed.Str(ctx, p.Y)
	return fmt.Sprintf(form, x, y), err
}

// PyHash is hash().
func (p *Point) PyHash(ctx context.Context) (any, error) {
	x, err := exposed.Operate(ctx, "__mul__", 1000, p.X)
	if err != nil {
		return nil, err
	}
	return exposed.Operate(ctx, "__add__", x, p.Y)
}

// PyNeg is the unary minus.
func (p *Point) PyNeg(ctx context.Context) (*Point, error) { return p.PyMul(ctx, -1) }

// PyMul is p * k.
func (p *Point) PyMul(ctx context.Context, k any) (*Point, error) {
	return p.each(func(c any) (any, error) { return exposed.Operate(ctx, "__mul__", c, k) })
}

// PyRMul is k * p.
func (p *Point) PyRMul(ctx context.Context, k any) (*Point, error) { return p.PyMul(ctx, k) }

// PyCall is p(k).
func (p *Point) PyCall(ctx context.Context, k any) (*Point, error) { return p.PyMul(ctx, k) }

// PyLen is len().
func (p *Point) PyLen() int { return 2 }

// PyBool is bool().
func (p *Point) PyBool(ctx context.Context) (bool, error) {
	origin, err := exposed.Equal(ctx, p.pair(), brine.Tuple{0, 0})
	return !origin, err
}

// PyInt is int().
func (p *Point) PyInt(ctx context.Context) (any, error) {
	return exposed.Operate(ctx, "__add__", p.X, p.Y)
}

// PyIndex is operator.index().
func (p *Point) PyIndex(ctx context.Context) (any, error) { return p.PyInt(ctx) }

// PyFloat is float().
func (p *Point) PyFloat(ctx context.Context) (float64, error) {
	sum, err := p.PyInt(ctx)
	if err != nil {
		return 0, err
	}
	return netref.As[float64](ctx, sum)
}

// PyIter is iter().
func (p *Point) PyIter(ctx context.Context) (any, error) { return exposed.Iter(ctx, p.pair()) }

// PyGetItem is p[i].
func (p *Point) PyGetItem(ctx context.Context, i any) (any, error) {
	for n, c := range p.pair() {
		if same, err := exposed.Equal(ctx, i, n); same || err != nil {
			return c, err
		}
	}
	return nil, vinegar.IndexError.New("point index out of range")
}

// PyContains is v in p.
func (p *Point) PyContains(ctx context.Context, v any) (bool, error) {
	return exposed.Contains(ctx, p.pair(), v)
}

// PyEq is p == o.
func (p *Point) PyEq(ctx context.Context, o any) (any, error) { return p.compare(ctx, "__eq__", o) }

// PyLt is p < o.
func (p *Point) PyLt(ctx context.Context, o any) (any, error) { return p.compare(ctx, "__lt__", o) }

func (p *Point) compare(ctx context.Context, op string, o any) (any, error) {
	other, err := coordinates(ctx, o)
	if other == nil || err != nil {
		return brine.NotImplemented, err
	}
	return exposed.Operate(ctx, op, p.pair(), other)
}

// PyAdd is p + o.
func (p *Point) PyAdd(ctx context.Context, o any) (any, error) {
	other, err := coordinates(ctx, o)
	if other == nil || err != nil {
		return brine.NotImplemented, err
	}
	x, err := exposed.Operate(ctx, "__add__", p.X, other[0])
	if err != nil {
		return nil, err
	}
	y, err := exposed.Operate(ctx, "__add__", p.Y, other[1])
	return newPoint(x, y), err
}

// coordinates reads those of anything that has them, an object of the client's included; nil if it has none.
func coordinates(ctx context.Context, o any) (brine.Tuple, error) {
	switch o := o.(type) {
	case *Point:
		return o.pair(), nil
	case *Point3:
		return o.pair(), nil
	case *netref.Object:
		x, err := o.Get(ctx, "exposed_x")
		if err == nil {
			var y any
			if y, err = o.Get(ctx, "exposed_y"); err == nil {
				return brine.Tuple{x, y}, nil
			}
		}
		if !errors.Is(err, vinegar.AttributeError) {
			return nil, err
		}
	}
	return nil, nil
}
