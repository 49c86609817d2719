package script

import (
	"strings"

	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// number makes a literal of a number.
func (p *parser) number(t token) syntax.Expr {
	v, err := pyvalue.ParseNumber(t.text)
	if err != nil {
		p.failAt(t, err.Error())
	}
	lit := &syntax.Literal{Token: syntax.INT, TokenPos: p.pos(t), Raw: "0", Value: v}
	switch v := v.(type) {
	case float64:
		lit.Token = syntax.FLOAT
	case complex128:
		lit.Token, lit.Value = syntax.FLOAT, imag(v)
		return p.call(complexCall, t, lit)
	}
	return lit
}

type literal = pyvalue.StringLiteral

func splitLiteral(text string) literal {
	l, _, _ := pyvalue.SplitString(text) // the lexer has found its end
	return l
}

// text makes the value of adjacent string literals.
func (p *parser) strings() syntax.Expr {
	first := p.tok
	var parts []syntax.Expr // of formatted ones
	var plain strings.Builder
	bytes := splitLiteral(first.text).Bytes
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
		if l.Bytes != bytes {
			p.fail("cannot mix bytes and nonbytes literals")
		}
		if l.Formatted {
			formatted = true
			p.formatted(p.tok, l, &plain, &parts, flush, 0)
			continue
		}
		plain.WriteString(p.unescape(p.tok, l, l.Body))
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

// unescape is the value of a part of a literal.
func (p *parser) unescape(t token, l literal, s string) string {
	value, err := l.Unescape(s)
	if err != nil {
		p.failAt(t, err.Error())
	}
	return value
}
