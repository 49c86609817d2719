package exposed

import (
	"context"
	"reflect"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// Args are the arguments of one call, for [Call] and [CallAttr]. The zero value is a call without arguments; [NewArgs]
// takes decoded ones, and [CallArgs] what a request carries. An Args is for one call and one goroutine.
type Args = binding.Args

// NewArgs returns decoded arguments. It keeps the slices.
func NewArgs(pos []any, kw []netref.Keyword) *Args { return binding.NewArgs(pos, kw) }

// CallArgs makes arguments of the decoded values that a request carries, which may be anything iterable, an object of
// the other end or one of ours (Python's f(*pos, **dict(kw))).
func CallArgs(ctx context.Context, pos, kw any) (*Args, error) {
	if !iterable(pos) {
		return nil, binding.NotSpreadable(pos)
	}
	p, err := items(ctx, pos)
	if err != nil {
		return nil, err
	}
	k, err := keywords(ctx, kw)
	return NewArgs(p, k), err
}

// keywords is dict(v) with the names checked as f(**d) does.
func keywords(ctx context.Context, v any) ([]netref.Keyword, error) {
	if kw, ok := binding.KeywordPairs(v); ok {
		return kw, nil
	}
	d := new(Dict)
	if err := updateDict(ctx, d, v); err != nil {
		return nil, err
	}
	kw := make([]netref.Keyword, 0, d.live)
	for _, e := range d.entries {
		name, ok := e.key.(string)
		if !ok || !utf8.ValidString(name) {
			return nil, binding.KeywordsMustBeStrings()
		}
		kw = append(kw, netref.Keyword{Name: name, Value: e.value})
	}
	return kw, nil
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

func init() { binding.SetModel(bindingModel{}) }

// bindingModel tells the binding of arguments what it needs to know of the object model.
type bindingModel struct{}

func (bindingModel) TypeName(v any) string           { return TypeName(v) }
func (bindingModel) ClassName(t reflect.Type) string { return classOfType(t).name }
func (bindingModel) Registered(t reflect.Type) bool  { return registered(t) }
func (bindingModel) Generator(seq reflect.Value, name string) any {
	g := newGenerator(seq)
	g.name = name
	return g
}

func (bindingModel) Embedded(self any, base reflect.Type) ([]int, bool) {
	index, ok := ClassOf(self).embedded[base]
	return index, ok
}
