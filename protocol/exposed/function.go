package exposed

import (
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Function is a Go func with what Python functions know besides: names and defaults of parameters, a documentation
// string, a name. [Func] makes one.
//
// A method that is read from its class is one as well, to be called with the object as the first argument.
type Function struct {
	plan   *binding.Plan // nil for methods, and for declared funcs that fit as methods alone
	fn     reflect.Value // invalid for methods
	params []string      // as declared, nil if they were not
	doc    docText
	given  string // by Named
	attr   *attr  // of a method
	owner  *Class // of a method: the class that it was read from
	// builtin: it is of the class builtin_function_or_method
	builtin bool
}

// Builtin makes f what functions that CPython writes in C are, by which inspect.isbuiltin and help tell them, and
// returns f. It is to be called before f is exposed.
func (f *Function) Builtin() *Function {
	f.builtin = true
	return f
}

func (f *Function) class() *Class {
	if f.builtin {
		return builtinMethodClass
	}
	return functionClass
}

// The classes of funcs and methods. Methods of builtin types have classes of their own, as in CPython.
var (
	functionClass      = builtin("builtins.function", objectClass)
	methodClass        = builtin("builtins.method", objectClass)
	methodWrapperClass = builtin("builtins.method-wrapper", objectClass)
	builtinMethodClass = builtin("builtins.builtin_function_or_method", objectClass)
)

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
	if len(params) == 0 && !binding.TakesArguments(fn) {
		params = []string{}
	}
	r := &Function{fn: fn, params: params}
	r.named(funcNameOf(fn))
	return r
}

func funcNameOf(fn reflect.Value) string {
	if fn.Kind() != reflect.Func || fn.IsNil() {
		return "function"
	}
	return binding.FuncName(fn)
}

// named makes the plan, which carries the name.
func (f *Function) named(name string) {
	// A func for ClassOptions.Methods has one Go parameter more than declarations: the object. It cannot be called as a
	// function, and a plan of it as a method is made when its class is.
	p, err := binding.New(f.fn, binding.Options{Name: name, Qual: name, Params: f.params})
	if err != nil {
		_, methodErr := binding.New(f.fn, binding.Options{Name: name, Qual: name, Params: f.params, Method: true})
		if methodErr != nil || !binding.CouldBeMethod(f.fn.Type(), f.params) {
			panic(err)
		}
	}
	f.plan = p
}

// Doc sets the documentation string and returns f. It is to be called before f is exposed.
func (f *Function) Doc(text string) *Function {
	f.doc = docText{text, true}
	return f
}

// Named sets the function's name, which is that of the Go func without it, and returns f. It is to be called before f
// is exposed. In ClassOptions it is what TypeErrors call the func or, with a dot in it, also its class: a constructor
// that Python has from a base is Named("Base.__init__").
func (f *Function) Named(name string) *Function {
	f.named(name)
	f.given = name
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

// impl returns how to call the Go func or method; nil for methods that this package implements.
func (f *Function) impl() *binding.Plan {
	if f.attr != nil {
		p, _ := f.attr.impl.(*binding.Plan)
		return p
	}
	return f.plan
}

func (f *Function) names() (name, qual string) {
	if f.attr != nil {
		return f.attr.name, f.attr.qual
	}
	if f.plan == nil {
		name := funcNameOf(f.fn)
		return name, name
	}
	return f.plan.Name(), f.plan.QualName()
}

// boundMethod is a method together with its object. Every read of a method makes a new one; they are equal if both
// parts are.
type boundMethod struct {
	self any
	attr *attr
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

func noAttribute(c *Class, name string) error {
	if c == methodClass {
		c = functionClass // a method passes the question on to its function
	}
	class := c.name
	switch c.module {
	case "datetime", "time", "numpy": // which are written in C, where a class's name has its module
		class = c.Name()
	}
	return vinegar.AttributeError.Errorf("'%s' object has no attribute '%s'", class, name)
}
