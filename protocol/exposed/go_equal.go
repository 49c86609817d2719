package exposed

import (
	"context"
	"errors"
	"math/big"
	"reflect"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// numberTypes are Go's own types of numbers: in a map whose keys are interfaces, each has a key of its own for what is
// one key to Python.
var numberTypes = []reflect.Type{
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](),
	reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[uintptr](), reflect.TypeFor[float32](),
	reflect.TypeFor[float64](), reflect.TypeFor[complex64](), reflect.TypeFor[complex128](), reflect.TypeFor[bool](),
}

// isBasic reports whether a key is of one of Go's own types of numbers and texts.
func isBasic(t reflect.Type) bool {
	k := t.Kind()
	return t.PkgPath() == "" && (k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String)
}

// equalKey finds the key of a map with interface keys that Python calls equal to key, which is not there as it is.
// Those of Go's own types are looked up. Of the others, plain values are told by pyvalue.Key, and objects are compared
// if their hash is the same, as in a dict. It is invalid if there is none.
func (m goMap) equalKey(ctx context.Context, key any, hash int64) (reflect.Value, error) {
	plain, isPlain := pyvalue.Key(key)
	if isPlain && m.rv.Type().Key().NumMethod() == 0 {
		for _, t := range numberTypes {
			if k, ok := numberAs(key, plain, t); ok && m.has(k) {
				return k, nil
			}
		}
	}
	compared := 0
	keys := m.unusual
	if !isPlain {
		keys = m.unordered
	}
	for _, k := range keys() {
		form, _ := ByValue(k.Interface())
		if p, ok := pyvalue.Key(form); ok && isPlain {
			if p == plain {
				return k, nil
			}
			continue
		}
		h, err := hashValue(ctx, form)
		if err != nil && !errors.Is(err, vinegar.TypeError) {
			return reflect.Value{}, err
		}
		if err != nil || h != hash {
			continue
		}
		if compared++; compared > maxChain {
			return reflect.Value{}, vinegar.MemoryError.Errorf("more than %d keys with the same hash", maxChain)
		}
		if eq, err := identicalOrEqual(ctx, k.Interface(), key); eq || err != nil {
			return k, err
		}
	}
	return reflect.Value{}, nil
}

// numberAs returns the value of one of numberTypes that has the key plain, for a number that has it.
func numberAs(key, plain any, t reflect.Type) (reflect.Value, bool) {
	v := reflect.New(t).Elem()
	n := pyvalue.NumberOf(key)
	i, isInt := plain.(int64)
	switch {
	case n.Kind == pyvalue.NotNumber:
		return v, false
	case isInt:
		setInt(v, big.NewInt(i))
	case n.Kind == pyvalue.Int:
		setInt(v, n.BigInt())
	case n.Kind == pyvalue.Float:
		setFloat(v, n.Float)
	case imag(n.Complex) == 0:
		setFloat(v, real(n.Complex))
	case v.CanComplex():
		v.SetComplex(n.Complex)
	default:
		return v, false
	}
	form, _ := ByValue(v.Interface())
	same, ok := pyvalue.Key(form)
	return v, ok && same == plain
}

// setInt sets v to an integer, or to something else if it cannot be that.
func setInt(v reflect.Value, n *big.Int) {
	switch {
	case v.Kind() == reflect.Bool:
		v.SetBool(n.Sign() != 0)
	case v.CanInt():
		v.SetInt(n.Int64())
	case v.CanUint():
		v.SetUint(n.Uint64())
	default:
		f, _ := new(big.Float).SetInt(n).Float64()
		setFloat(v, f)
	}
}

// setFloat sets v to a number with a fraction, or one that is too large for an int64; or to something else if it cannot
// be that.
func setFloat(v reflect.Value, f float64) {
	switch {
	case v.CanFloat():
		v.SetFloat(f)
	case v.CanComplex():
		v.SetComplex(complex(f, 0))
	case v.CanUint() && f > 0 && f < 1<<64:
		v.SetUint(uint64(f))
	}
}
