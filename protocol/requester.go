package protocol

import (
	"context"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// requester is a Conn as its handles see it. It is a type of its own because users of a Conn have no need for the
// methods that netref.Requester asks for.
type requester Conn

var _ netref.Requester = (*requester)(nil)

// Request implements netref.Requester.
func (r *requester) Request(ctx context.Context, dst any, h wire.Handler, args ...any) error {
	return (*Conn)(r).Request(ctx, dst, h, args...)
}

// Start implements netref.Requester.
func (r *requester) Start(ctx context.Context, h wire.Handler, args ...any) (*netref.AsyncResult, error) {
	return (*Conn)(r).Start(ctx, h, args...)
}

// Unpickle implements netref.Requester.
func (r *requester) Unpickle(data []byte, exact bool) (any, error) {
	d := pickle.Decoder{Alias: true, Exact: exact}
	return d.Decode(data)
}

// What is known of whether the peer allows pickles.
const (
	picklesAllowed = 1
	picklesRefused = 2
)

// Pickles implements netref.Requester. Python 2 pickles texts as bytes.
func (r *requester) Pickles() (allowed, known bool) {
	if d := r.dialect.Load(); d == nil || d.Python2() {
		return false, true
	}
	n := r.pickles.Load()
	return n == picklesAllowed, n != 0
}

// SetPickles implements netref.Requester.
func (r *requester) SetPickles(allowed bool) {
	if allowed {
		r.pickles.Store(picklesAllowed)
	} else {
		r.pickles.Store(picklesRefused)
	}
}

// ByteTexts implements netref.Requester.
func (r *requester) ByteTexts() bool {
	d := r.dialect.Load()
	return d != nil && d.Python2()
}

// Bound implements netref.Requester.
func (r *requester) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return bounded(ctx, r.cfg.Timeout)
}

// Release implements netref.Requester.
func (r *requester) Release(o *netref.Object) {
	ref, _ := o.Ref()
	l := (*Conn)(r).lock()
	e := l.imports.entries[ref]
	current := e != nil && e.handle.Value() == o
	l.unlock()
	if current {
		e.giveBack()
	}
	// Otherwise a newer handle has taken the entry's place and the cleanup gives back what this one counted.
}

// Keep implements netref.Requester.
func (r *requester) Keep(o *netref.Object) {
	ref, _ := o.Ref()
	l := (*Conn)(r).lock()
	defer l.unlock()
	if e := l.imports.entries[ref]; e != nil && e.handle.Value() == o && !e.gone {
		l.imports.keep(e, o)
	}
}

// owns reports whether o is a handle on an object of this connection's peer.
func (c *Conn) owns(o *netref.Object) bool { return o.Peer() == netref.Requester((*requester)(c)) }

// fetchRoot finds out which object a root handle stands for, unless that is known. The Dial functions ask for the root
// to see whether the peer understands; a connection that was accepted asks when the handle is first used.
func fetchRoot(ctx context.Context, root *netref.Object) error {
	if _, known := root.Ref(); known {
		return nil
	}
	var v any
	if err := root.Peer().Request(ctx, &v, wire.HandleGetRoot); err != nil {
		return err
	}
	return resolveTo(root, v)
}

// resolveTo has a root handle stand for v, the answer to GETROOT.
func resolveTo(root *netref.Object, v any) error {
	o, ok := v.(*netref.Object)
	if !ok {
		return &wire.FormError{What: "a root object by reference", Got: "a value"}
	}
	root.ResolveTo(o)
	if o.Peer() == root.Peer() {
		o.Keep() // for the root handle, which is the connection's
	}
	return nil
}
