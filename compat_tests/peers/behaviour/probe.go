package main

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// probe does everything to o that a program does to a sequence. o is an object of the client's, or a tuple.
func probe(ctx context.Context, o any) (t brine.Tuple, err error) {
	for _, step := range []func() (any, error){
		func() (any, error) { return exposed.Len(ctx, o) },
		func() (any, error) { return exposed.GetItem(ctx, o, 0) },
		func() (any, error) {
			items := brine.Tuple{}
			for v, err := range exposed.Iterate(ctx, o) {
				if err != nil {
					return nil, err
				}
				items = append(items, v)
			}
			return items, nil
		},
		func() (any, error) { return exposed.Str(ctx, o) },
		func() (any, error) { return exposed.Repr(ctx, o) },
		func() (any, error) { return exposed.Contains(ctx, o, 2) },
		func() (any, error) { return exposed.Truth(ctx, o) },
		func() (any, error) { return exposed.Equal(ctx, o, o) },
		func() (any, error) {
			first, err := exposed.Hash(ctx, o)
			if err != nil {
				return nil, err
			}
			again, err := exposed.Hash(ctx, o)
			return first == again, err
		},
	} {
		v, err := step()
		if err != nil {
			return nil, err
		}
		t = append(t, v)
	}
	return t, nil
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
