package vinegar

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
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
	maxReprDepth = 400     // beyond anything brine can carry
	maxGoDepth   = 100     // for Go containers, which may contain themselves
	maxGoRepr    = 1 << 20 // bytes, for the same reason
	maxGoStack   = 2000    // frames from which on String and Error methods are not called
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
	if depth > maxReprDepth {
		return append(b, "..."...)
	}
	switch v := v.(type) {
	case nil:
		return append(b, "None"...)
	case bool:
		if v {
			return append(b, "True"...)
		}
		return append(b, "False"...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case *big.Int:
		if v == nil {
			return append(b, "None"...)
		}
		return v.Append(b, 10)
	case float64:
		return appendFloat(b, v)
	case complex128:
		return appendComplex(b, v)
	case string:
		return appendStr(b, v)
	case []byte:
		return appendBytes(b, v)
	case brine.Tuple:
		b = r.appendItems(append(b, '('), v, depth)
		if len(v) == 1 {
			b = append(b, ',')
		}
		return append(b, ')')
	case brine.FrozenSet:
		if len(v) == 0 {
			return append(b, "frozenset()"...)
		}
		return append(r.appendItems(append(b, "frozenset({"...), v, depth), "})"...)
	case brine.Slice:
		return append(r.appendItems(append(b, "slice("...), []any{v.Start, v.Stop, v.Step}, depth), ')')
	case brine.EllipsisType:
		return append(b, "Ellipsis"...)
	case brine.NotImplementedType:
		return append(b, "NotImplemented"...)
	}
	rv := reflect.ValueOf(v)
	if !brine.Dumpable(v) && r.other != nil {
		return append(b, callRepr(r.other, v)...)
	}
	return r.appendGo(b, rv, depth)
}

func (r reprer) appendItems(b []byte, items []any, depth int) []byte {
	for i, item := range items {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = r.append(b, item, depth+1)
	}
	return b
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
		return appendFloat(b, v.Float())
	case reflect.Complex64, reflect.Complex128:
		return appendComplex(b, v.Complex())
	case reflect.String:
		return appendStr(b, v.String())
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return appendBytes(b, v.Bytes())
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
			return append(r.appendItems(b, x.Args, depth), ')')
		case *Class:
			return append(b, "<class '"+strings.TrimPrefix(x.module+"."+x.name, "builtins.")+"'>"...)
		}
	}
	name := strings.TrimLeft(v.Type().String(), "*")
	text, ok := ownText(v)
	if !ok {
		return append(b, "<"+name+" object>"...)
	}
	return append(appendStr(append(b, "<"+name+" "...), text), '>')
}

// ownText is what the Error or String method of a Go value returns, if it has one that does. Such a method can call Repr for values
// that contain others like it. As the depth cannot be passed through it, the size of the stack decides whether it is called.
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

func appendFloat(b []byte, f float64) []byte {
	start := len(b)
	b = appendShortest(b, f)
	for _, c := range b[start:] {
		if c == '.' || c == 'e' || c == 'n' { // 'n' as in inf and nan
			return b
		}
	}
	return append(b, ".0"...)
}

// appendShortest is Python's float format 'r': the fewest digits that read back
// as the same number, with an exponent below 1e-04 and from 1e+16 on.
func appendShortest(b []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(b, "nan"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

func appendComplex(b []byte, c complex128) []byte {
	re, im := real(c), imag(c)
	if re == 0 && !math.Signbit(re) {
		return append(appendShortest(b, im), 'j')
	}
	b = appendShortest(append(b, '('), re)
	if math.IsNaN(im) || !math.Signbit(im) {
		b = append(b, '+')
	}
	return append(appendShortest(b, im), "j)"...)
}

// quote picks the quotes as Python does: single ones unless that would need
// escapes and double ones would not.
func quote(single, double bool) byte {
	if single && !double {
		return '"'
	}
	return '\''
}

func appendStr(b []byte, s string) []byte {
	q := quote(strings.IndexByte(s, '\'') >= 0, strings.IndexByte(s, '"') >= 0)
	b = append(b, q)
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\udc%02x`, s[0])
		case r == rune(q) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case unicode.IsPrint(r):
			b = append(b, s[:size]...)
		default:
			b = append(b, escapeRune(r)...)
		}
		s = s[size:]
	}
	return append(b, q)
}

// escapeRune writes a character by its number, in Python's shortest form.
func escapeRune(r rune) string {
	switch {
	case r <= 0xff:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

func appendBytes(b, p []byte) []byte {
	q := quote(slices.Contains(p, '\''), slices.Contains(p, '"'))
	b = append(b, 'b', q)
	for _, c := range p {
		switch {
		case c == q || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < 0x20 || c >= 0x7f:
			b = append(b, fmt.Sprintf(`\x%02x`, c)...)
		default:
			b = append(b, c)
		}
	}
	return append(b, q)
}
