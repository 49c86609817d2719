package netref

import (
	"context"
	"errors"
	"iter"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Iter iterates over the object (Python: for x in o), asking for one item at a time, so that the peer produces no item
// that is not consumed. After an error, which comes as the last pair, the iteration is over.
func (o *Object) Iter(ctx context.Context) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		it, err := o.iterator(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if it != o { // a generator is its own iterator, and the handle on it the caller's
			defer it.Release()
		}
		for {
			v, err := it.CallMethod(ctx, "__next__")
			if errors.Is(err, vinegar.StopIteration) {
				return
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Buffering says how many items a buffered iteration asks for at a time. Zero fields mean rpyc.buffiter's defaults.
type Buffering struct {
	Chunk  int // items of the first request; 0 means 10
	Max    int // items of a request at most; 0 means 1000
	Factor int // growth from request to request; 0 means 2
}

// BuffIter iterates over the object like [Object.Iter] but fetches growing chunks of items (rpyc.buffiter); the peer
// may produce items that are never consumed, and those of a chunk are lost in which it fails. A nil b means the defaults.
func (o *Object) BuffIter(ctx context.Context, b *Buffering) iter.Seq2[any, error] {
	var bf Buffering
	if b != nil {
		bf = *b
	}
	chunk, limit, factor := orDefault(bf.Chunk, 10), orDefault(bf.Max, 1000), orDefault(bf.Factor, 2)
	return func(yield func(any, error) bool) {
		it, err := o.iterator(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if it != o { // a generator is its own iterator, and the handle on it the caller's
			defer it.Release()
		}
		for n := min(chunk, limit); ; n = min(n*factor, limit) {
			items, err := it.chunk(ctx, n)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(items) == 0 {
				return
			}
			for _, v := range items {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

func orDefault(n, d int) int {
	if n > 0 {
		return n
	}
	return d
}

func (o *Object) iterator(ctx context.Context) (*Object, error) {
	v, err := o.CallMethod(ctx, "__iter__")
	if err != nil {
		return nil, err
	}
	it, ok := v.(*Object)
	if !ok {
		return nil, notFit(v, objectType, "")
	}
	return it, nil
}

// chunk fetches up to n items.
func (o *Object) chunk(ctx context.Context, n int) (brine.Tuple, error) {
	v, err := o.Request(ctx, wire.HandleBuffIter, n)
	if err != nil {
		return nil, err
	}
	return chunkOf(v)
}

// chunkOf is the answer to a request for items.
func chunkOf(v any) (brine.Tuple, error) {
	items, ok := v.(brine.Tuple)
	if !ok {
		return nil, notFit(v, tupleType, "")
	}
	return items, nil
}

// Items iterates over the object with every item converted to T, fetching chunks as [Object.BuffIter] does.
func Items[T any](ctx context.Context, o *Object) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range o.BuffIter(ctx, nil) {
			var t T
			if err == nil {
				t, err = As[T](ctx, v)
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}
