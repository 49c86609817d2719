package exposed_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// loopback stands in for a connection: it carries requests out on objects of this process.
type loopback struct {
	objects map[int64]any
	log     []string
}

func (l *loopback) export(v any) any {
	form, ok := exposed.ByValue(v)
	if ok {
		return form
	}
	if t, isTuple := form.(brine.Tuple); isTuple {
		out := make(brine.Tuple, len(t))
		for i := range t {
			out[i] = l.export(t[i])
		}
		return out
	}
	if l.objects == nil {
		l.objects = map[int64]any{}
	}
	id := int64(len(l.objects) + 1)
	l.objects[id] = form
	return netref.New(l, wire.Ref{Name: exposed.ClassOf(form).Name(), Class: 1, Object: id})
}

func (l *loopback) local(v any) any {
	o, ok := v.(*netref.Object)
	if !ok {
		return v
	}
	r, _ := o.Ref()
	return l.objects[r.Object]
}

func (l *loopback) Request(ctx context.Context, dst any, h wire.Handler, args ...any) error {
	for i := range args {
		args[i] = l.local(args[i])
	}
	o := args[0]
	var r any
	var err error
	call := func(i int) *exposed.Args {
		a, e := exposed.CallArgs(ctx, args[i], args[i+1])
		if e != nil {
			panic(e)
		}
		return a
	}
	switch l.log = append(l.log, h.String()); h {
	case wire.HandleGetAttr:
		l.log[len(l.log)-1] += fmt.Sprint(" ", args[1])
		r, err = exposed.GetAttr(ctx, nil, o, args[1])
	case wire.HandleSetAttr:
		err = exposed.SetAttr(ctx, &exposed.Policy{AllowSet: true}, o, args[1], args[2])
	case wire.HandleDelAttr:
		err = exposed.DelAttr(ctx, &exposed.Policy{AllowDel: true}, o, args[1])
	case wire.HandleCall:
		r, err = exposed.Call(ctx, o, call(1))
	case wire.HandleCallAttr:
		l.log[len(l.log)-1] += fmt.Sprint(" ", args[1])
		r, err = exposed.CallAttr(ctx, nil, o, args[1], call(2))
	case wire.HandleRepr:
		r, err = exposed.Repr(ctx, o)
	case wire.HandleStr:
		r, err = exposed.Str(ctx, o)
	case wire.HandleHash:
		r, err = exposed.Hash(ctx, o)
	case wire.HandleDir:
		var names []string
		names, err = exposed.Dir(ctx, nil, o)
		var t brine.Tuple
		for _, n := range names {
			t = append(t, n)
		}
		r = t
	case wire.HandleCmp:
		r, err = exposed.Compare(ctx, nil, o, args[1], args[2].(string))
	case wire.HandleBuffIter:
		r, err = exposed.BuffIter(ctx, o, args[1])
	case wire.HandleCtxExit:
		r, err = exposed.Exit(ctx, nil, o, args[1])
	default:
		panic(h)
	}
	if err != nil || dst == nil {
		return err
	}
	return netref.Assign(ctx, reflect.ValueOf(dst).Elem(), l.export(r))
}

func (l *loopback) Start(context.Context, wire.Handler, ...any) (*netref.AsyncResult, error) {
	return nil, errors.New("not needed here")
}
func (*loopback) Pickles() (allowed, known bool) { return false, true }
func (*loopback) ByteTexts() bool                { return false }

func (*loopback) SetPickles(bool) {}

func (*loopback) Unpickle([]byte, bool) (any, error) { return nil, errors.ErrUnsupported }

func (l *loopback) Keep(*netref.Object) {}

func (l *loopback) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

func (l *loopback) Release(*netref.Object) {}

// An object of another peer answers as it does there, under the policy of whoever asks here.
func TestForwarding(t *testing.T) {
	peer := &loopback{}
	obj := func(v any) *netref.Object { return peer.export(v).(*netref.Object) }
	c := obj(&Calc{})

	require.Equal(t, int64(5), must(t)(callAttr(c, "add", int64(2), netref.Kw("b", int64(3)))))
	require.Equal(t, []string{"CALLATTR exposed_add"}, peer.log, "one request")
	m := must(t)(exposed.GetAttr(ctx, nil, c, "add"))
	require.Equal(t, int64(5), must(t)(exposed.Call(ctx, m, exposed.NewArgs([]any{int64(2), int64(3)}, nil))))
	require.Equal(t, "Add two numbers.", get(t, nil, m, "__doc__"))
	peer.log = nil
	for _, name := range []string{"_secret", "nope", "__class__", "__dict__"} {
		_, err := exposed.GetAttr(ctx, nil, c, name)
		require.EqualError(t, err, "AttributeError: cannot access '"+name+"'")
		_, err = callAttr(c, name)
		require.Error(t, err)
	}
	for _, asked := range peer.log {
		require.Contains(t, asked, " exposed_", "the other peer may grant us more than we grant")
	}
	peer.log = nil
	for _, p := range []*exposed.Policy{{DenyGet: true}, {DenyExposed: true}} {
		_, err := exposed.GetAttr(ctx, p, c, "add")
		require.EqualError(t, err, "AttributeError: cannot access 'add'")
		_, err = exposed.CallAttr(ctx, p, c, "add", &exposed.Args{})
		require.EqualError(t, err, "AttributeError: cannot access 'add'")
	}
	require.Empty(t, peer.log)

	g := newGadget()
	og := obj(g)
	require.EqualError(t, exposed.SetAttr(ctx, nil, og, "value", "x"), "AttributeError: cannot access 'value'")
	require.EqualError(t, exposed.DelAttr(ctx, nil, og, "value"), "AttributeError: cannot access 'value'")
	require.NoError(t, exposed.SetAttr(ctx, &exposed.Policy{AllowSet: true}, og, "value", "x"))
	require.Equal(t, "x", g.Value)
	require.Error(t, exposed.DelAttr(ctx, &exposed.Policy{AllowDel: true}, og, "value"))

	p := obj(&Point{3, 4})
	s, err := exposed.Repr(ctx, p)
	require.NoError(t, err)
	require.Equal(t, "Point(3, 4)", s)
	s, err = exposed.Str(ctx, p)
	require.NoError(t, err)
	require.Equal(t, "<3;4>", s)
	h, err := exposed.Hash(ctx, p)
	require.NoError(t, err)
	require.Equal(t, int64(3004), h)
	require.Contains(t, dir(t, p), "exposed_norm1")
	require.Equal(t, true, must(t)(exposed.Compare(ctx, nil, p, p, "__eq__")))
	_, err = exposed.Compare(ctx, &exposed.Policy{DenySafe: true}, p, p, "__eq__")
	require.EqualError(t, err, "AttributeError: cannot access '__eq__'")
	items, err := exposed.BuffIter(ctx, p, int64(1))
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{int64(3)}, items)
	n, err := exposed.Len(ctx, p)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, int64(4), must(t)(exposed.GetItem(ctx, p, int64(1))))
	in, err := exposed.Contains(ctx, p, int64(4))
	require.NoError(t, err)
	require.True(t, in)
	yes, err := exposed.Truth(ctx, p)
	require.NoError(t, err)
	require.True(t, yes)
	yes, err = exposed.Truth(ctx, obj(exposed.NewList())) // has no __bool__, but a length
	require.NoError(t, err)
	require.False(t, yes)
	yes, err = exposed.Truth(ctx, og) // neither
	require.NoError(t, err)
	require.True(t, yes)
	var got []any
	for v, err := range exposed.Iterate(ctx, p) {
		require.NoError(t, err)
		got = append(got, v)
	}
	require.Equal(t, []any{int64(3), int64(4)}, got)
	require.Equal(t, p.ClassName(), exposed.TypeName(p)) // as CPython names a proxy
	eq, err := exposed.Equal(ctx, &Point{3, 4}, p)
	require.NoError(t, err)
	require.True(t, eq)
	require.Equal(t, int64(7), must(t)(exposed.Operate(ctx, "__add__", int64(7), int64(0))))
	sum := must(t)(exposed.Operate(ctx, "__mul__", p, int64(2)))
	s, err = exposed.Repr(ctx, sum)
	require.NoError(t, err)
	require.Equal(t, "Point(6, 8)", s)
	require.Empty(t, exposed.Methods(nil, p))

	var log []string
	_, err = exposed.Exit(ctx, nil, obj(&Context{tag: "far", log: &log}), vinegar.ValueError.New("x"))
	require.NoError(t, err)
	require.Equal(t, []string{"exit:far:true"}, log)
	// Containers of ours take the items of theirs.
	l := exposed.NewList()
	must(t)(callPublic(l, "extend", obj(exposed.NewList(1, 2))))
	require.Equal(t, []any{int64(1), int64(2)}, l.Items())
	d := exposed.NewDict()
	must(t)(callPublic(d, "update", obj(map[string]int{"a": 1})))
	require.Equal(t, "{'a': 1}", repr(t, d))
	args, err := exposed.CallArgs(ctx, obj([]int{1, 2}), obj(map[string]int{}))
	require.NoError(t, err)
	require.Equal(t, int64(3), must(t)(exposed.CallAttr(ctx, nil, &Calc{}, "add", args)))
}
