package pytypes

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// cases are the methods that change characters, one at a time: first is said of the text's first one, inside of one
// that follows a letter that has case.
var cases = map[string]func(r rune, first, inside bool) rune{
	"upper": func(r rune, _, _ bool) rune { return unicode.ToUpper(r) },
	"lower": func(r rune, _, _ bool) rune { return unicode.ToLower(r) },
	"swapcase": func(r rune, _, _ bool) rune {
		switch {
		case isUpper(r):
			return unicode.ToLower(r)
		case isLower(r):
			return unicode.ToUpper(r)
		}
		return r
	},
	"title": func(r rune, _, inside bool) rune {
		if inside {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	},
	"capitalize": func(r rune, first, _ bool) rune {
		if first {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	},
}

// mapped changes characters; of bytes, only those of ASCII are letters.
func (k *kind) mapped(s string, f func(r rune, first, inside bool) rune) string {
	var b strings.Builder
	b.Grow(len(s))
	inside := false
	for i, r := range s {
		to := r
		letter := (k == ofStr || r <= unicode.MaxASCII) && hasCase(r)
		if letter {
			to = f(r, i == 0, inside)
		}
		inside = letter
		if to == utf8.RuneError && s[i] != "\uFFFD"[0] {
			b.WriteByte(s[i]) // a surrogate
		} else {
			b.WriteRune(to)
		}
	}
	return b.String()
}

// neutral replaces what is no ASCII in bytes by a character that is no letter, number or space.
func (k *kind) neutral(s string) string {
	if k == ofStr {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return utf8.RuneError
		}
		return r
	}, s)
}

// tests are the methods that tell what a text is made of.
var tests = map[string]func(string) bool{
	"isalpha": every(unicode.IsLetter),
	"isdigit": every(func(r rune) bool { return unicode.Is(unicode.Nd, r) || unicode.Is(digits, r) }),
	"isalnum": every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
	"isspace": every(pyvalue.IsSpace),
	"isascii": func(s string) bool { return s == "" || every(func(r rune) bool { return r <= unicode.MaxASCII })(s) },
	"islower": func(s string) bool {
		return strings.ContainsFunc(s, isLower) && !strings.ContainsFunc(s, isUpper) &&
			!strings.ContainsFunc(s, unicode.IsTitle)
	},
	"isupper": func(s string) bool {
		return strings.ContainsFunc(s, isUpper) && !strings.ContainsFunc(s, isLower) &&
			!strings.ContainsFunc(s, unicode.IsTitle)
	},
	"istitle": func(s string) bool {
		inside, any := false, false
		for _, r := range s {
			upper := isUpper(r) || unicode.IsTitle(r)
			if upper && inside || isLower(r) && !inside {
				return false
			}
			inside = hasCase(r)
			any = any || inside
		}
		return any
	},
}

// digits are the characters that are digits without being decimal ones, such as superscripts (Numeric_Type=Digit).
var digits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0xb2, 0xb3, 1}, {0xb9, 0xb9, 1}, {0x1369, 0x1371, 1}, {0x19da, 0x19da, 1}, {0x2070, 0x2070, 1}, {0x2074, 0x2079, 1},
		{0x2080, 0x2089, 1}, {0x2460, 0x2468, 1}, {0x2474, 0x247c, 1}, {0x2488, 0x2490, 1}, {0x24ea, 0x24ea, 1},
		{0x24f5, 0x24fd, 1},
		{0x24ff, 0x24ff, 1}, {0x2776, 0x277e, 1}, {0x2780, 0x2788, 1}, {0x278a, 0x2792, 1},
	},
	R32: []unicode.Range32{
		{0x10a40, 0x10a43, 1}, {0x10e60, 0x10e68, 1}, {0x11052, 0x1105a, 1}, {0x1f100, 0x1f10a, 1},
	},
	LatinOffset: 2,
}

func every(test func(rune) bool) func(string) bool {
	return func(s string) bool { return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !test(r) }) }
}

func isLower(r rune) bool { return unicode.IsLower(r) || unicode.Is(unicode.Other_Lowercase, r) }

func isUpper(r rune) bool { return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r) }

func hasCase(r rune) bool { return isLower(r) || isUpper(r) || unicode.IsTitle(r) }
