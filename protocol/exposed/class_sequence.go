package exposed

import (
	"bytes"
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/reading"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	strClass       = builtin("builtins.str", objectClass)
	bytesClass     = builtin("builtins.bytes", objectClass)
	tupleClass     = builtin("builtins.tuple", objectClass)
	frozensetClass = builtin("builtins.frozenset", objectClass)

	_ = show[brine.Tuple](tupleClass)
	_ = show[brine.FrozenSet](frozensetClass)
	_ = showKind(strClass, func(t reflect.Type) bool { return t.Kind() == reflect.String })
	_ = showKind(bytesClass, func(t reflect.Type) bool {
		return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && isByte(t.Elem())
	})
	_ = showKind(tupleClass, func(t reflect.Type) bool { return t.Kind() == reflect.Array && !isByte(t.Elem()) })

	_ = define(strClass, defineSequence)
	_ = define(bytesClass, defineSequence)
	_ = define(tupleClass, defineSequence)
	_ = define(frozensetClass, func(c *Class) {
		defineContainer(c)
		defineSetComparison(c)
		defineSetAlgebra(c)
	})
)

// defineContainer gives containers that travel by value the special methods that a peer may call although it holds the
// value.
func defineContainer(c *Class) {
	c.method("__hash__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		return hashValue(ctx, norm(self))
	})
	c.method("__len__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return int64(pyvalue.Len(norm(self))), nil
	})
	c.method("__iter__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		v := norm(self)
		it := overPlain(v).as(iteratorClassOf(c))
		return it, quota.Pay(ctx, it, quota.Weight(v))
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
			n := pyvalue.NumberOf(v)
			if n.Kind != pyvalue.Int {
				return nil, vinegar.TypeError.Errorf("a bytes-like object is required, not '%s'", TypeName(v))
			}
			if n.Big != nil || n.Int < 0 || n.Int > 255 {
				return nil, vinegar.ValueError.New("byte must be in range(0, 256)")
			}
			return bytes.IndexByte(x, byte(n.Int)) >= 0, nil
		case brine.FrozenSet:
			if _, err := hashValue(ctx, v); err != nil {
				return nil, err
			}
		}
		all, _ := pyvalue.Items(norm(self))
		i, err := search(ctx, all, v, 0, len(all))
		return i >= 0, err
	})
}

// defineSequence gives those that have an order its methods besides.
func defineSequence(c *Class) {
	defineContainer(c)
	c.method("__getitem__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		key := norm(args[0])
		switch x := norm(self).(type) {
		case string:
			return sliced(ctx, "string", []rune(x), key,
				func(r rune) any { return string(r) }, func(part []rune) any { return string(part) })
		case []byte:
			return sliced(ctx, "byte", x, key, func(b byte) any { return int64(b) }, func(part []byte) any { return part })
		}
		all, _ := pyvalue.Items(norm(self))
		return sliced(ctx, "tuple", all, key, itself, func(part []any) any { return brine.Tuple(part) })
	})
	c.method("__add__", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
		switch x := norm(self).(type) {
		case string:
			if y, ok := norm(args[0]).(string); ok {
				if len(x)+len(y) > reading.Max {
					return nil, joinedTooMuch()
				}
				return x + y, nil
			}
			return nil, vinegar.TypeError.Errorf(`can only concatenate str (not "%s") to str`, TypeName(args[0]))
		case []byte:
			if y, ok := norm(args[0]).([]byte); ok {
				if len(x)+len(y) > reading.Max {
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
			most, length := maxItems, pyvalue.Len(norm(self))
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
			all, _ := pyvalue.Items(norm(self))
			return brine.Tuple(slices.Repeat(all, n)), nil
		})
	}
	for op := range names.Comparisons {
		c.method(op, 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
			switch x := norm(self).(type) {
			case string:
				if y, ok := norm(args[0]).(string); ok {
					return ordered(op, cmp.Compare(x, y)), nil
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

// iteratorClassOf is the class of the iterators over values that travel by value.
func iteratorClassOf(c *Class) *Class {
	switch c {
	case tupleClass:
		return tupleIteratorClass
	case frozensetClass:
		return setIteratorClass
	}
	return nil
}
