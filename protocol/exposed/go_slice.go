package exposed

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// goSlice is a Go slice as a list. rv can be set if the list is a pointer to a slice, which can then grow.
type goSlice struct {
	rv      reflect.Value
	byValue bool // the items travel by value or are references by themselves
}

// asSequence finds the items of a list object.
func asSequence(v any) (sequence, bool) {
	switch x := v.(type) {
	case *List:
		return x, true
	case *readOnly:
		s, ok := asSequence(x.v)
		return readOnlySequence{s}, ok
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
	byValue := rv.Type().Elem().Kind() != reflect.Struct
	if !byValue {
		_, byValue = ByValue(reflect.Zero(rv.Type().Elem()).Interface())
	}
	return goSlice{rv, byValue}, true
}

// snapshot returns the slice with its present length, and the lock for its items. It differs from rv if that can be
// set, because others may give it another length meanwhile.
func (s goSlice) snapshot() (reflect.Value, *sync.RWMutex) {
	rv := s.rv
	if rv.CanAddr() {
		header := guard(rv.Addr().UnsafePointer())
		header.RLock()
		rv = reflect.ValueOf(rv.Interface())
		header.RUnlock()
	}
	return rv, guard(rv.UnsafePointer())
}

// brought is 0, as it is of Go maps.
func (s goSlice) brought() int64 { return 0 }

// place is where what peers put in is counted: the variable if the slice can grow, otherwise its items.
func (s goSlice) place() unsafe.Pointer {
	if s.rv.CanSet() {
		return s.rv.Addr().UnsafePointer()
	}
	return s.rv.UnsafePointer()
}

// bytes is what n items take without what they refer to.
func (s goSlice) bytes(n int) int64 { return int64(n) * int64(s.rv.Type().Elem().Size()) }

func (s goSlice) size() int {
	rv, _ := s.snapshot()
	return rv.Len()
}

func (s goSlice) at(i int) (any, bool) {
	rv, l := s.snapshot()
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
	rv, l := s.snapshot()
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
	out := vinegar.IndexError.New("list assignment index out of range")
	if i < 0 || i >= s.size() {
		return out
	}
	a, weight, n := quota.AccountOf(ctx, s.place()), quota.Weight(norm(v)), s.bytes(s.size())
	if err := a.Pay(ctx, s.place(), n, n, weight); err != nil {
		return err
	}
	rv, l := s.snapshot()
	l.Lock()
	defer l.Unlock()
	if i >= rv.Len() { // it has just become shorter
		return out
	}
	if a != nil {
		a.Replaced(weight, norm(rv.Index(i).Interface()))
	}
	rv.Index(i).Set(nv)
	return nil
}

func (s goSlice) rewrite(ctx context.Context, brought int64, f func([]any) ([]any, error)) error {
	before := s.all()
	items, err := f(slices.Clone(before))
	if err != nil {
		return err
	}
	if len(items) != len(before) && !s.rv.CanSet() {
		return vinegar.TypeError.Errorf("a Go %v has a fixed length; expose *%v or an exposed.List to let it grow",
			s.rv.Type(), s.rv.Type())
	}
	a := quota.AccountOf(ctx, s.place())
	had := a.Brought()
	values := broughtIn(items, had+brought)
	if err := a.Pay(ctx, s.place(), s.bytes(len(before)), s.bytes(len(items)), values-had); err != nil {
		return err
	}
	fresh := reflect.MakeSlice(s.rv.Type(), len(items), len(items))
	for i, v := range items {
		if err := assignTo(ctx, fresh.Index(i), v, "item"); err != nil {
			return err
		}
	}
	a.Replaced(values - had)
	if s.rv.CanSet() {
		l := guard(s.rv.Addr().UnsafePointer())
		l.Lock()
		defer l.Unlock()
		s.rv.Set(fresh)
		return nil
	}
	_, l := s.snapshot()
	l.Lock()
	defer l.Unlock()
	reflect.Copy(s.rv, fresh)
	return nil
}
