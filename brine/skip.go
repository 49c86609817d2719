package brine

import "unicode/utf8"

// Skip passes over the next value after checking all of it: lengths, text,
// integers, depth. If Skip succeeds, [Cursor.Value] at the same place would have
// succeeded, and the other way round. It allocates nothing, except for a
// slice built from a frozenset, a form nobody sends, and for errors.
func (c *Cursor) Skip() error {
	next, err := c.skip(c.pos, len(c.data), c.depth)
	if err != nil {
		return err
	}
	c.pos = next
	return nil
}

// skip checks the value at offset at, which lies inside depth containers and
// must not reach beyond end, and returns the offset behind it.
func (c *Cursor) skip(at, end, depth int) (int, error) {
	if at < end { // most values are integers of one byte
		if tag := c.data[at]; tag >= tagIntMin && tag <= tagIntMax {
			return at + 1, nil
		}
	}
	h, err := c.head(at, end)
	if err != nil {
		return 0, err
	}
	switch h.kind {
	case KindInt:
		_, _, next, err := c.integer(at, h, end, depth, true)
		return next, err
	case KindFloat:
		return h.body + 8, nil
	case KindComplex:
		return h.body + 16, nil
	case KindString:
		_, err := c.text(at, h)
		return h.body + h.n, err
	case KindBytes:
		return h.body + h.n, nil
	case KindTuple, KindSlice, KindFrozenSet:
		if depth >= c.limits.Depth {
			return 0, c.fail(at, tooDeep(c.limits.Depth))
		}
		if h.kind == KindTuple {
			return c.skipItems(h, end, depth)
		}
		return c.skipIterable(at, h, end, depth)
	case KindCoded:
		switch {
		case h.n >= 0:
			return h.body + h.n, nil
		case depth >= c.limits.Depth:
			return 0, c.fail(at, tooDeep(c.limits.Depth))
		}
		return c.skip(h.body, end, depth+1)
	}
	return h.body, nil
}

func (c *Cursor) skipItems(h head, end, depth int) (int, error) {
	at := h.body
	for i := range h.n {
		var err error
		if at, err = c.skip(at, end-(h.n-1-i), depth+1); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// skipIterable checks what a slice or a frozenset is built from.
func (c *Cursor) skipIterable(at int, outer head, end, depth int) (int, error) {
	h, err := c.head(outer.body, end)
	if err != nil {
		return 0, err
	}
	n, next := h.n, h.body+h.n
	switch h.kind {
	case KindTuple:
		next, err = c.skipItems(h, end, depth)
	case KindBytes:
	case KindString:
		var p []byte
		p, err = c.text(outer.body, h)
		n = utf8.RuneCount(p)
	case KindFrozenSet:
		if outer.kind == KindFrozenSet {
			next, err = c.skip(outer.body, end, depth+1)
			break
		}
		// How many members are left cannot be known without comparing them.
		own := *c
		own.pos = outer.body
		if err = own.checkSliceSet(depth + 1); err != nil {
			break
		}
		var v any
		if v, _, err = own.value(end, depth+1, nil); err == nil {
			n, next = len(v.(FrozenSet)), own.pos
		}
	default:
		return 0, c.fail(at, errNotIterable)
	}
	if err != nil {
		return 0, err
	}
	if outer.kind == KindSlice && n != 3 {
		return 0, c.fail(at, errSliceMembers)
	}
	return next, nil
}

// maxSliceSet is what a frozenset may weigh that a slice is built from.
const maxSliceSet = 4096

// checkSliceSet refuses a large frozenset at the cursor, from which a slice is to be built: Skip decodes it.
func (c *Cursor) checkSliceSet(depth int) error {
	w := weigher{c: c, limit: maxSliceSet}
	if w.value(c.pos, len(c.data), depth, false); w.sum > maxSliceSet {
		return c.fail(c.pos, &LimitError{What: "memory for a slice made of a frozenset", Got: w.sum, Limit: maxSliceSet})
	}
	return nil
}
