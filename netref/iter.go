package netref

import (
	"context"
	"iter"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ready are the classes whose items are there before they are asked for.
var ready = classes("list", "tuple", "dict", "set", "frozenset", "range", "bytearray", "mappingproxy", "dict_keys",
	"dict_values", "dict_items", "collections.OrderedDict", "collections.Counter", "collections.defaultdict",
	"collections.deque", "numpy.ndarray")

// Iter iterates over the object (Python: for x in o), asking for one item at a time, so that the peer produces no item
// that is not consumed. Those of Python's own containers are there already and are fetched as [Object.BuffIter] does.
// After an error, which comes as the last pair, the iteration is over.
func (o *Object) Iter(ctx context.Context) iter.Seq2[any, error] {
	if ready[typeName(o)] && !o.IsClass() {
		return o.BuffIter(ctx, nil)
	}
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
			v, ok, err := Next[any](ctx, it)
			if !ok && err == nil || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Next asks an iterator for one item (Python: next(it)) and converts it to T; false at its end.
func Next[T any](ctx context.Context, it *Object) (item T, ok bool, err error) {
	item, err = Call[T](ctx, it, "__next__")
	if err == nil {
		return item, true, nil
	}
	if isAnyOf(err, vinegar.StopIteration) {
		err = nil
	}
	return item, false, err
}

// Iter iterates over the object with every item converted to T, asking for them as [Object.Iter] does. [Items]
// is quicker where the peer may produce more than is consumed.
func Iter[T any](ctx context.Context, o *Object) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { each(ctx, o.Iter(ctx), yield) }
}

// each converts what an iteration gives.
func each[T any](ctx context.Context, items iter.Seq2[any, error], yield func(T, error) bool) {
	for v, err := range items {
		var t T
		if err == nil {
			t, err = As[T](ctx, v)
		}
		if !yield(t, err) || err != nil {
			return
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
// may produce items that are never consumed, and those of a chunk are lost in which it fails. A nil b means the
// defaults.
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
	v, err := special[any](ctx, o, "'%s' object is not iterable", "__iter__")
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
	return func(yield func(T, error) bool) { each(ctx, o.BuffIter(ctx, nil), yield) }
}

// Pair is an item of a mapping.
type Pair[K, V any] struct {
	Key   K
	Value V
}

// Pairs returns the items of a mapping in their order (Python: list(o.items())), which As[map[K]V] loses.
func Pairs[K, V any](ctx context.Context, o *Object) ([]Pair[K, V], error) {
	var pairs []Pair[K, V]
	c := conversion{ctx: ctx}
	dst := reflect.ValueOf(&pairs).Elem()
	if err := c.convertBy(func() error { return c.pairSlice(dst, o) }); err != nil {
		return nil, err
	}
	return pairs, nil
}
