package shadow

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// watcher says a client's requests to the server that does not answer it, and compares. It is one goroutine: requests
// are said one after the other, in their order.
type watcher struct {
	proxy *Proxy
	queue *queue
	byNew bool // the new server answers, the old one is asked

	ctx     context.Context // ends with the proxy
	stream  net.Conn
	in      *bufio.Reader
	dialect *wire.Dialect
	seq     int64
	left    bool // the client has hung up
	over    bool // the server that is asked has been given up, or has hung up

	pairs     map[string]pair        // objects of the answering server, by their encoded references
	others    map[string]string      // the keys of pairs, by the encoded references of the other server's objects
	asked     map[wire.Seq]*exchange // requests of the client that are not answered yet
	waiting   []*exchange            // those that the other server works on, the innermost last
	made      int                    // callbacks so far
	callbacks []*callback            // what the answering server has asked the client
	kept      int                    // bytes of callbacks
	pending   map[wire.Seq]*callback // those that the client has not answered yet
}

// pair is an object of the answering server, and the one that the other has named in its place.
type pair struct {
	answering int64 // how often it was named
	other     brine.Tuple
	named     int64  // how often the other was
	path      string // how it was come by
	method    string // the name of the attribute that it was; "" if it was something else
	root      bool
}

// exchange is a request of the client's and what both servers say to it.
type exchange struct {
	handler wire.Handler
	target  string // its encoded reference
	path    string // what is shown
	name    string // of the attribute, for the rules
	begun   time.Time
	builtin bool // it is about an object of one of Python's own classes
	said    bool // the other server was asked
	marks   int  // callbacks that had been made before, in all
	tainted string
	long    bool            // the other server's answer is too long to be compared
	brought map[string]bool // the client's objects among the arguments
	called  map[string]bool // functions of the client's that the other server has called
	kind    wire.Kind       // of the other server's answer; 0 if it has hung up
	body    any
	took    time.Duration
	ended   bool // the client's server has answered
}

// callback is a request of the answering server to the client.
type callback struct {
	talk.Message
	number int
	used   bool
	answer *talk.Message
	lost   bool // the answer is too long to be kept
	size   int  // in bytes, with the answer
}

// drainTime is how long what is queued may take when the proxy ends.
const drainTime = 5 * time.Second

// maxCallbacks is how many of the newest callbacks are remembered, if they have no more bytes than callbackBytes.
const (
	maxCallbacks  = 1000
	callbackBytes = 32 << 20
)

// asGo are the arguments of a Go peer's request for the root. A server in Go that is asked so does not ask the client
// which release it is of.
var asGo = brine.Tuple{int64(wire.LabelTuple), brine.Tuple{}}

var errGivenUp = errors.New("no answer in time")

func (w *watcher) run(ctx context.Context, open func(context.Context) (net.Conn, error)) {
	w.pairs, w.others, w.asked = map[string]pair{}, map[string]string{}, map[wire.Seq]*exchange{}
	w.pending = map[wire.Seq]*callback{}
	bounded, cancel := context.WithTimeout(ctx, w.proxy.Patience)
	stream, err := open(bounded)
	cancel()
	if err != nil {
		w.proxy.Report.count(unreached)
		return
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { // what has been queued is compared, but not for ever
		time.AfterFunc(drainTime, func() { _ = stream.Close() })
	})()
	w.ctx, w.stream, w.in = ctx, stream, bufio.NewReaderSize(stream, 1<<16)
	for w.step(0) {
	}
}

// step takes the next event in, for which it waits for as long as patience if that is not 0, and reports whether there
// was one.
func (w *watcher) step(patience time.Duration) bool {
	e, ok := w.queue.next(patience)
	if !ok {
		return false
	}
	m := e.message
	switch {
	case e.long:
		w.lose(e)
	case e.raw == nil && e.fromClient:
		w.left = true
	case e.raw == nil:
		w.hungUp()
	case m.Dialect == nil:
	case !w.known(m):
		w.giveUp(otherFamily)
	case e.fromClient && m.Kind == wire.Request:
		w.request(e)
	case e.fromClient:
		if c := w.pending[m.Seq]; c != nil {
			delete(w.pending, m.Seq)
			c.answer = &m
			w.keep(c, len(e.raw))
		}
	case m.Kind == wire.Request:
		c := &callback{Message: m, number: w.made}
		w.made++
		w.callbacks = append(w.callbacks, c)
		w.pending[m.Seq] = c
		w.keep(c, len(e.raw))
	default:
		w.answered(e)
	}
	return !w.over
}

// keep counts what is remembered of a callback, and forgets the oldest ones.
func (w *watcher) keep(c *callback, n int) {
	c.size += n
	w.kept += n
	old := 0
	for old < len(w.callbacks)-1 && (len(w.callbacks)-old > maxCallbacks || w.kept > callbackBytes) {
		forgotten := w.callbacks[old]
		w.kept -= forgotten.size
		forgotten.size, forgotten.lost = 0, forgotten.answer == nil
		delete(w.pending, forgotten.Seq)
		old++
	}
	if old > 0 {
		w.callbacks = slices.Clone(w.callbacks[old:])
	}
}

// lose takes a message in that is too long to be compared.
func (w *watcher) lose(e event) {
	seq := e.message.Seq
	if e.message.Kind == wire.Request {
		return // neither it nor its answer is looked at
	}
	if c := w.pending[seq]; e.fromClient && c != nil {
		delete(w.pending, seq)
		c.lost = true
	}
	if x := w.asked[seq]; !e.fromClient && x != nil {
		delete(w.asked, seq)
		x.ended = true
		w.proxy.Report.skip(tooLong)
	}
}

// known tells whether a message is of a family that names objects by tuples.
func (w *watcher) known(m talk.Message) bool {
	if w.dialect == nil {
		w.dialect = m.Dialect
	}
	f := m.Dialect.Family()
	return (f == wire.FamilyC || f == wire.FamilyD || f == wire.FamilyE) && !m.Dialect.Python2() &&
		!m.Dialect.BindsThreads()
}

// giveUp ends the watching of this client.
func (w *watcher) giveUp(why counter) {
	if !w.over {
		w.over = true
		w.proxy.Report.count(why)
		_ = w.stream.Close()
	}
}

// request says a request of the client's to the other server, unless it must not or cannot be.
func (w *watcher) request(e event) {
	m := e.message
	w.proxy.Report.count(requests)
	args := m.Body
	x := &exchange{handler: m.Handler, begun: e.at, marks: w.made, brought: map[string]bool{}}
	w.asked[m.Seq] = x
	if m.Handler == wire.HandleDel {
		w.release(m)
		return
	}
	if m.Handler == wire.HandleClose || m.Handler == wire.HandlePing {
		return
	}
	w.describe(x, talk.Item(args, 1))
	brought(talk.Item(args, 1), x.brought)
	if why := w.permitted(x); why != "" {
		w.proxy.Report.skip(why)
		return
	}
	body, ok := w.translated(m.Handler, talk.Item(args, 1))
	if !ok {
		w.proxy.Report.skip(unpaired)
		return
	}
	if m.Handler == wire.HandleGetRoot {
		body = asGo
	}
	x.said = true
	begun := time.Now()
	w.waiting = append(w.waiting, x)
	answer, err := w.ask(m, brine.Tuple{talk.Item(args, 0), body}, x)
	w.waiting = w.waiting[:len(w.waiting)-1]
	x.took = time.Since(begun)
	switch {
	case errors.Is(err, errGivenUp):
		w.differ(x, noAnswer, "", "no answer in time")
		w.giveUp(lost)
		return
	case err != nil && w.ctx.Err() != nil:
		w.over = true
		return
	case err != nil:
		w.over = true // once what is queued has been looked at, nothing more can be asked
	default:
		x.kind, x.body = answer.Kind, answer.Body
	}
	if x.ended { // the client's server has answered meanwhile, as it needs no callback
		return
	}
	if w.over {
		w.drain()
	}
}

// drain waits for the answers of the client's server to what was asked, after the other has hung up.
func (w *watcher) drain() {
	for len(w.asked) > 0 {
		e, ok := w.queue.next(0)
		switch m := e.message; {
		case !ok:
			return
		case e.long:
			w.lose(e)
		case e.raw == nil && !e.fromClient:
			w.hungUp()
			return
		case m.Dialect == nil || e.fromClient || m.Kind == wire.Request:
		default:
			w.answered(e)
		}
	}
}

// ask sends a request and waits for its answer, serving what the other server asks the client meanwhile.
func (w *watcher) ask(m talk.Message, body any, x *exchange) (talk.Message, error) {
	w.seq++
	seq := w.seq
	if err := w.send(talk.Message{Dialect: m.Dialect, Kind: wire.Request, Seq: wire.Num(seq), Body: body}); err != nil {
		return talk.Message{}, err
	}
	for {
		answer, long, err := w.read()
		if err != nil {
			return answer, err
		}
		switch {
		case long && answer.Kind == wire.Request:
			x.tainted = tooLong
			if err := w.refuse(answer); err != nil {
				return answer, err
			}
		case long && answer.Seq == wire.Num(seq):
			x.long = true
			return answer, nil
		case answer.Kind == wire.Request:
			if err := w.serve(answer, x); err != nil {
				return answer, err
			}
		case answer.Seq == wire.Num(seq):
			return answer, nil
		}
	}
}

func (w *watcher) send(m talk.Message) error {
	payload, err := m.Append()
	if err != nil {
		return err
	}
	_ = w.stream.SetWriteDeadline(time.Now().Add(w.proxy.Patience))
	return timedOut(frame.Write(w.stream, payload))
}

// read reads a message, of which there is no more than the header if it is too long.
func (w *watcher) read() (m talk.Message, long bool, err error) {
	for {
		_ = w.stream.SetReadDeadline(time.Now().Add(w.proxy.Patience))
		n, err := lengthOf(w.in)
		if err != nil {
			return m, false, timedOut(err)
		}
		if n > maxCompared {
			m.Dialect, m.Kind, m.Seq = peekHead(w.in, n)
			if _, err := io.CopyN(io.Discard, w.in, n); err != nil {
				return m, false, timedOut(err)
			}
			long = true
		} else {
			raw, err := readRaw(w.in, n)
			if err != nil {
				return m, false, timedOut(err)
			}
			if n == frameHead+1 {
				continue // an empty message
			}
			m, long = decoded(raw)
		}
		if m.Dialect == nil {
			err = errors.New("no message")
		}
		return m, long, err
	}
}

func timedOut(err error) error {
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		return errGivenUp
	}
	return err
}

// answered compares an answer that the client has got.
func (w *watcher) answered(e event) {
	m := e.message
	x := w.asked[m.Seq]
	if x == nil {
		return
	}
	delete(w.asked, m.Seq)
	x.ended = true
	if !x.said {
		w.countNames(m)
		return
	}
	for _, inner := range w.waiting {
		if inner == x { // the other server still waits for a callback that has not been made
			w.proxy.Report.skip(noCallback)
			w.countNames(m)
			return
		}
	}
	w.compare(x, e)
}

// hungUp compares the end of the answering server's stream with what the other has said to the last requests. A client
// that has left did not want the answers.
func (w *watcher) hungUp() {
	if w.left || w.ctx.Err() != nil {
		return
	}
	for _, x := range w.asked {
		if x.said && x.kind != 0 && x.handler != wire.HandleClose {
			w.differ(x, endOfConnection, "hung up", "an answer")
		}
	}
	w.asked = map[wire.Seq]*exchange{}
}
