package pyvalue

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// MaxIntDigits is CPython's limit for the digits of integers in texts, except in bases that are powers of two.
const MaxIntDigits = 4300

// maxIntText bounds the other bases.
const maxIntText = 1 << 20

// IsSpace reports whether str.isspace says so of a character: Go's spaces and four separators.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// numberText prepares a text for int() or float(): without the spaces around it, decimal digits of all scripts as
// ASCII. In bytes, and in a text that is all ASCII, only C's spaces count.
func numberText(x any) (s string, ok bool) {
	const spaces = " \t\n\v\f\r"
	switch x := x.(type) {
	case string:
		if strings.IndexFunc(x, func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
			return strings.Trim(x, spaces), true
		}
		return strings.Map(asciiDigit, strings.TrimFunc(x, IsSpace)), true
	case []byte:
		return strings.Trim(string(x), spaces), true
	}
	return "", false
}

// asciiDigit is the ASCII digit of a decimal digit of another script, whose blocks begin at the zero.
func asciiDigit(r rune) rune {
	if r <= unicode.MaxASCII || !unicode.Is(unicode.Nd, r) {
		return r
	}
	zero := r
	for r-zero < 9 && unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return '0' + (r-zero)%10
}

// ParseInt is Python's int(x, base) for a string or a []byte: an int64 or a *big.Int. The base may be 0.
func ParseInt(x any, base int) (any, error) {
	if base != 0 && (base < 2 || base > 36) {
		return nil, raise("ValueError", "int() base must be >= 2 and <= 36, or 0")
	}
	s, ok := numberText(x)
	if !ok {
		return nil, raise("TypeError", "int() can't convert non-string with explicit base")
	}
	v, err := parseInt(s, base)
	if err == errSyntax {
		shown := Repr(x)
		if n := 0; len(shown) > 200 {
			for i := range shown {
				if n++; n > 200 {
					shown = shown[:i]
					break
				}
			}
		}
		err = raise("ValueError", "invalid literal for int() with base %d: %s", base, shown)
	}
	return v, err
}

var errSyntax = fmt.Errorf("no number")

// parseInt reads an integer without spaces around it. Other errors than errSyntax are Python's.
func parseInt(s string, base int) (any, error) {
	digits, negative := s, false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative, digits = s[0] == '-', s[1:]
	}
	if len(digits) > 1 && digits[0] == '0' {
		prefix := map[byte]int{'x': 16, 'o': 8, 'b': 2}[digits[1]|0x20]
		if prefix != 0 && (base == prefix || base == 0) {
			base, digits = prefix, strings.TrimPrefix(digits[2:], "_")
		} else if base == 0 && strings.Trim(digits, "0_") != "" {
			return nil, errSyntax
		}
	}
	if base == 0 {
		base = 10
	}
	if digits == "" || digits[0] == '_' || digits[len(digits)-1] == '_' || strings.Contains(digits, "__") {
		return nil, errSyntax
	}
	digits = strings.ReplaceAll(digits, "_", "")
	for i := range len(digits) {
		if d := digitValue(digits[i]); d < 0 || d >= base {
			return nil, errSyntax
		}
	}
	if len(digits) > MaxIntDigits && base&(base-1) != 0 {
		return nil, raise("ValueError", "Exceeds the limit (%d digits) for integer string conversion: "+
			"value has %d digits; use sys.set_int_max_str_digits() to increase the limit", MaxIntDigits, len(digits))
	}
	if len(digits) > maxIntText {
		return nil, tooLarge()
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return nil, errSyntax
	}
	if negative {
		n.Neg(n)
	}
	return IntValue(n), nil
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// ParseFloat is Python's float(x) for a string or a []byte.
func ParseFloat(x any) (float64, error) {
	if s, ok := numberText(x); ok {
		if f, ok := parseFloat(s); ok {
			return f, nil
		}
	}
	return 0, raise("ValueError", "could not convert string to float: %s", Repr(x))
}

// parseFloat reads a float without spaces around it.
func parseFloat(s string) (f float64, ok bool) {
	bare := s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		bare = s[1:]
	}
	switch strings.ToLower(bare) {
	case "nan":
		return math.NaN(), true
	case "inf", "infinity":
		if s[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	// What is left of Go's forms that are not Python's: hexadecimal ones, and a second sign.
	other := strings.Trim(bare, "0123456789._eE+-") != ""
	if bare == "" || other || bare[0] == '-' || bare[0] == '+' || !underscoresFit(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	return f, err == nil || math.IsInf(f, 0)
}

// underscoresFit reports whether underscores stand between digits only.
func underscoresFit(s string) bool {
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		if s[i] == '_' && (!digit(i-1) || !digit(i+1)) {
			return false
		}
	}
	return true
}

// ParseComplex is Python's complex(s).
func ParseComplex(s string) (complex128, error) {
	text, _ := numberText(s)
	if !underscoresFit(text) {
		return 0, raise("ValueError", "could not convert string to complex: %s", Repr(s))
	}
	if n := len(text); n > 1 && text[0] == '(' && text[n-1] == ')' {
		text = strings.TrimFunc(text[1:n-1], IsSpace)
	}
	if z, ok := parseComplex(text); ok {
		return z, nil
	}
	return 0, raise("ValueError", "complex() arg is a malformed string")
}

func parseComplex(s string) (complex128, bool) {
	bare, imaginary := strings.CutSuffix(strings.ToLower(s), "j")
	if !imaginary {
		f, ok := parseFloat(s)
		return complex(f, 0), ok
	}
	split := strings.LastIndexFunc(bare, func(r rune) bool { return r == '+' || r == '-' })
	for split > 0 && bare[split-1] == 'e' { // of an exponent
		split = strings.LastIndexAny(bare[:split], "+-")
	}
	re := 0.0
	if split > 0 {
		var ok bool
		if re, ok = parseFloat(bare[:split]); !ok {
			return 0, false
		}
		bare = bare[split:]
	}
	if bare == "" || bare == "+" || bare == "-" {
		bare += "1"
	}
	im, ok := parseFloat(bare)
	return complex(re, im), ok
}

// IsIdentifier reports whether s has the form of a Python name, which keywords have, too.
func IsIdentifier(s string) bool { return s != "" && NameLength(s) == len(s) }

// NameLength is the length of the Python name that s begins with, 0 if there is none.
func NameLength(s string) int {
	for i, r := range s {
		if !unicode.In(r, idStart...) && (i == 0 || !unicode.In(r, idContinue...)) {
			return i
		}
	}
	return len(s)
}

var (
	underscore = &unicode.RangeTable{R16: []unicode.Range16{{Lo: '_', Hi: '_', Stride: 1}}, LatinOffset: 1}
	idStart    = []*unicode.RangeTable{underscore, unicode.L, unicode.Nl, unicode.Other_ID_Start}
	idContinue = []*unicode.RangeTable{unicode.Nd, unicode.Mn, unicode.Mc, unicode.Pc, unicode.Other_ID_Continue}
)

// Keywords are the words that are no names in Python, in alphabetical order. Those that are names where they have no
// other meaning, such as match, are not among them.
var Keywords = strings.Fields(`False None True and as assert async await break class continue def del elif else except
	finally for from global if import in is lambda nonlocal not or pass raise return try while with yield`)

var isKeyword = func() map[string]bool {
	m := make(map[string]bool, len(Keywords))
	for _, k := range Keywords {
		m[k] = true
	}
	return m
}()

// IsKeyword reports whether s is one of [Keywords].
func IsKeyword(s string) bool { return isKeyword[s] }
