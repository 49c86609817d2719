package protocol

import (
	"context"
	"fmt"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// unboxer decodes the values of one message. It runs on the reader: labels are resolved in the order of arrival. What
// came by value is left encoded, to be decoded by whoever wants it. This is the only unboxing there is
// (Connection._unbox).
type unboxer struct {
	c   *Conn
	d   *wire.Dialect
	err error // the first reference that could not be resolved; the rest is decoded all the same, for the counts
	// discard says that nobody wants the message: references in it are given back at once.
	discard bool
	request bool  // the message is a request
	target  bool  // the next value is what a request is about
	refs    int32 // references to objects of the peer that there were
	depth   int   // how many containers the next value is nested in
	weight  int64 // of the message, 0 if it is light
	left    int64 // what the message may still weigh
}

// boxed is a value as it came: encoded if it came by value, otherwise resolved.
type boxed struct {
	raw   []byte        // brine encoding, checked
	value any           // if raw is nil
	coded *brine.Codecs // have to make values of the program's of parts of the value; nil if there are none
	entry *exported     // the table's entry, if the value is an object of ours
}

// loaded returns the value, which is not encoded. It runs the user's code if there are codecs, so not on the reader.
func (x *boxed) loaded() (v any, err error) {
	if x.coded != nil {
		v, err = x.coded.Load(x.value)
		if err != nil {
			return nil, err
		}
		x.value, x.coded = v, nil
	}
	return x.value, nil
}

// decode returns the value, and decodes it if it came by value.
func (x *boxed) decode(alias bool) (any, error) {
	if x.raw == nil {
		return x.loaded()
	}
	cur := brine.NewCursor(x.raw)
	cur.SetAlias(alias)
	return cur.Value()
}

// decodeName decodes an argument that has to be the name of an attribute, with the reader's table of names.
func (x *boxed) decodeName(d *wire.Dialect, names *wire.Names) error {
	if x.raw == nil {
		return nil // an object or a tuple with objects in it: package exposed refuses it
	}
	c := brine.NewCursor(x.raw)
	switch kind := c.Kind(); {
	case kind != brine.KindString && kind != brine.KindBytes:
		return vinegar.TypeError.New("name must be a string")
	case d.Python2():
		v, err := c.Value()
		x.raw, x.value = nil, d.OwnMethod(v)
		return err
	case kind == brine.KindString:
		b, err := c.StringBytes()
		x.raw, x.value = nil, names.Value(b)
		return err
	}
	return nil
}

// next decodes the boxed value the cursor stands before.
func (u *unboxer) next(c *brine.Cursor) (boxed, error) {
	c.SetDepth(u.depth)
	label, err := u.d.ReadLabel(c)
	if err != nil {
		return boxed{}, err
	}
	c.SetDepth(u.depth + 1)
	switch label {
	case wire.LabelValue:
		return u.plain(c)
	case wire.LabelTuple:
		items, err := u.tuple(c)
		return boxed{value: items, coded: u.c.cfg.Codecs}, err
	case wire.LabelLocalRef:
		r, err := u.d.ReadRef(c, &u.c.names)
		if err != nil {
			return boxed{}, err
		}
		return u.ownObject(r), nil
	default:
		r, err := u.d.ReadRemoteRef(c, &u.c.names)
		if err != nil {
			return boxed{}, err
		}
		if u.target || u.c.echoes {
			if x, ok := u.echoed(r); ok {
				return x, nil
			}
		}
		if u.left -= refWeight; u.left < 0 {
			return boxed{}, u.c.tooHeavy(u.c.cfg.Limits.Decoded - u.left)
		}
		return boxed{value: u.peerObject(r)}, nil
	}
}

// plain takes a value as it is encoded, or decoded if there are values of codecs in it, or, from a peer of family E,
// classes.
func (u *unboxer) plain(c *brine.Cursor) (boxed, error) {
	raw, err := c.Raw()
	codecs := u.c.cfg.Codecs
	if err != nil || !u.d.HasKinds() && codecs == nil {
		return boxed{raw: raw}, err
	}
	strict := brine.NewCursor(raw)
	if strict.Skip() == nil {
		return boxed{raw: raw}, nil
	}
	with := brine.NewCursor(raw)
	with.SetTypes(u.d.HasKinds())
	with.SetCodecs(codecs)
	v, err := with.Value()
	return boxed{value: withClasses(v), coded: codecs}, err
}

// withClasses puts our classes in the place of those that came by value.
func withClasses(v any) any {
	switch v := v.(type) {
	case brine.Type:
		class, _ := exposed.Builtin(string(v))
		return class
	case brine.Tuple:
		for i := range v {
			v[i] = withClasses(v[i])
		}
	}
	return v
}

// value decodes a boxed value completely.
func (u *unboxer) value(c *brine.Cursor) (any, error) {
	x, err := u.next(c)
	if err != nil {
		return nil, err
	}
	if x.coded != nil {
		return x.value, nil // whoever gets the tuple has it loaded
	}
	return x.decode(false)
}

func (u *unboxer) tuple(c *brine.Cursor) (brine.Tuple, error) {
	if c.Kind() != brine.KindTuple {
		return nil, &wire.FormError{What: "a tuple of boxed values", Got: fmt.Sprint(c.Kind())}
	}
	n, err := c.Tuple()
	if err != nil {
		return nil, err
	}
	// grows as items come: n is at most the number of bytes left, but nested tuples may claim these, too
	var items brine.Tuple
	if n <= 64 {
		items = make(brine.Tuple, 0, n)
	}
	u.depth += 2 // the boxed pair and the tuple
	for range n {
		v, err := u.value(c)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	u.depth -= 2
	return items, nil
}

// ownObject is the boxed value for an object of ours. If the table does not have it, u.err says so.
func (u *unboxer) ownObject(r wire.Ref) boxed {
	e := u.lookUp(r)
	if e == nil {
		return boxed{}
	}
	return boxed{value: e.obj, entry: e}
}

// echoed finds the object of ours that the peer has named as if it were one of its own, as rpyc-async does: its
// requests show it, which are about objects of the receiver. Its own ids are addresses, and ours count from one.
func (u *unboxer) echoed(r wire.Ref) (boxed, bool) {
	l := u.c.lock()
	defer l.unlock()
	e := l.exports.find(r.Echoed())
	if e == nil {
		return boxed{}, false
	}
	u.c.echoes = true
	return boxed{value: e.obj, entry: e}, true
}

// bareTarget finds the target of a request of family A, which names it by its number.
func (u *unboxer) bareTarget(x boxed) (boxed, error) {
	if x.raw == nil {
		return x, nil
	}
	c := brine.NewCursor(x.raw)
	r, err := u.d.ReadRef(&c, &u.c.names)
	if err != nil {
		return boxed{}, err
	}
	return u.ownObject(r), nil
}

// lookUp finds an object of ours.
func (u *unboxer) lookUp(r wire.Ref) *exported {
	l := u.c.lock()
	defer l.unlock()
	e := l.exports.find(r)
	if e == nil && u.err == nil {
		u.err = unknownRef(r)
	}
	return e
}

// unknownRef is the exception for an id pack that is not in the table, as upstream raises it.
func unknownRef(r wire.Ref) error {
	return vinegar.KeyError.New(brine.Tuple{r.Name, r.Class, r.Object})
}

// decodeException turns an exception payload that has been received into an error. It runs the user's code if there are
// codecs.
func (c *Conn) decodeException(payload []byte) error {
	cur := brine.NewCursor(payload)
	cur.SetTypes(c.dialect.Load().HasKinds())
	cur.SetCodecs(c.cfg.Codecs)
	err := decodeException(&cur)
	if e, ok := err.(*vinegar.Error); ok && c.cfg.Codecs != nil {
		for i, arg := range e.Args {
			if v, err := c.cfg.Codecs.Load(arg); err == nil {
				e.Args[i] = v
			}
		}
	}
	return err
}

// decodeException turns an exception payload into an error.
func decodeException(c *brine.Cursor) error {
	e, err := vinegar.DecodePayload(c)
	if err != nil {
		return err
	}
	return e
}

// decodeInto stores an encoded value through dst: nil drops it, *any takes it as it is, everything else is converted.
func decodeInto(ctx context.Context, dst any, c *brine.Cursor) (err error) {
	switch dst := dst.(type) {
	case nil:
		return nil
	case *any:
		*dst, err = c.Value()
		return err
	}
	to, err := pointee(dst)
	if err != nil || pyvalue.Decode(dst, c) {
		return err
	}
	return netref.AssignRaw(ctx, to, c)
}

// storeInto is decodeInto for a value that has been decoded.
func storeInto(ctx context.Context, dst, v any) error {
	switch dst := dst.(type) {
	case nil:
		return nil
	case *any:
		*dst = v
		return nil
	}
	to, err := pointee(dst)
	if err != nil {
		return err
	}
	return netref.Assign(ctx, to, v)
}

func pointee(dst any) (reflect.Value, error) {
	p := reflect.ValueOf(dst)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return reflect.Value{}, fmt.Errorf("rpyc: result can be stored through a pointer only, not %T", dst)
	}
	return p.Elem(), nil
}

// peerObject makes or finds the handle on an object of the peer.
func (u *unboxer) peerObject(r wire.Ref) *netref.Object {
	u.refs++
	l := u.c.lock()
	if u.discard && (l.imports.entries[r] == nil || l.imports.entries[r].handle.Value() == nil) {
		l.unlock()
		u.c.sendDel(r, 1, sendLater)
		return nil
	}
	defer l.unlock()
	if u.request {
		l.turns.came++
	}
	return l.importRef(r)
}
