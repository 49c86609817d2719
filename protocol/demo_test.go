package protocol_test

import (
	"context"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// demo is the service that the recorded servers offer, as far as edge cases ask for it.
type demo struct {
	Value int
	Kept  *exposed.List `rpyc:"kept,readonly"`
}

var (
	_ = exposed.Register[demo](exposed.ClassOptions{
		Name: "__main__.DemoService", Service: true,
		Static: map[string]any{"Point": demoPointClass},
		Params: map[string][]string{
			"Add": {"a", "b"}, "Echo": {"*args", "**kwargs"}, "Identity": {"x"}, "Call": {"f", "x"}, "Blob": {"n"},
		},
	})
	demoPointClass = exposed.Register[demoPoint](exposed.ClassOptions{
		Name: "__main__.Point", New: func(x, y int) *demoPoint { return &demoPoint{x, y} },
	})
	_ = exposed.Register[demoCtx](exposed.ClassOptions{Name: "__main__.Ctx"})
)

func newDemo() *demo { return &demo{Value: 17, Kept: exposed.NewList(1, 2, 3)} }

func (*demo) Add(ctx context.Context, a, b any) (any, error) {
	return exposed.Operate(ctx, "__add__", a, b)
}

func (*demo) Echo(args []any, kwargs []netref.Keyword) brine.Tuple {
	slices.SortFunc(kwargs, func(a, b netref.Keyword) int { return strings.Compare(a.Name, b.Name) })
	pairs := brine.Tuple{}
	for _, k := range kwargs {
		pairs = append(pairs, brine.Tuple{k.Name, k.Value})
	}
	return brine.Tuple{brine.Tuple(args), pairs}
}

func (*demo) Identity(x any) any { return x }

func (*demo) Call(ctx context.Context, f *netref.Object, x any) (any, error) { return f.Call(ctx, x) }

func (*demo) Blob(n int) []byte { return []byte(strings.Repeat("z", n)) }

func (*demo) Ctx() *demoCtx { return &demoCtx{} }

type demoPoint struct{ X, Y int }

type demoCtx struct{}

func (*demoCtx) PyEnter() string { return "entered" }

func (*demoCtx) PyExit(err error) bool { return false }
