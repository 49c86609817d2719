package vinegar

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// maxWalk bounds how many errors of a tree are looked at. Trees can be circular.
const maxWalk = 100

// FromError returns the Python exception that a Go error is. It returns nil for
// nil.
//
// The error's tree is searched from the outside in. An [*Error] anywhere in it,
// or an error whose As method gives one, is the answer: as it stands if it is err
// itself, otherwise as a copy that has err's text as a note. This is how error
// types of one's own choose their class. Otherwise the first error with an entry
// in the package's table decides, and a [RuntimeError] is what is left. Errors
// of the operating system get errno, strerror and file name; all others have
// err's text as their only argument, and what err wraps as their cause.
//
// FromError does not change err, and panics of its methods do not escape.
func FromError(err error) (e *Error) {
	if err == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			e = RuntimeError.New(errorText(err))
		}
	}()
	if e, ok := err.(*Error); ok && e != nil {
		return e
	}
	nodes := tree(err)
	for i, node := range nodes {
		if inner := asException(node); inner != nil {
			return annotated(inner.clone(), i, err)
		}
	}
	for i, node := range nodes {
		if c, ok := node.(*Class); ok && c != nil {
			return annotated(c.New(), i, err)
		}
		if e := fromSystem(node); e != nil {
			e.file = slices.ContainsFunc(nodes[:i+1], ofFile)
			return annotated(e, i, err)
		}
		if c := classOfGo(node); c != nil {
			return worded(c, err)
		}
	}
	for _, node := range nodes {
		if c := vagueClassOfGo(node); c != nil {
			return worded(c, err)
		}
	}
	return worded(RuntimeError, err)
}

// worded returns an exception that says what err says.
func worded(c *Class, err error) *Error {
	return &Error{Class: c, Args: []any{errorText(err)}, cause: causeOf(err)}
}

// annotated adds the text of err as a note, if e stands not for err but for
// something inside it.
func annotated(e *Error, index int, err error) *Error {
	if index > 0 {
		e.Notes = append(e.Notes, errorText(err))
	}
	return e
}

// tree lists err and what it wraps, each error before those inside it.
func tree(err error) []error {
	nodes := []error{err}
	for i := 0; i < len(nodes) && len(nodes) < maxWalk; i++ {
		var inner []error
		switch u := nodes[i].(type) {
		case interface{ Unwrap() error }:
			if c := u.Unwrap(); c != nil {
				inner = []error{c}
			}
		case interface{ Unwrap() []error }:
			for _, c := range u.Unwrap() {
				if c != nil {
					inner = append(inner, c)
				}
			}
		}
		// Depth first, as errors.Is goes.
		if len(inner) > 0 {
			nodes = append(nodes[:i+1], append(inner, nodes[i+1:]...)...)
		}
	}
	return nodes
}

func asException(node error) *Error {
	switch e := node.(type) {
	case *Error:
		return e
	case *pyvalue.Error:
		if c, ok := Lookup("builtins", e.Class); ok {
			return c.New(e.Args...)
		}
	}
	var e *Error
	if a, ok := node.(interface{ As(any) bool }); ok && a.As(&e) {
		return e
	}
	return nil
}

// fromSystem translates errors that come with an error number or are Go's words
// for one.
func fromSystem(node error) *Error {
	var cause error
	var names []string
	switch n := node.(type) {
	case *fs.PathError:
		cause, names = n.Err, []string{n.Path}
	case *os.LinkError:
		cause, names = n.Err, []string{n.Old, n.New}
	case *os.SyscallError:
		cause = n.Err
	default:
		cause = node
	}
	num, text, ok := errnoOf(cause)
	if !ok {
		return nil
	}
	e := OSError.New(num, text)
	for i, name := range names {
		e.With([...]string{"filename", "filename2"}[i], name)
	}
	return e
}

// ofFile reports whether an error is one of those that Python 2 gives as an IOError: those of files and sockets. Those
// of the functions in its module os, such as stat and mkdir, are OSErrors there, too.
func ofFile(err error) bool {
	switch err := err.(type) {
	case *net.OpError:
		return true
	case *fs.PathError:
		switch err.Op {
		case "open", "read", "write", "close", "seek", "truncate", "sync":
			return true
		}
	}
	return false
}

func errnoOf(err error) (num int64, text string, ok bool) {
	if n, ok := err.(syscall.Errno); ok && n != 0 {
		return int64(n), strerror(n), true
	}
	switch err { // these numbers are the same on all systems
	case fs.ErrNotExist:
		return 2, "No such file or directory", true
	case fs.ErrExist:
		return 17, "File exists", true
	case fs.ErrPermission:
		return 13, "Permission denied", true
	case net.ErrClosed:
		return 9, "Bad file descriptor", true
	}
	return 0, "", false
}

// goClasses names the class for single Go errors. The arrow back, where there is
// one, is in the table named sentinels.
var goClasses = []struct {
	err   error
	class *Class
}{
	{context.DeadlineExceeded, TimeoutError},
	{os.ErrDeadlineExceeded, TimeoutError},
	{context.Canceled, CancelledError},
	{io.EOF, EOFError},
	{io.ErrUnexpectedEOF, EOFError},
	{io.ErrClosedPipe, BrokenPipeError},
	{fs.ErrNotExist, FileNotFoundError},
	{fs.ErrExist, FileExistsError},
	{fs.ErrPermission, PermissionError},
	{fs.ErrClosed, ValueError}, // "I/O operation on closed file"
	{fs.ErrInvalid, ValueError},
	{strconv.ErrSyntax, ValueError},
	{strconv.ErrRange, OverflowError},
	{errors.ErrUnsupported, NotImplementedError},
}

func classOfGo(node error) *Class {
	is, _ := node.(interface{ Is(error) bool })
	for _, g := range goClasses {
		if sameError(node, g.err) || is != nil && is.Is(g.err) {
			return g.class
		}
	}
	if c := brineClass(node); c != nil {
		return c
	}
	switch n := node.(type) {
	case runtime.Error:
		c, _ := runtimeClass(n)
		return c
	case *json.SyntaxError, *json.UnmarshalTypeError, *json.UnsupportedValueError,
		hex.InvalidByteError, base64.CorruptInputError, *time.ParseError,
		*net.ParseError, *net.AddrError:
		return ValueError
	case *json.UnsupportedTypeError, *json.InvalidUnmarshalError, *reflect.ValueError:
		return TypeError
	}
	if sameError(node, hex.ErrLength) {
		return ValueError
	}
	return nil
}

// vagueClassOfGo classifies errors of which nothing better is known.
func vagueClassOfGo(node error) *Class {
	if t, ok := node.(interface{ Timeout() bool }); ok && t.Timeout() {
		return TimeoutError
	}
	switch node.(type) {
	case *fs.PathError, *os.LinkError, *os.SyscallError, net.Error:
		return OSError
	}
	return nil
}

// sameError compares errors of which one may not be comparable.
func sameError(a, b error) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}

// errorText returns err's text whatever its methods do.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("<unprintable %T>", err)
		}
	}()
	if err == nil {
		return "<nil>"
	}
	return err.Error()
}
