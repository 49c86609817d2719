package exposed

import (
	"cmp"
	"context"
	"reflect"
	"runtime"
	"strings"

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

// functionParts returns what Python can ask of a function: of a *Function, or of a Go func that is exposed as it is.
func functionParts(self any) (name, qual, module, sig string, doc docText) {
	f, ok := self.(*Function)
	if !ok {
		fn := reflect.ValueOf(self)
		if fn.Kind() != reflect.Func || fn.IsNil() {
			return "", "", "", "", docText{}
		}
		name = binding.FuncName(fn)
		p, err := binding.OfFunc(fn)
		if err == nil {
			sig = p.Signature("")
		}
		return name, name, funcModule(fn), sig, docText{}
	}
	name, qual = f.names()
	doc = f.doc
	if f.attr != nil {
		doc = f.attr.doc
	}
	if f.fn.IsValid() {
		module = funcModule(f.fn)
	} else if f.owner != nil {
		module = f.owner.module
	}
	return name, qual, module, f.Signature(), doc
}

// funcModule is the __module__ of a Go func: what [NamePackage] has named its package, or the last element of that.
func funcModule(fn reflect.Value) string {
	rf := runtime.FuncForPC(fn.Pointer())
	if rf == nil {
		return ""
	}
	name := rf.Name()
	last := strings.LastIndexByte(name, '/') + 1
	module, _, _ := strings.Cut(name[last:], ".")
	return cmp.Or(moduleOf(name[:last]+module), module)
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
	c.getter("__name__", func(self any) (any, error) { n, _, _, _, _ := functionParts(self); return n, nil })
	c.getter("__qualname__", func(self any) (any, error) { _, q, _, _, _ := functionParts(self); return q, nil })
	c.getter("__module__", func(self any) (any, error) { _, _, m, _, _ := functionParts(self); return m, nil })
	c.getter("__text_signature__", func(self any) (any, error) { _, _, _, s, _ := functionParts(self); return s, nil })
	c.expose("__text_signature__") // gorpyc's tools tell every peer how a method is called
	c.getter("__doc__", func(self any) (any, error) { _, _, _, _, d := functionParts(self); return d.value(), nil })
	addFunctionAttrs(c)
	c.add(&attr{name: "__call__", qual: "function.__call__", kind: methodAttr, impl: native(callFunc)})
	c.method("__repr__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		_, qual, _, _, _ := functionParts(self)
		return "<function " + qual + " at " + address(self) + ">", nil
	})
}

// builtinFunctionPart is an attribute of a function that [Function.Builtin] has marked.
func builtinFunctionPart(f *Function, name string) (any, error) {
	n, qual, module, sig, doc := functionParts(f)
	switch name {
	case "__name__":
		return n, nil
	case "__qualname__":
		return qual, nil
	case "__doc__":
		return doc.value(), nil
	case "__module__":
		return module, nil
	case "__text_signature__":
		return sig, nil
	case "__self__":
		return nil, nil
	}
	return nil, noAttributeOf(f, builtinMethodClass, name)
}

func defineMethod(c *Class) {
	get := func(name string, f func(m *boundMethod) any) {
		c.getter(name, func(self any) (any, error) {
			switch x := self.(type) {
			case *boundMethod:
				return f(x), nil
			case *Function:
				return builtinFunctionPart(x, name)
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
	c.add(&attr{name: "__call__", qual: "method.__call__", kind: methodAttr,
		impl: native(callItself)})
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
			name, _, _, _, _ := functionParts(self)
			return "<built-in function " + name + ">", nil
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
