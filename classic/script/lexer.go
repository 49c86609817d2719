package script

import (
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	newlineToken
	indentToken
	dedentToken
	nameToken
	keywordToken
	numberToken
	stringToken
	operatorToken
)

// token is a word of a program: an operator's or name's text, or a literal's value.
type token struct {
	kind      tokenKind
	text      string // of names, keywords and operators; the whole literal of strings and numbers
	line, col int    // from 1
}

func (t token) is(text string) bool {
	return (t.kind == operatorToken || t.kind == keywordToken) && t.text == text
}

// signs are the operators, the longest first.
var signs = strings.Fields(`**= //= >>= <<= ... != == <= >= -> := += -= *= /= %= &= |= ^= @= ** // << >>
	( ) [ ] { } , : . ; @ = + - * / % & | ^ ~ < >`)

const maxBrackets = 200 // open at a time, as in CPython

// lexer splits a program into tokens as Python's tokenizer does.
type lexer struct {
	src       string
	at        int
	line      int
	lineStart int
	open      []byte // brackets
	indents   []int
	tokens    []token
}

// tokenize returns the tokens of a program, the last of which is an endToken. It panics with a failure.
func tokenize(src string) []token {
	l := &lexer{src: src, line: 1, indents: []int{0}}
	for l.at < len(l.src) {
		if l.at == l.lineStart && len(l.open) == 0 {
			l.indentation()
			if l.at >= len(l.src) {
				break
			}
		}
		l.next()
	}
	if len(l.open) > 0 {
		l.cut("'" + string(l.open[len(l.open)-1]) + "' was never closed")
	}
	if n := len(l.tokens); n > 0 && l.tokens[n-1].kind != newlineToken {
		l.add(newlineToken, l.at, "")
	}
	for range l.indents[1:] {
		l.add(dedentToken, l.at, "")
	}
	l.add(endToken, l.at, "")
	return l.tokens
}

// failure is how the lexer and parser stop at a mistake.
type failure struct {
	err error
	cut bool // more text may mend it
}

func catchSyntax(err *error) {
	if p := recover(); p != nil {
		*err = failed(p).err
	}
}

// failed is the failure of a panic; any other panics again.
func failed(p any) failure {
	f, ok := p.(failure)
	if !ok {
		panic(p)
	}
	return f
}

func (l *lexer) fail(text string) { l.stop(text, false) }

// cut is fail for a text that ends too early.
func (l *lexer) cut(text string) { l.stop(text, true) }

func (l *lexer) stop(text string, cut bool) {
	panic(failure{syntaxError(text, l.line, l.at-l.lineStart+1, l.src), cut})
}

func (l *lexer) add(kind tokenKind, at int, text string) {
	l.tokens = append(l.tokens, token{kind, text, l.line, at - l.lineStart + 1})
}

// indentation begins a line; blank ones are skipped.
func (l *lexer) indentation() {
	width, i := 0, l.at
	for ; i < len(l.src); i++ {
		switch l.src[i] {
		case ' ':
			width++
			continue
		case '\t':
			width = width/8*8 + 8
			continue
		case '\f':
			width = 0
			continue
		}
		break
	}
	l.at = i
	if i >= len(l.src) || l.src[i] == '\n' || l.src[i] == '\r' || l.src[i] == '#' {
		return
	}
	top := l.indents[len(l.indents)-1]
	if width > top {
		if len(l.indents) >= 100 {
			panic(failure{err: vinegar.IndentationError.New("too many levels of indentation")})
		}
		l.indents = append(l.indents, width)
		l.add(indentToken, i, "")
		return
	}
	for width < l.indents[len(l.indents)-1] {
		l.indents = l.indents[:len(l.indents)-1]
		l.add(dedentToken, i, "")
	}
	if width != l.indents[len(l.indents)-1] {
		l.fail("unindent does not match any outer indentation level")
	}
}

func (l *lexer) newline() {
	l.at++
	l.line++
	l.lineStart = l.at
}

// next takes one token, or what lies between tokens.
func (l *lexer) next() {
	c := l.src[l.at]
	switch {
	case c == '\n':
		if n := len(l.tokens); len(l.open) == 0 && n > 0 && l.tokens[n-1].kind != newlineToken &&
			l.tokens[n-1].kind != indentToken && l.tokens[n-1].kind != dedentToken {
			l.add(newlineToken, l.at, "")
		}
		l.newline()
	case c == ' ' || c == '\t' || c == '\r' || c == '\f':
		l.at++
	case c == '#':
		for l.at < len(l.src) && l.src[l.at] != '\n' {
			l.at++
		}
	case c == '\\':
		if l.at == len(l.src)-1 {
			l.cut("unexpected EOF while parsing")
		}
		if !strings.HasPrefix(l.src[l.at:], "\\\n") {
			l.fail("unexpected character after line continuation character")
		}
		l.at++
		start := l.lineStart
		l.newline()
		if start == l.lineStart || l.at >= len(l.src) {
			l.cut("unexpected EOF while parsing")
		}
		l.at = l.skipBlanks(l.at) // its indentation means nothing
	case l.stringPrefix() >= 0:
		l.string()
	case c >= '0' && c <= '9' || c == '.' && l.at+1 < len(l.src) && l.src[l.at+1] >= '0' && l.src[l.at+1] <= '9':
		l.number()
	default:
		if n := pyvalue.NameLength(l.src[l.at:]); n > 0 {
			kind, text := nameToken, l.src[l.at:l.at+n]
			if pyvalue.IsKeyword(text) {
				kind = keywordToken
			}
			l.add(kind, l.at, text)
			l.at += n
			return
		}
		l.operator()
	}
}

func (l *lexer) skipBlanks(at int) int {
	for at < len(l.src) && (l.src[at] == ' ' || l.src[at] == '\t') {
		at++
	}
	if at == l.lineStart { // not taken for the beginning of a line
		l.lineStart--
	}
	return at
}

func (l *lexer) operator() {
	for _, op := range signs {
		if !strings.HasPrefix(l.src[l.at:], op) {
			continue
		}
		switch c := op[0]; c {
		case '(', '[', '{':
			if l.open = append(l.open, c); len(l.open) > maxBrackets {
				l.fail("too many nested parentheses")
			}
		case ')', ']', '}':
			n := len(l.open)
			if n == 0 {
				l.fail("unmatched '" + op + "'")
			}
			if o := l.open[n-1]; o+1 != c && o+2 != c {
				l.fail("closing parenthesis '" + op + "' does not match opening parenthesis '" + string(o) + "'")
			}
			l.open = l.open[:n-1]
		}
		l.add(operatorToken, l.at, op)
		l.at += len(op)
		return
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.at:])
	if r == '$' || r == '?' || r == '!' || r == '`' {
		l.fail("invalid syntax")
	}
	l.fail("invalid character '" + string(r) + "'")
}

func (l *lexer) number() {
	start := l.at
	hex := strings.HasPrefix(l.src[start:], "0x") || strings.HasPrefix(l.src[start:], "0X")
	dot := false
	for l.at < len(l.src) {
		c := l.src[l.at]
		if c == '.' { // 1.5.real
			if dot || hex {
				break
			}
			dot = true
		}
		sign := (c == '+' || c == '-') && l.at > start && !hex && (l.src[l.at-1] == 'e' || l.src[l.at-1] == 'E')
		if c != '.' && !sign && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			break
		}
		if !hex && c >= 'a' && c <= 'z' && !strings.ContainsRune("eExXoObBjJ_", rune(c)) { // 1if x: as old programs have it
			break
		}
		l.at++
	}
	text := l.src[start:l.at]
	if strings.HasSuffix(text, "e") && !hex { // 1else
		if strings.HasPrefix(l.src[l.at:], "lse") {
			l.at--
			text = text[:len(text)-1]
		}
	}
	l.add(numberToken, start, text)
}

// stringPrefix is the length of the letters before the quotes of a string that begins here, -1 if none does.
func (l *lexer) stringPrefix() int {
	for i := 0; i < 3 && l.at+i < len(l.src); i++ {
		switch c := l.src[l.at+i]; {
		case c == '\'' || c == '"':
			return i
		case !strings.ContainsRune("rRbBuUfF", rune(c)):
			return -1
		}
	}
	return -1
}

func (l *lexer) string() {
	start, line, lineStart := l.at, l.line, l.lineStart
	l.at += l.stringPrefix()
	quote := l.src[l.at : l.at+1]
	if strings.HasPrefix(l.src[l.at:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	l.at += len(quote)
	for !strings.HasPrefix(l.src[l.at:], quote) {
		if l.at < len(l.src) && l.src[l.at] == '\\' {
			l.at++
		}
		if l.at >= len(l.src) || len(quote) == 1 && l.src[l.at] == '\n' && l.src[l.at-1] != '\\' {
			end := l.line
			l.at, l.line, l.lineStart = start, line, lineStart
			if len(quote) == 3 {
				l.cut("unterminated triple-quoted string literal (detected at line " + itoa(end) + ")")
			}
			l.fail("unterminated string literal (detected at line " + itoa(line) + ")")
		}
		if l.src[l.at] == '\n' {
			l.line++
			l.lineStart = l.at + 1
		}
		l.at++
	}
	l.at += len(quote)
	l.tokens = append(l.tokens, token{stringToken, l.src[start:l.at], line, start - lineStart + 1})
}
