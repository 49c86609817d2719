package brine

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
)

// ErrInvalidUTF8 is the cause of errors about text that is not valid UTF-8,
// when encoding a Go string and when decoding. CPython refuses the same texts,
// encoded surrogates among them.
var ErrInvalidUTF8 = errors.New("invalid UTF-8")

// ErrIntSyntax is the cause of errors about integers whose text Python's int()
// would not take.
var ErrIntSyntax = errors.New("invalid integer text")

// UnsupportedTypeError tells that a Go value has no form in brine. RPyC raises
// TypeError "cannot dump …" where it occurs.
type UnsupportedTypeError struct {
	Type reflect.Type // of the offending value, which may be a member of a tuple
}

// Error implements error.
func (e *UnsupportedTypeError) Error() string {
	return fmt.Sprintf("brine: cannot dump a value of type %v", e.Type)
}

// LimitError tells that something is larger than a limit allows. It is the error of every package of this module for
// that. When it occurs while decoding it is the cause of a [*DecodeError].
type LimitError struct {
	// What is limited; in this package "nesting depth", "digits of an integer", "items of a tuple", "length of a byte
	// string" or "memory for a slice made of a frozenset".
	What string
	// Got is what there is or is claimed; for depth, the first level refused.
	Got   int64
	Limit int64
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: %d exceeds the limit of %d", e.What, e.Got, e.Limit)
}

// KindError tells that a typed read met a value of another kind. It is the
// cause of a [*DecodeError].
type KindError struct {
	Want, Got Kind
}

// Error implements error.
func (e *KindError) Error() string {
	return fmt.Sprintf("want %v, got %v", e.Want, e.Got)
}

// RangeError tells that an integer does not fit an int64. It is the cause of a
// [*DecodeError].
type RangeError struct {
	Value *big.Int
}

// Error implements error.
func (e *RangeError) Error() string {
	return fmt.Sprintf("integer of %d bits does not fit int64", e.Value.BitLen())
}

// DecodeError tells why and where decoding failed. The causes a caller may want
// to tell apart are reachable with errors.Is and errors.As:
// io.ErrUnexpectedEOF when the value is cut short, [ErrInvalidUTF8],
// [ErrIntSyntax], [*LimitError], [*KindError], [*RangeError] and [*UnknownTagError].
type DecodeError struct {
	Offset int   // of the tag byte of the value at fault, from the start of the data
	Err    error // the cause, never nil
}

// Error implements error.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("brine: at byte %d: %s", e.Offset, strings.TrimPrefix(e.Err.Error(), "brine: "))
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

var (
	errNotText      = errors.New("text is not made of a byte string")
	errNotIterable  = errors.New("value is not iterable")
	errSliceMembers = errors.New("slice is not made of exactly three items")
	errNotInteger   = errors.New("long is not made of a value with an integer form")
)

// Default limits, used wherever a field of [Limits] is zero.
const (
	// DefaultDepth keeps well below the roughly 490 nested tuples that CPython
	// can load with its default recursion limit.
	DefaultDepth = 300
	// DefaultDigits is CPython's own limit (sys.int_info.default_max_str_digits).
	DefaultDigits = 4300

	maxDepth = 10000 // keeps a generous caller from running out of stack
)

// Limits bounds what a [Cursor] decodes. The zero value means the defaults;
// there is no way to say "unlimited". Lengths and counts need no limit of their
// own: they are compared with the bytes that are left before any memory is
// taken, so memory stays within a fixed multiple of the size of the data.
type Limits struct {
	// Depth is how many containers (tuples, slices, frozensets, Python 2 longs)
	// may be nested. 0 means DefaultDepth; more than 10,000 means 10,000.
	Depth int
	// Digits is how many digits the text of an integer may have. Leading zeros
	// count; sign, surrounding whitespace and underscores do not, as in CPython.
	// 0 means DefaultDigits.
	Digits int
}

func (l Limits) withDefaults() Limits {
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	if l.Depth > maxDepth {
		l.Depth = maxDepth
	}
	if l.Digits <= 0 {
		l.Digits = DefaultDigits
	}
	return l
}
