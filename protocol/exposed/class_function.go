package exposed

import (
	"cmp"
	"context"
	"fmt"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	_ = show[*Function](perValue)
	_ = showKind(functionClass, func(t reflect.Type) bool { return t.Kind() == reflect.Func && !binding.IsSeq(t) })
	_ = define(functionClass, defineFunction)

	_ = show[*boundMethod](perValue)
	_ = define(methodClass, defineMethod)
	_ = define(methodWrapperClass, defineMethod)
	_ = define(builtinMethodClass, defineMethod)
)

// functionParts are what Python can ask of a function: of a *Function, or of a Go func that is exposed as it is.
var functionParts = map[string]func(f *Function) any{
	"__name__":           func(f *Function) any { name, _ := f.names(); return name },
	"__qualname__":       func(f *Function) any { _, qual := f.names(); return qual },
	"__text_signature__": func(f *Function) any { return f.Signature() },
	"__doc__": func(f *Function) any {
		if f.attr != nil {
			return f.attr.doc.value()
		}
		return f.doc.value()
	},
	"__module__": func(f *Function) any {
		if f.owner != nil {
			return f.owner.module
		}
		return funcModule(f.fn)
	},
}

// functionOf is self, or what stands for it if it is a Go func that is exposed as it is.
func functionOf(self any) (*Function, bool) {
	if f, ok := self.(*Function); ok {
		return f, true
	}
	f := &Function{fn: reflect.ValueOf(self)}
	if f.fn.Kind() != reflect.Func || f.fn.IsNil() {
		return nil, false
	}
	if p, err := binding.OfFunc(f.fn); err == nil {
		f.plan = &p
	}
	return f, true
}

// funcModule is the __module__ of a Go func: what [NamePackage] has named its package, or the last element of that.
func funcModule(fn reflect.Value) string {
	path, name := binding.PackageOf(fn)
	return cmp.Or(moduleOf(path), name)
}

// callItself is the method __call__, which has a method __call__ itself, and so on.
func callItself(ctx context.Context, self any, a *Args) (any, error) {
	ctx, err := Descend(ctx, " while calling a Python object")
	if err != nil {
		return nil, err
	}
	return call(ctx, self, a)
}

func defineFunction(c *Class) {
	function := typed[*Function]{c, functionOf}
	for name, part := range functionParts {
		function.getter(name, part)
	}
	c.expose("__text_signature__") // gorpyc's tools tell every peer how a method is called
	addFunctionAttrs(c)
	c.implement("__call__", callFunc)
	function.method("__repr__", 0, 0, func(_ context.Context, f *Function, self any, _ []any) (any, error) {
		_, qual := f.names()
		return "<function " + qual + " at " + address(self) + ">", nil
	})
}

func defineMethod(c *Class) {
	get := func(name string, f func(m *boundMethod) any) {
		c.getter(name, func(self any) (any, error) {
			switch x := self.(type) {
			case *boundMethod:
				return f(x), nil
			case *Function: // that Function.Builtin has marked
				if part := functionParts[name]; part != nil {
					return part(x), nil
				}
				if name == "__self__" {
					return nil, nil
				}
				return nil, noAttributeOf(x, builtinMethodClass, name)
			}
			return nil, vinegar.TypeError.New("a method is required")
		})
	}
	get("__name__", func(m *boundMethod) any { return m.attr.name })
	get("__qualname__", func(m *boundMethod) any { return m.attr.qual })
	get("__doc__", func(m *boundMethod) any { return m.attr.doc.value() })
	get("__module__", func(m *boundMethod) any { return ClassOf(m.self).module })
	get("__self__", func(m *boundMethod) any { return m.self })
	get("__func__", func(m *boundMethod) any { return &Function{attr: m.attr, owner: ClassOf(m.self)} })
	if c == methodClass {
		addFunctionAttrs(c)
	}
	get("__text_signature__", func(m *boundMethod) any {
		if p, ok := m.attr.impl.(*binding.Plan); ok {
			return p.Signature("")
		}
		return nil
	})
	c.expose("__text_signature__")
	c.implement("__call__", callItself)
	c.method("__eq__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		if _, ok := args[0].(*boundMethod); !ok {
			return brine.NotImplemented, nil
		}
		m, ok := self.(*boundMethod)
		return ok && m.equals(args[0]), nil
	})
	c.method("__hash__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		m, ok := self.(*boundMethod)
		if !ok {
			return pyvalue.HashOf(self), nil
		}
		key, ok := Identity(m.self)
		if !ok {
			key = nil
		}
		return pyvalue.HashOf([2]any{key, m.attr}), nil
	})
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		m, ok := self.(*boundMethod)
		if !ok {
			return fmt.Sprintf("<built-in function %v>", functionParts["__name__"](self.(*Function))), nil
		}
		of := " of " + TypeName(m.self) + " object at " + address(m.self) + ">"
		switch m.class() {
		case methodWrapperClass:
			return "<method-wrapper '" + m.attr.name + "'" + of, nil
		case builtinMethodClass:
			return "<built-in method " + m.attr.name + of, nil
		}
		r, err := reprValue(ctx, m.self)
		return "<bound method " + m.attr.qual + " of " + r + ">", err
	})
}
