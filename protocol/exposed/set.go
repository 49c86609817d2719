package exposed

import (
	"context"
)

var setClass = builtin("builtins.set", objectClass)

// Set is a Python set. It keeps the order of insertion and is safe for concurrent use. A Go map[K]struct{} is a set
// too.
type Set struct{ d Dict }

// NewSet returns an empty set; [Set.Add] fills it.
func NewSet() *Set { return new(Set) }

// Add adds an item, which has to be hashable; otherwise it is a TypeError.
func (s *Set) Add(ctx context.Context, item any) error { return s.d.set(ctx, item, nil) }

// Discard removes an item and reports whether it was there.
func (s *Set) Discard(ctx context.Context, item any) (bool, error) { return s.d.Delete(ctx, item) }

// Has reports whether the item is in the set.
func (s *Set) Has(ctx context.Context, item any) (bool, error) {
	_, ok, err := s.d.get(ctx, item)
	return ok, err
}

// Len returns the number of items.
func (s *Set) Len() int { return s.d.size() }

// Items returns the items in the order of insertion.
func (s *Set) Items() []any { return s.d.keys() }

// GoValue returns the items; it lets a Set that comes back be assigned to a slice.
func (s *Set) GoValue() any { return s.d.keys() }
