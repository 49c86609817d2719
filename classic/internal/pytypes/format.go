package pytypes

import (
	"context"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Format is Python's format(v, spec).
func Format(ctx context.Context, v any, spec string) (string, error) {
	r, err := exposed.CallAttr(ctx, everything, v, "__format__", exposed.NewArgs([]any{spec}, nil))
	if err != nil {
		return "", err
	}
	s, ok := norm(r).(string)
	if !ok {
		return "", vinegar.TypeError.Errorf("__format__ must return a str, not %s", exposed.TypeName(r))
	}
	return s, nil
}

// formatMethod is __format__ of a class whose values v format a specification that is not empty.
func formatMethod(f func(v any, spec string) (string, error)) map[string]any {
	format := func(ctx context.Context, self any, args []any) (any, error) {
		spec, ok := norm(args[0]).(string)
		switch {
		case !ok:
			return nil, vinegar.TypeError.Errorf("__format__() argument must be str, not %s", exposed.TypeName(args[0]))
		case spec == "":
			return exposed.Str(ctx, self)
		}
		return f(norm(self), spec)
	}
	return map[string]any{"__format__": exposed.Native{Least: 1, Most: 1, Call: format}}
}

func unknownCode(kind rune, object string) error {
	if kind > 32 && kind < 128 {
		return vinegar.ValueError.Errorf("Unknown format code '%c' for object of type '%s'", kind, object)
	}
	return vinegar.ValueError.Errorf(`Unknown format code '\x%x' for object of type '%s'`, kind, object)
}

func formatString(v any, text string) (string, error) {
	f, err := parseSpec(text, "str", '<', 's')
	switch {
	case err != nil:
	case f.kind != 's':
		err = unknownCode(f.kind, "str")
	case f.sign == ' ':
		err = vinegar.ValueError.New("Space not allowed in string format specifier")
	case f.sign != 0:
		err = vinegar.ValueError.New("Sign not allowed in string format specifier")
	case f.positive:
		err = vinegar.ValueError.New("Negative zero coercion (z) not allowed in string format specifier")
	case f.alternate:
		err = vinegar.ValueError.New("Alternate form (#) not allowed in string format specifier")
	case f.align == '=':
		err = vinegar.ValueError.New("'=' alignment not allowed in string format specifier")
	}
	if err != nil {
		return "", err
	}
	s, _ := v.(string)
	return f.pad(f.cut(s), 0)
}

// cut shortens a text to the precision.
func (f spec) cut(s string) string {
	if f.precision < 0 || f.precision >= len(s) {
		return s
	}
	return s[:offset(s, min(f.precision, utf8.RuneCountInString(s)))]
}

func formatInt(v any, text string) (string, error) {
	n, _ := integer(v)
	f, err := parseSpec(text, exposed.TypeName(v), '>', 'd')
	if err != nil {
		return "", err
	}
	switch f.kind {
	case 'd', 'n', 'b', 'o', 'x', 'X', 'c':
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		x, err := pyvalue.NumberOf(v).ToFloat()
		if err != nil {
			return "", err
		}
		return f.float(x)
	default:
		return "", unknownCode(f.kind, exposed.TypeName(v))
	}
	switch {
	case f.precision >= 0:
		return "", vinegar.ValueError.New("Precision not allowed in integer format specifier")
	case f.positive:
		return "", vinegar.ValueError.New("Negative zero coercion (z) not allowed in integer format specifier")
	case f.kind != 'c':
		prefix, digits := f.digits(n)
		return f.number(n.Sign() < 0, prefix, digits, "")
	case f.sign != 0:
		return "", vinegar.ValueError.New("Sign not allowed with integer format specifier 'c'")
	case f.alternate:
		return "", vinegar.ValueError.New("Alternate form (#) not allowed with integer format specifier 'c'")
	case !n.IsInt64():
		return "", vinegar.OverflowError.New("Python int too large to convert to C long")
	case n.Int64() < 0 || n.Int64() > utf8.MaxRune:
		return "", vinegar.OverflowError.New("%c arg not in range(0x110000)")
	}
	return f.pad(string(rune(n.Int64())), 0)
}

// digits writes the absolute value of an integer in the base that b, o, x and X stand for.
func (f spec) digits(n *big.Int) (prefix, digits string) {
	base := map[rune]int{'b': 2, 'o': 8, 'x': 16, 'X': 16}[f.kind]
	if base == 0 {
		return "", strings.TrimPrefix(n.Text(10), "-")
	}
	if f.alternate {
		prefix = "0" + string(f.kind)
	}
	digits = strings.TrimPrefix(n.Text(base), "-")
	if f.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	return prefix, digits
}

func formatFloat(v any, text string) (string, error) {
	f, err := parseSpec(text, "float", '>', 0)
	if err != nil {
		return "", err
	}
	switch f.kind {
	case 0, 'e', 'E', 'f', 'F', 'g', 'G', 'n', '%':
	default:
		return "", unknownCode(f.kind, "float")
	}
	x, _ := v.(float64)
	return f.float(x)
}

// maxPrecision bounds the digits of a number behind the point.
const maxPrecision = 1 << 20

func (f spec) float(x float64) (string, error) {
	if f.precision > maxPrecision {
		return "", vinegar.MemoryError.Errorf("more than %d digits", maxPrecision)
	}
	text := f.floatDigits(math.Abs(x))
	split := 0
	for split < len(text) && text[split] >= '0' && text[split] <= '9' {
		split++
	}
	negative := math.Signbit(x) && !math.IsNaN(x)
	if negative && f.positive {
		negative = strings.ContainsAny(strings.SplitN(strings.ToLower(text), "e", 2)[0], "123456789i")
	}
	return f.number(negative, "", text[:split], text[split:])
}

// floatDigits formats a number that is not negative. Without a kind it is like repr, or with a precision like g.
func (f spec) floatDigits(x float64) string {
	s, percent := "", ""
	if f.kind == '%' {
		x *= 100
		percent = "%"
	}
	precision := f.precision
	if precision < 0 && f.kind != 0 {
		precision = 6
	}
	point := ""
	if f.alternate && precision == 0 {
		point = "."
	}
	switch {
	case math.IsInf(x, 0):
		s = "inf"
	case math.IsNaN(x):
		s = "nan"
	case f.kind == 'f' || f.kind == 'F' || f.kind == '%':
		s = strconv.FormatFloat(x, 'f', precision, 64) + point
	case f.kind == 'e' || f.kind == 'E':
		s = strconv.FormatFloat(x, 'e', precision, 64)
		s = s[:1] + point + s[1:]
	default:
		s = f.general(x, precision)
	}
	if f.kind == 'E' || f.kind == 'F' || f.kind == 'G' {
		s = strings.ToUpper(s)
	}
	return s + percent
}

// general is the presentation of g: fixed or with an exponent, as the size of the number wants it. Without a kind there
// is a digit behind the point at least, and as many digits as it takes if there is no precision.
func (f spec) general(x float64, precision int) string {
	if precision == 0 {
		precision = 1
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', max(precision-1, -1), 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	if precision < 0 {
		precision = 17
	}
	if !f.alternate {
		digits = digits[:1] + strings.TrimRight(digits[1:], "0")
	}
	exp, _ := strconv.Atoi(exponent)
	most := precision
	if f.kind == 0 {
		most--
	}
	switch point := exp + 1; { // where the point is among the digits
	case point <= -4 || point > most:
		s := digits[:1]
		if len(digits) > 1 || f.alternate {
			s += "." + digits[1:]
		}
		return s + "e" + exponent
	case point <= 0:
		return "0." + strings.Repeat("0", -point) + digits
	case point < len(digits):
		return digits[:point] + "." + digits[point:]
	default:
		s := digits + strings.Repeat("0", point-len(digits))
		switch {
		case f.kind == 0:
			s += ".0"
		case f.alternate:
			s += "."
		}
		return s
	}
}
