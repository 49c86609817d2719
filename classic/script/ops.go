package script

import (
	"context"
	"strings"

	"go.starlark.net/starlark"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// methods are the special methods of the operators.
var methods = map[string]string{
	"+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "//": "__floordiv__", "%": "__mod__",
	"&": "__and__", "|": "__or__",
	"^": "__xor__", "<<": "__lshift__", ">>": "__rshift__", "**": "__pow__",
	"==": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__",
}

// helper is a function that rewritten programs call, with Starlark's values.
type helper = func(r *run, args starlark.Tuple) (starlark.Value, error)

// helpers are the functions that rewritten programs call, and the names of their namespace; nil means the evaluator's.
func (e *Evaluator) helpers(ns *exposed.Dict, show func(ctx context.Context, v any) error) starlark.StringDict {
	if ns == nil {
		ns = e.ns
	}
	d := starlark.StringDict{nsName: &names{ev: e, dict: ns}}
	raw := func(name string, f helper) {
		d[name] = starlark.NewBuiltin(name,
			func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
				return f(current(t), args)
			})
	}
	add := func(name string, f func(ctx context.Context, args []any) (any, error)) {
		raw(name, func(r *run, args starlark.Tuple) (starlark.Value, error) {
			given := make([]any, len(args))
			for i, a := range args {
				given[i] = out(a)
			}
			v, err := f(r.ctx, given)
			if err != nil {
				return nil, err
			}
			return in(v), nil
		})
	}
	if show != nil {
		add(showCall, func(ctx context.Context, a []any) (any, error) {
			if a[0] == nil {
				return nil, nil
			}
			return nil, show(ctx, a[0])
		})
	}
	operators(add)
	access(add, raw)
	displays(add, raw)
	flowHelpers(raw)
	e.imports(ns, add)
	raw(funcCall, func(_ *run, a starlark.Tuple) (starlark.Value, error) {
		fn := a[0].(*starlark.Function)
		name := fn.Name()
		if name == "lambda" {
			name = "<lambda>"
		}
		return &object{&Function{ev: e, fn: fn, name: name}}, nil
	})
	return d
}

// operators adds arithmetic and comparison.
func operators(add func(string, func(context.Context, []any) (any, error))) {
	add(opCall, func(ctx context.Context, a []any) (any, error) { return binary(ctx, a[0].(string), a[1], a[2]) })
	add(inplaceCall, func(ctx context.Context, a []any) (any, error) { return inplace(ctx, a[0].(string), a[1], a[2]) })
	add(unaryCall, func(ctx context.Context, a []any) (any, error) {
		name := map[string]string{"-": "__neg__", "+": "__pos__", "~": "__invert__"}[a[0].(string)]
		v, err := exposed.CallAttr(ctx, everything, a[1], name, &exposed.Args{})
		return v, missing(err, a[1], "bad operand type for unary "+a[0].(string)+": '%s'")
	})
	add(complexCall, func(_ context.Context, a []any) (any, error) { return complex(0, a[0].(float64)), nil })
	add(joinCall, func(_ context.Context, a []any) (any, error) {
		var b strings.Builder
		for _, part := range a {
			if b.WriteString(part.(string)); b.Len() > pytypes.MaxText {
				return nil, vinegar.MemoryError.Errorf("text of more than %d bytes", pytypes.MaxText)
			}
		}
		return b.String(), nil
	})
	add(formatCall, func(ctx context.Context, a []any) (any, error) {
		v := a[0]
		if conversion := a[1].(string); conversion != "" {
			text, err := pytypes.Convert(ctx, v, rune(conversion[0]))
			if err != nil {
				return nil, err
			}
			v = text
		}
		return pytypes.Format(ctx, v, a[2].(string))
	})
}

// access adds what reads, writes and deletes attributes and items.
func access(add func(string, func(context.Context, []any) (any, error)), raw func(string, helper)) {
	raw(itemCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		v, err := exposed.GetItem(r.ctx, out(a[0]), key(out(a[1])))
		if err != nil {
			return nil, err
		}
		return in(v), nil
	})
	add(sliceCall, func(_ context.Context, a []any) (any, error) {
		return &sliceBox{brine.Slice{Start: a[0], Stop: a[1], Step: a[2]}}, nil
	})
	add(attrCall, func(ctx context.Context, a []any) (any, error) { return exposed.GetAttr(ctx, everything, a[0], a[1]) })
	add(setItemCall, func(ctx context.Context, a []any) (any, error) { return nil, setItem(ctx, a[1], key(a[2]), a[0]) })
	add(setAttrCall, func(ctx context.Context, a []any) (any, error) {
		return nil, exposed.SetAttr(ctx, everything, a[1], a[2], a[0])
	})
	add(augItemCall, func(ctx context.Context, a []any) (any, error) {
		k := key(a[1])
		v, err := exposed.GetItem(ctx, a[0], k)
		if err == nil {
			v, err = inplace(ctx, a[2].(string), v, a[3])
		}
		if err != nil {
			return nil, err
		}
		return nil, setItem(ctx, a[0], k, v)
	})
	add(augAttrCall, func(ctx context.Context, a []any) (any, error) {
		v, err := exposed.GetAttr(ctx, everything, a[0], a[1])
		if err == nil {
			v, err = inplace(ctx, a[2].(string), v, a[3])
		}
		if err != nil {
			return nil, err
		}
		return nil, exposed.SetAttr(ctx, everything, a[0], a[1], v)
	})
	raw(delNameCall, func(_ *run, a starlark.Tuple) (starlark.Value, error) {
		n, name := a[0].(*names), string(a[1].(starlark.String))
		ok, err := n.remove(name)
		if err == nil && !ok {
			if err = nameError(name); n.own != nil {
				err = unbound(name)
			}
		}
		return starlark.None, err
	})
	add(delItemCall, func(ctx context.Context, a []any) (any, error) {
		_, err := exposed.CallAttr(ctx, everything, a[0], "__delitem__", exposed.NewArgs([]any{key(a[1])}, nil))
		return nil, missing(err, a[0], "'%s' object does not support item deletion")
	})
	add(delAttrCall, func(ctx context.Context, a []any) (any, error) {
		return nil, exposed.DelAttr(ctx, everything, a[0], a[1])
	})
	raw(walrusCall, func(_ *run, a starlark.Tuple) (starlark.Value, error) {
		return a[2], a[0].(*names).SetKey(a[1], a[2])
	})
	raw(storeCall, func(_ *run, a starlark.Tuple) (starlark.Value, error) {
		n := &names{own: map[string]starlark.Value{}}
		for _, pair := range a {
			n.own[string(pair.(starlark.Tuple)[0].(starlark.String))] = pair.(starlark.Tuple)[1]
		}
		return n, nil
	})
}

// sliceBox keeps a slice from being a value while it is on its way to an item's key.
type sliceBox struct{ s brine.Slice }

// key is what an item is looked up by.
func key(v any) any {
	if b, ok := v.(*sliceBox); ok {
		return b.s
	}
	return v
}

func binary(ctx context.Context, sign string, a, b any) (any, error) {
	switch sign {
	case "is", "is not":
		return exposed.Is(a, b) == (sign == "is"), nil
	case "in", "not in":
		found, err := exposed.Contains(ctx, b, a)
		return found == (sign == "in"), err
	}
	v, err := exposed.Operate(ctx, methods[sign], a, b)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// inplace is an augmented assignment's operator: the object's own, if it has one.
func inplace(ctx context.Context, sign string, a, b any) (any, error) {
	name := "__i" + methods[sign][2:]
	if f, err := exposed.GetAttr(ctx, everything, a, name); err == nil {
		v, err := exposed.Call(ctx, f, exposed.NewArgs([]any{b}, nil))
		if err != nil || v != any(brine.NotImplemented) {
			return v, err
		}
	}
	return binary(ctx, sign, a, b)
}

// imports adds what import statements become.
func (e *Evaluator) imports(ns *exposed.Dict, add func(string, func(context.Context, []any) (any, error))) {
	load := func(name any) (any, error) {
		if e.Importer == nil {
			return nil, vinegar.ModuleNotFoundError.Errorf("No module named '%s'", name)
		}
		return e.Importer(name.(string))
	}
	add(importCall, func(_ context.Context, a []any) (any, error) {
		m, err := load(a[0])
		if top, _ := a[1].(bool); err != nil || !top {
			return m, err
		}
		name := a[0].(string)
		for i := range name {
			if name[i] == '.' {
				return load(name[:i])
			}
		}
		return m, nil
	})
	add(fromCall, func(ctx context.Context, a []any) (any, error) {
		m, err := load(a[0])
		if err != nil {
			return nil, err
		}
		v, err := exposed.GetAttr(ctx, everything, m, a[1])
		if err == nil {
			return v, nil
		}
		if m, err := load(a[0].(string) + "." + a[1].(string)); err == nil {
			return m, nil
		}
		return nil, vinegar.ImportError.Errorf("cannot import name '%s' from '%s' (unknown location)", a[1], a[0])
	})
	add(starCall, func(ctx context.Context, a []any) (any, error) {
		m, err := load(a[0])
		if err != nil {
			return nil, err
		}
		names, err := exposed.Dir(ctx, nil, m)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if name[0] == '_' {
				continue
			}
			v, err := exposed.GetAttr(ctx, everything, m, name)
			if err != nil {
				return nil, err
			}
			if err := ns.Set(ctx, name, v); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}
