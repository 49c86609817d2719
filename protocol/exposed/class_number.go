package exposed

import (
	"context"
	"math"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// defineScalars gives the values that travel by value the special methods that a peer may call although it holds the
// value: sizes, items, comparison, arithmetic.
func defineScalars() {
	for _, c := range []*Class{intClass, floatClass, complexClass} {
		defineArithmetic(c)
	}
	for name, get := range map[string]func(n number) any{
		"real": func(n number) any { return real(n.c) }, "imag": func(n number) any { return imag(n.c) },
	} {
		complexClass.getter(name, func(self any) (any, error) { return get(toNumber(norm(self))), nil })
	}
	for _, c := range []*Class{intClass, floatClass} {
		c.getter("real", func(self any) (any, error) { return norm(self), nil })
		c.getter("imag", func(any) (any, error) {
			if c == floatClass {
				return 0.0, nil
			}
			return int64(0), nil
		})
	}
	intClass.getter("numerator", func(self any) (any, error) { return norm(self), nil })
	intClass.getter("denominator", func(any) (any, error) { return int64(1), nil })
	for _, c := range []*Class{intClass, floatClass} {
		c.method("__int__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return toInt(self) })
		c.method("__float__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
			return toNumber(norm(self)).float()
		})
	}
	intClass.method("__index__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return toInt(self) })
	intClass.method("__invert__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return intForm(new(big.Int).Not(toNumber(norm(self)).bigInt())), nil
	})
	for _, op := range []string{"and", "or", "xor"} {
		defineBinary(intClass, op)
	}
	definePower()
	for _, c := range []*Class{strClass, bytesClass, tupleClass, frozensetClass} {
		defineContainer(c)
	}
	for _, c := range []*Class{strClass, bytesClass, tupleClass} {
		defineSequence(c)
	}
	defineSetComparison(frozensetClass)
	defineSetAlgebra(frozensetClass)
	for _, c := range []*Class{strClass, bytesClass, tupleClass, frozensetClass, intClass, floatClass, complexClass} {
		c.method("__hash__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
			return hashValue(ctx, norm(self))
		})
	}
}

func toInt(v any) (any, error) {
	n := toNumber(norm(v))
	if n.kind == kindInt {
		return intForm(n.bigInt()), nil
	}
	switch {
	case math.IsNaN(n.f):
		return nil, vinegar.ValueError.New("cannot convert float NaN to integer")
	case math.IsInf(n.f, 0):
		return nil, vinegar.OverflowError.New("cannot convert float infinity to integer")
	}
	b, _ := new(big.Float).SetFloat64(n.f).Int(nil)
	return intForm(b), nil
}

func defineBinary(c *Class, op string) {
	c.method("__"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		a, b, ok := operands(self, args[0])
		if !ok {
			return brine.NotImplemented, nil
		}
		return arithmetic(op, a, b)
	})
	c.method("__r"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		a, b, ok := operands(self, args[0])
		if !ok {
			return brine.NotImplemented, nil
		}
		return arithmetic(op, b, a)
	})
}

// operands takes the two numbers of a method of the first: an int leaves it to a float to deal with both.
func operands(self, other any) (a, b number, ok bool) {
	a, b = toNumber(norm(self)), toNumber(norm(other))
	return a, b, b.kind != notNumber && b.kind <= a.kind
}

func defineArithmetic(c *Class) {
	for _, op := range []string{"add", "sub", "mul", "truediv", "floordiv", "mod"} {
		defineBinary(c, op)
	}
	for op := range compareOps {
		c.method(op, 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			a, b, ok := operands(self, args[0])
			switch {
			case !ok:
				return brine.NotImplemented, nil
			case op == "__eq__" || op == "__ne__":
				return equalNumbers(a, b) == (op == "__eq__"), nil
			case a.kind == kindComplex || b.kind == kindComplex:
				return brine.NotImplemented, nil
			}
			order, known := compareNumbers(a, b)
			return known && ordered(op, order), nil
		})
	}
	c.method("__neg__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		switch n := toNumber(norm(self)); n.kind {
		case kindInt:
			return intForm(new(big.Int).Neg(n.bigInt())), nil
		case kindComplex:
			return -n.c, nil
		default:
			return -n.f, nil
		}
	})
	c.method("__pos__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return self, nil })
	c.method("__abs__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		switch n := toNumber(norm(self)); n.kind {
		case kindInt:
			return intForm(new(big.Int).Abs(n.bigInt())), nil
		case kindComplex:
			return math.Hypot(real(n.c), imag(n.c)), nil
		default:
			return math.Abs(n.f), nil
		}
	})
	c.method("__bool__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		return !equalNumbers(toNumber(norm(self)), number{kind: kindInt}), nil
	})
}

// definePower gives numbers the operators whose results can be out of proportion to their operands: powers and
// shifts are refused before they are computed if the result would be longer than maxBits.
func definePower() {
	for _, c := range []*Class{intClass, floatClass, complexClass} {
		c.method("__pow__", 1, 2, func(_ context.Context, self any, args []any) (any, error) {
			a, b, ok := operands(self, args[0])
			if !ok {
				return brine.NotImplemented, nil
			}
			if len(args) == 2 && args[1] != nil {
				return modularPower(a, b, toNumber(norm(args[1])))
			}
			return power(a, b)
		})
		c.method("__rpow__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			a, b, ok := operands(self, args[0])
			if !ok {
				return brine.NotImplemented, nil
			}
			return power(b, a)
		})
	}
	for _, c := range []*Class{intClass, floatClass} {
		both := func(a, b number) (any, error) {
			if c == floatClass && equalNumbers(b, number{kind: kindInt}) {
				return nil, vinegar.ZeroDivisionError.New("float divmod()")
			}
			q, err := arithmetic("floordiv", a, b)
			if err != nil {
				return nil, err
			}
			m, err := arithmetic("mod", a, b)
			return brine.Tuple{q, m}, err
		}
		c.method("__divmod__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return both(a, b)
			}
			return brine.NotImplemented, nil
		})
		c.method("__rdivmod__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return both(b, a)
			}
			return brine.NotImplemented, nil
		})
	}
	for _, op := range []string{"lshift", "rshift"} {
		intClass.method("__"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return shift(op, a, b)
			}
			return brine.NotImplemented, nil
		})
		intClass.method("__r"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return shift(op, b, a)
			}
			return brine.NotImplemented, nil
		})
	}
	intClass.method("bit_length", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return int64(toNumber(norm(self)).bigInt().BitLen()), nil
	})
	floatClass.method("is_integer", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		f := toNumber(norm(self)).f
		return f == math.Trunc(f) && !math.IsInf(f, 0), nil
	})
	for _, c := range []*Class{intClass, floatClass} {
		c.method("__round__", 0, 1, func(_ context.Context, self any, args []any) (any, error) {
			var digits any
			if len(args) == 1 {
				digits = norm(args[0])
			}
			return round(toNumber(norm(self)), digits)
		})
	}
}
