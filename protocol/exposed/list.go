package exposed

import (
	"context"
	"slices"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var listClass = builtin("builtins.list", objectClass)

// List is a Python list: it grows, holds anything, and is safe for concurrent use. Objects of the other end that are
// put in come out as the same objects. Plain Go slices are lists too, of a fixed length unless they are held by
// pointer; what peers do to one slice is synchronised among them, but not with Go code that uses it meanwhile.
type List struct {
	mu      sync.Mutex
	items   []any
	changes uint64
	paid    int64 // bytes that a budget, or this program, has paid for
	values  int64 // the weight of what peers have put in, or less than that and no more than that of all items
}

// NewList returns a list of the items.
func NewList(items ...any) *List {
	return &List{items: slices.Clone(items), paid: int64(len(items)) * quota.ItemSize}
}

// makeList returns a list of the n items that fill returns, for the peer whose budget is in the context. Of their
// weight no more counts than values, that of what the peer has brought: the rest has been there before.
func makeList(ctx context.Context, n int, values int64, fill func() []any) (any, error) {
	l := new(List)
	if err := l.pay(ctx, n, 0); err != nil {
		return nil, err
	}
	l.items = fill()
	l.values = broughtIn(l.items, values)
	return l, l.pay(ctx, n, l.values)
}

// broughtIn is how much of a weight that peers have put into containers can be in the items.
func broughtIn(items []any, values int64) int64 {
	if values == 0 {
		return 0
	}
	return min(values, quota.WeightOf(items)-int64(len(items))*quota.ItemSize)
}

// brought is the weight that a peer brings in with the items of from, which of ours is what peers have put into it.
func brought(from any, items []any) int64 {
	from = norm(from)
	if s, ok := asSequence(from); ok {
		return s.brought()
	}
	if m, ok := asMapping(from); ok {
		return m.brought()
	}
	return quota.WeightOf(items)
}

// pay pays for n items and values of such a weight, before the list has them.
func (l *List) pay(ctx context.Context, n int, values int64) error {
	l.mu.Lock()
	more := quota.Growth(l.paid, int64(n)*quota.ItemSize+values)
	l.mu.Unlock()
	if more == 0 {
		return nil
	}
	if err := quota.Pay(ctx, l, more); err != nil {
		return err
	}
	l.mu.Lock()
	l.paid += more
	l.mu.Unlock()
	return nil
}

// Append adds items at the end.
func (l *List) Append(items ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, items...)
	l.paid = max(l.paid, int64(len(l.items))*quota.ItemSize)
	l.changes++
}

// Len returns the number of items.
func (l *List) Len() int { return l.size() }

// Items returns the items in a new slice.
func (l *List) Items() []any { return l.all() }

// GoValue returns the items; it lets a List that comes back be assigned to a slice.
func (l *List) GoValue() any { return l.all() }

// sequence is what list operations need of what holds the items.
type sequence interface {
	size() int
	at(i int) (any, bool)
	all() []any
	put(ctx context.Context, i int, v any) error
	// rewrite replaces all items by what f makes of a copy of them. f may be called again if the items change
	// meanwhile; it may run code of the user. brought is the weight of what a peer has sent for that.
	rewrite(ctx context.Context, brought int64, f func(items []any) ([]any, error)) error
	// brought is the weight of what peers have put in and that is counted.
	brought() int64
}

func (l *List) brought() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.values
}

func (l *List) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.items)
}

func (l *List) at(i int) (any, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i < 0 || i >= len(l.items) {
		return nil, false
	}
	return l.items[i], true
}

func (l *List) all() []any {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items)
}

func (l *List) put(ctx context.Context, i int, v any) error {
	weight := quota.Weight(v)
	if weight > 0 {
		if err := l.pay(ctx, l.size(), l.brought()+weight); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i < 0 || i >= len(l.items) {
		return vinegar.IndexError.New("list assignment index out of range")
	}
	if l.values += weight; l.values > 0 {
		l.values = max(0, l.values-quota.Weight(l.items[i]))
	}
	l.items[i] = v
	l.changes++
	return nil
}

// push is append for a peer, without a copy of all items.
func (l *List) push(ctx context.Context, v any) error {
	weight := quota.Weight(v)
	if err := l.pay(ctx, l.size()+1, l.brought()+weight); err != nil {
		return err
	}
	l.Append(v)
	if weight > 0 {
		l.mu.Lock()
		l.values += weight
		l.mu.Unlock()
	}
	return nil
}

func (l *List) rewrite(ctx context.Context, brought int64, f func([]any) ([]any, error)) error {
	for range 100 {
		l.mu.Lock()
		before, items, values := l.changes, slices.Clone(l.items), l.values
		l.mu.Unlock()
		items, err := f(items)
		if err == nil {
			values = broughtIn(items, values+brought)
			err = l.pay(ctx, len(items), values)
		}
		if err != nil {
			return err
		}
		l.mu.Lock()
		if l.changes == before {
			l.items, l.values = items, values
			l.changes++
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
	}
	return vinegar.ValueError.New("list modified during the operation")
}
