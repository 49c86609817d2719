package protocol

import (
	"context"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// handle carries out a request whose operation may run the user's code: what depends on the form of the request or on
// the peer's family here, the rest by operate.
func (in *incoming) handle() (any, error) {
	o, err := in.value(0)
	if err != nil {
		return nil, err
	}
	access := &in.c.cfg.Access
	switch in.h {
	case wire.HandleCall:
		args, err := in.callArgs(1)
		if err != nil {
			return nil, err
		}
		return exposed.Call(in, o, args)
	case wire.HandleCallAttr:
		name, err := in.value(1)
		if err != nil {
			return nil, err
		}
		if item := in.d.ItemMethod(name); item != "" {
			return in.callSlicing(o, item, name.(string))
		}
		args, err := in.callArgs(2)
		if err != nil {
			return nil, err
		}
		return exposed.CallAttr(in, access, o, name, args)
	}
	var space [maxArgs]any
	vs := space[:len(in.args)]
	for i := 1; i < len(vs); i++ {
		if vs[i], err = in.value(i); err != nil {
			return nil, err
		}
	}
	switch in.h {
	case wire.HandleCmp:
		return in.compare(o, vs)
	case wire.HandlePickle:
		return in.pickle(o, vs[1])
	case wire.HandleOldSlicing:
		return in.oldSlicing(o, vs)
	case wire.HandleCtxExit:
		if in.d.HasKinds() && vs[1] != nil && in.args[1].raw != nil {
			if vs[1], err = in.exitedWith(); err != nil {
				return nil, err
			}
		}
	case wire.HandleInstanceCheck, wire.HandleSubclassCheck:
		return in.instanceCheck(o, 1)
	}
	return operate(in, access, in.h, o, vs)
}

// operate carries out the operation h, which is no call, on the object o of ours. args[1:] are its further arguments.
func operate(ctx context.Context, access *exposed.Policy, h wire.Handler, o any, args []any) (any, error) {
	switch h {
	case wire.HandleGetAttr:
		return exposed.GetAttr(ctx, access, o, args[1])
	case wire.HandleSetAttr:
		return nil, exposed.SetAttr(ctx, access, o, args[1], args[2])
	case wire.HandleDelAttr:
		return nil, exposed.DelAttr(ctx, access, o, args[1])
	case wire.HandleRepr:
		return exposed.Repr(ctx, o)
	case wire.HandleStr:
		return exposed.Str(ctx, o)
	case wire.HandleHash:
		return exposed.Hash(ctx, o)
	case wire.HandleDir:
		all, err := exposed.Dir(ctx, access, o)
		return names(all), err
	case wire.HandleBuffIter:
		return exposed.BuffIter(ctx, o, args[1])
	case wire.HandleCtxExit:
		return exposed.Exit(ctx, access, o, args[1])
	case wire.HandleBool:
		return exposed.Truth(ctx, o)
	}
	return nil, vinegar.KeyError.New(int64(h))
}

// callArgs makes the arguments of a call of the argument tuple at i and the keywords that may follow it.
func (in *incoming) callArgs(i int) (*exposed.Args, error) {
	pos := in.args[i]
	kw := boxed{value: brine.Tuple(nil)}
	if i+1 < len(in.args) {
		kw = in.args[i+1]
	}
	if in.d.Python2() {
		v, err := kw.decode(false)
		if err != nil {
			return nil, err
		}
		kw = boxed{value: in.d.OwnKeywords(v)}
	}
	if pos.raw != nil && kw.raw != nil {
		args := &in.space.callArgs
		in.setRaw(args, pos.raw, kw.raw)
		return args, nil
	}
	posValue, kwValue := any(brine.Tuple(nil)), any(brine.Tuple(nil))
	var err error
	if pos.raw == nil {
		posValue, err = pos.loaded()
	}
	if kw.raw == nil && err == nil {
		kwValue, err = kw.loaded()
	}
	if err != nil {
		return nil, err
	}
	args, err := exposed.CallArgs(in, posValue, kwValue)
	if err == nil {
		in.setRaw(args, pos.raw, kw.raw)
		if in.refs > 0 {
			in.space.given = args
		}
	}
	return args, err
}

func (in *incoming) setRaw(args *exposed.Args, pos, kw []byte) {
	args.SetRaw(pos, kw)
	if in.buf.Owned() {
		args.Share()
	}
}

func (in *incoming) compare(o any, vs []any) (any, error) {
	if len(vs) == 2 && in.d.ComparesOnce() {
		return in.compareOnce(o, vs[1])
	}
	op := "__cmp__"
	if len(vs) > 2 {
		s, ok := in.d.OwnMethod(vs[2]).(string)
		if !ok {
			return nil, vinegar.TypeError.New("name must be a string")
		}
		op = s
	}
	if op == "__cmp__" && in.d.Python2() { // what Python 2 asks when no operator's method can tell
		return in.compareOnce(o, vs[1])
	}
	if in.d.CallsInTwo() {
		return in.compareByMethod(o, vs[1], op)
	}
	return exposed.Compare(in, &in.c.cfg.Access, o, vs[1], op)
}

// compareOnce is Python 2's cmp(): an object that cannot be compared leaves it to the other one.
func (in *incoming) compareOnce(o, other any) (any, error) {
	for _, c := range []struct {
		op     string
		result int
	}{{"__eq__", 0}, {"__lt__", -1}, {"__gt__", 1}} {
		if v, err := exposed.Compare(in, &in.c.cfg.Access, o, other, c.op); err == nil && v == true {
			return c.result, nil
		}
	}
	return brine.NotImplemented, nil
}

func (in *incoming) oldSlicing(o any, vs []any) (any, error) {
	attempt, ok1 := in.d.OwnMethod(vs[1]).(string)
	fallback, ok2 := in.d.OwnMethod(vs[2]).(string)
	extra, ok3 := vs[5].(brine.Tuple)
	if !ok1 || !ok2 || !ok3 {
		return nil, vinegar.TypeError.New("name must be a string")
	}
	return exposed.OldSlicing(in, &in.c.cfg.Access, o, attempt, fallback, vs[3], vs[4], extra)
}

// callSlicing is CALLATTR of a method that takes the two ends of a slice.
func (in *incoming) callSlicing(o any, item, name string) (any, error) {
	v, err := in.value(2)
	if err != nil {
		return nil, err
	}
	args, ok := v.(brine.Tuple)
	if !ok || len(args) < 2 {
		return nil, vinegar.TypeError.New(name + "() takes at least 2 arguments")
	}
	return exposed.OldSlicing(in, &in.c.cfg.Access, o, item, name, args[0], args[1], args[2:])
}

func names(ns []string) brine.Tuple {
	t := make(brine.Tuple, len(ns))
	for i, n := range ns {
		t[i] = n
	}
	return t
}

// del carries DEL out: the peer gives references back. If the object is to be told that they were the last ones, it is
// left in in.dropped. An object that is not in the table has been refused before.
func (in *incoming) del() error {
	e := in.args[0].entry
	if e == nil && in.d.HasKinds() {
		var err error
		if _, e, err = in.refArg(0); err != nil {
			return err
		}
	}
	if e == nil {
		return vinegar.KeyError.New("not an object of this side")
	}
	n := int64(1)
	if len(in.args) > 1 {
		v, err := in.value(1)
		if err != nil {
			return err
		}
		var ok bool
		if n, ok = v.(int64); !ok {
			return vinegar.TypeError.New("count must be an integer")
		}
	}
	in.dropped = in.c.decref(e.ref, n)
	return nil
}

// refArg reads an argument that is an id pack by value, and finds the object of ours that it names; nil if there is
// none.
func (in *incoming) refArg(i int) (wire.Ref, *exported, error) {
	if in.args[i].raw == nil {
		return wire.Ref{}, nil, vinegar.TypeError.New("an id pack is needed")
	}
	c := brine.NewCursor(in.args[i].raw)
	var names wire.Names
	r, err := in.d.ReadRef(&c, &names)
	if err != nil {
		return wire.Ref{}, nil, formException(err)
	}
	l := in.c.lock()
	defer l.unlock()
	return r, l.exports.find(r), nil
}

// inspect answers INSPECT and TYPE on the reader: a peer sends them while it decodes a message of ours, and cannot go
// on before it has the answer. For an object of a third peer, that peer is asked by another goroutine.
func (in *incoming) inspect() {
	if in.h == wire.HandleType {
		in.classOf()
		return
	}
	r, e, err := in.refArg(0)
	if err == nil && e == nil {
		err = unknownRef(r)
	}
	if err != nil {
		in.answerAtOnce(nil, err)
		return
	}
	var ask func(context.Context) ([]exposed.Method, error)
	switch o := e.obj.(type) {
	case *netref.Object:
		ask = func(ctx context.Context) ([]exposed.Method, error) { return remoteMethods(ctx, o) }
	case *foreignType:
		ask = o.inspect
	}
	if ask != nil {
		if !in.c.askForeign(1) {
			in.answerAtOnce(nil, vinegar.RecursionError.New("too many requests under way"))
			return
		}
		go func() {
			defer in.c.askForeign(-1)
			ms, err := ask(in.c.base)
			in.answerAnd(methodPairs(in.d, ms), err, sendLater)
		}()
		return
	}
	in.answerAtOnce(methodPairs(in.d, exposed.Methods(&in.c.cfg.Access, e.obj)), nil)
}

// maxForeign is how many questions of this peer are asked other peers at a time. CPython asks one for each of its
// threads.
const maxForeign = 1024

// askForeign counts n such questions more; false if they are too many.
func (c *Conn) askForeign(n int) bool {
	l := c.lock()
	defer l.unlock()
	if l.foreign+n > maxForeign {
		return false
	}
	l.foreign += n
	return true
}

// remoteMethods asks the peer that has o for the methods of its class. That peer may be of another family than the one
// that asks us.
func remoteMethods(ctx context.Context, o *netref.Object) ([]exposed.Method, error) {
	var pairs brine.Tuple
	r, _ := o.Ref()
	if err := o.Peer().Request(ctx, &pairs, wire.HandleInspect, r.Tuple()); err != nil {
		return nil, err
	}
	d := wire.FamilyD
	if c, ok := o.Peer().(*requester); ok {
		d = (*Conn)(c).Dialect()
	}
	ms := make([]exposed.Method, 0, len(pairs)+1)
	if d.CallsInTwo() { // its proxies ask for the truth of any object, and so it is not listed
		ms = append(ms, exposed.Method{Name: "__bool__"})
	}
	for _, v := range pairs {
		pair, _ := v.(brine.Tuple)
		if len(pair) != 2 {
			return nil, vinegar.TypeError.New("the peer that has the object does not list methods")
		}
		pair[0] = d.OwnMethod(pair[0])
		name, ok := asText(pair[0])
		if !ok {
			return nil, vinegar.TypeError.New("the peer that has the object names no methods")
		}
		doc, ok := asText(pair[1])
		ms = append(ms, exposed.Method{Name: name, Doc: doc, HasDoc: ok})
	}
	return ms, nil
}

// asText returns text as a peer sends it, whose Python may be 2.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), utf8.Valid(v)
	}
	return "", false
}

func methodPairs(d *wire.Dialect, ms []exposed.Method) brine.Tuple {
	t := make(brine.Tuple, len(ms), len(ms)+8)
	enters := false
	for i, m := range ms {
		var doc any
		if m.HasDoc {
			doc = m.Doc
		}
		enters = enters || m.Name == "__enter__"
		t[i] = brine.Tuple{d.Method(m.Name), doc}
	}
	for _, name := range d.AskedMethods(enters) {
		t = append(t, brine.Tuple{d.Method(name), nil})
	}
	return t
}

// instanceCheck answers whether the object whose id pack is argument i is an instance of the class o.
func (in *incoming) instanceCheck(o any, i int) (any, error) {
	_, e, err := in.refArg(i)
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return false, nil
	case in.d.CallsInTwo():
		return exposed.IsInstance(in, e.obj, o)
	}
	return exposed.InstanceCheck(in, o, e.obj)
}

// repr renders what an exception carries and brine cannot.
func (in *incoming) repr(v any) string {
	s, err := exposed.Repr(in, v)
	if err != nil {
		return "<unprintable object>"
	}
	return s
}
