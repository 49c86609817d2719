package pyvalue

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// maxLiteralDepth bounds the brackets of a literal, as CPython's parser does.
const maxLiteralDepth = 200

// ParseLiteral reads a Python literal, as ast.literal_eval does: None, True, False, ..., numbers with signs and complex
// sums, texts and bytes in all their forms but f-strings, and tuples of them; lists, which become []any, and dicts,
// which become map[any]any. Sets, and dicts with keys that Go cannot compare, are refused.
func ParseLiteral(text string) (any, error) {
	p := literalParser{text: text, containers: true}
	v, err := p.whole()
	if err == nil && p.skip() < len(text) {
		err = fmt.Errorf("%q follows the literal", text[p.at:])
	}
	return v, err
}

// ScanLiteral reads the plain Python literal that text begins with, which is none of those with lists or dicts, and
// returns what follows it.
func ScanLiteral(text string) (v any, rest string, err error) {
	p := literalParser{text: text}
	if v, err = p.value(0); err != nil {
		return nil, "", err
	}
	return v, text[p.at:], nil
}

type literalParser struct {
	text       string
	at         int
	containers bool
}

// skip passes over spaces.
func (p *literalParser) skip() int {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r\f", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.at
}

// take passes over spaces and then over s, if that follows.
func (p *literalParser) take(s string) bool {
	p.skip()
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

func (p *literalParser) bad() error {
	if p.at >= len(p.text) {
		return errors.New("a Python literal is missing")
	}
	return fmt.Errorf("%q is no Python literal", p.text[p.at:])
}

// whole reads a value, or a tuple without parentheses.
func (p *literalParser) whole() (any, error) {
	v, err := p.value(0)
	if err != nil || !p.take(",") {
		return v, err
	}
	items := brine.Tuple{v}
	for p.skip() < len(p.text) {
		if v, err = p.value(0); err != nil {
			return nil, err
		}
		items = append(items, v)
		if !p.take(",") {
			break
		}
	}
	return items, nil
}

var literalNames = map[string]any{"None": nil, "True": true, "False": false}

func (p *literalParser) value(depth int) (any, error) {
	if depth > maxLiteralDepth {
		return nil, errors.New("too many nested parentheses")
	}
	rest := p.text[p.skip():]
	switch {
	case rest == "":
		return nil, p.bad()
	case p.take("..."):
		return brine.Ellipsis, nil
	case p.take("("):
		items, comma, err := p.items(")", depth)
		if err == nil && len(items) == 1 && !comma {
			return items[0], nil
		}
		return brine.Tuple(items), err
	case p.containers && p.take("["):
		items, _, err := p.items("]", depth)
		return items, err
	case p.containers && p.take("{"):
		return p.dict(depth)
	case rest[0] == '+' || rest[0] == '-' || rest[0] == '.' || rest[0] >= '0' && rest[0] <= '9':
		return p.sum()
	}
	if prefix := stringPrefix(rest); prefix >= 0 {
		return p.texts()
	}
	word := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"))
	if v, ok := literalNames[rest[:word]]; ok {
		p.at += word
		return v, nil
	}
	return nil, p.bad()
}

// items reads what is between brackets; comma tells whether one was there.
func (p *literalParser) items(end string, depth int) (items []any, comma bool, err error) {
	items = []any{}
	for !p.take(end) {
		if len(items) > 0 && !comma {
			return nil, false, p.bad()
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, false, err
		}
		items = append(items, v)
		if !p.take(",") {
			if !p.take(end) {
				return nil, false, p.bad()
			}
			return items, len(items) > 1, nil
		}
		comma = true
	}
	return items, comma, nil
}

func (p *literalParser) dict(depth int) (any, error) {
	d := map[any]any{}
	for !p.take("}") {
		k, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.take(":") {
			return nil, p.bad()
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if k != nil && !reflect.TypeOf(k).Comparable() {
			return nil, errors.New("the keys of a dict can be numbers and texts here")
		}
		d[k] = v
		if !p.take(",") && !strings.HasPrefix(p.text[p.skip():], "}") {
			return nil, p.bad()
		}
	}
	return d, nil
}

// sum reads a number, or a real and an imaginary one.
func (p *literalParser) sum() (any, error) {
	a, err := p.signed()
	if err != nil {
		return nil, err
	}
	at := p.at
	rest := p.text[p.skip():]
	if rest == "" || rest[0] != '+' && rest[0] != '-' || NumberOf(a).Kind == Complex {
		p.at = at
		return a, nil
	}
	minus := rest[0] == '-'
	p.at++
	p.skip()
	b, err := p.number()
	if err != nil {
		return nil, err
	}
	z, ok := b.(complex128)
	if !ok {
		return nil, p.bad()
	}
	re, err := NumberOf(a).ToFloat()
	if err != nil {
		return nil, err
	}
	if minus {
		z = -z
	}
	return complex(re, imag(z)), nil
}

func (p *literalParser) signed() (any, error) {
	sign := p.text[p.at]
	if sign != '+' && sign != '-' {
		return p.number()
	}
	p.at++
	p.skip()
	v, err := p.number()
	if err != nil || sign == '+' {
		return v, err
	}
	return Negate(NumberOf(v)), nil
}

func (p *literalParser) number() (any, error) {
	n := NumberLength(p.text[p.at:])
	if n == 0 {
		return nil, p.bad()
	}
	v, err := ParseNumber(p.text[p.at : p.at+n])
	p.at += n
	return v, err
}

// NumberLength is the length of the number that s begins with, as Python's tokenizer finds it, 0 if there is none. A
// number has no sign.
func NumberLength(s string) int {
	if s == "" || (s[0] < '0' || s[0] > '9') && (s[0] != '.' || len(s) < 2 || s[1] < '0' || s[1] > '9') {
		return 0
	}
	hex := len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x'
	i := 0
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '_' || c == '.' || digitValue(c) >= 0:
		case (c == '+' || c == '-') && !hex && s[i-1]|0x20 == 'e':
		default:
			return i
		}
	}
	return i
}

// ParseNumber reads a number as it is written in a Python program, without a sign: an int64, a *big.Int, a float64 or a
// complex128.
func ParseNumber(text string) (any, error) {
	bad := errors.New("invalid decimal literal")
	lower := strings.ToLower(text)
	based := len(lower) > 1 && lower[0] == '0' && strings.IndexByte("xob", lower[1]) >= 0
	switch {
	case lower == "" || strings.Trim(lower[:1], ".0123456789") != "":
		return nil, bad
	case based:
	case strings.HasSuffix(lower, "j"):
		f, ok := parseFloat(lower[:len(lower)-1])
		if !ok {
			return nil, bad
		}
		return complex(0, f), nil
	case strings.ContainsAny(lower, ".e"):
		f, ok := parseFloat(lower)
		if !ok {
			return nil, bad
		}
		return f, nil
	case lower[0] == '0' && strings.Trim(lower, "0_") != "" && strings.Trim(lower, "0123456789_") == "":
		return nil, errors.New("leading zeros in decimal integer literals are not permitted; " +
			"use an 0o prefix for octal integers")
	}
	v, err := parseInt(lower, 0)
	if err == errSyntax {
		err = bad
	} else if e, ok := err.(*Error); ok {
		text, _, _ := strings.Cut(e.Args[0].(string), "; ")
		err = errors.New(text)
	}
	return v, err
}

// texts reads adjacent literals of texts, or of bytes.
func (p *literalParser) texts() (any, error) {
	var b strings.Builder
	var first StringLiteral
	for n := 0; ; n++ {
		at := p.at
		l, length, err := SplitString(p.text[p.skip():])
		switch {
		case errors.Is(err, errNoString) && n > 0:
			p.at = at
			if first.Bytes {
				return []byte(b.String()), nil
			}
			return b.String(), nil
		case err != nil:
			return nil, err
		case l.Formatted:
			return nil, errors.New("an f-string is no literal")
		case n == 0:
			first = l
		case l.Bytes != first.Bytes:
			return nil, errors.New("cannot mix bytes and nonbytes literals")
		}
		s, err := l.Unescape(l.Body)
		if err != nil {
			return nil, err
		}
		b.WriteString(s)
		p.at += length
	}
}

// StringLiteral is a literal of a text or of bytes, taken apart.
type StringLiteral struct {
	Body                  string // what is between the quotes
	Raw, Bytes, Formatted bool
}

// stringPrefix is the length of the prefix of the string literal that s begins with, -1 if it begins with none.
func stringPrefix(s string) int {
	n := 0
	for n < len(s) && n < 3 && s[n] != '\'' && s[n] != '"' {
		n++
	}
	if n == len(s) || n == 3 {
		return -1
	}
	switch strings.ToLower(s[:n]) {
	case "", "r", "b", "u", "f", "br", "rb", "fr", "rf":
		return n
	}
	return -1
}

var errNoString = errors.New("no string literal")

// SplitString takes the string literal apart that s begins with. length is that of the whole.
func SplitString(s string) (l StringLiteral, length int, err error) {
	n := stringPrefix(s)
	if n < 0 {
		return l, 0, errNoString
	}
	prefix := strings.ToLower(s[:n])
	has := func(letter string) bool { return strings.Contains(prefix, letter) }
	l.Raw, l.Bytes, l.Formatted = has("r"), has("b"), has("f")
	length = QuotedLength(s[n:])
	if length < 0 {
		return l, 0, fmt.Errorf("unterminated string literal: %s", s)
	}
	quotes := 1
	if length >= 6 && s[n+1] == s[n] && s[n+2] == s[n] {
		quotes = 3
	}
	l.Body = strings.ReplaceAll(s[n+quotes:n+length-quotes], "\r\n", "\n")
	return l, n + length, nil
}

// QuotedLength is the length of the string literal that s, which begins with its quotes, starts with; -1 if it is not
// closed.
func QuotedLength(s string) int {
	quote := s[:1]
	if len(s) >= 3 && s[1] == s[0] && s[2] == s[0] {
		quote = s[:3]
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		case s[i] == '\n' && len(quote) == 1:
			return -1
		}
	}
	return -1
}

var simpleEscapes = map[byte]byte{
	'\\': '\\', '\'': '\'', '"': '"', 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

// Unescape is the value of s, a part of the literal's body. Names of characters (\N) are not known, nor are surrogates,
// which no Go string can hold.
func (l StringLiteral) Unescape(s string) (string, error) {
	if l.Bytes {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				return "", errors.New("bytes can only contain ASCII literal characters")
			}
		}
	}
	if l.Raw || strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		c := s[i]
		digits, base := 0, 16
		switch {
		case c == '\n':
			continue
		case simpleEscapes[c] != 0:
			b.WriteByte(simpleEscapes[c])
			continue
		case c >= '0' && c <= '7':
			base, digits = 8, 1
			for digits < 3 && i+digits < len(s) && s[i+digits] >= '0' && s[i+digits] <= '7' {
				digits++
			}
			i--
		case c == 'x':
			digits = 2
		case c == 'u' && !l.Bytes:
			digits = 4
		case c == 'U' && !l.Bytes:
			digits = 8
		case c == 'N' && !l.Bytes:
			return "", errors.New(`\N in literals is not supported`)
		default: // no escape: both characters stay
			b.WriteByte('\\')
			b.WriteByte(c)
			continue
		}
		if i+digits >= len(s) {
			return "", l.truncated(c)
		}
		n, err := strconv.ParseUint(s[i+1:i+1+digits], base, 32)
		switch {
		case err != nil:
			return "", l.truncated(c)
		case l.Bytes:
			b.WriteByte(byte(n))
		case n > utf8.MaxRune:
			return "", errors.New("(unicode error) 'unicodeescape' codec can't decode bytes: illegal Unicode character")
		case n >= 0xd800 && n < 0xe000:
			return "", errors.New("surrogates in literals are not supported")
		default:
			b.WriteRune(rune(n))
		}
		i += digits
	}
	return b.String(), nil
}

func (l StringLiteral) truncated(c byte) error {
	if l.Bytes {
		return errors.New(`(value error) invalid \x escape`)
	}
	return errors.New("(unicode error) 'unicodeescape' codec can't decode bytes: truncated \\" + string(c) +
		strings.Repeat("X", map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]) + " escape")
}
