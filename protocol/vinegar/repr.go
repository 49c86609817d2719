package vinegar

import (
	"fmt"
	"math/big"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// Repr returns the text that CPython's repr() gives for a value. For the types
// that brine carries it is exact: quoting and escapes of text and bytes, shortest
// floats with Python's exponents, one-element tuples, complex numbers, big
// integers. (Which characters are printable depends on the Unicode version, so
// characters assigned only recently may be escaped on one side and not on the
// other. Bytes of a Go string that are not UTF-8 appear as the lone surrogates
// that Python's surrogateescape makes of them.)
//
// Other Go values look like the Python values that they would be: slices and
// arrays like lists, maps like dicts in the order of their keys' repr, named types
// like the underlying ones, nil pointers like None, an [*Error] like an
// exception. Whatever is left looks like "<pkg.Type object>", with the text of a
// Stringer or error in it, never with an address. Nesting deeper than 100 and
// what exceeds about a megabyte inside such values is shown as "...".
//
// A panic in a String or Error method does not escape. Unlike repr(), Repr has no
// limit on the digits of an integer.
func Repr(v any) string { return reprer{}.repr(v) }

// ReprWith is [Repr] with a function of the caller's for everything that brine
// cannot carry, at any depth of tuples, slices and frozensets. It may panic.
func ReprWith(v any, other func(any) string) string { return reprer{other: other}.repr(v) }

const (
	maxGoDepth = 100     // for Go containers, which may contain themselves
	maxGoRepr  = 1 << 20 // bytes, for the same reason
	maxGoStack = 2000    // frames from which on String and Error methods are not called
)

// reprer renders values.
type reprer struct {
	other    func(any) string // if not nil, renders what brine cannot carry
	otherStr func(any) string // if not nil, is str() for what brine cannot carry
	depth    int              // of what is rendered inside other values
	spent    *int             // what messages of exceptions inside exceptions have cost so far, in bytes
}

func (r reprer) repr(v any) string { return string(r.append(nil, v, r.depth)) }

// str is Python's str(): text stands for itself, an exception for its message.
func (r reprer) str(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if r.otherStr != nil && !brine.Dumpable(v) {
		return callRepr(r.otherStr, v)
	}
	if e, ok := v.(*Error); ok && e != nil {
		r.depth++
		return e.message(r)
	}
	return r.repr(v)
}

func (r reprer) append(b []byte, v any, depth int) []byte {
	if n, ok := v.(*big.Int); ok && n == nil {
		v = nil
	}
	return pyvalue.AppendRepr(b, v, depth, r.appendOther)
}

// appendOther renders what is no plain value.
func (r reprer) appendOther(b []byte, v any, depth int) []byte {
	if !brine.Dumpable(v) && r.other != nil {
		if len(b) > maxGoRepr { // a peer can have one object be an argument a thousand times
			return append(b, "..."...)
		}
		return append(b, callRepr(r.other, v)...)
	}
	return r.appendGo(b, reflect.ValueOf(v), depth)
}

// appendGo renders a value that has none of the forms of package brine.
func (r reprer) appendGo(b []byte, v reflect.Value, depth int) []byte {
	if depth > maxGoDepth || len(b) > maxGoRepr {
		return append(b, "..."...)
	}
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, "None"...)
	case reflect.Bool:
		return r.append(b, v.Bool(), depth)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return pyvalue.AppendFloat(b, v.Float())
	case reflect.Complex64, reflect.Complex128:
		return pyvalue.AppendComplex(b, v.Complex())
	case reflect.String:
		return pyvalue.AppendStr(b, v.String())
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return pyvalue.AppendBytes(b, v.Bytes())
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ", "...)
			}
			if len(b) > maxGoRepr {
				b = append(b, "..."...)
				break
			}
			b = r.appendMember(b, v.Index(i), depth+1)
		}
		return append(b, ']')
	case reflect.Map:
		return r.appendMap(b, v, depth)
	case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if v.IsNil() {
			return append(b, "None"...)
		}
		if v.Kind() == reflect.Interface {
			return r.appendMember(b, v.Elem(), depth)
		}
	}
	return r.appendObject(b, v, depth)
}

// appendMember renders a part of a Go value, which may be unexported and so
// out of reach as an interface value.
func (r reprer) appendMember(b []byte, v reflect.Value, depth int) []byte {
	if v.IsValid() && v.CanInterface() {
		return r.append(b, v.Interface(), depth)
	}
	return r.appendGo(b, v, depth)
}

func (r reprer) appendMap(b []byte, v reflect.Value, depth int) []byte {
	b = append(b, '{')
	size := len(b)
	var items []string
	for iter := v.MapRange(); iter.Next() && size <= maxGoRepr; {
		key := r.appendMember(nil, iter.Key(), depth+1)
		item := string(r.appendMember(append(key, ": "...), iter.Value(), depth+1))
		items = append(items, item)
		size += len(item)
	}
	slices.Sort(items)
	if len(items) < v.Len() {
		items = append(items, "...")
	}
	b = append(b, strings.Join(items, ", ")...)
	return append(b, '}')
}

// appendObject describes a value that resembles nothing in Python.
func (r reprer) appendObject(b []byte, v reflect.Value, depth int) []byte {
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case *Error:
			b = append(append(b, x.class().name...), '(')
			return append(pyvalue.AppendReprs(b, x.Args, depth, r.appendOther), ')')
		case *Class:
			return append(b, "<class '"+strings.TrimPrefix(x.module+"."+x.name, "builtins.")+"'>"...)
		}
	}
	name := strings.TrimLeft(v.Type().String(), "*")
	text, ok := ownText(v)
	if !ok {
		return append(b, "<"+name+" object>"...)
	}
	return append(pyvalue.AppendStr(append(b, "<"+name+" "...), text), '>')
}

// ownText is what the Error or String method of a Go value returns, if it has one that does. Such a method can call
// Repr for values that contain others like it. As the depth cannot be passed through it, the size of the stack decides
// whether it is called.
func ownText(v reflect.Value) (text string, ok bool) {
	var frame [1]uintptr
	if !v.CanInterface() || runtime.Callers(maxGoStack, frame[:]) > 0 {
		return "", false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	switch x := v.Interface().(type) {
	case error:
		text = x.Error()
	case fmt.Stringer:
		text = x.String()
	default:
		return "", false
	}
	return text, len(text) <= maxGoRepr // quoting texts inside texts doubles the backslashes each time
}

// callRepr calls a repr function that the caller of this package supplied.
func callRepr(f func(any) string, v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("<unprintable %T object>", v)
		}
	}()
	return f(v)
}
