package vinegar

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/gorpyc/gorpyc/brine"
)

// sentinels are the Go errors that an exception of certain classes is.
var sentinels = []struct {
	target  error
	classes []*Class
}{
	{context.DeadlineExceeded, timeouts},
	{os.ErrDeadlineExceeded, timeouts},
	{context.Canceled, []*Class{CancelledError, asyncioCancelled}},
	{io.EOF, []*Class{EOFError}},
	{io.ErrUnexpectedEOF, []*Class{incompleteRead}},
	{io.ErrClosedPipe, []*Class{BrokenPipeError}},
	{fs.ErrNotExist, []*Class{FileNotFoundError}},
	{fs.ErrExist, []*Class{FileExistsError}},
	{fs.ErrPermission, []*Class{PermissionError}},
	{errors.ErrUnsupported, []*Class{NotImplementedError, UnsupportedOperation}},
}

// Is reports whether the exception is what target names. errors.Is calls it.
//
//   - A [*Class]: the exception is an instance of it.
//   - One of Go's own errors in the package's table, such as fs.ErrNotExist,
//     io.EOF or context.DeadlineExceeded: the exception is of the corresponding
//     class, or an OSError with a corresponding errno.
//   - A syscall.Errno: an OSError with that errno, or of the class that
//     CPython uses for that errno only. Numbers are those of the system
//     where the exception was raised; classes are the same everywhere.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	c := e.class()
	switch t := target.(type) {
	case *Class:
		return c.IsSubclass(t)
	case *Error:
		return false // errors.Is has compared the pointers
	case syscall.Errno:
		return e.hasErrno(t)
	}
	for _, s := range sentinels {
		if s.target == target && c.isAny(s.classes) {
			return true
		}
	}
	if num, ok := e.errno(); ok {
		return num.Is(target)
	}
	return false
}

// As gives the exception as a syscall.Errno or as an *fs.PathError, if it is an
// OSError with an errno or with a file name. errors.As calls it. The Op of the
// PathError is "remote" because Python does not say what was attempted.
func (e *Error) As(target any) bool {
	if e == nil {
		return false
	}
	switch t := target.(type) {
	case *syscall.Errno:
		num, ok := e.errno()
		if ok {
			*t = num
		}
		return ok
	case **fs.PathError:
		name, ok := e.attr("filename").(string)
		if !ok || !e.class().IsSubclass(OSError) {
			return false
		}
		err := error(e.class().New(e.Args...))
		if num, ok := e.errno(); ok {
			err = num
		}
		*t = &fs.PathError{Op: "remote", Path: name, Err: err}
		return true
	}
	return false
}

// errno returns the error number of an OSError.
func (e *Error) errno() (syscall.Errno, bool) {
	if !e.class().IsSubclass(OSError) {
		return 0, false
	}
	v := e.attr("errno")
	if v == nil && len(e.Args) == 2 {
		v = e.Args[0]
	}
	num, ok := asInt(v)
	if !ok || num <= 0 || num > 1<<31-1 {
		return 0, false
	}
	return syscall.Errno(num), true
}

func (e *Error) hasErrno(want syscall.Errno) bool {
	num, known := e.errno()
	if known && num == want {
		return true
	}
	c := classOfErrno(int64(want))
	return c != nil && e.class().IsSubclass(c) && (!known || soleErrno(c))
}

// brineClass classifies the errors of package brine; nil for all others.
func brineClass(err error) *Class {
	switch err.(type) {
	case *brine.UnsupportedTypeError:
		return TypeError
	case *brine.LimitError:
		return OverflowError
	case *brine.DecodeError:
		return ValueError
	}
	if err == brine.ErrInvalidUTF8 {
		return UnicodeError
	}
	return nil
}
