package exposed

import (
	"math"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func tooLarge() error { return vinegar.OverflowError.New("integer too large") }

func shift(op string, a, b number) (any, error) {
	switch n := b.bigInt(); {
	case n.Sign() < 0:
		return nil, vinegar.ValueError.New("negative shift count")
	case op == "rshift" && b.big != nil:
		return int64(a.bigInt().Sign() >> 1), nil
	case op == "rshift":
		return intForm(new(big.Int).Rsh(a.bigInt(), uint(b.i))), nil
	case a.bigInt().Sign() == 0:
		return int64(0), nil
	case b.big != nil || b.i+int64(a.bigInt().BitLen()) > maxBits:
		return nil, tooLarge()
	}
	return intForm(new(big.Int).Lsh(a.bigInt(), uint(b.i))), nil
}

func power(a, b number) (any, error) {
	if a.kind == kindInt && b.kind == kindInt && b.bigInt().Sign() >= 0 {
		base := a.bigInt()
		if base.IsInt64() && base.Int64() >= -1 && base.Int64() <= 1 {
			odd := b.bigInt().Bit(0) == 1
			switch {
			case b.bigInt().Sign() == 0 || base.Int64() == -1 && !odd:
				return int64(1), nil
			default:
				return base.Int64(), nil
			}
		}
		if b.big != nil || b.i*int64(base.BitLen()) > maxBits || b.i > maxBits {
			return nil, tooLarge()
		}
		return intForm(new(big.Int).Exp(base, b.bigInt(), nil)), nil
	}
	if a.kind == kindComplex || b.kind == kindComplex {
		return brine.NotImplemented, nil
	}
	x, err := a.float()
	if err != nil {
		return nil, err
	}
	y, err := b.float()
	if err != nil {
		return nil, err
	}
	switch r := math.Pow(x, y); {
	case x == 0 && y < 0:
		return nil, vinegar.ZeroDivisionError.New("0.0 cannot be raised to a negative power")
	case math.IsNaN(r) && !math.IsNaN(x) && !math.IsNaN(y):
		return nil, vinegar.ValueError.New("negative number cannot be raised to a fractional power")
	case math.IsInf(r, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return nil, vinegar.OverflowError.New(int64(34), "Numerical result out of range")
	default:
		return r, nil
	}
}

func modularPower(a, b, m number) (any, error) {
	if a.kind != kindInt || b.kind != kindInt || m.kind != kindInt {
		return nil, vinegar.TypeError.New("pow() 3rd argument not allowed unless all arguments are integers")
	}
	mod := m.bigInt()
	if mod.Sign() == 0 {
		return nil, vinegar.ValueError.New("pow() 3rd argument cannot be 0")
	}
	size := new(big.Int).Abs(mod)
	r := new(big.Int).Exp(new(big.Int).Mod(a.bigInt(), size), b.bigInt(), size)
	if r == nil {
		return nil, vinegar.ValueError.New("base is not invertible for the given modulus")
	}
	if r.Mod(r, size); mod.Sign() < 0 && r.Sign() != 0 {
		r.Add(r, mod)
	}
	return intForm(r), nil
}

// round is round(n, digits): to even, correct for the decimal digits that a float stands for.
func round(n number, digits any) (any, error) {
	d := toNumber(digits)
	if digits != nil && d.kind != kindInt {
		return nil, notIndex(digits)
	}
	if n.kind == kindInt {
		if digits == nil || d.bigInt().Sign() >= 0 {
			return intForm(n.bigInt()), nil
		}
		if d.big != nil || d.i < -int64(n.bigInt().BitLen()) {
			return int64(0), nil
		}
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(-d.i), nil)
		q, m := new(big.Int).DivMod(n.bigInt(), unit, new(big.Int))
		if twice := m.Lsh(m, 1).Cmp(unit); twice > 0 || twice == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
		return intForm(q.Mul(q, unit)), nil
	}
	if digits == nil {
		return toInt(math.RoundToEven(n.f))
	}
	if math.IsNaN(n.f) || math.IsInf(n.f, 0) || d.big != nil && d.big.Sign() > 0 || d.big == nil && d.i > 323 {
		return n.f, nil
	}
	if d.big != nil || d.i < -308 {
		return math.Copysign(0, n.f), nil
	}
	return roundFloat(n.f, int(d.i)), nil
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
