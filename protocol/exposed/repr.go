package exposed

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// maxRepr bounds the text made of a value: containers that share their items can ask for an exponential amount.
const maxRepr = 16 << 20

// Repr is Python's repr(v).
func Repr(ctx context.Context, v any) (s string, err error) {
	defer protect(&err)
	v, _ = ByValue(v)
	return reprValue(ctx, v)
}

// Str is Python's str(v).
func Str(ctx context.Context, v any) (s string, err error) {
	defer protect(&err)
	v, _ = ByValue(v)
	switch x := v.(type) {
	case string:
		return x, nil
	case *netref.Object:
		return x.Str(ctx)
	}
	if a := ClassOf(v).flat["__str__"]; a != nil && a != objectClass.flat["__str__"] {
		return text(ctx, v, a)
	}
	return reprValue(ctx, v)
}

func reprValue(ctx context.Context, v any) (string, error) {
	if s, ok := reprScalar(v); ok {
		return s, nil
	}
	switch x := v.(type) {
	case *netref.Object:
		return x.Repr(ctx)
	case brine.Tuple:
		return reprTuple(ctx, x)
	case brine.FrozenSet:
		if len(x) == 0 {
			return "frozenset()", nil
		}
		return reprItems(ctx, "frozenset({", "})", x)
	case brine.Slice:
		return reprItems(ctx, "slice(", ")", []any{x.Start, x.Stop, x.Step})
	}
	return text(ctx, v, ClassOf(v).flat["__repr__"])
}

// text calls a method that has to return a str.
func text(ctx context.Context, v any, a *attr) (string, error) {
	r, err := a.invoke(ctx, v, &Args{})
	if err != nil {
		return "", err
	}
	r, _ = ByValue(r)
	s, ok := r.(string)
	if !ok {
		return "", vinegar.TypeError.Errorf("%s returned non-string (type %s)", a.name, TypeName(r))
	}
	return s, nil
}

func reprScalar(v any) (string, bool) {
	switch x := v.(type) {
	case nil:
		return "None", true
	case bool:
		if x {
			return "True", true
		}
		return "False", true
	case int64:
		return strconv.FormatInt(x, 10), true
	case *big.Int:
		return x.String(), true
	case float64:
		return reprFloat(x), true
	case complex128:
		return reprComplex(x), true
	case string:
		return reprString(x), true
	case []byte:
		return reprBytes(x), true
	case brine.EllipsisType:
		return "Ellipsis", true
	case brine.NotImplementedType:
		return "NotImplemented", true
	}
	return "", false
}

func reprTuple(ctx context.Context, t []any) (string, error) {
	if len(t) == 1 {
		return reprItems(ctx, "(", ",)", t)
	}
	return reprItems(ctx, "(", ")", t)
}

func reprItems(ctx context.Context, open, end string, items []any) (string, error) {
	ctx, err := descend(ctx, " while getting the repr of an object")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(open)
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := addRepr(ctx, &b, item); err != nil {
			return "", err
		}
	}
	b.WriteString(end)
	return b.String(), nil
}

func addRepr(ctx context.Context, b *strings.Builder, v any) error {
	form, _ := ByValue(v)
	s, err := reprValue(ctx, form)
	if err != nil {
		return err
	}
	if b.Len()+len(s) > maxRepr {
		return vinegar.MemoryError.Errorf("repr exceeds %d bytes", maxRepr)
	}
	b.WriteString(s)
	return nil
}

// reprFloat is the shortest text that reads back as the same float, in Python's notation.
func reprFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		return s // Go and Python agree on at least two digits of exponent
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func reprComplex(c complex128) string {
	part := func(f float64) string { return strings.TrimSuffix(reprFloat(f), ".0") }
	re, im := real(c), imag(c)
	if re == 0 && !math.Signbit(re) {
		return part(im) + "j"
	}
	s := part(im)
	if s[0] != '-' {
		s = "+" + s
	}
	return "(" + part(re) + s + "j)"
}

func reprString(s string) string {
	quote := byte('\'')
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		quote = '"'
	}
	b := make([]byte, 0, len(s)+2)
	b = append(b, quote)
	plain := 0
	for plain < len(s) && s[plain] >= ' ' && s[plain] < 0x7f && s[plain] != quote && s[plain] != '\\' {
		plain++
	}
	b = append(b, s[:plain]...)
	for i, n := plain, 0; i < len(s); i += n {
		r, size := utf8.DecodeRuneInString(s[i:])
		n = size
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\udc%02x`, s[i]) // as Python shows undecodable bytes
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < ' ' || r == 0x7f:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < 0x7f || unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r <= 0xff:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return string(append(b, quote))
}

func reprBytes(p []byte) string {
	quote := byte('\'')
	if strings.ContainsRune(string(p), '\'') && !strings.ContainsRune(string(p), '"') {
		quote = '"'
	}
	b := append(make([]byte, 0, len(p)+3), 'b', quote)
	for _, c := range p {
		switch {
		case c == quote || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c >= 0x7f:
			b = fmt.Appendf(b, `\x%02x`, c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, quote))
}

// address is a number that stands for the object where Python shows its address. It is no address, so that peers
// learn nothing about the memory layout, but constant for the object.
func address(v any) string {
	key, ok := Identity(v)
	if !ok {
		key = v
		if t := typeOf(v); t == nil || !t.Comparable() {
			key = t
		}
	}
	return fmt.Sprintf("0x7f%010x", uint64(hashOf(key))&0xffffffffff)
}
