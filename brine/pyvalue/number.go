package pyvalue

import (
	"cmp"
	"math"
	"math/big"
)

// NumberKind tells Python's kinds of numbers apart. Its order is that in which one kind is converted to another.
type NumberKind uint8

// The kinds of numbers.
const (
	NotNumber NumberKind = iota
	Int                  // bool included
	Float
	Complex
)

// Number is a Python number: the field for its kind is set.
type Number struct {
	Kind    NumberKind
	Int     int64    // of an Int if Big is nil
	Big     *big.Int // of an Int that an int64 cannot hold
	Float   float64
	Complex complex128
}

// NumberOf returns the number that a plain value is; its kind is NotNumber if it is none.
func NumberOf(v any) Number {
	switch x := v.(type) {
	case bool:
		if x {
			return Number{Kind: Int, Int: 1}
		}
		return Number{Kind: Int}
	case int64:
		return Number{Kind: Int, Int: x}
	case *big.Int:
		if x.IsInt64() {
			return Number{Kind: Int, Int: x.Int64()}
		}
		return Number{Kind: Int, Big: x}
	case float64:
		return Number{Kind: Float, Float: x}
	case complex128:
		return Number{Kind: Complex, Complex: x}
	}
	return Number{}
}

// BigInt returns an Int as a *big.Int, which must not be changed.
func (n Number) BigInt() *big.Int {
	if n.Big != nil {
		return n.Big
	}
	return big.NewInt(n.Int)
}

// ToFloat is Python's float(n) of an Int or a Float; ints that are too large raise OverflowError.
func (n Number) ToFloat() (float64, error) {
	switch {
	case n.Kind == Float:
		return n.Float, nil
	case n.Big == nil:
		return float64(n.Int), nil
	}
	f, _ := new(big.Float).SetInt(n.Big).Float64()
	if math.IsInf(f, 0) {
		return 0, raise("OverflowError", "int too large to convert to float")
	}
	return f, nil
}

// ToComplex is Python's complex(n).
func (n Number) ToComplex() (complex128, error) {
	if n.Kind == Complex {
		return n.Complex, nil
	}
	f, err := n.ToFloat()
	return complex(f, 0), err
}

// IntValue is the plain value of an integer.
func IntValue(b *big.Int) any {
	if b.IsInt64() {
		return b.Int64()
	}
	return b
}

// CompareNumbers returns the order of two real numbers; ok is false if either is NaN.
func CompareNumbers(a, b Number) (order int, ok bool) {
	switch {
	case a.Kind == Float && math.IsNaN(a.Float), b.Kind == Float && math.IsNaN(b.Float):
		return 0, false
	case a.Kind == Float && b.Kind == Float:
		return cmp.Compare(a.Float, b.Float), true
	case a.Kind == Int && b.Kind == Int && a.Big == nil && b.Big == nil:
		return cmp.Compare(a.Int, b.Int), true
	case a.Kind == Int && b.Kind == Int:
		return a.BigInt().Cmp(b.BigInt()), true
	case a.Kind == Int:
		return -compareFloatInt(b.Float, a), true
	}
	return compareFloatInt(a.Float, b), true
}

// compareFloatInt compares exactly, as Python does: no int is rounded.
func compareFloatInt(f float64, n Number) int {
	if math.IsInf(f, 0) {
		return int(math.Copysign(1, f))
	}
	return new(big.Float).SetFloat64(f).Cmp(new(big.Float).SetInt(n.BigInt()))
}

// EqualNumbers is Python's a == b, exact whatever the kinds are.
func EqualNumbers(a, b Number) bool {
	if a.Kind == Complex || b.Kind == Complex {
		re, im := parts(a)
		re2, im2 := parts(b)
		order, ok := CompareNumbers(re, re2)
		return ok && order == 0 && im == im2
	}
	order, ok := CompareNumbers(a, b)
	return ok && order == 0
}

func parts(n Number) (re Number, im float64) {
	if n.Kind == Complex {
		return Number{Kind: Float, Float: real(n.Complex)}, imag(n.Complex)
	}
	return n, 0
}

// ToInt is Python's int(n) of an Int or a Float, as a plain value.
func (n Number) ToInt() (any, error) {
	if n.Kind == Int {
		if n.Big != nil {
			return n.Big, nil
		}
		return n.Int, nil
	}
	switch {
	case math.IsNaN(n.Float):
		return nil, raise("ValueError", "cannot convert float NaN to integer")
	case math.IsInf(n.Float, 0):
		return nil, raise("OverflowError", "cannot convert float infinity to integer")
	}
	b, _ := new(big.Float).SetFloat64(n.Float).Int(nil)
	return IntValue(b), nil
}
