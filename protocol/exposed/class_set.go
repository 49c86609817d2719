package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	_ = show[*Set](setClass)
	_ = showKind(setClass, func(t reflect.Type) bool { return t.Kind() == reflect.Map && isEmptyStruct(t.Elem()) })
	_ = define(setClass, defineSet)
)

// setBinary enters an operator whose right operand has to be a set too.
func setBinary(c *Class, name string, f func(ctx context.Context, a, b setLike, self any) (any, error)) {
	c.method(name, 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		a, ok, err := asSet(ctx, self)
		if err != nil {
			return nil, err
		}
		b, ok2, err := asSet(ctx, args[0])
		if err != nil {
			return nil, err
		}
		if !ok || !ok2 {
			return brine.NotImplemented, nil
		}
		return f(ctx, a, b, self)
	})
}

func defineSetComparison(c *Class) {
	for op := range names.Comparisons {
		setBinary(c, op, func(ctx context.Context, a, b setLike, _ any) (any, error) {
			n, m := a.size(), b.size()
			switch op {
			case "__eq__", "__ne__":
				eq := n == m
				var err error
				if eq {
					eq, err = subset(ctx, a, b)
				}
				return eq == (op == "__eq__"), err
			case "__lt__":
				ok, err := subset(ctx, a, b)
				return ok && n < m, err
			case "__le__":
				return subset(ctx, a, b)
			case "__gt__":
				ok, err := subset(ctx, b, a)
				return ok && n > m, err
			}
			return subset(ctx, b, a)
		})
	}
}

func defineSetAlgebra(c *Class) {
	for _, op := range []string{"or", "and", "sub", "xor"} {
		setBinary(c, "__"+op+"__", func(ctx context.Context, a, b setLike, _ any) (any, error) {
			return combine(ctx, op, a, b)
		})
		setBinary(c, "__r"+op+"__", func(ctx context.Context, a, b setLike, _ any) (any, error) {
			return combine(ctx, op, b, a)
		})
	}
}

// defineSet gives sets what Python's set has.
func defineSet(c *Class) {
	defineMapping(c)
	defineSetComparison(c)
	defineSetAlgebra(c)
	for _, op := range []string{"or", "and", "sub", "xor"} {
		setBinary(c, "__i"+op+"__", func(ctx context.Context, a, b setLike, self any) (any, error) {
			s, err := combine(ctx, op, a, b)
			if err != nil {
				return nil, err
			}
			m, _ := asMapping(self)
			return self, replaceSet(ctx, m, s)
		})
	}
	mapMethod(c, "__repr__", 0, 0, func(ctx context.Context, m mapping, self any, _ []any) (any, error) {
		ctx, again := reprGuard(ctx, self)
		switch {
		case again:
			return "set(...)", nil
		case m.size() == 0:
			return "set()", nil
		}
		return reprItems(ctx, "{", "}", m.keys())
	})
	mapMethod(c, "add", 1, 1, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		return nil, m.set(ctx, args[0], nil)
	})
	mapMethod(c, "discard", 1, 1, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		_, _, err := m.del(ctx, args[0])
		return nil, err
	})
	mapMethod(c, "remove", 1, 1, removal)
	mapMethod(c, "pop", 0, 0, func(ctx context.Context, m mapping, _ any, _ []any) (any, error) {
		for _, k := range m.keys() {
			if _, ok, err := m.del(ctx, k); ok || err != nil {
				return k, err
			}
		}
		return nil, vinegar.KeyError.New("pop from an empty set")
	})
	mapMethod(c, "copy", 0, 0, func(ctx context.Context, m mapping, _ any, _ []any) (any, error) {
		return setOf(ctx, m.keys(), m.brought())
	})
	defineSetMethods(c)
}

func defineSetMethods(c *Class) {
	others := func(ctx context.Context, args []any) ([]setLike, error) {
		sets := make([]setLike, len(args))
		for i, v := range args {
			var err error
			if sets[i], err = iterableSet(ctx, v); err != nil {
				return nil, err
			}
		}
		return sets, nil
	}
	for _, op := range []struct {
		name, op string
		most     int
	}{
		{"union", "or", maxItems},
		{"intersection", "and", maxItems},
		{"difference", "sub", maxItems},
		{"symmetric_difference", "xor", 1},
	} {
		least := 0
		if op.most == 1 {
			least = 1
		}
		fold := func(ctx context.Context, m mapping, args []any) (*Set, error) {
			s, err := setOf(ctx, m.keys(), m.brought())
			if err != nil {
				return nil, err
			}
			sets, err := others(ctx, args)
			for i := 0; i < len(sets) && err == nil; i++ {
				s, err = combine(ctx, op.op, mappingSet{&s.d}, sets[i])
			}
			return s, err
		}
		mapMethod(c, op.name, least, op.most, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
			return fold(ctx, m, args)
		})
		update := op.name + "_update"
		if op.op == "or" {
			update = "update"
		}
		mapMethod(c, update, least, op.most, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
			s, err := fold(ctx, m, args)
			if err != nil {
				return nil, err
			}
			return nil, replaceSet(ctx, m, s)
		})
	}
	for name, test := range map[string]func(ctx context.Context, a, b setLike) (bool, error){
		"issubset":   subset,
		"issuperset": func(ctx context.Context, a, b setLike) (bool, error) { return subset(ctx, b, a) },
		"isdisjoint": disjoint,
	} {
		mapMethod(c, name, 1, 1, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
			sets, err := others(ctx, args)
			if err != nil {
				return nil, err
			}
			return test(ctx, mappingSet{m}, sets[0])
		})
	}
}
