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
}

// NewInterner returns an Interner that knows no value.
func NewInterner() *Interner { return &Interner{ids: make(map[string]int)} }

// number returns the number of the value that key describes.
func (in *Interner) number(key []byte) int {
	in.key = key
	id, ok := in.ids[string(key)]
	if !ok {
		id = in.Fresh()
		in.ids[string(key)] = id
	}
	return id
}

// Fresh returns a number that no value has: what a NaN, equal to nothing, gets.
func (in *Interner) Fresh() int {
	in.next++
	return in.next - 1
}

// Scalar numbers a value of one of this package's forms that is no container.
func (in *Interner) Scalar(v any) int {
	key := in.key[:0]
	switch v := v.(type) {
	case nil:
		key = append(key, 'N')
	case EllipsisType:
		key = append(key, 'E')
	case NotImplementedType:
		key = append(key, 'I')
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		key = appendIntKey(key, n)
	case int64:
		key = appendIntKey(key, v)
	case *big.Int:
		key = appendBigKey(key, v)
	case float64:
		if math.IsNaN(v) {
			return in.Fresh()
		}
		key = appendFloatKey(key, v)
	case complex128:
		if math.IsNaN(real(v)) || math.IsNaN(imag(v)) {
			return in.Fresh()
		}
		if imag(v) == 0 {
			key = appendFloatKey(key, real(v))
			break
		}
		key = append(key, 'c')
		// Adding zero turns a negative zero into the positive one it equals.
		key = binary.BigEndian.AppendUint64(key, math.Float64bits(real(v)+0))
		key = binary.BigEndian.AppendUint64(key, math.Float64bits(imag(v)))
	case string:
		key = append(append(key, 's'), v...)
	case []byte:
		key = append(append(key, 'b'), v...)
	}
	return in.number(key)
}

func appendIntKey(key []byte, v int64) []byte {
	return binary.AppendVarint(append(key, 'i'), v)
}

// appendBigKey describes an integer outside the range of int64.
func appendBigKey(key []byte, v *big.Int) []byte {
	return append(append(key, 'I', byte(v.Sign()+1)), v.Bytes()...)
}

// appendFloatKey describes a float as the integer it equals, if there is one.
func appendFloatKey(key []byte, v float64) []byte {
	if math.IsInf(v, 0) || math.Trunc(v) != v {
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
