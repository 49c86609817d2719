package protocol

import (
	"bytes"
	"context"
	"errors"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// What the peers of family E (rpyc-ng 7) do in another way than those of family D, beyond the form of messages.

// errCallsInTwo says that a CALLATTR has to be sent as GETATTR and CALL.
var errCallsInTwo = errors.New("rpyc: the peer has no CALLATTR")

// callInTwo is CALLATTR for a peer that has none.
func (c *Conn) callInTwo(ctx context.Context, dst any, args []any) error {
	var method any
	if err := c.Request(ctx, &method, wire.HandleGetAttr, args[0], args[1]); err != nil {
		return err
	}
	if o, ok := method.(*netref.Object); ok {
		defer c.giveBackOne(o)
	}
	return c.Request(ctx, dst, wire.HandleCall, append([]any{method}, args[2:]...)...)
}

// startInTwo is callInTwo for a call that nobody waits for yet. Such calls are sent in the order in which they were
// started.
func (c *Conn) startInTwo(ctx context.Context, p *call, args []any) error {
	get, err := c.Start(ctx, wire.HandleGetAttr, args[0], args[1])
	if err != nil {
		return err
	}
	args = copiedBytes(args)
	sent := make(chan struct{})
	l := c.lock()
	before := l.inTwo
	l.inTwo = sent
	l.unlock()
	go func() {
		v, err := c.finishInTwo(ctx, get, args, before, sent)
		p.complete(answer{value: v, err: err})
	}()
	return nil
}

// copiedBytes returns arguments that are sent later with bytes of their own: the caller may use his again.
func copiedBytes(args []any) []any {
	own := make([]any, len(args))
	for i, v := range args {
		switch v := v.(type) {
		case []byte:
			own[i] = bytes.Clone(v)
		case brine.Tuple:
			own[i] = brine.Tuple(copiedBytes(v))
		default:
			own[i] = v
		}
	}
	return own
}

// finishInTwo calls the method that get gives, after before is closed, and closes sent.
func (c *Conn) finishInTwo(ctx context.Context, get *netref.AsyncResult, args []any, before <-chan struct{},
	sent chan<- struct{}) (any, error) {
	result, err := func() (*netref.AsyncResult, error) {
		defer close(sent)
		method, err := get.Wait(c.base)
		if before != nil {
			<-before
		}
		if err != nil {
			return nil, err
		}
		if o, ok := method.(*netref.Object); ok {
			defer c.giveBackOne(o) // after the call that names it
		}
		return c.Start(ctx, wire.HandleCall, append([]any{method}, args[2:]...)...)
	}()
	if err != nil {
		return nil, err
	}
	return result.Wait(c.base)
}

// exitCall makes CTXEXIT of a CALLATTR of __exit__, as peers of family A and on Python 2 leave a block: rpyc-ng then
// has an exception, and no references to one, which its releases before 7.0.12 can deadlock on when they collect them.
func exitCall(args []any) (wire.Handler, []any) {
	if len(args) > 2 && args[1] == any("__exit__") {
		if pos, ok := args[2].(brine.Tuple); ok && len(pos) == 3 && (pos[1] == nil || exposed.ExceptionOf(pos[1]) != nil) {
			return wire.HandleCtxExit, []any{args[0], pos[1]}
		}
	}
	return wire.HandleCallAttr, args
}

// exitArgs gives CTXEXIT the exception in the form that the family has: its payload in E, its class in the others.
func exitArgs(d *wire.Dialect, args []any) ([]any, error) {
	exc := exposed.ExceptionOf(args[1])
	if exc == nil {
		return args, nil
	}
	if !d.CallsInTwo() {
		if _, ok := args[1].(*vinegar.Error); ok {
			return []any{args[0], exc.Class}, nil
		}
		return args, nil
	}
	b, err := vinegar.AppendPayload(nil, exc, &vinegar.DumpOptions{Version: d.Version()})
	if err != nil {
		return nil, err
	}
	payload, err := brine.Unmarshal(b)
	return []any{args[0], payload}, err
}

// exitedWith decodes the exception of a CTXEXIT that came as a payload.
func (in *incoming) exitedWith() (any, error) {
	c := brine.NewCursor(in.args[1].raw)
	e, err := vinegar.DecodePayload(&c)
	if err != nil {
		return nil, formException(err)
	}
	return e, nil
}

// compareByMethod is CMP as the peers of the family carry it out: without the method, the operands are not comparable.
func (in *incoming) compareByMethod(o, other any, op string) (any, error) {
	method, err := exposed.GetAttr(in, &in.c.cfg.Access, o, op)
	if errors.Is(err, vinegar.AttributeError) {
		return brine.NotImplemented, nil
	}
	if err != nil {
		return nil, err
	}
	return exposed.Call(in, method, exposed.NewArgs([]any{other}, nil))
}

// classOf answers TYPE on the reader, as the peer asks while it decodes a message of ours.
func (in *incoming) classOf() {
	r, e, err := in.refArg(0)
	if err == nil && e == nil {
		err = unknownRef(r)
	}
	if err != nil {
		in.answerAtOnce(nil, err)
		return
	}
	o, foreign := e.obj.(*netref.Object)
	if !foreign {
		in.answerAtOnce(exposed.ClassOf(e.obj), nil)
		return
	}
	class := any(foreignTypeOf(o))
	l := in.c.lock()
	if known := l.exports.classes[e.ref.Class]; known != nil {
		class = known.obj
	}
	l.unlock()
	in.answerAtOnce(class, nil)
}

// delProbe finds out in which of two forms a peer of the family takes DEL: the first one is sent in that of the newer
// releases, and the others wait for its answer, which is an exception from the older ones.
type delProbe struct {
	state   delState
	seq     int64 // of the first one
	first   givenBack
	waiting []givenBack
}

type delState byte

const (
	delUnknown delState = iota
	delAsked
	delKnown
)

type givenBack struct {
	ref wire.Ref
	n   int64
}

// delWaits reports whether a DEL is to wait until the form is known. Otherwise it is to be sent, with the number seq.
func (c *Conn) delWaits(seq int64, r wire.Ref, n int64) bool {
	l := c.lock()
	defer l.unlock()
	switch p := &l.del; p.state {
	case delUnknown:
		p.state, p.seq, p.first = delAsked, seq, givenBack{r, n}
	case delAsked:
		p.waiting = append(p.waiting, givenBack{r, n})
		return true
	}
	return false
}

// delAnswered takes in an answer that no call waits for: it may be the one to the first DEL.
func (c *Conn) delAnswered(seq wire.Seq, kind wire.Kind) {
	l := c.lock()
	p := &l.del
	if p.state != delAsked || seq != wire.Num(p.seq) {
		l.unlock()
		return
	}
	p.state = delKnown
	waiting := p.waiting
	if kind == wire.Exception {
		waiting = append(waiting, p.first)
		c.dialect.Store(c.dialect.Load().DelByRef())
	}
	p.waiting = nil
	l.unlock()
	for _, g := range waiting {
		c.sendDel(g.ref, int(g.n), sendLater)
	}
}
