package exposed

import (
	"bytes"
	"context"
	"hash/maphash"
	"math"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// nestKey is under which a context carries how deep containers have been followed into one another. A peer can put a
// list into itself; no recursion over values may believe that it ends.
type nestKey struct{}

// descend is called on the way into a container. It fails when the nesting is too deep or the operation's context has
// ended, as a comparison of shared containers can take exponential time.
func descend(ctx context.Context, doing string) (context.Context, error) {
	depth, _ := ctx.Value(nestKey{}).(int)
	if depth >= maxNesting {
		return ctx, vinegar.RecursionError.New("maximum recursion depth exceeded" + doing)
	}
	if err := ctx.Err(); err != nil {
		return ctx, context.Cause(ctx)
	}
	return context.WithValue(ctx, nestKey{}, depth+1), nil
}

// Equal is Python's a == b. Values that cannot tell are equal only if they are the same object.
func Equal(ctx context.Context, a, b any) (bool, error) {
	a, _ = ByValue(a)
	b, _ = ByValue(b)
	return equal(ctx, a, b)
}

// equal is Equal for normal forms.
func equal(ctx context.Context, a, b any) (bool, error) {
	if eq, known := equalScalars(a, b); known {
		return eq, nil
	}
	v, err := richCompare(ctx, "__eq__", a, b)
	if err != nil {
		return false, err
	}
	return Truth(ctx, v)
}

// identicalOrEqual is how Python's containers look for an item.
func identicalOrEqual(ctx context.Context, a, b any) (bool, error) {
	if same(a, b) {
		return true, nil
	}
	return Equal(ctx, a, b)
}

// equalScalars compares what can be compared without asking anybody.
func equalScalars(a, b any) (eq, known bool) {
	switch x := a.(type) {
	case nil:
		if b == nil {
			return true, true
		}
	case string:
		if y, ok := b.(string); ok {
			return x == y, true
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Equal(x, y), true
		}
	case int64:
		if y, ok := b.(int64); ok {
			return x == y, true
		}
	}
	if n := toNumber(a); n.kind != notNumber {
		if m := toNumber(b); m.kind != notNumber {
			return equalNumbers(n, m), true
		}
	}
	return false, false
}

// richCompare applies a comparison operator as Python does: a's method, then b's reflected one, then identity for ==
// and !=. For the others the last resort is a TypeError.
func richCompare(ctx context.Context, op string, a, b any) (any, error) {
	v, err := special(ctx, a, op, b)
	if err != nil || v != any(brine.NotImplemented) {
		return v, err
	}
	v, err = special(ctx, b, reflected[op], a)
	if err != nil || v != any(brine.NotImplemented) {
		return v, err
	}
	switch op {
	case "__eq__":
		return same(a, b), nil
	case "__ne__":
		return !same(a, b), nil
	}
	return nil, vinegar.TypeError.Errorf("'%s' not supported between instances of '%s' and '%s'",
		compareOps[op], TypeName(a), TypeName(b))
}

// less is Python's a < b.
func less(ctx context.Context, a, b any) (bool, error) {
	v, err := richCompare(ctx, "__lt__", a, b)
	if err != nil {
		return false, err
	}
	return Truth(ctx, v)
}

// special calls a special method of v's class; NotImplemented if there is none.
func special(ctx context.Context, v any, op string, args ...any) (any, error) {
	if o, ok := v.(*netref.Object); ok {
		if _, compares := compareOps[op]; compares && len(args) == 1 {
			return o.Compare(ctx, op, args[0])
		}
		r, err := o.CallMethod(ctx, op, args...)
		if binary[op] && isAttributeError(err) {
			return brine.NotImplemented, nil
		}
		return r, err
	}
	a := ClassOf(v).flat[op]
	if a == nil {
		return brine.NotImplemented, nil
	}
	return a.invoke(ctx, v, NewArgs(args, nil))
}

// compareItems compares two sequences item by item: the operator is applied to the first two items that differ, or to
// the lengths.
func compareItems(ctx context.Context, op string, a, b []any) (any, error) {
	if (op == "__eq__" || op == "__ne__") && len(a) != len(b) {
		return op == "__ne__", nil
	}
	ctx, err := descend(ctx, " in comparison")
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(a) && i < len(b); i++ {
		eq, err := identicalOrEqual(ctx, a[i], b[i])
		if err != nil {
			return nil, err
		}
		if !eq {
			switch op {
			case "__eq__":
				return false, nil
			case "__ne__":
				return true, nil
			}
			x, _ := ByValue(a[i])
			y, _ := ByValue(b[i])
			return richCompare(ctx, op, x, y)
		}
	}
	return ordered(op, compareOrdered(len(a), len(b))), nil
}

// ordered turns an order into the result of a comparison operator.
func ordered(op string, order int) bool {
	switch op {
	case "__eq__":
		return order == 0
	case "__ne__":
		return order != 0
	case "__lt__":
		return order < 0
	case "__le__":
		return order <= 0
	case "__gt__":
		return order > 0
	}
	return order >= 0
}

// hashSeed makes hashes differ from process to process, as CPython's do.
var hashSeed = maphash.MakeSeed()

// hashValue is Python's hash(v) for a normal form: equal values have equal hashes.
func hashValue(ctx context.Context, v any) (int64, error) {
	switch x := v.(type) {
	case nil, brine.EllipsisType, brine.NotImplementedType:
		return hashOf(x), nil
	case string:
		return hashOf(x), nil
	case []byte:
		return int64(maphash.Bytes(hashSeed, x)), nil
	case brine.Tuple:
		return hashItems(ctx, x, func(h, item uint64) uint64 { return (h ^ item) * 0x100000001b3 })
	case brine.FrozenSet:
		return hashItems(ctx, x, func(h, item uint64) uint64 { return h + (item*item | 1) })
	case brine.Slice:
		return hashItems(ctx, brine.Tuple{x.Start, x.Stop, x.Step}, func(h, item uint64) uint64 { return h*31 + item })
	}
	if n := toNumber(v); n.kind != notNumber {
		return hashNumber(n), nil
	}
	h, err := Hash(ctx, v)
	if err != nil {
		return 0, err
	}
	return hashNumber(toNumber(h)), nil
}

func hashItems(ctx context.Context, items []any, mix func(h, item uint64) uint64) (int64, error) {
	ctx, err := descend(ctx, "")
	if err != nil {
		return 0, err
	}
	h := uint64(len(items)) + 0x9e3779b97f4a7c15
	for _, item := range items {
		form, _ := ByValue(item)
		ih, err := hashValue(ctx, form)
		if err != nil {
			return 0, err
		}
		h = mix(h, uint64(ih))
	}
	return int64(h), nil
}

func hashOf[T comparable](v T) int64 { return int64(maphash.Comparable(hashSeed, v)) }

// hashNumber follows CPython: the value modulo the prime 2**61-1 for integers and floats that equal one.
func hashNumber(n number) int64 {
	const prime = 1<<61 - 1
	switch n.kind {
	case kindInt:
		if n.big == nil && n.i > -prime && n.i < prime {
			if n.i == -1 {
				return -2
			}
			return n.i
		}
		m := new(big.Int).Abs(n.bigInt())
		m.Mod(m, big.NewInt(prime))
		h := m.Int64()
		if n.bigInt().Sign() < 0 {
			h = -h
		}
		if h == -1 {
			h = -2
		}
		return h
	case kindFloat:
		switch {
		case math.IsNaN(n.f):
			return 0
		case math.IsInf(n.f, 0):
			return int64(math.Copysign(314159, n.f))
		case n.f == math.Trunc(n.f):
			b, _ := new(big.Float).SetFloat64(n.f).Int(nil)
			return hashNumber(number{kind: kindInt, big: b})
		}
		return hashOf(n.f)
	case kindComplex:
		if imag(n.c) == 0 {
			return hashNumber(number{kind: kindFloat, f: real(n.c)})
		}
	}
	return hashOf(n.c)
}
