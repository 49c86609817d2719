package pyvalue

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
)

// Equal is Python's a == b for values that are no containers. known is false if it cannot be told without asking one of
// them: if one is a container or no plain value, or if their types have nothing in common, so that only identity is
// left.
func Equal(a, b any) (equal, known bool) {
	switch x := a.(type) {
	case nil:
		if b == nil {
			return true, true
		}
	case string:
		if y, ok := b.(string); ok {
			return x == y, true
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Equal(x, y), true
		}
	case int64:
		if y, ok := b.(int64); ok {
			return x == y, true
		}
	}
	if n := NumberOf(a); n.Kind != NotNumber {
		if m := NumberOf(b); m.Kind != NotNumber {
			return EqualNumbers(n, m), true
		}
	}
	return false, false
}

// maxKeyDepth bounds the nesting of what Key describes.
const maxKeyDepth = 1000

// maxDirectText is the length up to which a text is its own key.
const maxDirectText = 255

// described is a key of what Go cannot compare as Python does.
type described string

// Key returns a value that Go can compare, for the keys of a Go map: two plain values have the same key exactly when
// Python calls them equal. ok is false for what is not plain, or has something in it that is not, for what is equal to
// nothing (NaN), and for what is nested too deep.
//
// Where a peer chooses the keys of a table, this is what to look them up by, and not [Hash], by which they can be made
// to collide: all multiples of 2^61-1 have the hash 0.
func Key(v any) (key any, ok bool) {
	if key, ok := DirectKey(v); ok {
		return key, true
	}
	b, ok := appendKey(nil, v, 0)
	return described(b), ok
}

// DirectKey is [Key] for None, short texts and numbers that are integers of 64 bits, whose keys cost nothing; ok is
// false for all others.
func DirectKey(v any) (key any, ok bool) {
	switch x := v.(type) {
	case nil, int64:
		return v, true
	case string:
		if len(x) <= maxDirectText {
			return v, true
		}
	case bool:
		if x {
			return int64(1), true
		}
		return int64(0), true
	case float64:
		if x >= -1<<63 && x < 1<<63 && x == math.Trunc(x) {
			return int64(x), true
		}
	case complex128:
		if imag(x) == 0 {
			return DirectKey(real(x))
		}
	case *big.Int:
		if x.IsInt64() {
			return x.Int64(), true
		}
	}
	return nil, false
}

func appendKey(b []byte, v any, depth int) (key []byte, ok bool) {
	if depth > maxKeyDepth {
		return b, false
	}
	switch v := v.(type) {
	case brine.Tuple:
		return appendKeys(append(b, 'T'), v, depth)
	case brine.Slice:
		return appendKeys(append(b, 'L'), []any{v.Start, v.Stop, v.Step}, depth)
	case brine.FrozenSet:
		members := make([]string, len(v))
		for i, m := range v {
			key, ok := appendKey(nil, m, depth+1)
			if !ok {
				return b, false
			}
			members[i] = string(key)
		}
		slices.Sort(members)
		members = slices.Compact(members)
		b = append(b, 'F')
		for _, m := range members {
			b = append(binary.AppendUvarint(b, uint64(len(m))), m...)
		}
		return b, true
	}
	return brine.AppendKey(b, v)
}

func appendKeys(b []byte, items []any, depth int) ([]byte, bool) {
	for _, item := range items {
		key, ok := appendKey(nil, item, depth+1)
		if !ok {
			return b, false
		}
		b = append(binary.AppendUvarint(b, uint64(len(key))), key...)
	}
	return b, true
}

// seed makes the hashes of texts differ from process to process, as CPython's do.
var seed = maphash.MakeSeed()

// HashScalar is Python's hash(v) of a plain value that is no container; ok is false for all others. Numbers have
// CPython's hashes on 64 bits, texts, bytes and names such as None have others in each process.
func HashScalar(v any) (hash int64, ok bool) {
	switch x := v.(type) {
	case nil, brine.EllipsisType, brine.NotImplementedType:
		return HashOf(x), true
	case string:
		return notMinusOne(int64(maphash.String(seed, x))), true
	case []byte:
		return notMinusOne(int64(maphash.Bytes(seed, x))), true
	}
	n := NumberOf(v)
	return HashNumber(n), n.Kind != NotNumber
}

// HashOf is the hash of what is equal to itself only, such as a pointer.
func HashOf[T comparable](v T) int64 { return notMinusOne(int64(maphash.Comparable(seed, v))) }

// notMinusOne keeps -1 free, which CPython's functions return for an error.
func notMinusOne(h int64) int64 {
	if h == -1 {
		return -2
	}
	return h
}

// hashPrime is what CPython computes the hashes of numbers modulo.
const hashPrime = 1<<61 - 1

// HashNumber is CPython's hash of a number, equal for equal numbers whatever their kinds.
func HashNumber(n Number) int64 {
	switch n.Kind {
	case Int:
		if n.Big == nil && n.Int > -hashPrime && n.Int < hashPrime {
			return notMinusOne(n.Int)
		}
		b := n.BigInt()
		h := new(big.Int).Rem(b, big.NewInt(hashPrime)).Int64()
		return notMinusOne(h)
	case Float:
		return hashFloat(n.Float)
	}
	re, im := uint64(hashFloat(real(n.Complex))), uint64(hashFloat(imag(n.Complex)))
	return notMinusOne(int64(re + 1000003*im))
}

// hashFloat reduces a float modulo hashPrime, by which rotation is multiplication by a power of two. Each NaN has
// another hash, as in CPython from 3.10 on, so that they do not collide in tables, where none is found again.
func hashFloat(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return notMinusOne(int64(rand.Uint64()))
	case math.IsInf(f, 0):
		return int64(math.Copysign(314159, f))
	}
	fraction, exponent := math.Frexp(math.Abs(f)) // the fraction has 53 bits
	h := uint64(math.Ldexp(fraction, 53))
	shift := (exponent - 53) % 61
	if shift < 0 {
		shift += 61
	}
	h = h<<shift&hashPrime | h>>(61-shift)
	if h == hashPrime {
		h = 0
	}
	if f < 0 {
		return notMinusOne(-int64(h))
	}
	return int64(h)
}

// The primes of xxHash, of which CPython's hash of a tuple is a variant.
const (
	prime1 = 11400714785074694791
	prime2 = 14029467366897019727
	prime5 = 2870177450012600261
)

func mixItems(hashes []int64) uint64 {
	acc := uint64(prime5)
	for _, h := range hashes {
		acc = bits.RotateLeft64(acc+uint64(h)*prime2, 31) * prime1
	}
	return acc
}

// HashTuple is CPython's hash of a tuple whose items have these hashes.
func HashTuple(hashes []int64) int64 {
	h := int64(mixItems(hashes) + (uint64(len(hashes)) ^ (prime5 ^ 3527539)))
	if h == -1 {
		return 1546275796
	}
	return h
}

// HashSlice is CPython's hash of a slice whose three parts have these hashes. Slices have one from Python 3.12 on.
func HashSlice(hashes []int64) int64 {
	if h := int64(mixItems(hashes)); h != -1 {
		return h
	}
	return 1546275796
}

// HashFrozenSet is CPython's hash of a frozenset whose members have these hashes, in any order.
func HashFrozenSet(hashes []int64) int64 {
	var acc uint64
	for _, h := range hashes {
		acc ^= (uint64(h) ^ 89869747 ^ uint64(h)<<16) * 3644798167
	}
	acc ^= (uint64(len(hashes)) + 1) * 1927868237
	acc ^= acc>>11 ^ acc>>25
	acc = acc*69069 + 907133923
	if int64(acc) == -1 {
		return 590923713
	}
	return int64(acc)
}
