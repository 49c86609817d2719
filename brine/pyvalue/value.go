package pyvalue

import (
	"cmp"
	"math/big"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// Truth is Python's bool(v). plain is false if v is no plain value.
func Truth(v any) (truth, plain bool) {
	switch v := v.(type) {
	case nil:
		return false, true
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case *big.Int:
		return v.Sign() != 0, true
	case float64:
		return v != 0, true
	case complex128:
		return v != 0, true
	case string:
		return v != "", true
	case []byte:
		return len(v) > 0, true
	case brine.Tuple:
		return len(v) > 0, true
	case brine.FrozenSet:
		return len(v) > 0, true
	case brine.Slice, brine.EllipsisType, brine.NotImplementedType:
		return true, true
	}
	return false, false
}

// TypeName is Python's type(v).__name__; empty if v is no plain value.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case complex128:
		return "complex"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case brine.Tuple:
		return "tuple"
	case brine.FrozenSet:
		return "frozenset"
	case brine.Slice:
		return "slice"
	case brine.EllipsisType:
		return "ellipsis"
	case brine.NotImplementedType:
		return "NotImplementedType"
	}
	return ""
}

// Items is what a loop over v yields, which is also what f(*v) passes: the items of a tuple or set, which are not
// copied, the characters of a text, the numbers of bytes. ok is false if v is no plain value that can be iterated over.
func Items(v any) (items []any, ok bool) {
	switch v := v.(type) {
	case brine.Tuple:
		return v, true
	case brine.FrozenSet:
		return v, true
	case string:
		items = make([]any, 0, len(v))
		for len(v) > 0 { // bytes that are no UTF-8 stay as they are
			_, n := utf8.DecodeRuneInString(v)
			items, v = append(items, v[:n]), v[n:]
		}
		return items, true
	case []byte:
		items = make([]any, len(v))
		for i, c := range v {
			items[i] = int64(c)
		}
		return items, true
	}
	return nil, false
}

// Len is the number of the [Items] of v, 0 if it has none.
func Len(v any) int {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v)
	case []byte:
		return len(v)
	}
	items, _ := Items(v)
	return len(items)
}

var (
	bigIntType   = reflect.TypeFor[*big.Int]()
	durationType = reflect.TypeFor[time.Duration]()
)

// FromGo brings a truth value, number or text of any Go type, named ones included, into the form of a plain value. A
// time.Duration is a number of seconds. ok is false for everything else.
func FromGo(v reflect.Value) (plain any, ok bool) {
	switch k := v.Kind(); {
	case k == reflect.Invalid:
		return nil, false
	case k == reflect.Bool:
		return v.Bool(), true
	case v.CanInt():
		if v.Type() == durationType {
			return time.Duration(v.Int()).Seconds(), true
		}
		return v.Int(), true
	case v.CanUint():
		if n := int64(v.Uint()); n >= 0 {
			return n, true
		}
		return new(big.Int).SetUint64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	case v.CanComplex():
		return v.Complex(), true
	case k == reflect.String:
		return v.String(), true
	}
	return nil, false
}

// CompareKeys orders the keys of a Go map, for a dict whose order is to be the same every time: by kind, and texts and
// numbers by value. What has no order is equal to all others of its kind.
func CompareKeys(a, b reflect.Value) int {
	for a.Kind() == reflect.Interface && !a.IsNil() {
		a = a.Elem()
	}
	for b.Kind() == reflect.Interface && !b.IsNil() {
		b = b.Elem()
	}
	switch {
	case a.Kind() != b.Kind():
		return cmp.Compare(a.Kind(), b.Kind())
	case a.Kind() == reflect.String:
		return cmp.Compare(a.String(), b.String())
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	}
	return 0
}
