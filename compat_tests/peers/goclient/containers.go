package main

import (
	"context"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

func iteration(ctx context.Context, c *client) error {
	step(ctx, c, "list", func(ctx context.Context) ([]any, error) { return netref.Call[[]any](ctx, c.root, "get_list") })
	step(ctx, c, "empty", func(ctx context.Context) ([]any, error) {
		return netref.Call[[]any](ctx, c.root, "empty_list")
	})
	step(ctx, c, "dict", func(ctx context.Context) ([]string, error) {
		keys, err := netref.Call[[]string](ctx, c.root, "get_dict")
		slices.Sort(keys)
		return keys, err
	})
	// each iterates over what a method returns, one item at a time.
	each := func(ctx context.Context, visit func(any) bool, method string, args ...any) error {
		o, err := netref.Call[*netref.Object](ctx, c.root, method, args...)
		if err != nil {
			return err
		}
		for item, err := range o.Iter(ctx) {
			if err != nil {
				return err
			}
			if !visit(item) {
				return nil
			}
		}
		return nil
	}
	collect := func(into *[]any) func(any) bool {
		return func(item any) bool {
			*into = append(*into, item)
			return true
		}
	}
	step(ctx, c, "generator", func(ctx context.Context) (items []any, err error) {
		err = each(ctx, collect(&items), "count_up", 5)
		return items, err
	})
	var seen []any
	do(ctx, c, "fails", func(ctx context.Context) error { return each(ctx, collect(&seen), "gen_fail", 3) })
	step(ctx, c, "before it failed", func(context.Context) ([]any, error) { return seen, nil })
	step(ctx, c, "buffered", func(ctx context.Context) (sum int, err error) {
		numbers, err := netref.Call[*netref.Object](ctx, c.root, "count_up", 5000)
		if err != nil {
			return 0, err
		}
		for item, err := range numbers.BuffIter(ctx, &netref.Buffering{Chunk: 100}) {
			if err != nil {
				return 0, err
			}
			n, err := netref.As[int](ctx, item)
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
	step(ctx, c, "buffered list", func(ctx context.Context) (items []any, err error) {
		list, err := netref.Call[*netref.Object](ctx, c.root, "get_list")
		if err != nil {
			return nil, err
		}
		for item, err := range list.BuffIter(ctx, &netref.Buffering{Chunk: 2}) {
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return items, nil
	})
	step(ctx, c, "exhausted", func(ctx context.Context) (bool, error) {
		var items []any
		if err := each(ctx, collect(&items), "count_up", 2, c.tag+"-a"); err != nil {
			return false, err
		}
		return c.logged(ctx, "gen_closed:"+c.tag+"-a")
	})
	step(ctx, c, "dropped", func(ctx context.Context) (bool, error) {
		leave := func(any) bool { return false }
		if err := each(ctx, leave, "count_up", 9, c.tag+"-b"); err != nil {
			return false, err
		}
		return c.logged(ctx, "gen_closed:"+c.tag+"-b")
	})
	return nil
}

func containers(ctx context.Context, c *client) error {
	box, err := netref.Call[*netref.Object](ctx, c.root, "get_list")
	if err != nil {
		return err
	}
	item := func(o *netref.Object, key any) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) { return o.Item(ctx, key) }
	}
	step(ctx, c, "len", box.Len)
	step(ctx, c, "item", item(box, -1))
	step(ctx, c, "item far", item(box, 9))
	step(ctx, c, "item text", item(box, "x"))
	step(ctx, c, "slice", func(ctx context.Context) ([]any, error) {
		return netref.Item[[]any](ctx, box, brine.Slice{Start: 1})
	})
	step(ctx, c, "contains", func(ctx context.Context) (brine.Tuple, error) {
		two, err := box.Contains(ctx, 2)
		if err != nil {
			return nil, err
		}
		nine, err := box.Contains(ctx, 9)
		return pair(two, nine), err
	})
	step(ctx, c, "change", func(ctx context.Context) ([]any, error) {
		if err := box.SetItem(ctx, 0, "x"); err != nil {
			return nil, err
		}
		if err := box.DelItem(ctx, 1); err != nil {
			return nil, err
		}
		return netref.As[[]any](ctx, box)
	})

	table, err := netref.Call[*netref.Object](ctx, c.root, "get_dict")
	if err != nil {
		return err
	}
	step(ctx, c, "key", item(table, "a"))
	step(ctx, c, "key missing", item(table, "zz"))
	step(ctx, c, "change dict", func(ctx context.Context) (brine.Tuple, error) {
		if err := table.SetItem(ctx, "c", pair(1, 2)); err != nil {
			return nil, err
		}
		if err := table.DelItem(ctx, "a"); err != nil {
			return nil, err
		}
		n, err := table.Len(ctx)
		if err != nil {
			return nil, err
		}
		v, err := table.Item(ctx, "c")
		return pair(n, v), err
	})
	c.call(ctx, "length of mine", "length_of", []int{1, 2, 3})

	open, err := c.endpoint(ctx, "public")
	if err != nil {
		return err
	}
	public, err := netref.Call[*netref.Object](ctx, open.Root(), "get_list")
	if err != nil {
		return err
	}
	step(ctx, c, "append", func(ctx context.Context) ([]any, error) {
		if _, err := public.CallMethod(ctx, "append", 5); err != nil {
			return nil, err
		}
		return netref.As[[]any](ctx, public)
	})
	step(ctx, c, "append denied", func(ctx context.Context) (any, error) { return box.CallMethod(ctx, "append", 5) })
	return open.Close()
}
