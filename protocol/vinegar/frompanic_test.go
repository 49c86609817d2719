package vinegar

import (
	"errors"
	"io"
	"math/big"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type (
	secret   struct{ user, password string }
	password string
)

// caught runs f and returns what FromPanic makes of its panic.
func caught(f func()) (e *Error) {
	defer func() {
		if v := recover(); v != nil {
			e = FromPanic(v, debug.Stack())
		}
	}()
	f()
	return nil
}

func TestFromPanic(t *testing.T) {
	var (
		empty   []int
		zero    int
		minus   = -1
		nothing *Error
		noMap   map[string]int
		anyText any = "text"
		list    any = []int{1}
	)
	for name, row := range map[string]struct {
		f     func()
		class *Class
		text  string
	}{
		"index":        {func() { _ = empty[zero] }, IndexError, "index out of range [0] with length 0"},
		"slice":        {func() { _ = empty[zero:5] }, IndexError, "slice bounds out of range [:5] with capacity 0"},
		"divide":       {func() { _ = 1 / zero }, ZeroDivisionError, "integer divide by zero"},
		"big divide":   {func() { new(big.Int).Div(big.NewInt(1), new(big.Int)) }, ZeroDivisionError, "division by zero"},
		"shift":        {func() { _ = 1 << minus }, ValueError, "negative shift amount"},
		"assertion":    {func() { _ = anyText.(int) }, TypeError, "interface conversion: interface {} is string, not int"},
		"unhashable":   {func() { _ = map[any]int{list: 1} }, TypeError, "hash of unhashable type"},
		"uncomparable": {func() { _ = list == list }, TypeError, "comparing uncomparable type []int"},
		"make":         {func() { _ = make([]int, minus) }, MemoryError, "makeslice: len out of range"},
		"array": {func() { _ = [2]int(empty) }, ValueError,
			"cannot convert slice with length 0 to array or pointer to array with length 2"},
		"nil":            {func() { _ = nothing.Args }, RuntimeError, "invalid memory address or nil pointer dereference"},
		"nil map":        {func() { noMap["x"] = 1 }, RuntimeError, "assignment to entry in nil map"},
		"reflect":        {func() { reflect.ValueOf(1).Len() }, TypeError, "reflect: call of reflect.Value.Len on int Value"},
		"closed channel": {func() { c := make(chan int); close(c); close(c) }, RuntimeError, "close of closed channel"},
		"error":          {func() { panic(io.EOF) }, EOFError, "EOF"},
		"exception":      {func() { panic(KeyError.New("k")) }, KeyError, "'k'"},
		"class":          {func() { panic(KeyError) }, KeyError, ""},
		"text":           {func() { panic("text") }, RuntimeError, "text"},
		"number":         {func() { panic(42) }, RuntimeError, "int(42)"},
		"named number":   {func() { panic(time.March) }, RuntimeError, "time.Month(3)"},
		"stringer":       {func() { panic(pointless{}) }, RuntimeError, "panic with a value of type vinegar.pointless"},
		"struct": {func() { panic(&secret{"root", "hunter2"}) }, RuntimeError,
			"panic with a value of type *vinegar.secret"},
		"named text": {func() { panic(password("hunter2")) }, RuntimeError,
			"panic with a value of type vinegar.password"},
		"map": {func() { panic(map[string]string{"root": "hunter2"}) }, RuntimeError,
			"panic with a value of type map[string]string"},
		"nil panic": {func() { panic(nil) }, RuntimeError, "panic called with nil argument"},
		"repeat":    {func() { _ = strings.Repeat("x", minus) }, RuntimeError, "strings: negative Repeat count"},
	} {
		t.Run(name, func(t *testing.T) {
			e := caught(row.f)
			require.NotNil(t, e)
			require.Equal(t, row.class.String(), e.Class.String())
			require.Contains(t, e.Message(), row.text) // Go releases differ in the ends
			require.NotContains(t, e.Message(), "runtime error")
			require.NotEmpty(t, e.Frames)
			var names []string
			for _, f := range e.Frames {
				require.False(t, strings.HasPrefix(f.Func, "runtime."), f.Func)
				require.False(t, strings.HasPrefix(f.Func, "panic"), f.Func)
				require.True(t, strings.HasSuffix(f.File, ".go"), f.File)
				require.Positive(t, f.Line)
				names = append(names, f.Func)
			}
			require.Contains(t, strings.Join(names, " "), "vinegar.caught vinegar.TestFromPanic.func")
			require.NotContains(t, names, "vinegar.caught.func1") // the deferred function
		})
	}
}

type thrower struct{}

func (*thrower) throw(depth int) {
	if depth == 0 {
		panic("deep")
	}
	(&thrower{}).throw(depth - 1)
}

func generic[T any](v T, f func()) { f() }

func TestFramesOfAPanic(t *testing.T) {
	e := caught(func() { generic("x", func() { new(thrower).throw(1) }) })
	var names []string
	for _, f := range e.Frames {
		names = append(names, f.Func)
	}
	text := strings.Join(names, " ")
	require.True(t, strings.HasSuffix(text, "vinegar.(*thrower).throw vinegar.(*thrower).throw"), text)
	require.Contains(t, text, "vinegar.generic[...] ")
	require.Contains(t, e.FormatTraceback(), "frompanic_test.go\", line ")

	rethrown := caught(func() {
		defer func() { panic(recover()) }()
		new(thrower).throw(0)
	})
	require.Equal(t, "RuntimeError: deep", rethrown.Error())
	require.NotEmpty(t, rethrown.Frames)
}

func TestFromPanicDoesNotChangeItsValue(t *testing.T) {
	e := ValueError.New("x")
	got := caught(func() { panic(e) })
	require.Empty(t, e.Frames)
	require.NotEmpty(t, got.Frames)
	require.True(t, got.Panicked())
	bare := FromPanic(e, nil)
	require.ErrorIs(t, bare, ValueError)
	require.True(t, bare.Panicked())
	require.Equal(t, secret{"root", "hunter2"}, FromPanic(secret{"root", "hunter2"}, nil).PanicValue())
	require.Nil(t, e.PanicValue())
	require.False(t, e.Panicked(), "it may be returned elsewhere")
	require.Equal(t, RuntimeError, FromPanic(nil, nil).Class)
	var none *Error
	require.Equal(t, RuntimeError, FromPanic(none, nil).Class)
	require.Equal(t, RuntimeError, FromPanic(errors.New("x"), nil).Class)
}

func TestParseStack(t *testing.T) {
	frames := parseStack([]byte(`goroutine 7 [running]:
runtime/debug.Stack()
	/go/src/runtime/debug/stack.go:26 +0x5e
main.handler.func1()
	/src/main.go:12 +0x33
panic({0x1234?, 0x5678?})
	/go/src/runtime/panic.go:783 +0x132
runtime.goPanicIndex(0x5, 0x3)
	/go/src/runtime/panic.go:115 +0x74
example.com/dir/pkg%2ev2.(*T).Method(0xc000012345, {0x1, 0x2})
	C:/src/pkg/t.go:33 +0x1d
example.com/dir/pkg.Map[go.shape.int,example.com/x.Y](...)
	/src/pkg/map.go:8
reflect.Value.call({0x1?}, {0x2, 0x4}, {0x3, 0x1, 0x1})
	/go/src/reflect/value.go:581 +0xcc6
main.handler({0x1, 0x2})
	/src/main.go:20 +0x1d
created by main.main in goroutine 1
	/src/main.go:5 +0x1d
`))
	require.Equal(t, []Frame{
		{"/src/main.go", 20, "main.handler"},
		{"/src/pkg/map.go", 8, "pkg.Map[go.shape.int,example.com/x.Y]"},
		{"C:/src/pkg/t.go", 33, "pkg%2ev2.(*T).Method"},
	}, frames)
	for _, garbage := range []string{"", "\n", "\t", "\t:\n", "x\n\ty:z\n", "f()\n\tfile\n", "(\n\ta:1", ")\n\ta:1",
		"panic(\n\ta:1"} {
		require.Empty(t, parseStack([]byte(garbage)), garbage)
	}
	require.Len(t, parseStack([]byte(strings.Repeat("f()\n\ta.go:1\n", 1000))), maxFrames)
}

// TestFramesOfServing leaves out what is below the code that panicked: how this module came to call it.
func TestFramesOfServing(t *testing.T) {
	stack := `goroutine 7 [running]:
runtime/debug.Stack()
	/go/src/runtime/debug/stack.go:26 +0x5e
github.com/gorpyc/gorpyc/protocol.(*incoming).runHandler.func1()
	/src/protocol/incoming.go:305 +0x4c
panic({0x1, 0x2})
	/go/src/runtime/panic.go:783 +0x132
main.deep(...)
	/home/user/main.go:9
main.Service.Fail({}, {0x1, 0x2})
	/home/user/main.go:12 +0x1d
github.com/gorpyc/gorpyc/protocol/exposed/internal/binding.(*Plan).Call(0xc0001)
	/src/protocol/exposed/internal/binding/plan.go:200 +0x9
github.com/gorpyc/gorpyc/protocol.(*Conn).serve(0xc0002)
	/src/protocol/role.go:1 +0x9
main.neverShown()
	/home/user/main.go:99 +0x1
`
	require.Equal(t, []Frame{{"/home/user/main.go", 12, "main.Service.Fail"}, {"/home/user/main.go", 9, "main.deep"}},
		FromPanic("text", []byte(stack)).Frames)
	// With nothing else there, the frames of this module are all there is to go by.
	before, _, _ := strings.Cut(stack, "main.deep")
	own := before + stack[strings.Index(stack, "github.com/gorpyc/gorpyc/protocol/exp"):]
	require.NotEmpty(t, FromPanic("text", []byte(own)).Frames)
}
