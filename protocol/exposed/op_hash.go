package exposed

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Hash is Python's hash(v): an int64, or a *big.Int if the object's own method returns one. Objects that define
// equality without a hash are unhashable, as in Python.
func Hash(ctx context.Context, v any) (h any, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Request(ctx, wire.HandleHash)
	}
	c := ClassOf(v)
	a := c.flat["__hash__"]
	if a != objectClass.flat["__hash__"] {
		r, err := a.invoke(ctx, v, &Args{})
		if err != nil {
			return nil, err
		}
		if n := toNumber(norm(r)); n.kind == kindInt {
			return intForm(n.bigInt()), nil
		}
		return nil, vinegar.TypeError.New("__hash__ method should return an integer")
	}
	switch v.(type) {
	case nil, bool, int64, *big.Int, float64, complex128, string, []byte,
		brine.Tuple, brine.FrozenSet, brine.Slice, brine.EllipsisType, brine.NotImplementedType:
		return hashValue(ctx, v)
	}
	key, ok := Identity(v)
	if !ok || c.flat["__eq__"] != objectClass.flat["__eq__"] {
		return nil, unhashable(c)
	}
	return hashOf(key), nil
}

func unhashable(c *Class) error {
	return vinegar.TypeError.Errorf("unhashable type: '%s'", c.name)
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
	ctx, err := Descend(ctx, "")
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

// address is a number that stands for the object where Python shows its address. It is no address, so that peers
// learn nothing about the memory layout, but constant for the object.
func address(v any) string {
	key, ok := Identity(v)
	if !ok {
		key = v
		if t := typeOf(v); t == nil || !t.Comparable() {
			key = t
		}
	}
	return fmt.Sprintf("0x7f%010x", uint64(hashOf(key))&0xffffffffff)
}
