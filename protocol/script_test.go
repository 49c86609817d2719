package protocol_test

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// peer is the other end of a connection, played by the test step by step. It has a framing of its own, so that what it
// sends and expects does not depend on the code under test below the message headers.
type peer struct {
	t    testing.TB
	d    *wire.Dialect
	rw   io.ReadWriteCloser
	r    *bufio.Reader
	dump wire.Dumper

	thread uint64 // that its messages are from, if d binds threads
}

// scripted makes a connection of cfg whose other end is played by the test. Unless cfg says otherwise both speak
// family D. Everything has ended when the test is over.
func scripted(t testing.TB, root any, cfg *protocol.Config) (*protocol.Conn, *peer) {
	t.Helper()
	var with protocol.Config
	if cfg != nil {
		with = *cfg
	}
	if with.Dialect == nil {
		with.Dialect = wire.FamilyD
	}
	near, far := transport.Pipe()
	c, err := protocol.NewConn(context.Background(), near, root, &with)
	require.NoError(t, err)
	p := newPeer(t, far, with.Dialect)
	t.Cleanup(func() {
		_ = c.CloseNow()
		_ = far.Close()
		<-c.Done()
	})
	return c, p
}

func newPeer(t testing.TB, rw io.ReadWriteCloser, d *wire.Dialect) *peer {
	return &peer{t: t, d: d, rw: rw, r: bufio.NewReader(rw)}
}

// message is what the connection sent, taken apart.
type message struct {
	payload []byte
	text    string // as wire.Dumper renders it
	kind    wire.Kind
	seq     any
	body    any
	refs    []refAt
}

// frame wraps a payload as it travels.
func frameOf(payload []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	b = append(b, 0)
	return append(append(b, payload...), '\n')
}

// payloadOf unwraps a frame.
func payloadOf(t testing.TB, f []byte) []byte {
	t.Helper()
	p, err := readPayload(bytes.NewReader(f))
	require.NoError(t, err)
	return p
}

func readPayload(r io.Reader) ([]byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:])+1)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	body, end := body[:len(body)-1], body[len(body)-1]
	if end != '\n' {
		return nil, fmt.Errorf("frame ends in %#x", end)
	}
	if head[4] == 0 {
		return body, nil
	}
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// read waits for the next message; io.EOF if the connection hung up.
func (p *peer) read() (message, error) {
	payload, err := readPayload(p.r)
	if err != nil {
		return message{}, err
	}
	return p.parse(payload), nil
}

func (p *peer) parse(payload []byte) message {
	p.t.Helper()
	m := message{payload: payload, text: p.dump.Dump(p.d, payload), refs: refsOf(p.d, payload)}
	rest, want := payload, 3
	if p.d.BindsThreads() {
		rest = payload[2*8:]
	}
	if p.kindByte() {
		m.kind, rest, want = wire.Kind(rest[0]), rest[1:], 2
	}
	c := brine.NewCursor(rest)
	c.SetTypes(p.d.HasKinds())
	v, err := c.Value()
	require.NoError(p.t, err)
	parts, ok := v.(brine.Tuple)
	require.True(p.t, ok && len(parts) == want, "message %v", v)
	if want == 3 {
		m.kind, parts = wire.Kind(parts[0].(int64)), parts[1:]
	}
	m.seq, m.body = parts[0], parts[1]
	return m
}

// next waits for the next message and returns it.
func (p *peer) next() message {
	p.t.Helper()
	m, err := p.read()
	require.NoError(p.t, err, "a message")
	return m
}

// expect waits for the next message, which must be the one described in the notation of wire.Dumper.
func (p *peer) expect(text string) message {
	p.t.Helper()
	m := p.next()
	require.Equal(p.t, text, m.text)
	return m
}

// expectException waits for an exception of the class, given with its module, in answer to seq.
func (p *peer) expectException(seq any, class string) message {
	p.t.Helper()
	m := p.next()
	require.Equal(p.t, wire.Exception, m.kind, m.text)
	require.Equal(p.t, seq, m.seq)
	require.Equal(p.t, class, excClass(m.body))
	return m
}

// excClass names the class of an exception payload.
func excClass(body any) string {
	if body == int64(1) {
		return "builtins.StopIteration"
	}
	if t, ok := body.(brine.Tuple); ok && len(t) == 4 {
		if c, ok := t[0].(brine.Tuple); ok && len(c) == 2 {
			return fmt.Sprintf("%s.%s", c[0], c[1])
		}
	}
	return fmt.Sprintf("%T", body)
}

// expectEOF waits for the connection to hang up.
func (p *peer) expectEOF() {
	p.t.Helper()
	m, err := p.read()
	require.Error(p.t, err, "end of stream expected, got %s", m.text)
}

// write sends raw bytes.
func (p *peer) write(b []byte) {
	p.t.Helper()
	_, err := p.rw.Write(b)
	require.NoError(p.t, err)
}

// send sends one message: kind, sequence number, body.
func (p *peer) send(k wire.Kind, seq, body any) {
	p.t.Helper()
	p.write(p.encode(k, seq, body))
}

// kindByte reports whether the kind of a message is a byte before its tuple.
func (p *peer) kindByte() bool { return p.d.Version() != "" } // those that say their release

func (p *peer) encode(k wire.Kind, seq, body any) []byte {
	p.t.Helper()
	msg, b := brine.Tuple{int64(k), seq, body}, p.d.AppendThreads(nil, wire.Threads{Sender: p.thread})
	if p.kindByte() {
		msg, b = msg[1:], append(b, byte(k))
	}
	b, err := brine.Append(b, msg)
	require.NoError(p.t, err)
	return frameOf(b)
}

// The forms of boxed values.
func val(v any) brine.Tuple { return brine.Tuple{int64(1), v} }

func tup(boxed ...any) brine.Tuple { return brine.Tuple{int64(2), brine.Tuple(boxed)} }

func yours(id any) brine.Tuple { return brine.Tuple{int64(3), id} }

func mine(id any) brine.Tuple { return brine.Tuple{int64(4), id} }

// id makes an id pack.
func id(name string, class, object int64) brine.Tuple { return brine.Tuple{name, class, object} }

// request asks for an operation with boxed arguments.
func (p *peer) request(seq any, h wire.Handler, boxed ...any) {
	p.t.Helper()
	p.send(wire.Request, seq, brine.Tuple{int64(h), tup(boxed...)})
}

// reply answers with a boxed value.
func (p *peer) reply(seq, boxed any) {
	p.t.Helper()
	p.send(wire.Reply, seq, boxed)
}

// raise answers with an exception of a builtin class.
func (p *peer) raise(seq any, class string, args ...any) {
	p.t.Helper()
	p.send(wire.Exception, seq, brine.Tuple{brine.Tuple{"builtins", class}, brine.Tuple(args), brine.Tuple{},
		"Traceback\n"})
}

// root asks for the connection's root object and returns its id pack.
func (p *peer) root() any {
	p.t.Helper()
	p.request("root", wire.HandleGetRoot)
	m := p.next()
	require.Equal(p.t, wire.Reply, m.kind, m.text)
	return m.body.(brine.Tuple)[1]
}

// call calls a method of one of the connection's objects.
func (p *peer) call(seq, of any, method string, boxed ...any) {
	p.t.Helper()
	p.request(seq, wire.HandleCallAttr, yours(of), val(method), tup(boxed...), val(brine.Tuple{}))
}

// alive checks that the connection still answers.
func (p *peer) alive() {
	p.t.Helper()
	p.request("alive", wire.HandlePing, val("?"))
	for {
		m := p.next()
		if m.seq == "alive" {
			require.Equal(p.t, val("?"), m.body)
			return
		}
	}
}

// bubble runs a test on a clock of its own. A minute after its end everything that was to happen a moment later has
// happened, such as the garbage collection that a connection asks for.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Minute) })
		f(t)
	})
}

// watchdog hangs up after a while, so that a test that waits for what will not come fails instead of hanging.
func (p *peer) watchdog() (stop func()) {
	t := time.AfterFunc(20*time.Second, func() { _ = p.rw.Close() })
	return func() { t.Stop() }
}

// refAt is an id pack in a payload.
type refAt struct {
	label      wire.Label
	start, end int
	raw        string
	name       string // of the class, where that does not stand in the id pack: families A and B
}

// refsOf finds the id packs of a message in the order of their appearance; those that INSPECT and INSTANCECHECK carry
// by value count as references to the receiver's objects.
func refsOf(d *wire.Dialect, payload []byte) []refAt {
	kind, _, c, err := d.ReadHeader(payload)
	if err != nil {
		return nil
	}
	w := refWalker{d: d, size: len(payload)}
	switch kind {
	case wire.Request:
		h, odd, err := d.ReadHandler(&c)
		if err != nil || odd != nil {
			return nil
		}
		w.byValue = map[wire.Handler]int{wire.HandleInspect: 1, wire.HandleInstanceCheck: 2, wire.HandleType: 1}[h]
		probe := c
		if l, err := d.ReadLabel(&probe); h == wire.HandleDel && d.HasKinds() && err == nil && l == wire.LabelValue {
			w.byValue = 1
		}
		if d.BareTargets() && h.HasTarget() {
			w.byValue = 1
		}
		w.args(&c)
	case wire.Reply:
		w.boxed(&c)
	}
	return w.found
}

// oids reports whether peers of the family know objects by one number.
func oids(d *wire.Dialect) bool { return d == wire.FamilyA || d == wire.FamilyB }

type refWalker struct {
	d       *wire.Dialect
	size    int
	byValue int // position, from 1, of the argument that is an id pack by value
	found   []refAt
}

// take enters the value the cursor stands before.
func (w *refWalker) take(label wire.Label, c *brine.Cursor) {
	start := w.size - c.Len()
	if label == wire.LabelRemoteRef && oids(w.d) { // the number among what describes the object
		all := *c
		r, err := w.d.ReadRemoteRef(c, &wire.Names{})
		_, none := all.Tuple()
		start = w.size - all.Len()
		if raw, bad := all.Raw(); err == nil && none == nil && bad == nil {
			w.found = append(w.found, refAt{label, start, start + len(raw), string(raw), r.Name})
		}
		return
	}
	if raw, err := c.Raw(); err == nil {
		w.found = append(w.found, refAt{label, start, start + len(raw), string(raw), ""})
	}
}

func (w *refWalker) boxed(c *brine.Cursor) {
	l, err := w.d.ReadLabel(c)
	if err != nil {
		return
	}
	switch l {
	case wire.LabelValue:
		_ = c.Skip()
	case wire.LabelTuple:
		n, _ := c.Tuple()
		for range n {
			w.boxed(c)
		}
	default:
		w.take(l, c)
	}
}

// args walks through the arguments of a request.
func (w *refWalker) args(c *brine.Cursor) {
	if w.byValue == 0 {
		w.boxed(c)
		return
	}
	l, err := w.d.ReadLabel(c)
	if err != nil || c.Kind() != brine.KindTuple {
		return
	}
	n, _ := c.Tuple()
	for i := 1; i <= n; i++ {
		switch {
		case i == w.byValue && l == wire.LabelTuple:
			if l, err := w.d.ReadLabel(c); err != nil || l != wire.LabelValue {
				return
			}
			fallthrough
		case i == w.byValue:
			w.take(wire.LabelLocalRef, c)
		case l == wire.LabelTuple:
			w.boxed(c)
		default:
			_ = c.Skip()
		}
	}
}
