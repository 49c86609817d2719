package exposed

import (
	"context"
	"errors"
	"iter"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/producer"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Iter is Python's iter(v): an iterator object, that of the peer for an object of a peer.
func Iter(ctx context.Context, v any) (it any, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.CallMethod(ctx, "__iter__")
	}
	if _, ok := asNexter(v); ok {
		return v, nil
	}
	n, err := iterOf(ctx, v)
	if err != nil {
		return nil, err
	}
	switch it := n.(type) {
	case *iterator:
		return it, nil
	case nextOf:
		return it.v, nil
	case *Generator:
		return it, nil
	case remoteNexter:
		return it.o, nil
	}
	return &iterator{over: n}, nil
}

// Next is Python's next(it): the next item of an iterator, or false at its end. It is a TypeError if it is none.
func Next(ctx context.Context, it any) (v any, ok bool, err error) {
	defer protect(&err)
	it = norm(it)
	if n, isNexter := asNexter(it); isNexter {
		return n.next(ctx)
	}
	if o, foreign := it.(*netref.Object); foreign {
		return remoteNexter{o}.next(ctx)
	}
	if a := ClassOf(it).flat["__next__"]; a != nil {
		return nextOf{it, a}.next(ctx)
	}
	return nil, false, vinegar.TypeError.Errorf("'%s' object is not an iterator", TypeName(it))
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

// Collect returns the items of v, which may be anything that can be iterated, at most 2**20: more is a MemoryError. The
// slice may be v's own and must not be changed.
func Collect(ctx context.Context, v any) (all []any, err error) {
	defer protect(&err)
	return items(ctx, v)
}

// items is Python's list(v).
func items(ctx context.Context, v any) ([]any, error) {
	v = norm(v)
	if all, ok, err := binding.PlainItems(v); ok {
		return all, err
	}
	seq := Iterate(ctx, v)
	if o, ok := v.(*netref.Object); ok {
		seq = o.BuffIter(ctx, &netref.Buffering{Chunk: 1000})
	}
	var all []any
	var held quota.Held
	defer held.Release()
	weight := int64(0)
	for x, err := range seq {
		weight += quota.ItemSize + quota.Weight(x)
		if err == nil {
			err = held.Grow(ctx, weight)
		}
		if err != nil {
			return nil, err
		}
		if len(all) == maxItems {
			return nil, binding.TooManyItems()
		}
		all = append(all, x)
	}
	return all, nil
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
			if errors.Is(err, vinegar.IndexError) {
				return nil, false, nil
			}
			return untilStop(r, err)
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
	if ch, ok := producer.ChannelOf(v); ok && ClassOf(v).goType == nil { // of a type without methods of its own
		return nextFunc(ch.Next), true
	}
	return nil, false
}

// nextOf iterates with an object's own __next__.
type nextOf struct {
	v    any
	attr *attr
}

func (n nextOf) next(ctx context.Context) (any, bool, error) {
	return untilStop(n.attr.invoke(ctx, n.v, &Args{}))
}

// remoteNexter iterates with an iterator of another peer.
type remoteNexter struct{ o *netref.Object }

func (n remoteNexter) next(ctx context.Context) (any, bool, error) {
	return untilStop(n.o.CallMethod(ctx, "__next__"))
}

// BuffIter is the operation BUFFITER: up to count items of v, of which there are fewer only at the end, or at 2**20
// items. count is an int or nil for all items, of which there may be no more than 2**20. On an iterable that is no
// iterator every call begins anew.
func BuffIter(ctx context.Context, v, count any) (t brine.Tuple, err error) {
	defer protect(&err)
	v = norm(v)
	limit, all := maxItems, count == nil
	if !all {
		n := pyvalue.NumberOf(norm(count))
		if n.Kind != pyvalue.Int || n.Big != nil || n.Int < 0 {
			return nil, vinegar.ValueError.New(
				"Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
		}
		limit = int(min(n.Int, maxItems))
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
		return nil, binding.TooManyItems()
	}
	return t, nil
}

func remoteBuffIter(ctx context.Context, o *netref.Object, count any) (brine.Tuple, error) {
	v, err := o.Request(ctx, wire.HandleBuffIter, count)
	if err != nil {
		return nil, err
	}
	t, ok := v.(brine.Tuple)
	if !ok {
		return nil, vinegar.TypeError.Errorf("the peer answered %s instead of a tuple", TypeName(v))
	}
	return t, nil
}

func stopIteration(v any, ok bool, err error) (any, error) {
	if err == nil && !ok {
		return nil, vinegar.StopIteration.New()
	}
	return v, err
}

var (
	_ = around("__iter__", func(p *binding.Plan) callable { return iterMethod{p} })
	_ = around("__reversed__", func(p *binding.Plan) callable { return iterMethod{p} })
)

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
