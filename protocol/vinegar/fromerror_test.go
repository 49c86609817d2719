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
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// ownError chooses its class by its As method.
type ownError struct{ code int }

func (e ownError) Error() string { return "own error" }

func (e ownError) As(target any) bool {
	if t, ok := target.(**Error); ok {
		*t = KeyError.New(e.code)
		return true
	}
	return false
}

type timeoutError struct{ yes bool }

func (timeoutError) Error() string   { return "slow" }
func (e timeoutError) Timeout() bool { return e.yes }

type isError struct{ target error }

func (isError) Error() string             { return "is" }
func (e isError) Is(target error) bool    { return target == e.target }
func (e isError) Unwrap() error           { return nil }
func errorOf[T any](_ T, err error) error { return err }

func TestFromError(t *testing.T) {
	var target int
	missing := filepath.Join(t.TempDir(), "missing")
	for _, row := range []struct {
		err   error
		class *Class
		text  string // of the message
		note  string
	}{
		{ValueError.New("x"), ValueError, "x", ""},
		{fmt.Errorf("more: %w", ValueError.New("x")), ValueError, "x", "more: ValueError: x"},
		{errors.Join(io.EOF, KeyError.New("k")), KeyError, "'k'", "EOF\nKeyError: 'k'"},
		{IndexError, IndexError, "", ""},
		{fmt.Errorf("more: %w", IndexError), IndexError, "", "more: IndexError"},
		{ownError{7}, KeyError, "7", ""},
		{fmt.Errorf("more: %w", ownError{7}), KeyError, "7", "more: own error"},

		{errorOf(os.Open(missing)), FileNotFoundError, "[Errno 2] No such file or directory: " + Repr(missing), ""},
		{fmt.Errorf("load: %w", errorOf(os.Open(missing))), FileNotFoundError,
			"[Errno 2] No such file or directory: " + Repr(missing), "load: open " + missing + ": no such file or directory"},
		{os.Rename(missing, missing+"2"), FileNotFoundError,
			"[Errno 2] No such file or directory: " + Repr(missing) + " -> " + Repr(missing+"2"), ""},
		{fs.ErrNotExist, FileNotFoundError, "[Errno 2] No such file or directory", ""},
		{fs.ErrExist, FileExistsError, "[Errno 17] File exists", ""},
		{fs.ErrPermission, PermissionError, "[Errno 13] Permission denied", ""},
		{&fs.PathError{Op: "open", Path: "p", Err: fs.ErrNotExist}, FileNotFoundError,
			"[Errno 2] No such file or directory: 'p'", ""},
		{&fs.PathError{Op: "open", Path: "p", Err: errors.New("odd")}, OSError, "open p: odd", ""},
		{&fs.PathError{Op: "open", Path: "p", Err: fs.ErrClosed}, ValueError, "open p: file already closed", ""},
		{&os.LinkError{Op: "link", Old: "a", New: "b", Err: errors.New("odd")}, OSError, "link a b: odd", ""},
		{isError{fs.ErrNotExist}, FileNotFoundError, "is", ""},
		{isError{context.Canceled}, CancelledError, "is", ""},
		{syscall.ECONNREFUSED, ConnectionRefusedError, fmt.Sprintf("[Errno %d] Connection refused",
			int(syscall.ECONNREFUSED)), ""},
		{os.NewSyscallError("read", syscall.EPIPE), BrokenPipeError,
			fmt.Sprintf("[Errno %d] Broken pipe", int(syscall.EPIPE)), ""},
		{syscall.ENOSPC, OSError, fmt.Sprintf("[Errno %d] No space left on device", int(syscall.ENOSPC)), ""},
		{syscall.Errno(0), OSError, syscall.Errno(0).Error(), ""},
		{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
			ConnectionRefusedError,
			fmt.Sprintf("[Errno %d] Connection refused", int(syscall.ECONNREFUSED)), "dial tcp: connect: connection refused"},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, ConnectionResetError,
			fmt.Sprintf("[Errno %d] Connection reset by peer", int(syscall.ECONNRESET)),
			"read tcp: read: connection reset by peer"},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, TimeoutError, "read tcp: i/o timeout", ""},
		{&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("odd")}, OSError, "dial tcp: odd", ""},
		{&net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}, OSError, "[Errno 9] Bad file descriptor",
			"read tcp: use of closed network connection"},
		{&net.DNSError{Err: "no such host", Name: "x"}, OSError, "lookup x: no such host", ""},
		{&net.DNSError{Err: "slow", Name: "x", IsTimeout: true}, TimeoutError, "lookup x: slow", ""},
		{&net.AddrError{Err: "bad", Addr: "x"}, ValueError, "address x: bad", ""},

		{context.DeadlineExceeded, TimeoutError, "context deadline exceeded", ""},
		{os.ErrDeadlineExceeded, TimeoutError, "i/o timeout", ""},
		{timeoutError{true}, TimeoutError, "slow", ""},
		{timeoutError{false}, RuntimeError, "slow", ""},
		{fmt.Errorf("call: %w", context.DeadlineExceeded), TimeoutError, "call: context deadline exceeded", ""},
		{context.Canceled, CancelledError, "context canceled", ""},
		{io.EOF, EOFError, "EOF", ""},
		{io.ErrUnexpectedEOF, EOFError, "unexpected EOF", ""},
		{io.ErrClosedPipe, BrokenPipeError, "io: read/write on closed pipe", ""},
		{fs.ErrClosed, ValueError, "file already closed", ""},
		{fs.ErrInvalid, ValueError, "invalid argument", ""},
		{errors.ErrUnsupported, NotImplementedError, "unsupported operation", ""},

		{errorOf(strconv.Atoi("x")), ValueError, `strconv.Atoi: parsing "x": invalid syntax`, ""},
		{errorOf(strconv.ParseInt("999", 10, 8)), OverflowError, `strconv.ParseInt: parsing "999": value out of range`, ""},
		{json.Unmarshal([]byte("{"), &target), ValueError, "unexpected end of JSON input", ""},
		{json.Unmarshal([]byte(`"x"`), &target), ValueError, "json: cannot unmarshal string into Go value of type int", ""},
		{&json.InvalidUnmarshalError{}, TypeError, "json: Unmarshal(nil)", ""},
		{errorOf(json.Marshal(func() {})), TypeError, "json: unsupported type: func()", ""},
		{errorOf(hex.DecodeString("x")), ValueError, "encoding/hex: invalid byte: U+0078 'x'", ""},
		{errorOf(hex.DecodeString("0")), ValueError, "encoding/hex: odd length hex string", ""},
		{errorOf(base64.StdEncoding.DecodeString("?")), ValueError, "illegal base64 data at input byte 0", ""},
		{errorOf(time.Parse(time.RFC3339, "x")), ValueError,
			`parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`, ""},
		{&reflect.ValueError{Method: "M"}, TypeError, "reflect: call of M on zero Value", ""},

		{errorOf(brine.Marshal([]int{})), TypeError, "brine: cannot dump a value of type []int", ""},
		{errorOf(brine.Marshal("\xff")), UnicodeError, "brine: invalid UTF-8", ""},
		{errorOf(brine.Marshal(huge)), OverflowError, errorOf(brine.Marshal(huge)).Error(), ""},
		{errorOf(brine.Unmarshal(nil)), ValueError, errorOf(brine.Unmarshal(nil)).Error(), ""},

		{errors.New("plain"), RuntimeError, "plain", ""},
		{errors.New(""), RuntimeError, "", ""},
		{errors.Join(errors.New("a"), io.EOF), EOFError, "a\nEOF", ""},
	} {
		require.Error(t, row.err)
		e := FromError(row.err)
		require.Equal(t, row.class.String(), e.Class.String(), "%v", row.err)
		require.Equal(t, row.text, e.Message())
		if row.note == "" {
			require.Empty(t, e.Notes)
		} else {
			require.Equal(t, []string{row.note}, e.Notes)
		}
	}
}

func TestFromErrorKeepsWhatItIsGiven(t *testing.T) {
	require.Nil(t, FromError(nil))
	e := ValueError.New("x")
	require.Same(t, e, FromError(e))
	wrapped := FromError(fmt.Errorf("more: %w", e))
	require.NotSame(t, e, wrapped)
	require.Empty(t, e.Notes)
	require.Equal(t, "Traceback (most recent call last):\nValueError: x\nmore: ValueError: x\n", wrapped.FormatTraceback())

	remote := &Error{Class: ValueError, Traceback: "earlier\n", remote: true}
	text := FromError(fmt.Errorf("more: %w", remote)).FormatTraceback()
	require.Contains(t, text, "Remote Traceback (1) =========\nearlier\n")
}

func TestFromErrorShowsCauses(t *testing.T) {
	e := FromError(fmt.Errorf("reading header: %w", fmt.Errorf("socket: %w", io.EOF)))
	require.ErrorIs(t, e, io.EOF)
	require.Equal(t, `Traceback (most recent call last):
EOFError: EOF

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
EOFError: socket: EOF

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
EOFError: reading header: socket: EOF
`, e.FormatTraceback())

	e = FromError(errors.Join(errors.New("first"), errors.New("second")))
	require.Equal(t, 2, strings.Count(e.FormatTraceback(), causeSeparator))
}

// badError panics in the method named.
type badError struct{ method string }

func (e *badError) fail(method string) {
	if e.method == method {
		panic(method)
	}
}

func (e *badError) Error() string { e.fail("Error"); return "bad" }
func (e *badError) Unwrap() error { e.fail("Unwrap"); return nil }
func (e *badError) Is(error) bool { e.fail("Is"); return false }
func (e *badError) As(any) bool   { e.fail("As"); return false }
func (e *badError) Timeout() bool { e.fail("Timeout"); return false }

// sliceError cannot be compared.
type sliceError []string

func (e sliceError) Error() string { return strings.Join(e, ",") }

// circular wraps itself.
type circular struct{ name string }

func (e *circular) Error() string   { return e.name }
func (e *circular) Unwrap() []error { return []error{e, nil, e} }

func TestFromErrorSurvivesBadErrors(t *testing.T) {
	var typedNil *badError
	require.Equal(t, "RuntimeError: <unprintable *vinegar.badError>", FromError(typedNil).Error())
	var nilError *Error
	require.Equal(t, "RuntimeError: <nil>", FromError(nilError).Error())
	var nilClass *Class
	require.Equal(t, RuntimeError, FromError(nilClass).Class)
	require.Equal(t, "RuntimeError: <unprintable *vinegar.badError>", FromError(&badError{"Error"}).Error())
	for _, method := range []string{"Unwrap", "Is", "As", "Timeout"} {
		require.Equal(t, "RuntimeError: bad", FromError(&badError{method}).Error(), method)
	}
	require.Equal(t, "RuntimeError: a,b", FromError(sliceError{"a", "b"}).Error())
	e := FromError(&circular{"round"})
	require.Equal(t, "RuntimeError: round", e.Error())
	require.NotEmpty(t, e.FormatTraceback())
	_, err := AppendPayload(nil, e, nil)
	require.NoError(t, err)
}

func TestStrerrorIsTheLibraryText(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("texts are compared on Linux only")
	}
	out := runPython(t, python(t), nil, "-c",
		"import errno, json, os; print(json.dumps({n: [os.strerror(n), type(OSError(n, '')).__name__] for n in "+
			"errno.errorcode}))")
	var rows map[string][2]string
	require.NoError(t, json.Unmarshal(out, &rows))
	require.Greater(t, len(rows), 100)
	for number, row := range rows {
		n, err := strconv.Atoi(number)
		require.NoError(t, err)
		e := FromError(syscall.Errno(n))
		require.Equal(t, row[1], e.Class.Name(), number)
		if !strings.HasPrefix(syscall.Errno(n).Error(), "errno ") {
			require.Equal(t, fmt.Sprintf("[Errno %d] %s", n, row[0]), e.Message())
		}
	}
}
