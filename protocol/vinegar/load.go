package vinegar

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// PayloadError tells that an exception payload does not have one of the shapes
// RPyC sends, or is no valid brine; then Err is the error of package brine.
type PayloadError struct {
	Reason string
	Err    error
}

// Error implements error.
func (e *PayloadError) Error() string {
	if e.Err != nil {
		return "vinegar: malformed exception payload: " + e.Err.Error()
	}
	return "vinegar: malformed exception payload: " + e.Reason
}

// Unwrap returns the error of package brine, if that was the cause.
func (e *PayloadError) Unwrap() error { return e.Err }

func malformed(format string, a ...any) (*Error, error) {
	return nil, &PayloadError{Reason: fmt.Sprintf(format, a...)}
}

// maxSplit bounds the arguments made of one text or bytes value: each
// character becomes a value of its own, many times its size.
const maxSplit = 4096

// DecodePayload reads the payload of an exception message, which is one brine
// value. It is rpyc.core.vinegar.load, and accepts what that accepts:
//
//   - the number 1, in any numeric type: StopIteration;
//   - text: a string exception of ancient Python, given as a [GenericException]
//     with the text as its argument;
//   - ((module, class), args, attributes, traceback): everything else. Names
//     and the traceback may be bytes, which Python 2 sends; then bytes among
//     arguments and attributes become text, too, if they are UTF-8. args may be any iterable
//     value. The traceback may be None, and is kept as its repr if it is no text.
//
// Classes are found as described at [NewClass]. All attributes are kept,
// including _remote_version; where RPyC refuses an attribute because of its
// value, this does not. Nothing is imported, executed or instantiated.
//
// The error is a [*PayloadError]; when it reports bad brine the cursor has not
// moved, otherwise it is behind the value.
func DecodePayload(c *brine.Cursor) (*Error, error) {
	v, err := c.Value()
	if err != nil {
		return nil, &PayloadError{Err: err}
	}
	if one, _ := pyvalue.Equal(v, int64(1)); one {
		return &Error{Class: StopIteration, remote: true}, nil
	}
	if s, ok := v.(string); ok {
		return &Error{Class: GenericException, Args: []any{s}, remote: true}, nil
	}
	fields, ok := v.(brine.Tuple)
	if !ok {
		return malformed("a value of type %T is no exception", v)
	}
	if len(fields) != 4 {
		return malformed("%d fields, want 4", len(fields))
	}
	e := &Error{remote: true}
	name, ok := fields[0].(brine.Tuple)
	if !ok || len(name) != 2 {
		return malformed("the class is no pair of module and name")
	}
	module, ok1 := asText(name[0])
	class, ok2 := asText(name[1])
	if !ok1 || !ok2 {
		return malformed("the class is not named by text")
	}
	e.Class = received(module, class)
	e.file = class == "IOError" // of Python 2, where it is another class than OSError
	if e.Args, ok = iterate(fields[1]); !ok {
		return malformed("the arguments are not iterable or too long")
	}
	if e.Attrs, ok = attributes(fields[2]); !ok {
		return malformed("the attributes are not pairs of name and value")
	}
	if _, python2 := name[0].([]byte); python2 {
		bytesToText(e)
	}
	if e.Traceback, ok = asText(fields[3]); !ok && fields[3] != nil {
		e.Traceback = Repr(fields[3])
	}
	return e, nil
}

// bytesToText makes arguments and attributes that are UTF-8 in bytes, the usual texts of Python 2, text.
func bytesToText(e *Error) {
	e.Args = slices.Clone(e.Args)
	for i := range e.Args {
		if s, ok := asText(e.Args[i]); ok {
			e.Args[i] = s
		}
	}
	for i := range e.Attrs {
		if s, ok := asText(e.Attrs[i].Value); ok {
			e.Attrs[i].Value = s
		}
	}
}

// asText accepts text, and bytes that hold UTF-8.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), utf8.Valid(v)
	}
	return "", false
}

// iterate gives the items of a value that Python can iterate over.
func iterate(v any) ([]any, bool) {
	switch v := v.(type) {
	case string:
		if len(v) > maxSplit {
			return nil, false
		}
	case []byte:
		if len(v) > maxSplit {
			return nil, false
		}
	}
	return pyvalue.Items(v)
}

func attributes(v any) ([]Attr, bool) {
	items, ok := iterate(v)
	if !ok {
		return nil, false
	}
	attrs := make([]Attr, 0, len(items))
	for _, item := range items {
		pair, ok := item.(brine.Tuple)
		if !ok || len(pair) != 2 {
			return nil, false
		}
		name, ok := asText(pair[0])
		if !ok {
			return nil, false
		}
		attrs = append(attrs, Attr{name, pair[1]})
	}
	return attrs, true
}

// Described returns the exception that a peer holds and has not raised: of the class with that full name, with the
// arguments, and with text as its message whatever the class and the arguments say. It is meant for the conversion of
// objects. The class is found as that of a received exception is.
func Described(qualified string, args []any, text string) *Error {
	e := ClassNamed(qualified).New(args...)
	if text != e.Message() {
		e.text = &text
	}
	return e
}

// ClassNamed returns the class that a peer's exception class of that full name is here, as it would be for a received
// exception: a registered one, or one derived from [GenericException] that is made for the name.
func ClassNamed(qualified string) *Class {
	module, name := "builtins", qualified
	if i := strings.LastIndexByte(qualified, '.'); i >= 0 {
		module, name = qualified[:i], qualified[i+1:]
	}
	return received(module, name)
}
