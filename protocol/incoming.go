package protocol

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"runtime/debug"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// incoming is a request of the peer, from its arrival to its answer. It is also the context of its handler
// (context.go).
type incoming struct {
	c        *Conn
	d        *wire.Dialect
	seq      wire.Seq
	h        wire.Handler
	came     int32 // references to objects of the peer that came with it
	args     []boxed
	space    *workspace   // memory for args, and for the arguments of a call
	buf      frame.Buffer // has the args that are still encoded
	thread   uint64       // the peer's thread that has asked, if threads are bound
	refs     int32        // those of them that were not given back
	followed bool         // other requests were queued when this one's turn came
	weight   int64        // of its values, taken from the budget

	observed *observed // nil without hooks, and before they are told
	meta     *served   // nil if the peer does not read metadata

	dropped exposed.Dropper // of a DEL, the object that is to be told in turn; the request has been answered

	// Guarded by the connection's lock, see turns.go and workers.go.
	lane      *lane // where it queues; nil before
	hasTurn   bool
	hasWorker bool          // it has one of Config.Workers
	finished  bool          // the handler has returned
	late      bool          // it has come while this side shuts down
	excess    bool          // too many requests have begun: this one is to be refused
	streak    int32         // how many requests its worker has run before it in a row
	waits     int32         // goroutines of the handler that wait for the peer
	firstSeq  int64         // the number of the first request of ours that may be its handler's
	back      chan struct{} // closed when those of them that want the turn back may go on; nil if there are none
}

// arity is how many arguments an operation takes.
type arity struct{ min, max int }

var arities = [...]arity{
	wire.HandlePing: {1, 1}, wire.HandleClose: {0, 0}, wire.HandleGetRoot: {0, 0}, wire.HandleGetAttr: {2, 2},
	wire.HandleDelAttr: {2, 2}, wire.HandleSetAttr: {3, 3}, wire.HandleCall: {2, 3}, wire.HandleCallAttr: {3, 4},
	wire.HandleRepr: {1, 1}, wire.HandleStr: {1, 1}, wire.HandleCmp: {2, 3}, wire.HandleHash: {1, 1},
	wire.HandleDir: {1, 1}, wire.HandlePickle: {2, 2}, wire.HandleDel: {1, 2}, wire.HandleInspect: {1, 1},
	wire.HandleBuffIter: {2, 2}, wire.HandleOldSlicing: {6, 6}, wire.HandleCtxExit: {2, 2},
	wire.HandleInstanceCheck: {2, 2}, wire.HandleBool: {1, 1}, wire.HandleSubclassCheck: {2, 2}, wire.HandleType: {1, 1},
}

// receiveRequest does what has to be done with a request in the order of arrival: it resolves references, answers what
// runs none of the user's code (DEL, PING, GETROOT, INSPECT), and gives the others to turns. If readerRuns is set and a
// turn is free, it returns the request, which has the turn and is the reader's to run; not where other requests may run
// at the same time, which have to be read. Once the sequence number is known, nothing that a request contains ends the
// connection, unless it is not brine.
func (c *Conn) receiveRequest(
	u *unboxer, seq wire.Seq, body *brine.Cursor, buf frame.Buffer, readerRuns bool,
) (*incoming, error) {
	in := &incoming{c: c, d: u.d, seq: seq, buf: buf, thread: u.d.ReadThreads(buf.Payload).Sender}
	if c.cfg.Budget != nil {
		in.weight = u.weight
	}
	if err := in.parse(u, body); err != nil {
		return nil, in.misread(err)
	}
	switch in.h {
	case wire.HandleDel:
		in.answerAtOnce(nil, in.del())
		if in.dropped == nil {
			return nil, nil
		}
	case wire.HandlePing:
		if in.args[0].coded == nil && !c.holdsBack() { // codecs are the user's code
			v, err := in.value(0)
			in.answerAtOnce(v, err)
			return nil, nil
		}
	case wire.HandleGetRoot:
		if in.d.AsksAsGo(buf.Payload) {
			c.peerIsGo.Store(true)
		}
		if !c.holdsBack() {
			in.root((*incoming).answerAtOnce)
			return nil, nil
		}
	case wire.HandleInspect, wire.HandleType:
		in.inspect()
		return nil, nil
	case wire.HandleClose:
		c.closeAsked(seq)
	}
	delegate := c.reader.delegateNext > 0
	if delegate {
		c.reader.delegateNext--
	}
	l := c.lock()
	var no error
	switch {
	case l.refuses(in):
		no = refusal()
	case !l.turns.free() && in.h != wire.HandleClose && in.h != wire.HandleDel &&
		!l.coverQueued(l.turns.bytes+int64(len(buf.Payload))):
		no = overBudget()
	}
	if no != nil {
		l.unlock()
		in.refuse(no)
		return nil, nil
	}
	if c.meta != nil {
		l.noteMetadata(in)
	}
	l.expiry.ensure(c, false)     // the peer may not read the answer
	waiting := len(l.pending) > 0 // for answers, which are to be read
	runs := l.admit(in, readerRuns && !delegate && !waiting && !l.turns.parallel())
	l.unlock()
	if runs {
		return in, nil
	}
	c.reader.delegated = c.reader.delegated || readerRuns
	c.acknowledge()
	return nil, nil
}

// misread answers a request that parse has refused. If its body is no brine, that is an error, which ends the
// connection.
func (in *incoming) misread(refusal error) error {
	_, _, body, _ := in.d.ReadHeaderUnchecked(in.buf.Payload)
	body.SetCodecs(in.c.cfg.Codecs)
	if err := wire.CheckBody(body); err != nil && !brine.IsUnknownTag(err) {
		in.forgetArgs()
		return err
	}
	in.refuse(refusal)
	return nil
}

// parse reads the operation and its arguments, and resolves references.
func (in *incoming) parse(u *unboxer, body *brine.Cursor) error {
	h, unknown, err := in.d.ReadHandler(body)
	if err != nil {
		return in.c.formRefused(err)
	}
	if unknown != nil {
		in.c.noteUnknown(unknown)
		return vinegar.KeyError.New(unknown)
	}
	in.h = h
	u.depth = argsDepth
	n, err := in.parseArgs(u, body)
	if err == nil && in.d.BareTargets() && h.HasTarget() && len(in.args) > 0 {
		in.args[0], err = u.bareTarget(in.args[0])
	}
	in.came, in.refs = u.refs, u.refs
	if err == nil {
		err = u.err
	}
	if err != nil {
		return in.c.formRefused(err)
	}
	if h == 0 {
		return vinegar.KeyError.New(nil)
	}
	if a := arities[h]; n < a.min || n > a.max {
		return vinegar.TypeError.Errorf("handler %v takes %d to %d arguments but %d were given", h, a.min, a.max, n)
	}
	return nil
}

// argsDepth is how many containers an argument stands in: the request, the boxed pair and the tuple of arguments.
const argsDepth = 3

// parseArgs reads the boxed argument tuple and returns how many arguments there are. Upstream spreads whatever
// iterable it finds there.
func (in *incoming) parseArgs(u *unboxer, body *brine.Cursor) (n int, err error) {
	body.SetDepth(argsDepth - 2)
	label, err := in.d.ReadLabel(body)
	if err != nil {
		return 0, err
	}
	body.SetDepth(argsDepth - 1)
	in.space = in.c.getWorkspace()
	in.args = in.space.args[:0]
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
				u.target = len(in.args) == 0 && in.h.HasTarget()
				x, err = u.next(body)
			} else {
				x, err = u.plain(body)
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

// addArg adds an argument. Those after maxArgs are dropped: no operation takes more.
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

// run carries the request out and answers it. If hold is set the answer may be held, as the next requests will be run
// by the same goroutine; held reports that it was.
func (in *incoming) run(hold bool) (held bool) {
	if in.dropped != nil {
		in.c.tellDropped(in.dropped)
		in.dropped = nil
		return false
	}
	switch in.h {
	case wire.HandleClose:
		in.c.out.settle()   // answers to what came before
		in.c.die(ErrClosed) // the end of the stream is the answer
		return false
	case wire.HandlePing, wire.HandleGetRoot:
		in.runHeld()
		return false
	}
	if len(in.c.cfg.Hooks.Serve) > 0 {
		in.observe()
	}
	if in.meta != nil {
		if err := in.meta.overdue(); err != nil {
			in.turnAway(err)
			return false
		}
	}
	if in.excess {
		in.turnAway(vinegar.RecursionError.New("too many requests under way"))
		return false
	}
	var leave func()
	if in.c.cfg.Gate != nil {
		var err error
		if leave, err = in.enter(); err != nil {
			in.logError(err)
			in.turnAway(err)
			return false
		}
	}
	if w := in.c.cfg.Workers; w != nil && !w.employ(in) {
		if leave != nil {
			leave()
		}
		in.turnAway(w.exhausted())
		return false
	}
	v, err := in.runHandler(leave)
	if err != nil {
		in.logError(err)
	}
	if in.refs > 0 {
		in.giveBackCopied()
	}
	in.forgetArgs()
	if w := in.c.cfg.Workers; w != nil && w.refuse {
		w.giveUpBeforeAnswer(in)
	}
	if err != nil && !in.c.cfg.SendKeyboardInterrupt && errors.Is(err, vinegar.KeyboardInterrupt) {
		in.unobserve(err, 0)
		in.c.die(err) // as upstream: not answered, and the end of the connection
		return false
	}
	if hold && in.followed {
		in.answer(v, err, sendHeld)
		return true
	}
	in.answer(v, err, sendNow)
	return false
}

// giveBackCopied gives back what came as an argument of a call and was converted to a value, so that nothing here has a
// handle on it any more. CPython does the same when a handler returns.
func (in *incoming) giveBackCopied() {
	if in.space == nil || in.space.given == nil {
		return
	}
	for _, o := range in.space.given.Copied() {
		if in.c.owns(o) && in.c.giveBackOne(o) {
			in.refs--
		}
	}
	in.space.given = nil
}

// runHandler carries out the operation, and calls leave, if it is not nil. A panic becomes an exception for this
// request.
func (in *incoming) runHandler(leave func()) (v any, err error) {
	returned := false
	defer func() {
		if leave != nil {
			defer leave()
		}
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

// exited is called when a handler ends its goroutine with runtime.Goexit, as testing's FailNow does. It answers the
// request and has another goroutine do what this one would have done next.
func (in *incoming) exited() {
	in.forgetArgs()
	in.answer(nil, vinegar.RuntimeError.New("the handler ended its goroutine"), sendLater)
	go in.c.serveAfter(in)
}

// forgetArgs drops what came with the request, since the handler's context, which is the request, may be stored. It
// has to be called before answer, which gives the workspace back.
func (in *incoming) forgetArgs() {
	in.buf.Release()
	if in.space != nil {
		clear(in.space.args[:min(len(in.args), len(in.space.args))])
	}
	in.args = nil
}

// answerAtOnce answers on the reader, which must not wait for the peer to read.
func (in *incoming) answerAtOnce(v any, err error) {
	mode := sendTry
	if in.c.buffered() {
		mode = sendLater // the answers to the next messages can go out with this one
	}
	in.answerAnd(v, err, mode)
}

// answerAnd answers a request that no handler runs for, and counts it no longer.
func (in *incoming) answerAnd(v any, err error, mode sendMode) {
	in.forgetArgs()
	in.answer(v, err, mode)
	if in.weight > 0 || in.came > 0 {
		l := in.c.lock()
		l.giveDecoded(in)
		l.turns.came -= int(in.came)
		l.unlock()
		in.came = 0
	}
}

// refuse answers a request that is not carried out, but has been read.
func (in *incoming) refuse(err error) {
	in.answerAtOnce(nil, err)
	if in.refs > 0 && !in.c.cfg.NoCollect {
		CollectSoon()
	}
}

// answer sends the answer: a reply with v, or an exception if err is not nil.
func (in *incoming) answer(v any, err error, mode sendMode) {
	w := in.space
	if w == nil {
		w = in.c.getWorkspace()
	}
	in.space = nil
	defer in.c.putWorkspace(w)
	s := &w.scratch
	s.begin()
	if err == nil {
		m := &w.boxer
		m.ctx, m.c, m.d = in.c.base, in.c, in.d
		m.room, m.lends = bytesPortion, mode == sendNow && in.c.lends()
		defer m.sent()
		if in.lane != nil { // otherwise it has no turn to give up
			m.ctx = in
		}
		s.b, err = m.value(in.header(s.b, wire.Reply), v)
		s.loan = m.loan
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
			in.unobserve(err, 0)
			in.c.die(err)
			return
		}
	}
	in.unobserve(err, s.size)
	_ = in.c.send(context.Background(), s, mode)
	runtime.KeepAlive(v) // handles named in the answer must not be given back before it is on its way
}

// header begins the answer.
func (in *incoming) header(b []byte, k wire.Kind) []byte {
	b = in.d.AppendThreads(b, wire.Threads{Sender: ourThread, Recipient: in.thread})
	return in.d.AppendHeader(b, k, in.seq)
}

func (in *incoming) appendException(b []byte, err error) []byte {
	cfg := &in.c.cfg
	e := vinegar.FromError(err)
	o := vinegar.DumpOptions{
		HideTraceback: cfg.HideTraceback && e.Traceback != refusalTrace, HideVersion: cfg.HideVersion,
		Version: cmp.Or(cfg.Version, in.d.Version()), Python2: in.d.Python2(), Repr: in.repr,
	}
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
