package exposed

import (
	"context"
	"iter"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// dialogue is what passes between a generator's consumer and a producer that listens. It is written while the producer
// waits and read when it goes on.
type dialogue struct {
	sent   any
	thrown error
}

// newCoroutine makes a generator of a func that hears what is sent.
func newCoroutine(f func(yield func(any) (any, error)) error) *Generator {
	g := &Generator{stop: func() {}, line: new(dialogue)}
	var failed error
	seq := func(yield func(any) bool) {
		failed = f(func(v any) (any, error) {
			if !yield(v) {
				return nil, vinegar.GeneratorExit.New()
			}
			return g.line.sent, g.line.thrown
		})
	}
	var next func() (any, bool)
	g.pull = nextFunc(func(context.Context) (any, bool, error) {
		if next == nil {
			next, g.stop = iter.Pull(seq)
		}
		v, ok := next()
		if !ok {
			return nil, false, failed
		}
		return v, true, nil
	})
	return g
}

// Send is Python's send: it passes v to a producer that listens and returns the next item, false at the end.
func (g *Generator) Send(ctx context.Context, v any) (item any, ok bool, err error) {
	defer protect(&err)
	g.mu.Lock()
	fresh := !g.started && !g.done
	g.mu.Unlock()
	if fresh && v != nil {
		return nil, false, vinegar.TypeError.New("can't send non-None value to a just-started generator")
	}
	return g.resume(ctx, v, nil)
}

// Throw is Python's throw: it makes the yield of a producer that listens return exc, and returns the next item, false at
// the end. A producer that does not listen, or has not begun, is stopped, and exc is the error.
func (g *Generator) Throw(ctx context.Context, exc error) (item any, ok bool, err error) {
	defer protect(&err)
	g.mu.Lock()
	hears := g.line != nil && g.started && !g.done
	g.mu.Unlock()
	if !hears {
		if err := g.Close(); err != nil {
			return nil, false, err
		}
		return nil, false, exc
	}
	return g.resume(ctx, nil, exc)
}

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
