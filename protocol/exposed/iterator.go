package exposed

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// nexter is what all iterators have in common: the next item, or false at the end.
type nexter interface {
	next(ctx context.Context) (any, bool, error)
}

// The classes of iterators over containers.
var (
	listIteratorClass    = builtin("builtins.list_iterator", objectClass)
	tupleIteratorClass   = builtin("builtins.tuple_iterator", objectClass)
	setIteratorClass     = builtin("builtins.set_iterator", objectClass)
	dictKeyIteratorClass = builtin("builtins.dict_keyiterator", objectClass)
)

// iterator is the Python iterator over a container of ours.
type iterator struct {
	mu   sync.Mutex
	over nexter // nil when exhausted
	left func() int
	cls  *Class // nil for that of lists
}

func (it *iterator) class() *Class {
	if it.cls == nil {
		return listIteratorClass
	}
	return it.cls
}

// as sets the class, which tells the kind of container that is iterated over.
func (it *iterator) as(c *Class) *iterator {
	it.cls = c
	return it
}

func (it *iterator) next(ctx context.Context) (any, bool, error) {
	it.mu.Lock()
	over := it.over
	it.mu.Unlock()
	if over == nil {
		return nil, false, nil
	}
	v, ok, err := over.next(ctx)
	if !ok || err != nil {
		it.mu.Lock()
		it.over = nil
		it.mu.Unlock()
	}
	return v, ok, err
}

// nextFunc is a nexter made of a func.
type nextFunc func(ctx context.Context) (any, bool, error)

func (f nextFunc) next(ctx context.Context) (any, bool, error) { return f(ctx) }

// untilStop takes the result of a __next__, whose StopIteration is the end.
func untilStop(v any, err error) (any, bool, error) {
	if errors.Is(err, vinegar.StopIteration) {
		return nil, false, nil
	}
	return v, err == nil, err
}

// overIndex iterates over something that is indexed and may change meanwhile, as Python's list iterator does.
func overIndex(get func(i int) (any, bool), length func() int) *iterator {
	var i atomic.Int64
	return &iterator{
		over: nextFunc(func(context.Context) (any, bool, error) {
			v, ok := get(int(i.Add(1)) - 1)
			return v, ok, nil
		}),
		left: func() int { return max(length()-int(i.Load()), 0) },
	}
}

func overItems(items []any) *iterator { return overEach(items, itself) }

func overEach[T any](items []T, one func(T) any) *iterator {
	return overIndex(func(i int) (any, bool) {
		if i < len(items) {
			return one(items[i]), true
		}
		return nil, false
	}, func() int { return len(items) })
}

// overPlain iterates over the items of a plain value (see [pyvalue.Items]) without making them all at once.
func overPlain(v any) *iterator {
	switch x := v.(type) {
	case string:
		return overText(x)
	case []byte:
		return overEach(x, func(b byte) any { return int64(b) })
	}
	all, _ := pyvalue.Items(v)
	return overItems(all)
}

// overText iterates over the characters of a text, which may be long: they are not all decoded at once.
func overText(text string) *iterator {
	var mu sync.Mutex
	return &iterator{
		over: nextFunc(func(context.Context) (any, bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if text == "" {
				return nil, false, nil
			}
			r, n := utf8.DecodeRuneInString(text)
			text = text[n:]
			return string(r), true, nil
		}),
		left: func() int {
			mu.Lock()
			defer mu.Unlock()
			return utf8.RuneCountInString(text)
		},
	}
}

// itself is for iterating over items that need no conversion.
func itself(v any) any { return v }
