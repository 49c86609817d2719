package exposed

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The classes that have little but what all objects have.
var (
	sliceClass          = builtin("builtins.slice", objectClass)
	ellipsisClass       = builtin("builtins.ellipsis", objectClass)
	notImplementedClass = builtin("builtins.NotImplementedType", objectClass)
	netrefClass         = builtin("rpyc.core.netref.BaseNetref", objectClass)

	_ = show[brine.Slice](sliceClass)
	_ = show[brine.EllipsisType](ellipsisClass)
	_ = show[brine.NotImplementedType](notImplementedClass)
	_ = show[*netref.Object](netrefClass)
)

var (
	_ = define(objectClass, defineObject)
	_ = define(sliceClass, defineSlice)
)

// defineSlice gives slices their parts.
func defineSlice(c *Class) {
	part := func(name string, of func(s brine.Slice) any) {
		c.getter(name, func(self any) (any, error) { return of(self.(brine.Slice)), nil })
	}
	part("start", func(s brine.Slice) any { return s.Start })
	part("stop", func(s brine.Slice) any { return s.Stop })
	part("step", func(s brine.Slice) any { return s.Step })
}

// defineObject gives all objects what Python's object has.
func defineObject(c *Class) {
	c.getter("__class__", func(self any) (any, error) { return ClassOf(self), nil })
	c.getter("__doc__", func(self any) (any, error) { return ClassOf(self).doc.value(), nil })
	c.getter("__module__", func(self any) (any, error) { return ClassOf(self).module, nil })
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		if s, ok := reprPlain(self); ok {
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
		for _, n := range slices.Sorted(maps.Keys(c.names(nil, self, ofClass))) {
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
