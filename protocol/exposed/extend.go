package exposed

import (
	"context"
	"fmt"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Extension is what [Class.Extend] adds to a builtin class.
type Extension struct {
	// Methods has methods by their Python names: a [Native], or a *[Function] whose first parameter is the object.
	Methods map[string]any
	// New makes the class callable: a [Native], whose self is nil, or a *[Function]. nil leaves it as it is.
	New any
}

// Native is a function in the manner of those that CPython writes in C: it takes between Least and Most arguments, by
// position only, and a call that does not fit fails in CPython's words for these. Call gets the object in the form of
// [ByValue] and the arguments as they came.
type Native struct {
	Least, Most int
	Call        func(ctx context.Context, self any, args []any) (any, error)
}

// Extend adds to a class that [Builtin] returned. A peer of a service holds text and numbers itself and never asks for
// their methods; a classic server hands the classes out and runs programs that use them. What the class has already is
// kept. Extend is to be called from an init function, as classes must not change while connections use them, and
// panics if a method does not fit. Types that were registered before are left as they are.
func (c *Class) Extend(e Extension) {
	for name, m := range e.Methods {
		switch m := m.(type) {
		case Native:
			c.method(name, m.Least, m.Most, m.Call)
		case *Function:
			p, doc, err := c.planOf(m, name, true)
			if err != nil {
				panic(fmt.Errorf("exposed: %s.%s: %w", c.name, name, err))
			}
			c.add(&attr{name: name, qual: c.name + "." + name, kind: methodAttr, doc: doc, impl: p})
		default:
			panic(fmt.Sprintf("exposed: %s.%s: neither a Native nor a *Function but a %T", c.name, name, m))
		}
	}
	switch m := e.New.(type) {
	case nil:
	case Native:
		c.makes(m)
	case *Function:
		p, err := binding.New(m.fn, binding.Options{Name: c.name, Qual: c.name + ".__init__", Params: m.params})
		if err != nil {
			panic(fmt.Errorf("exposed: %s: %w", c.name, err))
		}
		c.construct = p
	default:
		panic(fmt.Sprintf("exposed: %s: neither a Native nor a *Function but a %T", c.name, m))
	}
	for _, b := range builtinClasses {
		if b.IsSubclass(c) {
			b.seal()
		}
	}
}

// makes lets a builtin class be called: n makes its instances.
func (c *Class) makes(n Native) {
	c.factory = native(func(ctx context.Context, _ any, a *Args) (any, error) {
		args, err := binding.BuiltinArgs(a, c.name, c.name, n.Least, n.Most)
		if err != nil {
			return nil, err
		}
		return n.Call(ctx, nil, args)
	})
}

// Builtin returns the class of that name in Python's module builtins: "int", "list", "ValueError". It knows the classes
// that Go values appear as and the builtin exceptions, by their older names too.
func Builtin(name string) (*Class, bool) {
	for _, c := range builtinClasses {
		if c.module == "builtins" && c.name == name {
			return c, true
		}
	}
	if e, ok := vinegar.Lookup("builtins", name); ok {
		return classOfException(e), true
	}
	return nil, false
}
