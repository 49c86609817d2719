package vinegar

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// sent returns the fields of the payload that AppendPayload makes.
func sent(t *testing.T, e *Error, o *DumpOptions) (class, args, attrs string, tb string) {
	b, err := AppendPayload(nil, e, o)
	require.NoError(t, err)
	v, err := brine.Unmarshal(b)
	require.NoError(t, err)
	fields := v.(brine.Tuple)
	require.Len(t, fields, 4)
	return Repr(fields[0]), Repr(fields[1]), Repr(fields[2]), fields[3].(string)
}

func TestAppendPayloadOptions(t *testing.T) {
	e := ValueError.New("x").With("b", 1).With("a", 2)
	e.Frames = []Frame{{"b.go", 2, "g"}}

	class, args, attrs, tb := sent(t, e, nil)
	require.Equal(t, "('builtins', 'ValueError')", class)
	require.Equal(t, "('x',)", args)
	require.Equal(t, "(('a', 2), ('b', 1))", attrs)
	require.Equal(t, "Traceback (most recent call last):\n  File \"b.go\", line 2, in g\nValueError: x\n", tb)

	_, _, attrs, tb = sent(t, e, &DumpOptions{Version: "6.0.2", Frames: []Frame{{"a.go", 1, "exposed_f"}}})
	require.Equal(t, "(('a', 2), ('b', 1), ('_remote_version', '6.0.2'))", attrs)
	require.Equal(t, "Traceback (most recent call last):\n  File \"a.go\", line 1, in exposed_f\n"+
		"  File \"b.go\", line 2, in g\nValueError: x\n", tb)

	_, _, attrs, tb = sent(t, e, &DumpOptions{Version: "6.0.2", HideTraceback: true, HideVersion: true})
	require.Equal(t, "(('a', 2), ('b', 1), ('_remote_version', '<version denied>'))", attrs)
	require.Equal(t, "<traceback denied>", tb)

	o := &DumpOptions{Repr: func(v any) string { return fmt.Sprintf("<a %T \xff>", v) }}
	_, args, attrs, tb = sent(t, ValueError.New([]int{1}, brine.Tuple{[]int{2}}).With("x", []int{3}), o)
	require.Equal(t, "('<a []int \uFFFD>', '(<a []int \uFFFD>,)')", args)
	require.Equal(t, "(('x', '<a []int \uFFFD>'),)", attrs)
	require.True(t, strings.HasSuffix(tb, "ValueError: (<a []int \uFFFD>, (<a []int \uFFFD>,))\n"), tb)
}

func TestStopIterationIsOne(t *testing.T) {
	b, err := AppendPayload([]byte{9}, StopIteration.New(99), &DumpOptions{Version: "6.0.2"})
	require.NoError(t, err)
	require.Equal(t, []byte{9, 0x51}, b)

	class, args, attrs, _ := sent(t, NewClass("dump_test.Stop", StopIteration).New(5), nil)
	require.Equal(t, "('dump_test', 'Stop')(5,)(('value', 5),)", class+args+attrs)
}

func TestNilErrorIsSent(t *testing.T) {
	class, args, _, _ := sent(t, nil, nil)
	require.Equal(t, "('builtins', 'SystemError')", class)
	require.Equal(t, "('error return without exception set',)", args)
}

func TestWhatIsNotSent(t *testing.T) {
	for _, row := range []struct {
		e    *Error
		want string
	}{
		{&Error{Attrs: []Attr{{"_x", 1}, {"__class__", 1}, {"args", 1}, {"with_traceback", 1}, {"_remote_tb", "x"},
			{"_remote_version", "1"}, {"y", 1}}}, "(('y', 1),)"},
		{&Error{Attrs: []Attr{{"x", 1}, {"a", 2}, {"x", 3}}}, "(('a', 2), ('x', 3))"},
		{&Error{Attrs: []Attr{{"x\xff", 1}, {"x\uFFFD", 2}}}, "(('x\uFFFD', 2),)"},
		{&Error{Class: OSError, Attrs: []Attr{{"errno", nil}, {"strerror", nil}, {"filename", nil}, {"filename2", nil},
			{"winerror", nil}, {"other", nil}, {"characters_written", "x"}}}, "(('other', None),)"},
		{&Error{Class: ValueError, Attrs: []Attr{{"errno", nil}, {"start", "x"}, {"characters_written", "x"}}},
			"(('characters_written', 'x'), ('errno', None), ('start', 'x'))"},
		{&Error{Class: UnicodeDecodeError, Attrs: []Attr{{"start", "x"}, {"end", int64(1 << 62)}, {"object", 5}}},
			"(('end', 4611686018427387904), ('object', 5))"},
		{&Error{Class: SyntaxError, Attrs: []Attr{{"lineno", "x"}, {"offset", nil}, {"text", 5}, {"filename", "f"}}},
			"(('filename', 'f'), ('offset', None))"},
	} {
		_, _, attrs, _ := sent(t, row.e, nil)
		require.Equal(t, row.want, attrs)
	}
}

func TestNamesOnTheWire(t *testing.T) {
	group := NewClass("dump_test.Group", ExceptionGroup)
	for _, row := range []struct {
		e    *Error
		want string
	}{
		{plain("x"), "('builtins', 'Exception')"},
		{ExceptionGroup.New("g", []any{}), "('rpyc.core.vinegar/builtins', 'builtins.ExceptionGroup')"},
		{group.New("g", []any{}), "('rpyc.core.vinegar/dump_test', 'dump_test.Group')"},
		{UnicodeDecodeError.New("just text"), "('builtins', 'UnicodeError')"},
		{UnicodeDecodeError.New("utf-8", []byte{1}, 0, 1, "why"), "('builtins', 'UnicodeDecodeError')"},
		{UnicodeDecodeError.New("utf-8", "no bytes", 0, 1, "why"), "('builtins', 'UnicodeError')"},
		{&Error{Class: UnicodeEncodeError, Args: []any{"ascii", "\u20ac", 0, 1, "why"}}, "('builtins', 'UnicodeError')"},
		{UnicodeTranslateError.New("abc", 0, 1, "why"), "('builtins', 'UnicodeTranslateError')"},
		{(&Class{module: "dump_test", name: "\xff"}).New(), "('dump_test', '\uFFFD')"},
	} {
		class, _, _, _ := sent(t, row.e, nil)
		require.Equal(t, row.want, class)
	}
}

// plain makes a plain exception, for tests that do not care.
func plain(text string) *Error { return &Error{Args: []any{text}} }

func TestValuesThatCannotTravel(t *testing.T) {
	big5000 := new(big.Int).Exp(big.NewInt(10), big.NewInt(5000), nil)
	for _, row := range []struct {
		value any
		want  string
	}{
		{"a\xffb", "'a\uFFFDb'"},
		{brine.Tuple{"\xff", int64(1)}, "('\uFFFD', 1)"},
		{brine.Slice{Start: "\xff"}, "slice('\uFFFD', None, None)"},
		{big5000, Repr(big5000.String())},
		{brine.Tuple{big5000}, Repr("(" + big5000.String() + ",)")},
		{[]int{1, 2}, "'[1, 2]'"},
		{brine.Tuple{int64(3), int64(4)}, "(3, 4)"},
		{brine.Tuple{int64(1), []int{2}}, "'(1, [2])'"},
		{brine.FrozenSet{brine.Slice{}}, Repr("frozenset({slice(None, None, None)})")},
		{pointless{}, "'<vinegar.pointless object>'"},
		{errors.New("x"), Repr("<errors.errorString 'x'>")},
	} {
		_, args, attrs, _ := sent(t, ValueError.New(row.value).With("x", row.value), nil)
		require.Equal(t, "("+row.want+",)", args)
		require.Equal(t, "(('x', "+row.want+"),)", attrs)
	}
	deep := any("x")
	for range 1000 {
		deep = brine.Tuple{deep}
	}
	_, args, _, _ := sent(t, ValueError.New(deep), nil)
	require.Contains(t, args, "...")
}

func TestAppendPayloadChangesNothing(t *testing.T) {
	e := FileNotFoundError.New(2, "x\xff", "/f").With("_a", 1).With("z", 1).With("a", nil).From(errors.New("c"))
	e.Notes = []string{"n"}
	before := *e.clone()
	_, _, _, _ = sent(t, e, nil)
	require.Equal(t, before, *e)
}

func TestSentOnWithTheEarlierTraceback(t *testing.T) {
	e := ValueError.New("bad")
	for n := 1; n <= 3; n++ {
		b, err := AppendPayload(nil, e, &DumpOptions{Frames: []Frame{{"hop.go", n, "f"}}})
		require.NoError(t, err)
		e = decode(t, b)
	}
	require.Equal(t, `Traceback (most recent call last):
  File "hop.go", line 3, in f
ValueError: bad

========= Remote Traceback (2) =========
Traceback (most recent call last):
  File "hop.go", line 2, in f
ValueError: bad

========= Remote Traceback (1) =========
Traceback (most recent call last):
  File "hop.go", line 1, in f
ValueError: bad


`, e.Traceback)
	require.EqualError(t, e, "ValueError: bad")
}
