package brine

import "unicode/utf8"

// MaxWeight is the most that [Cursor.Weigh] makes of one byte of encoding.
const MaxWeight = 208

// What values weigh, in bytes on a 64-bit machine, with the memory that is lost to the sizes in which it is handed out.
const (
	slotWeight   = 18  // a value's place in a container
	numberWeight = 8   // an integer or a float; twice that for a complex
	textWeight   = 24  // a text besides its characters, and a slice header
	codedWeight  = 64  // a value of a codec besides its body
	memberWeight = 160 // what an Interner remembers of a value in a frozenset, at any depth
)

// Weigh returns how many bytes of memory the next value takes when [Cursor.Value] decodes it, estimated from above. It
// stops where limit is exceeded; the result is then larger than limit. It decodes nothing, takes no memory and leaves
// the cursor where it is. What is malformed weighs what stands before the fault.
func (c *Cursor) Weigh(limit int64) int64 {
	w := weigher{c: c, limit: limit}
	w.value(c.pos, len(c.data), c.depth, false)
	return w.sum
}

type weigher struct {
	c     *Cursor
	limit int64
	sum   int64
}

// add adds a weight and reports whether to go on.
func (w *weigher) add(n int64) bool {
	w.sum += n
	return w.sum <= w.limit
}

// padded is the weight of a text of n bytes.
func padded(n int) int64 { return textWeight + int64(n) + int64(n)/8 }

// value weighs the value at offset at, which lies inside depth containers, among which inSet tells of a frozenset, and
// must not reach beyond end. It returns the offset behind it; false if there is nothing further to be weighed.
func (w *weigher) value(at, end, depth int, inSet bool) (next int, ok bool) {
	h, err := w.c.head(at, end)
	if err != nil || inSet && !w.add(memberWeight) {
		return 0, false
	}
	switch h.kind {
	case KindInt:
		_, _, next, err := w.c.integer(at, h, end, depth, true)
		n := int64(numberWeight)
		if h.n > 18 && h.tag != tagLong { // a *big.Int
			n = padded(h.n)
		}
		return next, err == nil && w.add(n)
	case KindFloat:
		return h.body + 8, w.add(numberWeight)
	case KindComplex:
		return h.body + 16, w.add(2 * numberWeight)
	case KindString, KindBytes:
		return h.body + h.n, w.add(padded(h.n))
	case KindTuple:
		return w.items(h, end, depth, inSet)
	case KindSlice, KindFrozenSet:
		if depth >= w.c.limits.Depth || !w.add(textWeight) {
			return 0, false
		}
		return w.iterable(h.body, end, depth, inSet || h.kind == KindFrozenSet)
	case KindCoded:
		switch {
		case h.n >= 0:
			return h.body + h.n, w.add(codedWeight + padded(h.n))
		case depth >= w.c.limits.Depth || !w.add(codedWeight):
			return 0, false
		}
		return w.value(h.body, end, depth+1, false) // its body is no member of the set
	}
	return h.body, true
}

// items weighs a tuple whose head is h.
func (w *weigher) items(h head, end, depth int, inSet bool) (next int, ok bool) {
	if depth >= w.c.limits.Depth || !w.add(textWeight+slotWeight*int64(h.n)) {
		return 0, false
	}
	at := h.body
	for i := range h.n {
		if at, ok = w.value(at, end-(h.n-1-i), depth+1, inSet); !ok {
			return 0, false
		}
	}
	return at, true
}

// iterable weighs what a slice or a frozenset is built from.
func (w *weigher) iterable(at, end, depth int, inSet bool) (next int, ok bool) {
	h, err := w.c.head(at, end)
	if err != nil {
		return 0, false
	}
	each := int64(slotWeight)
	if inSet {
		each += memberWeight
	}
	switch h.kind {
	case KindTuple:
		return w.items(h, end, depth, inSet)
	case KindFrozenSet:
		if depth+1 >= w.c.limits.Depth {
			return 0, false
		}
		return w.iterable(h.body, end, depth+1, true)
	case KindBytes:
		return h.body + h.n, w.add(each * int64(h.n))
	case KindString:
		n := utf8.RuneCount(w.c.data[h.body : h.body+h.n])
		return h.body + h.n, w.add((each + textWeight) * int64(n))
	}
	return 0, false
}
