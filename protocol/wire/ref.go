package wire

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// Ref is an id pack: the name under which an object of one peer is known to both (rpyc.lib.get_id_pack). It is
// comparable, and two refs are the same object exactly if they are equal.
type Ref struct {
	// Name is "module.Class" of the object's class, or of the object itself if it is a class; a module's own name.
	Name string
	// Class identifies the class; an instance carries the id its class has.
	Class int64
	// Object identifies the instance; 0 is for classes alone.
	Object int64

	// odd holds the encoded pack if it is not (text, int64, int64): its members belong to the peer, and whatever
	// they are has to go back unchanged.
	odd string
	// old is set if the peer knows objects by one number: what it names has that number as Object and no Class.
	old bool
	// kind is the fourth member, in family E. An object of ours has it only if it is a module; the others' follows from
	// the rest.
	kind kind
}

// IsClass reports whether the ref names a class rather than an instance.
func (r Ref) IsClass() bool { return r.Object == 0 && r.odd == "" }

// Names reports whether r, as the peer sent it, names the object that own was given out for. Members that the peer's
// family does not send back are not compared.
func (r Ref) Names(own Ref) bool {
	if r.old {
		return r.Object == own.Object && (r.Object != 0 || r.Class == own.Class)
	}
	r.kind = own.kind
	return r == own
}

// IsZero reports whether r is the zero Ref, which names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// String renders the ref for people.
func (r Ref) String() string {
	if r.odd != "" {
		return fmt.Sprintf("%s<%x>", r.Name, r.odd)
	}
	return fmt.Sprintf("%s/%d/%d", r.Name, r.Class, r.Object)
}

// FormError says that well-formed brine does not have the shape the protocol asks for.
type FormError struct {
	What string // what was expected
	Got  string // what was there
}

// Error implements error.
func (e *FormError) Error() string { return "rpyc: expected " + e.What + ", got " + e.Got }

func formError(what string, c *brine.Cursor) error {
	return &FormError{What: what, Got: fmt.Sprint(c.Kind())}
}

// Names remembers the names of classes and attributes a peer uses, so that reading one allocates nothing once it is
// known. The zero value is ready. It is bounded; it is not safe for concurrent use.
type Names struct {
	m map[string]any

	// The id packs that were read last, in their encoded form, because a peer mostly asks the same few objects.
	recent [4]encodedRef
	next   int // the one to be replaced
}

// encodedRef is an id pack and its encoding, if that is short.
type encodedRef struct {
	enc [48]byte
	n   int
	ref Ref
}

// remember notes an id pack.
func (n *Names) remember(enc []byte, r Ref) {
	e := &n.recent[n.next]
	if len(enc) <= len(e.enc) {
		e.n, e.ref = copy(e.enc[:], enc), r
		n.next = (n.next + 1) % len(n.recent)
	}
}

// A peer that makes up ever new names must not grow the table for ever.
const maxNames = 4096

func (n *Names) get(b []byte) string { return n.Value(b).(string) }

// Value returns the name as a string in an interface.
func (n *Names) Value(b []byte) any {
	if s, ok := n.m[string(b)]; ok {
		return s
	}
	s := string(b)
	v := any(s)
	if n.m == nil {
		n.m = make(map[string]any)
	}
	if len(n.m) < maxNames && len(s) <= 256 {
		n.m[s] = v
	}
	return v
}

// AppendRef appends the id pack itself, unlabelled, as INSPECT and INSTANCECHECK carry it by value.
func (d *Dialect) AppendRef(b []byte, r Ref) []byte {
	if d.oids {
		return brine.AppendInt(b, r.oid())
	}
	if r.odd != "" {
		return append(b, r.odd...)
	}
	members := 3
	if d.kinds {
		members = 4
	}
	b = brine.AppendTupleHeader(b, members)
	b = d.appendName(b, d.refName(r))
	b = brine.AppendInt(b, r.Class)
	b = brine.AppendInt(b, r.Object)
	if d.kinds {
		b = brine.AppendInt(b, int64(r.theKind()))
	}
	return b
}

// refName is the ref's name as the peer's Python has it.
func (d *Dialect) refName(r Ref) string {
	if d.python2 {
		if class, builtin := strings.CutPrefix(r.Name, "builtins."); builtin {
			return "__builtin__." + class
		}
	}
	return r.Name
}

// ReadRef reads an id pack by value, or one in a reference to an object of ours. Packs with unusual members are kept as
// they are.
func (d *Dialect) ReadRef(c *brine.Cursor, names *Names) (Ref, error) {
	if d.oids {
		return readOID(c)
	}
	for i := range names.recent {
		if e := &names.recent[i]; c.Pass(e.enc[:e.n]) {
			return e.ref, nil
		}
	}
	start := *c
	if r, ok := d.readPlainRef(c, names); ok {
		names.remember(c.Since(&start), r)
		return r, nil
	}
	*c = start
	if c.Kind() != brine.KindTuple {
		return Ref{}, formError("an id pack", c)
	}
	probe := *c
	n, err := probe.Tuple()
	if err != nil {
		return Ref{}, err
	}
	if n < 3 {
		return Ref{}, &FormError{What: "an id pack of 3 members", Got: fmt.Sprintf("%d", n)}
	}
	raw, err := c.Raw()
	if err != nil {
		return Ref{}, err
	}
	r := Ref{odd: string(raw)}
	if probe.Kind() == brine.KindString {
		s, err := probe.StringBytes()
		if err != nil {
			return Ref{}, err
		}
		r.Name = names.get(s)
	}
	return r, nil
}

func (d *Dialect) readPlainRef(c *brine.Cursor, names *Names) (Ref, bool) {
	if c.Kind() != brine.KindTuple {
		return Ref{}, false
	}
	n, err := c.Tuple()
	if err != nil || n != 3 && (n != 4 || !d.kinds) || n == 3 && d.kinds && !d.unsettled {
		return Ref{}, false
	}
	name, ok := d.readRefName(c)
	if !ok || c.Kind() != brine.KindInt {
		return Ref{}, false
	}
	class, err := c.Int64()
	if err != nil || c.Kind() != brine.KindInt {
		return Ref{}, false
	}
	object, err := c.Int64()
	if err != nil {
		return Ref{}, false
	}
	r := Ref{Name: names.get(name), Class: class, Object: object}
	if n == 4 {
		var ok bool
		if r.kind, ok = readKind(c); !ok {
			return Ref{}, false
		}
	}
	return r, true
}

// readRefName reads the name in an id pack, in our form.
func (d *Dialect) readRefName(c *brine.Cursor) ([]byte, bool) {
	if !d.python2 {
		if c.Kind() != brine.KindString {
			return nil, false
		}
		name, err := c.StringBytes()
		return name, err == nil
	}
	if c.Kind() != brine.KindBytes {
		return nil, false
	}
	name, err := c.Bytes()
	if err != nil || !utf8.Valid(name) || bytes.HasPrefix(name, []byte("builtins.")) {
		return nil, false
	}
	if class, builtin := bytes.CutPrefix(name, []byte("__builtin__.")); builtin {
		name = append([]byte("builtins."), class...)
	}
	return name, true
}

// Echoed returns the id pack of an object of ours that a peer may mean by r, which it has sent as one of its own: the
// first three members. rpyc-async does so, and adds a fourth.
func (r Ref) Echoed() Ref {
	c := brine.NewCursor([]byte(r.odd))
	if n, err := c.Tuple(); r.odd == "" || err != nil || n != 4 {
		r.kind = 0
		return r
	}
	var own Ref
	if name, err := c.StringBytes(); err == nil {
		own.Name = string(name)
	}
	own.Class, _ = c.Int64()
	own.Object, _ = c.Int64()
	return own
}

// Tuple gives the id pack as a value, as INSPECT takes it.
func (r Ref) Tuple() any {
	if r.old {
		return r.oid()
	}
	if r.odd != "" {
		if v, err := brine.Unmarshal([]byte(r.odd)); err == nil {
			return v
		}
	}
	if r.kind != 0 {
		return brine.Tuple{r.Name, r.Class, r.Object, int64(r.kind)}
	}
	return brine.Tuple{r.Name, r.Class, r.Object}
}
