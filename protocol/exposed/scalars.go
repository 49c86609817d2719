package exposed

import (
	"bytes"
	"context"
	"math"
	"math/big"
	"slices"
	"strings"

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

func defineContainer(c *Class) {
	c.method("__len__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return int64(scalarLen(norm(self))), nil
	})
	c.method("__iter__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return overScalar(norm(self)).as(iteratorClassOf(c)), nil
	})
	c.method("__contains__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		v := norm(args[0])
		switch x := norm(self).(type) {
		case string:
			s, ok := v.(string)
			if !ok {
				return nil, vinegar.TypeError.Errorf("'in <string>' requires string as left operand, not %s", TypeName(v))
			}
			return strings.Contains(x, s), nil
		case []byte:
			if p, ok := v.([]byte); ok {
				return bytes.Contains(x, p), nil
			}
			n := toNumber(v)
			if n.kind != kindInt {
				return nil, vinegar.TypeError.Errorf("a bytes-like object is required, not '%s'", TypeName(v))
			}
			if n.big != nil || n.i < 0 || n.i > 255 {
				return nil, vinegar.ValueError.New("byte must be in range(0, 256)")
			}
			return bytes.IndexByte(x, byte(n.i)) >= 0, nil
		case brine.FrozenSet:
			if _, err := hashValue(ctx, v); err != nil {
				return nil, err
			}
		}
		all, _ := scalarItems(norm(self))
		i, err := search(ctx, all, v, 0, len(all))
		return i >= 0, err
	})
}

func defineSequence(c *Class) {
	c.method("__getitem__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		key := norm(args[0])
		switch x := norm(self).(type) {
		case string:
			return sliced(ctx, "string", []rune(x), key, func(r rune) any { return string(r) }, func(part []rune) any { return string(part) })
		case []byte:
			return sliced(ctx, "byte", x, key, func(b byte) any { return int64(b) }, func(part []byte) any { return part })
		}
		all, _ := scalarItems(norm(self))
		return sliced(ctx, "tuple", all, key, itself, func(part []any) any { return brine.Tuple(part) })
	})
	c.method("__add__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		switch x := norm(self).(type) {
		case string:
			if y, ok := norm(args[0]).(string); ok {
				if len(x)+len(y) > maxRead {
					return nil, joinedTooMuch()
				}
				return x + y, nil
			}
			return nil, vinegar.TypeError.Errorf(`can only concatenate str (not "%s") to str`, TypeName(args[0]))
		case []byte:
			if y, ok := norm(args[0]).([]byte); ok {
				if len(x)+len(y) > maxRead {
					return nil, joinedTooMuch()
				}
				return append(append([]byte{}, x...), y...), nil
			}
			return nil, vinegar.TypeError.Errorf("can't concat %s to bytes", TypeName(args[0]))
		case brine.Tuple:
			if y, ok := norm(args[0]).(brine.Tuple); ok {
				if len(x)+len(y) > maxJoined {
					return nil, joinedTooMuch()
				}
				return append(append(brine.Tuple{}, x...), y...), nil
			}
		}
		return nil, vinegar.TypeError.Errorf(`can only concatenate tuple (not "%s") to tuple`, TypeName(args[0]))
	})
	for _, op := range []string{"__mul__", "__rmul__"} {
		c.method(op, 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
			most, length := maxItems, scalarLen(norm(self))
			switch x := norm(self).(type) {
			case string:
				most, length = maxText, len(x)
			case []byte:
				most = maxText
			}
			n, err := repeats(ctx, length, most, args[0])
			if err != nil {
				return nil, err
			}
			switch x := norm(self).(type) {
			case string:
				return strings.Repeat(x, n), nil
			case []byte:
				return bytes.Repeat(x, n), nil
			}
			all, _ := scalarItems(norm(self))
			return brine.Tuple(slices.Repeat(all, n)), nil
		})
	}
	for op := range compareOps {
		c.method(op, 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
			switch x := norm(self).(type) {
			case string:
				if y, ok := norm(args[0]).(string); ok {
					return ordered(op, compareOrdered(x, y)), nil
				}
			case []byte:
				if y, ok := norm(args[0]).([]byte); ok {
					return ordered(op, bytes.Compare(x, y)), nil
				}
			case brine.Tuple:
				if y, ok := norm(args[0]).(brine.Tuple); ok {
					return compareItems(ctx, op, x, y)
				}
			}
			return brine.NotImplemented, nil
		})
	}
}
