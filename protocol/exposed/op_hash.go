package exposed

import (
	"context"
	"fmt"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
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
		if n := pyvalue.NumberOf(norm(r)); n.Kind == pyvalue.Int {
			return pyvalue.IntValue(n.BigInt()), nil
		}
		return nil, vinegar.TypeError.New("__hash__ method should return an integer")
	}
	if pyvalue.TypeName(v) != "" {
		return hashValue(ctx, v)
	}
	key, ok := Identity(v)
	if !ok || c.flat["__eq__"] != objectClass.flat["__eq__"] {
		return nil, unhashable(c)
	}
	return pyvalue.HashOf(key), nil
}

func unhashable(c *Class) error {
	return vinegar.TypeError.Errorf("unhashable type: '%s'", c.name)
}

// hashValue is Python's hash(v) for a value in its normal form: equal values have equal hashes.
func hashValue(ctx context.Context, v any) (int64, error) {
	switch x := v.(type) {
	case brine.Tuple:
		return hashItems(ctx, x, pyvalue.HashTuple)
	case brine.FrozenSet:
		return hashItems(ctx, x, pyvalue.HashFrozenSet)
	case brine.Slice:
		return hashItems(ctx, []any{x.Start, x.Stop, x.Step}, pyvalue.HashSlice)
	}
	if h, ok := pyvalue.HashScalar(v); ok {
		return h, nil
	}
	h, err := Hash(ctx, v)
	if err != nil {
		return 0, err
	}
	return pyvalue.HashNumber(pyvalue.NumberOf(h)), nil
}

func hashItems(ctx context.Context, items []any, of func(hashes []int64) int64) (int64, error) {
	ctx, err := Descend(ctx, "")
	if err != nil {
		return 0, err
	}
	hashes := make([]int64, len(items))
	for i, item := range items {
		form, _ := ByValue(item)
		if hashes[i], err = hashValue(ctx, form); err != nil {
			return 0, err
		}
	}
	return of(hashes), nil
}

// address is a number that stands for the object where Python shows its address. It is no address, so that peers
// learn nothing about the memory layout, but constant for the object.
func address(v any) string {
	key, ok := Identity(v)
	if !ok {
		key = v
		if t := reflect.TypeOf(v); t == nil || !t.Comparable() {
			key = t
		}
	}
	return fmt.Sprintf("0x7f%010x", uint64(pyvalue.HashOf(key))&0xffffffffff)
}
