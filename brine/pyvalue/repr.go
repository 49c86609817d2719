package pyvalue

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// MaxReprDepth is how deep containers may be nested in what AppendRepr renders, more than brine can carry.
const MaxReprDepth = 400

// AppendRepr appends Python's repr(v), which lies inside depth containers, to b. What is no plain value is left to
// other, and containers deeper than [MaxReprDepth] are shown as "...". There is no limit on the digits of an integer.
//
// Which characters are printable depends on the Unicode version, so that characters assigned only recently may be
// escaped on one side and not on the other. Bytes of a Go string that are no UTF-8 appear as the lone surrogates that
// Python's surrogateescape makes of them.
func AppendRepr(b []byte, v any, depth int, other func(b []byte, v any, depth int) []byte) []byte {
	if depth > MaxReprDepth {
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
		return v.Append(b, 10)
	case float64:
		return AppendFloat(b, v)
	case complex128:
		return AppendComplex(b, v)
	case string:
		return AppendStr(b, v)
	case []byte:
		return AppendBytes(b, v)
	case brine.Tuple:
		b = AppendReprs(append(b, '('), v, depth, other)
		if len(v) == 1 {
			b = append(b, ',')
		}
		return append(b, ')')
	case brine.FrozenSet:
		if len(v) == 0 {
			return append(b, "frozenset()"...)
		}
		return append(AppendReprs(append(b, "frozenset({"...), v, depth, other), "})"...)
	case brine.Slice:
		return append(AppendReprs(append(b, "slice("...), []any{v.Start, v.Stop, v.Step}, depth, other), ')')
	case brine.EllipsisType:
		return append(b, "Ellipsis"...)
	case brine.NotImplementedType:
		return append(b, "NotImplemented"...)
	}
	return other(b, v, depth)
}

// AppendReprs appends the reprs of the items of a container that lies inside depth others, with commas between them.
func AppendReprs(b []byte, items []any, depth int, other func(b []byte, v any, depth int) []byte) []byte {
	for i, item := range items {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = AppendRepr(b, item, depth+1, other)
	}
	return b
}

// Repr is Python's repr(v). What is no plain value, at any depth, is shown by its Go type.
func Repr(v any) string {
	return string(AppendRepr(nil, v, 0, func(b []byte, v any, _ int) []byte { return fmt.Appendf(b, "<Go %T>", v) }))
}

// AppendFloat appends the repr of a float: the shortest text that reads back as the same number.
func AppendFloat(b []byte, f float64) []byte {
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

// AppendComplex appends the repr of a complex number.
func AppendComplex(b []byte, c complex128) []byte {
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

// AppendStr appends the repr of a text.
func AppendStr(b []byte, s string) []byte {
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
			b = append(b, EscapeRune(r)...)
		}
		s = s[size:]
	}
	return append(b, q)
}

// EscapeRune writes a character by its number, in Python's shortest form.
func EscapeRune(r rune) string {
	switch {
	case r <= 0xff:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// AppendBytes appends the repr of a bytes object.
func AppendBytes(b, p []byte) []byte {
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
