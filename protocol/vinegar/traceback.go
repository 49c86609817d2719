package vinegar

import (
	"strconv"
	"strings"
)

// Frame is one line of a traceback: a place in a source file and the function it
// belongs to.
type Frame struct {
	File string
	Line int
	Func string
}

const (
	tracebackHead  = "Traceback (most recent call last):\n"
	causeSeparator = "\nThe above exception was the direct cause of the following exception:\n\n"

	// The markers between a message and the traceback that a peer sent; RPyC
	// counts them to number the next one.
	remoteStart = "\n\n========= Remote Traceback "
	remoteEnd   = " =========\n"

	// maxCauses bounds the cause blocks of one text. Chains can be circular.
	maxCauses = 16
)

// FormatTraceback returns the text that a Python programmer expects for the
// exception: the causes first, each introduced by its own frames, then the
// frames, the line [Error.Error] returns and the notes.
//
// The text that came with a received exception follows behind a line
// "========= Remote Traceback (n) =========". n counts the peers the exception
// has passed through as RPyC does it: one more than the number of such lines in
// the received text. (Where CPython shows the name of a helper class of RPyC
// in a received exception, "_get_exception_class.<locals>.Derived", this shows
// the class itself.)
//
// [AppendPayload] sends this text.
func (e *Error) FormatTraceback() string {
	if e == nil {
		return ""
	}
	return e.traceback(nil, reprer{})
}

func (e *Error) traceback(outer []Frame, r reprer) string {
	budget := maxCauses
	return string(e.appendTraceback(nil, outer, r, &budget))
}

func (e *Error) appendTraceback(b []byte, outer []Frame, r reprer, budget *int) []byte {
	if e.Traceback != "" && !e.remote {
		return append(b, e.Traceback...)
	}
	for _, cause := range e.causes() {
		if *budget--; *budget < 0 {
			break
		}
		if ce := FromError(cause); ce != nil {
			b = append(ce.appendTraceback(b, nil, r, budget), causeSeparator...)
		}
	}
	b = append(b, tracebackHead...)
	b = appendFrames(b, outer)
	b = appendFrames(b, e.Frames)
	if e.remote {
		b = append(b, e.class().String()...)
		b = append(b, ": "...)
		b = append(b, e.message(r)...)
		b = append(b, remoteStart...)
		b = append(b, '(')
		b = strconv.AppendInt(b, int64(strings.Count(e.Traceback, remoteStart)+1), 10)
		b = append(b, ')')
		b = append(b, remoteEnd...)
		b = append(b, e.Traceback...)
	} else {
		b = append(b, e.line(r)...)
	}
	b = append(b, '\n')
	for _, note := range e.Notes {
		b = append(append(b, note...), '\n')
	}
	return b
}

func (e *Error) causes() []error {
	switch c := e.cause.(type) {
	case nil:
		return nil
	case causeList:
		return c
	}
	return []error{e.cause}
}

func appendFrames(b []byte, frames []Frame) []byte {
	for _, f := range frames {
		b = append(b, `  File "`...)
		b = append(b, f.File...)
		b = append(b, `", line `...)
		b = strconv.AppendInt(b, int64(f.Line), 10)
		b = append(b, ", in "...)
		b = append(b, f.Func...)
		b = append(b, '\n')
	}
	return b
}
