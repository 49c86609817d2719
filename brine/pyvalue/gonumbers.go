package pyvalue

import (
	"iter"
	"math/big"
	"reflect"
)

// goNumbers are Go's own types of numbers: in a map whose keys are interfaces, each has a key of its own for what is
// one key to Python.
var goNumbers = []reflect.Type{
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[uintptr](), reflect.TypeFor[float32](),
	reflect.TypeFor[float64](), reflect.TypeFor[complex64](), reflect.TypeFor[complex128](), reflect.TypeFor[bool](),
}

// IsBasic reports whether t is one of Go's own types of numbers and texts.
func IsBasic(t reflect.Type) bool {
	k := t.Kind()
	return t.PkgPath() == "" && (k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String)
}

// GoNumbers yields the values of Go's own types of numbers that Python calls equal to the plain value v; none if that
// is no number.
func GoNumbers(v any) iter.Seq[reflect.Value] {
	return func(yield func(reflect.Value) bool) {
		n := NumberOf(v)
		key, _ := Key(v)
		if n.Kind == NotNumber {
			return
		}
		for _, t := range goNumbers {
			if of, ok := n.as(key, t); ok && !yield(of) {
				return
			}
		}
	}
}

// as returns the value of one of goNumbers that is the number, whose key is given.
func (n Number) as(key any, t reflect.Type) (reflect.Value, bool) {
	v := reflect.New(t).Elem()
	i, isInt := key.(int64)
	switch {
	case isInt:
		toInt(v, big.NewInt(i))
	case n.Kind == Int:
		toInt(v, n.BigInt())
	case n.Kind == Float:
		toFloat(v, n.Float)
	case imag(n.Complex) == 0:
		toFloat(v, real(n.Complex))
	case v.CanComplex():
		v.SetComplex(n.Complex)
	default:
		return v, false
	}
	form, _ := FromGo(v)
	same, ok := Key(form)
	return v, ok && same == key
}

// toInt sets v to an integer, or to something else if it cannot be that.
func toInt(v reflect.Value, n *big.Int) {
	switch {
	case v.Kind() == reflect.Bool:
		v.SetBool(n.Sign() != 0)
	case v.CanInt():
		v.SetInt(n.Int64())
	case v.CanUint():
		v.SetUint(n.Uint64())
	default:
		f, _ := new(big.Float).SetInt(n).Float64()
		toFloat(v, f)
	}
}

// toFloat sets v to a number with a fraction, or one that is too large for an int64; or to something else if it cannot
// be that.
func toFloat(v reflect.Value, f float64) {
	switch {
	case v.CanFloat():
		v.SetFloat(f)
	case v.CanComplex():
		v.SetComplex(complex(f, 0))
	case v.CanUint() && f > 0 && f < 1<<64:
		v.SetUint(uint64(f))
	}
}
