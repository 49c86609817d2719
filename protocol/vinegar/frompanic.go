package vinegar

import (
	"bufio"
	"bytes"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// FromPanic returns the Python exception for a recovered panic value and the
// stack at the time, which is what debug.Stack returned in the deferred function. The
// stack may be nil.
//
// Errors of the Go runtime become what Python raises in the same situation: an
// index out of range is an IndexError, a division by zero a ZeroDivisionError, a
// failed type assertion a TypeError, and so on by the package's table; without a
// counterpart, a [RuntimeError]. Other errors go through [FromError]. Strings and
// other values become a RuntimeError with what the Go runtime prints of them when it
// ends a program: the text, the number, or the type alone, since a peer is not to see
// what is in a value that nobody has made for it; [Error.PanicValue] has all of it.
// The frames are those of the goroutine below the panic without the runtime's own and
// those of this module that have called the code, and replace what an error carried.
//
// FromPanic accepts any values and never panics. The result is never nil.
func FromPanic(v any, stack []byte) *Error {
	e := panicException(v).clone()
	e.panic = &v
	if frames := parseStack(stack); len(frames) > 0 {
		e.Frames = frames
	}
	return e
}

// Panicked reports whether the exception was made by [FromPanic], in this process: a mistake in the program, and not an
// answer that its author meant to give.
func (e *Error) Panicked() bool { return e != nil && e.panic != nil }

// PanicValue returns what was given to panic if the exception was made by [FromPanic], and nil otherwise.
func (e *Error) PanicValue() any {
	if !e.Panicked() {
		return nil
	}
	return *e.panic
}

func panicException(v any) *Error {
	switch v := v.(type) {
	case nil:
		return RuntimeError.New("panic called with nil argument")
	case runtime.Error:
		c, text := runtimeClass(v)
		return c.New(text)
	case error:
		if e := FromError(v); e != nil {
			return e
		}
	case string:
		if v == "division by zero" { // of math/big
			return ZeroDivisionError.New(v)
		}
		return RuntimeError.New(v)
	}
	if n := plainNumber(reflect.ValueOf(v)); n != nil {
		return RuntimeError.Errorf("%T(%v)", v, n)
	}
	return RuntimeError.Errorf("panic with a value of type %T", v)
}

// plainNumber returns a number or bool without the methods that its type may have, and nil for everything else.
func plainNumber(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Bool:
		return v.Bool()
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.CanFloat():
		return v.Float()
	case v.CanComplex():
		return v.Complex()
	}
	return nil
}

// runtimeTexts maps what the Go runtime says to what Python raises. The types of
// these errors are not exported.
var runtimeTexts = []struct {
	contains string
	class    *Class
}{
	{"index out of range", IndexError},
	{"slice bounds out of range", IndexError},
	{"divide by zero", ZeroDivisionError},
	{"negative shift amount", ValueError},
	{"cannot convert slice", ValueError},
	{"hash of unhashable type", TypeError},
	{"comparing uncomparable type", TypeError},
	{"interface conversion", TypeError},
	{"floating point error", FloatingPointError},
	{"integer overflow", OverflowError},
	{"makeslice: len out of range", MemoryError},
	{"makeslice: cap out of range", MemoryError},
	{"growslice: len out of range", MemoryError},
	{"makechan: size out of range", MemoryError},
	{"allocation size out of range", MemoryError},
	{"stack overflow", RecursionError},
}

func runtimeClass(err runtime.Error) (*Class, string) {
	text := strings.TrimPrefix(errorText(err), "runtime error: ")
	if _, ok := err.(*runtime.TypeAssertionError); ok {
		return TypeError, text
	}
	for _, row := range runtimeTexts {
		if strings.Contains(text, row.contains) {
			return row.class, text
		}
	}
	return RuntimeError, text
}

// isOurs reports whether a call is one by which this module serves requests: what is below it in the stack says nothing
// of the code that has panicked.
func isOurs(call string) bool {
	rest, ok := strings.CutPrefix(call, "github.com/gorpyc/gorpyc/")
	path, _, _ := strings.Cut(rest, "(")
	slash := strings.LastIndexByte(path, '/') + 1
	last, _, _ := strings.Cut(path[slash:], ".")
	pkg := path[:slash] + last
	return ok && (pkg == "protocol" || pkg == "netref" || pkg == "protocol/exposed" ||
		strings.HasPrefix(pkg, "protocol/exposed/internal/"))
}

// maxFrames bounds the frames taken from a stack, which lists 100 at most.
const maxFrames = 128

// parseStack reads the text of debug.Stack: for every frame, innermost first, a
// line with the call and a line with the place.
func parseStack(stack []byte) []Frame {
	lines := bufio.NewScanner(bytes.NewReader(stack))
	lines.Buffer(nil, 1<<20)
	var frames []Frame
	call, theirs := "", false // whether the last frame is of code that this module has called
	for lines.Scan() && len(frames) < maxFrames {
		line := lines.Text()
		place, isPlace := strings.CutPrefix(line, "\t")
		if !isPlace {
			call = line
			if strings.HasPrefix(line, "panic(") {
				frames, theirs = frames[:0], false // what was above is the handling of the panic
			}
			if strings.HasPrefix(line, "created by ") {
				break
			}
			continue
		}
		ours := isOurs(call)
		if ours && theirs {
			break
		}
		file, number, ok := splitPlace(place)
		if name := funcName(call); ok && name != "" {
			frames, theirs = append(frames, Frame{File: file, Line: number, Func: name}), !ours
		}
		call = ""
	}
	slices.Reverse(frames)
	return frames
}

// splitPlace takes "/dir/file.go:12 +0x1d" apart.
func splitPlace(s string) (file string, line int, ok bool) {
	if i := strings.LastIndex(s, " +0x"); i >= 0 {
		s = s[:i]
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(s[i+1:])
	return s[:i], line, err == nil
}

// funcName returns the function of a line such as
// "example.com/dir/pkg.(*T).Method(0xc000012345, {0x1, 0x2})" as "pkg.(*T).Method".
// It returns "" for the runtime's own functions and those that call by reflection.
func funcName(call string) string {
	i := strings.LastIndexByte(call, '(')
	if i <= 0 || !strings.HasSuffix(call, ")") {
		return ""
	}
	name := call[:i]
	for _, own := range []string{"runtime.", "runtime/", "internal/runtime/", "reflect.", "panic"} {
		if strings.HasPrefix(name, own) && (own != "panic" || name == own) {
			return ""
		}
	}
	// The path ends at the last slash, but type arguments contain paths too.
	end := strings.IndexByte(name, '[')
	if end < 0 {
		end = len(name)
	}
	return name[strings.LastIndexByte(name[:end], '/')+1:]
}
