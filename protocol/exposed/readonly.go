package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// ReadOnly returns a view of v that a peer can read and not change: of a slice, map, [List], [Dict] or [Set], or a
// pointer to one. To Python it is the list, dict or set that v is, shows what v holds at the time, and answers every
// change with a TypeError; so do lists, dicts and sets inside it. Other objects inside it, such as structs, are handed
// out as they are. Anything that is no container is returned itself.
//
// Go code that gets the view back as an argument receives a copy of v, or the view where it asks for any.
func ReadOnly(v any) any {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() {
		return v
	}
	switch x := v.(type) {
	case *List, *Dict, *Set:
		return &readOnly{v}
	case brine.Tuple:
		return readOnlyItems(x)
	case nil, brine.FrozenSet:
		return v
	}
	t := rv.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice:
		if !isByte(t.Elem()) {
			return &readOnly{v}
		}
	case reflect.Map:
		return &readOnly{v}
	case reflect.Array:
		if form, byValue := ByValue(v); !byValue {
			if items, ok := form.(brine.Tuple); ok {
				return readOnlyItems(items)
			}
		}
	}
	return v
}

// readOnlyItems returns a tuple of the items' views.
func readOnlyItems(items brine.Tuple) brine.Tuple {
	out := make(brine.Tuple, len(items))
	for i, v := range items {
		out[i] = ReadOnly(v)
	}
	return out
}

// readOnly is the view. It has the class of v, whose methods find the items by asSequence and asMapping.
type readOnly struct{ v any }

var _ = show[*readOnly](perValue)

func init() { readOnlyView = ReadOnly }

func (r *readOnly) class() *Class { return ClassOf(r.v) }

// GoValue returns a copy of the container.
func (r *readOnly) GoValue() any {
	if v, ok := r.v.(interface{ GoValue() any }); ok {
		return v.GoValue()
	}
	rv := reflect.ValueOf(r.v)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	if rv.Kind() == reflect.Slice {
		rv, l := goSlice{rv: rv}.snapshot()
		l.RLock()
		defer l.RUnlock()
		c := reflect.MakeSlice(rv.Type(), rv.Len(), rv.Len())
		reflect.Copy(c, rv)
		return c.Interface()
	}
	m := goMap{rv}.now()
	rv = m.rv
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	c := reflect.MakeMapWithSize(rv.Type(), rv.Len())
	for it := rv.MapRange(); it.Next(); {
		c.SetMapIndex(it.Key(), it.Value())
	}
	return c.Interface()
}

// readOnlyKey is the identity of a view: two views of one object are the same to a peer.
type readOnlyKey struct{ of any }

func (r *readOnly) identity() (any, bool) {
	of, ok := Identity(r.v)
	return readOnlyKey{of}, ok
}

func cannotChange(what string) error {
	return vinegar.TypeError.Errorf("this '%s' object is read-only", what)
}

// readOnlySequence is a sequence that refuses changes.
type readOnlySequence struct{ sequence }

func (s readOnlySequence) at(i int) (any, bool) {
	v, ok := s.sequence.at(i)
	return ReadOnly(v), ok
}

func (s readOnlySequence) all() []any {
	items := s.sequence.all()
	for i, v := range items {
		items[i] = ReadOnly(v)
	}
	return items
}

func (s readOnlySequence) put(context.Context, int, any) error { return cannotChange("list") }

func (s readOnlySequence) rewrite(context.Context, int64, func([]any) ([]any, error)) error {
	return cannotChange("list")
}

// readOnlyMapping is a mapping, what is its class's name, that refuses changes.
type readOnlyMapping struct {
	mapping
	what string
}

func (m readOnlyMapping) get(ctx context.Context, key any) (any, bool, error) {
	v, ok, err := m.mapping.get(ctx, key)
	return ReadOnly(v), ok, err
}

func (m readOnlyMapping) set(context.Context, any, any) error { return cannotChange(m.what) }

func (m readOnlyMapping) del(context.Context, any) (any, bool, error) {
	return nil, false, cannotChange(m.what)
}

func (m readOnlyMapping) clear() error { return cannotChange(m.what) }
