package main

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// probe does everything to o that a program does to a sequence. o is an object of the client's, or a tuple.
func probe(ctx context.Context, o any) (t brine.Tuple, err error) {
	step := func(v any, e error) {
		t = append(t, v)
		if err == nil {
			err = e
		}
	}
	n, e := exposed.Len(ctx, o)
	step(n, e)
	step(exposed.GetItem(ctx, o, 0))
	items := brine.Tuple{}
	for v, e := range exposed.Iterate(ctx, o) {
		if e != nil {
			return nil, e
		}
		items = append(items, v)
	}
	step(items, nil)
	s, e := exposed.Str(ctx, o)
	step(s, e)
	s, e = exposed.Repr(ctx, o)
	step(s, e)
	found, e := exposed.Contains(ctx, o, 2)
	step(found, e)
	truth, e := exposed.Truth(ctx, o)
	step(truth, e)
	same, e := exposed.Equal(ctx, o, o)
	step(same, e)
	h1, e := exposed.Hash(ctx, o)
	if e != nil {
		return nil, e
	}
	h2, e := exposed.Hash(ctx, o)
	step(h1 == h2, e)
	return t, err
}

// dict makes a dict of keys and values in turn.
func dict(ctx context.Context, pairs ...any) (*exposed.Dict, error) {
	d := exposed.NewDict()
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := d.Set(ctx, pairs[i], pairs[i+1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}
