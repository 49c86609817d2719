package exposed

import (
	"context"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func listItem(ctx context.Context, s sequence, key any) (any, error) {
	key = norm(key)
	if sl, ok := key.(brine.Slice); ok {
		all := s.all()
		sp, err := resolve(ctx, sl, len(all))
		if err != nil {
			return nil, err
		}
		return makeList(ctx, int(sp.Count), s.brought(), func() []any { return pyvalue.Pick(sp, all) })
	}
	n, err := toIndex(ctx, key, "list")
	if err != nil {
		return nil, err
	}
	i, err := raised(pyvalue.Position("list", n, s.size()))
	if err != nil {
		return nil, err
	}
	if v, ok := s.at(i); ok {
		return v, nil
	}
	return nil, vinegar.IndexError.New("list index out of range") // it has just become shorter
}

func setListItem(ctx context.Context, s sequence, key, value any) error {
	key = norm(key)
	if sl, ok := key.(brine.Slice); ok {
		return setListSlice(ctx, s, sl, value)
	}
	n, err := toIndex(ctx, key, "list")
	if err != nil {
		return err
	}
	i, err := raised(pyvalue.Position("list assignment", n, s.size()))
	if err != nil {
		return err
	}
	return s.put(ctx, i, value)
}

func setListSlice(ctx context.Context, s sequence, sl brine.Slice, value any) error {
	if _, err := resolve(ctx, sl, s.size()); err != nil {
		return err
	}
	if !iterable(value) {
		if sl.Step == nil {
			return vinegar.TypeError.New("can only assign an iterable")
		}
		return vinegar.TypeError.New("must assign iterable to extended slice")
	}
	fresh, err := items(ctx, value)
	if err != nil {
		return err
	}
	return s.rewrite(ctx, brought(value, fresh), func(old []any) ([]any, error) {
		sp, err := resolve(ctx, sl, len(old))
		if err != nil {
			return nil, err
		}
		if sp.Step == 1 {
			end := sp.Start + sp.Count
			if len(old)-int(sp.Count)+len(fresh) > maxJoined {
				return nil, joinedTooMuch()
			}
			return slices.Concat(old[:sp.Start], fresh, old[end:]), nil
		}
		if int64(len(fresh)) != sp.Count {
			return nil, vinegar.ValueError.Errorf(
				"attempt to assign sequence of size %d to extended slice of size %d", len(fresh), sp.Count)
		}
		for i, v := range fresh {
			old[sp.Start+int64(i)*sp.Step] = v
		}
		return old, nil
	})
}

func delListItem(ctx context.Context, s sequence, key any) error {
	key = norm(key)
	return s.rewrite(ctx, 0, func(old []any) ([]any, error) {
		if sl, ok := key.(brine.Slice); ok {
			sp, err := resolve(ctx, sl, len(old))
			if err != nil {
				return nil, err
			}
			gone := make(map[int64]bool, sp.Count)
			for i := range sp.Count {
				gone[sp.Start+i*sp.Step] = true
			}
			kept := make([]any, 0, len(old)-len(gone))
			for i, v := range old {
				if !gone[int64(i)] {
					kept = append(kept, v)
				}
			}
			return kept, nil
		}
		n, err := toIndex(ctx, key, "list")
		if err != nil {
			return nil, err
		}
		i, err := raised(pyvalue.Position("list assignment", n, len(old)))
		if err != nil {
			return nil, err
		}
		return slices.Delete(old, i, i+1), nil
	})
}

// sortItems sorts by Python's < on the items or what key makes of them. It is stable.
func sortItems(ctx context.Context, all []any, key any, reverse bool) error {
	type pair struct{ key, item any }
	keys := 2 * int64(len(all)) * quota.ItemSize
	held, err := quota.Hold(ctx, keys)
	if err != nil {
		return err
	}
	defer held.Release()
	pairs := make([]pair, len(all))
	for i, v := range all {
		pairs[i] = pair{norm(v), v}
		if key != nil {
			k, err := call(ctx, key, NewArgs([]any{v}, nil))
			if err != nil {
				return err
			}
			pairs[i].key = norm(k)
			keys += quota.Weight(pairs[i].key)
			if err := held.Grow(ctx, keys); err != nil {
				return err
			}
		}
	}
	var failed error
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if failed == nil && ctx.Err() != nil { // nobody waits for the answer
			failed = context.Cause(ctx)
		}
		if failed != nil {
			return 0
		}
		if reverse {
			a, b = b, a
		}
		lt, err := less(ctx, a.key, b.key)
		if err == nil && !lt {
			var gt bool
			if gt, err = less(ctx, b.key, a.key); gt {
				return 1
			}
		}
		failed = err
		if lt {
			return -1
		}
		return 0
	})
	for i, p := range pairs {
		all[i] = p.item
	}
	return failed
}
