package brine

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"math/big"
	"unicode/utf8"
)

// Cursor reads encoded values one after the other, in place. It is a small value
// type: copying it gives a second, independent position over the same data.
// It is not safe for concurrent use.
//
// Every read either consumes one value (a tuple: its header) or fails with a
// [*DecodeError] and leaves the cursor where it was, so a caller may try
// another kind. The data must not change while a cursor is in use.
type Cursor struct {
	data   []byte
	pos    int
	depth  int
	limits Limits
	alias  bool
	types  bool
	codecs *Codecs // further encodings; nil if there are none
}

// NewCursor returns a cursor at the start of data with the default limits.
func NewCursor(data []byte) Cursor {
	return Cursor{data: data, limits: Limits{}.withDefaults()}
}

// SetLimits replaces the limits for what is read from here on.
func (c *Cursor) SetLimits(l Limits) { c.limits = l.withDefaults() }

// SetAlias tells whether the []byte values that [Cursor.Value] returns may share
// memory with the data. The default is to copy them.
func (c *Cursor) SetAlias(alias bool) { c.alias = alias }

// SetTypes tells whether classes may come by value, as between peers of rpyc-ng
// 7.0.13 and later: see [Type]. By default their tags are unassigned.
func (c *Cursor) SetTypes(types bool) { c.types = types }

// SetDepth tells how many tuples the caller has entered at this point. The
// levels count against [Limits].Depth in Value, Skip, Raw and Tuple. A caller that
// recurses with [Cursor.Tuple] uses it to bound its own recursion: the cursor
// cannot know when the caller considers a tuple left.
func (c *Cursor) SetDepth(depth int) { c.depth = max(depth, 0) }

// Len returns the number of bytes left.
func (c *Cursor) Len() int { return len(c.data) - c.pos }

// Offset returns the number of bytes consumed.
func (c *Cursor) Offset() int { return c.pos }

// Kind returns the kind of the next value, KindInvalid at the end of the data
// and for a tag that is not assigned. It does not tell whether the value is
// complete and valid.
func (c *Cursor) Kind() Kind {
	if c.pos >= len(c.data) {
		return KindInvalid
	}
	tag := c.data[c.pos]
	if c.types && typeOf(tag) != "" {
		return KindType
	}
	if c.codecOf(tag) != nil {
		return KindCoded
	}
	return kinds[tag]
}

// head is the decoded start of a value.
type head struct {
	kind Kind
	tag  byte
	n    int // length of a byte string, text or integer text; items of a tuple; value of a one-byte integer
	body int // offset of what follows the head
}

func (c *Cursor) fail(at int, err error) error { return &DecodeError{Offset: at, Err: err} }

func (c *Cursor) cutShort(at int) error { return c.fail(at, io.ErrUnexpectedEOF) }

// head decodes the start of the value at offset at, which must not extend
// beyond end. When it succeeds, body+n does not exceed end for strings and
// integer texts, body+8 and body+16 do not for floats and complexes, and a tuple
// has at least one byte for each of its items.
func (c *Cursor) head(at, end int) (head, error) {
	if at >= end {
		return head{}, c.cutShort(at)
	}
	tag := c.data[at]
	h := head{kind: kinds[tag], tag: tag, body: at + 1}
	switch tag {
	case tagNone, tagEmptyBytes, tagEmptyTuple, tagTrue, tagFalse, tagNotImplemented, tagEllipsis,
		tagLong, tagSlice, tagFrozenSet:
		return h, nil
	case tagString:
		if at+1 >= end {
			return head{}, c.cutShort(at)
		}
		if kinds[c.data[at+1]] != KindBytes {
			return head{}, c.fail(at, errNotText)
		}
		inner, err := c.head(at+1, end)
		if err != nil {
			return head{}, err
		}
		inner.kind, inner.tag = KindString, tagString
		return inner, nil
	case tagFloat:
		h.n = 8
	case tagComplex:
		h.n = 16
	case tagBytesL1, tagTupleL1, tagIntL1:
		if at+1 >= end {
			return head{}, c.cutShort(at)
		}
		h.n, h.body = int(c.data[at+1]), at+2
	case tagBytesL4, tagTupleL4, tagIntL4:
		if end-at < 5 {
			return head{}, c.cutShort(at)
		}
		n := binary.BigEndian.Uint32(c.data[at+1:])
		if uint64(n) > uint64(end-at-5) { // before the conversion, which 32-bit machines could not do
			return head{}, c.cutShort(at)
		}
		h.n, h.body = int(n), at+5
	default:
		switch {
		case tag >= tagIntMin && tag <= tagIntMax:
			h.n = int(tag) - tagIntZero
			return h, nil
		case tag >= tagBytes1 && tag <= tagBytes4:
			h.n = int(tag) - tagBytes1 + 1
		case tag >= tagTuple1 && tag <= tagTuple4:
			h.n = int(tag) - tagTuple1 + 1
		case c.types && typeOf(tag) != "":
			h.kind = KindType
			return h, nil
		default:
			if k := c.codecOf(tag); k != nil {
				return c.codedHead(k, at, end)
			}
			return head{}, c.fail(at, &UnknownTagError{tag})
		}
	}
	if h.n > end-h.body {
		return head{}, c.cutShort(at)
	}
	return h, nil
}

// expect decodes the head of the next value, which must be of the given kind.
func (c *Cursor) expect(want Kind) (head, error) {
	h, err := c.head(c.pos, len(c.data))
	if err == nil && h.kind != want {
		err = c.fail(c.pos, &KindError{Want: want, Got: h.kind})
	}
	return h, err
}

// Bool reads True or False. It does not take 0 and 1.
func (c *Cursor) Bool() (bool, error) {
	h, err := c.expect(KindBool)
	if err != nil {
		return false, err
	}
	c.pos = h.body
	return h.tag == tagTrue, nil
}

// Int64 reads an integer that fits an int64; another one is a [*RangeError]. It
// does not take True and False.
func (c *Cursor) Int64() (int64, error) {
	if rest := c.data[c.pos:]; len(rest) > 1 { // nearly all integers are labels, ids, counts and sequence numbers
		tag, n := rest[0], int(rest[1])
		if tag >= tagIntMin && tag <= tagIntMax {
			c.pos++
			return int64(tag) - tagIntZero, nil
		}
		if tag == tagIntL1 && n <= len(rest)-2 && n <= c.limits.Digits {
			if v, ok := quickInt(rest[2 : 2+n]); ok {
				c.pos += 2 + n
				return v, nil
			}
		}
	}
	start := c.pos
	v, b, err := c.Int()
	if err == nil && b != nil {
		c.pos = start
		return 0, c.fail(start, &RangeError{Value: b})
	}
	return v, err
}

// Int reads an integer. The *big.Int is nil if it fits an int64.
func (c *Cursor) Int() (int64, *big.Int, error) {
	h, err := c.expect(KindInt)
	if err != nil {
		return 0, nil, err
	}
	v, b, next, err := c.integer(c.pos, h, len(c.data), c.depth, false)
	if err != nil {
		return 0, nil, err
	}
	c.pos = next
	return v, b, nil
}

// Float64 reads a float. It does not take integers.
func (c *Cursor) Float64() (float64, error) {
	h, err := c.expect(KindFloat)
	if err != nil {
		return 0, err
	}
	c.pos = h.body + 8
	return c.float(h.body), nil
}

// Complex128 reads a complex number.
func (c *Cursor) Complex128() (complex128, error) {
	h, err := c.expect(KindComplex)
	if err != nil {
		return 0, err
	}
	c.pos = h.body + 16
	return complex(c.float(h.body), c.float(h.body+8)), nil
}

func (c *Cursor) float(at int) float64 {
	return math.Float64frombits(binary.BigEndian.Uint64(c.data[at:]))
}

// String reads text. It is not a Stringer: it consumes the next value.
func (c *Cursor) String() (string, error) {
	p, err := c.StringBytes()
	return string(p), err
}

// StringBytes reads text and returns its UTF-8 form, which has been checked and
// shares memory with the data.
func (c *Cursor) StringBytes() ([]byte, error) {
	h, err := c.expect(KindString)
	if err != nil {
		return nil, err
	}
	p, err := c.text(c.pos, h)
	if err != nil {
		return nil, err
	}
	c.pos = h.body + h.n
	return p, nil
}

// text returns the checked content of the text at offset at.
func (c *Cursor) text(at int, h head) ([]byte, error) {
	p := c.data[h.body : h.body+h.n]
	if !utf8.Valid(p) {
		return nil, c.fail(at, ErrInvalidUTF8)
	}
	return p, nil
}

// Bytes reads a bytes object. The result always shares memory with the data;
// copy it to keep it.
func (c *Cursor) Bytes() ([]byte, error) {
	h, err := c.expect(KindBytes)
	if err != nil {
		return nil, err
	}
	c.pos = h.body + h.n
	return c.data[h.body:c.pos:c.pos], nil
}

// Tuple reads the header of a tuple; its n items follow and are read one by one.
// n never exceeds the number of bytes left, so it may size an allocation, but
// a nested tuple may claim the same bytes again: see [Cursor.SetDepth].
func (c *Cursor) Tuple() (n int, err error) {
	h, err := c.expect(KindTuple)
	if err != nil {
		return 0, err
	}
	if c.depth >= c.limits.Depth {
		return 0, c.fail(c.pos, tooDeep(c.limits.Depth))
	}
	c.pos = h.body
	return h.n, nil
}

// Pair enters a tuple of two values of which the first is an integer from −48 to 159, and reads that: what RPyC's
// messages are made of. It reports false and leaves the cursor where it was if something else comes next, or if the
// tuple or the integer is not in its shortest form. It is a first try, quicker than Tuple and Int64.
func (c *Cursor) Pair() (first int, ok bool) {
	p := c.data[c.pos:]
	if len(p) < 3 || p[0] != tagTuple2 || p[1] < tagIntMin || p[1] > tagIntMax || c.depth >= c.limits.Depth {
		return 0, false
	}
	c.pos += 2
	return int(p[1]) - tagIntZero, true
}

// Pass passes over the next value if its encoding is enc, and reports whether it is. enc must be the
// encoding of one value that has been read before. Depth is not regarded.
func (c *Cursor) Pass(enc []byte) bool {
	if len(enc) == 0 || !bytes.HasPrefix(c.data[c.pos:], enc) {
		return false
	}
	c.pos += len(enc)
	return true
}

// Since returns the data between an earlier position of the same cursor and this one.
func (c *Cursor) Since(earlier *Cursor) []byte { return c.data[earlier.pos:c.pos:c.pos] }

// Raw skips the next value as [Cursor.Skip] does and returns its encoding,
// which shares memory with the data.
func (c *Cursor) Raw() ([]byte, error) {
	start := c.pos
	if err := c.Skip(); err != nil {
		return nil, err
	}
	return c.data[start:c.pos:c.pos], nil
}
