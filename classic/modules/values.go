//go:build unix

package modules

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// method calls a special method of v, or fails with the text, which has a verb for the name of v's type.
func method(ctx context.Context, v any, name, wrong string, args ...any) (any, error) {
	r, err := exposed.CallAttr(ctx, everything, v, name, exposed.NewArgs(args, nil))
	if err != nil && isA(err, vinegar.AttributeError) {
		return nil, vinegar.TypeError.Errorf(wrong, exposed.TypeName(v))
	}
	return r, err
}

// defineValues adds arithmetic and what takes the items of something together.
func defineValues(m *Module) {
	m.Def("len", exposed.Len, "obj", "/")
	m.Def("abs", func(ctx context.Context, v any) (any, error) {
		return method(ctx, v, "__abs__", "bad operand type for abs(): '%s'")
	}, "x", "/")
	m.Def("divmod", func(ctx context.Context, a, b any) (any, error) {
		return exposed.Operate(ctx, "__divmod__", a, b)
	}, "x", "y", "/")
	m.Def("pow", func(ctx context.Context, a, b, mod any) (any, error) {
		if mod == nil {
			return exposed.Operate(ctx, "__pow__", a, b)
		}
		return method(ctx, a, "__pow__", "unsupported operand type(s) for ** or pow(): '%s'", b, mod)
	}, "base", "exp", "mod=None")
	m.Def("round", func(ctx context.Context, v, digits any) (any, error) {
		const wrong = "type %s doesn't define __round__ method"
		if digits == nil {
			return method(ctx, v, "__round__", wrong)
		}
		return method(ctx, v, "__round__", wrong, digits)
	}, "number", "ndigits=None")
	m.Def("sum", func(ctx context.Context, items, start any) (any, error) {
		if _, text := start.(string); text {
			return nil, vinegar.TypeError.New("sum() can't sum strings [use ''.join(seq) instead]")
		}
		total := start
		for v, err := range exposed.Iterate(ctx, items) {
			if err != nil {
				return nil, err
			}
			if total, err = exposed.Operate(ctx, "__add__", total, v); err != nil {
				return nil, err
			}
		}
		return total, nil
	}, "iterable", "/", "start=0")
	m.Def("any", func(ctx context.Context, items any) (bool, error) { return quantify(ctx, items, true) }, "iterable", "/")
	m.Def("all", func(ctx context.Context, items any) (bool, error) {
		found, err := quantify(ctx, items, false)
		return !found, err
	}, "iterable", "/")
	m.Def("min", func(ctx context.Context, args []any, kw []netref.Keyword) (any, error) {
		return extreme(ctx, "min", "__lt__", args, kw)
	}, "*args", "**kwargs")
	m.Def("max", func(ctx context.Context, args []any, kw []netref.Keyword) (any, error) {
		return extreme(ctx, "max", "__gt__", args, kw)
	}, "*args", "**kwargs")
	m.Def("sorted", func(ctx context.Context, items any, key any, reverse bool) (any, error) {
		r, err := exposed.Call(ctx, pytypes.Class("list"), exposed.NewArgs([]any{items}, nil))
		if err != nil {
			return nil, err
		}
		_, err = exposed.CallAttr(ctx, everything, r, "sort", exposed.NewArgs(nil,
			[]netref.Keyword{netref.Kw("key", key), netref.Kw("reverse", reverse)}))
		return r, err
	}, "iterable", "/", "*", "key=None", "reverse=False")
}

// quantify reports whether an item has the truth value wanted.
func quantify(ctx context.Context, items any, want bool) (bool, error) {
	for v, err := range exposed.Iterate(ctx, items) {
		if err != nil {
			return false, err
		}
		if t, err := exposed.Truth(ctx, v); err != nil || t == want {
			return err == nil, err
		}
	}
	return false, nil
}

// extreme is min or max: the first item that none is better than.
func extreme(ctx context.Context, name, better string, args []any, kw []netref.Keyword) (any, error) {
	for _, k := range kw {
		if k.Name != "key" && k.Name != "default" {
			return nil, vinegar.TypeError.Errorf("%s() got an unexpected keyword argument '%s'", name, k.Name)
		}
	}
	key, _ := keyword(kw, "key")
	missing, hasMissing := keyword(kw, "default")
	var items any = brine.Tuple(args)
	switch len(args) {
	case 0:
		return nil, vinegar.TypeError.Errorf("%s expected at least 1 argument, got 0", name)
	case 1:
		items = args[0]
	default:
		if hasMissing {
			return nil, vinegar.TypeError.Errorf("Cannot specify a default for %s() with multiple positional arguments", name)
		}
	}
	var best, bestKey any
	found := false
	for v, err := range exposed.Iterate(ctx, items) {
		if err != nil {
			return nil, err
		}
		k := v
		if key != nil {
			if k, err = exposed.Call(ctx, key, exposed.NewArgs([]any{v}, nil)); err != nil {
				return nil, err
			}
		}
		if found {
			r, err := exposed.Operate(ctx, better, k, bestKey)
			if err != nil {
				return nil, err
			}
			if is, err := exposed.Truth(ctx, r); err != nil || !is {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		best, bestKey, found = v, k, true
	}
	if !found && !hasMissing {
		return nil, vinegar.ValueError.Errorf("%s() arg is an empty sequence", name)
	}
	if !found {
		return missing, nil
	}
	return best, nil
}
