// Package registered describes its types by hand.
package registered

import (
	"context"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

const module = "shapes."

// Service is what Python connects to.
type Service struct{ Size int }

// Greet says hello.
func (*Service) Greet(ctx context.Context, name, greeting, punct string) string { return "" }

// Shape takes anything.
func (*Service) Shape(args []any, kwargs map[string]any) error { return nil }

// Secret is for Go.
func (*Service) Secret() {}

var _ = exposed.Register[Service](exposed.ClassOptions{
	Name:    module + "ShapeService",
	Doc:     "Makes shapes.",
	Service: true,
	Private: []string{"Secret"},
	Params: map[string][]string{
		"Greet": {"name", "greeting='Hello'", "*", "punct='!'"},
		"Shape": {"*args", "**kwargs"},
	},
	Docs:   map[string]string{"Greet": "Greet somebody."},
	Static: map[string]any{"Point": pointClass, "Point3": point3Class, "double": Double, "answer": 42},
})

// Double doubles.
func Double(n int) int { return 2 * n }

// Point is a point.
type Point struct{ x, y int }

// Norm1 is a length.
func (p *Point) Norm1() int { return p.x + p.y }

func newPoint(x, y int) *Point { return &Point{x, y} }

var pointClass = exposed.Register[Point](exposed.ClassOptions{
	New: exposed.Func(newPoint, "x", "y=0"),
	Static: map[string]any{
		"origin": exposed.Func(func() *Point { return newPoint(0, 0) }).Doc("The point (0, 0)."),
	},
	Methods:    map[string]any{"scaled": exposed.Func(func(p *Point, by float64) *Point { return p }, "by")},
	Properties: map[string]exposed.Property{"left": {Get: func(p *Point) (int, error) { return p.x, nil }, Doc: "The x."}},
})

// Point3 has a colour.
type Point3 struct {
	Point
	Colour string
}

var point3Class = exposed.Register[Point3](exposed.ClassOptions{
	Bases: []*exposed.Class{pointClass},
	New:   exposed.Func(func(x, y int, colour string) *Point3 { return nil }, "x", "y", "colour='red'"),
})
