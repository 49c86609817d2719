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
}

// NewList returns a list of the items.
func NewList(items ...any) *List {
	return &List{items: slices.Clone(items), paid: int64(len(items)) * quota.ItemSize}
}

// makeList returns a list of the n items that fill returns, for the peer whose budget is in the context.
func makeList(ctx context.Context, n int, fill func() []any) (any, error) {
	l := new(List)
	if err := l.pay(ctx, n); err != nil {
		return nil, err
	}
	l.items = fill()
	return l, nil
}

// pay pays for n items, before the list has them.
func (l *List) pay(ctx context.Context, n int) error {
	l.mu.Lock()
	more := quota.Growth(l.paid, int64(n)*quota.ItemSize)
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
	// meanwhile; it may run code of the user.
	rewrite(ctx context.Context, f func(items []any) ([]any, error)) error
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

func (l *List) put(_ context.Context, i int, v any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i < 0 || i >= len(l.items) {
		return vinegar.IndexError.New("list assignment index out of range")
	}
	l.items[i] = v
	l.changes++
	return nil
}

func (l *List) rewrite(ctx context.Context, f func([]any) ([]any, error)) error {
	for range 100 {
		l.mu.Lock()
		before, items := l.changes, slices.Clone(l.items)
		l.mu.Unlock()
		items, err := f(items)
		if err == nil {
			err = l.pay(ctx, len(items))
		}
		if err != nil {
			return err
		}
		l.mu.Lock()
		if l.changes == before {
			l.items = items
			l.changes++
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
	}
	return vinegar.ValueError.New("list modified during the operation")
}
