package exposed

import (
	"context"
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
)

var (
	intClass     = builtin("builtins.int", objectClass)
	boolClass    = builtin("builtins.bool", intClass)
	floatClass   = builtin("builtins.float", objectClass)
	complexClass = builtin("builtins.complex", objectClass)

	_ = show[big.Int](intClass)
	_ = show[*big.Int](intClass)
	_ = show[time.Duration](floatClass)
	_ = showKind(boolClass, func(t reflect.Type) bool { return t.Kind() == reflect.Bool })
	_ = showKind(intClass, func(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr })
	_ = showKind(floatClass, func(t reflect.Type) bool {
		return t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	})
	_ = showKind(complexClass, func(t reflect.Type) bool {
		return t.Kind() == reflect.Complex64 || t.Kind() == reflect.Complex128
	})

	_ = define(intClass, defineInt)
	_ = define(floatClass, defineFloat)
	_ = define(complexClass, defineComplex)
)

// Peers hold numbers themselves; what follows is for those that call a special method of one all the same.

func defineInt(c *Class) {
	defineNumber(c)
	defineReal(c, int64(0))
	c.getter("numerator", func(self any) (any, error) { return norm(self), nil })
	c.getter("denominator", func(any) (any, error) { return int64(1), nil })
	c.method("__index__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return raised(pyvalue.NumberOf(norm(self)).ToInt())
	})
	c.method("__invert__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return pyvalue.IntValue(new(big.Int).Not(pyvalue.NumberOf(norm(self)).BigInt())), nil
	})
	for _, op := range []string{"and", "or", "xor"} {
		numberOperator(c, op, func(a, b pyvalue.Number) (any, error) { return pyvalue.Arithmetic(op, a, b) })
	}
	for _, op := range []string{"lshift", "rshift"} {
		numberOperator(c, op, func(a, b pyvalue.Number) (any, error) { return pyvalue.Shift(op, a, b) })
	}
	c.method("bit_length", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return int64(pyvalue.NumberOf(norm(self)).BigInt().BitLen()), nil
	})
}

func defineFloat(c *Class) {
	defineNumber(c)
	defineReal(c, 0.0)
	c.method("is_integer", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		f := pyvalue.NumberOf(norm(self)).Float
		return f == math.Trunc(f) && !math.IsInf(f, 0), nil
	})
}

func defineComplex(c *Class) {
	defineNumber(c)
	c.getter("real", func(self any) (any, error) { return real(pyvalue.NumberOf(norm(self)).Complex), nil })
	c.getter("imag", func(self any) (any, error) { return imag(pyvalue.NumberOf(norm(self)).Complex), nil })
}

// defineReal gives int and float what complex does not have. zero is the imaginary part.
func defineReal(c *Class, zero any) {
	c.getter("real", func(self any) (any, error) { return norm(self), nil })
	c.getter("imag", func(any) (any, error) { return zero, nil })
	c.method("__int__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return raised(pyvalue.NumberOf(norm(self)).ToInt())
	})
	c.method("__float__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return raised(pyvalue.NumberOf(norm(self)).ToFloat())
	})
	c.method("__round__", 0, 1, func(_ context.Context, self any, args []any) (any, error) {
		var digits any
		if len(args) == 1 {
			digits = norm(args[0])
		}
		return raised(pyvalue.Round(pyvalue.NumberOf(norm(self)), digits))
	})
	numberOperator(c, "divmod", func(a, b pyvalue.Number) (any, error) { return pyvalue.DivMod(a, b, c == floatClass) })
}

// defineNumber gives a class of numbers what all of them have.
func defineNumber(c *Class) {
	for _, op := range []string{"add", "sub", "mul", "truediv", "floordiv", "mod"} {
		numberOperator(c, op, func(a, b pyvalue.Number) (any, error) { return pyvalue.Arithmetic(op, a, b) })
	}
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
	numberOperator(c, "pow", pyvalue.Power) // of which __pow__ is there already
	for op := range names.Comparisons {
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
		return pyvalue.Abs(pyvalue.NumberOf(norm(self))), nil
	})
	c.method("__bool__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return !pyvalue.EqualNumbers(pyvalue.NumberOf(norm(self)), pyvalue.Number{Kind: pyvalue.Int}), nil
	})
	c.method("__hash__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		return hashValue(ctx, norm(self))
	})
}

// numberOperator enters a binary operator and its reflected form. An operand that f cannot take is left to the other
// side.
func numberOperator(c *Class, op string, f func(a, b pyvalue.Number) (any, error)) {
	c.method("__"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		if a, b, ok := operands(self, args[0]); ok {
			return raised(f(a, b))
		}
		return brine.NotImplemented, nil
	})
	c.method("__r"+op+"__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		if a, b, ok := operands(self, args[0]); ok {
			return raised(f(b, a))
		}
		return brine.NotImplemented, nil
	})
}

// operands takes the two numbers of a method of the first: an int leaves it to a float to deal with both.
func operands(self, other any) (a, b pyvalue.Number, ok bool) {
	a, b = pyvalue.NumberOf(norm(self)), pyvalue.NumberOf(norm(other))
	return a, b, b.Kind != pyvalue.NotNumber && b.Kind <= a.Kind
}
