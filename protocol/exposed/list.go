package exposed

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// List is a Python list: it grows, holds anything, and is safe for concurrent use. Objects of the other end that are
// put in come out as the same objects. Plain Go slices are lists too, of a fixed length unless they are held by
// pointer; what peers do to one slice is synchronised among them, but not with Go code that uses it meanwhile.
type List struct {
	mu      sync.Mutex
	items   []any
	changes uint64
}

// NewList returns a list of the items.
func NewList(items ...any) *List { return &List{items: slices.Clone(items)} }

// Append adds items at the end.
func (l *List) Append(items ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, items...)
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

func (l *List) rewrite(_ context.Context, f func([]any) ([]any, error)) error {
	for range 100 {
		l.mu.Lock()
		before, items := l.changes, slices.Clone(l.items)
		l.mu.Unlock()
		items, err := f(items)
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

// guards synchronise what peers do to plain Go slices, maps and fields: two connections that write the same map would
// otherwise end the process. They are held for single reads and writes only, never while other code runs.
var guards [64]sync.RWMutex

func guard(p unsafe.Pointer) *sync.RWMutex {
	h := uintptr(p) >> 4
	return &guards[(h^h>>6^h>>12)%uintptr(len(guards))]
}

// goSlice is a Go slice. rv is the slice, or settable if it is held by pointer.
type goSlice struct {
	rv      reflect.Value
	byValue bool // the items travel by value or are references by themselves
}

// asSequence finds the items of a list object.
func asSequence(v any) (sequence, bool) {
	switch x := v.(type) {
	case *List:
		return x, true
	case brine.Tuple, brine.FrozenSet:
		return nil, false
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Slice || isByte(rv.Type().Elem()) {
		return nil, false
	}
	return goSlice{rv, rv.Type().Elem().Kind() != reflect.Struct || isForm(rv.Type().Elem())}, true
}

// isForm reports whether values of a struct type travel by value.
func isForm(t reflect.Type) bool {
	_, ok := ByValue(reflect.Zero(t).Interface())
	return ok
}

// now returns the slice as it is, a copy of the header if it is held by pointer, and the lock for its items.
func (s goSlice) now() (reflect.Value, *sync.RWMutex) {
	rv := s.rv
	if rv.CanAddr() {
		header := guard(rv.Addr().UnsafePointer())
		header.RLock()
		rv = reflect.ValueOf(rv.Interface())
		header.RUnlock()
	}
	return rv, guard(rv.UnsafePointer())
}

func (s goSlice) size() int {
	rv, _ := s.now()
	return rv.Len()
}

func (s goSlice) at(i int) (any, bool) {
	rv, l := s.now()
	l.RLock()
	defer l.RUnlock()
	if i < 0 || i >= rv.Len() {
		return nil, false
	}
	return s.item(rv.Index(i)), true
}

func (s goSlice) item(rv reflect.Value) any {
	if !s.byValue {
		return rv.Addr().Interface() // as Python hands out a reference
	}
	return rv.Interface()
}

func (s goSlice) all() []any {
	rv, l := s.now()
	l.RLock()
	defer l.RUnlock()
	items := make([]any, rv.Len())
	for i := range items {
		items[i] = s.item(rv.Index(i))
	}
	return items
}

func (s goSlice) put(ctx context.Context, i int, v any) error {
	nv := reflect.New(s.rv.Type().Elem()).Elem()
	if err := assignTo(ctx, nv, v, "item"); err != nil {
		return err
	}
	rv, l := s.now()
	l.Lock()
	defer l.Unlock()
	if i < 0 || i >= rv.Len() {
		return vinegar.IndexError.New("list assignment index out of range")
	}
	rv.Index(i).Set(nv)
	return nil
}

func (s goSlice) rewrite(ctx context.Context, f func([]any) ([]any, error)) error {
	before := s.all()
	items, err := f(slices.Clone(before))
	if err != nil {
		return err
	}
	if len(items) != len(before) && !s.rv.CanSet() {
		return vinegar.TypeError.Errorf("a Go %v has a fixed length; expose *%v or an exposed.List to let it grow",
			s.rv.Type(), s.rv.Type())
	}
	fresh := reflect.MakeSlice(s.rv.Type(), len(items), len(items))
	for i, v := range items {
		if err := assignTo(ctx, fresh.Index(i), v, "item"); err != nil {
			return err
		}
	}
	if s.rv.CanSet() {
		l := guard(s.rv.Addr().UnsafePointer())
		l.Lock()
		defer l.Unlock()
		s.rv.Set(fresh)
		return nil
	}
	_, l := s.now()
	l.Lock()
	defer l.Unlock()
	reflect.Copy(s.rv, fresh)
	return nil
}
