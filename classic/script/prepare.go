package script

import (
	"strings"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Statements of Python that Starlark's grammar does not have are turned into calls and assignments that it has, before it
// parses: import, from, raise, assert, del, global; and the operators "is" and "is not" into an "in" with a mark. Lines keep
// their numbers. Names that begin with two underscores and a capital are the rewriter's own.

// unsupported are the words that begin statements of Python that eval and execute do not know.
var unsupported = map[string]string{
	"try": "try", "except": "try", "finally": "try", "with": "with", "class": "class", "async": "async", "yield": "yield",
	"nonlocal": "nonlocal", "await": "await",
}

// statement is the part of a logical line that is one simple statement, or the head of a compound one.
type scanner struct {
	src   string
	out   strings.Builder
	at    int
	depth int // open brackets
	line  int
	unary int // signs in a row
}

const (
	maxNesting = 200  // of brackets, as in CPython
	maxSigns   = 1000 // in a row
)

// prepare returns source that Starlark can parse.
func prepare(src string) (string, error) {
	s := &scanner{src: src, line: 1}
	start := true // a statement may begin here
	for s.at < len(s.src) {
		if start {
			s.copySpace()
			if s.at >= len(s.src) {
				break
			}
			if done, err := s.statement(); err != nil {
				return "", err
			} else if done {
				start = false
				continue
			}
		}
		c := s.src[s.at]
		start = false
		switch {
		case c == '#':
			s.copyComment()
		case s.stringAt(s.at) > 0:
			if err := s.copyString(); err != nil {
				return "", err
			}
		case isLetter(c):
			s.copyWord()
		case c >= '0' && c <= '9':
			s.copyNumber()
		default:
			if err := s.copyByte(); err != nil {
				return "", err
			}
			start = s.depth == 0 && (c == '\n' || c == ';' || c == ':')
		}
	}
	return s.out.String(), nil
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) copySpace() {
	for s.at < len(s.src) && strings.IndexByte(" \t\r\n\f", s.src[s.at]) >= 0 {
		if s.src[s.at] == '\n' {
			s.line++
		}
		if c := s.src[s.at]; c != '\r' && c != '\f' {
			s.out.WriteByte(c)
		}
		s.at++
	}
}

func (s *scanner) copyComment() {
	for s.at < len(s.src) && s.src[s.at] != '\n' {
		s.at++
	}
}

func (s *scanner) copyByte() error {
	c := s.src[s.at]
	switch c {
	case '\n':
		s.line++
	case '(', '[', '{':
		if s.depth++; s.depth > maxNesting {
			return s.fail("too many nested parentheses")
		}
	case ')', ']', '}':
		s.depth = max(s.depth-1, 0)
	}
	if strings.IndexByte("+-~", c) >= 0 {
		if s.unary++; s.unary > maxSigns {
			return s.fail("too many nested operators")
		}
	} else if c != ' ' {
		s.unary = 0
	}
	if c == '@' && s.depth == 0 {
		return s.fail("decorators and the operator @ are not supported: eval and execute run Starlark, not Python")
	}
	if c != '\r' {
		s.out.WriteByte(c)
	}
	s.at++
	return nil
}

func (s *scanner) copyNumber() {
	s.unary = 0
	for s.at < len(s.src) && (isLetter(s.src[s.at]) || isDigit(s.src[s.at]) || s.src[s.at] == '.') {
		if s.src[s.at] != '_' { // 1_000
			s.out.WriteByte(s.src[s.at])
		}
		s.at++
	}
}

// copyWord copies an identifier or keyword; "is" becomes the marked "in".
func (s *scanner) copyWord() {
	w := s.word()
	if w != "not" {
		s.unary = 0
	} else {
		s.unary++
	}
	s.at += len(w)
	if w != "is" {
		s.out.WriteString(w)
		return
	}
	rest := strings.TrimLeft(s.src[s.at:], " \t")
	if not, ok := strings.CutPrefix(rest, "not"); ok && (not == "" || !isLetter(not[0]) && !isDigit(not[0])) {
		s.out.WriteString("not in " + isMark + " |")
		s.at = len(s.src) - len(not)
		return
	}
	s.out.WriteString("in " + isMark + " |")
}

func (s *scanner) word() string {
	end := s.at
	for end < len(s.src) && (isLetter(s.src[end]) || isDigit(s.src[end])) {
		end++
	}
	return s.src[s.at:end]
}

// stringAt returns the length of the prefix and opening quotes of a string literal, 0 if there is none.
func (s *scanner) stringAt(at int) int {
	i := at
	for i < len(s.src) && i < at+2 && strings.IndexByte("rRbBuUfF", s.src[i]) >= 0 {
		i++
	}
	if i >= len(s.src) || s.src[i] != '"' && s.src[i] != '\'' {
		return 0
	}
	if i > at && at > 0 && (isLetter(s.src[at-1]) || isDigit(s.src[at-1])) {
		return 0
	}
	if strings.HasPrefix(s.src[i:], strings.Repeat(s.src[i:i+1], 3)) {
		return i - at + 3
	}
	return i - at + 1
}

func (s *scanner) copyString() error {
	open := s.stringAt(s.at)
	prefix := strings.ToLower(strings.TrimRight(s.src[s.at:s.at+open], `'"`))
	if strings.Contains(prefix, "f") {
		return s.fail("f-strings are not supported: eval and execute run Starlark, not Python")
	}
	quote := strings.TrimLeft(s.src[s.at:s.at+open], "rRbBuUfF")
	s.unary = 0
	end := s.at + open
	for {
		if end >= len(s.src) || len(quote) == 1 && s.src[end] == '\n' {
			return s.fail("unterminated string literal (detected at line " + itoa(s.line) + ")")
		}
		if s.src[end] == '\\' && end+1 < len(s.src) {
			if s.src[end+1] == '\n' {
				s.line++
			}
			end += 2
			continue
		}
		if strings.HasPrefix(s.src[end:], quote) {
			end += len(quote)
			break
		}
		if s.src[end] == '\n' {
			s.line++
		}
		end++
	}
	s.out.WriteString(strings.ReplaceAll(prefix, "u", "") + s.src[s.at+len(prefix):end])
	s.at = end
	return nil
}

func (s *scanner) fail(text string) error { return syntaxError(text, s.line, 0, "") }

// statement deals with a statement that begins here, if it is one of those that Starlark does not have.
func (s *scanner) statement() (bool, error) {
	w := s.word()
	if what, no := unsupported[w]; no {
		return false, s.fail("'" + what + "' is not supported: eval and execute run Starlark, not Python")
	}
	switch w {
	case "import", "from", "raise", "assert", "del", "global":
	default:
		return false, nil
	}
	after := s.at + len(w)
	if w == "raise" && (after >= len(s.src) || strings.IndexByte("\n;#", s.src[after]) >= 0) {
		return false, runtimeError("No active exception to reraise")
	}
	end := s.end(after)
	text := strings.TrimSpace(s.src[after:end])
	code, err := s.translate(w, text)
	if err != nil {
		return false, err
	}
	lines := strings.Count(s.src[s.at:end], "\n")
	s.line += lines
	s.out.WriteString(code + strings.Repeat("\\\n", 0))
	s.at = end
	if lines > 0 { // a bracket was open: what follows keeps its line
		s.out.WriteString(strings.Repeat("\n", lines))
	}
	return true, nil
}

// end finds where a simple statement ends: at a line end, semicolon or comment outside of brackets and strings.
func (s *scanner) end(at int) int {
	depth := 0
	for i := at; i < len(s.src); i++ {
		if n := s.stringAt(i); n > 0 {
			t := &scanner{src: s.src, at: i, line: s.line}
			if t.copyString() != nil {
				return len(s.src)
			}
			i = t.at - 1
			continue
		}
		switch c := s.src[i]; {
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case c == '\\' && i+1 < len(s.src):
			i++
		case depth <= 0 && strings.IndexByte("\n;#", c) >= 0:
			return i
		}
	}
	return len(s.src)
}

// split cuts text at a separator outside of brackets and strings, once unless all.
func (s *scanner) split(text, sep string, all bool) []string {
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(text); i++ {
		t := &scanner{src: text, at: i}
		if t.stringAt(i) > 0 {
			if t.copyString() != nil {
				break
			}
			i = t.at - 1
			continue
		}
		switch {
		case strings.IndexByte("([{", text[i]) >= 0:
			depth++
		case strings.IndexByte(")]}", text[i]) >= 0:
			depth--
		case depth == 0 && strings.HasPrefix(text[i:], sep) && (all || len(parts) == 0):
			parts = append(parts, strings.TrimSpace(text[from:i]))
			i += len(sep) - 1
			from = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[from:]))
}

// inner prepares an expression that is part of a statement.
func inner(text string) (string, error) {
	code, err := prepare("(" + text + ")")
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(code, "\n", " "), nil
}

func (s *scanner) translate(w, text string) (string, error) {
	switch w {
	case "import":
		return s.imports(text)
	case "from":
		return s.fromImport(text)
	case "global":
		var names []string
		for _, n := range strings.Split(text, ",") {
			names = append(names, `"`+strings.TrimSpace(n)+`"`)
		}
		return globalCall + "(" + strings.Join(names, ", ") + ")", nil
	case "del":
		code, err := inner(text)
		return delCall + code, err
	}
	sep := ","
	if w == "raise" {
		sep = " from "
	}
	parts := s.split(text, sep, false)
	first, err := inner(parts[0])
	if err != nil {
		return "", err
	}
	call := map[string]string{"raise": raiseCall, "assert": assertCall}[w]
	if len(parts) == 1 {
		return call + "(" + first + ")", nil
	}
	second, err := inner(parts[1])
	if err != nil {
		return "", err
	}
	if w == "assert" {
		return call + "(" + first + ", lambda: " + second + ")", nil
	}
	return call + "(" + first + ", " + second + ")", nil
}

// dotted checks the name of a module.
func (s *scanner) dotted(name string) error {
	for _, part := range strings.Split(name, ".") {
		if !isName(part) {
			return s.fail("invalid syntax")
		}
	}
	return nil
}

func isName(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && (i == 0 || !isDigit(s[i])) {
			return false
		}
	}
	return s != ""
}

func (s *scanner) imports(text string) (string, error) {
	var code []string
	for _, item := range strings.Split(text, ",") {
		f := strings.Fields(item)
		switch {
		case len(f) == 1 && s.dotted(f[0]) == nil:
			top, _, _ := strings.Cut(f[0], ".")
			code = append(code, top+" = "+importCall+`("`+f[0]+`", True)`)
		case len(f) == 3 && f[1] == "as" && s.dotted(f[0]) == nil && isName(f[2]):
			code = append(code, f[2]+" = "+importCall+`("`+f[0]+`", False)`)
		default:
			return "", s.fail("invalid syntax")
		}
	}
	return strings.Join(code, "; "), nil
}

func (s *scanner) fromImport(text string) (string, error) {
	f := strings.SplitN(text, " import", 2)
	if len(f) != 2 || s.dotted(strings.TrimSpace(f[0])) != nil {
		return "", s.fail("invalid syntax")
	}
	module := strings.TrimSpace(f[0])
	list := strings.TrimSpace(f[1])
	if strings.HasPrefix(list, "(") && strings.HasSuffix(list, ")") {
		list = strings.TrimSuffix(strings.TrimSpace(list[1:len(list)-1]), ",")
	}
	if list == "*" {
		return starCall + `("` + module + `")`, nil
	}
	var code []string
	for _, item := range strings.Split(list, ",") {
		n := strings.Fields(item)
		switch {
		case len(n) == 1 && isName(n[0]):
			n = append(n, "as", n[0])
		case len(n) == 3 && n[1] == "as" && isName(n[0]) && isName(n[2]):
		default:
			return "", s.fail("invalid syntax")
		}
		code = append(code, n[2]+" = "+fromCall+`("`+module+`", "`+n[0]+`")`)
	}
	return strings.Join(code, "; "), nil
}

var _ = vinegar.SyntaxError
