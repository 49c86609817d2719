package script

import (
	"strings"

	"go.starlark.net/syntax"
)

// formatted reads the parts of a formatted string: text into plain, values into parts as format@(value, conversion,
// spec). flush moves what is in plain to parts. A replacement field of a format specification has one level of its own.
func (p *parser) formatted(t token, l literal, plain *strings.Builder, parts *[]syntax.Expr, flush func(), level int) {
	s := l.Body
	for len(s) > 0 {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		if !l.Raw { // \N{…}
			if n := strings.Index(s[:i], `\N`); n >= 0 && i < len(s) && s[i] == '{' && n == i-2 {
				p.failAt(t, `\N in literals is not supported by this server`)
			}
		}
		plain.WriteString(p.unescape(t, l, s[:i]))
		s = s[i:]
		if s == "" {
			return
		}
		if level == 0 && len(s) > 1 && s[1] == s[0] {
			plain.WriteByte(s[0])
			s = s[2:]
			continue
		}
		if s[0] == '}' {
			p.failAt(t, "f-string: single '}' is not allowed")
		}
		if level > 1 {
			p.failAt(t, "f-string: expressions nested too deeply")
		}
		flush()
		s = p.field(t, l, s[1:], plain, parts, flush, level)
	}
}

// field reads a replacement field behind its brace and returns what follows it.
func (p *parser) field(t token, l literal, s string, plain *strings.Builder, parts *[]syntax.Expr, flush func(),
	level int) string {
	end := fieldEnd(s)
	if end < 0 {
		p.failAt(t, "f-string: expecting '}'")
	}
	source := s[:end]
	s = s[end:]
	if strings.Contains(source, "\\") {
		p.failAt(t, "f-string expression part cannot include a backslash")
	}
	conversion := ""
	if trimmed := strings.TrimRight(source, " \t\n"); strings.HasSuffix(trimmed, "=") &&
		!strings.HasSuffix(trimmed, "==") && !strings.HasSuffix(trimmed, "!=") && !strings.HasSuffix(trimmed, "<=") &&
		!strings.HasSuffix(trimmed, ">=") {
		plain.WriteString(source)
		flush()
		source = strings.TrimSuffix(trimmed, "=")
		if s[0] == '}' {
			conversion = "r"
		}
	}
	if s[0] == '!' {
		if len(s) < 3 || !strings.ContainsRune("rsa", rune(s[1])) || s[2] != ':' && s[2] != '}' {
			p.failAt(t, "f-string: invalid conversion character: expected 's', 'r', or 'a'")
		}
		conversion = s[1:2]
		s = s[2:]
	}
	if strings.TrimSpace(source) == "" {
		p.failAt(t, "f-string: empty expression not allowed")
	}
	spec := syntax.Expr(p.text("", t))
	if s[0] == ':' {
		n := specEnd(s[1:])
		if n < 0 {
			p.failAt(t, "f-string: expecting '}'")
		}
		var text strings.Builder
		var inner []syntax.Expr
		done := func() {
			if text.Len() > 0 {
				inner = append(inner, p.text(text.String(), t))
				text.Reset()
			}
		}
		part := l
		part.Body = s[1 : 1+n]
		p.formatted(t, part, &text, &inner, done, level+1)
		done()
		spec = p.call(joinCall, t, inner...)
		s = s[1+n:]
	}
	*parts = append(*parts, p.call(formatCall, t, p.embedded(t, source), p.text(conversion, t), spec))
	return s[1:]
}

// embedded is an expression in a string.
func (p *parser) embedded(t token, source string) (e syntax.Expr) {
	defer p.enter()()
	sub := newParser("(" + source + ")")
	sub.depth = p.depth
	for i := range sub.tokens { // errors are those of the string's line
		sub.tokens[i].line, sub.tokens[i].col = t.line, t.col
	}
	sub.tok = sub.tokens[0]
	e = sub.testList()
	if sub.tok.kind != newlineToken {
		sub.fail("f-string: invalid syntax")
	}
	return e
}

// fieldEnd finds where the expression of a replacement field ends: at !, : or }.
func fieldEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"':
			q := s[i : i+1]
			if strings.HasPrefix(s[i:], strings.Repeat(q, 3)) {
				q = strings.Repeat(q, 3)
			}
			n := strings.Index(s[i+len(q):], q)
			if n < 0 {
				return -1
			}
			i += n + 2*len(q) - 1
		case '(', '[', '{':
			depth++
		case ')', ']':
			depth--
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		case ':':
			if depth == 0 {
				return i
			}
		case '!':
			if depth == 0 && (i+1 >= len(s) || s[i+1] != '=') {
				return i
			}
		}
	}
	return -1
}

// specEnd finds the brace that ends a format specification.
func specEnd(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}
