// Package brine is RPyC's serialisation of immutable values: the counterpart
// of rpyc.core.brine, byte for byte on the way out and at least as forgiving on
// the way in. It knows nothing about connections; a registry datagram and a
// connection message are both made of it.
//
// # Values
//
// The table shows which Go value a Python value becomes and back. An arrow that
// points one way only marks a form that is accepted but never produced.
//
//	Python              Go
//	------              --
//	None            ↔   nil
//	bool            ↔   bool
//	int             ↔   int64                       (1)
//	int             ↔   *big.Int                    (1)
//	int             ←   int, int8 … int32, uint, uint8 … uint64
//	float           ↔   float64
//	float           ←   float32
//	complex         ↔   complex128
//	complex         ←   complex64
//	str             ↔   string                      (2)
//	bytes           ↔   []byte                      (3)
//	tuple           ↔   Tuple
//	slice           ↔   Slice
//	frozenset       ↔   FrozenSet                   (4)
//	Ellipsis        ↔   Ellipsis
//	NotImplemented  ↔   NotImplemented
//	long (Python 2) →   int64 or *big.Int           (5)
//
//	(1) Decoding yields int64 whenever the number fits and *big.Int otherwise.
//	    Encoding takes either for any number. Integers of more than 4300 digits
//	    are refused in both directions, because CPython refuses them.
//	(2) A Go string must be valid UTF-8 to be encoded, and decoded text always is.
//	(3) A nil []byte is the empty bytes object, as an empty one is.
//	(4) Decoding drops members that Python calls equal, the first one staying:
//	    1, True, 1.0 and 1+0j are one member, two NaNs are two.
//	(5) Sent by Python 2 peers (RPyC up to 4.1) only.
//
// Types are matched exactly, as RPyC matches them: a named Go type whose
// underlying type is int or string is not brinable, nor are slices other than
// []byte, maps, structs and pointers. [Dumpable] tells.
//
// # Two ways in and two ways out
//
// [Marshal] and [Unmarshal] convert whole values and suit small programs and
// tests. Code that cares about speed uses the Append functions, which write
// into a caller's slice and allocate nothing but its growth, and [Cursor], which
// reads typed values in place.
//
// # What is accepted
//
// Like the Python implementation the decoder accepts any length class for any
// length, integer text as int() takes it (surrounding whitespace, a plus sign,
// leading zeros, single underscores), a slice or a frozenset built from any
// iterable value, and bytes after the end of the first value.
//
// It differs in these points on purpose: a byte string or an integer that is cut
// short is an error here and is silently shortened there; a slice
// inside a frozenset is accepted, which CPython does from 3.12 on; the Python 2
// long tag is accepted, which RPyC dropped in 5.0, and takes ASCII digits
// when it is applied to text.
//
// # Further types
//
// Programs can add types of their own, each behind a tag that is free: see
// [Register].
//
// # Hostile input
//
// No input makes the decoder panic, recurse without bound or allocate more than
// a fixed multiple of the bytes it was given. See [Limits].
package brine
