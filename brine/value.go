package brine

import (
	"math"
	"math/big"
	"unicode/utf8"
)

// Unmarshal returns the value that data starts with, in the Go forms of the
// package's table. Bytes after it are ignored. It is rpyc.core.brine.load. The
// errors are described at [DecodeError]. The result shares no memory with data.
func Unmarshal(data []byte) (any, error) {
	c := NewCursor(data)
	return c.Value()
}

// Value reads the next value whatever it is.
func (c *Cursor) Value() (any, error) {
	start := c.pos
	v, _, err := c.value(len(c.data), c.depth, nil)
	if err != nil {
		c.pos = start
		return nil, err
	}
	return v, nil
}

// value decodes the value at c.pos, which lies inside depth containers, and
// moves c.pos behind it. It must not reach beyond end: the bytes from there on
// are the least that items announced earlier will need, one byte each. So the
// claims of all unfinished tuples together never exceed the size of the data
// and a tuple can be allocated in full as soon as its head is read.
//
// Inside a frozenset, in is its table of members and the number of the value in
// it is returned too.
func (c *Cursor) value(end, depth int, in *Interner) (any, int, error) {
	at := c.pos
	h, err := c.head(at, end)
	if err != nil {
		return nil, 0, err
	}
	c.pos = h.body
	var v any
	switch h.kind {
	case KindNone:
	case KindBool:
		v = h.tag == tagTrue
	case KindEllipsis:
		v = Ellipsis
	case KindNotImplemented:
		v = NotImplemented
	case KindType:
		v = typeOf(h.tag)
	case KindInt:
		i, b, next, err := c.integer(at, h, end, depth, false)
		if err != nil {
			return nil, 0, err
		}
		if c.pos = next; b != nil {
			v = b
		} else {
			v = i
		}
	case KindFloat:
		c.pos += 8
		v = c.float(h.body)
	case KindComplex:
		c.pos += 16
		v = complex(c.float(h.body), c.float(h.body+8))
	case KindString:
		p, err := c.text(at, h)
		if err != nil {
			return nil, 0, err
		}
		c.pos += h.n
		v = string(p)
	case KindBytes:
		c.pos += h.n
		p := c.data[h.body:c.pos:c.pos]
		switch {
		case h.n == 0:
			v = boxedBytes
		case c.alias:
			v = p
		default:
			v = append(make([]byte, 0, len(p)), p...)
		}
	case KindCoded:
		if v, err = c.coded(at, h, end, depth); err != nil {
			return nil, 0, err
		}
	default:
		return c.container(at, h, end, depth, in)
	}
	if in == nil {
		return v, 0, nil
	}
	return v, in.Scalar(v), nil
}

// container decodes a tuple, a slice or a frozenset, whose head has been read.
func (c *Cursor) container(at int, h head, end, depth int, in *Interner) (any, int, error) {
	if depth >= c.limits.Depth {
		return nil, 0, c.fail(at, tooDeep(c.limits.Depth))
	}
	switch h.kind {
	case KindTuple:
		items, ids, err := c.items(h.n, end, depth, in)
		if err != nil {
			return nil, 0, err
		}
		if len(items) == 0 {
			return boxedTuple, in.Tuple(ids), nil
		}
		return Tuple(items), in.Tuple(ids), nil
	case KindSlice:
		if c.Kind() == KindFrozenSet {
			if err := c.checkSliceSet(depth + 1); err != nil {
				return nil, 0, err
			}
		}
		items, ids, err := c.iterable(at, end, depth, in)
		if err != nil {
			return nil, 0, err
		}
		if len(items) != 3 {
			return nil, 0, c.fail(at, errSliceMembers)
		}
		return Slice{items[0], items[1], items[2]}, in.composite('L', ids), nil
	}
	inner := in
	if inner == nil {
		inner = NewInterner()
	}
	items, ids, err := c.iterable(at, end, depth, inner)
	if err != nil {
		return nil, 0, err
	}
	items, ids = inner.Distinct(items, ids)
	if len(items) == 0 {
		return boxedFrozenSet, in.Set(ids), nil
	}
	return FrozenSet(items), in.Set(ids), nil
}

// items decodes the n members of a container inside depth others.
func (c *Cursor) items(n, end, depth int, in *Interner) ([]any, []int, error) {
	if n == 0 {
		return nil, nil, nil
	}
	items := make([]any, n)
	var ids []int
	if in != nil {
		ids = make([]int, n)
	}
	for i := range items {
		v, id, err := c.value(end-(n-1-i), depth+1, in)
		if err != nil {
			return nil, nil, err
		}
		items[i] = v
		if in != nil {
			ids[i] = id
		}
	}
	return items, ids, nil
}

// iterable decodes the value at c.pos, from which the slice or frozenset at
// offset at is built, to what iterating it would yield in Python: bytes yield
// integers and text yields one-character texts.
func (c *Cursor) iterable(at, end, depth int, in *Interner) ([]any, []int, error) {
	inner := c.pos
	h, err := c.head(inner, end)
	if err != nil {
		return nil, nil, err
	}
	var items []any
	var ids []int
	switch h.kind {
	case KindTuple:
		c.pos = h.body
		return c.items(h.n, end, depth, in)
	case KindFrozenSet:
		if depth+1 >= c.limits.Depth {
			return nil, nil, c.fail(inner, tooDeep(c.limits.Depth))
		}
		c.pos = h.body
		if in == nil {
			in = NewInterner()
		}
		if items, ids, err = c.iterable(inner, end, depth+1, in); err != nil {
			return nil, nil, err
		}
		items, ids = in.Distinct(items, ids)
		return items, ids, nil
	case KindBytes:
		c.pos = h.body + h.n
		for _, b := range c.data[h.body:c.pos] {
			items = append(items, int64(b))
		}
	case KindString:
		p, err := c.text(inner, h)
		if err != nil {
			return nil, nil, err
		}
		c.pos = h.body + h.n
		for len(p) > 0 {
			_, size := utf8.DecodeRune(p)
			items = append(items, string(p[:size]))
			p = p[size:]
		}
	default:
		return nil, nil, c.fail(at, errNotIterable)
	}
	if in != nil {
		for _, item := range items {
			ids = append(ids, in.Scalar(item))
		}
	}
	return items, ids, nil
}

// integer decodes the integer at offset at and returns the offset behind it too. If
// discard is set it checks only and returns no value.
func (c *Cursor) integer(at int, h head, end, depth int, discard bool) (v int64, b *big.Int, next int, err error) {
	var text []byte
	switch h.tag {
	case tagIntL1, tagIntL4:
		next = h.body + h.n
		text = c.data[h.body:next]
	case tagLong:
		if depth >= c.limits.Depth {
			return 0, nil, 0, c.fail(at, tooDeep(c.limits.Depth))
		}
		at = h.body
		if h, err = c.head(at, end); err != nil {
			return 0, nil, 0, err
		}
		switch h.kind {
		case KindInt:
			return c.integer(at, h, end, depth+1, discard)
		case KindBool:
			if h.tag == tagTrue {
				v = 1
			}
			return v, nil, h.body, nil
		case KindFloat:
			f := c.float(h.body)
			if math.IsNaN(f) || math.IsInf(f, 0) {
				return 0, nil, 0, c.fail(at, errNotInteger)
			}
			if !discard {
				v, b = truncate(f)
			}
			return v, b, h.body + 8, nil
		case KindBytes, KindString:
			next = h.body + h.n
			text = c.data[h.body:next]
		default:
			return 0, nil, 0, c.fail(at, errNotInteger)
		}
	default:
		return int64(h.n), nil, h.body, nil
	}
	if v, ok := quickInt(text); ok && c.limits.Digits >= 18 {
		return v, nil, next, nil
	}
	t, err := scanInt(text, c.limits.Digits)
	if err != nil {
		return 0, nil, 0, c.fail(at, err)
	}
	if !discard {
		v, b = t.value()
	}
	return v, b, next, nil
}
