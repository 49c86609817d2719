package script

import (
	"context"

	"go.starlark.net/starlark"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// displays adds what makes lists, tuples, dicts and sets, and what takes values apart.
func displays(add func(string, func(context.Context, []any) (any, error)), raw func(string, helper)) {
	// made checks that the loops of a comprehension have not ended by an exception.
	made := func(name string, f func(ctx context.Context, v any) (any, error)) {
		raw(name, func(r *run, a starlark.Tuple) (starlark.Value, error) {
			if err := r.check(); err != nil {
				return nil, err
			}
			v, err := f(r.ctx, out(a[0]))
			if err != nil {
				return nil, err
			}
			return in(v), nil
		})
	}
	raw(tupleCall, func(_ *run, a starlark.Tuple) (starlark.Value, error) { return in(out(a[0])), nil })
	made(listCall, func(_ context.Context, v any) (any, error) {
		if l, ok := v.(*exposed.List); ok { // made of a comprehension's list just now
			return l, nil
		}
		return exposed.NewList(v.(brine.Tuple)...), nil
	})
	made(dictCall, func(ctx context.Context, v any) (any, error) {
		if d, ok := v.(*exposed.Dict); ok {
			return d, nil
		}
		d := exposed.NewDict()
		for pair, err := range exposed.Iterate(ctx, v) {
			if err != nil {
				return nil, err
			}
			kv := pair.(brine.Tuple)
			if err := d.Set(ctx, kv[0], kv[1]); err != nil {
				return nil, err
			}
		}
		return d, nil
	})
	made(setCall, func(ctx context.Context, v any) (any, error) { return construct(ctx, "set", v) })
	add(tupleStarCall, func(ctx context.Context, a []any) (any, error) {
		items, err := spread(ctx, a)
		return brine.Tuple(items), err
	})
	add(listStarCall, func(ctx context.Context, a []any) (any, error) {
		items, err := spread(ctx, a)
		return exposed.NewList(items...), err
	})
	add(mergeCall, func(ctx context.Context, a []any) (any, error) {
		d := exposed.NewDict()
		for _, part := range a {
			more, err := mapping(ctx, part)
			if err != nil {
				return nil, vinegar.TypeError.Errorf("'%s' object is not a mapping", exposed.TypeName(part))
			}
			for _, k := range more.Keys() {
				v, _, err := more.Get(ctx, k)
				if err == nil {
					err = d.Set(ctx, k, v)
				}
				if err != nil {
					return nil, err
				}
			}
		}
		return d, nil
	})
	raw(kwCall, keywordArguments)
	raw(iterCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		it, err := exposed.Iter(r.ctx, out(a[0]))
		if err != nil {
			return nil, err
		}
		l := &loop{object: object{it}, r: r, shape: starlark.None}
		if len(a) > 1 {
			l.shape = a[1]
		}
		return l, nil
	})
	raw(checkCall, func(r *run, _ starlark.Tuple) (starlark.Value, error) { return starlark.None, r.check() })
	raw(unpackCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		n, _ := starlark.AsInt32(a[1])
		star, _ := starlark.AsInt32(a[2])
		items, err := unpack(r.ctx, out(a[0]), n, star)
		if err != nil {
			return nil, err
		}
		return in(brine.Tuple(items)), nil
	})
}

// check raises what the iterator of a loop has failed with.
func (r *run) check() error {
	err := r.state.pending
	r.state.pending = nil
	return err
}

func construct(ctx context.Context, class string, args ...any) (any, error) {
	return exposed.Call(ctx, pytypes.Class(class), exposed.NewArgs(args, nil))
}

// spread puts the items of parts together, which are pairs of a flag, whether it is starred, and a value.
func spread(ctx context.Context, parts []any) ([]any, error) {
	var items []any
	for _, p := range parts {
		pair := p.(brine.Tuple)
		if pair[0] == false {
			items = append(items, pair[1])
			continue
		}
		l, err := construct(ctx, "list", pair[1])
		if err != nil {
			return nil, err
		}
		if items = append(items, l.(*exposed.List).Items()...); len(items) > maxSpread {
			return nil, vinegar.MemoryError.Errorf("more than %d items", maxSpread)
		}
	}
	return items, nil
}

const maxSpread = 1 << 20

// mapping makes a dict of a mapping.
func mapping(ctx context.Context, v any) (*exposed.Dict, error) {
	if d, ok := v.(*exposed.Dict); ok {
		return d, nil
	}
	if _, err := exposed.GetAttr(ctx, everything, v, "keys"); err != nil {
		return nil, err
	}
	made, err := construct(ctx, "dict", v)
	if err != nil {
		return nil, err
	}
	return made.(*exposed.Dict), nil
}

// keywordArguments makes Starlark's dict of the mappings for f(**d, **e). The first argument is how errors call f.
func keywordArguments(r *run, a starlark.Tuple) (starlark.Value, error) {
	all, called := new(starlark.Dict), string(a[0].(starlark.String))
	for _, arg := range a[1:] {
		v := out(arg)
		d, err := mapping(r.ctx, v)
		if err != nil {
			return nil, vinegar.TypeError.Errorf("%sargument after ** must be a mapping, not %s", called, exposed.TypeName(v))
		}
		for _, k := range d.Keys() {
			name, ok := k.(string)
			if !ok {
				return nil, vinegar.TypeError.New("keywords must be strings")
			}
			if _, twice, _ := all.Get(starlark.String(name)); twice {
				return nil, vinegar.TypeError.Errorf("%sgot multiple values for keyword argument '%s'", called, name)
			}
			item, _, err := d.Get(r.ctx, k)
			if err == nil {
				err = all.SetKey(starlark.String(name), in(item))
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// unpack takes the items of a value for n targets. The target star takes a list of what is left over; -1 means that
// there is none.
func unpack(ctx context.Context, v any, n, star int) ([]any, error) {
	it, err := exposed.Iter(ctx, v)
	if err != nil {
		return nil, vinegar.TypeError.Errorf("cannot unpack non-iterable %s object", exposed.TypeName(v))
	}
	if star >= 0 {
		all, err := construct(ctx, "list", it)
		if err != nil {
			return nil, err
		}
		items := all.(*exposed.List).Items()
		after := n - star - 1
		if len(items) < n-1 {
			return nil, vinegar.ValueError.Errorf("not enough values to unpack (expected at least %d, got %d)", n-1, len(items))
		}
		middle := exposed.NewList(items[star : len(items)-after]...)
		return append(append(append([]any{}, items[:star]...), middle), items[len(items)-after:]...), nil
	}
	var items []any
	for {
		x, ok, err := exposed.Next(ctx, it)
		switch {
		case err != nil:
			return nil, err
		case !ok && len(items) < n:
			return nil, vinegar.ValueError.Errorf("not enough values to unpack (expected %d, got %d)", n, len(items))
		case !ok:
			return items, nil
		case len(items) == n:
			return nil, vinegar.ValueError.Errorf("too many values to unpack (expected %d)", n)
		}
		items = append(items, x)
	}
}
