package exposed

import (
	"context"
)

var (
	_ = show[*dictView](perValue)
	_ = define(viewClasses[keysView], defineDictView)
	_ = define(viewClasses[valuesView], defineDictView)
	_ = define(viewClasses[itemsView], defineDictView)
)

// defineDictView gives views of dicts what Python's have.
func defineDictView(c *Class) {
	view := typed[*dictView]{c, as[*dictView]}
	view.says("__len__", func(v *dictView) any { return int64(v.m.size()) })
	view.method("__iter__", 0, 0, func(ctx context.Context, v *dictView, _ any, _ []any) (any, error) {
		return overKeys(ctx, "dictionary", v.m, v.item)
	})
	view.method("__contains__", 1, 1, func(ctx context.Context, v *dictView, _ any, args []any) (any, error) {
		return v.contains(ctx, args[0])
	})
	view.method("__repr__", 0, 0, func(ctx context.Context, v *dictView, _ any, _ []any) (any, error) {
		all, err := v.all(ctx)
		if err != nil {
			return nil, err
		}
		return reprItems(ctx, "dict_"+v.kind.method()+"([", "])", all)
	})
	view.getter("mapping", func(v *dictView) any { return &mappingProxy{v.m} })
	if c == viewClasses[valuesView] {
		return // values are equal by identity only and have no set operations
	}
	defineSetComparison(c)
	for _, op := range []string{"or", "and", "sub", "xor"} { // the other side may be anything that can be iterated
		c.method("__"+op+"__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
			return viewAlgebra(ctx, op, self, args[0])
		})
		c.method("__r"+op+"__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
			return viewAlgebra(ctx, op, args[0], self)
		})
	}
	view.method("isdisjoint", 1, 1, func(ctx context.Context, v *dictView, _ any, args []any) (any, error) {
		other, err := iterableSet(ctx, args[0])
		if err != nil {
			return nil, err
		}
		return disjoint(ctx, other, viewSet{v})
	})
	c.unhashable()
}

// viewAlgebra applies an operator of sets, of which one side is a view.
func viewAlgebra(ctx context.Context, op string, a, b any) (any, error) {
	left, err := iterableSet(ctx, a)
	if err != nil {
		return nil, err
	}
	right, err := iterableSet(ctx, b)
	if err != nil {
		return nil, err
	}
	return combine(ctx, op, left, right)
}

var (
	mappingProxyClass = builtin("builtins.mappingproxy", objectClass)

	_ = show[*mappingProxy](mappingProxyClass)
	_ = define(mappingProxyClass, defineMappingProxy)
)

// defineMappingProxy gives the class those methods of dict that change nothing.
func defineMappingProxy(c *Class) {
	dict := newClass(dictClass.Name())
	defineDict(dict)
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		s, err := text(ctx, self, dict.own["__repr__"])
		return "mappingproxy(" + s + ")", err
	})
	for _, name := range []string{
		"__len__", "__getitem__", "__contains__", "__iter__", "__reversed__", "__eq__", "__hash__", "__or__", "__ror__",
		"get", "keys", "values", "items", "copy",
	} {
		of := *dict.own[name]
		of.qual = c.name + "." + name
		c.add(&of)
	}
}
