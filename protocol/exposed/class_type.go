package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	_ = show[*Class](typeClass)
	_ = show[*vinegar.Class](typeClass)
	_ = define(typeClass, defineType)
)

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
	c.getter("__class__", func(self any) (any, error) {
		if c, ok := self.(*Class); ok {
			return c.meta(), nil
		}
		return typeClass, nil
	})
	c.getter("__text_signature__", of(func(c *Class) any {
		if c.construct == nil {
			return nil
		}
		return c.construct.Signature("")
	}))
	c.expose("__text_signature__")
	c.add(&attr{name: "__call__", qual: "type.__call__", kind: methodAttr,
		impl: native(callItself)})
	c.method("__instancecheck__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		return IsInstance(ctx, args[0], self)
	})
	c.method("__repr__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return norm(self).(*Class).String(), nil
	})
}
