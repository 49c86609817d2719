package protocol

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// incoming is a request of the peer, from its arrival to its answer. It is its handler's context, too (context.go).
type incoming struct {
	c    *Conn
	d    *wire.Dialect
	seq  wire.Seq
	h    wire.Handler
	args []boxed
	work *work        // memory for args, and for those of a call
	buf  frame.Buffer // what encoded args stand in
	from uint64       // the peer's thread that has asked, if threads are bound
	refs bool         // the peer handed objects over
	more bool         // other requests were queued when it was this one's turn

	dropped exposed.Dropper // of a DEL, the object that is to be told in turn; the request has been answered

	// Guarded by the connection's lock, see turns.go.
	lane     *lane         // where it queues; nil before
	turn     bool          // it has a turn
	works    bool          // it has one of Config.Workers
	batch    int           // requests its worker has run before, one after the other
	finished bool          // the handler has returned
	excess   bool          // it is not to be carried out, because too many requests are under way
	waits    int           // goroutines of the handler that wait for the peer
	back     chan struct{} // closed when its goroutines that want the turn back may go on; nil if there are none
}

// arity is how many arguments a handler takes.
type arity struct{ min, max int }

var arities = [...]arity{
	wire.HandlePing: {1, 1}, wire.HandleClose: {0, 0}, wire.HandleGetRoot: {0, 0}, wire.HandleGetAttr: {2, 2},
	wire.HandleDelAttr: {2, 2}, wire.HandleSetAttr: {3, 3}, wire.HandleCall: {2, 3}, wire.HandleCallAttr: {3, 4},
	wire.HandleRepr: {1, 1}, wire.HandleStr: {1, 1}, wire.HandleCmp: {2, 3}, wire.HandleHash: {1, 1},
	wire.HandleDir: {1, 1}, wire.HandlePickle: {2, 2}, wire.HandleDel: {1, 2}, wire.HandleInspect: {1, 1},
	wire.HandleBuffIter: {2, 2}, wire.HandleOldSlicing: {6, 6}, wire.HandleCtxExit: {2, 2},
	wire.HandleInstanceCheck: {2, 2},
}

// receiveRequest takes in a request: on the reader, as far as the order of arrival matters, and for requests that run
// nothing of the user's to the end. Once the sequence number is known, nothing a request contains can end the
// conversation, unless it is no brine. A request that is returned has a turn and is the reader's to run.
func (c *Conn) receiveRequest(u unboxer, seq wire.Seq, body brine.Cursor, buf frame.Buffer, free bool) (*incoming, error) {
	in := &incoming{c: c, d: u.d, seq: seq, buf: buf, from: u.d.ReadThreads(buf.Payload).Sender}
	all := body
	if err := in.parse(&u, &body); err != nil {
		if err := wire.CheckBody(all); err != nil {
			in.forgetArgs()
			return nil, err
		}
		in.answerAtOnce(nil, err)
		if in.refs {
			CollectSoon()
		}
		return nil, nil
	}
	switch in.h {
	case wire.HandleDel:
		in.answerAtOnce(nil, in.del())
		if in.dropped == nil {
			return nil, nil
		}
	case wire.HandlePing:
		v, err := in.value(0)
		in.answerAtOnce(v, err)
		return nil, nil
	case wire.HandleGetRoot:
		if _, ok := c.local.(*netref.Object); ok { // another peer may have to be asked for it
			in.forgetArgs()
			go in.answer(c.local, nil, sendNow)
			return nil, nil
		}
		in.answerAtOnce(c.local, nil)
		return nil, nil
	case wire.HandleInspect:
		in.inspect()
		return nil, nil
	case wire.HandleClose:
		c.closeAsked()
	}
	mine := free && c.reader.slow == 0 // otherwise reading goes on while the request runs
	if c.reader.slow > 0 {
		c.reader.slow--
	}
	l := c.lock()
	l.expiry.watch(c, false)                        // the peer may not read the answer
	mine = l.admit(in, mine && len(l.pending) == 0) // nor is an answer to wait for a handler
	l.unlock()
	if mine {
		return in, nil
	}
	c.reader.handed = c.reader.handed || free
	return nil, nil
}

// parse reads handler and arguments, resolving references.
func (in *incoming) parse(u *unboxer, body *brine.Cursor) error {
	h, odd, err := in.d.ReadHandler(body)
	if err != nil {
		return formException(err)
	}
	if odd != nil {
		return vinegar.KeyError.New(odd)
	}
	in.h = h
	u.depth = argsDepth
	n, err := in.parseArgs(u, body)
	if err == nil && in.d.BareTargets() && h.HasTarget() && len(in.args) > 0 {
		in.args[0], err = u.bareTarget(in.args[0])
	}
	in.refs = u.refs
	if err == nil {
		err = u.err
	}
	if err != nil {
		return formException(err)
	}
	if h == 0 {
		return vinegar.KeyError.New(nil)
	}
	if a := arities[h]; n < a.min || n > a.max {
		return vinegar.TypeError.New(fmt.Sprintf("handler %v takes %d to %d arguments but %d were given", h, a.min, a.max, n))
	}
	return nil
}

// argsDepth is how many containers an argument stands in: the request, the boxed pair and the tuple of arguments.
const argsDepth = 3

// parseArgs reads the boxed argument tuple and returns how many arguments there are. Upstream spreads whatever iterable it
// finds there.
func (in *incoming) parseArgs(u *unboxer, body *brine.Cursor) (n int, err error) {
	body.SetDepth(argsDepth - 2)
	label, err := in.d.ReadLabel(body)
	if err != nil {
		return 0, err
	}
	body.SetDepth(argsDepth - 1)
	in.work = in.c.getWork()
	in.args = in.work.args[:0]
	switch {
	case label != wire.LabelValue && label != wire.LabelTuple:
		return 0, vinegar.TypeError.New("arguments must be a tuple")
	case body.Kind() == brine.KindTuple:
		if n, err = body.Tuple(); err != nil {
			return 0, err
		}
		body.SetDepth(argsDepth)
		for range n {
			var x boxed
			if label == wire.LabelTuple {
				x, err = u.next(body)
			} else {
				x.raw, err = body.Raw()
			}
			if err == nil {
				err = in.addArg(x)
			}
			if err != nil {
				return 0, err
			}
		}
		return n, nil
	case label == wire.LabelTuple:
		return 0, vinegar.TypeError.New("arguments must be a tuple")
	}
	x := boxed{}
	if x.raw, err = body.Raw(); err != nil {
		return 0, err
	}
	if len(x.raw) > maxSpread {
		return 0, vinegar.TypeError.New("more arguments than any handler takes")
	}
	v, err := x.decode(false)
	if err != nil {
		return 0, err
	}
	items, ok := pyvalue.Items(v)
	if !ok {
		return 0, vinegar.TypeError.New("arguments must be an iterable")
	}
	for _, v := range items {
		if err := in.addArg(boxed{value: v}); err != nil {
			return 0, err
		}
	}
	return len(items), nil
}

// addArg adds an argument, of which no handler takes more than maxArgs.
func (in *incoming) addArg(x boxed) error {
	switch len(in.args) {
	case 1:
		if in.h.TakesName() {
			if err := x.decodeName(in.d, &in.c.names); err != nil {
				return err
			}
		}
	case maxArgs:
		return nil
	}
	in.args = append(in.args, x)
	return nil
}

const (
	maxArgs   = 6
	maxSpread = 4096 // length of the encoding of what stands in place of an argument tuple, such as a text
)

// value decodes argument i.
func (in *incoming) value(i int) (any, error) {
	return in.args[i].decode(in.buf.Owned())
}

// run handles the request on a worker and answers it. hold says that the answer may be held back if further requests wait, which
// are to be run next; held that it has been.
func (in *incoming) run(hold bool) (held bool) {
	if in.dropped != nil {
		in.c.tellDropped(in.dropped)
		in.dropped = nil
		return false
	}
	if in.h == wire.HandleClose {
		in.c.out.settle()   // answers to what came before
		in.c.die(ErrClosed) // the end of the stream is the answer
		return false
	}
	if in.excess {
		in.forgetArgs()
		in.answer(nil, vinegar.RecursionError.New("too many requests under way"), sendNow)
		return false
	}
	if w := in.c.cfg.Workers; w != nil && !w.employ(in) {
		in.forgetArgs()
		in.answer(nil, w.exhausted(), sendNow)
		return false
	}
	v, err := in.protect()
	if err != nil {
		in.note(err)
	}
	in.forgetArgs()
	if w := in.c.cfg.Workers; w != nil && w.refuse {
		w.done(in)
	}
	if err != nil && !in.c.cfg.SendKeyboardInterrupt && errors.Is(err, vinegar.KeyboardInterrupt) {
		in.c.die(err) // as upstream: not answered, and the end of the connection
		return false
	}
	if hold && in.more {
		in.answer(v, err, sendHeld)
		return true
	}
	in.answer(v, err, sendNow)
	return false
}

// protect runs the handler; a panic becomes an exception for this request.
func (in *incoming) protect() (v any, err error) {
	returned := false
	defer func() {
		if p := recover(); p != nil {
			err = vinegar.FromPanic(p, debug.Stack())
		} else if !returned {
			in.exited()
		}
	}()
	v, err = in.handle()
	returned = true
	return v, err
}

// note logs what a handler ended with: panics, which somebody has to mend, as errors, and exceptions for debugging, as RPyC does
// with all but the end of an iteration.
func (in *incoming) note(err error) {
	cfg := &in.c.cfg
	e, _ := err.(*vinegar.Error) // as panics are; anything else costs more to look at than a disabled log is worth
	switch {
	case e.Panicked():
		in.c.log().ErrorContext(in, "rpyc: panic", "in", in.h.String(), "panic", fmt.Sprint(e.PanicValue()), "traceback", e.FormatTraceback())
	case cfg.Logger.Enabled(in, slog.LevelDebug) && !errors.Is(err, vinegar.StopIteration):
		e = vinegar.FromError(err)
		in.c.log().DebugContext(in, "rpyc: exception", "in", in.h.String(), "exception", e.Error(), "traceback", e.FormatTraceback())
	}
}

// exited is called when a handler ends its goroutine with runtime.Goexit, as testing's FailNow does: the request is answered,
// and another goroutine does what this one would have done next.
func (in *incoming) exited() {
	in.forgetArgs()
	in.answer(nil, vinegar.RuntimeError.New("the handler ended its goroutine"), sendLater)
	go in.c.serveAfter(in)
}

// forgetArgs drops what the request brought along, since the handler's context may be kept. It is to be called before the answer,
// which gives the memory away.
func (in *incoming) forgetArgs() {
	in.buf.Release()
	if in.work != nil {
		clear(in.work.args[:min(len(in.args), len(in.work.args))])
	}
	in.args = nil
}

// work is the memory that a message takes: a request while it is handled and answered, or one of ours while it is encoded. It is
// used again for others.
type work struct {
	args    [5]boxed // there are rarely more
	call    exposed.Args
	scratch scratch
}

var works = sync.Pool{New: func() any { return &work{scratch: scratch{b: make([]byte, 0, 512)}} }}

// getWork takes the work that the connection keeps, or one of the pool if there are several messages at a time.
func (c *Conn) getWork() *work {
	if w := c.spare.Swap(nil); w != nil {
		return w
	}
	return works.Get().(*work)
}

func (c *Conn) putWork(w *work) {
	w.call = exposed.Args{}
	w.scratch.trim()
	if !c.spare.CompareAndSwap(nil, w) {
		works.Put(w)
	}
}

// answerAtOnce answers on the reader, which must not wait for the peer to read.
func (in *incoming) answerAtOnce(v any, err error) {
	mode := sendTry
	if in.c.more() {
		mode = sendLater // the answers to the next messages can go out with this one
	}
	in.forgetArgs()
	in.answer(v, err, mode)
}

// answer sends the reply or the exception.
func (in *incoming) answer(v any, err error, mode sendMode) {
	w := in.work
	if w == nil {
		w = in.c.getWork()
	}
	in.work = nil
	defer in.c.putWork(w)
	s := &w.scratch
	s.begin()
	if err == nil {
		m := boxer{ctx: in.c.base, c: in.c, d: in.d}
		if in.lane != nil { // otherwise it has no turn to give up
			m.ctx = in
		}
		s.b, err = m.value(in.header(s.b, wire.Reply), v)
		if err == nil {
			err = in.c.endFrame(in.d, s)
		}
		if err != nil {
			m.undo()
			s.begin()
		}
	}
	if err != nil {
		s.b = in.appendException(in.header(s.b, wire.Exception), err)
		if err := in.c.endFrame(in.d, s); err != nil {
			in.c.die(err)
			return
		}
	}
	_ = in.c.send(context.Background(), s, mode)
	runtime.KeepAlive(v) // handles named in the answer must not be given back before it is on its way
}

// header begins the answer.
func (in *incoming) header(b []byte, k wire.Kind) []byte {
	b = in.d.AppendThreads(b, wire.Threads{Sender: ourThread, Recipient: in.from})
	return in.d.AppendHeader(b, k, in.seq)
}

func (in *incoming) appendException(b []byte, err error) []byte {
	cfg := &in.c.cfg
	o := vinegar.DumpOptions{HideTraceback: cfg.HideTraceback, HideVersion: cfg.HideVersion, Version: in.d.Version(), Python2: in.d.Python2(), Repr: in.repr}
	e := vinegar.FromError(err)
	nb, err := vinegar.AppendPayload(b, e, &o)
	if err == nil {
		return nb
	}
	in.c.log().Error("rpyc: exception cannot be sent", "exception", e, "reason", err)
	nb, err = vinegar.AppendPayload(b, vinegar.RuntimeError.New("exception cannot be sent"), &o)
	if err != nil {
		return b
	}
	return nb
}
