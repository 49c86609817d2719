package exposed

import (
	"context"
	"reflect"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	_ = show[*List](listClass)
	_ = showKind(listClass, func(t reflect.Type) bool { return t.Kind() == reflect.Slice && !isByte(t.Elem()) })
	_ = define(listClass, defineList)
)

// listMethod enters a method of list.
func listMethod(c *Class, name string, least, most int,
	f func(ctx context.Context, s sequence, self any, args []any) (any, error)) {
	typed[sequence]{c, asSequence}.method(name, least, most,
		func(ctx context.Context, s sequence, self any, args []any) (any, error) {
			held, err := quota.Hold(ctx, int64(s.size())*quota.ItemSize) // a copy, which may wait for a peer that compares
			if err != nil {
				return nil, err
			}
			defer held.Release()
			return f(ctx, s, self, args)
		})
}

// defineList gives lists what Python's list has.
func defineList(c *Class) {
	listMethod(c, "__len__", 0, 0, func(_ context.Context, s sequence, _ any, _ []any) (any, error) {
		return int64(s.size()), nil
	})
	listMethod(c, "__getitem__", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		return listItem(ctx, s, args[0])
	})
	listMethod(c, "__setitem__", 2, 2, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		return nil, setListItem(ctx, s, args[0], args[1])
	})
	listMethod(c, "__delitem__", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		return nil, delListItem(ctx, s, args[0])
	})
	listMethod(c, "__contains__", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		i, err := search(ctx, s.all(), args[0], 0, maxItems)
		return i >= 0, err
	})
	listMethod(c, "__iter__", 0, 0, func(_ context.Context, s sequence, _ any, _ []any) (any, error) {
		return overIndex(s.at, s.size), nil
	})
	listMethod(c, "__reversed__", 0, 0, func(_ context.Context, s sequence, _ any, _ []any) (any, error) {
		n := s.size()
		return overIndex(func(i int) (any, bool) { return s.at(n - 1 - i) }, func() int { return n }), nil
	})
	for op := range names.Comparisons {
		listMethod(c, op, 1, 1, func(ctx context.Context, s sequence, self any, args []any) (any, error) {
			other, ok := asSequence(args[0])
			if !ok {
				return brine.NotImplemented, nil
			}
			if op == "__eq__" && same(self, args[0]) {
				return true, nil
			}
			return compareItems(ctx, op, s.all(), other.all())
		})
	}
	c.unhashable()
	listMethod(c, "__repr__", 0, 0, func(ctx context.Context, s sequence, self any, _ []any) (any, error) {
		ctx, again := reprGuard(ctx, self)
		if again {
			return "[...]", nil
		}
		return reprItems(ctx, "[", "]", s.all())
	})
	defineListArithmetic(c)
	defineListMutation(c)
	listMethod(c, "index", 1, 3, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		all := s.all()
		sl := brine.Slice{}
		if len(args) > 1 {
			sl.Start = args[1]
		}
		if len(args) > 2 {
			sl.Stop = args[2]
		}
		sp, err := resolve(ctx, sl, len(all))
		if err != nil {
			return nil, err
		}
		i, err := search(ctx, all, args[0], int(sp.Start), int(sp.Start+sp.Count))
		if err == nil && i < 0 {
			r, err := Repr(ctx, args[0])
			if err != nil {
				return nil, err
			}
			return nil, vinegar.ValueError.New(r + " is not in list")
		}
		return int64(i), err
	})
	listMethod(c, "count", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		n := int64(0)
		for _, v := range s.all() {
			eq, err := identicalOrEqual(ctx, v, args[0])
			if err != nil {
				return nil, err
			}
			if eq {
				n++
			}
		}
		return n, nil
	})
	listMethod(c, "copy", 0, 0, func(ctx context.Context, s sequence, _ any, _ []any) (any, error) {
		return makeList(ctx, s.size(), s.brought(), s.all)
	})
}

func defineListArithmetic(c *Class) {
	listMethod(c, "__add__", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		other, ok := asSequence(args[0])
		if !ok {
			return nil, vinegar.TypeError.Errorf(`can only concatenate list (not "%s") to list`, TypeName(args[0]))
		}
		if s.size()+other.size() > maxJoined {
			return nil, joinedTooMuch()
		}
		return makeList(ctx, s.size()+other.size(), s.brought()+other.brought(), func() []any {
			return slices.Concat(s.all(), other.all())
		})
	})
	extend := func(ctx context.Context, s sequence, v any) error {
		if !iterable(v) {
			return notIterable(norm(v))
		}
		more, err := items(ctx, v)
		if err != nil {
			return err
		}
		return s.rewrite(ctx, brought(v, more), func(all []any) ([]any, error) {
			if len(all)+len(more) > maxJoined {
				return nil, joinedTooMuch()
			}
			return append(all, more...), nil
		})
	}
	listMethod(c, "__iadd__", 1, 1, func(ctx context.Context, s sequence, self any, args []any) (any, error) {
		return self, extend(ctx, s, args[0])
	})
	listMethod(c, "extend", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		return nil, extend(ctx, s, args[0])
	})
	for _, op := range []string{"__mul__", "__rmul__"} {
		listMethod(c, op, 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
			all := s.all()
			n, err := repeats(ctx, len(all), maxItems, args[0])
			if err != nil {
				return nil, err
			}
			return makeList(ctx, len(all)*n, s.brought(), func() []any { return slices.Repeat(all, n) })
		})
	}
	listMethod(c, "__imul__", 1, 1, func(ctx context.Context, s sequence, self any, args []any) (any, error) {
		return self, s.rewrite(ctx, 0, func(all []any) ([]any, error) {
			n, err := repeats(ctx, len(all), maxItems, args[0])
			if err != nil {
				return nil, err
			}
			return slices.Repeat(all, n), nil
		})
	})
}

func defineListMutation(c *Class) {
	listMethod(c, "append", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		if l, ok := s.(*List); ok {
			return nil, l.push(ctx, args[0])
		}
		return nil, s.rewrite(ctx, quota.Weight(args[0]), func(all []any) ([]any, error) { return append(all, args[0]), nil })
	})
	listMethod(c, "insert", 2, 2, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		n, err := toIndex(ctx, args[0], "")
		if err != nil {
			return nil, err
		}
		return nil, s.rewrite(ctx, quota.Weight(args[1]), func(all []any) ([]any, error) {
			sp, err := resolve(ctx, brine.Slice{Start: pyvalue.IntValue(n.BigInt())}, len(all))
			if err != nil {
				return nil, err
			}
			return slices.Insert(all, int(sp.Start), args[1]), nil
		})
	})
	listMethod(c, "pop", 0, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		at := pyvalue.Number{Kind: pyvalue.Int, Int: -1}
		if len(args) > 0 {
			var err error
			if at, err = toIndex(ctx, args[0], ""); err != nil {
				return nil, err
			}
		}
		var popped any
		err := s.rewrite(ctx, 0, func(all []any) ([]any, error) {
			if len(all) == 0 {
				return nil, vinegar.IndexError.New("pop from empty list")
			}
			i, err := raised(pyvalue.Position("pop", at, len(all)))
			if err != nil {
				return nil, err
			}
			popped = all[i]
			return slices.Delete(all, i, i+1), nil
		})
		return popped, err
	})
	listMethod(c, "remove", 1, 1, func(ctx context.Context, s sequence, _ any, args []any) (any, error) {
		return nil, s.rewrite(ctx, 0, func(all []any) ([]any, error) {
			i, err := search(ctx, all, args[0], 0, len(all))
			if err != nil {
				return nil, err
			}
			if i < 0 {
				return nil, vinegar.ValueError.New("list.remove(x): x not in list")
			}
			return slices.Delete(all, i, i+1), nil
		})
	})
	listMethod(c, "clear", 0, 0, func(ctx context.Context, s sequence, _ any, _ []any) (any, error) {
		return nil, s.rewrite(ctx, 0, func([]any) ([]any, error) { return nil, nil })
	})
	listMethod(c, "reverse", 0, 0, func(ctx context.Context, s sequence, _ any, _ []any) (any, error) {
		return nil, s.rewrite(ctx, 0, func(all []any) ([]any, error) {
			slices.Reverse(all)
			return all, nil
		})
	})
	c.implement("sort", func(ctx context.Context, self any, a *Args) (any, error) {
		s, ok := asSequence(self)
		if !ok {
			return nil, vinegar.TypeError.New("a list is required")
		}
		pos, kw, err := a.Both()
		if err != nil {
			return nil, err
		}
		if len(pos) > 0 {
			return nil, vinegar.TypeError.New("sort() takes no positional arguments")
		}
		var key any
		reverse := false
		for _, k := range kw {
			switch k.Name {
			case "key":
				key = norm(k.Value)
			case "reverse":
				if reverse, err = Truth(ctx, k.Value); err != nil {
					return nil, err
				}
			default:
				return nil, vinegar.TypeError.Errorf("'%s' is an invalid keyword argument for sort()", k.Name)
			}
		}
		return nil, s.rewrite(ctx, 0, func(all []any) ([]any, error) {
			return all, sortItems(ctx, all, key, reverse)
		})
	})
}
