package exposed

import (
	"math"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// number is a Python number: exactly one of the forms is meant.
type number struct {
	kind numberKind
	i    int64      // kindInt if big is nil; a bool counts as an int
	big  *big.Int   // kindInt
	f    float64    // kindFloat
	c    complex128 // kindComplex
}

type numberKind uint8

const (
	notNumber numberKind = iota
	kindInt
	kindFloat
	kindComplex
)

// toNumber takes the normal form of a value.
func toNumber(v any) number {
	switch x := v.(type) {
	case bool:
		if x {
			return number{kind: kindInt, i: 1}
		}
		return number{kind: kindInt}
	case int64:
		return number{kind: kindInt, i: x}
	case *big.Int:
		if x.IsInt64() {
			return number{kind: kindInt, i: x.Int64()}
		}
		return number{kind: kindInt, big: x}
	case float64:
		return number{kind: kindFloat, f: x}
	case complex128:
		return number{kind: kindComplex, c: x}
	}
	return number{}
}

func (n number) bigInt() *big.Int {
	if n.big != nil {
		return n.big
	}
	return big.NewInt(n.i)
}

// float converts an int or a float; ints that are too large raise OverflowError.
func (n number) float() (float64, error) {
	switch {
	case n.kind == kindFloat:
		return n.f, nil
	case n.big == nil:
		return float64(n.i), nil
	}
	f, _ := new(big.Float).SetInt(n.big).Float64()
	if math.IsInf(f, 0) {
		return 0, vinegar.OverflowError.New("int too large to convert to float")
	}
	return f, nil
}

func (n number) complex() (complex128, error) {
	if n.kind == kindComplex {
		return n.c, nil
	}
	f, err := n.float()
	return complex(f, 0), err
}

// intForm is the normal form of an integer.
func intForm(b *big.Int) any {
	if b.IsInt64() {
		return b.Int64()
	}
	return b
}

// compareNumbers returns the order of two real numbers; ok is false if either is NaN.
func compareNumbers(a, b number) (order int, ok bool) {
	switch {
	case a.kind == kindFloat && math.IsNaN(a.f), b.kind == kindFloat && math.IsNaN(b.f):
		return 0, false
	case a.kind == kindFloat && b.kind == kindFloat:
		return compareOrdered(a.f, b.f), true
	case a.kind == kindInt && b.kind == kindInt && a.big == nil && b.big == nil:
		return compareOrdered(a.i, b.i), true
	case a.kind == kindInt && b.kind == kindInt:
		return a.bigInt().Cmp(b.bigInt()), true
	case a.kind == kindInt:
		return -compareFloatInt(b.f, a), true
	}
	return compareFloatInt(a.f, b), true
}

func compareOrdered[T int | int64 | float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// compareFloatInt compares exactly, as Python does: no int is rounded.
func compareFloatInt(f float64, n number) int {
	if math.IsInf(f, 0) {
		return int(math.Copysign(1, f))
	}
	return new(big.Float).SetFloat64(f).Cmp(new(big.Float).SetInt(n.bigInt()))
}

func equalNumbers(a, b number) bool {
	if a.kind == kindComplex || b.kind == kindComplex {
		re, im := parts(a)
		re2, im2 := parts(b)
		order, ok := compareNumbers(re, re2)
		return ok && order == 0 && im == im2
	}
	order, ok := compareNumbers(a, b)
	return ok && order == 0
}

func parts(n number) (re number, im float64) {
	if n.kind == kindComplex {
		return number{kind: kindFloat, f: real(n.c)}, imag(n.c)
	}
	return n, 0
}

// maxBits bounds the integers that arithmetic on behalf of a peer produces: twice what brine can carry in.
const maxBits = 1 << 16

// arithmetic applies a binary operator to two numbers; NotImplemented if it does not apply to them.
func arithmetic(op string, a, b number) (any, error) {
	switch {
	case a.kind == notNumber || b.kind == notNumber:
		return brine.NotImplemented, nil
	case a.kind == kindComplex || b.kind == kindComplex:
		return complexArithmetic(op, a, b)
	case a.kind == kindFloat || b.kind == kindFloat || op == "truediv":
		return floatArithmetic(op, a, b)
	}
	return intArithmetic(op, a.bigInt(), b.bigInt())
}

func intArithmetic(op string, a, b *big.Int) (any, error) {
	if a.BitLen()+b.BitLen() > maxBits {
		return nil, vinegar.OverflowError.New("integer too large")
	}
	r := new(big.Int)
	switch op {
	case "add":
		r.Add(a, b)
	case "sub":
		r.Sub(a, b)
	case "mul":
		r.Mul(a, b)
	case "and":
		r.And(a, b)
	case "or":
		r.Or(a, b)
	case "xor":
		r.Xor(a, b)
	case "floordiv", "mod":
		if b.Sign() == 0 {
			if op == "mod" {
				return nil, vinegar.ZeroDivisionError.New("integer modulo by zero")
			}
			return nil, vinegar.ZeroDivisionError.New("integer division or modulo by zero")
		}
		m := new(big.Int)
		r.QuoRem(a, b, m)
		if m.Sign() != 0 && m.Sign() != b.Sign() { // Python rounds down, Go towards zero
			r.Sub(r, big.NewInt(1))
			m.Add(m, b)
		}
		if op == "mod" {
			r = m
		}
	default:
		return brine.NotImplemented, nil
	}
	return intForm(r), nil
}

func floatArithmetic(op string, a, b number) (any, error) {
	if op == "truediv" && a.kind == kindInt && b.kind == kindInt && b.bigInt().Sign() != 0 {
		if a.bigInt().Sign() == 0 {
			return math.Copysign(0, float64(b.bigInt().Sign())), nil
		}
		f, _ := new(big.Rat).SetFrac(a.bigInt(), b.bigInt()).Float64()
		if math.IsInf(f, 0) {
			return nil, vinegar.OverflowError.New("integer division result too large for a float")
		}
		return f, nil
	}
	x, err := a.float()
	if err != nil {
		return nil, err
	}
	y, err := b.float()
	if err != nil {
		return nil, err
	}
	ints := a.kind == kindInt && b.kind == kindInt
	switch op {
	case "add":
		return x + y, nil
	case "sub":
		return x - y, nil
	case "mul":
		return x * y, nil
	case "truediv":
		if y == 0 {
			return nil, zeroDivision(ints, "division by zero", "float division by zero")
		}
		return x / y, nil
	case "floordiv", "mod":
		if y == 0 {
			return nil, zeroDivision(op == "mod", "float modulo", "float floor division by zero")
		}
		m := math.Mod(x, y)
		q := (x - m) / y
		if m != 0 && (y < 0) != (m < 0) {
			m += y
			q--
		}
		if op == "mod" {
			if m == 0 {
				m = math.Copysign(0, y)
			}
			return m, nil
		}
		if q == 0 {
			return math.Copysign(0, x/y), nil
		}
		if f := math.Floor(q); q-f > 0.5 {
			return f + 1, nil
		} else {
			return f, nil
		}
	}
	return brine.NotImplemented, nil
}

func zeroDivision(first bool, a, b string) error {
	if first {
		return vinegar.ZeroDivisionError.New(a)
	}
	return vinegar.ZeroDivisionError.New(b)
}

func complexArithmetic(op string, a, b number) (any, error) {
	x, err := a.complex()
	if err != nil {
		return nil, err
	}
	y, err := b.complex()
	if err != nil {
		return nil, err
	}
	switch op {
	case "add":
		return x + y, nil
	case "sub":
		return x - y, nil
	case "mul":
		return x * y, nil
	case "truediv":
		if y == 0 {
			return nil, vinegar.ZeroDivisionError.New("complex division by zero")
		}
		return x / y, nil
	}
	return brine.NotImplemented, nil
}
