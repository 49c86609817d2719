package exposed

import (
	"context"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The classes of containers can be called, as list(items) and dict(a=1) in Python, where a service publishes them.
var (
	_ = define(listClass, takesItems(func(ctx context.Context, all []any, brought int64) (any, error) {
		return makeList(ctx, len(all), brought, func() []any { return slices.Clone(all) })
	}))
	_ = define(tupleClass, takesItems(func(_ context.Context, all []any, _ int64) (any, error) {
		return append(brine.Tuple{}, all...), nil
	}))
	_ = define(setClass, takesItems(func(ctx context.Context, all []any, brought int64) (any, error) {
		return setOf(ctx, all, brought)
	}))
	_ = define(frozensetClass, takesItems(func(ctx context.Context, all []any, brought int64) (any, error) {
		s, err := setOf(ctx, all, brought)
		if err != nil {
			return nil, err
		}
		return brine.FrozenSet(s.Items()), nil
	}))
	_ = define(dictClass, func(c *Class) {
		c.factory = native(func(ctx context.Context, _ any, a *Args) (any, error) {
			args, err := a.Positional()
			switch {
			case err != nil:
				return nil, err
			case len(args) > 1:
				return nil, vinegar.TypeError.Errorf("dict expected at most 1 argument, got %d", len(args))
			}
			d := NewDict()
			_, err = c.own["update"].invoke(ctx, d, a)
			return d, err
		})
	})
)

// takesItems lets a class be called with what can be iterated over, or with nothing.
func takesItems(f func(ctx context.Context, all []any, brought int64) (any, error)) func(c *Class) {
	return func(c *Class) {
		c.makes(Native{Most: 1, Call: func(ctx context.Context, _ any, args []any) (any, error) {
			if len(args) == 0 {
				return f(ctx, nil, 0)
			}
			all, err := items(ctx, args[0])
			if err != nil {
				return nil, err
			}
			return f(ctx, all, brought(args[0], all))
		}})
	}
}
