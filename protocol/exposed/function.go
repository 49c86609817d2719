package exposed

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Function is a Go func with what Python functions know besides: names and defaults of parameters, a documentation
// string, a name. [Func] makes one.
type Function struct {
	plan   *binding.Plan
	fn     reflect.Value
	params []string
	doc    docText
	attr   *attr // for a method read from its class: to be called with the object
	owner  *Class
}

// Func declares the parameters of a Go func, so that Python can pass arguments by keyword and leave out those with
// defaults. Each parameter, a leading context.Context excepted, gets a declaration:
//
//	"a"       a parameter, to be passed by position or keyword
//	"b='x'"   one with a default: None, True, False, a number, a str, bytes or a tuple, written as in Python
//	"/"       the parameters before it are positional-only
//	"*args"   takes the other positional arguments; the Go parameter is variadic or a slice
//	"*"       the parameters after it are keyword-only, as are those after "*args"
//	"**kw"    takes the other keyword arguments; a []netref.Keyword, in the order given, or a map
//
// A last parameter that is a struct may be left undeclared: its exported fields are keyword-only parameters, with
// defaults from the tag `default:"…"` (a Python literal) or their zero values.
//
// Func panics if the declaration does not fit f, a mistake in the program. Without declarations a func takes its
// arguments by position only, as a func that is exposed as it is.
func Func(f any, params ...string) *Function {
	fn := reflect.ValueOf(f)
	if len(params) == 0 && !takesArguments(fn) {
		params = []string{}
	}
	r := &Function{fn: fn, params: params}
	r.named(funcNameOf(fn))
	return r
}

// takesArguments reports whether fn has parameters besides a context.
func takesArguments(fn reflect.Value) bool {
	if fn.Kind() != reflect.Func {
		return false
	}
	n := fn.Type().NumIn()
	return n > 1 || n == 1 && fn.Type().In(0) != contextType
}

func funcNameOf(fn reflect.Value) string {
	if fn.Kind() != reflect.Func || fn.IsNil() {
		return "function"
	}
	return binding.FuncName(fn)
}

func (f *Function) named(name string) {
	// As a method a declared func lacks a declaration for the object; it is laid over the parameters again there.
	p, err := binding.New(f.fn, binding.Options{Name: name, Qual: name, Params: f.params})
	if err != nil {
		_, methodErr := binding.New(f.fn, binding.Options{Name: name, Qual: name, Params: f.params, Method: true})
		if methodErr != nil || !couldBeMethod(f.fn.Type()) {
			panic(err)
		}
	}
	f.plan = p
}

// couldBeMethod reports whether a func's first parameter may be the object of a registered type.
func couldBeMethod(t reflect.Type) bool {
	if t.NumIn() == 0 {
		return false
	}
	recv := t.In(0)
	if recv.Kind() == reflect.Pointer {
		recv = recv.Elem()
	}
	return recv.PkgPath() != "" && recv.Kind() != reflect.Interface
}

// Doc sets the documentation string and returns f. It is to be called before f is exposed.
func (f *Function) Doc(text string) *Function {
	f.doc = docText{text, true}
	return f
}

// Named sets the function's name, which is that of the Go func without it, and returns f. It is to be called before f
// is exposed.
func (f *Function) Named(name string) *Function {
	f.named(name)
	return f
}

// Signature returns the parameter list as Python writes it, such as "(a, b=1, *, c)".
func (f *Function) Signature() string {
	if p := f.impl(); p != nil {
		return p.Signature(p.Self())
	}
	return "(...)"
}

// GoValue returns the Go func.
func (f *Function) GoValue() any {
	if f.fn.IsValid() {
		return f.fn.Interface()
	}
	return f
}

func (f *Function) impl() *binding.Plan {
	if f.attr != nil {
		p, _ := f.attr.impl.(*binding.Plan)
		return p
	}
	return f.plan
}

func (f *Function) call(ctx context.Context, args *Args) (any, error) {
	if f.attr == nil {
		if f.plan == nil {
			return nil, vinegar.TypeError.New("a method was called without its object")
		}
		return f.plan.Call(ctx, nil, args)
	}
	pos, err := args.Positional()
	if err != nil {
		return nil, err
	}
	if len(pos) == 0 {
		return nil, vinegar.TypeError.Errorf("%s() missing 1 required positional argument: 'self'", f.attr.qual)
	}
	kw, err := args.Keywords()
	if err != nil {
		return nil, err
	}
	self, _ := ByValue(pos[0])
	if _, builtin := f.attr.impl.(native); builtin && !ClassOf(self).IsSubclass(f.owner) {
		return nil, vinegar.TypeError.Errorf("descriptor '%s' for '%s' objects doesn't apply to a '%s' object",
			f.attr.name, f.owner.name, TypeName(self))
	}
	return f.attr.impl.Call(ctx, self, NewArgs(pos[1:], kw))
}

func (f *Function) names() (name, qual string) {
	if f.attr != nil {
		return f.attr.name, f.attr.qual
	}
	if f.plan == nil {
		return "function", "function"
	}
	return f.plan.Name(), f.plan.QualName()
}

// boundMethod is a method together with its object. Every read of a method makes a new one; they are equal if both
// parts are.
type boundMethod struct {
	self any
	attr *attr
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

// class is CPython's: methods of builtin types have classes of their own.
func (m *boundMethod) class() *Class {
	switch _, builtin := m.attr.impl.(native); {
	case !builtin:
		return methodClass
	case binding.IsWrapper(m.attr.qual, m.attr.name):
		return methodWrapperClass
	}
	return builtinMethodClass
}

func (m *boundMethod) equals(other any) bool {
	o, ok := other.(*boundMethod)
	return ok && o.attr == m.attr && same(o.self, m.self)
}

// Call calls v: a func, a method, a class, or an object with a method PyCall. Anything else is a TypeError.
func Call(ctx context.Context, v any, args *Args) (r any, err error) {
	defer protect(&err)
	return call(ctx, norm(v), args)
}

func call(ctx context.Context, v any, args *Args) (any, error) {
	switch f := v.(type) {
	case *boundMethod:
		return f.attr.invoke(ctx, f.self, args)
	case *Function:
		return f.call(ctx, args)
	case *Class:
		return f.instantiate(ctx, args)
	case *vinegar.Class:
		return classOfException(f).instantiate(ctx, args)
	case *netref.Object:
		return remoteCall(ctx, f, args)
	}
	c := ClassOf(v)
	if c == functionClass {
		if f := describedFunc(reflect.ValueOf(v)); f != nil {
			return f.call(ctx, args)
		}
		p, err := binding.OfFunc(reflect.ValueOf(v))
		if err != nil {
			return nil, err
		}
		return p.Call(ctx, nil, args)
	}
	if a := c.flat["__call__"]; a != nil {
		return a.invoke(ctx, v, args)
	}
	return nil, vinegar.TypeError.Errorf("'%s' object is not callable", TypeName(v))
}

// CallAttr calls the attribute of v that a peer asks for: GetAttr and Call in one, without an object for the method.
func CallAttr(ctx context.Context, p *Policy, v, name any, args *Args) (r any, err error) {
	defer protect(&err)
	n, err := attrName(name)
	if err != nil {
		return nil, err
	}
	v = norm(v)
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
	if p.isDefault() {
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
		return c.exception.New(pos...), nil
	case c == typeClass:
		pos, err := binding.BuiltinArgs(args, "type", "type", 1, 1)
		if err != nil {
			return nil, err
		}
		return ClassOf(norm(pos[0])), nil
	}
	return nil, vinegar.TypeError.Errorf("cannot create '%s' instances", strings.TrimPrefix(c.Name(), "builtins."))
}

// assignTo converts a value that is not an argument: an item or an attribute.
func assignTo(ctx context.Context, dst reflect.Value, v any, what string) error {
	err := netref.Assign(ctx, dst, v)
	var ce *netref.ConvertError
	if !errors.As(err, &ce) {
		return err
	}
	if ce.Reason == "out of range" {
		return vinegar.OverflowError.Errorf("%s: int out of range for Go type %v", what, ce.To)
	}
	path := ""
	if ce.Path != "" {
		path = fmt.Sprintf(" at %s", ce.Path)
	}
	return vinegar.TypeError.Errorf("%s%s must be %s, not %s", what, path, binding.Wanted(ce.To), TypeName(v))
}
