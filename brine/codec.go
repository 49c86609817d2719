package brine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime"
)

// Codecs are encodings that a program adds to brine, each behind a tag of its own, as Python programs add them to
// rpyc.core.brine's tables _dump_registry and _load_registry. Both ends of a connection have to know them. They are
// added by [Register] before the Codecs are used, and not changed afterwards; then they can be shared.
type Codecs struct {
	tags  [256]*codec
	types map[reflect.Type]*codec
}

// codec is one encoding. load and dump know the type.
type codec struct {
	tag  byte
	body Body
	load func(body any) (any, error)
	dump func(v any) (body any, err error)
}

// Body says what stands behind a tag, which is how a reader finds its end: one of [OneValue], [Length1], [Length4] and
// [Fixed].
type Body int

// The forms of a body.
const (
	// OneValue is one value of brine, such as a tuple of what a value consists of: brine._dump(value, stream).
	OneValue Body = 0
	// Length1 is bytes that are no value of brine, behind their number in one byte.
	Length1 Body = -1
	// Length4 is such bytes behind their number in four bytes, big-endian.
	Length4 Body = -4
)

// Fixed is always n bytes that are no value of brine, n above 0: struct.pack.
func Fixed(n int) Body { return Body(n) }

// Coded is a value that a codec is registered for, before the codec has made a value of the program's of it.
type Coded struct {
	Tag byte
	// Body is the value behind the tag, or the bytes that stand there, as a []byte.
	Body any
}

// Register adds the encoding of values of type T, behind a tag that brine has not assigned: 07, or f0 to ff (rpyc-ng 7
// has classes of its own from f0 to f4, and 1c to 1f). dump returns what stands behind the tag: for [OneValue] a value
// of brine's forms, or a Tuple of these and of values of codecs, otherwise a []byte. load makes the value of it, which
// it may keep. Both may be called by several goroutines at a time; that one panics is an error of the value, since it
// may be what a peer has sent. It is an error if the tag or the type is taken.
func Register[T any](cs *Codecs, tag byte, body Body, dump func(T) (any, error), load func(body any) (T, error)) error {
	t := reflect.TypeFor[T]()
	switch {
	case kinds[tag] != KindInvalid:
		return fmt.Errorf("brine: tag %#02x is that of %v", tag, kinds[tag])
	case cs.tags[tag] != nil:
		return fmt.Errorf("brine: tag %#02x is registered already", tag)
	case cs.types[t] != nil:
		return fmt.Errorf("brine: type %v is registered already", t)
	case t.Kind() == reflect.Interface || t.PkgPath() == "" && t.Kind() != reflect.Pointer:
		return fmt.Errorf("brine: %v is no type of a program's own", t)
	case body < 0 && body != Length1 && body != Length4:
		return fmt.Errorf("brine: no such form of a body: %d", body)
	}
	c := &codec{
		tag: tag, body: body,
		load: func(body any) (v any, err error) {
			defer recovered(t, "load", &err)
			return load(body)
		},
		dump: func(v any) (body any, err error) {
			defer recovered(t, "dump", &err)
			return dump(v.(T))
		},
	}
	cs.tags[tag] = c
	if cs.types == nil {
		cs.types = make(map[reflect.Type]*codec)
	}
	cs.types[t] = c
	return nil
}

// recovered makes an error of a panic of a codec's function. Its text may reach a peer, so that values of other types
// than texts and the runtime's errors are not in it.
func recovered(t reflect.Type, function string, err *error) {
	switch p := recover().(type) {
	case nil:
	case runtime.Error, string:
		*err = fmt.Errorf("brine: the %s function of %v has panicked: %v", function, t, p)
	default:
		*err = fmt.Errorf("brine: the %s function of %v has panicked with a %T", function, t, p)
	}
}

// Has reports whether the type of v is registered. A nil *Codecs has none.
func (cs *Codecs) Has(v any) bool { return cs != nil && cs.types[reflect.TypeOf(v)] != nil }

// Append appends the encoding of v, whose type is registered. depth is how many containers it is nested in.
func (cs *Codecs) Append(b []byte, v any, depth int) ([]byte, error) {
	c := cs.types[reflect.TypeOf(v)]
	body, err := c.dump(v)
	if err != nil {
		return b, err
	}
	start := len(b)
	b = append(b, c.tag)
	if c.body == OneValue {
		nb, err := cs.appendBody(b, body, depth+1)
		if err != nil {
			return b[:start], fmt.Errorf("brine: the body of a %T: %w", v, err)
		}
		return nb, nil
	}
	raw, ok := body.([]byte)
	most := uint64(c.body)
	switch c.body {
	case Length1:
		b, most = append(b, byte(len(raw))), 1<<8-1
	case Length4:
		b, most = binary.BigEndian.AppendUint32(b, uint32(len(raw))), 1<<32-1
	default:
		ok = ok && len(raw) == int(c.body)
	}
	if !ok || uint64(len(raw)) > most {
		return b[:start], fmt.Errorf("brine: the body of a %T: want up to %d bytes, got %d of a %T", v, most, len(raw), body)
	}
	return append(b, raw...), nil
}

// appendBody appends a value that is a body, or stands in one: tuples may hold values of codecs.
func (cs *Codecs) appendBody(b []byte, v any, depth int) (_ []byte, err error) {
	if cs.Has(v) {
		return cs.Append(b, v, depth)
	}
	items, ok := v.(Tuple)
	if !ok || depth >= DefaultDepth {
		return appendValue(b, v, depth)
	}
	b = AppendTupleHeader(b, len(items))
	for _, item := range items {
		if b, err = cs.appendBody(b, item, depth+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

// Load has the codecs make the program's values of those in v that were decoded as [Coded], also in tuples, slices and
// frozensets. It may change v. A nil *Codecs leaves everything as it is.
func (cs *Codecs) Load(v any) (any, error) {
	if cs == nil {
		return v, nil
	}
	switch v := v.(type) {
	case Coded:
		body, err := cs.Load(v.Body)
		if err != nil {
			return nil, err
		}
		c := cs.tags[v.Tag]
		if c == nil {
			return nil, &UnknownTagError{Tag: v.Tag}
		}
		return c.load(body)
	case Tuple:
		return v, cs.loadItems(v)
	case FrozenSet:
		return v, cs.loadItems(v)
	case Slice:
		items := []any{v.Start, v.Stop, v.Step}
		err := cs.loadItems(items)
		return Slice{items[0], items[1], items[2]}, err
	}
	return v, nil
}

func (cs *Codecs) loadItems(items []any) (err error) {
	for i := range items {
		if items[i], err = cs.Load(items[i]); err != nil {
			return err
		}
	}
	return nil
}

// SetCodecs tells the cursor of further encodings, whose values it decodes as [Coded]; nil is none.
func (c *Cursor) SetCodecs(cs *Codecs) { c.codecs = cs }

// codecOf is the codec of a tag that is not brine's own; nil if there is none.
func (c *Cursor) codecOf(tag byte) *codec {
	if c.codecs == nil {
		return nil
	}
	return c.codecs.tags[tag]
}

// codedHead is head for a value of a codec, whose tag is at offset at. If n is not negative, the body is the n bytes
// that begin at offset body.
func (c *Cursor) codedHead(k *codec, at, end int) (head, error) {
	h := head{kind: KindCoded, tag: k.tag, body: at + 1, n: int(k.body)}
	switch left := end - h.body; k.body {
	case OneValue:
		h.n = -1
		return h, nil
	case Length1:
		if left < 1 {
			return head{}, c.cutShort(at)
		}
		h.n, h.body = int(c.data[h.body]), h.body+1
	case Length4:
		if left < 4 {
			return head{}, c.cutShort(at)
		}
		n := binary.BigEndian.Uint32(c.data[h.body:])
		if uint64(n) > uint64(left-4) {
			return head{}, c.cutShort(at)
		}
		h.n, h.body = int(n), h.body+4
	}
	if h.n > end-h.body {
		return head{}, c.cutShort(at)
	}
	return h, nil
}

// coded decodes the value of a codec, whose head has been read.
func (c *Cursor) coded(at int, h head, end, depth int) (any, error) {
	if h.n >= 0 {
		c.pos = h.body + h.n
		return Coded{h.tag, append([]byte{}, c.data[h.body:c.pos]...)}, nil
	}
	if depth >= c.limits.Depth {
		return nil, c.fail(at, tooDeep(c.limits.Depth))
	}
	c.pos = h.body
	v, _, err := c.value(end, depth+1, nil)
	return Coded{h.tag, v}, err
}

// UnknownTagError tells of a tag that brine has not assigned and no codec is registered for. It is the cause of a
// [*DecodeError].
type UnknownTagError struct{ Tag byte }

// Error implements error.
func (e *UnknownTagError) Error() string {
	return fmt.Sprintf("unknown tag %#02x: brine has none, and no codec is registered for it", e.Tag)
}

// IsUnknownTag reports whether an error says that a value has a tag that is not known.
func IsUnknownTag(err error) bool {
	var unknown *UnknownTagError
	return errors.As(err, &unknown)
}
