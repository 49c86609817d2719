package exposed

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
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
	viewClasses[itemsView], mappingProxyClass, serviceClass, netrefClass, codeClass, timeClass,
}

// Builtin returns the class of that name in Python's module builtins: "int", "list", "ValueError". It knows the classes
// that Go values appear as and the builtin exceptions, by their older names too.
func Builtin(name string) (*Class, bool) {
	for _, c := range builtinOrder {
		if c.module == "builtins" && c.name == name {
			return c, true
		}
	}
	if e, ok := vinegar.Lookup("builtins", name); ok {
		return classOfException(e), true
	}
	return nil, false
}

// defineObject gives all objects what Python's object has.
func defineObject(c *Class) {
	c.getter("__class__", func(self any) (any, error) { return ClassOf(self), nil })
	c.getter("__doc__", func(self any) (any, error) { return ClassOf(self).doc.value(), nil })
	c.getter("__module__", func(self any) (any, error) { return ClassOf(self).module, nil })
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		if s, ok := reprScalar(self); ok {
			return bounded(s)
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
