package exposed

import (
	"context"
	"math"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/producer"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	_ = show[*iterator](perValue)
	_ = define(listIteratorClass, defineIterator)
	_ = define(tupleIteratorClass, defineIterator)
	_ = define(setIteratorClass, defineIterator)
	_ = define(dictKeyIteratorClass, defineIterator)
)

// defineIterator gives iterators over containers what Python's have.
func defineIterator(c *Class) {
	defineNext(c)
	c.method("__length_hint__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
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
	})
}

// defineNext gives a class what makes its objects iterators.
func defineNext(c *Class) {
	c.method("__iter__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return self, nil })
	c.method("__next__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		n, ok := asNexter(self)
		if !ok {
			ch, isChannel := producer.ChannelOf(self) // of a type with methods
			if !isChannel {
				return nil, vinegar.TypeError.New("an iterator is required")
			}
			n = nextFunc(ch.Next)
		}
		return stopIteration(n.next(ctx))
	})
}
