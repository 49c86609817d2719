package exposed

import (
	"context"
	"math"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// defineScalars gives the values that travel by value the special methods that a peer may call although it holds the
// value: sizes, items, comparison, arithmetic.
func defineScalars() {
	for _, c := range []*Class{intClass, floatClass, complexClass} {
		defineArithmetic(c)
	}
	for name, get := range map[string]func(n pyvalue.Number) any{
		"real": func(n pyvalue.Number) any { return real(n.Complex) }, "imag": func(n pyvalue.Number) any { return imag(n.Complex) },
	} {
		complexClass.getter(name, func(self any) (any, error) { return get(pyvalue.NumberOf(norm(self))), nil })
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
			return raised(pyvalue.NumberOf(norm(self)).ToFloat())
		})
	}
	intClass.method("__index__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return toInt(self) })
	intClass.method("__invert__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return pyvalue.IntValue(new(big.Int).Not(pyvalue.NumberOf(norm(self)).BigInt())), nil
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

func toInt(v any) (any, error) { return raised(pyvalue.NumberOf(norm(v)).ToInt()) }

func defineBinary(c *Class, op string) {
	c.method("__"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		a, b, ok := operands(self, args[0])
		if !ok {
			return brine.NotImplemented, nil
		}
		return raised(pyvalue.Arithmetic(op, a, b))
	})
	c.method("__r"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		a, b, ok := operands(self, args[0])
		if !ok {
			return brine.NotImplemented, nil
		}
		return raised(pyvalue.Arithmetic(op, b, a))
	})
}

// operands takes the two numbers of a method of the first: an int leaves it to a float to deal with both.
func operands(self, other any) (a, b pyvalue.Number, ok bool) {
	a, b = pyvalue.NumberOf(norm(self)), pyvalue.NumberOf(norm(other))
	return a, b, b.Kind != pyvalue.NotNumber && b.Kind <= a.Kind
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
				return pyvalue.EqualNumbers(a, b) == (op == "__eq__"), nil
			case a.Kind == pyvalue.Complex || b.Kind == pyvalue.Complex:
				return brine.NotImplemented, nil
			}
			order, known := pyvalue.CompareNumbers(a, b)
			return known && ordered(op, order), nil
		})
	}
	c.method("__neg__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return pyvalue.Negate(pyvalue.NumberOf(norm(self))), nil
	})
	c.method("__pos__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return self, nil })
	c.method("__abs__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		switch n := pyvalue.NumberOf(norm(self)); n.Kind {
		case pyvalue.Int:
			return pyvalue.IntValue(new(big.Int).Abs(n.BigInt())), nil
		case pyvalue.Complex:
			return math.Hypot(real(n.Complex), imag(n.Complex)), nil
		default:
			return math.Abs(n.Float), nil
		}
	})
	c.method("__bool__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		return !pyvalue.EqualNumbers(pyvalue.NumberOf(norm(self)), pyvalue.Number{Kind: pyvalue.Int}), nil
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
				return raised(pyvalue.ModularPower(a, b, pyvalue.NumberOf(norm(args[1]))))
			}
			return raised(pyvalue.Power(a, b))
		})
		c.method("__rpow__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			a, b, ok := operands(self, args[0])
			if !ok {
				return brine.NotImplemented, nil
			}
			return raised(pyvalue.Power(b, a))
		})
	}
	for _, c := range []*Class{intClass, floatClass} {
		c.method("__divmod__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return raised(pyvalue.DivMod(a, b, c == floatClass))
			}
			return brine.NotImplemented, nil
		})
		c.method("__rdivmod__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return raised(pyvalue.DivMod(b, a, c == floatClass))
			}
			return brine.NotImplemented, nil
		})
	}
	for _, op := range []string{"lshift", "rshift"} {
		intClass.method("__"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return raised(pyvalue.Shift(op, a, b))
			}
			return brine.NotImplemented, nil
		})
		intClass.method("__r"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			if a, b, ok := operands(self, args[0]); ok {
				return raised(pyvalue.Shift(op, b, a))
			}
			return brine.NotImplemented, nil
		})
	}
	intClass.method("bit_length", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return int64(pyvalue.NumberOf(norm(self)).BigInt().BitLen()), nil
	})
	floatClass.method("is_integer", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		f := pyvalue.NumberOf(norm(self)).Float
		return f == math.Trunc(f) && !math.IsInf(f, 0), nil
	})
	for _, c := range []*Class{intClass, floatClass} {
		c.method("__round__", 0, 1, func(_ context.Context, self any, args []any) (any, error) {
			var digits any
			if len(args) == 1 {
				digits = norm(args[0])
			}
			return raised(pyvalue.Round(pyvalue.NumberOf(norm(self)), digits))
		})
	}
}
