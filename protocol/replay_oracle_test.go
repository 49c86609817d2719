package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// oracle is the owner of the objects that the Conn under test offers in a replay: a third peer behind it, whose objects
// it hands on. So whatever the recorded peer asks of an object arrives here as it was asked.
type oracle struct {
	asks     chan *question // what handlers ask, in the order they begin
	inspects chan *question // INSPECT, which is answered at any time
	stop     chan struct{}
	once     sync.Once
}

// over lets all handlers return.
func (o *oracle) over() { o.once.Do(func() { close(o.stop) }) }

// question is an operation on an object of the oracle. Its handler runs until it gets the answer, and makes requests of
// its own when told to.
type question struct {
	ctx  context.Context
	h    wire.Handler
	args []any
	of   *served

	waits  *netref.AsyncResult // what it waits for
	todo   chan func() (done bool)
	cancel context.CancelFunc // ends the waiting for the last request it made
	value  any
	err    error
}

func (o *oracle) next(t *testing.T, from chan *question) *question {
	t.Helper()
	select {
	case q := <-from:
		return q
	case <-time.After(20 * time.Second):
		t.Fatal("the request does not reach the object")
		return nil
	}
}

// Request implements netref.Requester.
func (o *oracle) Request(ctx context.Context, dst any, h wire.Handler, args ...any) error {
	q := &question{ctx: ctx, h: h, args: args, todo: make(chan func() bool)}
	if h == wire.HandleInspect {
		o.inspects <- q
	} else {
		o.asks <- q
	}
	for {
		select {
		case f := <-q.todo:
			if !f() {
				continue
			}
		case <-o.stop:
			return errors.New("the test is over")
		}
		if q.err != nil || dst == nil {
			return q.err
		}
		if q.value == nil {
			return nil // dst is made for the request and zero
		}
		return netref.Assign(ctx, reflect.ValueOf(dst).Elem(), q.value)
	}
}

// finish makes the handler return.
func (q *question) finish(v any, err error) {
	q.interrupt()
	q.todo <- func() bool { q.value, q.err = v, err; return true }
}

// start makes the handler ask the peer and wait for the answer, until there is something else to do.
func (q *question) start(t *testing.T, c *protocol.Conn, h wire.Handler, args []any) *netref.AsyncResult {
	t.Helper()
	q.interrupt()
	ctx, cancel := context.WithCancel(q.ctx)
	q.cancel = cancel
	started := make(chan *netref.AsyncResult, 1)
	q.todo <- func() bool {
		r, err := c.Start(ctx, h, args...)
		if err != nil {
			t.Error(err)
		}
		started <- r
		if r != nil {
			_, _ = r.Wait(ctx)
		}
		return false
	}
	r := <-started
	require.NotNil(t, r)
	return r
}

func (q *question) interrupt() {
	if q.cancel != nil {
		q.cancel()
		q.cancel = nil
	}
}

// Start implements netref.Requester.
func (o *oracle) Start(context.Context, wire.Handler, ...any) (*netref.AsyncResult, error) {
	return nil, errors.New("not expected")
}

// Release implements netref.Requester.
func (o *oracle) Release(*netref.Object) {}

// Keep implements netref.Requester.
func (*oracle) Pickles() (allowed, known bool) { return false, true }

// ByteTexts implements netref.Requester.
func (*oracle) ByteTexts() bool { return false }

func (*oracle) SetPickles(bool) {}

func (*oracle) Unpickle([]byte, bool) (any, error) { return nil, errors.ErrUnsupported }

func (o *oracle) Keep(*netref.Object) {}

// Bound implements netref.Requester.
func (o *oracle) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

// args decodes the boxed arguments of a recorded request for the Conn to box again.
func (r *replay) args(h wire.Handler, boxed brine.Tuple, refs []refAt) []any {
	var target any
	if r.d.BareTargets() && h.HasTarget() { // its number
		target, refs = r.handle(refs[0].raw), refs[1:]
	}
	var args []any
	if boxed[0] == int64(wire.LabelValue) {
		args = boxed[1].(brine.Tuple)
	} else {
		args = r.unbox(boxed, &refs).(brine.Tuple)
	}
	if target != nil {
		args = append([]any{target}, args[1:]...)
	}
	return args
}

// handle is that on an object of the peer.
func (r *replay) handle(raw string) *netref.Object {
	o := r.theirs[r.key(r.refOf(raw))]
	require.NotNil(r.t, o, "no handle on %v", r.refOf(raw))
	return o
}

// key is what an object of the peer is found by.
func (r *replay) key(ref wire.Ref) wire.Ref {
	if oids(r.d) {
		return wire.Ref{Class: ref.Class, Object: ref.Object}
	}
	return ref
}

// unbox decodes a boxed value that the replaced peer sent: the peer's objects become handles, its own ones objects of
// the oracle. refs are the id packs in it, in order.
func (r *replay) unbox(boxed brine.Tuple, refs *[]refAt) any {
	switch wire.Label(boxed[0].(int64)) {
	case wire.LabelValue:
		return boxed[1]
	case wire.LabelTuple:
		items := brine.Tuple{}
		for _, b := range boxed[1].(brine.Tuple) {
			items = append(items, r.unbox(b.(brine.Tuple), refs))
		}
		return items
	}
	ref := (*refs)[0]
	*refs = (*refs)[1:]
	if ref.label == wire.LabelLocalRef {
		return r.handle(ref.raw)
	}
	return r.object(ref.raw, ref.name)
}

func (r *replay) refOf(raw string) wire.Ref {
	c := brine.NewCursor([]byte(raw))
	ref, err := r.d.ReadRef(&c, &wire.Names{})
	require.NoError(r.t, err)
	return ref
}

// object is what stands for an object of the replaced peer.
func (r *replay) object(raw, name string) any {
	o := r.ours[raw]
	if o == nil {
		o = &ourRef{}
		r.ours[raw] = o
	}
	if o.object == nil {
		ref := r.refOf(raw)
		if oids(r.d) {
			ref.Name = name
		}
		o.object = netref.New(r.oracle, ref)
		if ref.IsClass() {
			if c, ok := exceptionClass(ref.Name); ok {
				o.object = c
			}
		}
	}
	return o.object
}

func exceptionClass(name string) (*vinegar.Class, bool) {
	const builtins = "builtins."
	if len(name) < len(builtins) || name[:len(builtins)] != builtins {
		return nil, false
	}
	return vinegar.Lookup("builtins", name[len(builtins):])
}

// note takes down a request of the peer and decides how the answer to it can be compared.
func (r *replay) note(m message) {
	body := m.body.(brine.Tuple)
	s := &served{h: wire.Handler(body[0].(int64)), msg: m}
	r.served[fmt.Sprint(m.seq)] = s
	switch s.h {
	case wire.HandlePing, wire.HandleGetRoot, wire.HandleDel, wire.HandleClose, wire.HandleType:
		return
	case wire.HandlePickle:
		s.why = "pickling is not the connection's"
		return
	}
	if len(m.refs) == 0 {
		return
	}
	o := r.ours[m.refs[0].raw]
	if o == nil {
		return // not in the table: the Conn itself answers
	}
	if _, ok := o.object.(*netref.Object); !ok && o.object != nil || r.standsForClass(o, m.refs[0].raw, s.h) {
		s.loose = true // a class, which answers itself
		return
	}
	s.asks = true
	s.loose = s.loose || s.h == wire.HandleInspect && oids(r.d) // some methods are added to those that the owner lists
	if s.h != wire.HandleInspect {
		r.queue = append(r.queue, s)
	}
}

// deleted counts what the peer has given back.
func (r *replay) deleted(m message) {
	body := m.body.(brine.Tuple)
	if wire.Handler(body[0].(int64)) != wire.HandleDel {
		return
	}
	o := r.ours[m.refs[0].raw]
	if o == nil {
		return
	}
	n := int64(1)
	if args := body[1].(brine.Tuple)[1].(brine.Tuple); len(args) > 1 {
		var byValue bool
		if n, byValue = args[1].(int64); !byValue {
			n = args[1].(brine.Tuple)[1].(int64)
		}
	}
	if o.count -= n; o.count <= 0 {
		delete(r.ours, m.refs[0].raw)
	}
}
