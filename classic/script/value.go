package script

import (
	"context"
	"fmt"
	"math/big"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// object is a Python value in Starlark, other than the scalars that both have. All operations on it are those of package
// exposed.
type object struct {
	r *run
	v any
}

var (
	_ starlark.Callable = (*object)(nil)
	_ starlark.Iterable = (*object)(nil)
)

// String implements starlark.Value.
func (o *object) String() string { return exposed.TypeName(o.v) + " object" }

// Type implements starlark.Value.
func (o *object) Type() string { return exposed.TypeName(o.v) }

// Freeze implements starlark.Value.
func (o *object) Freeze() {}

// Hash implements starlark.Value.
func (o *object) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: %s", o.Type()) }

// Name implements starlark.Callable.
func (o *object) Name() string { return o.Type() }

// Truth cannot fail, so an error ends the program at its next step.
func (o *object) Truth() starlark.Bool {
	t, err := exposed.Truth(o.r.ctx, o.v)
	if err != nil {
		o.r.abort(err)
	}
	return starlark.Bool(t)
}

// CallInternal calls the object.
func (o *object) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	pos := make([]any, len(args))
	for i, a := range args {
		pos[i] = o.r.out(a)
	}
	kw := make([]netref.Keyword, len(kwargs))
	for i, k := range kwargs {
		name, _ := starlark.AsString(k[0])
		kw[i] = netref.Kw(name, o.r.out(k[1]))
	}
	v, err := exposed.Call(o.r.ctx, o.v, exposed.NewArgs(pos, kw))
	return o.r.in(v), err
}

// Iterate is for what the rewriter has passed through iter().
func (o *object) Iterate() starlark.Iterator { return &iterator{o} }

// SetField assigns to an attribute, as a part of a tuple that is assigned to.
func (o *object) SetField(name string, v starlark.Value) error {
	return exposed.SetAttr(o.r.ctx, everything, o.v, name, o.r.out(v))
}

// Attr is not used: attributes are read by a call.
func (o *object) Attr(string) (starlark.Value, error) { return nil, nil }

// AttrNames is there for SetField's sake.
func (o *object) AttrNames() []string { return nil }

// SetKey assigns to an item, as a part of a tuple that is assigned to.
func (o *object) SetKey(k, v starlark.Value) error {
	return setItem(o.r.ctx, o.v, o.r.out(k), o.r.out(v))
}

// Get is not used: items are read by a call.
func (o *object) Get(starlark.Value) (starlark.Value, bool, error) { return nil, false, nil }

type iterator struct{ o *object }

// Next implements starlark.Iterator.
func (it *iterator) Next(p *starlark.Value) bool {
	v, ok, err := exposed.Next(it.o.r.ctx, it.o.v)
	if err != nil {
		it.o.r.abort(err)
		return false
	}
	if ok {
		*p = it.o.r.in(v)
	}
	return ok
}

// Done implements starlark.Iterator.
func (it *iterator) Done() {}

// in brings a Python value into Starlark.
func (r *run) in(v any) starlark.Value {
	form, _ := exposed.ByValue(v)
	switch x := form.(type) {
	case nil:
		return starlark.None
	case bool:
		return starlark.Bool(x)
	case int64:
		return starlark.MakeInt64(x)
	case *big.Int:
		return starlark.MakeBigInt(x)
	case float64:
		return starlark.Float(x)
	case string:
		return starlark.String(x)
	case []byte:
		return starlark.Bytes(x)
	case brine.Tuple:
		t := make(starlark.Tuple, len(x))
		for i, item := range x {
			t[i] = r.in(item)
		}
		return t
	}
	return &object{r, form}
}

// out brings a value of Starlark's to Python.
func (r *run) out(v starlark.Value) any {
	switch x := v.(type) {
	case starlark.NoneType:
		return nil
	case starlark.Bool:
		return bool(x)
	case starlark.Int:
		if n, ok := x.Int64(); ok {
			return n
		}
		return x.BigInt()
	case starlark.Float:
		return float64(x)
	case starlark.String:
		return string(x)
	case starlark.Bytes:
		return []byte(x)
	case starlark.Tuple:
		t := make(brine.Tuple, len(x))
		for i, item := range x {
			t[i] = r.out(item)
		}
		return t
	case *starlark.List:
		l := exposed.NewList()
		for i := range x.Len() {
			l.Append(r.out(x.Index(i)))
		}
		return l
	case *starlark.Dict:
		d := exposed.NewDict()
		for _, item := range x.Items() {
			_ = d.Set(r.ctx, r.out(item[0]), r.out(item[1])) // keyword arguments: the keys are str
		}
		return d
	case *starlark.Function:
		return r.function(x)
	case *object:
		return x.v
	}
	return nil
}

// namespace is what the rewritten program reads and writes its global names by.
type namespace struct {
	r    *run
	dict *exposed.Dict
}

var _ starlark.HasSetKey = (*namespace)(nil)

// String implements starlark.Value.
func (n *namespace) String() string { return "namespace" }

// Type implements starlark.Value.
func (n *namespace) Type() string { return "namespace" }

// Freeze implements starlark.Value.
func (n *namespace) Freeze() {}

// Truth implements starlark.Value.
func (n *namespace) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (n *namespace) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable") }

// Get is the lookup of a name: in the namespace, then among the builtins.
func (n *namespace) Get(k starlark.Value) (starlark.Value, bool, error) {
	name := string(k.(starlark.String))
	v, ok, err := n.dict.Get(n.r.ctx, name)
	if err != nil {
		return nil, false, err
	}
	if !ok {
		if v, err = n.r.ev.builtin(n.r.ctx, name); err != nil {
			return nil, false, err
		}
	}
	return n.r.in(v), true, nil
}

// SetKey implements starlark.HasSetKey.
func (n *namespace) SetKey(k, v starlark.Value) error {
	return n.dict.Set(n.r.ctx, string(k.(starlark.String)), n.r.out(v))
}

// Function is a function that was defined in a program. To Python it is a function like any other.
type Function struct {
	exposed.Attrs
	ev   *Evaluator
	ns   *exposed.Dict
	fn   *starlark.Function
	name string
}

var _ = exposed.Register[Function](exposed.ClassOptions{
	Name: "builtins.function",
	Omit: []string{"Get", "Set", "Delete", "Names"},
	Hidden: map[string]any{
		"__call__": exposed.Func(func(f *Function, ctx context.Context, args []any, kw []netref.Keyword) (any, error) {
			return f.call(ctx, args, kw)
		}, "*args", "**kwargs"),
		"__repr__": func(f *Function) string { return "<function " + f.name + ">" },
	},
	Properties: map[string]exposed.Property{
		"__name__":     {Hidden: true, Get: func(f *Function) string { return f.name }},
		"__qualname__": {Hidden: true, Get: func(f *Function) string { return f.name }},
		"__doc__": {Hidden: true, Get: func(f *Function) any {
			if d := f.fn.Doc(); d != "" {
				return d
			}
			return nil
		}},
	},
})

func (r *run) function(fn *starlark.Function) *Function {
	name := fn.Name()
	if name == "lambda" {
		name = "<lambda>"
	}
	return &Function{ev: r.ev, ns: r.ns, fn: fn, name: name}
}

// everything is the policy of a classic server.
var everything = &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true, DenyExposed: true}

func setItem(ctx context.Context, v, key, value any) error {
	_, err := exposed.CallAttr(ctx, everything, v, "__setitem__", exposed.NewArgs([]any{key, value}, nil))
	return missing(err, v, "'%s' object does not support item assignment")
}

// missing turns the AttributeError of an absent special method into the TypeError of the operation.
func missing(err error, v any, text string) error {
	if e := vinegar.FromError(err); err != nil && e.Class.IsSubclass(vinegar.AttributeError) {
		return vinegar.TypeError.Errorf(text, exposed.TypeName(v))
	}
	return err
}

var _ = syntax.EQ
