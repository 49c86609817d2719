package pytypes

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// spec is a format specification of Python's mini-language, or what a conversion of the operator % says.
type spec struct {
	fill      rune // ' ' if none is given
	align     byte // < > = ^
	aligned   bool // the alignment is given, or follows from a 0 before the width
	sign      byte // + - or blank, 0 if none is given
	positive  bool // z: a zero has no sign
	alternate bool
	width     int // -1 if none is given
	group     byte
	precision int // -1 if none is given
	kind      rune
}

// parseSpec reads the specification for an object of the type named: align is where that goes in its field, kind how it
// is presented, unless the specification says otherwise.
func parseSpec(text, object string, align byte, kind rune) (f spec, err error) {
	f = spec{fill: ' ', align: align, kind: kind, width: -1, precision: -1}
	rest := text
	isAlign := func(c byte) bool { return strings.IndexByte("<>=^", c) >= 0 }
	filled := false
	if r, n := utf8.DecodeRuneInString(rest); len(rest) > n && isAlign(rest[n]) {
		f.fill, f.align, f.aligned, filled = r, rest[n], true, true
		rest = rest[n+1:]
	} else if rest != "" && isAlign(rest[0]) {
		f.align, f.aligned = rest[0], true
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
		digits := rest[:n]
		rest = rest[n:]
		if n == 0 {
			return -1
		}
		v, e := strconv.Atoi(digits)
		switch {
		case err != nil:
		case e != nil:
			err = vinegar.ValueError.New("Too many decimal digits in format string")
		case v > MaxText:
			err = tooLong()
		}
		return v
	}
	f.sign = take("+- ")
	f.positive = take("z") != 0
	f.alternate = take("#") != 0
	if !filled && take("0") != 0 {
		f.fill = '0'
		if !f.aligned && align == '>' {
			f.align, f.aligned = '=', true
		}
	}
	f.width = number()
	f.group = take(",_")
	if f.group != 0 {
		switch other := take(",_"); other {
		case 0:
		case f.group:
			return f, vinegar.ValueError.Errorf("Cannot specify '%c' with '%c'.", f.group, other)
		default:
			return f, vinegar.ValueError.New("Cannot specify both ',' and '_'.")
		}
	}
	if take(".") != 0 {
		if f.precision = number(); f.precision < 0 && err == nil {
			err = vinegar.ValueError.New("Format specifier missing precision")
		}
	}
	if err != nil {
		return f, err
	}
	if utf8.RuneCountInString(rest) > 1 {
		return f, vinegar.ValueError.Errorf("Invalid format specifier '%s' for object of type '%s'", text, object)
	}
	if rest != "" {
		f.kind, _ = utf8.DecodeRuneInString(rest)
	}
	if f.group != 0 && !strings.ContainsRune("defgEG%F\x00", f.kind) &&
		(f.group == ',' || !strings.ContainsRune("boxX", f.kind)) {
		return f, vinegar.ValueError.Errorf("Cannot specify '%c' with '%c'.", f.group, f.kind)
	}
	return f, nil
}

// pad fills text up to the width. head is the length of the sign and prefix, behind which = fills.
func (f spec) pad(text string, head int) (string, error) {
	n := f.width - utf8.RuneCountInString(text)
	if n <= 0 {
		return text, nil
	}
	fill := string(f.fill)
	if n > MaxText/len(fill) {
		return "", tooLong()
	}
	left := n
	switch f.align {
	case '<':
		left = 0
	case '^':
		left = n / 2
	case '=':
		return text[:head] + strings.Repeat(fill, n) + text[head:], nil
	}
	return strings.Repeat(fill, left) + text + strings.Repeat(fill, n-left), nil
}

// number completes the digits of a number: sign, prefix, separators, width. tail is what follows the digits before the
// point.
func (f spec) number(negative bool, prefix, digits, tail string) (string, error) {
	head := f.signOf(negative) + prefix
	if f.group != 0 && digits != "" {
		every := 3
		if strings.ContainsRune("boxX", f.kind) {
			every = 4
		}
		least := 0
		if f.fill == '0' && f.align == '=' {
			least = f.width - len(head) - len(tail)
		}
		digits = grouped(digits, f.group, every, least)
	}
	return f.pad(head+digits+tail, len(head))
}

func (f spec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case f.sign == '+' || f.sign == ' ':
		return string(rune(f.sign))
	}
	return ""
}

// grouped puts separators between digits, with zeros before them so that there are at least so many characters.
func grouped(digits string, sep byte, every, least int) string {
	n := least - least/(every+1) // n digits take n + (n-1)/every characters
	if least%(every+1) == 0 {
		n++
	}
	if n > len(digits) {
		digits = strings.Repeat("0", n-len(digits)) + digits
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
