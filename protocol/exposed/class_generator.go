package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// defineCoroutine gives generators send and throw.
func defineCoroutine(c *Class) {
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
