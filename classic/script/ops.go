package script

import (
	"context"

	"go.starlark.net/starlark"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// methods are the special methods of the operators.
var methods = map[string]string{
	"+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "//": "__floordiv__", "%": "__mod__", "&": "__and__", "|": "__or__",
	"^": "__xor__", "<<": "__lshift__", ">>": "__rshift__",
	"==": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__",
}

// helpers are the functions that rewritten programs call.
func (r *run) helpers() starlark.StringDict {
	d := starlark.StringDict{nsName: &namespace{r, r.ns}}
	add := func(name string, f func(ctx context.Context, args []any) (any, error)) {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			in := make([]any, len(args))
			for i, a := range args {
				in[i] = r.out(a)
			}
			v, err := f(r.ctx, in)
			if err != nil {
				return nil, err
			}
			return r.in(v), nil
		})
	}
	add(opCall, func(ctx context.Context, a []any) (any, error) { return binary(ctx, a[0].(string), a[1], a[2]) })
	add(inplaceCall, func(ctx context.Context, a []any) (any, error) { return inplace(ctx, a[0].(string), a[1], a[2]) })
	add(unaryCall, func(ctx context.Context, a []any) (any, error) {
		name := map[string]string{"-": "__neg__", "+": "__pos__", "~": "__invert__"}[a[0].(string)]
		v, err := exposed.CallAttr(ctx, everything, a[1], name, &exposed.Args{})
		return v, missing(err, a[1], "bad operand type for unary "+a[0].(string)+": '%s'")
	})
	add(itemCall, func(ctx context.Context, a []any) (any, error) { return exposed.GetItem(ctx, a[0], a[1]) })
	add(sliceCall, func(_ context.Context, a []any) (any, error) {
		return &sliceBox{brine.Slice{Start: a[0], Stop: a[1], Step: a[2]}}, nil
	})
	add(attrCall, func(ctx context.Context, a []any) (any, error) { return exposed.GetAttr(ctx, everything, a[0], a[1]) })
	add(setItemCall, func(ctx context.Context, a []any) (any, error) { return nil, setItem(ctx, a[1], unbox(a[2]), a[0]) })
	add(setAttrCall, func(ctx context.Context, a []any) (any, error) {
		return nil, exposed.SetAttr(ctx, everything, a[1], a[2], a[0])
	})
	add(augItemCall, func(ctx context.Context, a []any) (any, error) {
		key := unbox(a[1])
		v, err := exposed.GetItem(ctx, a[0], key)
		if err == nil {
			v, err = inplace(ctx, a[2].(string), v, a[3])
		}
		if err != nil {
			return nil, err
		}
		return nil, setItem(ctx, a[0], key, v)
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
	add(iterCall, func(ctx context.Context, a []any) (any, error) { return exposed.Iter(ctx, a[0]) })
	add(listCall, func(ctx context.Context, a []any) (any, error) {
		if l, ok := a[0].(*exposed.List); ok { // made of a comprehension's list just now
			return l, nil
		}
		return exposed.NewList(a[0].(brine.Tuple)...), nil
	})
	add(dictCall, func(ctx context.Context, a []any) (any, error) {
		if d, ok := a[0].(*exposed.Dict); ok {
			return d, nil
		}
		d := exposed.NewDict()
		for pair, err := range exposed.Iterate(ctx, a[0]) {
			if err != nil {
				return nil, err
			}
			kv := pair.(brine.Tuple)
			if err := d.Set(ctx, kv[0], kv[1]); err != nil {
				return nil, err
			}
		}
		return d, nil
	})
	add(enterCall, func(context.Context, []any) (any, error) { return nil, r.enter() })
	add(delNameCall, func(ctx context.Context, a []any) (any, error) {
		ok, err := r.ns.Delete(ctx, a[0])
		if err == nil && !ok {
			err = nameError(a[0].(string))
		}
		return nil, err
	})
	add(delItemCall, func(ctx context.Context, a []any) (any, error) {
		_, err := exposed.CallAttr(ctx, everything, a[0], "__delitem__", exposed.NewArgs([]any{unbox(a[1])}, nil))
		return nil, missing(err, a[0], "'%s' object does not support item deletion")
	})
	add(delAttrCall, func(ctx context.Context, a []any) (any, error) {
		return nil, exposed.DelAttr(ctx, everything, a[0], a[1])
	})
	add(raiseCall, func(ctx context.Context, a []any) (any, error) { return nil, raise(ctx, a) })
	add(assertCall, func(ctx context.Context, a []any) (any, error) {
		ok, err := exposed.Truth(ctx, a[0])
		if err != nil || ok {
			return nil, err
		}
		if len(a) == 1 {
			return nil, vinegar.AssertionError.New()
		}
		text, err := exposed.Call(ctx, a[1], &exposed.Args{})
		if err != nil {
			return nil, err
		}
		return nil, vinegar.AssertionError.New(text)
	})
	r.imports(add)
	// these work on Starlark's own values
	d[kwCall] = starlark.NewBuiltin(kwCall, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return r.keywords(r.out(args[0]))
	})
	d[itemCall] = starlark.NewBuiltin(itemCall, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		v, err := exposed.GetItem(r.ctx, r.out(args[0]), unbox(r.out(args[1])))
		if err != nil {
			return nil, err
		}
		return r.in(v), nil
	})
	return d
}

// sliceBox keeps a slice from being a value while it is on its way to an item's key.
type sliceBox struct{ s brine.Slice }

func unbox(v any) any {
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

func raise(ctx context.Context, a []any) error {
	v := a[0]
	if c, ok := v.(*exposed.Class); ok {
		made, err := exposed.Call(ctx, c, &exposed.Args{})
		if err != nil {
			return err
		}
		v = made
	}
	err, ok := v.(error)
	if !ok {
		return vinegar.TypeError.New("exceptions must derive from BaseException")
	}
	e := vinegar.FromError(err)
	if len(a) == 2 {
		if cause, ok := a[1].(error); ok {
			return e.From(cause)
		}
	}
	return e
}

// imports adds what import statements become.
func (r *run) imports(add func(string, func(context.Context, []any) (any, error))) {
	load := func(name any) (any, error) {
		if r.ev.Importer == nil {
			return nil, vinegar.ModuleNotFoundError.Errorf("No module named '%s'", name)
		}
		return r.ev.Importer(name.(string))
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
		names, err := exposed.Dir(ctx, m)
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
			if err := r.ns.Set(ctx, name, v); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// keywords makes Starlark's dict of a mapping for f(**d).
func (r *run) keywords(v any) (starlark.Value, error) {
	made, err := exposed.Call(r.ctx, dictClass, exposed.NewArgs([]any{v}, nil))
	if err != nil {
		return nil, vinegar.TypeError.Errorf("argument after ** must be a mapping, not %s", exposed.TypeName(v))
	}
	out := new(starlark.Dict)
	d := made.(*exposed.Dict)
	for _, k := range d.Keys() {
		name, ok := k.(string)
		if !ok {
			return nil, vinegar.TypeError.New("keywords must be strings")
		}
		item, _, err := d.Get(r.ctx, k)
		if err != nil {
			return nil, err
		}
		if err := out.SetKey(starlark.String(name), r.in(item)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var dictClass, _ = exposed.Builtin("dict")
