package exposed

import (
	"context"
	"reflect"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	_ = show[*Dict](dictClass)
	_ = showKind(dictClass, func(t reflect.Type) bool { return t.Kind() == reflect.Map && !isEmptyStruct(t.Elem()) })
	_ = define(dictClass, defineDict)
)

// mapMethod enters a method of dict or set.
func mapMethod(c *Class, name string, least, most int,
	f func(ctx context.Context, m mapping, self any, args []any) (any, error)) {
	typed[mapping]{c, asMapping}.method(name, least, most,
		func(ctx context.Context, m mapping, self any, args []any) (any, error) {
			held, err := quota.Hold(ctx, int64(m.size())*quota.ItemSize) // a copy of the keys
			if err != nil {
				return nil, err
			}
			defer held.Release()
			return f(ctx, m, self, args)
		})
}

// removal is the method that takes a key out, which has to be there.
func removal(ctx context.Context, m mapping, _ any, args []any) (any, error) {
	_, ok, err := m.del(ctx, args[0])
	if err == nil && !ok {
		err = vinegar.KeyError.New(args[0])
	}
	return nil, err
}

// defineMapping gives dicts, and as far as they have it sets, the special methods of containers.
func defineMapping(c *Class) {
	mapMethod(c, "__len__", 0, 0, func(_ context.Context, m mapping, _ any, _ []any) (any, error) {
		return int64(m.size()), nil
	})
	mapMethod(c, "__contains__", 1, 1, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		key := args[0]
		if s, ok := key.(*Set); ok && c == setClass { // a set is looked for as what could be in a set
			key = brine.FrozenSet(s.Items())
		}
		_, ok, err := m.get(ctx, key)
		return ok, err
	})
	what := "dictionary"
	if c == setClass {
		what = "Set"
	}
	mapMethod(c, "__iter__", 0, 0, func(ctx context.Context, m mapping, _ any, _ []any) (any, error) {
		return overKeys(ctx, what, m, nil)
	})
	c.unhashable()
	mapMethod(c, "clear", 0, 0, func(_ context.Context, m mapping, _ any, _ []any) (any, error) {
		return nil, m.clear()
	})
}

// defineDict gives dicts what Python's dict has.
func defineDict(c *Class) {
	defineMapping(c)
	mapMethod(c, "__getitem__", 1, 1, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		v, ok, err := m.get(ctx, args[0])
		if err == nil && !ok {
			err = vinegar.KeyError.New(args[0])
		}
		return v, err
	})
	mapMethod(c, "__setitem__", 2, 2, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		return nil, m.set(ctx, args[0], args[1])
	})
	mapMethod(c, "__delitem__", 1, 1, removal)
	mapMethod(c, "__reversed__", 0, 0, func(ctx context.Context, m mapping, _ any, _ []any) (any, error) {
		keys := m.keys()
		slices.Reverse(keys)
		it := overItems(keys)
		return it, quota.Pay(ctx, it, int64(len(keys))*quota.ItemSize)
	})
	mapMethod(c, "__eq__", 1, 1, func(ctx context.Context, m mapping, self any, args []any) (any, error) {
		other, ok := asMapping(args[0])
		if !ok || !ClassOf(args[0]).IsSubclass(dictClass) {
			return brine.NotImplemented, nil
		}
		if same(self, args[0]) {
			return true, nil
		}
		return equalMappings(ctx, m, other)
	})
	mapMethod(c, "__repr__", 0, 0, func(ctx context.Context, m mapping, self any, _ []any) (any, error) {
		ctx, again := reprGuard(ctx, self)
		if again {
			return "{...}", nil
		}
		ctx, err := Descend(ctx, " while getting the repr of an object")
		if err != nil {
			return nil, err
		}
		var b reprText
		defer b.held.Release()
		b.WriteByte('{')
		for i, k := range m.keys() {
			if i > 0 {
				b.WriteString(", ")
			}
			v, _, err := m.get(ctx, k)
			if err != nil {
				return nil, err
			}
			if err := b.add(ctx, k); err != nil {
				return nil, err
			}
			b.WriteString(": ")
			if err := b.add(ctx, v); err != nil {
				return nil, err
			}
		}
		return b.String() + "}", nil
	})
	mapMethod(c, "__or__", 1, 1, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		if !ClassOf(args[0]).IsSubclass(dictClass) {
			return brine.NotImplemented, nil
		}
		d, err := copyDict(ctx, m)
		if err == nil {
			err = updateDict(ctx, d, args[0])
		}
		return d, err
	})
	mapMethod(c, "__ror__", 1, 1, func(ctx context.Context, _ mapping, self any, args []any) (any, error) {
		if !ClassOf(args[0]).IsSubclass(dictClass) {
			return brine.NotImplemented, nil
		}
		d := NewDict()
		err := updateDict(ctx, d, args[0])
		if err == nil {
			err = updateDict(ctx, d, self)
		}
		return d, err
	})
	mapMethod(c, "__ior__", 1, 1, func(ctx context.Context, m mapping, self any, args []any) (any, error) {
		return self, updateDict(ctx, m, args[0])
	})
	defineDictMethods(c)
}

func defineDictMethods(c *Class) {
	or := func(args []any) any {
		if len(args) > 1 {
			return args[1]
		}
		return nil
	}
	mapMethod(c, "get", 1, 2, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		v, ok, err := m.get(ctx, args[0])
		if err == nil && !ok {
			v = or(args)
		}
		return v, err
	})
	mapMethod(c, "pop", 1, 2, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		v, ok, err := m.del(ctx, args[0])
		switch {
		case err != nil || ok:
			return v, err
		case len(args) > 1:
			return args[1], nil
		}
		return nil, vinegar.KeyError.New(args[0])
	})
	mapMethod(c, "popitem", 0, 0, func(ctx context.Context, m mapping, _ any, _ []any) (any, error) {
		for {
			keys := m.keys()
			if len(keys) == 0 {
				return nil, vinegar.KeyError.New("popitem(): dictionary is empty")
			}
			k := keys[len(keys)-1]
			v, ok, err := m.del(ctx, k)
			switch {
			case ok || err != nil:
				return brine.Tuple{k, v}, err
			case m.size() == len(keys): // nobody has taken it: a NaN is not found
				return nil, vinegar.KeyError.New(k)
			}
		}
	})
	mapMethod(c, "setdefault", 1, 2, func(ctx context.Context, m mapping, _ any, args []any) (any, error) {
		v, ok, err := m.get(ctx, args[0])
		if ok || err != nil {
			return v, err
		}
		return or(args), m.set(ctx, args[0], or(args))
	})
	c.method("fromkeys", 1, 2, func(ctx context.Context, _ any, args []any) (any, error) {
		keys, err := items(ctx, args[0])
		if err != nil {
			return nil, err
		}
		d := NewDict()
		for _, k := range keys {
			if err := d.set(ctx, k, or(args)); err != nil {
				return nil, err
			}
		}
		return d, nil
	})
	c.own["fromkeys"].classMethod = true
	mapMethod(c, "copy", 0, 0, func(ctx context.Context, m mapping, _ any, _ []any) (any, error) {
		return copyDict(ctx, m)
	})
	for _, kind := range []viewKind{keysView, valuesView, itemsView} {
		mapMethod(c, kind.method(), 0, 0, func(_ context.Context, m mapping, _ any, _ []any) (any, error) {
			return &dictView{m, kind}, nil
		})
	}
	c.implement("update", func(ctx context.Context, self any, a *Args) (any, error) {
		m, ok := asMapping(self)
		if !ok {
			return nil, vinegar.TypeError.New("a dict is required")
		}
		pos, kw, err := a.Both()
		switch {
		case err != nil:
			return nil, err
		case len(pos) > 1:
			return nil, vinegar.TypeError.Errorf("update expected at most 1 argument, got %d", len(pos))
		case len(pos) == 1 && !iterable(pos[0]):
			return nil, notIterable(norm(pos[0]))
		case len(pos) == 1:
			err = updateDict(ctx, m, pos[0])
		}
		for i := 0; i < len(kw) && err == nil; i++ {
			err = m.set(ctx, kw[i].Name, kw[i].Value)
		}
		return nil, err
	})
}
