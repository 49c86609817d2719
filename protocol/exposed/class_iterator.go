package exposed

import (
	"context"
	"math"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func defineIterators() {
	gen := generatorClass
	its := []*Class{listIteratorClass, tupleIteratorClass, setIteratorClass, dictKeyIteratorClass}
	self := func(_ context.Context, self any, _ []any) (any, error) { return self, nil }
	next := func(ctx context.Context, self any, _ []any) (any, error) {
		n, ok := asNexter(self)
		if !ok {
			return nil, vinegar.TypeError.New("an iterator is required")
		}
		return stopIteration(n.next(ctx))
	}
	for _, c := range append(its, gen) {
		c.method("__iter__", 0, 0, self)
		c.method("__next__", 0, 0, next)
	}
	hint := func(_ context.Context, self any, _ []any) (any, error) {
		i, ok := self.(*iterator)
		if !ok {
			return brine.NotImplemented, nil
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.over == nil || i.left == nil {
			return int64(0), nil
		}
		return int64(min(i.left(), math.MaxInt32)), nil
	}
	for _, c := range its {
		c.method("__length_hint__", 0, 0, hint)
	}
	defineCoroutine(gen)
	gen.method("close", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		if g, ok := self.(*Generator); ok {
			return nil, g.Close()
		}
		return nil, vinegar.TypeError.New("a channel cannot be closed by its receiver")
	})
	gen.method("__repr__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		name := ""
		if g, ok := self.(*Generator); ok && g.name != "" {
			name = g.name + " "
		}
		return "<generator object " + name + "at " + address(self) + ">", nil
	})
}
