package vinegar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// The constructors of the classes, compared with the recorded attributes and
// arguments of what CPython made of the same call.
func TestNewSetsWhatCPythonSets(t *testing.T) {
	recorded := map[string]goldenRow{}
	for _, row := range goldenRows(t) {
		if row.Python == "3.11" {
			recorded[row.ID] = row
		}
	}
	for id, e := range map[string]*Error{
		"os_text":       OSError.New("text"),
		"os_none":       OSError.New(),
		"os_two":        OSError.New(2, "words"),
		"os_two_text":   OSError.New("a", "b"),
		"os_three":      OSError.New(13, "words", "it's"),
		"os_bytes":      OSError.New(13, "words", []byte("raw")),
		"os_five":       OSError.New(17, "words", "a", nil, "b"),
		"os_three_none": OSError.New(5, "words", nil),
		"os_unknown":    OSError.New(9999, "words"),
		"os_six":        OSError.New(1, 2, 3, 4, 5, 6),
		"blocking":      BlockingIOError.New(11, "words", 5),
		"broken_pipe":   BrokenPipeError.New(32, "words"),
		"timeout_text":  TimeoutError.New("result expired"),
		"decode_made":   UnicodeDecodeError.New("own", []byte("abc"), 1, 3, "because"),
		"encode_2":      UnicodeEncodeError.New("latin-1", "\u20ac", 0, 1, "ordinal not in range(256)"),
		"translate":     UnicodeTranslateError.New("abc", 1, 2, "why"),
		"exit_none":     SystemExit.New(),
		"exit_number":   SystemExit.New(3),
		"exit_two":      SystemExit.New(1, 2),
		"import_two":    ImportError.New("a", "b"),
		"syntax_plain":  SyntaxError.New("text"),
		"syntax_none":   SyntaxError.New(),
		"syntax_four":   SyntaxError.New("text", brine.Tuple{"f.py", int64(3), int64(2), "line"}),
		"json_made":     JSONDecodeError.New("words", "ab\ncd", 4),
		"json":          JSONDecodeError.New("Expecting property name enclosed in double quotes", "{]", 1),
		"json_lines":    JSONDecodeError.New("Expecting value", "[1,\n\u20ac 2,\n  x]", 4),
		"value_args":    ValueError.New("bad", 7, nil),
		"key_empty":     KeyError.New(),
		"assertion":     AssertionError.New("text"),
		"cancelled":     CancelledError.New(),
	} {
		row, ok := recorded[id]
		require.True(t, ok, id)
		want := decode(t, row.payload(t))
		if id == "json_lines" { // the recorded error is at another place than ours
			require.Equal(t, "Expecting value: line 2 column 1 (char 4)", e.Message())
			continue
		}
		require.Equal(t, want.Class.String(), e.Class.String(), id)
		require.Equal(t, want.Error(), e.Error(), id)
		require.Equal(t, Repr(brine.Tuple(want.Args)), Repr(brine.Tuple(e.Args)), id)
		set := map[string]string{}
		for _, a := range want.Attrs {
			if a.Name != "_remote_version" && a.Name != "add_note" && a.Value != nil {
				set[a.Name] = Repr(a.Value)
			}
		}
		got := map[string]string{}
		for _, a := range e.Attrs {
			if a.Value != nil {
				got[a.Name] = Repr(a.Value)
			}
		}
		require.Equal(t, set, got, id)
	}
	for num := int64(1); num < 140; num++ {
		row, ok := recorded[fmt.Sprintf("errno_%d", num)]
		if e := OSError.New(num, "words"); ok {
			require.Equal(t, decode(t, row.payload(t)).Error(), e.Error())
		} else {
			require.Same(t, OSError, e.Class, "errno %d", num)
		}
	}
}

func TestZeroError(t *testing.T) {
	var e Error
	require.Equal(t, "Exception", e.Error())
	require.ErrorIs(t, &e, Exception)
	require.Equal(t, "Traceback (most recent call last):\nException\n", e.FormatTraceback())
	require.False(t, e.Remote())

	var none *Error
	require.Equal(t, "<nil>", none.Error())
	require.Empty(t, none.Message())
	require.Empty(t, none.FormatTraceback())
	require.NoError(t, none.Unwrap())
	require.False(t, none.Is(Exception))
	require.False(t, none.As(new(*fs.PathError)))
	require.False(t, none.Timeout())
	require.False(t, none.Remote())
	_, ok := none.Attr("x")
	require.False(t, ok)
}

func TestAttributes(t *testing.T) {
	e := ValueError.New("x").With("a", 1).With("b", 2).With("a", 3)
	require.Equal(t, []Attr{{"a", 3}, {"b", 2}}, e.Attrs)
	v, ok := e.Attr("a")
	require.True(t, ok)
	require.Equal(t, 3, v)
	_, ok = e.Attr("c")
	require.False(t, ok)
	e.Attrs = append(e.Attrs, Attr{"b", 4})
	v, _ = e.Attr("b")
	require.Equal(t, 4, v)
}

func TestIs(t *testing.T) {
	numbered := func(n syscall.Errno) *Error { return OSError.New(int64(n), "words") }
	for _, row := range []struct {
		e       *Error
		is, not []error
	}{
		{FileNotFoundError.New("x"), []error{fs.ErrNotExist, syscall.ENOENT, OSError, Exception, BaseException},
			[]error{fs.ErrExist, syscall.EEXIST, ValueError, io.EOF, (*Class)(nil)}},
		{numbered(syscall.ENOENT), []error{fs.ErrNotExist, syscall.ENOENT, FileNotFoundError}, []error{syscall.ENOTDIR}},
		{FileExistsError.New("x"), []error{fs.ErrExist}, []error{fs.ErrNotExist}},
		{numbered(syscall.ENOTEMPTY), []error{fs.ErrExist, syscall.ENOTEMPTY}, []error{FileExistsError}},
		{PermissionError.New("x"), []error{fs.ErrPermission, syscall.EACCES, syscall.EPERM}, nil},
		{numbered(syscall.EPERM), []error{fs.ErrPermission, syscall.EPERM}, []error{syscall.EACCES}},
		{numbered(syscall.ENOSYS), []error{errors.ErrUnsupported, syscall.ENOSYS}, nil},
		{TimeoutError.New("result expired"), []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ETIMEDOUT},
			[]error{context.Canceled}},
		{received("socket", "timeout").New(), []error{context.DeadlineExceeded, OSError}, []error{TimeoutError}},
		{received("asyncio.exceptions", "TimeoutError").New(), []error{os.ErrDeadlineExceeded}, []error{OSError}},
		{CancelledError.New(), []error{context.Canceled, Exception}, []error{context.DeadlineExceeded}},
		{received("asyncio.exceptions", "CancelledError").New(), []error{context.Canceled}, []error{Exception}},
		{EOFError.New(), []error{io.EOF}, []error{io.ErrUnexpectedEOF}},
		{received("asyncio.exceptions", "IncompleteReadError").New(), []error{io.EOF, io.ErrUnexpectedEOF}, nil},
		{BrokenPipeError.New(), []error{io.ErrClosedPipe, syscall.EPIPE, ConnectionError}, nil},
		{NotImplementedError.New(), []error{errors.ErrUnsupported, RuntimeError}, nil},
		{UnsupportedOperation.New("fileno"), []error{errors.ErrUnsupported, OSError, ValueError}, nil},
		{ConnectionRefusedError.New("x"), []error{syscall.ECONNREFUSED}, []error{syscall.ECONNRESET}},
		// A number of another system: the class still tells.
		{TimeoutError.New(9060, "words"), []error{syscall.ETIMEDOUT, context.DeadlineExceeded}, nil},
		{ValueError.New(2, "x"), []error{ValueError}, []error{syscall.ENOENT, fs.ErrNotExist, ValueError.New(2, "x")}},
		{ValueError.New("x").From(io.EOF), []error{io.EOF, ValueError}, []error{EOFError}},
		{ValueError.Errorf("x: %w", KeyError.New("k")), []error{KeyError, LookupError}, nil},
		{ValueError.Errorf("%w %w", io.EOF, fs.ErrExist), []error{io.EOF, fs.ErrExist}, nil},
	} {
		for _, target := range row.is {
			require.ErrorIs(t, row.e, target, "%v", row.e)
		}
		for _, target := range row.not {
			require.False(t, errors.Is(row.e, target), "%v is %v", row.e, target)
		}
	}
}

func TestAs(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", FileNotFoundError.New(2, "No such file or directory", "/x"))
	var exc *Error
	require.ErrorAs(t, err, &exc)
	var path *fs.PathError
	require.ErrorAs(t, err, &path)
	require.Equal(t, "/x", path.Path)
	require.ErrorIs(t, path, fs.ErrNotExist)
	var num syscall.Errno
	require.ErrorAs(t, err, &num)
	require.Equal(t, syscall.ENOENT, num)

	noNumber := &Error{Class: OSError, Args: []any{"text"}, Attrs: []Attr{{"filename", "/x"}}}
	require.ErrorAs(t, noNumber, &path)
	require.EqualError(t, path.Err, "OSError: text")
	require.False(t, errors.As(noNumber, &num))
	require.False(t, errors.As(ValueError.New(2, "x").With("filename", "/x"), &path))
	require.False(t, errors.As(OSError.New(int64(1<<40), "x"), &num))
	require.True(t, os.IsTimeout(TimeoutError.New()))
	require.False(t, os.IsTimeout(OSError.New()))
}

func TestFormatTraceback(t *testing.T) {
	inner := KeyError.New("inner")
	inner.Frames = []Frame{{"a.go", 1, "inner"}}
	e := ValueError.New("outer").From(inner)
	e.Frames = []Frame{{"a.go", 9, "exposed_fail"}, {"b.go", 2, "(*T).help"}}
	e.Notes = []string{"a note"}
	require.Equal(t, `Traceback (most recent call last):
  File "a.go", line 1, in inner
KeyError: 'inner'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "a.go", line 9, in exposed_fail
  File "b.go", line 2, in (*T).help
ValueError: outer
a note
`, e.FormatTraceback())

	joined := ValueError.Errorf("both: %w, %w", io.EOF, inner)
	require.Equal(t, `Traceback (most recent call last):
EOFError: EOF

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "a.go", line 1, in inner
KeyError: 'inner'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
ValueError: both: EOF, KeyError: 'inner'
`, joined.FormatTraceback())

	e.Traceback = "my own text"
	require.Equal(t, "my own text", e.FormatTraceback())

	loop := ValueError.New("loop")
	loop.From(loop)
	require.Equal(t, maxCauses+1, strings.Count(loop.FormatTraceback(), "ValueError: loop"))
}
