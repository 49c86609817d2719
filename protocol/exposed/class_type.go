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
	class := typed[*Class]{c, as[*Class]}
	tuple := func(cs []*Class) any {
		t := make(brine.Tuple, len(cs))
		for i, c := range cs {
			t[i] = c
		}
		return t
	}
	class.getter("__name__", func(c *Class) any { return c.name })
	class.getter("__qualname__", func(c *Class) any { return c.name })
	class.getter("__module__", func(c *Class) any { return c.module })
	class.getter("__doc__", func(c *Class) any { return c.doc.value() })
	class.getter("__bases__", func(c *Class) any { return tuple(c.bases) })
	class.getter("__mro__", func(c *Class) any { return tuple(c.mro) })
	c.getter("__class__", func(self any) (any, error) {
		if c, ok := self.(*Class); ok {
			return c.meta(), nil
		}
		return typeClass, nil
	})
	class.getter("__text_signature__", func(c *Class) any {
		if c.construct == nil {
			return nil
		}
		return c.construct.Signature("")
	})
	c.expose("__text_signature__")
	c.implement("__call__", callItself)
	c.method("__instancecheck__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		return IsInstance(ctx, args[0], self)
	})
	c.method("__repr__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return norm(self).(*Class).String(), nil
	})
}
