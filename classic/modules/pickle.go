//go:build unix

package modules

import (
	"context"
	"math/big"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	pickleError      = vinegar.NewClass("_pickle.PickleError")
	errorPickling    = vinegar.NewClass("_pickle.PicklingError", pickleError)
	errorUnpickling  = vinegar.NewClass("_pickle.UnpicklingError", pickleError)
	highestProtocol  = int64(pickle.HighestProtocol)
	standardProtocol = int64(4)
)

// newCompat makes rpyc.lib.compat, where RPyC's deliver looks for pickle.
func newCompat(in *Interpreter) *Module {
	return New("rpyc.lib.compat", "compatibility module for various versions of python").Const("pickle", in.must("pickle"),
		"is_py_3k", true)
}

// newPickle makes the module pickle, for data: nothing in a pickle is looked up or executed.
func newPickle(*Interpreter) *Module {
	m := New("pickle", "Create portable serialized representations of Python objects.")
	m.Const("HIGHEST_PROTOCOL", highestProtocol, "DEFAULT_PROTOCOL", standardProtocol, "PickleError", pickleError,
		"PicklingError", errorPickling,
		"UnpicklingError", errorUnpickling)
	m.Def("dumps", func(ctx context.Context, v any, version any) ([]byte, error) {
		n, ok := version.(int64)
		if version == nil {
			n, ok = standardProtocol, true
		}
		if !ok || n > highestProtocol {
			return nil, vinegar.ValueError.Errorf("pickle protocol must be <= %d", highestProtocol)
		}
		if n < 0 {
			n = highestProtocol
		}
		return protocol.Pickle(ctx, v, int(n))
	}, "obj", "protocol=None")
	m.Def("loads", func(ctx context.Context, data any) (any, error) {
		b, err := bytesOf(ctx, data)
		if err != nil {
			return nil, err
		}
		v, err := pickle.Unmarshal(b)
		if err != nil {
			return nil, errorUnpickling.New(err.Error())
		}
		return unpickled(ctx, v, map[any]any{})
	}, "data", "/")
	return m
}

// unpickled makes Python's objects of what was in a pickle. Types that Go has and Python's modules here lack are
// refused.
func unpickled(ctx context.Context, v any, seen map[any]any) (any, error) {
	each := func(items []any, add func(any) error) error {
		for _, item := range items {
			x, err := unpickled(ctx, item, seen)
			if err == nil {
				err = add(x)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	switch x := v.(type) {
	case nil, bool, int64, *big.Int, float64, complex128, string, []byte, time.Duration, brine.Slice, brine.EllipsisType,
		brine.NotImplementedType:
		return x, nil
	case brine.Tuple:
		t := brine.Tuple{}
		err := each(x, func(v any) error { t = append(t, v); return nil })
		return t, err
	case brine.FrozenSet:
		var t brine.FrozenSet
		err := each(x, func(v any) error { t = append(t, v); return nil })
		return t, err
	case []any:
		key, ok := exposed.Identity(x)
		if l, again := seen[key]; ok && again {
			return l, nil
		}
		l := exposed.NewList()
		if ok {
			seen[key] = l
		}
		return l, each(x, func(v any) error { l.Append(v); return nil })
	case pickle.Set:
		s := exposed.NewSet()
		return s, each(x, func(v any) error { return s.Add(ctx, v) })
	case *pickle.Dict:
		if d, again := seen[x]; again {
			return d, nil
		}
		d := exposed.NewDict()
		seen[x] = d
		for k, item := range x.All() {
			key, err := unpickled(ctx, k, seen)
			if err != nil {
				return nil, err
			}
			value, err := unpickled(ctx, item, seen)
			if err != nil {
				return nil, err
			}
			if err := d.Set(ctx, key, value); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return nil, errorUnpickling.Errorf("this server has no type for %T", v)
}
