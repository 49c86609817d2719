package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func defineDictView(c *Class) {
	view := func(name string, args int, f func(ctx context.Context, v *dictView, args []any) (any, error)) {
		c.method(name, args, args, func(ctx context.Context, self any, args []any) (any, error) {
			v, ok := self.(*dictView)
			if !ok {
				return nil, vinegar.TypeError.New("a view of a dict is required")
			}
			return f(ctx, v, args)
		})
	}
	view("__len__", 0, func(_ context.Context, v *dictView, _ []any) (any, error) { return int64(v.m.size()), nil })
	view("__iter__", 0, func(_ context.Context, v *dictView, _ []any) (any, error) {
		return overKeys("dictionary", v.m, v.item), nil
	})
	view("__contains__", 1, func(ctx context.Context, v *dictView, args []any) (any, error) {
		return v.contains(ctx, args[0])
	})
	view("__repr__", 0, func(ctx context.Context, v *dictView, _ []any) (any, error) {
		all, err := v.all(ctx)
		if err != nil {
			return nil, err
		}
		return reprItems(ctx, "dict_"+v.kind.method()+"([", "])", all)
	})
	if c == viewClasses[valuesView] {
		return // values are equal by identity only and have no set operations
	}
	defineSetComparison(c)
	defineSetAlgebra(c)
	c.method("__hash__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return nil, unhashable(ClassOf(self))
	})
}
