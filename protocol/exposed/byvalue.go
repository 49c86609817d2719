package exposed

import (
	"math/big"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// ByValue brings a Go value into the form in which it travels. If ok, the result is a form of package brine and goes
// by value. Otherwise the result goes by reference and is the object to keep for the other end:
//
//   - a [brine.Tuple] some of whose items go by reference; box it item by item, calling ByValue for each;
//   - a pointer to a copy for a struct, so that the other end holds an object and not a snapshot per operation;
//   - a *[Generator] for an iter.Seq or iter.Seq2, which ends when its owner drops it;
//   - a *[Class] for a *vinegar.Class;
//   - v itself for everything else.
//
// By value go, besides brine's own forms: named types of a basic kind (as that kind), time.Duration (as seconds),
// big.Int, arrays (as tuples; arrays of bytes as bytes), named byte slices, pointers to any of these and nil of any
// pointer, func, channel or interface type. Types that were registered with [Register], but those with
// ClassOptions.Copy, and errors always go by reference.
func ByValue(v any) (form any, ok bool) {
	left := maxForms
	return byValue(v, 0, &left)
}

// maxForms bounds how many values within one ByValue looks at: tuples that share their items can be exponentially many.
// A larger tuple is not sent as one value.
const maxForms = 1 << 25

func byValue(v any, depth int, left *int) (any, bool) {
	switch x := v.(type) {
	case nil, bool, int64, float64, complex128, string, []byte, brine.EllipsisType, brine.NotImplementedType:
		return v, true
	case int:
		return int64(x), true
	case brine.Tuple:
		items, ok := tupleForm(x, depth, left)
		if len(x) == 0 || &items[0] == &x[0] {
			return v, ok // not put into an interface anew, which would take memory for each level
		}
		return items, ok
	case brine.FrozenSet:
		items, ok := tupleForm(brine.Tuple(x), depth, left)
		if !ok {
			return v, false
		}
		return brine.FrozenSet(items), true
	case brine.Slice:
		items, ok := tupleForm(brine.Tuple{x.Start, x.Stop, x.Step}, depth, left)
		if !ok {
			return v, false
		}
		return brine.Slice{Start: items[0], Stop: items[1], Step: items[2]}, true
	case *big.Int:
		if x == nil {
			return nil, true
		}
		return x, true
	case *netref.Object:
		if x == nil {
			return nil, true
		}
		return x, false
	case *vinegar.Class:
		if x == nil {
			return nil, true
		}
		return classOfException(x), false
	}
	return byValueOf(v, reflect.ValueOf(v), depth, left)
}

// byValueOf is byValue for the types that it has no case for, by reflection.
func byValueOf(v any, rv reflect.Value, depth int, left *int) (any, bool) {
	t := rv.Type()
	switch t.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if rv.IsNil() {
			return nil, true
		}
	}
	if c := registeredClass(t); c != nil {
		if items, ok := copied(c.opts.Copy, v).(brine.Tuple); ok {
			return tupleForm(items, depth, left)
		}
		return addressable(v, rv), false
	}
	if _, isError := v.(error); isError {
		return v, false
	}
	switch t.Kind() {
	case reflect.Slice:
		if isByte(t.Elem()) {
			return rv.Bytes(), true
		}
	case reflect.Array:
		return arrayForm(rv, depth, left)
	case reflect.Pointer:
		if e := t.Elem(); plainPointee(e) {
			return byValue(rv.Elem().Interface(), depth, left)
		}
	case reflect.Struct:
		if t == bigIntType {
			n := v.(big.Int) // copied below: a copy of a big.Int may only be read
			return new(big.Int).Set(&n), true
		}
		return addressable(v, rv), false
	case reflect.Func:
		if binding.IsSeq(t) {
			return newGenerator(rv), false
		}
		if f := describedFunc(rv); f != nil {
			return f, false
		}
	default:
		if plain, ok := pyvalue.FromGo(rv); ok {
			return plain, true
		}
	}
	return v, false
}

var bigIntType = reflect.TypeFor[big.Int]()

func isByte(t reflect.Type) bool { return t.Kind() == reflect.Uint8 && !registered(t) }

func isEmptyStruct(t reflect.Type) bool { return t.Kind() == reflect.Struct && t.NumField() == 0 }

// plainPointee reports whether a pointer to t is only an optional value.
func plainPointee(t reflect.Type) bool {
	switch k := t.Kind(); {
	case registered(t):
		return false
	case k >= reflect.Bool && k <= reflect.Complex128, k == reflect.String, k == reflect.Array:
		return true
	case k == reflect.Slice:
		return isByte(t.Elem())
	}
	return false
}

// addressable returns a pointer to a copy of v if v is a struct, and v itself otherwise.
func addressable(v any, rv reflect.Value) any {
	if rv.Kind() != reflect.Struct {
		return v
	}
	p := reflect.New(rv.Type())
	p.Elem().Set(rv)
	return p.Interface()
}

func arrayForm(rv reflect.Value, depth int, left *int) (any, bool) {
	n := rv.Len()
	if isByte(rv.Type().Elem()) {
		b := make([]byte, n)
		reflect.Copy(reflect.ValueOf(b), rv)
		return b, true
	}
	t := make(brine.Tuple, n)
	for i := range t {
		t[i] = rv.Index(i).Interface()
	}
	return tupleForm(t, depth, left)
}

// tupleForm brings the items into their forms, in a copy if any of them changes.
func tupleForm(t brine.Tuple, depth int, left *int) (brine.Tuple, bool) {
	if *left -= len(t); depth >= maxNesting || *left < 0 {
		return t, false // the encoder refuses it by its own limit
	}
	all := true
	out := t
	for i, item := range t {
		form, ok := byValue(item, depth+1, left)
		all = all && ok
		if ok && !sameForm(item, form) {
			if &out[0] == &t[0] {
				out = append(brine.Tuple(nil), t...)
			}
			out[i] = form
		}
	}
	return out, all
}

// sameForm reports whether item needs no replacement by its form.
func sameForm(item, form any) bool {
	switch item.(type) {
	case nil, bool, int64, float64, complex128, string, []byte, *big.Int, brine.EllipsisType, brine.NotImplementedType:
		return form != nil || item == nil
	case brine.Tuple: // tuples are compared by their backing arrays: a changed one is a copy
		a, b := item.(brine.Tuple), form.(brine.Tuple)
		return len(a) == 0 || &a[0] == &b[0]
	}
	return false
}

// norm brings v into the form of [ByValue], which is called its normal form.
func norm(v any) any {
	if t := reflect.TypeOf(v); t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
		switch v.(type) {
		case *vinegar.Class, *big.Int:
		default:
			return v // what nearly every object of a connection is
		}
	}
	v, _ = ByValue(v)
	return v
}
