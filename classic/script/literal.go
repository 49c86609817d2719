package script

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

// number makes a literal of a number.
func (p *parser) number(t token) syntax.Expr {
	text := t.text
	if strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__") {
		p.failAt(t, "invalid decimal literal")
	}
	text = strings.ToLower(strings.ReplaceAll(text, "_", ""))
	lit := &syntax.Literal{TokenPos: p.pos(t), Raw: "0"}
	isInt := len(text) > 1 && text[0] == '0' && strings.ContainsRune("xob", rune(text[1]))
	switch {
	case !isInt && strings.HasSuffix(text, "j"):
		f, err := strconv.ParseFloat(text[:len(text)-1], 64)
		if err != nil && f == 0 {
			p.failAt(t, "invalid decimal literal")
		}
		lit.Token, lit.Value = syntax.FLOAT, f
		return p.call(complexCall, t, lit)
	case !isInt && strings.ContainsAny(text, ".e"):
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && f == 0 {
			p.failAt(t, "invalid decimal literal")
		}
		lit.Token, lit.Value = syntax.FLOAT, f
		return lit
	}
	if len(text) > 4300 && !isInt {
		p.failAt(t, "Exceeds the limit (4300 digits) for integer string conversion: value has "+itoa(len(text))+" digits")
	}
	if !isInt && len(text) > 1 && text[0] == '0' && strings.Trim(text, "0") != "" {
		p.failAt(t, "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
	}
	base := 0
	if !isInt {
		base = 10
	}
	b, ok := new(big.Int).SetString(text, base)
	if !ok {
		p.failAt(t, "invalid decimal literal")
	}
	lit.Token, lit.Value = syntax.INT, any(b)
	if b.IsInt64() {
		lit.Value = b.Int64()
	}
	return lit
}

// literal is a string literal taken apart.
type literal struct {
	body                  string
	raw, bytes, formatted bool
}

func splitLiteral(text string) (l literal) {
	i := strings.IndexAny(text, `'"`)
	prefix := strings.ToLower(text[:i])
	l.raw, l.bytes, l.formatted = strings.Contains(prefix, "r"), strings.Contains(prefix, "b"),
		strings.Contains(prefix, "f")
	n := 1
	if len(text) >= i+6 && text[i] == text[i+1] && text[i] == text[i+2] {
		n = 3
	}
	l.body = strings.ReplaceAll(text[i+n:len(text)-n], "\r\n", "\n")
	return l
}

// text makes the value of adjacent string literals.
func (p *parser) strings() syntax.Expr {
	first := p.tok
	var parts []syntax.Expr // of formatted ones
	var plain strings.Builder
	bytes := splitLiteral(first.text).bytes
	flush := func() {
		if plain.Len() > 0 {
			parts = append(parts, &syntax.Literal{Token: syntax.STRING, TokenPos: p.pos(first), Raw: `""`,
				Value: plain.String()})
			plain.Reset()
		}
	}
	formatted := false
	for ; p.tok.kind == stringToken; p.next() {
		l := splitLiteral(p.tok.text)
		if l.bytes != bytes {
			p.fail("cannot mix bytes and nonbytes literals")
		}
		if l.formatted {
			formatted = true
			p.formatted(p.tok, l, &plain, &parts, flush, 0)
			continue
		}
		plain.WriteString(p.unescape(p.tok, l, l.body))
	}
	if formatted {
		flush()
		return p.call(joinCall, first, parts...)
	}
	kind := syntax.STRING
	if bytes {
		kind = syntax.BYTES
	}
	return &syntax.Literal{Token: kind, TokenPos: p.pos(first), Raw: `""`, Value: plain.String()}
}

var simpleEscapes = map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n',
	'r': '\r', 't': '\t', 'v': '\v'}

// unescape is the value of a part of a literal.
func (p *parser) unescape(t token, l literal, s string) string {
	if l.bytes {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				p.failAt(t, "bytes can only contain ASCII literal characters")
			}
		}
	}
	if l.raw || strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	character := func(n int64) {
		switch {
		case l.bytes:
			b.WriteByte(byte(n))
		case n > utf8.MaxRune:
			p.failAt(t, "(unicode error) 'unicodeescape' codec can't decode bytes: illegal Unicode character")
		case n >= 0xd800 && n < 0xe000:
			p.failAt(t, "surrogates in literals are not supported by this server")
		default:
			b.WriteRune(rune(n))
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++ // there is another one, or the lexer would not have found the end
		c := s[i]
		digits := 0
		switch {
		case c == '\n':
			continue
		case simpleEscapes[c] != 0:
			b.WriteByte(simpleEscapes[c])
			continue
		case c >= '0' && c <= '7':
			end := i + 1
			for end < len(s) && end < i+3 && s[end] >= '0' && s[end] <= '7' {
				end++
			}
			n, _ := strconv.ParseInt(s[i:end], 8, 32)
			character(n)
			i = end - 1
			continue
		case c == 'x':
			digits = 2
		case c == 'u' && !l.bytes:
			digits = 4
		case c == 'U' && !l.bytes:
			digits = 8
		case c == 'N' && !l.bytes:
			p.failAt(t, `\N in literals is not supported by this server`)
		}
		if digits == 0 { // no escape: both characters stay
			b.WriteByte('\\')
			b.WriteByte(c)
			continue
		}
		if i+digits >= len(s) {
			p.truncated(t, l, c)
		}
		n, err := strconv.ParseUint(s[i+1:i+1+digits], 16, 32)
		if err != nil {
			p.truncated(t, l, c)
		}
		character(int64(n))
		i += digits
	}
	return b.String()
}

func (p *parser) truncated(t token, l literal, c byte) {
	if l.bytes {
		p.failAt(t, `(value error) invalid \x escape`)
	}
	p.failAt(t, "(unicode error) 'unicodeescape' codec can't decode bytes: truncated \\"+
		string(c)+strings.Repeat("X", map[byte]int{'x': 2, 'u': 4, 'U': 8}[c])+" escape")
}
