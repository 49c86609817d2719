package pickle

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
)

// Limits bounds what a pickle may ask for. Zero fields mean the defaults; nothing is unlimited. Lengths need no limit
// of their own: they are compared with the bytes that are left before any memory is taken. Exceeding one is a
// [*DecodeError] whose cause is a *brine.LimitError that names both numbers.
type Limits struct {
	// Depth is how deep containers and objects may be nested. 0 means 1000.
	Depth int
	// Ops is how many opcodes a pickle may have, one for each value and some for each container. 0 means 16,777,216.
	Ops int
	// Containers is how many tuples, lists, dicts, sets and objects it may make. 0 means 2,097,152.
	Containers int
	// Expanded is how many values there may be if everything that is shared is counted at each of its places. A short
	// pickle can make a list of lists of lists with 2**60 of them, and a program that walks it would not end. Something
	// that contains itself is counted once. 0 means 67,108,864.
	Expanded int
	// Digits is how many digits an integer may have where it is written in decimal. 0 means 4300, as in CPython.
	Digits int
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Depth, 1000}, {&l.Ops, 1 << 24}, {&l.Containers, 1 << 21}, {&l.Expanded, 1 << 26},
		{&l.Digits, brine.DefaultDigits}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return l
}

// DecodeError tells why and where a pickle cannot be read.
type DecodeError struct {
	// Offset is the place of the opcode at fault; -1 if it is the pickle as a whole that makes no sense.
	Offset int
	// Err is the cause, never nil: io.ErrUnexpectedEOF if the pickle is cut short, a *brine.LimitError if it exceeds
	// one of [Limits], or another error that says what is wrong.
	Err error
}

// Error implements error.
func (e *DecodeError) Error() string {
	if e.Offset < 0 {
		return "pickle: " + e.Err.Error()
	}
	return fmt.Sprintf("pickle: at offset %d: %v", e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// UnsupportedTypeError tells that a Go value, or something inside it, cannot be pickled: a func or a channel for
// example.
type UnsupportedTypeError struct {
	Type reflect.Type
}

// Error implements error.
func (e *UnsupportedTypeError) Error() string { return fmt.Sprintf("cannot pickle Go %v", e.Type) }

// ErrProtocol is matched by the error of a pickle, or a wish for one, of a protocol above 5.
var ErrProtocol = errors.New("unsupported pickle protocol")

func limit[G, L int | int64](what string, got G, limit L) error {
	return &brine.LimitError{What: what, Got: int64(got), Limit: int64(limit)}
}
