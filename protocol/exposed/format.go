package exposed

import (
	"context"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Format is Python's format(v, spec).
func Format(ctx context.Context, v any, spec string) (s string, err error) {
	defer protect(&err)
	v = norm(v)
	var r any
	if o, ok := v.(*netref.Object); ok {
		r, err = o.CallMethod(ctx, "__format__", spec)
	} else {
		r, err = ClassOf(v).flat["__format__"].invoke(ctx, v, NewArgs([]any{spec}, nil))
	}
	if err != nil {
		return "", err
	}
	s, ok := norm(r).(string)
	if !ok {
		return "", vinegar.TypeError.Errorf("__format__ must return a str, not %s", TypeName(r))
	}
	return s, nil
}

// ASCII is what Python's ascii() makes of a representation: characters beyond ASCII become escapes.
func ASCII(repr string) string {
	var b strings.Builder
	for _, r := range repr {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			b.WriteString(escapeRune(r))
		}
	}
	return b.String()
}

func escapeRune(r rune) string {
	h := strconv.FormatInt(int64(r), 16)
	switch {
	case r < 0x100:
		return `\x` + h
	case r < 0x10000:
		return `\u` + strings.Repeat("0", 4-len(h)) + h
	}
	return `\U` + strings.Repeat("0", 8-len(h)) + h
}

// formatSpec is a format specification of Python's mini-language.
type formatSpec struct {
	fill      rune // 0 is a blank, or a zero
	align     byte // < > = ^, 0 if none is given
	sign      byte // + - or blank, 0 if none is given
	alternate bool
	zero      bool
	width     int // -1 if none is given
	group     byte
	precision int // -1 if none is given
	kind      byte
}

func parseSpec(spec, object string) (f formatSpec, err error) {
	f.width, f.precision = -1, -1
	rest := spec
	isAlign := func(c byte) bool { return strings.IndexByte("<>=^", c) >= 0 }
	if r, n := utf8.DecodeRuneInString(rest); n > 0 && len(rest) > n && isAlign(rest[n]) {
		f.fill, f.align = r, rest[n]
		rest = rest[n+1:]
	} else if rest != "" && isAlign(rest[0]) {
		f.align = rest[0]
		rest = rest[1:]
	}
	take := func(chars string) byte {
		if rest != "" && strings.IndexByte(chars, rest[0]) >= 0 {
			c := rest[0]
			rest = rest[1:]
			return c
		}
		return 0
	}
	number := func() int {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 0 {
			return -1
		}
		v, e := strconv.Atoi(rest[:n])
		if e != nil {
			err = vinegar.ValueError.New("Too many decimal digits in format string")
		} else if v > maxText {
			err = tooLong()
		}
		rest = rest[n:]
		return v
	}
	f.sign = take("+- ")
	f.alternate = take("#") != 0
	if f.fill == 0 && take("0") != 0 {
		f.zero, f.fill = true, '0'
		if f.align == 0 {
			f.align = '='
		}
	}
	f.width = number()
	f.group = take(",_")
	if f.group != 0 && rest != "" && strings.IndexByte(",_", rest[0]) >= 0 {
		if rest[0] == f.group {
			return f, vinegar.ValueError.Errorf("Cannot specify '%c' with '%c'.", f.group, rest[0])
		}
		return f, vinegar.ValueError.New("Cannot specify both ',' and '_'.")
	}
	if take(".") != 0 {
		if f.precision = number(); f.precision < 0 && err == nil {
			err = vinegar.ValueError.New("Format specifier missing precision")
		}
	}
	if err != nil {
		return f, err
	}
	if len(rest) > 1 {
		return f, vinegar.ValueError.Errorf("Invalid format specifier '%s' for object of type '%s'", spec, object)
	}
	if rest != "" {
		f.kind = rest[0]
	}
	return f, nil
}

func unknownCode(kind byte, object string) error {
	return vinegar.ValueError.Errorf("Unknown format code '%c' for object of type '%s'", kind, object)
}

// pad fills text up to the width. at is the length of the sign and prefix, behind which = fills.
func (f formatSpec) pad(text string, at int, align byte) string {
	if f.align != 0 {
		align = f.align
	}
	n := f.width - utf8.RuneCountInString(text)
	if n <= 0 {
		return text
	}
	fill := f.fill
	if fill == 0 {
		fill = ' '
	}
	some := func(n int) string { return strings.Repeat(string(fill), n) }
	switch align {
	case '<':
		return text + some(n)
	case '^':
		return some(n/2) + text + some(n-n/2)
	case '=':
		return text[:at] + some(n) + text[at:]
	}
	return some(n) + text
}

func formatString(s, spec string) (string, error) {
	f, err := parseSpec(spec, "str")
	switch {
	case err != nil:
	case f.kind != 0 && f.kind != 's':
		err = unknownCode(f.kind, "str")
	case f.sign == ' ':
		err = vinegar.ValueError.New("Space not allowed in string format specifier")
	case f.sign != 0:
		err = vinegar.ValueError.New("Sign not allowed in string format specifier")
	case f.alternate:
		err = vinegar.ValueError.New("Alternate form (#) not allowed in string format specifier")
	case f.group != 0:
		err = vinegar.ValueError.Errorf("Cannot specify '%c' with 's'.", f.group)
	case f.align == '=' && !f.zero:
		err = vinegar.ValueError.New("'=' alignment not allowed in string format specifier")
	}
	if err != nil {
		return "", err
	}
	if f.zero && f.align == '=' { // 0 before the width is a fill only
		f.align = '<'
	}
	if f.precision >= 0 {
		s = s[:offset(s, min(f.precision, utf8.RuneCountInString(s)))]
	}
	return f.pad(s, 0, '<'), nil
}

// number completes the digits of a number: sign, prefix, separators, width. tail is what follows the digits before the point.
func (f formatSpec) number(negative bool, prefix, digits, tail string) string {
	sign := ""
	switch {
	case negative:
		sign = "-"
	case f.sign == '+' || f.sign == ' ':
		sign = string(rune(f.sign))
	}
	head := sign + prefix
	if f.group != 0 {
		every := 3
		if f.kind == 'b' || f.kind == 'o' || f.kind == 'x' || f.kind == 'X' {
			every = 4
		}
		least := 0
		if f.fill == '0' && f.align == '=' {
			least = f.width - len(head) - len(tail)
		}
		digits = grouped(digits, f.group, every, least)
	}
	return f.pad(head+digits+tail, len(head), '>')
}

// grouped puts separators into digits, with zeros before them up to least characters.
func grouped(digits string, sep byte, every, least int) string {
	for n := len(digits); n+(n-1)/every < least; n++ {
		digits = "0" + digits
	}
	var b strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%every == 0 {
			b.WriteByte(sep)
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

func formatInt(n *big.Int, spec string) (string, error) {
	f, err := parseSpec(spec, "int")
	if err != nil {
		return "", err
	}
	base, prefix := 10, ""
	switch f.kind {
	case 0, 'd', 'n':
	case 'b', 'o', 'x', 'X':
		base, prefix = map[byte]int{'b': 2, 'o': 8, 'x': 16, 'X': 16}[f.kind], "0"+string(rune(f.kind))
		if f.group == ',' {
			return "", vinegar.ValueError.Errorf("Cannot specify ',' with '%c'.", f.kind)
		}
	case 'c':
		switch {
		case f.sign != 0:
			return "", vinegar.ValueError.New("Sign not allowed with integer format specifier 'c'")
		case f.alternate:
			return "", vinegar.ValueError.New("Alternate form (#) not allowed with integer format specifier 'c'")
		case f.group != 0:
			return "", vinegar.ValueError.Errorf("Cannot specify '%c' with 'c'.", f.group)
		case !n.IsInt64() || n.Int64() < 0 || n.Int64() > utf8.MaxRune:
			return "", vinegar.OverflowError.New("%c arg not in range(0x110000)")
		}
		return f.pad(string(rune(n.Int64())), 0, '<'), nil
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		x, err := number{kind: kindInt, big: n}.float()
		if err != nil {
			return "", err
		}
		return formatFloat(x, spec)
	default:
		return "", unknownCode(f.kind, "int")
	}
	if f.precision >= 0 {
		return "", vinegar.ValueError.New("Precision not allowed in integer format specifier")
	}
	if f.group != 0 && f.kind == 'n' {
		return "", vinegar.ValueError.Errorf("Cannot specify '%c' with 'n'.", f.group)
	}
	digits := strings.TrimPrefix(n.Text(base), "-")
	if f.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	if !f.alternate {
		prefix = ""
	}
	return f.number(n.Sign() < 0, prefix, digits, ""), nil
}

// maxPrecision bounds the digits of a number behind the point.
const maxPrecision = 1 << 20

func formatFloat(x float64, spec string) (string, error) {
	f, err := parseSpec(spec, "float")
	if err != nil {
		return "", err
	}
	switch f.kind {
	case 0, 'e', 'E', 'f', 'F', 'g', 'G', 'n', '%':
	default:
		return "", unknownCode(f.kind, "float")
	}
	if f.group != 0 && f.kind == 'n' {
		return "", vinegar.ValueError.Errorf("Cannot specify '%c' with 'n'.", f.group)
	}
	if f.precision > maxPrecision {
		return "", vinegar.MemoryError.Errorf("more than %d digits", maxPrecision)
	}
	text := floatDigits(math.Abs(x), f.kind, f.precision, f.alternate)
	split := 0
	for split < len(text) && text[split] >= '0' && text[split] <= '9' {
		split++
	}
	return f.number(math.Signbit(x) && !math.IsNaN(x), "", text[:split], text[split:]), nil
}

// floatDigits formats a number that is not negative. kind 0 is like repr, or with a precision like g.
func floatDigits(x float64, kind byte, precision int, alternate bool) string {
	upper := kind == 'E' || kind == 'F' || kind == 'G'
	cased := func(s string) string {
		if upper {
			return strings.ToUpper(s)
		}
		return s
	}
	percent := ""
	if kind == '%' {
		x *= 100
		percent = "%"
	}
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return cased(strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(x, 'g', -1, 64)), "+")) + percent
	}
	if precision < 0 && kind != 0 {
		precision = 6
	}
	point := ""
	if alternate && precision == 0 {
		point = "."
	}
	switch kind {
	case 'f', 'F', '%':
		return strconv.FormatFloat(x, 'f', precision, 64) + point + percent
	case 'e', 'E':
		s := strconv.FormatFloat(x, 'e', precision, 64)
		if point != "" {
			s = s[:1] + point + s[1:]
		}
		return cased(s)
	}
	dot := 0
	var s string
	switch {
	case kind == 0 && precision < 0:
		s = strconv.FormatFloat(x, 'e', -1, 64)
		precision = 17
		dot = 1
	default:
		precision = max(precision, 1)
		s = strconv.FormatFloat(x, 'e', precision-1, 64)
		if kind == 0 {
			dot = 1
		}
	}
	mantissa, exponent, _ := strings.Cut(s, "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	exp, _ := strconv.Atoi(exponent)
	if !alternate {
		digits = digits[:1] + strings.TrimRight(digits[1:], "0")
	}
	if decpt := exp + 1; decpt <= -4 || decpt > precision-dot {
		s = digits[:1]
		if len(digits) > 1 || alternate {
			s += "." + digits[1:]
		}
		return cased(s + "e" + exponent)
	}
	return fixed(digits, exp+1, dot == 1, alternate)
}

// fixed writes digits with the point behind the first decpt of them.
func fixed(digits string, decpt int, dot, alternate bool) string {
	switch {
	case decpt <= 0:
		return "0." + strings.Repeat("0", -decpt) + digits
	case decpt < len(digits):
		return digits[:decpt] + "." + digits[decpt:]
	}
	s := digits + strings.Repeat("0", decpt-len(digits))
	if dot {
		s += ".0"
	} else if alternate {
		s += "."
	}
	return s
}
