package exposed

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
)

// Dir is Python's dir(v) under the policy p, whose prefix counts; nil means RPyC's defaults: the real names of the
// attributes, sorted. Fields of structs are attributes of objects and not of their class. The names are those that a
// PyDir method returns if the object has one.
func Dir(ctx context.Context, p *Policy, v any) (names []string, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Dir(ctx)
	}
	c, ofClass := v.(*Class)
	if !ofClass {
		c = ClassOf(v)
		if a := c.flat["__dir__"]; a != objectClass.flat["__dir__"] {
			return customDir(ctx, v, a)
		}
	}
	return slices.Sorted(maps.Keys(c.names(p, v, ofClass))), nil
}

func customDir(ctx context.Context, v any, a *attr) ([]string, error) {
	r, err := a.invoke(ctx, v, &Args{})
	if err != nil {
		return nil, err
	}
	names, err := netref.As[[]string](ctx, r)
	if all, ok := norm(r).(interface{ GoValue() any }); err != nil && ok {
		return netref.As[[]string](ctx, all.GoValue())
	}
	slices.Sort(names)
	return names, err
}

// Methods lists the methods of v's class, special ones included, as INSPECT reports them: no data attributes, and no
// names that proxies answer themselves. For a class it lists its own and those that all classes have. For an object of
// another peer it is empty: that peer has to be asked. The prefix of p counts; nil means RPyC's defaults.
func Methods(p *Policy, v any) []Method {
	v = norm(v)
	switch x := v.(type) {
	case *netref.Object:
		return nil
	case *Class:
		return routines(p, x.meta(), x)
	}
	c := ClassOf(v)
	switch {
	case p.prefix() != DefaultPrefix && c.service.Load():
		return routines(p, c, serviceClass)
	case p.prefix() != DefaultPrefix:
		return routines(p, c)
	case c.service.Load():
		c.inspectService.Do(func() { c.serviceMethods = routines(nil, c, serviceClass) })
		return slices.Clone(c.serviceMethods)
	}
	c.inspect.Do(func() { c.methods = routines(nil, c) })
	return slices.Clone(c.methods)
}

// routines lists the methods of the classes; later classes take precedence.
func routines(p *Policy, classes ...*Class) []Method {
	found := map[string]Method{}
	for _, c := range classes {
		for _, m := range slices.Backward(c.mro) {
			for n, a := range m.own {
				n = a.listedAs(n, p)
				delete(found, n)
				if !names.Local[n] && a.isRoutine() {
					found[n] = Method{n, a.docOf().text, a.docOf().set}
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Method) int { return cmp.Compare(a.Name, b.Name) })
}

func (a *attr) isRoutine() bool {
	_, function := a.value.(*Function)
	return a.kind == methodAttr || function
}

func (a *attr) docOf() docText {
	if f, ok := a.value.(*Function); ok {
		return f.doc
	}
	return a.doc
}
