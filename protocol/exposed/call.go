package exposed

import (
	"context"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Call calls v: a func, a method, a class, or an object with a method PyCall. Anything else is a TypeError.
func Call(ctx context.Context, v any, args *Args) (r any, err error) {
	defer protect(&err)
	return call(ctx, norm(v), args)
}

// call is Call for a value in the form of [ByValue].
func call(ctx context.Context, v any, args *Args) (any, error) {
	switch f := v.(type) {
	case *boundMethod:
		return f.attr.invoke(ctx, f.self, args)
	case *Function:
		return f.call(ctx, args)
	case *Class:
		return f.instantiate(ctx, args)
	case *netref.Object:
		return remoteCall(ctx, f, args)
	}
	if a := ClassOf(v).flat["__call__"]; a != nil {
		return a.invoke(ctx, v, args)
	}
	return nil, vinegar.TypeError.Errorf("'%s' object is not callable", TypeName(v))
}

// callFunc is the __call__ of functions: self is a *Function, or a Go func that is exposed as it is.
func callFunc(ctx context.Context, self any, args *Args) (any, error) {
	if f, ok := self.(*Function); ok { // which can be the __call__ of functions again
		ctx, err := Descend(ctx, " while calling a Python object")
		if err != nil {
			return nil, err
		}
		return f.call(ctx, args)
	}
	fn := reflect.ValueOf(self)
	if f := describedFunc(fn); f != nil {
		return f.call(ctx, args)
	}
	p, err := binding.OfFunc(fn)
	if err != nil {
		return nil, err
	}
	return p.Call(ctx, nil, args)
}

// CallAttr calls the attribute of v that a peer asks for: GetAttr and Call in one, without an object for the method.
func CallAttr(ctx context.Context, p *Policy, v, name any, args *Args) (r any, err error) {
	defer protect(&err)
	v, n, err := p.admit(ctx, UseGet, v, name)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case *netref.Object:
		return remoteCallAttr(ctx, p, x, n, args)
	case AttrGetter:
		f, err := x.PyGetAttr(ctx, n)
		if err != nil {
			return nil, err
		}
		return call(ctx, norm(f), args)
	case *Class:
		a, err := x.lookup(p, n)
		if err != nil {
			return nil, err
		}
		f, err := a.getFromClass(ctx, x)
		if err != nil {
			return nil, err
		}
		return call(ctx, norm(f), args)
	}
	c := ClassOf(v)
	if p.isDefault() { // then the class has a table of what each name means
		if a := c.open[n]; a != nil && (attrsOf(v) == nil || a.kind == propertyAttr) {
			if err := a.probe(ctx, p, v, n); err != nil {
				return nil, err
			}
			return a.invoke(ctx, v, args)
		}
	}
	a, value, err := lookup(p, v, c, n)
	switch {
	case err != nil:
		return nil, err
	case a == nil:
		return call(ctx, norm(value), args)
	}
	if err := a.probe(ctx, p, v, n); err != nil {
		return nil, err
	}
	return a.invoke(ctx, v, args)
}

func (c *Class) instantiate(ctx context.Context, args *Args) (any, error) {
	switch {
	case c.construct != nil:
		return c.construct.Call(ctx, nil, args)
	case c.factory != nil:
		return c.factory.Call(ctx, nil, args)
	case c.exception != nil:
		pos, err := binding.BuiltinArgs(args, c.name, c.name, 0, 1<<16)
		if err != nil {
			return nil, err
		}
		e := c.exception.New(pos...)
		return e, quota.Pay(ctx, e, quota.WeightOf(pos))
	case c == typeClass:
		pos, err := binding.BuiltinArgs(args, "type", "type", 1, 1)
		if err != nil {
			return nil, err
		}
		return ClassOf(norm(pos[0])), nil
	}
	return nil, vinegar.TypeError.Errorf("cannot create '%s' instances", strings.TrimPrefix(c.Name(), "builtins."))
}

func (f *Function) call(ctx context.Context, args *Args) (any, error) {
	if f.attr == nil {
		if f.plan == nil {
			return nil, vinegar.TypeError.New("a method was called without its object")
		}
		return f.plan.Call(ctx, nil, args)
	}
	pos, kw, err := args.Both()
	if err != nil {
		return nil, err
	}
	if len(pos) == 0 {
		return nil, vinegar.TypeError.Errorf("%s() missing 1 required positional argument: 'self'", f.attr.qual)
	}
	self, _ := ByValue(pos[0])
	if f.owner.goType == nil && !ClassOf(self).IsSubclass(f.owner) { // a builtin class
		return nil, vinegar.TypeError.Errorf("descriptor '%s' for '%s' objects doesn't apply to a '%s' object",
			f.attr.name, f.owner.name, TypeName(self))
	}
	return f.attr.impl.Call(ctx, self, NewArgs(pos[1:], kw))
}

// GoValue returns the method as a Go func, if it is one.
func (m *boundMethod) GoValue() any {
	if m.attr.goName != "" {
		if f := reflect.ValueOf(m.self).MethodByName(m.attr.goName); f.IsValid() {
			return f.Interface()
		}
	}
	return func(ctx context.Context, args ...any) (any, error) {
		return Call(ctx, m, NewArgs(args, nil))
	}
}
