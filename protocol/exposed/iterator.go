package exposed

import (
	"context"
	"errors"
	"iter"
	"math"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// maxItems bounds how many items are collected at once on behalf of a peer.
const maxItems = 1 << 20

// nexter is what all iterators have in common: the next item, or false at the end.
type nexter interface {
	next(ctx context.Context) (any, bool, error)
}

// iterator is the Python iterator over a container of ours.
type iterator struct {
	mu   sync.Mutex
	over nexter // nil when exhausted
	left func() int
	cls  *Class // nil for that of lists
}

func (it *iterator) class() *Class {
	if it.cls == nil {
		return listIteratorClass
	}
	return it.cls
}

// as names the kind of container that is iterated over.
func (it *iterator) as(c *Class) *iterator {
	it.cls = c
	return it
}

func (it *iterator) next(ctx context.Context) (any, bool, error) {
	it.mu.Lock()
	over := it.over
	it.mu.Unlock()
	if over == nil {
		return nil, false, nil
	}
	v, ok, err := over.next(ctx)
	if !ok || err != nil {
		it.mu.Lock()
		it.over = nil
		it.mu.Unlock()
	}
	return v, ok, err
}

// nextFunc is a nexter made of a func.
type nextFunc func(ctx context.Context) (any, bool, error)

func (f nextFunc) next(ctx context.Context) (any, bool, error) { return f(ctx) }

// overIndex iterates over something that is indexed and may change meanwhile, as Python's list iterator does.
func overIndex(get func(i int) (any, bool), length func() int) *iterator {
	var i atomic.Int64
	return &iterator{
		over: nextFunc(func(context.Context) (any, bool, error) {
			v, ok := get(int(i.Add(1)) - 1)
			return v, ok, nil
		}),
		left: func() int { return max(length()-int(i.Load()), 0) },
	}
}

func overItems(items []any) *iterator { return overEach(items, itself) }

func overEach[T any](items []T, one func(T) any) *iterator {
	return overIndex(func(i int) (any, bool) {
		if i < len(items) {
			return one(items[i]), true
		}
		return nil, false
	}, func() int { return len(items) })
}

// scalarItems gives the items of an iterable value: characters of a str, numbers of bytes, items of a tuple.
func scalarItems(v any) ([]any, bool) {
	switch x := v.(type) {
	case string:
		items := make([]any, 0, len(x))
		for i, n := 0, 0; i < len(x); i += n {
			_, n = utf8.DecodeRuneInString(x[i:])
			items = append(items, x[i:i+n])
		}
		return items, true
	case []byte:
		items := make([]any, len(x))
		for i, b := range x {
			items[i] = int64(b)
		}
		return items, true
	case brine.Tuple:
		return x, true
	case brine.FrozenSet:
		return x, true
	}
	return nil, false
}

// scalarLen is the number of scalarItems.
func scalarLen(v any) int {
	switch x := v.(type) {
	case string:
		return utf8.RuneCountInString(x)
	case []byte:
		return len(x)
	}
	all, _ := scalarItems(v)
	return len(all)
}

// overScalar iterates over scalarItems without making them all at once.
func overScalar(v any) *iterator {
	switch x := v.(type) {
	case string:
		return overEach([]rune(x), func(r rune) any { return string(r) })
	case []byte:
		return overEach(x, func(b byte) any { return int64(b) })
	}
	all, _ := scalarItems(v)
	return overItems(all)
}

// iterable reports whether Python's iter(v) is possible; for an object of another peer, whether it may be.
func iterable(v any) bool {
	v = norm(v)
	switch v.(type) {
	case string, []byte, brine.Tuple, brine.FrozenSet, *netref.Object:
		return true
	}
	c := ClassOf(v)
	return c.flat["__iter__"] != nil || c.flat["__getitem__"] != nil
}

// iterOf is Python's iter(v), except for objects of other peers.
func iterOf(ctx context.Context, v any) (nexter, error) {
	v = norm(v)
	if n, ok := asNexter(v); ok {
		return n, nil
	}
	switch v.(type) {
	case string, []byte, brine.Tuple, brine.FrozenSet:
		return overScalar(v).as(iteratorClassOf(ClassOf(v))), nil
	}
	c := ClassOf(v)
	if a := c.flat["__iter__"]; a != nil {
		r, err := a.invoke(ctx, v, &Args{})
		if err != nil {
			return nil, err
		}
		r = norm(r)
		if n, ok := asNexter(r); ok {
			return n, nil
		}
		if o, ok := r.(*netref.Object); ok {
			return remoteNexter{o}, nil
		}
		if next := ClassOf(r).flat["__next__"]; next != nil {
			return nextOf{r, next}, nil
		}
		return nil, vinegar.TypeError.Errorf("iter() returned non-iterator of type '%s'", TypeName(r))
	}
	if a := c.flat["__getitem__"]; a != nil {
		i := int64(-1)
		return nextFunc(func(ctx context.Context) (any, bool, error) {
			i++
			r, err := a.invoke(ctx, v, NewArgs([]any{i}, nil))
			if errors.Is(err, vinegar.IndexError) || errors.Is(err, vinegar.StopIteration) {
				return nil, false, nil
			}
			return r, err == nil, err
		}), nil
	}
	return nil, notIterable(v)
}

func notIterable(v any) error {
	return vinegar.TypeError.Errorf("'%s' object is not iterable", TypeName(v))
}

func asNexter(v any) (nexter, bool) {
	switch x := v.(type) {
	case *iterator:
		return x, true
	case *Generator:
		return x, true
	}
	if ClassOf(v) == generatorClass {
		if ch, ok := channelOf(v); ok {
			return ch, true
		}
	}
	return nil, false
}

// nextOf iterates with an object's own __next__.
type nextOf struct {
	v    any
	attr *attr
}

func (n nextOf) next(ctx context.Context) (any, bool, error) {
	r, err := n.attr.invoke(ctx, n.v, &Args{})
	if errors.Is(err, vinegar.StopIteration) {
		return nil, false, nil
	}
	return r, err == nil, err
}

// remoteNexter iterates with an iterator of another peer.
type remoteNexter struct{ o *netref.Object }

func (n remoteNexter) next(ctx context.Context) (any, bool, error) {
	r, err := n.o.CallMethod(ctx, "__next__")
	if errors.Is(err, vinegar.StopIteration) {
		return nil, false, nil
	}
	return r, err == nil, err
}

// Iterate is Python's for x in v. An error comes as the last pair.
func Iterate(ctx context.Context, v any) iter.Seq2[any, error] {
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Iter(ctx)
	}
	return func(yield func(any, error) bool) {
		n, err := iterOf(ctx, v)
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			x, ok, err := n.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if !ok || !yield(x, nil) {
				return
			}
		}
	}
}

// items is Python's list(v).
func items(ctx context.Context, v any) ([]any, error) {
	v = norm(v)
	switch x := v.(type) { // of which the items take a good deal more than the text
	case string:
		if len(x) > maxItems && utf8.RuneCountInString(x) > maxItems {
			return nil, tooManyItems()
		}
	case []byte:
		if len(x) > maxItems {
			return nil, tooManyItems()
		}
	}
	if all, ok := scalarItems(v); ok {
		return all, nil
	}
	seq := Iterate(ctx, v)
	if o, ok := v.(*netref.Object); ok {
		seq = o.BuffIter(ctx, &netref.Buffering{Chunk: 1000})
	}
	var all []any
	for x, err := range seq {
		if err != nil {
			return nil, err
		}
		if len(all) == maxItems {
			return nil, tooManyItems()
		}
		all = append(all, x)
	}
	return all, nil
}

func tooManyItems() error {
	return vinegar.MemoryError.Errorf("more than %d items", maxItems)
}

// maxJoined bounds how many items the operator + puts together; of text and bytes it is maxRead.
const maxJoined = 1 << 24

func joinedTooMuch() error {
	return vinegar.MemoryError.Errorf("more than %d items or %d bytes", maxJoined, maxRead)
}

// BuffIter is the operation BUFFITER: up to count items of v, of which there are fewer only at the end, or at 2**20
// items. count is an int or nil for all items, of which there may be no more than 2**20. On an iterable that is no
// iterator every call begins anew.
func BuffIter(ctx context.Context, v, count any) (t brine.Tuple, err error) {
	defer protect(&err)
	v = norm(v)
	limit, all := maxItems, count == nil
	if !all {
		n := toNumber(norm(count))
		if n.kind != kindInt || n.big != nil || n.i < 0 {
			return nil, vinegar.ValueError.New(
				"Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
		}
		limit = int(min(n.i, maxItems))
	}
	if o, ok := v.(*netref.Object); ok {
		return remoteBuffIter(ctx, o, count)
	}
	n, err := iterOf(ctx, v)
	if err != nil {
		return nil, err
	}
	t = make(brine.Tuple, 0, min(limit, 1024))
	for len(t) < limit {
		if len(t)&1023 == 1023 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		x, ok, err := n.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			return t, nil
		}
		t = append(t, x)
	}
	if all {
		return nil, tooManyItems()
	}
	return t, nil
}

func stopIteration(v any, ok bool, err error) (any, error) {
	if err == nil && !ok {
		return nil, vinegar.StopIteration.New()
	}
	return v, err
}

// iterMethod is a Go method that defines __iter__ and may return what Python calls iterable instead of an iterator.
type iterMethod struct{ *binding.Plan }

func (m iterMethod) Call(ctx context.Context, self any, args *Args) (any, error) {
	r, err := m.Plan.Call(ctx, self, args)
	if err != nil {
		return nil, err
	}
	r = norm(r)
	if _, foreign := r.(*netref.Object); foreign || ClassOf(r).flat["__next__"] != nil {
		return r, nil
	}
	n, err := iterOf(ctx, r)
	if it, ok := n.(*iterator); ok || err != nil {
		return it, err
	}
	return &iterator{over: n}, nil
}

// iteratorClassOf is the class of the iterators over values that travel by value.
func iteratorClassOf(c *Class) *Class {
	switch c {
	case tupleClass:
		return tupleIteratorClass
	case frozensetClass:
		return setIteratorClass
	}
	return nil
}

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
