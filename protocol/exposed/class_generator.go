package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
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
		exc, err := thrown(ctx, args)
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
func thrown(ctx context.Context, args []any) (error, error) {
	var value any
	if len(args) > 1 {
		value = norm(args[1])
	}
	if len(args) > 2 {
		if o, foreign := norm(args[2]).(*netref.Object); norm(args[2]) != nil &&
			(!foreign || o.ClassName() != "builtins.traceback") {
			return nil, vinegar.TypeError.New("throw() third argument must be a traceback object")
		}
	}
	e, class, err := raisable(ctx, args[0])
	switch {
	case err != nil:
		return nil, err
	case e != nil && value != nil:
		return nil, vinegar.TypeError.New("instance exception may not have a separate value")
	case e != nil:
		return e, nil
	case class == nil:
		return nil, vinegar.TypeError.Errorf(
			"exceptions must be classes or instances deriving from BaseException, not %s", TypeName(args[0]))
	case value == nil:
		return class.New(), nil
	}
	if t, ok := value.(brine.Tuple); ok {
		return class.New(t...), nil
	}
	if e, _, err = raisable(ctx, value); err != nil {
		return nil, err
	}
	if e != nil && vinegar.FromError(e).Class.IsSubclass(class) {
		return e, nil
	}
	return class.New(value), nil
}
