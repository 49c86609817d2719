package wire

import (
	"fmt"

	"github.com/gorpyc/gorpyc/brine"
)

// Dialect is the form of messages and ids that one range of RPyC releases speaks. Values are immutable; there is one
// per family.
type Dialect struct {
	family   string
	version  string
	kindByte bool     // the kind of a message is a byte before its tuple, and not in it
	oids     bool     // an object is known by one number, see oid.go
	bare     bool     // the target of an operation is given as its number, not as a reference
	python2  bool     // names are byte strings
	threads  bool     // a message begins with the threads it is from and for, see threads.go
	base     *Dialect // with threads, the family without them

	kinds     bool     // an id pack has a fourth member, the kind of object, see family_e.go
	unsettled bool     // the peer may be of either family D or E
	delByRef  bool     // DEL takes a reference, of a family where it otherwise takes an id pack by value
	shown     *Dialect // what users are told that this is
}

// The families this package speaks.
var (
	// FamilyA is spoken by RPyC 3 on Python 3, FamilyA2 on Python 2.
	FamilyA  = &Dialect{family: "A", oids: true, bare: true}
	FamilyA2 = &Dialect{family: "A2", oids: true, bare: true, python2: true}
	// FamilyB is spoken by RPyC 4.0 on Python 3, FamilyB2 on Python 2.
	FamilyB  = &Dialect{family: "B", oids: true}
	FamilyB2 = &Dialect{family: "B2", oids: true, python2: true}
	// FamilyC is spoken by RPyC 4.1.0 to 5.3.1, FamilyC2 by 4.1 on Python 2. The version a peer of this family expects
	// cannot be told from its messages, and a wrong one makes it print a warning: none is sent.
	FamilyC  = &Dialect{family: "C"}
	FamilyC2 = &Dialect{family: "C2", python2: true}
	// FamilyD is spoken by RPyC 6.
	FamilyD = &Dialect{family: "D", version: "6.0.2", kindByte: true}
	// FamilyE is spoken by rpyc-ng 7, see family_e.go.
	FamilyE = &Dialect{family: "E", version: "7.0.15", kindByte: true, kinds: true}
)

// String gives the family's letter.
func (d *Dialect) String() string { return d.family }

// Releases says in words who speaks the family.
func (d *Dialect) Releases() string {
	f := d.Family()
	s := map[byte]string{
		'A': "RPyC 3", 'B': "RPyC 4.0", 'C': "RPyC 4.1 to 5.3", 'D': "RPyC 6", 'E': "rpyc-ng 7",
	}[f.family[0]]
	switch {
	case f == FamilyC2:
		s = "RPyC 4.1 on Python 2"
	case f.python2:
		s += " on Python 2"
	}
	return s
}

// BeginsLike reports whether the messages of both families begin in the same way, so that the first one does not tell
// them apart.
func (d *Dialect) BeginsLike(other *Dialect) bool {
	return d.kindByte == other.kindByte && d.threads == other.threads
}

// Version is the RPyC release that exceptions sent to a peer of this family claim to come from; empty where none
// should be claimed.
func (d *Dialect) Version() string { return d.version }

// UnknownDialectError reports a first message that no supported family would send.
type UnknownDialectError struct{ First byte }

// Error implements error.
func (e *UnknownDialectError) Error() string {
	return fmt.Sprintf("rpyc: no known release of RPyC starts a message with %#02x: the peer may be a fork, or of a "+
		"newer release than this side knows", e.First)
}

// Detect tells the family from the first payload received on a connection. Payloads of families A and B, and of
// Python 2, look like those of C until ids are exchanged: see [Survey].
func Detect(payload []byte) (*Dialect, error) {
	if len(payload) == 0 {
		return nil, &UnknownDialectError{}
	}
	switch payload[0] {
	case byte(Request), byte(Reply), byte(Exception):
		return FamilyD, nil
	case tuple3:
		return FamilyC, nil
	case 0: // the first byte of a thread's number, which is never so large that it needs it
		if len(payload) > threadsSize && payload[threadsSize] != 0 {
			if d, err := Detect(payload[threadsSize:]); err == nil {
				return d.BindThreads(), nil
			}
		}
	}
	return nil, &UnknownDialectError{First: payload[0]}
}

// MayBindThreads reports whether a payload, of which perhaps only the beginning is there, can begin with the number of
// a thread.
func MayBindThreads(payload []byte) bool { return payload[0] == 0 }

// A Go peer asks for the root in a form that no other does, and that all of them understand: its arguments, none, are a
// tuple of boxed values and not a tuple by value. Who is asked so knows a peer that takes the newer form of whatever
// its family leaves open.

// AppendRootArgs appends the boxed arguments of the request for the root.
func (d *Dialect) AppendRootArgs(b []byte) []byte {
	label := LabelValue
	if f := d.Family(); f == FamilyC || f == FamilyD {
		label = LabelTuple
	}
	return brine.AppendTupleHeader(d.AppendLabel(b, label), 0)
}

// AsksAsGo reports whether a message is a Go peer's request for the root.
func (d *Dialect) AsksAsGo(payload []byte) bool {
	kind, _, c, err := d.ReadHeader(payload)
	if err != nil || kind != Request {
		return false
	}
	if h, odd, err := d.ReadHandler(&c); err != nil || odd != nil || h != HandleGetRoot {
		return false
	}
	l, err := d.ReadLabel(&c)
	return err == nil && l == LabelTuple
}

// Brine tags: of a tuple of three values, with which every message of the older families begins, and of one of two.
const (
	tuple2 = 0x11
	tuple3 = 0x12
)

// Seq is a request's sequence number as its sender wrote it. Numbers are usual; since the answer has to echo whatever
// was sent, anything else is kept in its encoded form. The zero Seq is the number 0.
type Seq struct {
	N   int64
	odd string
}

// Num makes the Seq of a number.
func Num(n int64) Seq { return Seq{N: n} }

// IsNum reports whether the sequence number is an integer that fits int64.
func (s Seq) IsNum() bool { return s.odd == "" }

// String renders the number for people.
func (s Seq) String() string {
	if s.odd != "" {
		if v, err := brine.Unmarshal([]byte(s.odd)); err == nil {
			return fmt.Sprint(v)
		}
	}
	return fmt.Sprint(s.N)
}

// AppendHeader appends everything that stands before a message's body but the threads.
func (d *Dialect) AppendHeader(b []byte, k Kind, seq Seq) []byte {
	if d.kindByte {
		b = append(b, byte(k))
		b = brine.AppendTupleHeader(b, 2)
	} else {
		b = brine.AppendTupleHeader(b, 3)
		b = brine.AppendInt(b, int64(k))
	}
	if seq.odd != "" {
		return append(b, seq.odd...)
	}
	return brine.AppendInt(b, seq.N)
}

// ReadHeader reads a message's header. The cursor is left before the body, which has been checked to be one complete
// brine value: reading it can fail by its shape only. Errors mean that the conversation cannot go on.
func (d *Dialect) ReadHeader(payload []byte) (Kind, Seq, brine.Cursor, error) {
	kind, seq, body, err := d.ReadHeaderUnchecked(payload)
	if err != nil {
		return 0, Seq{}, brine.Cursor{}, err
	}
	if err := CheckBody(body); err != nil {
		return 0, Seq{}, brine.Cursor{}, err
	}
	return kind, seq, body, nil
}

// CheckBody checks that a message's body is one complete brine value.
func CheckBody(body brine.Cursor) error {
	body.SetDepth(0)
	if err := body.Skip(); err != nil {
		return fmt.Errorf("rpyc: bad message: %w", err)
	}
	return nil
}

// ReadHeaderUnchecked is ReadHeader without the check, for a caller that reads the whole body at once, and calls
// [CheckBody] if it does not find what it expects.
func (d *Dialect) ReadHeaderUnchecked(payload []byte) (Kind, Seq, brine.Cursor, error) {
	if d.kindByte && !d.threads && len(payload) > 2 && payload[1] == tuple2 { // the message of every current peer
		c := brine.NewCursor(payload[2:])
		c.SetTypes(d.kinds)
		k := Kind(payload[0])
		if n, err := c.Int64(); err == nil && k >= Request && k <= Exception {
			return k, Seq{N: n}, c, nil
		}
	}
	kind, seq, c, err := d.readHeader(payload)
	if err != nil {
		return 0, Seq{}, brine.Cursor{}, fmt.Errorf("rpyc: bad message: %w", err)
	}
	return kind, seq, c, nil
}

// Weigh returns how many bytes of memory the values of a message take when they are decoded, as brine.Cursor.Weigh
// does. codecs may be nil.
func (d *Dialect) Weigh(payload []byte, codecs *brine.Codecs, limit int64) int64 {
	skip := 0
	if d.threads {
		skip = threadsSize
	}
	if d.kindByte {
		skip++
	}
	c := brine.NewCursor(payload[min(skip, len(payload)):])
	c.SetTypes(d.kinds)
	c.SetCodecs(codecs)
	return c.Weigh(limit)
}

func (d *Dialect) readHeader(payload []byte) (Kind, Seq, brine.Cursor, error) {
	var k int64
	want := 2
	if d.threads {
		if len(payload) < threadsSize {
			return 0, Seq{}, brine.Cursor{}, &FormError{What: "two threads", Got: fmt.Sprintf("%d bytes", len(payload))}
		}
		payload = payload[threadsSize:]
	}
	if d.kindByte {
		if len(payload) == 0 {
			return 0, Seq{}, brine.Cursor{}, &FormError{What: "a message", Got: "nothing"}
		}
		k, payload = int64(payload[0]), payload[1:]
	} else {
		want = 3
	}
	c := brine.NewCursor(payload)
	c.SetTypes(d.kinds)
	if c.Kind() != brine.KindTuple {
		return 0, Seq{}, c, formError("a message tuple", &c)
	}
	n, err := c.Tuple()
	if err != nil {
		return 0, Seq{}, c, err
	}
	if n != want {
		return 0, Seq{}, c, &FormError{What: fmt.Sprintf("a message of %d members", want), Got: fmt.Sprint(n)}
	}
	if !d.kindByte {
		if c.Kind() != brine.KindInt {
			return 0, Seq{}, c, formError("a message kind", &c)
		}
		if k, err = c.Int64(); err != nil {
			return 0, Seq{}, c, err
		}
	}
	if k < int64(Request) || k > int64(Exception) {
		return 0, Seq{}, c, &FormError{What: "a message kind", Got: fmt.Sprint(k)}
	}
	seq, err := readSeq(&c)
	return Kind(k), seq, c, err
}

// maxSeqWeight is what a sequence number may weigh: it is read before anything is known of the message.
const maxSeqWeight = 4096

func readSeq(c *brine.Cursor) (Seq, error) {
	if c.Kind() == brine.KindInt {
		if n, err := c.Int64(); err == nil {
			return Seq{N: n}, nil
		}
	}
	if n := c.Weigh(maxSeqWeight); n > maxSeqWeight {
		return Seq{}, &brine.LimitError{What: "memory for a sequence number", Got: n, Limit: maxSeqWeight}
	}
	raw, err := c.Raw()
	if err != nil {
		return Seq{}, err
	}
	return Seq{odd: string(raw)}, nil
}

// AppendRequest appends the header and the handler number of a request; the boxed arguments follow.
func (d *Dialect) AppendRequest(b []byte, seq int64, h Handler) []byte {
	b = d.AppendHeader(b, Request, Num(seq))
	b = brine.AppendTupleHeader(b, 2)
	return brine.AppendInt(b, int64(h))
}

// ReadHandler reads the handler number of a request's body and leaves the cursor before the boxed arguments. Upstream
// looks the number up by equality, so True and 3.0 are numbers too; what is no known number is returned as unknown.
func (d *Dialect) ReadHandler(c *brine.Cursor) (h Handler, unknown any, err error) {
	if n, ok := c.Pair(); ok {
		if h = Handler(n); d.takes(h) {
			return h, nil, nil
		}
		return 0, int64(n), nil
	}
	if c.Kind() != brine.KindTuple {
		return 0, nil, formError("a request", c)
	}
	n, err := c.Tuple()
	if err != nil {
		return 0, nil, err
	}
	if n != 2 {
		return 0, nil, &FormError{What: "a request of 2 members", Got: fmt.Sprint(n)}
	}
	v, err := c.Value()
	if err != nil {
		return 0, nil, err
	}
	switch v := v.(type) {
	case int64:
		h = Handler(v)
	case bool:
		if v {
			h = HandlePing
		}
	case float64:
		if i := int64(v); float64(i) == v {
			h = Handler(i)
		}
	}
	if !d.takes(h) {
		return 0, v, nil
	}
	return h, nil, nil
}

// takes reports whether peers of the family may ask for h.
func (d *Dialect) takes(h Handler) bool {
	return h >= HandlePing && (h <= HandleInstanceCheck || d.kinds && h <= HandleType)
}

// AppendLabel appends the head of a boxed value; the value it describes follows.
func (d *Dialect) AppendLabel(b []byte, l Label) []byte {
	b = brine.AppendTupleHeader(b, 2)
	return brine.AppendInt(b, int64(l))
}

// AppendLocalRef appends a boxed reference to an object of the receiver.
func (d *Dialect) AppendLocalRef(b []byte, r Ref) []byte {
	return d.AppendRef(d.AppendLabel(b, LabelLocalRef), r)
}

// AppendRemoteRef appends a boxed reference to an object of ours, which gives the receiver one reference more.
func (d *Dialect) AppendRemoteRef(b []byte, r Ref) []byte {
	b = d.AppendLabel(b, LabelRemoteRef)
	if d.oids {
		return d.appendDescription(b, r)
	}
	return d.AppendRef(b, r)
}

// LabelError reports a boxed value with a label that does not exist (upstream's ValueError "invalid label").
type LabelError struct{ Label any }

// Error implements error.
func (e *LabelError) Error() string { return fmt.Sprintf("invalid label %v", e.Label) }

// ReadLabel reads the head of a boxed value and leaves the cursor before the value. As upstream compares labels by
// equality, True and 1.0 are labels too.
func (d *Dialect) ReadLabel(c *brine.Cursor) (Label, error) {
	if n, ok := c.Pair(); ok {
		if l := Label(n); l >= LabelValue && l <= LabelRemoteRef {
			return l, nil
		}
		return 0, &LabelError{Label: int64(n)}
	}
	if c.Kind() != brine.KindTuple {
		return 0, formError("a boxed value", c)
	}
	n, err := c.Tuple()
	if err != nil {
		return 0, err
	}
	if n != 2 {
		return 0, &FormError{What: "a boxed value of 2 members", Got: fmt.Sprint(n)}
	}
	if c.Kind() == brine.KindInt {
		start := *c
		if l, err := c.Int64(); err == nil && l >= int64(LabelValue) && l <= int64(LabelRemoteRef) {
			return Label(l), nil
		}
		*c = start
	}
	v, err := c.Value()
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case bool:
		if v {
			return LabelValue, nil
		}
	case float64:
		if v >= 1 && v <= 4 && v == float64(int64(v)) {
			return Label(v), nil
		}
	}
	return 0, &LabelError{Label: v}
}
