package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
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
