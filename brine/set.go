package brine

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
)

// Interner numbers values so that two of them have the same number exactly when
// Python calls them equal. It exists while one frozenset is decoded, sets nested
// inside included, or while package pickle reads: a container is described by the
// numbers of its members, so that every value is looked at once however deep it
// lies. It is not safe for concurrent use.
type Interner struct {
	ids    map[string]int
	next   int   // the next number not in use
	seenIn []int // by number: the last set the value was met in, see Distinct
	sets   int   // how many sets Distinct has seen
	key    []byte
	fixed  bool
}

// NewInterner returns an Interner that knows no value.
func NewInterner() *Interner { return &Interner{ids: make(map[string]int)} }

// Unknown is the number of a value that a fixed Interner does not know.
const Unknown = -1

// Fix has the Interner learn no more values, until it is called with false. An unknown number can be in a tuple, which
// is then unknown, too, but not in a set.
func (in *Interner) Fix(fixed bool) { in.fixed = fixed }

// number returns the number of the value that key describes.
func (in *Interner) number(key []byte) int {
	in.key = key
	id, ok := in.ids[string(key)]
	if !ok && in.fixed {
		return Unknown
	}
	if !ok {
		id = in.Fresh()
		in.ids[string(key)] = id
	}
	return id
}

// Fresh returns a number that no value has: what a NaN, equal to nothing, gets.
func (in *Interner) Fresh() int {
	if in.fixed {
		return Unknown
	}
	in.next++
	return in.next - 1
}

// Scalar numbers a value of one of this package's forms that is no container.
func (in *Interner) Scalar(v any) int {
	key, ok := AppendKey(in.key[:0], v)
	if !ok {
		return in.Fresh()
	}
	return in.number(key)
}

// AppendKey appends a description of a value of one of this package's forms that is no container: two of them have the
// same description exactly when Python calls them equal. ok is false for what is equal to nothing, a NaN, and for all
// other values.
func AppendKey(b []byte, v any) (key []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return append(b, 'N'), true
	case EllipsisType:
		return append(b, 'E'), true
	case NotImplementedType:
		return append(b, 'I'), true
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		return appendIntKey(b, n), true
	case int64:
		return appendIntKey(b, v), true
	case *big.Int:
		return appendBigKey(b, v), true
	case float64:
		return appendFloatKey(b, v), !math.IsNaN(v)
	case complex128:
		if imag(v) == 0 {
			return AppendKey(b, real(v))
		}
		b = append(b, 'c')
		// Adding zero turns a negative zero into the positive one it equals.
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(real(v)+0))
		return binary.BigEndian.AppendUint64(b, math.Float64bits(imag(v))), !math.IsNaN(real(v)) && !math.IsNaN(imag(v))
	case string:
		return append(append(b, 's'), v...), true
	case Type:
		return append(append(b, 't'), v...), true
	case []byte:
		return append(append(b, 'b'), v...), true
	}
	return b, false
}

func appendIntKey(key []byte, v int64) []byte {
	return binary.AppendVarint(append(key, 'i'), v)
}

// appendBigKey describes an integer, in the form of an int64 if it is one.
func appendBigKey(key []byte, v *big.Int) []byte {
	if v.IsInt64() {
		return appendIntKey(key, v.Int64())
	}
	return append(append(key, 'I', byte(v.Sign()+1)), v.Bytes()...)
}

// appendFloatKey describes a float as the integer it equals, if there is one.
func appendFloatKey(key []byte, v float64) []byte {
	if math.IsInf(v, 0) || math.Trunc(v) != v { // a NaN, too
		return binary.BigEndian.AppendUint64(append(key, 'f'), math.Float64bits(v))
	}
	n, b := truncate(v)
	if b != nil {
		return appendBigKey(key, b)
	}
	return appendIntKey(key, n)
}

// Tuple numbers a tuple by its members' numbers.
func (in *Interner) Tuple(ids []int) int { return in.composite('T', ids) }

// composite numbers a tuple or a slice by its members' numbers. A nil interner
// means that nobody wants to know.
func (in *Interner) composite(class byte, ids []int) int {
	if in == nil {
		return 0
	}
	key := append(in.key[:0], class)
	for _, id := range ids {
		key = binary.AppendUvarint(key, uint64(id))
	}
	return in.number(key)
}

// Set numbers a frozenset by its distinct members' numbers, whose order does
// not count: it sorts them.
func (in *Interner) Set(ids []int) int {
	if in == nil {
		return 0
	}
	slices.Sort(ids)
	return in.composite('F', ids)
}

// Distinct keeps the first of equal items, whose numbers are ids. It works in place.
func (in *Interner) Distinct(items []any, ids []int) ([]any, []int) {
	in.sets++
	if grow := in.next - len(in.seenIn); grow > 0 {
		in.seenIn = append(in.seenIn, make([]int, grow)...)
	}
	kept := 0
	for i, id := range ids {
		if in.seenIn[id] == in.sets {
			continue
		}
		in.seenIn[id] = in.sets
		items[kept], ids[kept] = items[i], id
		kept++
	}
	clear(items[kept:])
	return items[:kept], ids[:kept]
}
