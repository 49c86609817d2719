package protocol_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// A recorded conversation of two CPython peers is replayed with a Conn in the place of one of them. The test plays the
// other by sending what it sent, and makes the Conn do what the replaced one did: its requests are made through the
// Conn's methods, its answers are given by objects that answer as recorded. Every frame of the Conn is compared with
// the recorded one. Only id packs of the Conn's own objects, which are its to choose, are translated; nothing is
// encoded anew.

// tally counts how the Conn's frames were compared.
type tally struct {
	exact int            // byte for byte
	loose int            // by what the protocol determines
	skip  map[string]int // not at all, by reason
}

const differentClass = "an exception of another class"

// replay is one run of a recording.
type replay struct {
	t     *testing.T
	rec   recording
	us    string // the direction in which the Conn sends
	d     *wire.Dialect
	conn  *protocol.Conn
	peer  *peer
	count tally
	other string // class that our exceptions may have instead of the recorded one

	oracle  *oracle
	ours    map[string]*ourRef          // by the recorded id pack
	theirs  map[wire.Ref]*netref.Object // handles on the peer's objects
	asked   map[int64]*asked            // requests of the Conn
	served  map[string]*served          // requests of the peer, by recorded sequence number
	queue   []*served                   // those that will reach the oracle, in the order they will
	running []*question                 // handlers that run, innermost last
	got     map[string]message          // frames of the Conn that are not yet due
	closing chan error
	told    bool            // the peer has said CLOSE
	numbers map[int64]int64 // of the Conn's requests, by recorded number
	dels    dels            // of the Conn, see replay_e_test.go
}

type ourRef struct {
	actual string // the id pack the Conn gave
	object any
	count  int64 // references the peer holds
}

type asked struct {
	h      wire.Handler
	result *netref.AsyncResult
	by     *question // the handler that asked, if any
}

type served struct {
	h     wire.Handler
	msg   message
	asks  bool   // the answer comes from the oracle
	loose bool   // only whether it is a reply can be compared
	why   string // not even that
}

func newReplay(t *testing.T, rec recording, us string, d *wire.Dialect) *replay {
	r := &replay{t: t, rec: rec, us: us, d: d, ours: map[string]*ourRef{}, theirs: map[wire.Ref]*netref.Object{},
		asked: map[int64]*asked{}, served: map[string]*served{}, got: map[string]message{},
		numbers: map[int64]int64{}, dels: dels{recorded: map[int64]bool{}, due: map[string]int64{}}}
	r.count.skip = map[string]int{}
	r.oracle = &oracle{asks: make(chan *question, 64), inspects: make(chan *question, 64), stop: make(chan struct{})}
	near, far := transport.Pipe()
	root := netref.New(r.oracle, wire.Ref{Name: rootName(t, rec, us, d), Class: 1, Object: 1})
	conn, err := protocol.NewConn(context.Background(), near, root, &protocol.Config{
		Dialect: d, Access: exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true, DenyExposed: true},
	})
	require.NoError(t, err)
	r.conn, r.peer = conn, newPeer(t, far, d)
	stop := r.peer.watchdog()
	t.Cleanup(func() {
		stop()
		r.oracle.over()
		_ = conn.CloseNow()
		_ = far.Close()
		<-conn.Done()
	})
	return r
}

// rootName is what the class of the replaced peer's root is called: families A and B tell that of each reference.
func rootName(t *testing.T, rec recording, us string, d *wire.Dialect) string {
	p := &peer{t: t, d: d}
	for _, s := range rec.steps {
		if s.Dir == us && s.Event == "" && oids(d) {
			if m := p.parse(payloadOf(t, s.frame)); m.kind == wire.Reply && len(m.refs) > 0 {
				return m.refs[0].name
			}
		}
	}
	return "root"
}

func (r *replay) run() {
	hungUp := false
	for i, s := range r.rec.steps {
		switch {
		case s.Event != "" && s.Dir == r.us:
			if r.closing == nil {
				_ = r.conn.CloseNow()
			}
		case s.Event != "":
			hungUp = true // for the Conn to see once it has said what is recorded
		case s.Dir == r.us:
			r.ourTurn(i, s)
		default:
			r.theirTurn(s)
		}
		if r.t.Failed() {
			r.t.Fatalf("at line %d", i+2)
		}
	}
	r.oracle.over() // a handler in whose midst the conversation ended goes on to return
	if hungUp {
		require.NoError(r.t, r.peer.rw.(interface{ CloseWrite() error }).CloseWrite())
		<-r.conn.Done()
	}
	if r.closing != nil {
		require.NoError(r.t, <-r.closing)
	}
	// What is left was not recorded because the replaced peer did not live to say it.
	for key, m := range r.got {
		require.NotEqual(r.t, wire.Request, m.kind, "%s: %s", key, m.text)
	}
}

// ourTurn makes the Conn send what its predecessor sent, and compares.
func (r *replay) ourTurn(line int, s step) {
	want := payloadOf(r.t, s.frame)
	rec := r.peer.parse(want)
	var how *served
	if rec.kind == wire.Request && r.told {
		r.count.skip["a request that crossed the peer's CLOSE"]++
		return
	}
	if rec.kind == wire.Request && r.looseDels() {
		r.ourRequestE(line, want, rec)
		return
	}
	if rec.kind == wire.Request {
		want = asGo(r.number(want, &rec))
		r.asked[rec.seq.(int64)] = r.ask(rec)
	} else {
		how = r.served[fmt.Sprint(rec.seq)]
		require.NotNil(r.t, how, "line %d answers nothing: %s", line+2, rec.text)
		r.answer(rec, how)
	}
	got := r.await(rec)
	r.bind(rec, got)
	want = r.translate(want, rec.refs, wire.LabelRemoteRef)
	switch {
	case how != nil && how.why != "":
		r.count.skip[how.why]++
	case rec.kind == wire.Exception && rec.body != any(int64(1)):
		r.compareExceptions(rec, got)
	case how != nil && how.loose:
		require.Equal(r.t, rec.kind, got.kind, "recorded %s\ngot %s", rec.text, got.text)
		r.count.loose++
	default:
		if !bytes.Equal(want, got.payload) {
			r.t.Fatalf("line %d\nrecorded %x %s\n     got %x %s", line+2, want, r.peer.parse(want).text, got.payload, got.text)
		}
		r.count.exact++
	}
	if rec.kind == wire.Reply || rec.kind == wire.Exception {
		delete(r.served, fmt.Sprint(rec.seq))
	}
}

// number gives a request of the Conn the number it will have: one more than the last. CPython numbers a request before
// it sends it, and now and then sends another one, of a destructor, in between.
func (r *replay) number(payload []byte, rec *message) []byte {
	n := int64(len(r.numbers))
	was := rec.seq.(int64)
	r.numbers[was] = n
	if n == was {
		return payload
	}
	payload = withSeq(r.t, payload, n)
	*rec = r.peer.parse(payload)
	return payload
}

// asGo puts the form in which a Go peer asks for the root in the place of the one in which others do: the arguments,
// none, are a tuple of boxed values.
func asGo(payload []byte) []byte {
	if getroot := []byte{0x11, 0x53, 0x11, 0x51, 0x02}; bytes.HasSuffix(payload, getroot) {
		payload = bytes.Clone(payload)
		payload[len(payload)-2] = 0x52
	}
	return payload
}

// withSeq changes a message's sequence number, which has two bytes in front of it in both families.
func withSeq(t *testing.T, payload []byte, seq int64) []byte {
	t.Helper()
	c := brine.NewCursor(payload[2:])
	require.NoError(t, c.Skip())
	out := append([]byte(nil), payload[:2]...)
	return append(brine.AppendInt(out, seq), payload[2+c.Offset():]...)
}

func messageKey(m message) string { return fmt.Sprint(m.kind == wire.Request, m.seq) }

// await reads until the counterpart of a recorded frame has come. Answers given on the reader may overtake others.
func (r *replay) await(rec message) message {
	for {
		if m, ok := r.got[messageKey(rec)]; ok {
			delete(r.got, messageKey(rec))
			return m
		}
		m, err := r.peer.read()
		require.NoError(r.t, err, "expected %s", rec.text)
		if r.looseDels() && r.dels.take(r, m) {
			continue
		}
		r.keepFrame(m)
	}
}

// keepFrame keeps a frame of the Conn that is not yet due.
func (r *replay) keepFrame(m message) {
	_, twice := r.got[messageKey(m)]
	require.False(r.t, twice, "two answers: %s", m.text)
	r.got[messageKey(m)] = m
}

// bind learns which id packs the Conn gave to its objects.
func (r *replay) bind(rec, got message) {
	for i, ref := range rec.refs {
		if ref.label != wire.LabelRemoteRef {
			continue
		}
		require.Greater(r.t, len(got.refs), i, "recorded %s\ngot %s", rec.text, got.text)
		o := r.ours[ref.raw]
		if o == nil {
			o = &ourRef{}
			r.ours[ref.raw] = o
		}
		if o.actual == "" {
			for other, p := range r.ours {
				require.NotEqual(r.t, p.actual, got.refs[i].raw, "%x already is %x", p.actual, other)
			}
			o.actual = got.refs[i].raw
		}
		require.Equal(r.t, o.actual, got.refs[i].raw, "the same object, another id pack")
		o.count++
	}
}

// translate puts the Conn's id packs in the place of the recorded ones that have the label.
func (r *replay) translate(payload []byte, refs []refAt, label wire.Label) []byte {
	var out []byte
	at := 0
	for _, ref := range refs {
		if o := r.ours[ref.raw]; ref.label == label && o != nil && o.actual != "" {
			out = append(append(out, payload[at:ref.start]...), o.actual...)
			at = ref.end
		}
	}
	return append(out, payload[at:]...)
}

func (r *replay) compareExceptions(rec, got message) {
	require.Equal(r.t, wire.Exception, got.kind, "recorded %s\ngot %s", rec.text, got.text)
	if r.other != "" && excClass(got.body) == r.other {
		r.count.skip[differentClass]++
		return
	}
	r.count.loose++
	want, have := rec.body.(brine.Tuple), got.body.(brine.Tuple)
	require.Equal(r.t, want[0], have[0], "class")
	require.Equal(r.t, r.withoutIDs(rec, want[1]), r.withoutIDs(got, have[1]), "args")
}

// withoutIDs drops id packs, which a KeyError has for its argument.
func (r *replay) withoutIDs(m message, args any) any {
	if t, ok := args.(brine.Tuple); ok && len(t) == 1 && excClass(m.body) == "builtins.KeyError" {
		if _, isPack := t[0].(brine.Tuple); isPack {
			return "an id pack"
		}
	}
	return args
}

// ask makes the Conn send a recorded request. It returns nil where nobody waits for the answer.
func (r *replay) ask(rec message) *asked {
	body := rec.body.(brine.Tuple)
	h := wire.Handler(body[0].(int64))
	switch h {
	case wire.HandleDel:
		ref := r.refOf(rec.refs[0].raw)
		o := r.theirs[r.key(ref)]
		require.NotNil(r.t, o, "DEL of %v", ref)
		delete(r.theirs, r.key(ref))
		o.Release()
		return nil
	case wire.HandleClose:
		r.closing = make(chan error, 1)
		go func() { r.closing <- r.conn.Close() }()
		return nil
	}
	for r.free() && len(r.queue) > 0 {
		r.begin()
	}
	args := r.args(h, body[1].(brine.Tuple), rec.refs)
	a := &asked{h: h}
	if n := len(r.running); n > 0 {
		a.by = r.running[n-1]
		a.result = a.by.start(r.t, r.conn, h, args)
		a.by.waits = a.result
		return a
	}
	result, err := r.conn.Start(context.Background(), h, args...)
	require.NoError(r.t, err)
	a.result = result
	return a
}

// free tells whether all handlers that run wait for the peer, so that another one can begin.
func (r *replay) free() bool {
	for _, q := range r.running {
		if q.waits == nil || q.waits.Ready() {
			return false
		}
	}
	return true
}

// answer lets the handler of a request of the peer return what was recorded.
func (r *replay) answer(rec message, to *served) {
	if !to.asks {
		return
	}
	var q *question
	if to.h == wire.HandleInspect {
		q = r.oracle.next(r.t, r.oracle.inspects)
	} else if q = r.begun(to); q == nil {
		return
	}
	if rec.kind == wire.Exception {
		c := brine.NewCursor(mustMarshal(r.t, rec.body))
		e, err := vinegar.DecodePayload(&c)
		require.NoError(r.t, err)
		q.finish(nil, e)
	} else {
		refs := rec.refs
		q.finish(r.unbox(rec.body.(brine.Tuple), &refs), nil)
	}
	if n := len(r.running); n > 0 && r.running[n-1] == q {
		r.running = r.running[:n-1]
	}
}

// begun waits until the handler of a request runs. Requests begin in the order they came.
func (r *replay) begun(s *served) *question {
	for {
		for _, q := range r.running {
			if q.of == s {
				return q
			}
		}
		if len(r.queue) == 0 {
			return nil
		}
		r.begin()
	}
}

// begin waits for the next handler to run.
func (r *replay) begin() {
	q := r.oracle.next(r.t, r.oracle.asks)
	q.of, r.queue = r.queue[0], r.queue[1:]
	if r.d.HasKinds() {
		q = r.askedE(q)
	}
	require.Equal(r.t, q.of.h, q.h, "operation asked of the object for %s", q.of.msg.text)
	for _, a := range q.args {
		r.keep(a)
	}
	r.running = append(r.running, q)
}

func mustMarshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := brine.Marshal(v)
	require.NoError(t, err)
	return b
}

// theirTurn sends what the peer sent.
func (r *replay) theirTurn(s step) {
	payload := payloadOf(r.t, s.frame)
	m := r.peer.parse(payload)
	if m.kind == wire.Request {
		r.note(m)
	}
	seq, ok := m.seq.(int64)
	if m.kind != wire.Request && r.dels.recorded[seq] {
		return // those that the Conn sends are answered as they come
	}
	payload = r.translate(payload, m.refs, wire.LabelLocalRef)
	if n, known := r.numbers[seq]; m.kind != wire.Request && known && n != seq {
		payload = withSeq(r.t, payload, n)
		seq = n
	}
	if _, err := r.peer.rw.Write(frameOf(payload)); err != nil {
		return // the Conn is gone, as its predecessor was
	}
	if m.kind == wire.Request {
		r.told = r.told || m.body.(brine.Tuple)[0] == int64(wire.HandleClose)
		r.deleted(m)
		return
	}
	a := r.asked[seq]
	if !ok || a == nil {
		return // the answer to a DEL
	}
	delete(r.asked, seq)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	v, err := a.result.Wait(ctx)
	if m.kind == wire.Exception {
		var e *vinegar.Error
		require.True(r.t, errors.As(err, &e), "%v", err)
		require.Equal(r.t, excClass(m.body), e.Class.Module()+"."+e.Class.Name())
		return
	}
	require.NoError(r.t, err, m.text)
	r.keep(v)
}

// keep holds on to the handles in a value, because the recording says when they are given back.
func (r *replay) keep(v any) {
	switch v := v.(type) {
	case brine.Tuple:
		for _, x := range v {
			r.keep(x)
		}
	case *netref.Object:
		if ref, ok := v.Ref(); ok && v.Peer() == r.conn.Root().Peer() {
			r.theirs[r.key(ref)] = v
		}
	}
}
