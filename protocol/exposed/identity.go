package exposed

import (
	"reflect"
	"unsafe"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// Identity returns a comparable key that is equal for two values exactly if they are the same Go object, so that an
// object boxed twice keeps its id: the pointer, channel or map, the closure of a func, or a slice's array, length and
// capacity, each with its type. There is none (not ok) for structs and for what travels by value or as a new object
// each time: every boxing of those makes a new object. Apply it to the result of [ByValue].
//
// The key refers to the object, so as long as the key is kept the object's address is not used again.
func Identity(v any) (key any, ok bool) {
	switch x := v.(type) {
	case nil, bool, int64, float64, string, []byte, brine.Tuple, brine.FrozenSet, brine.Slice:
		return nil, false
	case identified:
		return x.identity()
	}
	t := reflect.TypeOf(v)
	switch t.Kind() {
	case reflect.Pointer, reflect.Chan:
		return v, !reflect.ValueOf(v).IsNil()
	case reflect.Map:
		return identityOf(t, reflect.ValueOf(v).UnsafePointer(), 0, 0)
	case reflect.Func:
		if binding.IsSeq(t) {
			return nil, false
		}
		return identityOf(t, closure(v), 0, 0)
	case reflect.Slice:
		rv := reflect.ValueOf(v)
		if rv.Cap() == 0 {
			return nil, false // all empty slices share one address
		}
		return identityOf(t, rv.UnsafePointer(), rv.Len(), rv.Cap())
	}
	return nil, false
}

type identityKey struct {
	typ      reflect.Type
	at       unsafe.Pointer
	len, cap int
}

func identityOf(t reflect.Type, at unsafe.Pointer, n, c int) (any, bool) {
	if at == nil {
		return nil, false
	}
	return identityKey{t, at, n, c}, true
}

// closure returns the pointer that a func value is. reflect only gives the code it points to, which all closures made
// at one place share.
func closure(f any) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&f))[1]
}

// same is Python's "is" for two Go values.
func same(a, b any) bool {
	switch x := a.(type) {
	case nil, bool, int64, string, float64:
		return scalarSame(a, b)
	case *netref.Object:
		y, ok := b.(*netref.Object)
		return ok && x.Is(y)
	}
	ka, ok := Identity(a)
	if !ok {
		return false
	}
	kb, ok := Identity(b)
	return ok && ka == kb
}

func scalarSame(a, b any) bool {
	switch b.(type) {
	case nil, bool, int64, string, float64:
		return a == b
	}
	return false
}
