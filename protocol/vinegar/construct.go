package vinegar

import (
	"fmt"

	"github.com/gorpyc/gorpyc/brine"
)

// The functions here do what the constructors of CPython's exception classes do
// besides keeping their arguments. A peer creates the exception without running
// the constructor, so what it would set has to be sent as attributes.

// setupOSError handles OSError(errno, strerror[, filename[, winerror[, filename2]]]).
func setupOSError(e *Error) {
	n := len(e.Args)
	if n < 2 || n > 5 {
		return
	}
	errno, strerror := e.Args[0], e.Args[1]
	if num, ok := asInt(errno); ok && e.Class == OSError {
		if c := classOfErrno(num); c != nil {
			e.Class = c
		}
	}
	e.With("errno", errno).With("strerror", strerror)
	if n == 2 || e.Args[2] == nil {
		return
	}
	if written, ok := asInt(e.Args[2]); ok && e.Class == BlockingIOError {
		e.With("characters_written", written)
		return
	}
	e.With("filename", e.Args[2])
	if n == 5 && e.Args[4] != nil {
		e.With("filename2", e.Args[4])
	}
	e.Args = e.Args[:2]
}

func setupSystemExit(e *Error) {
	switch len(e.Args) {
	case 0:
	case 1:
		e.With("code", e.Args[0])
	default:
		e.With("code", brine.Tuple(e.Args))
	}
}

func setupStopIteration(e *Error) {
	if len(e.Args) > 0 {
		e.With("value", e.Args[0])
	}
}

func setupImportError(e *Error) {
	if len(e.Args) == 1 {
		e.With("msg", e.Args[0])
	}
}

// setupSyntaxError handles
// SyntaxError(msg, (filename, lineno, offset, text[, end_lineno, end_offset])).
func setupSyntaxError(e *Error) {
	if len(e.Args) > 0 {
		e.With("msg", e.Args[0])
	}
	if len(e.Args) != 2 {
		return
	}
	place, ok := e.Args[1].(brine.Tuple)
	if !ok || len(place) != 4 && len(place) != 6 {
		return
	}
	names := [...]string{"filename", "lineno", "offset", "text", "end_lineno", "end_offset"}
	for i, v := range place {
		e.With(names[i], v)
	}
}

func setupUnicodeCodec(e *Error) {
	e.name("encoding", "object", "start", "end", "reason")
}

func setupUnicodeTranslate(e *Error) {
	e.name("object", "start", "end", "reason")
}

// name makes attributes of the arguments, if there are exactly as many.
func (e *Error) name(names ...string) {
	if len(e.Args) != len(names) {
		return
	}
	for i, n := range names {
		e.With(n, e.Args[i])
	}
}

// setupJSONDecodeError handles JSONDecodeError(msg, doc, pos). Positions count
// characters.
func setupJSONDecodeError(e *Error) {
	if len(e.Args) != 3 {
		return
	}
	msg, ok1 := e.Args[0].(string)
	doc, ok2 := e.Args[1].(string)
	pos, ok3 := asInt(e.Args[2])
	if !ok1 || !ok2 || !ok3 || pos < 0 {
		return
	}
	line, column, at := int64(1), pos+1, int64(0)
	for _, r := range doc {
		if at == pos {
			break
		}
		at++
		if r == '\n' {
			line++
			column = pos - at + 1
		}
	}
	e.Args = []any{fmt.Sprintf("%s: line %d column %d (char %d)", msg, line, column, pos)}
	e.With("msg", msg).With("doc", doc).With("pos", pos).With("lineno", line).With("colno", column)
}
