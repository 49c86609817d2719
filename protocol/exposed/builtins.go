package exposed

import (
	"context"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The classes of Python's that Go values appear as. A class whose name begins with "builtins." is known to every peer,
// so that it need not be inspected; the names are those that CPython has.
var (
	objectClass = newClass("builtins.object")
	typeClass   = newClass("builtins.type", objectClass)

	noneClass           = newClass("builtins.NoneType", objectClass)
	intClass            = newClass("builtins.int", objectClass)
	boolClass           = newClass("builtins.bool", intClass)
	floatClass          = newClass("builtins.float", objectClass)
	complexClass        = newClass("builtins.complex", objectClass)
	strClass            = newClass("builtins.str", objectClass)
	bytesClass          = newClass("builtins.bytes", objectClass)
	tupleClass          = newClass("builtins.tuple", objectClass)
	frozensetClass      = newClass("builtins.frozenset", objectClass)
	sliceClass          = newClass("builtins.slice", objectClass)
	ellipsisClass       = newClass("builtins.ellipsis", objectClass)
	notImplementedClass = newClass("builtins.NotImplementedType", objectClass)

	functionClass        = newClass("builtins.function", objectClass)
	generatorClass       = newClass("builtins.generator", objectClass)
	listIteratorClass    = newClass("builtins.list_iterator", objectClass)
	tupleIteratorClass   = newClass("builtins.tuple_iterator", objectClass)
	setIteratorClass     = newClass("builtins.set_iterator", objectClass)
	dictKeyIteratorClass = newClass("builtins.dict_keyiterator", objectClass)

	methodClass        = newClass("builtins.method", objectClass)
	methodWrapperClass = newClass("builtins.method-wrapper", objectClass)
	builtinMethodClass = newClass("builtins.builtin_function_or_method", objectClass)

	listClass = newClass("builtins.list", objectClass)
	dictClass = newClass("builtins.dict", objectClass)
	setClass  = newClass("builtins.set", objectClass)

	netrefClass = newClass("rpyc.core.netref.BaseNetref", objectClass)
)

// builtinOrder has bases before what derives from them.
var builtinOrder = []*Class{
	objectClass, typeClass, noneClass, intClass, boolClass, floatClass, complexClass, strClass, bytesClass, tupleClass,
	frozensetClass, sliceClass, ellipsisClass, notImplementedClass, functionClass, generatorClass,
	listIteratorClass, tupleIteratorClass, setIteratorClass, dictKeyIteratorClass,
	methodClass, methodWrapperClass, builtinMethodClass, listClass, dictClass, setClass, viewClasses[keysView], viewClasses[valuesView],
	viewClasses[itemsView], serviceClass, netrefClass, codeClass, timeClass,
}

// init fills the tables. It cannot be done where the variables are declared, because the methods refer to them.
func init() {
	defineObject(objectClass)
	defineService(serviceClass)
	defineType(typeClass)
	defineScalars()
	defineFunction(functionClass)
	defineCode(codeClass)
	for _, c := range []*Class{methodClass, methodWrapperClass, builtinMethodClass} {
		defineMethod(c)
	}
	defineIterators()
	defineTime(timeClass)
	defineList(listClass)
	defineDict(dictClass)
	for _, c := range viewClasses {
		defineDictView(c)
	}
	defineSet(setClass)
	defineStrMethods()
	defineFormatting()
	defineBytesMethods()
	defineConstructors()
	for _, c := range builtinOrder {
		c.seal()
	}
	Register[restricted](ClassOptions{Name: "rpyc.utils.helpers.Restricted"}) // as RPyC's, which hide their class from nobody
}

// defineObject gives all objects what Python's object has.
func defineObject(c *Class) {
	c.getter("__class__", func(self any) (any, error) { return ClassOf(self), nil })
	c.getter("__doc__", func(self any) (any, error) { return ClassOf(self).doc.value(), nil })
	c.getter("__module__", func(self any) (any, error) { return ClassOf(self).module, nil })
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		if s, ok := reprScalar(self); ok {
			return s, nil
		}
		switch self.(type) {
		case brine.Tuple, brine.FrozenSet, brine.Slice:
			return reprValue(ctx, self)
		}
		return "<" + strings.TrimPrefix(ClassOf(self).Name(), "builtins.") + " object at " + address(self) + ">", nil
	})
	c.method("__str__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		if s, ok := self.(string); ok {
			return s, nil
		}
		return reprValue(ctx, self)
	})
	c.method("__format__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		spec, ok := norm(args[0]).(string)
		switch {
		case !ok:
			return nil, vinegar.TypeError.Errorf("__format__() argument must be str, not %s", TypeName(args[0]))
		case spec != "":
			return nil, vinegar.TypeError.Errorf("unsupported format string passed to %s.__format__", TypeName(self))
		}
		return Str(ctx, self)
	})
	c.method("__hash__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) { return Hash(ctx, self) })
	c.method("__dir__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		l := new(List)
		c, ofClass := self.(*Class)
		if !ofClass {
			c = ClassOf(self)
		}
		for _, n := range slices.Sorted(maps.Keys(c.names(self, ofClass))) {
			l.items = append(l.items, n)
		}
		return l, nil
	})
	c.method("__eq__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		if same(self, args[0]) {
			return true, nil
		}
		return brine.NotImplemented, nil
	})
	c.method("__ne__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		v, err := special(ctx, self, "__eq__", args[0])
		if err != nil || v == any(brine.NotImplemented) {
			return v, err
		}
		eq, err := Truth(ctx, v)
		return !eq, err
	})
	for _, op := range []string{"__lt__", "__le__", "__gt__", "__ge__"} {
		c.method(op, 1, 1, func(context.Context, any, []any) (any, error) { return brine.NotImplemented, nil })
	}
}

// defineType gives class objects what Python's type has.
func defineType(c *Class) {
	of := func(get func(c *Class) any) func(any) (any, error) {
		return func(self any) (any, error) {
			c, ok := self.(*Class)
			if !ok {
				return nil, vinegar.TypeError.New("a class is required")
			}
			return get(c), nil
		}
	}
	tuple := func(cs []*Class) any {
		t := make(brine.Tuple, len(cs))
		for i, c := range cs {
			t[i] = c
		}
		return t
	}
	c.getter("__name__", of(func(c *Class) any { return c.name }))
	c.getter("__qualname__", of(func(c *Class) any { return c.name }))
	c.getter("__module__", of(func(c *Class) any { return c.module }))
	c.getter("__doc__", of(func(c *Class) any { return c.doc.value() }))
	c.getter("__bases__", of(func(c *Class) any { return tuple(c.bases) }))
	c.getter("__mro__", of(func(c *Class) any { return tuple(c.mro) }))
	c.getter("__class__", func(any) (any, error) { return typeClass, nil })
	c.add(&attr{name: "__call__", qual: "type.__call__", kind: methodAttr,
		impl: native(func(ctx context.Context, self any, a *Args) (any, error) { return call(ctx, self, a) })})
	c.method("__instancecheck__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		return IsInstance(ctx, args[0], self)
	})
	c.method("__repr__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return norm(self).(*Class).String(), nil
	})
}

// functionParts is what the class function asks of a Go func or a *Function.
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

// funcModule is the package of a Go func.
func funcModule(fn reflect.Value) string {
	rf := runtime.FuncForPC(fn.Pointer())
	if rf == nil {
		return ""
	}
	name := rf.Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	module, _, _ := strings.Cut(name, ".")
	return module
}

func defineFunction(c *Class) {
	c.getter("__name__", func(self any) (any, error) { n, _, _, _, _ := functionParts(self); return n, nil })
	c.getter("__qualname__", func(self any) (any, error) { _, q, _, _, _ := functionParts(self); return q, nil })
	c.getter("__module__", func(self any) (any, error) { _, _, m, _, _ := functionParts(self); return m, nil })
	c.getter("__text_signature__", func(self any) (any, error) { _, _, _, s, _ := functionParts(self); return s, nil })
	c.getter("__doc__", func(self any) (any, error) { _, _, _, _, d := functionParts(self); return d.value(), nil })
	addFunctionAttrs(c)
	c.add(&attr{name: "__call__", qual: "function.__call__", kind: methodAttr,
		impl: native(func(ctx context.Context, self any, a *Args) (any, error) { return call(ctx, self, a) })})
	c.method("__repr__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		_, qual, _, _, _ := functionParts(self)
		return "<function " + qual + " at " + address(self) + ">", nil
	})
}

func defineMethod(c *Class) {
	get := func(name string, f func(m *boundMethod) any) {
		c.getter(name, func(self any) (any, error) {
			m, ok := self.(*boundMethod)
			if !ok {
				return nil, vinegar.TypeError.New("a method is required")
			}
			return f(m), nil
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
	c.add(&attr{name: "__call__", qual: "method.__call__", kind: methodAttr,
		impl: native(func(ctx context.Context, self any, a *Args) (any, error) { return call(ctx, self, a) })})
	c.method("__eq__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		if _, ok := args[0].(*boundMethod); !ok {
			return brine.NotImplemented, nil
		}
		return self.(*boundMethod).equals(args[0]), nil
	})
	c.method("__hash__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		m := self.(*boundMethod)
		key, ok := Identity(m.self)
		if !ok {
			key = nil
		}
		return hashOf([2]any{key, m.attr}), nil
	})
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		m := self.(*boundMethod)
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

// exceptionClasses holds the classes of exceptions by the names of their classes in vinegar.
var exceptionClasses sync.Map

func classOfException(e *vinegar.Class) *Class {
	type key struct{ module, name string }
	k := key{e.Module(), e.Name()}
	if c, ok := exceptionClasses.Load(k); ok {
		return c.(*Class)
	}
	var bases []*Class
	for _, b := range e.Bases() {
		bases = append(bases, classOfException(b))
	}
	if len(bases) == 0 {
		bases = []*Class{objectClass}
	}
	c := newClass(e.Module()+"."+e.Name(), bases...)
	c.exception = e
	if len(e.Bases()) == 0 {
		defineException(c)
	}
	if e.Module() == "builtins" {
		for _, name := range exceptionAttrs[e.Name()] {
			c.getter(name, func(self any) (any, error) {
				err, _ := self.(error)
				v, _ := vinegar.FromError(err).Attr(name) // nil, as in Python, if it was made without it
				return v, nil
			})
		}
	}
	c.seal()
	if _, known := vinegar.Lookup(e.Module(), e.Name()); !known {
		return c // a name that a peer made up: not kept, the peer could make up ever more
	}
	kept, _ := exceptionClasses.LoadOrStore(k, c)
	return kept.(*Class)
}

// exceptionAttrs are the attributes that builtin classes of exceptions have besides args.
var exceptionAttrs = map[string][]string{
	"OSError": {"errno", "strerror", "filename", "filename2"}, "SystemExit": {"code"}, "StopIteration": {"value"},
	"ImportError": {"msg", "name", "path"}, "NameError": {"name"}, "AttributeError": {"name", "obj"},
	"SyntaxError":        {"msg", "filename", "lineno", "offset", "text"},
	"UnicodeDecodeError": {"encoding", "object", "start", "end", "reason"}, "UnicodeEncodeError": {"encoding", "object", "start", "end", "reason"},
}

// messageOf is str(e). Exceptions can be arguments of exceptions, to any depth.
func messageOf(ctx context.Context, e *vinegar.Error) (string, error) {
	ctx, err := descend(ctx, " while getting the str of an object")
	if err != nil {
		return "", err
	}
	text := func(f func(context.Context, any) (string, error)) func(any) string {
		return func(v any) (s string) {
			if err == nil {
				s, err = f(ctx, v)
			}
			return s
		}
	}
	s := e.MessageWith(text(Str), text(Repr))
	if err == nil && len(s) > maxRepr { // two exceptions in each double it with every level
		err = vinegar.MemoryError.Errorf("str exceeds %d bytes", maxRepr)
	}
	return s, err
}

func defineException(c *Class) {
	of := func(get func(e *vinegar.Error) any) func(any) (any, error) {
		return func(self any) (any, error) {
			err, ok := self.(error)
			if !ok {
				return nil, vinegar.TypeError.New("an exception is required")
			}
			return get(vinegar.FromError(err)), nil
		}
	}
	c.getter("args", of(func(e *vinegar.Error) any { return append(brine.Tuple{}, e.Args...) }))
	c.getter("__traceback__", of(func(*vinegar.Error) any { return nil }))
	c.getter("__cause__", of(func(e *vinegar.Error) any { return e.Unwrap() }))
	c.method("__str__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		e, err := of(func(e *vinegar.Error) any { return e })(self)
		if err != nil {
			return nil, err
		}
		return messageOf(ctx, e.(*vinegar.Error))
	})
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		e, err := of(func(e *vinegar.Error) any { return e })(self)
		if err != nil {
			return nil, err
		}
		args := e.(*vinegar.Error).Args
		if len(args) == 1 { // without the comma of a tuple
			return reprItems(ctx, ClassOf(self).name+"(", ")", args)
		}
		s, err := reprTuple(ctx, args)
		return ClassOf(self).name + s, err
	})
}
