package exposed

import (
	"context"
	"errors"
	"math"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Truth is Python's bool(v).
func Truth(ctx context.Context, v any) (bool, error) {
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return remoteTruth(ctx, o)
	}
	if truth, plain := pyvalue.Truth(v); plain {
		return truth, nil
	}
	c := ClassOf(v)
	if a := c.flat["__bool__"]; a != nil {
		r, err := a.invoke(ctx, v, &Args{})
		if err != nil {
			return false, err
		}
		b, ok := norm(r).(bool)
		if !ok {
			return false, vinegar.TypeError.Errorf("__bool__ should return bool, returned %s", TypeName(r))
		}
		return b, nil
	}
	if c.flat["__len__"] != nil {
		n, err := Len(ctx, v)
		return n != 0, err
	}
	return true, nil
}

// remoteTruth does what bool() does with a proxy: not every class has __bool__, or __len__ in its place.
func remoteTruth(ctx context.Context, o *netref.Object) (bool, error) {
	for _, name := range []string{"__bool__", "__len__"} {
		v, err := o.CallMethod(ctx, name)
		if isAttributeError(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		return Truth(ctx, v)
	}
	return true, nil
}

// Len is Python's len(v).
func Len(ctx context.Context, v any) (n int, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		n, err := o.Len(ctx)
		if errors.Is(err, vinegar.AttributeError) { // what its peer says of a method that is not there
			err = noLen(v)
		}
		return n, err
	}
	a := ClassOf(v).flat["__len__"]
	if a == nil {
		return 0, noLen(v)
	}
	r, err := a.invoke(ctx, v, &Args{})
	if err != nil {
		return 0, err
	}
	return asIndex(norm(r))
}

func noLen(v any) error {
	return vinegar.TypeError.Errorf("object of type '%s' has no len()", TypeName(v))
}

// asIndex takes a non-negative size.
func asIndex(v any) (int, error) {
	n := pyvalue.NumberOf(v)
	switch {
	case n.Kind != pyvalue.Int:
		return 0, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(v))
	case n.Big != nil || n.Int > math.MaxInt:
		return 0, vinegar.OverflowError.New("cannot fit 'int' into an index-sized integer")
	case n.Int < 0:
		return 0, vinegar.ValueError.New("__len__() should return >= 0")
	}
	return int(n.Int), nil
}
