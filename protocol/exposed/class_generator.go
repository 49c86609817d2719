package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	generatorClass = builtin("builtins.generator", objectClass)

	_ = show[*Generator](generatorClass)
	_ = showKind(generatorClass, func(t reflect.Type) bool {
		return binding.IsSeq(t) || t.Kind() == reflect.Chan && t.ChanDir()&reflect.RecvDir != 0
	})
	_ = define(generatorClass, defineGenerator)
)

// defineGenerator gives generators what Python's have.
func defineGenerator(c *Class) {
	defineNext(c)
	c.method("close", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		if g, ok := self.(*Generator); ok {
			return nil, g.Close()
		}
		return nil, vinegar.TypeError.New("a channel cannot be closed by its receiver")
	})
	c.method("__repr__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		name := ""
		if g, ok := self.(*Generator); ok && g.name != "" {
			name = g.name + " "
		}
		return "<generator object " + name + "at " + address(self) + ">", nil
	})
	c.method("send", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		if g, ok := self.(*Generator); ok {
			return stopIteration(g.Send(ctx, args[0]))
		}
		n, ok := asNexter(self) // a channel, which hears nothing
		if !ok {
			return nil, vinegar.TypeError.New("a generator is required")
		}
		return stopIteration(n.next(ctx))
	})
	c.method("throw", 1, 3, func(ctx context.Context, self any, args []any) (any, error) {
		exc, err := thrown(args)
		if err != nil {
			return nil, err
		}
		if g, ok := self.(*Generator); ok {
			return stopIteration(g.Throw(ctx, exc))
		}
		return nil, exc
	})
}

// thrown makes the exception that the arguments of throw mean: an exception, or a class and what to call it with.
func thrown(args []any) (error, error) {
	var class *vinegar.Class
	switch x := norm(args[0]).(type) {
	case *Class:
		class = x.exception
	case *netref.Object:
		class = classNamed(x.ClassName())
		if !x.IsClass() {
			return class.New(), nil
		}
	case error:
		return x, nil
	}
	if class == nil {
		return nil, vinegar.TypeError.Errorf(
			"exceptions must be classes or instances deriving from BaseException, not %s", TypeName(args[0]))
	}
	if len(args) < 2 || args[1] == nil {
		return class.New(), nil
	}
	if e, ok := norm(args[1]).(error); ok {
		return e, nil
	}
	return class.New(args[1]), nil
}
