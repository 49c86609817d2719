// Package pyvalue knows what CPython says of plain values, which are those that package brine carries: whether one is
// true, what it equals, its hash, type name and repr, arithmetic, what int() and float() make of a text, how literals
// are written, and how a value is put into a Go variable. It knows nothing of objects at the other end of a connection.
//
// A plain value is one in the forms that brine decodes to: nil, bool, int64, *big.Int, float64, complex128, string,
// []byte, brine.Tuple, brine.FrozenSet, brine.Slice, brine.Ellipsis and brine.NotImplemented. Values inside tuples,
// sets and slices need not be plain; what a function does with those, it says. A *big.Int must not be nil. [FromGo]
// brings Go's other numbers and texts into these forms.
//
// What is said is compared with CPython's own answers in testdata.
package pyvalue

import "fmt"

// Error is an exception that CPython raises. Package vinegar makes a Python exception of it (vinegar.FromError).
type Error struct {
	Class string // the name of a builtin class, such as "ZeroDivisionError"
	Args  []any
}

// Error returns the class and the message.
func (e *Error) Error() string {
	if len(e.Args) == 0 {
		return e.Class
	}
	return fmt.Sprint(e.Class, ": ", e.Args[len(e.Args)-1])
}

func raise(class, format string, args ...any) error {
	return &Error{Class: class, Args: []any{fmt.Sprintf(format, args...)}}
}
