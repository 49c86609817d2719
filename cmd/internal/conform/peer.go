package conform

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// maxFrame bounds what one message of the peer may make this program hold.
const maxFrame = 256 << 20

// theirs is a reference to an object of the peer's.
type theirs struct{ pack brine.Tuple }

// name is that of the object's class, as the reference has it.
func (r theirs) name() string {
	s, _ := item(r.pack, 0).(string)
	return s
}

// raised is an exception that the peer has answered with.
type raised struct {
	module, name string
	args         brine.Tuple
	attrs        map[string]any
	text         string
	stop         bool // the short form of StopIteration
}

func (e *raised) Error() string {
	return fmt.Sprintf("raised %s%s", e.class(), vinegar.Repr(e.args))
}

// class is the qualified name; the module is left out of Python's own.
func (e *raised) class() string {
	if e.module == "builtins" {
		return e.name
	}
	return e.module + "." + e.name
}

// message is one message, taken apart.
type message struct {
	kind wire.Kind
	seq  any
	body any
}

// peer is one connection to what is checked, spoken byte for byte. It belongs to one goroutine, which serves the
// peer's requests while it waits for an answer.
type peer struct {
	stream   net.Conn
	in       *bufio.Reader
	dialect  *wire.Dialect
	observe  func(id, problem string) // is told of what must hold in each message
	deadline time.Time

	seq      int64
	pending  map[int64]bool     // requests of ours that are not answered
	answers  map[int64]message  // of requests whose answer has come and is not yet waited for
	objects  map[string]*object // ours, by their encoded reference
	nextID   int64
	unknown  []message            // answers that nobody waits for
	requests []wire.Handler       // all that the peer has asked
	gone     bool                 // reading has failed
	park     bool                 // the peer's requests for our root are not answered yet
	parked   []message            // those
	hold     func(m message) bool // takes a request in place of serve, if it is not nil and says so
}

func newPeer(stream net.Conn, d *wire.Dialect, observe func(id, problem string)) *peer {
	return &peer{stream: stream, in: bufio.NewReaderSize(stream, 1<<16), dialect: d, observe: observe,
		pending: map[int64]bool{}, answers: map[int64]message{}, objects: map[string]*object{}, nextID: 7000}
}

// bare tells whether the kind of a message stands before the brine.
func (p *peer) bare() bool { return p.dialect == wire.FamilyD || p.dialect == wire.FamilyE }

// within sets how long all that follows may take.
func (p *peer) within(d time.Duration) {
	p.deadline = time.Now().Add(d)
	_ = p.stream.SetDeadline(p.deadline)
}

// encode makes a message. The sequence number may be any value.
func (p *peer) encode(kind wire.Kind, seq, body any) []byte {
	var b []byte
	var err error
	if p.bare() {
		b, err = brine.Append([]byte{byte(kind)}, brine.Tuple{seq, body})
	} else {
		b, err = brine.Append(nil, brine.Tuple{int64(kind), seq, body})
	}
	if err != nil {
		panic(fmt.Sprintf("conform: a message of its own cannot be encoded: %v", err)) // values are the checks' own
	}
	return b
}

// framed puts a payload into a frame.
func framed(payload []byte, flag, trailer byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	return append(append(append(b, flag), payload...), trailer)
}

// squeezed is a payload as zlib deflates it.
func squeezed(payload []byte, level int) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, level) // the levels are the checks' own
	_, _ = w.Write(payload)
	_ = w.Close()
	return b.Bytes()
}

func (p *peer) write(b []byte) error {
	_, err := p.stream.Write(b)
	return err
}

func (p *peer) send(payload []byte) error { return p.write(framed(payload, 0, '\n')) }

// start sends a request with these boxed arguments and returns its number.
func (p *peer) start(h wire.Handler, args ...any) (int64, error) {
	p.seq++
	p.pending[p.seq] = true
	return p.seq, p.send(p.encode(wire.Request, p.seq, brine.Tuple{int64(h), p.boxArgs(args)}))
}

// errTimeout is what waiting for too long ends with.
var errTimeout = errors.New("no answer in time")

// receive reads the next message. Errors that say io.EOF are the end of the connection.
func (p *peer) receive() (message, error) {
	for {
		payload, err := p.readFrame()
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return message{}, errTimeout
			}
			p.gone = true
			return message{}, fmt.Errorf("the connection has ended: %w", io.EOF)
		}
		if len(payload) == 0 {
			continue
		}
		return p.decode(payload)
	}
}

func (p *peer) readFrame() ([]byte, error) {
	var header [5]byte
	if _, err := io.ReadFull(p.in, header[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(header[:])
	if n > maxFrame {
		p.observe("frames.length", fmt.Sprintf("a frame of %d bytes is announced", n))
		return nil, io.ErrUnexpectedEOF
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(p.in, payload); err != nil {
		return nil, err
	}
	trailer, err := p.in.ReadByte()
	if err != nil {
		return nil, err
	}
	if trailer != '\n' {
		p.observe("frames.newline", fmt.Sprintf("a frame ends with byte %#02x, not with a newline", trailer))
	}
	switch header[4] {
	case 0:
		return payload, nil
	case 1:
	default:
		p.observe("frames.flag", fmt.Sprintf("the flag of a frame is %d, neither 0 nor 1", header[4]))
	}
	z, err := zlib.NewReader(bytes.NewReader(payload))
	if err != nil {
		p.observe("frames.zlib", "a frame that is flagged as compressed is no zlib stream")
		return nil, io.ErrUnexpectedEOF
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxFrame))
	if err != nil {
		p.observe("frames.zlib", "the zlib stream of a frame is damaged")
		return nil, io.ErrUnexpectedEOF
	}
	return plain, nil
}

// decode takes a message apart and looks at its form.
func (p *peer) decode(payload []byte) (message, error) {
	rest, bare := payload, p.bare()
	var m message
	if bare {
		m.kind, rest = wire.Kind(payload[0]), payload[1:]
	}
	v, err := brine.Unmarshal(rest)
	if err != nil {
		p.observe("messages.brine", fmt.Sprintf("a message cannot be decoded: %v", err))
		return m, fmt.Errorf("a message cannot be decoded: %w", err)
	}
	if again, err := brine.Marshal(v); err == nil && !bytes.Equal(again, rest) {
		p.observe("brine.shortest", fmt.Sprintf("%s is not encoded in the shortest form: % x", short(v), cut(rest)))
	}
	parts, _ := v.(brine.Tuple)
	if !bare && len(parts) == 3 {
		k, _ := parts[0].(int64)
		m.kind, parts = wire.Kind(k), parts[1:]
	}
	if len(parts) != 2 || m.kind < wire.Request || m.kind > wire.Exception {
		p.observe("messages.form", fmt.Sprintf("no message of family %v: kind %d, %s", p.dialect, m.kind, short(v)))
		return m, fmt.Errorf("no message: %s", short(v))
	}
	m.seq, m.body = parts[0], parts[1]
	return m, nil
}

// wait serves what the peer asks until the answer to a request has come.
func (p *peer) wait(seq int64) (any, error) {
	for {
		if m, ok := p.answers[seq]; ok {
			delete(p.answers, seq)
			return p.result(m)
		}
		if err := p.step(); err != nil {
			return nil, err
		}
	}
}

// step takes one message in.
func (p *peer) step() error {
	m, err := p.receive()
	if err != nil {
		return err
	}
	if m.kind == wire.Request {
		if p.park && item(m.body, 0) == any(int64(wire.HandleGetRoot)) {
			p.parked = append(p.parked, m)
			return nil
		}
		if p.hold != nil && p.hold(m) {
			return nil
		}
		return p.serve(m)
	}
	if n, ok := m.seq.(int64); ok && n <= p.seq && n > 0 {
		if !p.pending[n] {
			p.observe("messages.once", fmt.Sprintf("request %d is answered twice", n))
			return nil
		}
		delete(p.pending, n)
		p.answers[n] = m
	} else {
		p.unknown = append(p.unknown, m)
	}
	return nil
}

// result is what an answer says.
func (p *peer) result(m message) (any, error) {
	if m.kind == wire.Exception {
		return nil, p.exception(m.body)
	}
	return p.unbox(m.body)
}

// ask sends a request and waits for its answer.
func (p *peer) ask(h wire.Handler, args ...any) (any, error) {
	seq, err := p.start(h, args...)
	if err != nil {
		return nil, fmt.Errorf("the connection has ended: %w", io.EOF)
	}
	return p.wait(seq)
}

// ended waits for the end of the connection and tells whether it has come in time.
func (p *peer) ended() bool {
	for {
		if err := p.step(); errors.Is(err, errTimeout) {
			return false
		} else if errors.Is(err, io.EOF) {
			return true
		}
	}
}

// exception takes the payload of an exception apart and looks at its form.
func (p *peer) exception(body any) error {
	if n, ok := body.(int64); ok && n == 1 {
		return &raised{module: "builtins", name: "StopIteration", stop: true}
	}
	bad := func(what string) error {
		p.observe("exceptions.form", fmt.Sprintf("%s in the payload of an exception: %s", what, short(body)))
		return fmt.Errorf("malformed exception: %s", short(body))
	}
	parts, _ := body.(brine.Tuple)
	if len(parts) != 4 {
		return bad("not 4 members")
	}
	class, _ := parts[0].(brine.Tuple)
	e := &raised{attrs: map[string]any{}}
	var ok1, ok2, ok3, ok4 bool
	e.module, ok1 = item(class, 0).(string)
	e.name, ok2 = item(class, 1).(string)
	e.args, ok3 = parts[1].(brine.Tuple)
	e.text, ok4 = parts[3].(string)
	attrs, ok5 := parts[2].(brine.Tuple)
	switch {
	case !ok1 || !ok2 || len(class) != 2:
		return bad("no class")
	case !ok3:
		return bad("no arguments")
	case !ok4:
		return bad("no text")
	case !ok5:
		return bad("no attributes")
	}
	for _, a := range attrs {
		name, ok := item(a, 0).(string)
		if pair, isPair := a.(brine.Tuple); !ok || !isPair || len(pair) != 2 {
			return bad("an odd attribute")
		}
		e.attrs[name] = item(a, 1)
		if name[:min(1, len(name))] == "_" && name != "_remote_version" {
			p.observe("exceptions.private", fmt.Sprintf("the attribute %s of an exception is sent", name))
		}
	}
	return e
}

// item is a member of a tuple; nil if there is none.
func item(v any, i int) any {
	if t, ok := v.(brine.Tuple); ok && i < len(t) {
		return t[i]
	}
	return nil
}

// short is a value for a report.
func short(v any) string {
	text := show(v)
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return text
}

func cut(b []byte) []byte { return b[:min(len(b), 24)] }
