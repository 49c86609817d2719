package script

import (
	"context"
	"fmt"
	"math/big"

	"go.starlark.net/starlark"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// object is a Python value in Starlark, other than the scalars that both have. All operations on it are those of
// package exposed.
type object struct{ v any }

var _ starlark.Callable = (*object)(nil)

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

// Truth implements starlark.Value. Programs ask truth@ instead, which can fail.
func (o *object) Truth() starlark.Bool { return true }

// CallInternal calls the object.
func (o *object) CallInternal(thread *starlark.Thread, args starlark.Tuple,
	kwargs []starlark.Tuple) (starlark.Value, error) {
	if f, ok := o.v.(*Function); ok && f.ev == current(thread).ev { // without the way out and back in
		return starlark.Call(thread, f.fn, args, kwargs)
	}
	pos := make([]any, len(args))
	for i, a := range args {
		pos[i] = out(a)
	}
	kw := make([]netref.Keyword, len(kwargs))
	for i, k := range kwargs {
		name, _ := starlark.AsString(k[0])
		kw[i] = netref.Kw(name, out(k[1]))
	}
	v, err := exposed.Call(current(thread).ctx, o.v, exposed.NewArgs(pos, kw))
	return in(v), err
}

// tuple is a tuple of Python's. Its items are brought into Starlark when Starlark asks for them, for the arguments of a
// call or the targets of an assignment: however deep tuples are nested, an operation costs as much as the tuple's own
// length.
type tuple struct{ object }

var _ starlark.Sequence = (*tuple)(nil)

// Len implements starlark.Sequence.
func (t *tuple) Len() int { return len(t.v.(brine.Tuple)) }

// Iterate implements starlark.Sequence.
func (t *tuple) Iterate() starlark.Iterator { return &tupleItems{t.v.(brine.Tuple)} }

type tupleItems struct{ left brine.Tuple }

// Next implements starlark.Iterator.
func (i *tupleItems) Next(p *starlark.Value) bool {
	if len(i.left) == 0 {
		return false
	}
	*p, i.left = in(i.left[0]), i.left[1:]
	return true
}

// Done implements starlark.Iterator.
func (i *tupleItems) Done() {}

// loop is what iter@ makes for a loop: an iterator and how its items are to be unpacked.
type loop struct {
	object
	r     *run
	shape starlark.Value // None, or a tuple of shapes
}

var _ starlark.Iterable = (*loop)(nil)

// Iterate implements starlark.Iterable.
func (l *loop) Iterate() starlark.Iterator { return l }

// Next implements starlark.Iterator.
func (l *loop) Next(p *starlark.Value) bool {
	if l.r.state.pending == nil && l.r.stopped() { // or what is done so far would pass for the whole
		if l.r.state.pending = l.r.state.failed; l.r.state.pending == nil {
			l.r.state.pending = context.Cause(l.r.ctx)
		}
	}
	if l.r.state.pending != nil {
		return false
	}
	v, ok, err := exposed.Next(l.r.ctx, l.v)
	if err == nil && ok {
		*p, err = l.r.shaped(v, l.shape)
	}
	if err != nil {
		l.r.state.pending = err
		return false
	}
	return ok
}

// Done implements starlark.Iterator.
func (l *loop) Done() {}

// shaped brings an item into Starlark, unpacked as the targets of a comprehension want it.
func (r *run) shaped(v any, shape starlark.Value) (starlark.Value, error) {
	t, ok := shape.(starlark.Tuple)
	if !ok {
		return in(v), nil
	}
	items, err := unpack(r.ctx, v, len(t), -1)
	if err != nil {
		return nil, err
	}
	made := make(starlark.Tuple, len(t))
	for i := range t {
		if made[i], err = r.shaped(items[i], t[i]); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// in brings a Python value into Starlark.
func in(v any) starlark.Value {
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
		return &tuple{object{x}}
	}
	return &object{form}
}

// out brings a value of Starlark's to Python. A tuple of Starlark's is never nested in another one of a program's: it
// is made of the arguments of a call of a helper or function.
func out(v starlark.Value) any {
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
			t[i] = out(item)
		}
		return t
	case *starlark.List:
		l := exposed.NewList()
		for i := range x.Len() {
			l.Append(out(x.Index(i)))
		}
		return l
	case *starlark.Dict:
		d := exposed.NewDict()
		for _, item := range x.Items() {
			_ = d.Set(context.Background(), out(item[0]), out(item[1])) // keyword arguments: the keys are str
		}
		return d
	case *object:
		return x.v
	case *tuple:
		return x.v
	case *loop:
		return x.v
	}
	return nil
}

// names is what a rewritten program reads and writes names by: those of its namespace, or of a function that has a
// store.
type names struct {
	ev   *Evaluator
	dict *exposed.Dict // the namespace
	own  map[string]starlark.Value
}

var _ starlark.HasSetKey = (*names)(nil)

// String implements starlark.Value.
func (n *names) String() string { return "names" }

// Type implements starlark.Value.
func (n *names) Type() string { return "names" }

// Freeze implements starlark.Value.
func (n *names) Freeze() {}

// Truth implements starlark.Value.
func (n *names) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (n *names) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable") }

// Get is the lookup of a name: in the store, or in the namespace, then among the builtins.
func (n *names) Get(k starlark.Value) (starlark.Value, bool, error) {
	name := string(k.(starlark.String))
	if n.own != nil {
		v, ok := n.own[name]
		if !ok {
			return nil, false, unbound(name)
		}
		return v, true, nil
	}
	v, ok, err := n.dict.Get(context.Background(), name) // a str needs nobody to compare it
	if err == nil && !ok {
		v, err = n.ev.builtin(n.dict, name)
	}
	if err != nil {
		return nil, false, err
	}
	return in(v), true, nil
}

// SetKey implements starlark.HasSetKey.
func (n *names) SetKey(k, v starlark.Value) error {
	name := string(k.(starlark.String))
	if n.own != nil {
		n.own[name] = v
		return nil
	}
	return n.dict.Set(context.Background(), name, out(v))
}

// remove deletes a name and reports whether it was there.
func (n *names) remove(name string) (bool, error) {
	if n.own != nil {
		_, ok := n.own[name]
		delete(n.own, name)
		return ok, nil
	}
	return n.dict.Delete(context.Background(), name)
}

func unbound(name string) error {
	return vinegar.UnboundLocalError.Errorf("cannot access local variable '%s' where it is not associated with a value",
		name)
}

// Function is a function that was defined in a program. To Python it is a function like any other.
type Function struct {
	exposed.Attrs
	ev   *Evaluator
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

// everything is the policy of a classic server.
var everything = exposed.Unrestricted()

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
