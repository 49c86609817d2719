package netref

import (
	"math/big"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// ConvertError says that a value received from the peer does not fit the Go type it was to be converted to:
//
//	orders: result[3]["price"]: cannot use str as float64: 'cheap'
type ConvertError struct {
	// Name is the method or attribute the value is the result of; empty if it was not asked for by name.
	Name string
	// Path leads to the value inside a larger one, such as `[3]["price"]`; empty for the value itself.
	Path string
	// From is the value's Python type.
	From string
	// Value is the value itself if it is a number or a text of either kind, otherwise nil.
	Value any
	// To is the Go type.
	To reflect.Type
	// Reason is set if the type would do but the value does not, such as "out of range".
	Reason string

	// lacking is set if the object lacks an attribute, and not only keeps it from us.
	lacking bool
}

// Error implements error.
func (e *ConvertError) Error() string {
	to := e.To.String()
	if e.To == reflect.TypeFor[Object]() {
		to = "*" + to // nobody asked for what the pointer points to
	}
	s := "cannot use " + e.From + " as " + to
	if v := shortRepr(e.Value); v != "" {
		s += ": " + v
	}
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	if e.Path != "" {
		s = "result" + e.Path + ": " + s
	}
	if e.Name != "" {
		s = e.Name + ": " + s
	}
	return s
}

// As makes the error a TypeError where it reaches Python (see vinegar.FromError).
func (e *ConvertError) As(target any) bool {
	p, ok := target.(**vinegar.Error)
	if ok {
		*p = vinegar.TypeError.New(e.Error())
	}
	return ok
}

// named says what the value that could not be converted is the result of. Errors of other kinds are left alone.
func named(name string, err error) error {
	if e, ok := err.(*ConvertError); ok && e.Name == "" { // made just below, never wrapped
		c := *e
		c.Name = name
		return &c
	}
	return err
}

// within prefixes the path of a ConvertError with the way to where it happened.
func within(err error, path string) error {
	if e, ok := err.(*ConvertError); ok {
		c := *e
		c.Path = path + c.Path
		return &c
	}
	return err
}

// notFit is the error for a value that is no object of the peer's.
func notFit(v any, to reflect.Type, reason string) *ConvertError {
	e := &ConvertError{From: typeName(v), To: to, Reason: reason}
	switch v.(type) {
	case bool, int64, *big.Int, float64, complex128, string, []byte:
		e.Value = v
	}
	return e
}

// maxShown bounds how much of a value an error shows, in characters.
const maxShown = 60

// shortRepr is Python's repr of a scalar, cut off where it gets long; empty for everything else.
func shortRepr(v any) string {
	switch x := v.(type) {
	case bool, int64, float64, complex128:
	case *big.Int:
		if x.BitLen() > 4*maxShown {
			return ""
		}
	case string:
		if cut, ok := cutText(x); ok {
			return vinegar.Repr(cut) + "…"
		}
	case []byte:
		if len(x) > maxShown {
			return vinegar.Repr(x[:maxShown]) + "…"
		}
	default:
		return ""
	}
	return vinegar.Repr(v)
}

func cutText(s string) (string, bool) {
	n := 0
	for i := range s {
		if n == maxShown {
			return s[:i], true
		}
		n++
	}
	return s, false
}

// step is one step of the path to a value inside another.
type step struct {
	kind stepKind
	i    int
	name string
	key  any
	in   *Object // the object stepped into, if it is one
}

type stepKind int8

const (
	toIndex stepKind = iota
	toItem
	toKey // the key itself
	toAttr
)

func (s step) String() string {
	switch s.kind {
	case toIndex:
		return "[" + strconv.Itoa(s.i) + "]"
	case toAttr:
		return "." + s.name
	case toKey:
		return "[key " + keyText(s.key) + "]"
	}
	return "[" + keyText(s.key) + "]"
}

func keyText(key any) string {
	if s, ok := key.(string); ok {
		if cut, long := cutText(s); long || !utf8.ValidString(s) {
			return strconv.Quote(cut) + "…"
		}
		return strconv.Quote(s)
	}
	if t := shortRepr(key); t != "" {
		return t
	}
	switch k := key.(type) {
	case *Object:
		return k.String()
	case brine.Tuple:
		if len(k) > 8 {
			return "tuple"
		}
	case brine.FrozenSet:
		return "frozenset"
	}
	text := vinegar.Repr(key)
	if cut, long := cutText(text); long {
		return cut + "…"
	}
	return text
}
