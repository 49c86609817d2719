package protocol

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Hooks observe connections: for metrics, traces and logs. RPyC has nothing like them. The zero value observes nothing
// and costs nothing.
//
// Hooks of a list are begun in order and ended in the reverse order, on goroutines of the request they are told of.
// They have to be safe for concurrent use and should be quick: what they take is time that the request takes. A panic
// in one is logged.
type Hooks struct {
	// Serve is told of requests of the peer.
	Serve []ServeHook
	// Call is told of requests to the peer.
	Call []CallHook
	// Conn is told of connections.
	Conn []ConnHook
}

// JoinHooks makes one of several, in their order.
func JoinHooks(all ...Hooks) Hooks {
	var h Hooks
	for _, x := range all {
		h.Serve = append(h.Serve, x.Serve...)
		h.Call = append(h.Call, x.Call...)
		h.Conn = append(h.Conn, x.Conn...)
	}
	return h
}

// ServeHook is told of the requests of the peer that may run a service's code. Those that never do are not told of:
// PING, DEL, GETROOT, INSPECT and CLOSE.
type ServeHook interface {
	// ServeBegin is called when it is the request's turn. It returns the context that the handler gets, which has to be
	// ctx or one derived from it, such as one with values or a deadline; nil means ctx. [FromContext] works on ctx.
	ServeBegin(ctx context.Context, r *RequestInfo) context.Context
	// ServeEnd is called with the context that ServeBegin has returned, when the answer is ready to be sent.
	ServeEnd(ctx context.Context, r *RequestInfo)
}

// CallHook is told of the requests that this side makes: of all but CLOSE, DEL, and the question for the root that the
// Dial functions ask. An iteration over something of an old peer's is told of item by item.
type CallHook interface {
	// CallBegin is called before the request is sent. What it returns takes the place of the caller's context ctx: ctx or
	// one derived from it; nil means ctx.
	CallBegin(ctx context.Context, r *RequestInfo) context.Context
	// CallEnd is called with the context that CallBegin has returned, when the request has its answer or has failed. For
	// asynchronous requests a goroutine is started that calls it.
	CallEnd(ctx context.Context, r *RequestInfo)
}

// ConnHook is told of connections that open and close.
type ConnHook interface {
	// ConnOpened is called after the root object's OnConnect, before the first request of the peer is served. It may not
	// make requests itself.
	ConnOpened(c *Conn)
	// ConnClosed is called after the root object's OnDisconnect; [Conn.Err] says why the connection has ended. It is not
	// called for a connection that was not opened, as OnConnect has refused it.
	ConnClosed(c *Conn)
}

// RequestInfo describes a request to hooks, which may read it until the hook for its end has returned. The fields up to
// Start are there from the beginning, the others at the end.
type RequestInfo struct {
	// Conn is the connection.
	Conn *Conn
	// Op is the operation: wire.HandleCallAttr, wire.HandleGetAttr and so on.
	Op wire.Handler
	// Class is the full name of the class of the object that the operation is of, such as "__main__.Service" or
	// "builtins.list"; of a bound method, that of the method's object. "" if it is not known, as that of the peer's root
	// is when the first call of it begins on a connection that was accepted.
	Class string
	// Method is the name of the attribute that is called, read, assigned to or deleted, without the prefix "exposed_" if
	// Known is set. For CALL, by which CPython calls a method that it has read before, it is the name of the method of
	// ours. "" if there is none.
	Method string
	// Known reports, for requests of the peer, whether this program gave the names in Class and Method: there are only so
	// many of them. Otherwise the peer, or another one, made them up. It is false for requests to the peer.
	Known bool
	// Nested is for a [Gate], and false for others: it reports that a handler of the same connection waits for this
	// peer, so that this request may be part of the answer.
	Nested bool
	// Start is when the request's turn came, or when it was made.
	Start time.Time

	// Duration is the time from Start to the end.
	Duration time.Duration
	// Err is what the request has failed with, nil if it has not. The end of an iteration, StopIteration, is an error.
	Err error
	// BytesIn and BytesOut are the lengths of the messages received and sent, before compression; 0 if there was none.
	BytesIn, BytesOut int
}

// ErrorClass is the name of the Python exception that Err is, such as "ValueError", or "zlib.error" for one that is not
// built in; "" if there is no error. vinegar.FromError says what Go errors are: a call that had to wait for too long is
// a TimeoutError, one whose connection has ended an EOFError. Peers can make up classes.
func (r *RequestInfo) ErrorClass() string {
	if r.Err == nil {
		return ""
	}
	if e := vinegar.FromError(r.Err); e.Class != nil {
		return e.Class.String()
	}
	return vinegar.Exception.String()
}

// ErrorKnown reports whether the class in ErrorClass is Python's own or one that this program has declared: there are
// only so many of them.
func (r *RequestInfo) ErrorKnown() bool {
	name := r.ErrorClass()
	module, class := "builtins", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		module, class = name[:i], name[i+1:]
	}
	if _, known := vinegar.Lookup(module, class); known {
		return true
	}
	_, known := vinegar.Lookup("__main__", name)
	return known
}

// IsCall reports whether something is called, and not read, compared or iterated over, for example.
func (r *RequestInfo) IsCall() bool { return r.Op == wire.HandleCallAttr || r.Op == wire.HandleCall }

// Operation names what is asked for: the method that is called, and otherwise the operation in capitals, with the
// attribute behind it if there is one, as "GETATTR name".
func (r *RequestInfo) Operation() string {
	switch {
	case r.Method == "":
		return r.Op.String()
	case r.IsCall():
		return r.Method
	}
	return r.Op.String() + " " + r.Method
}

// Failed reports whether Err is more than the end of an iteration.
func (r *RequestInfo) Failed() bool { return r.Err != nil && !errors.Is(r.Err, vinegar.StopIteration) }

// observed is a request that hooks are told of.
type observed struct {
	info  RequestInfo
	ctx   context.Context   // for the handler, or in place of the caller's
	begun []context.Context // what each hook has returned
	ended atomic.Bool
}

// begin has a hook begin. A hook that panics is taken to have returned nil.
func (o *observed) begin(begin func(context.Context, *RequestInfo) context.Context) {
	defer func() { o.begun = append(o.begun, o.ctx) }()
	defer o.info.Conn.logPanic("hook")
	if ctx := begin(o.ctx, &o.info); ctx != nil {
		o.ctx = ctx
	}
}

// end has the hooks end, whose number is that of those that have begun, unless they have.
func (o *observed) end(err error, hook func(i int) func(context.Context, *RequestInfo)) {
	if o.ended.Swap(true) {
		return
	}
	o.info.Err, o.info.Duration = err, time.Since(o.info.Start)
	for i := len(o.begun) - 1; i >= 0; i-- {
		func() {
			defer o.info.Conn.logPanic("hook")
			hook(i)(o.begun[i], &o.info)
		}()
	}
}

// serveContext is what hooks are given as the context of a handler. It is the request without what they put there,
// since what they derive from it is asked first (incoming.parent).
type serveContext struct {
	context.Context // incoming.underlying
	in              *incoming
}

// Value implements context.Context.
func (s serveContext) Value(key any) any {
	if v, ok := s.in.identity(key); ok {
		return v
	}
	return s.Context.Value(key)
}

// observe tells the hooks that the request begins.
func (in *incoming) observe() {
	c := in.c
	o := &observed{ctx: serveContext{in.underlying(), in}, info: in.describe(time.Now())}
	for _, h := range c.cfg.Hooks.Serve {
		o.begin(h.ServeBegin)
	}
	in.observed = o
}

// describe says what there is to say when the request begins.
func (in *incoming) describe(start time.Time) RequestInfo {
	r := RequestInfo{Conn: in.c, Op: in.h, Start: start, BytesIn: len(in.buf.Payload)}
	r.Class, r.Method, r.Known = in.callee()
	return r
}

// callee says what the request is of.
func (in *incoming) callee() (class, method string, known bool) {
	v, err := in.value(0)
	if err != nil {
		return "", "", false
	}
	switch {
	case in.h == wire.HandleCall:
		return exposed.CalleeName(v)
	case in.h.TakesName():
		name, _ := in.value(1)
		if text, ok := asText(name); ok {
			return exposed.AttrName(&in.c.cfg.Access, v, text)
		}
	}
	return exposed.AttrName(&in.c.cfg.Access, v, "")
}

// unobserve tells the hooks, if there are any, how the request has ended.
func (in *incoming) unobserve(err error, bytes int) {
	o := in.observed
	if o == nil {
		return
	}
	o.info.BytesOut = bytes
	o.end(err, func(i int) func(context.Context, *RequestInfo) { return in.c.cfg.Hooks.Serve[i].ServeEnd })
}

// observeCall tells the hooks that a request of this side begins; nil if there are none.
func (c *Conn) observeCall(ctx context.Context, h wire.Handler, args []any) *observed {
	if len(c.cfg.Hooks.Call) == 0 || h == wire.HandleClose {
		return nil
	}
	o := &observed{ctx: ctx, info: RequestInfo{Conn: c, Op: h, Start: time.Now()}}
	if len(args) > 0 {
		if target, ok := args[0].(*netref.Object); ok {
			o.info.Class = target.ClassName()
		}
	}
	if len(args) > 1 && h.TakesName() {
		o.info.Method, _ = asText(args[1])
	}
	for _, hook := range c.cfg.Hooks.Call {
		o.begin(hook.CallBegin)
	}
	return o
}

func (o *observed) endCall(err error) {
	o.end(err, func(i int) func(context.Context, *RequestInfo) { return o.info.Conn.cfg.Hooks.Call[i].CallEnd })
}

// endStarted tells the hooks of the answer to an asynchronous request. It is called on the reader, which runs no hooks.
func (p *call) endStarted(a answer) {
	raw := a.raw
	if a.exc {
		raw = append([]byte(nil), raw...) // whoever takes the answer releases it
	}
	go func() {
		err := a.err
		if a.exc {
			err = p.c.decodeException(raw)
		}
		p.observed.endCall(err)
	}()
}

// tellOpened and tellClosed tell the hooks of the connection.
func (c *Conn) tellOpened() { c.tellHooks(ConnHook.ConnOpened) }
func (c *Conn) tellClosed() { c.tellHooks(ConnHook.ConnClosed) }

func (c *Conn) tellHooks(f func(ConnHook, *Conn)) {
	for _, h := range c.cfg.Hooks.Conn {
		func() {
			defer c.logPanic("hook")
			f(h, c)
		}()
	}
}
