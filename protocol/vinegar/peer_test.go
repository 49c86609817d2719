package vinegar

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// peerAnswer is what testdata/peer.py says about an exception.
type peerAnswer struct {
	Error, Module, Name, Args, Message, Str, Traceback string
	Attrs                                              map[string]string
	Version                                            *string
	Is                                                 []string
	Hex, Line                                          string
}

type peerRequest struct {
	Op   string `json:"op"`
	Args []any  `json:"args"`
}

// askPeer sends requests to one run of testdata/peer.py.
func askPeer(t testing.TB, requests []peerRequest) []peerAnswer {
	var in bytes.Buffer
	for _, r := range requests {
		b, err := json.Marshal(r)
		require.NoError(t, err)
		in.Write(append(b, '\n'))
	}
	out := runPython(t, pythonWithRPyC(t), in.Bytes(), "testdata/peer.py")
	answers := decodeRows[peerAnswer](t, bufio.NewReader(bytes.NewReader(out)))
	require.Len(t, answers, len(requests))
	return answers
}

func loadRequest(t testing.TB, e *Error, o *DumpOptions, custom bool) peerRequest {
	b, err := AppendPayload(nil, e, o)
	require.NoError(t, err)
	return peerRequest{"load", []any{hex.EncodeToString(b), custom}}
}

var huge = new(big.Int).Exp(big.NewInt(10), big.NewInt(5000), nil)

// Exceptions that CPython loads as they are: class, arguments and message.
func plainErrors() []*Error {
	return []*Error{
		ZeroDivisionError.New("division by zero"),
		ValueError.New(),
		ValueError.New(""),
		ValueError.New("bad value", 7, nil),
		KeyError.New("missing-key"),
		KeyError.New(brine.Tuple{int64(1), "a"}),
		KeyError.New("a", "b"),
		IndexError.Errorf("index %d", 3),
		FileNotFoundError.New(2, "No such file or directory", "/no/such/file"),
		OSError.New(2, "No such file or directory"),
		OSError.New(17, "File exists", "a", nil, "b"),
		OSError.New("just text"),
		BlockingIOError.New(11, "words", 5),
		TimeoutError.New("result expired"),
		UnicodeDecodeError.New("utf-8", []byte("\xff\xfe"), 0, 1, "invalid start byte"),
		UnicodeDecodeError.New("utf-8", []byte("\xff\xfe"), 0, 2, "invalid start byte"),
		UnicodeEncodeError.New("ascii", "a\u20ac", 1, 2, "ordinal not in range(128)"),
		UnicodeEncodeError.New("ascii", "\U0001f600", 0, 1, "ordinal not in range(128)"),
		UnicodeEncodeError.New("ascii", "\u00e9\u00e9", 0, 2, "ordinal not in range(128)"),
		UnicodeTranslateError.New("abc", 1, 2, "why"),
		UnicodeTranslateError.New("abc", 0, 2, "why"),
		ImportError.New("no module"),
		ImportError.New("a", "b"),
		SystemExit.New(3),
		SystemExit.New("bye", 1),
		KeyboardInterrupt.New(),
		StopAsyncIteration.New(1),
		MemoryError.New(),
		EOFError.New("stream has been closed"),
		Exception.New(1.5, math.Copysign(0, -1), 1e16, 2i, true, brine.Ellipsis, brine.NotImplemented),
		Exception.New(brine.Slice{Start: 1, Stop: nil, Step: 2}, brine.FrozenSet{int64(3)}, []byte("\x00'\"")),
		Exception.New("line\nline\ttab\u200b\u00e9"),
		Exception.New(new(big.Int).Lsh(big.NewInt(1), 200)),
		AttributeError.New("text").With("name", "n").With("obj", nil),
		NewClass("peer_test.Custom").New("it broke").With("code", 42).With("text", "more"),
		NewClass("peer_test.Sub", ValueError).New("sub"),
		GenericException.New("generic"),
	}
}

func TestCPythonLoadsWhatWeSend(t *testing.T) {
	errs := plainErrors()
	for _, c := range registryClasses() {
		errs = append(errs, c.New("text"), c.New(), c.New(1, "two"))
	}
	var requests []peerRequest
	version := string(bytes.TrimSpace(runPython(t, pythonWithRPyC(t), nil, "-c",
		"from rpyc import version as v; print(v.version_string if hasattr(v, 'version_string') else v.__version__)")))
	o := &DumpOptions{Version: version} // another major number makes RPyC add a warning to the text
	for _, e := range errs {
		requests = append(requests, loadRequest(t, e, o, false))
	}
	for i, a := range askPeer(t, requests) {
		e := errs[i]
		require.Empty(t, a.Error, "%v", e)
		if e.Class.same(StopIteration) {
			require.Equal(t, "StopIteration", a.Name)
			continue
		}
		module, name := wireName(e)
		if a.Module == "builtins" {
			require.Equal(t, module+"."+name, a.Module+"."+a.Name)
		} else {
			require.Equal(t, genericPrefix+module, a.Module)
			require.Equal(t, module+"."+name, a.Name)
			require.Contains(t, a.Is, "GenericException")
		}
		require.Equal(t, Repr(brine.Tuple(e.Args)), a.Args, "%v", e)
		for _, attr := range e.Attrs {
			require.Equal(t, Repr(attr.Value), a.Attrs[attr.Name], "%v: %s", e, attr.Name)
		}
		require.Equal(t, version, *a.Version)
		require.Equal(t, e.FormatTraceback(), a.Traceback)
		require.Equal(t, a.Message+"\n\n========= Remote Traceback (1) =========\n"+a.Traceback, a.Str)
		if a.Module == "builtins" && name == e.Class.Name() && !e.Class.IsSubclass(SyntaxError) {
			require.Equal(t, e.Message(), a.Message, "%v", e)
			require.Equal(t, e.Class.Name(), a.Name)
		}
	}
}

func registryClasses() (classes []*Class) {
	for _, c := range registry.classes {
		classes = append(classes, c)
	}
	sort.Slice(classes, func(i, j int) bool { return classes[i].String() < classes[j].String() })
	return classes
}

// pointless has the features that make a value hard to send.
type pointless struct{ ch chan int }

func (pointless) String() string { panic("no text") }

// Whatever is in an exception, CPython loads, raises and prints it. Classes that are
// written in Python are loaded as what they are, too, but nothing is asked of them.
func TestCPythonLoadsAnything(t *testing.T) {
	deep := any("x")
	for range 1000 {
		deep = brine.Tuple{deep}
	}
	self := []any{nil}
	self[0] = self
	values := []any{
		nil, 1, "text", "bad \xff utf8", huge, new(big.Int).Neg(huge), (*big.Int)(nil), deep, self,
		[]int{1, 2}, map[string]any{"k": nil}, struct{ X int }{1}, pointless{}, make(chan int), func() {},
		brine.Tuple{"bad \xff", huge, []any{1}}, brine.Tuple{"bad \xff", int64(1)}, brine.Tuple{huge},
		brine.FrozenSet{brine.Slice{Start: 1}}, brine.FrozenSet{brine.Tuple{brine.Slice{}}},
		brine.Slice{Start: brine.FrozenSet{int64(1)}, Stop: "\xff"}, brine.FrozenSet{"\xff", "\xfe"},
		math.NaN(), math.Inf(1), uint64(math.MaxUint64), float32(0.1), complex64(1i), []byte(nil),
		ValueError.New("inner"), ValueError, fmt.Errorf("go error"), t.Name,
	}
	names := []string{
		"args", "with_traceback", "__class__", "__traceback__", "__cause__", "__dict__", "_remote_tb", "_remote_version",
		"errno", "strerror", "filename", "filename2", "winerror", "characters_written", "encoding", "object", "start",
		"end", "reason", "code", "value", "msg", "name", "path", "obj", "lineno", "offset", "text", "end_lineno",
		"end_offset", "print_file_and_line", "message", "exceptions", "derive", "add_note", "", "x y", "\xff", "\x00",
	}
	random := rand.New(rand.NewPCG(1, 2))
	value := func() any { return values[random.IntN(len(values))] }
	var errs []*Error
	for _, c := range append(registryClasses(), &Class{module: "x", name: "\xff"},
		NewClass("posixpath.OSError", OSError)) {
		for range 4 {
			e := &Error{Class: c}
			for range random.IntN(6) {
				e.Args = append(e.Args, value())
			}
			if random.IntN(2) == 0 {
				e = c.New(e.Args...)
			}
			for range random.IntN(8) {
				e.Attrs = append(e.Attrs, Attr{names[random.IntN(len(names))], value()})
			}
			if random.IntN(4) == 0 {
				e.Frames = []Frame{{"bad \xff.go", -1, "f\nlines"}}
				e.Notes = []string{"note \xff"}
				e.cause = fmt.Errorf("cause \xff: %w", ValueError.New(value()))
			}
			errs = append(errs, e)
		}
	}
	var requests []peerRequest
	for _, e := range errs {
		requests = append(requests, loadRequest(t, e, nil, false), loadRequest(t, e, &DumpOptions{HideVersion: true}, true))
	}
	for i, a := range askPeer(t, requests) {
		e := errs[i/2]
		var attrs []any
		for _, attr := range e.Attrs {
			attrs = append(attrs, brine.Tuple{attr.Name, attr.Value})
		}
		if i%2 == 1 && e.Class.Module() != "builtins" {
			continue // really instantiated: written in Python, and free to fail
		}
		require.Empty(t, a.Error, "%v %s %s", e.Class, Repr(e.Args), Repr(attrs))
		require.NotContains(t, a.Message, "unprintable", "%v %s %s", e.Class, Repr(e.Args), Repr(attrs))
	}
}

func TestWeLoadWhatCPythonSends(t *testing.T) {
	sources := []string{
		"1/0", "{}['missing']", "raise ValueError('bad value', 7, None)", "open('/no/such/file')",
		"b'\\xff\\xfe'.decode('utf-8')", "raise ValueError('a\\ufffd\\n')", "import json; json.loads('{]')",
		"class Mine(Exception): pass\ne = Mine('m'); e.code = 42; e.t = (1, 'x'); raise e",
		"try: {}['inner']\nexcept KeyError as e: raise ValueError('outer') from e",
		"raise SystemExit(3)", "def f(): f()\nf()", "raise OSError(17, 'words', 'a', None, 'b')",
	}
	var requests []peerRequest
	for _, src := range sources {
		requests = append(requests, peerRequest{"dump", []any{src}})
	}
	for i, a := range askPeer(t, requests) {
		require.Empty(t, a.Error)
		b, err := hex.DecodeString(a.Hex)
		require.NoError(t, err)
		e := decode(t, b)
		require.Equal(t, a.Line, e.Error(), sources[i])
		require.Equal(t, a.Args, Repr(brine.Tuple(e.Args)))
		require.Equal(t, a.Traceback, e.Traceback)
		require.Contains(t, e.Traceback, `File "<peer>", line`)
	}
}

// An exception that goes Go, CPython, Go, CPython keeps its class, its attributes
// and the numbering of its tracebacks.
func TestThroughCPythonAndBack(t *testing.T) {
	custom := NewClass("through_test.Custom", KeyError)
	for _, e := range []*Error{
		ValueError.New("bad value").With("code", 42),
		custom.New("k").With("code", 42),
		ExceptionGroup.New("group", []any{ValueError.New(1), TypeError.New(2)}).With("code", 42),
	} {
		e.Frames = []Frame{{"calc.go", 7, "exposed_div"}}
		for hop := range 3 {
			b, err := AppendPayload(nil, e, nil)
			require.NoError(t, err)
			a := askPeer(t, []peerRequest{{"forward", []any{hex.EncodeToString(b)}}})[0]
			require.Empty(t, a.Error)
			b, err = hex.DecodeString(a.Hex)
			require.NoError(t, err)
			back := decode(t, b)
			require.Same(t, e.Class, back.Class)
			code, ok := back.Attr("code")
			require.True(t, ok)
			require.EqualValues(t, 42, code)
			require.Equal(t, 1, strings.Count(back.Traceback, `File "calc.go", line 7, in exposed_div`))
			require.Contains(t, back.Traceback, fmt.Sprintf("= Remote Traceback (%d) =", 2*hop+1))
			require.Contains(t, back.FormatTraceback(), fmt.Sprintf("= Remote Traceback (%d) =", 2*hop+2))
			e = back
		}
	}
}

func TestReprOfContainersIsCPythons(t *testing.T) {
	values := []any{
		brine.Tuple{}, brine.Tuple{int64(1)}, brine.Tuple{nil, true, false}, brine.Tuple{brine.Tuple{brine.Tuple{}}},
		brine.FrozenSet{}, brine.FrozenSet{"a"}, brine.Tuple{brine.FrozenSet{brine.Tuple{int64(1)}}},
		brine.Slice{}, brine.Slice{Start: int64(1), Stop: "x", Step: brine.Slice{}},
		brine.Ellipsis, brine.NotImplemented, brine.Tuple{brine.Ellipsis, 1i, []byte("b"), "s"},
		new(big.Int).Lsh(big.NewInt(-3), 100), int64(math.MinInt64),
	}
	var requests []peerRequest
	for _, v := range values {
		b, err := brine.Marshal(v)
		require.NoError(t, err)
		requests = append(requests, peerRequest{"show", []any{hex.EncodeToString(b)}})
	}
	for i, a := range askPeer(t, requests) {
		require.Empty(t, a.Error)
		require.Equal(t, a.Args, Repr(values[i]))
	}
}
