package pyvalue

import (
	"math"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
)

// maxBits bounds the integers that arithmetic produces: twice what brine can carry in. CPython has no bound, but it is
// not asked to compute on behalf of a peer.
const maxBits = 1 << 16

// Arithmetic applies a binary operator, named as its method is without the underscores ("add" for a + b), to two
// numbers. The result is brine.NotImplemented if it does not apply to them.
func Arithmetic(op string, a, b Number) (any, error) {
	switch {
	case a.Kind == NotNumber || b.Kind == NotNumber:
		return brine.NotImplemented, nil
	case a.Kind == Complex || b.Kind == Complex:
		return complexArithmetic(op, a, b)
	case a.Kind == Float || b.Kind == Float || op == "truediv":
		return floatArithmetic(op, a, b)
	}
	return intArithmetic(op, a.BigInt(), b.BigInt())
}

func intArithmetic(op string, a, b *big.Int) (any, error) {
	if a.BitLen()+b.BitLen() > maxBits {
		return nil, tooLarge()
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
				return nil, raise("ZeroDivisionError", "integer modulo by zero")
			}
			return nil, raise("ZeroDivisionError", "integer division or modulo by zero")
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
	return IntValue(r), nil
}

func floatArithmetic(op string, a, b Number) (any, error) {
	if op == "truediv" && a.Kind == Int && b.Kind == Int {
		if b.BigInt().Sign() == 0 {
			return nil, raise("ZeroDivisionError", "division by zero")
		}
		if a.BigInt().Sign() == 0 {
			return math.Copysign(0, float64(b.BigInt().Sign())), nil
		}
		f, _ := new(big.Rat).SetFrac(a.BigInt(), b.BigInt()).Float64()
		if math.IsInf(f, 0) {
			return nil, raise("OverflowError", "integer division result too large for a float")
		}
		return f, nil
	}
	x, y, err := both(a, b, Number.ToFloat)
	if err != nil {
		return nil, err
	}
	ints := a.Kind == Int && b.Kind == Int
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
		f := math.Floor(q)
		if q-f > 0.5 {
			f++
		}
		return f, nil
	}
	return brine.NotImplemented, nil
}

func zeroDivision(first bool, a, b string) error {
	if first {
		return raise("ZeroDivisionError", "%s", a)
	}
	return raise("ZeroDivisionError", "%s", b)
}

func complexArithmetic(op string, a, b Number) (any, error) {
	if op != "add" && op != "sub" && op != "mul" && op != "truediv" {
		return brine.NotImplemented, nil
	}
	x, y, err := both(a, b, Number.ToComplex)
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
	}
	if y == 0 {
		return nil, raise("ZeroDivisionError", "complex division by zero")
	}
	return x / y, nil
}

// both converts the two operands.
func both[T any](a, b Number, to func(Number) (T, error)) (x, y T, err error) {
	if x, err = to(a); err == nil {
		y, err = to(b)
	}
	return x, y, err
}

func tooLarge() error { return raise("OverflowError", "integer too large") }

// Shift is a << b for the operator "lshift", a >> b for "rshift".
func Shift(op string, a, b Number) (any, error) {
	switch n := b.BigInt(); {
	case n.Sign() < 0:
		return nil, raise("ValueError", "negative shift count")
	case op == "rshift" && b.Big != nil:
		return int64(a.BigInt().Sign() >> 1), nil
	case op == "rshift":
		return IntValue(new(big.Int).Rsh(a.BigInt(), uint(b.Int))), nil
	case a.BigInt().Sign() == 0:
		return int64(0), nil
	case b.Big != nil || b.Int+int64(a.BigInt().BitLen()) > maxBits:
		return nil, tooLarge()
	}
	return IntValue(new(big.Int).Lsh(a.BigInt(), uint(b.Int))), nil
}

// Power is a ** b.
func Power(a, b Number) (any, error) {
	if a.Kind == Int && b.Kind == Int && b.BigInt().Sign() >= 0 {
		base := a.BigInt()
		if base.IsInt64() && base.Int64() >= -1 && base.Int64() <= 1 {
			odd := b.BigInt().Bit(0) == 1
			switch {
			case b.BigInt().Sign() == 0 || base.Int64() == -1 && !odd:
				return int64(1), nil
			default:
				return base.Int64(), nil
			}
		}
		if b.Big != nil || b.Int*int64(base.BitLen()) > maxBits || b.Int > maxBits {
			return nil, tooLarge()
		}
		return IntValue(new(big.Int).Exp(base, b.BigInt(), nil)), nil
	}
	if a.Kind == Complex || b.Kind == Complex {
		return brine.NotImplemented, nil
	}
	x, y, err := both(a, b, Number.ToFloat)
	if err != nil {
		return nil, err
	}
	switch r := math.Pow(x, y); {
	case x == 0 && y < 0 && !math.IsInf(y, 0):
		return nil, raise("ZeroDivisionError", "0.0 cannot be raised to a negative power")
	case math.IsNaN(r) && !math.IsNaN(x) && !math.IsNaN(y):
		return nil, raise("ValueError", "negative Number cannot be raised to a fractional power")
	case math.IsInf(r, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return nil, &Error{"OverflowError", []any{int64(34), "Numerical result out of range"}}
	default:
		return r, nil
	}
}

// maxModular bounds the work of a modular power: a multiplication of numbers as long as the modulus for each bit of the
// exponent. Numbers of 5,000 bits take a tenth of a second, of 65,000 minutes.
const maxModular = 1 << 37

// ModularPower is pow(a, b, m).
func ModularPower(a, b, m Number) (any, error) {
	if a.Kind != Int || b.Kind != Int || m.Kind != Int {
		return nil, raise("TypeError", "pow() 3rd argument not allowed unless all arguments are integers")
	}
	mod := m.BigInt()
	if mod.Sign() == 0 {
		return nil, raise("ValueError", "pow() 3rd argument cannot be 0")
	}
	if bits := float64(mod.BitLen()); float64(b.BigInt().BitLen())*bits*bits > maxModular {
		return nil, tooLarge()
	}
	size := new(big.Int).Abs(mod)
	r := new(big.Int).Exp(new(big.Int).Mod(a.BigInt(), size), b.BigInt(), size)
	if r == nil {
		return nil, raise("ValueError", "base is not invertible for the given modulus")
	}
	if r.Mod(r, size); mod.Sign() < 0 && r.Sign() != 0 {
		r.Add(r, mod)
	}
	return IntValue(r), nil
}

// DivMod is divmod(a, b) for an operation of int or, if ofFloat, of float.
func DivMod(a, b Number, ofFloat bool) (any, error) {
	if ofFloat && EqualNumbers(b, Number{Kind: Int}) {
		return nil, raise("ZeroDivisionError", "float divmod()")
	}
	q, err := Arithmetic("floordiv", a, b)
	if err != nil {
		return nil, err
	}
	m, err := Arithmetic("mod", a, b)
	return brine.Tuple{q, m}, err
}

// Round is round(n, digits), or round(n) if digits is nil: to even, correct for the decimal digits that a float stands
// for.
func Round(n Number, digits any) (any, error) {
	d := NumberOf(digits)
	if digits != nil && d.Kind != Int {
		return nil, raise("TypeError", "'%s' object cannot be interpreted as an integer", TypeName(digits))
	}
	if n.Kind == Int {
		if digits == nil || d.BigInt().Sign() >= 0 {
			return IntValue(n.BigInt()), nil
		}
		if d.Big != nil || d.Int < -int64(n.BigInt().BitLen()) {
			return int64(0), nil
		}
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(-d.Int), nil)
		q, m := new(big.Int).DivMod(n.BigInt(), unit, new(big.Int))
		if twice := m.Lsh(m, 1).Cmp(unit); twice > 0 || twice == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
		return IntValue(q.Mul(q, unit)), nil
	}
	if digits == nil {
		return Number{Kind: Float, Float: math.RoundToEven(n.Float)}.ToInt()
	}
	many := d.Big != nil && d.Big.Sign() > 0 || d.Big == nil && d.Int > 323
	if many || math.IsNaN(n.Float) || math.IsInf(n.Float, 0) {
		return n.Float, nil
	}
	if d.Big != nil || d.Int < -308 {
		return math.Copysign(0, n.Float), nil
	}
	return roundFloat(n.Float, int(d.Int)), nil
}

func roundFloat(f float64, digits int) float64 {
	if digits >= 0 {
		r, _, err := big.ParseFloat(new(big.Float).SetFloat64(f).Text('f', digits), 10, 53, big.ToNearestEven)
		if err != nil {
			return f
		}
		v, _ := r.Float64()
		return math.Copysign(v, f)
	}
	unit := math.Pow(10, float64(-digits))
	return math.RoundToEven(f/unit) * unit
}

// Negate is -n.
func Negate(n Number) any {
	switch n.Kind {
	case Int:
		return IntValue(new(big.Int).Neg(n.BigInt()))
	case Complex:
		return -n.Complex
	}
	return -n.Float
}

// Abs is abs(n).
func Abs(n Number) any {
	switch n.Kind {
	case Int:
		return IntValue(new(big.Int).Abs(n.BigInt()))
	case Complex:
		return math.Hypot(real(n.Complex), imag(n.Complex))
	}
	return math.Abs(n.Float)
}
