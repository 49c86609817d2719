package netref

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Requester is what a handle needs of the connection it belongs to. Package protocol implements it; users have no need
// to call or implement it.
type Requester interface {
	// Request asks the peer for the operation h and waits for the answer. dst is nil to drop the result, or a pointer
	// it is stored through: *any takes it as received, anything else is converted as [Assign] does.
	Request(ctx context.Context, dst any, h wire.Handler, args ...any) error
	// Start sends the request and returns at once. The context bounds nothing but the sending.
	Start(ctx context.Context, h wire.Handler, args ...any) (*AsyncResult, error)
	// Release gives a handle's references back to the peer.
	Release(o *Object)
	// Keep holds a handle until Release, or until the connection ends.
	Keep(o *Object)
	// Unpickle returns the value of a pickle that the peer has sent, in the forms of package pickle. exact is a field of
	// its Decoder.
	Unpickle(data []byte, exact bool) (any, error)
	// Pickles reports whether the peer allows pickles of its objects, if that is known; SetPickles tells it.
	Pickles() (allowed, known bool)
	SetPickles(allowed bool)
	// ByteTexts reports whether the peer's texts are bytes, as they are on Python 2.
	ByteTexts() bool
	// Bound gives a context without a deadline the connection's default timeout.
	Bound(ctx context.Context) (context.Context, context.CancelFunc)
}

// Object is a handle on an object that lives at the peer, what RPyC calls a netref
// (rpyc.core.netref.BaseNetref). All operations are requests to the peer; none is answered from a cache. An Object is
// safe for concurrent use.
//
// The peer keeps the object alive as long as the handle is reachable here, or until [Object.Release]. The same object
// received twice on one connection is the same *Object while the first one is in use.
//
// Every method that asks the peer returns the peer's exception as a *vinegar.Error, a context's end as an error
// matching its cause, and protocol.ErrClosed once the connection has ended.
type Object struct {
	peer     Requester
	ref      atomic.Pointer[wire.Ref]
	released atomic.Bool
	root     bool    // it is the root handle
	kept     *Object // the root handle keeps what it was resolved to
}

// New makes the handle for an id pack received from a peer. It is meant for the connection, which alone knows how
// references are counted.
func New(peer Requester, ref wire.Ref) *Object {
	o := &Object{peer: peer}
	o.ref.Store(&ref)
	return o
}

// NewRoot makes a handle on whatever the peer's root object is, resolved when it is first used.
func NewRoot(peer Requester) *Object { return &Object{peer: peer, root: true} }

// ResolveTo makes a root handle stand for o. Only the first call has an effect.
func (o *Object) ResolveTo(to *Object) {
	if o.ref.CompareAndSwap(nil, to.ref.Load()) {
		o.kept = to
	}
}

// Ref returns the id pack under which the peer knows the object; false if it is a root handle that has not been used.
func (o *Object) Ref() (wire.Ref, bool) {
	if r := o.ref.Load(); r != nil {
		return *r, true
	}
	return wire.Ref{}, false
}

// Peer returns the connection the handle belongs to.
func (o *Object) Peer() Requester { return o.peer }

// ClassName returns the full name of the object's Python class as the peer announced it, such as "builtins.list"; for
// a class or a module, its own name. It is empty for a root handle that has not been used.
func (o *Object) ClassName() string {
	r, _ := o.Ref()
	return r.Name
}

// IsClass reports whether the handle is on a class.
func (o *Object) IsClass() bool {
	r, ok := o.Ref()
	return ok && r.IsClass()
}

// Is reports whether two handles are on the same object of the same peer, or of this program (Python's "is").
func (o *Object) Is(other *Object) bool {
	if o == nil || other == nil {
		return o == other
	}
	if v, own := o.Own(); own {
		w, own := other.Own()
		return own && sameOwn(reflect.ValueOf(v), reflect.ValueOf(w))
	}
	a, okA := o.Ref()
	b, okB := other.Ref()
	return o == other || okA && okB && a == b && o.peer == other.peer
}

// String describes the handle without asking the peer; see [Object.Str] for Python's str().
func (o *Object) String() string {
	r, ok := o.Ref()
	switch {
	case !ok:
		return "<netref of the root>"
	case r.IsClass():
		return fmt.Sprintf("<netref of class %s>", r.Name)
	}
	return fmt.Sprintf("<netref of %s object>", r.Name)
}

// Release gives the object back to the peer at once instead of when the handle is garbage collected. Afterwards the
// handle must not be used: requests with it fail with an error matching [ErrReleased]. Releasing twice, or a root
// handle, does nothing.
func (o *Object) Release() {
	if !o.root && !o.released.Swap(true) {
		o.peer.Release(o)
	}
}

// Keep has the peer keep the object alive until [Object.Release], or until the connection ends, even if nothing here
// uses the handle any more. It is for objects that matter by being there, such as a subscription or a lock. It returns
// o.
func (o *Object) Keep() *Object {
	if !o.root && !o.released.Load() {
		o.peer.Keep(o)
	}
	return o
}

// Released reports whether [Object.Release] was called.
func (o *Object) Released() bool { return o.released.Load() }

// request is Request with the object as first argument.
func (o *Object) request(ctx context.Context, dst any, h wire.Handler, args ...any) error {
	all := make([]any, 0, 5)
	all = append(append(all, o), args...)
	return o.peer.Request(ctx, dst, h, all...)
}

// Request asks for the operation h on the object and returns the result as received. It is the way to what has no
// method of its own.
func (o *Object) Request(ctx context.Context, h wire.Handler, args ...any) (v any, err error) {
	err = o.request(ctx, &v, h, args...)
	return v, err
}

// Get reads an attribute (Python: o.name).
func (o *Object) Get(ctx context.Context, name string) (any, error) {
	return o.Request(ctx, wire.HandleGetAttr, name)
}

// Set writes an attribute (Python: o.name = value).
func (o *Object) Set(ctx context.Context, name string, value any) error {
	return o.request(ctx, nil, wire.HandleSetAttr, name, value)
}

// Del deletes an attribute (Python: del o.name).
func (o *Object) Del(ctx context.Context, name string) error {
	return o.request(ctx, nil, wire.HandleDelAttr, name)
}

// Has reports whether the object has an attribute that may be read (Python: hasattr(o, name)).
func (o *Object) Has(ctx context.Context, name string) (bool, error) {
	_, err := o.Get(ctx, name)
	if isAnyOf(err, vinegar.AttributeError) {
		return false, nil
	}
	return err == nil, err
}

// Call calls the object (Python: o(*args, **kwargs)). Keyword arguments are given with [Kw], anywhere among args.
func (o *Object) Call(ctx context.Context, args ...any) (v any, err error) {
	err = o.CallInto(ctx, &v, args...)
	return v, err
}

// CallInto is Call with the result converted into *dst as [Assign] does; nil drops it.
func (o *Object) CallInto(ctx context.Context, dst any, args ...any) error {
	pos, kw := splitArgs(args)
	return o.request(ctx, dst, wire.HandleCall, pos, kw)
}

// CallMethod calls a method (Python: o.name(*args, **kwargs)). It takes one round trip where Python takes two.
func (o *Object) CallMethod(ctx context.Context, name string, args ...any) (v any, err error) {
	err = o.CallMethodInto(ctx, &v, name, args...)
	return v, err
}

// CallMethodInto is CallMethod with the result converted into *dst as [Assign] does; nil drops it.
func (o *Object) CallMethodInto(ctx context.Context, dst any, name string, args ...any) error {
	pos, kw := splitArgs(args)
	if err := o.peer.Request(ctx, dst, wire.HandleCallAttr, o, name, pos, kw); err != nil {
		return named(name, err)
	}
	return nil
}

// Item reads an item (Python: o[key]); see [Slice] for slices.
func (o *Object) Item(ctx context.Context, key any) (any, error) { return Item[any](ctx, o, key) }

// SetItem writes an item (Python: o[key] = value).
func (o *Object) SetItem(ctx context.Context, key, value any) error {
	_, err := special[struct{}](ctx, o, "'%s' object does not support item assignment", "__setitem__", key, value)
	return err
}

// DelItem deletes an item (Python: del o[key]).
func (o *Object) DelItem(ctx context.Context, key any) error {
	_, err := special[struct{}](ctx, o, "'%s' object doesn't support item deletion", "__delitem__", key)
	return err
}

// Contains reports whether the object contains an item (Python: item in o). Objects without __contains__ are not
// searched: range over them.
func (o *Object) Contains(ctx context.Context, item any) (bool, error) {
	return special[bool](ctx, o, "argument of type '%s' is not a container", "__contains__", item)
}

// Len returns Python's len(o).
func (o *Object) Len(ctx context.Context) (int, error) {
	return special[int](ctx, o, "object of type '%s' has no len()", "__len__")
}

// Str returns Python's str(o).
func (o *Object) Str(ctx context.Context) (s string, err error) {
	err = o.request(ctx, &s, wire.HandleStr)
	return s, err
}

// Repr returns Python's repr(o).
func (o *Object) Repr(ctx context.Context) (s string, err error) {
	err = o.request(ctx, &s, wire.HandleRepr)
	return s, err
}

// Hash returns Python's hash(o).
func (o *Object) Hash(ctx context.Context) (h int64, err error) {
	err = o.request(ctx, &h, wire.HandleHash)
	return h, err
}

// Dir returns Python's dir(o).
func (o *Object) Dir(ctx context.Context) (names []string, err error) {
	err = o.request(ctx, &names, wire.HandleDir)
	return names, err
}

// Compare applies one of Python's comparison methods, "__eq__", "__ne__", "__lt__", "__le__", "__gt__" or "__ge__", to
// the object and other. The result is what the method returns, usually a bool; brine.NotImplemented if the object
// cannot tell, where Python would ask the other operand.
func (o *Object) Compare(ctx context.Context, op string, other any) (any, error) {
	return o.Request(ctx, wire.HandleCmp, other, op)
}

// Equal returns Python's o == other: what either of them says, or identity if none knows. See [Op] for the other
// comparisons.
func (o *Object) Equal(ctx context.Context, other any) (bool, error) {
	return Op[bool](ctx, o, "==", other)
}

// Doc returns the object's documentation string, empty if it has none.
func (o *Object) Doc(ctx context.Context) (string, error) {
	v, err := o.Get(ctx, "__doc__")
	if err != nil {
		return "", err
	}
	s, _ := v.(string)
	return s, nil
}
