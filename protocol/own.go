package protocol

import (
	"context"
	"errors"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// owned is the peer of handles on an object of this program: requests are carried out at once, by the goroutine that
// makes them. Nothing is refused, as Python refuses its own objects nothing.
type owned struct{ v any }

var openPolicy = exposed.Unrestricted()

func init() {
	netref.SetOwner(func(v any) netref.Owner { return &owned{v} })
}

// Value implements netref.Owner.
func (w *owned) Value() any { return w.v }

// Ref implements netref.Owner.
func (w *owned) Ref() wire.Ref {
	form, _ := exposed.ByValue(w.v)
	switch c := form.(type) {
	case *exposed.Class:
		return wire.Ref{Name: c.Name(), Class: 1}
	default:
		return wire.Ref{Name: exposed.ClassOf(w.v).Name(), Class: 1, Object: 1}
	}
}

// Request implements netref.Requester.
func (w *owned) Request(ctx context.Context, dst any, h wire.Handler, args ...any) error {
	v, err := w.answer(ctx, h, args)
	if err != nil || dst == nil {
		return err
	}
	return storeInto(ctx, dst, handed(v))
}

// handed is a value as a peer would hand it over.
func handed(v any) any {
	form, byValue := exposed.ByValue(v)
	if byValue {
		return form
	}
	switch x := form.(type) {
	case brine.Tuple:
		t := make(brine.Tuple, len(x))
		for i := range x {
			t[i] = handed(x[i])
		}
		return t
	case *netref.Object:
		return x
	}
	w := &owned{form}
	return netref.New(w, w.Ref())
}

// withoutHandle is an argument without the handle that stands for it.
func withoutHandle(v any) any {
	switch x := v.(type) {
	case *netref.Object:
		if own, ok := x.Own(); ok {
			return own
		}
	case brine.Tuple:
		t := make(brine.Tuple, len(x))
		for i := range x {
			t[i] = withoutHandle(x[i])
		}
		return t
	}
	return v
}

// answer carries a request out. What fails is an exception, as at a peer.
func (w *owned) answer(ctx context.Context, h wire.Handler, args []any) (any, error) {
	v, err := w.operate(ctx, h, args)
	if err != nil && ctx.Err() == nil {
		err = vinegar.FromError(err)
	}
	return v, err
}

func (w *owned) operate(ctx context.Context, h wire.Handler, args []any) (any, error) {
	a := make([]any, 4) // more than any operation needs
	for i := range min(len(args), len(a)) {
		a[i] = withoutHandle(args[i])
	}
	switch h {
	case wire.HandleCall:
		in, err := exposed.CallArgs(ctx, a[1], a[2])
		if err != nil {
			return nil, err
		}
		return exposed.Call(ctx, w.v, in)
	case wire.HandleCallAttr:
		in, err := exposed.CallArgs(ctx, a[2], a[3])
		if err != nil {
			return nil, err
		}
		return exposed.CallAttr(ctx, openPolicy, w.v, a[1], in)
	case wire.HandleCmp:
		op, _ := a[2].(string)
		return exposed.Compare(ctx, openPolicy, w.v, a[1], op)
	case wire.HandlePickle:
		return nil, vinegar.ValueError.New("pickling is disabled")
	}
	return operate(ctx, openPolicy, h, w.v, a)
}

// Start implements netref.Requester.
func (w *owned) Start(ctx context.Context, h wire.Handler, args ...any) (*netref.AsyncResult, error) {
	v, err := w.answer(ctx, h, args)
	return netref.NewAsyncResult(&answered{handed(v), err}), nil
}

// Unpickle implements netref.Requester.
func (*owned) Unpickle([]byte, bool) (any, error) { return nil, errors.ErrUnsupported }

// Pickles implements netref.Requester.
func (*owned) Pickles() (allowed, known bool) { return false, true }

// ByteTexts implements netref.Requester.
func (*owned) ByteTexts() bool { return false }

// SetPickles implements netref.Requester.
func (*owned) SetPickles(bool) {}

// Bound implements netref.Requester.
func (*owned) Bound(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }

// Release implements netref.Requester.
func (*owned) Release(*netref.Object) {}

// Keep implements netref.Requester.
func (*owned) Keep(*netref.Object) {}

// answered is the answer to a request that did not have to be waited for.
type answered struct {
	v   any
	err error
}

// Done implements netref.Pending.
func (*answered) Done() <-chan struct{} { return hasAnswer }

// Take implements netref.Pending.
func (r *answered) Take(ctx context.Context, dst any) error {
	if r.err != nil {
		return r.err
	}
	return storeInto(ctx, dst, r.v)
}

// Abandon implements netref.Pending.
func (*answered) Abandon() {}

// Wait implements netref.Pending.
func (*answered) Wait(context.Context) error { return nil }
