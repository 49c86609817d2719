package vinegar

import (
	"slices"
	"strings"
)

// Attr is an attribute of an exception.
type Attr struct {
	Name  string
	Value any
}

// Error is a Python exception: one that a peer sent or one of ours that a peer
// shall see. [Class.New] makes them; the zero value is a plain Exception.
//
// It is an error. errors.Is takes a [*Class] as its target and many Go sentinels,
// see [Error.Is].
//
// Changing an Error while another goroutine uses it is a race, as with any
// struct. The package itself never changes one that it was given.
type Error struct {
	// Class is the exception's class. nil means Exception.
	Class *Class
	// Args are the positional arguments, Python's args. Values of a received
	// exception have the forms of package brine.
	Args []any
	// Attrs are the attributes besides args, in no particular order. Names that
	// begin with "_" are never sent.
	Attrs []Attr
	// Traceback of a received exception is the text that the peer sent. If
	// it is set on an exception of ours, it is sent as it stands in place of the
	// text that Frames, Notes and the cause would give.
	Traceback string
	// Frames say where the exception comes from, outermost first, as in a Python
	// traceback.
	Frames []Frame
	// Notes are lines that follow the message in the traceback text, as those
	// of add_note in Python 3.11 do.
	Notes []string

	cause  error
	remote bool    // came from a peer: Traceback is the earlier part of the story
	panic  *any    // what FromPanic was given
	file   bool    // of an open file, or one that was to be opened: Python 2 has another class for it
	text   *string // what the peer's str() says, of an exception that came as an object
}

var _ error = (*Error)(nil)

func (e *Error) class() *Class {
	if e.Class == nil {
		return Exception
	}
	return e.Class
}

// Error returns what CPython prints on the last line of a traceback:
// "ValueError: bad value", "KeyError: 'x'", "FileNotFoundError: [Errno 2] No such
// file or directory: '/x'", or the bare class name if the message is empty. The
// text of a received exception does not include its remote traceback. If the
// exception's class prints it in a way of its own, the text is the one that the
// peer printed at the end of the traceback.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.line(reprer{})
}

// Message returns Python's str(exception): [Error.Error] without the class.
func (e *Error) Message() string {
	if e == nil {
		return ""
	}
	return e.message(reprer{})
}

// MessageWith is [Error.Message] with functions of the caller's for arguments that brine cannot carry: str makes the
// text of one that stands alone, repr that of one among others. They may panic.
func (e *Error) MessageWith(str, repr func(any) string) string {
	if e == nil {
		return ""
	}
	return e.message(reprer{other: repr, otherStr: str})
}

func (e *Error) line(r reprer) string {
	if m := e.message(r); m != "" {
		return e.class().String() + ": " + m
	}
	return e.class().String()
}

// Remote reports whether a peer sent the exception.
func (e *Error) Remote() bool { return e != nil && e.remote }

// Attr returns the value of an attribute.
func (e *Error) Attr(name string) (any, bool) {
	if e == nil {
		return nil, false
	}
	// The last one counts, as it does for a Python peer.
	for _, a := range slices.Backward(e.Attrs) {
		if a.Name == name {
			return a.Value, true
		}
	}
	return nil, false
}

// attr returns the value of an attribute, nil if it is not set.
func (e *Error) attr(name string) any {
	v, _ := e.Attr(name)
	return v
}

// With sets an attribute and returns e, for use in a chain.
func (e *Error) With(name string, value any) *Error {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name {
			e.Attrs[i].Value = value
			return e
		}
	}
	e.Attrs = append(e.Attrs, Attr{name, value})
	return e
}

// From sets the exception's cause and returns e: Python's "raise e from cause".
// The cause is not sent as a value; the traceback text shows it.
func (e *Error) From(cause error) *Error {
	e.cause = cause
	return e
}

// Unwrap returns the cause, nil if there is none. Received exceptions have none:
// their causes are part of the traceback text.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.cause
}

// Timeout reports whether the exception says that time was up. It makes
// os.IsTimeout work.
func (e *Error) Timeout() bool { return e != nil && e.class().isAny(timeouts) }

// clone returns a copy whose own fields can be changed without changing e.
func (e *Error) clone() *Error {
	c := *e
	c.Args = slices.Clone(e.Args)
	c.Attrs = slices.Clone(e.Attrs)
	c.Frames = slices.Clone(e.Frames)
	c.Notes = slices.Clone(e.Notes)
	return &c
}

// causeList is the cause of an exception that stands for several joined errors.
type causeList []error

func (l causeList) Error() string {
	texts := make([]string, len(l))
	for i, err := range l {
		texts[i] = errorText(err)
	}
	return strings.Join(texts, "\n")
}

func (l causeList) Unwrap() []error { return l }

// causeOf returns what err wraps, nil if nothing.
func causeOf(err error) error {
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		return u.Unwrap()
	case interface{ Unwrap() []error }:
		switch errs := u.Unwrap(); len(errs) {
		case 0:
		case 1:
			return errs[0]
		default:
			return causeList(errs)
		}
	}
	return nil
}
