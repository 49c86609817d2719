package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// statement is a logical line of Python with the block that it opens. A statement of several, such as "x = 1; y = 2",
// or the body behind a colon, is one of its own.
type statement struct {
	pyLine
	end  int // the last line of it and of its block, counted from 1
	body []*statement
}

var compound = regexp.MustCompile(`^(async|class|def|if|elif|else|for|while|with|try|except|finally|match|case)\b`)

// pyTree reads the source of a module. The error begins with the number of a line.
func pyTree(src string) ([]*statement, error) {
	lines, err := pyLines(src)
	if err != nil {
		return nil, err
	}
	root := &statement{pyLine: pyLine{indent: -1}}
	open := []*statement{root} // the blocks around the line
	indents := []int{0}        // of their lines; -1 before the first
	var last *statement        // the line before, if it has to be followed by a block
	if len(lines) > 0 && lines[0].indent > 0 {
		return nil, fmt.Errorf("%d: unexpected indent", lines[0].number)
	}
	for _, l := range lines {
		top := len(indents) - 1
		switch {
		case last != nil && l.indent <= indents[top]:
			return nil, fmt.Errorf("%d: an indented block is missing after line %d", l.number, last.number)
		case last != nil:
			open, indents = append(open, last), append(indents, l.indent)
		case l.indent > indents[top]:
			return nil, fmt.Errorf("%d: unexpected indent", l.number)
		default:
			for l.indent < indents[len(indents)-1] {
				open, indents = open[:len(open)-1], indents[:len(indents)-1]
			}
			if l.indent != indents[len(indents)-1] {
				return nil, fmt.Errorf("%d: the indentation is that of no outer block", l.number)
			}
		}
		block := open[len(open)-1]
		s, tail, header := l.header()
		if !header {
			for part := range slices.Values(inspect.Split(l.text, ';')) {
				if part != "" {
					block.body = append(block.body, &statement{pyLine: pyLine{l.number, l.indent, part}})
				}
			}
			last = nil
			continue
		}
		if s == nil {
			return nil, fmt.Errorf("%d: a colon is missing", l.number)
		}
		block.body = append(block.body, s)
		if last = s; tail != "" {
			last = nil
			for _, part := range inspect.Split(tail, ';') {
				s.body = append(s.body, &statement{pyLine: pyLine{l.number, l.indent, part}})
			}
		}
	}
	if last != nil {
		return nil, fmt.Errorf("%d: an indented block is missing after line %d", strings.Count(src, "\n")+1, last.number)
	}
	root.setEnd(strings.Split(src, "\n"), strings.Count(src, "\n")+1)
	return root.body, nil
}

// header splits what opens a block from what follows the colon. s is nil if there is no colon.
func (l pyLine) header() (s *statement, tail string, ok bool) {
	word := compound.FindString(l.text)
	if word == "" {
		return nil, "", false
	}
	before, tail, found := cutTop(l.text, ':')
	switch rest := strings.TrimSpace(l.text[len(word):]); {
	case (word == "match" || word == "case" || word == "async") && (!found || strings.HasPrefix(rest, "=")):
		return nil, "", false // a name
	case !found:
		return nil, "", true
	}
	return &statement{pyLine: pyLine{l.number, l.indent, before}}, tail, true
}

// cutTop cuts a text at the first separator that is outside of quotes and brackets, and is not that of ":=" or "==".
func cutTop(text string, sep rune) (before, after string, found bool) {
	at := 0
	for i, part := range inspect.Split(text, sep) {
		if i > 0 {
			at += strings.IndexRune(text[at:], sep)
			rest := text[at+1:]
			if !strings.HasPrefix(rest, "=") && (sep != '=' || at == 0 || !strings.ContainsAny(text[at-1:at], "=!<>:")) {
				return strings.TrimSpace(text[:at]), strings.TrimSpace(rest), true
			}
			at++
		}
		at += strings.Index(text[at:], part) + len(part)
	}
	return text, "", false
}

// setEnd finds the last lines of the statements of a block, of which end is the last.
func (s *statement) setEnd(lines []string, end int) {
	s.end = end
	for i, b := range s.body {
		last := end
		for _, next := range s.body[i+1:] {
			if next.number > b.number {
				last = next.number - 1
				break
			}
		}
		for last > b.number && idle(lines[last-1], b.indent) {
			last--
		}
		b.setEnd(lines, last)
	}
}

// idle reports whether a line says nothing to a block that is indented deeper than indent.
func idle(line string, indent int) bool {
	text := strings.TrimSpace(line)
	return text == "" || text[0] == '#' && indentOf(line) <= indent || text[0] == '@'
}

// code is a line without what it quotes.
func code(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if c := text[i]; c == '"' || c == '\'' {
			if n := pyvalue.QuotedLength(text[i:]); n > 0 {
				b.WriteString("''")
				i += n
				continue
			}
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}

// parallel takes "self.a, self.b = 1, 2" apart; any other statement is alone.
func (s *statement) parallel() []*statement {
	target, value, assigned := cutTop(s.text, '=')
	targets, values := inspect.Split(target, ','), inspect.Split(value, ',')
	if !assigned || len(s.body) > 0 || len(targets) < 2 || len(targets) != len(values) {
		return []*statement{s}
	}
	var all []*statement
	for i := range targets {
		all = append(all, &statement{pyLine: pyLine{s.number, s.indent, targets[i] + " = " + values[i]}, end: s.end})
	}
	return all
}

// each calls f for the statements of a block and of the blocks in it, but not of the funcs and classes in it.
func each(block []*statement, f func(*statement)) {
	for _, s := range block {
		f(s)
		if !definition.MatchString(s.text) {
			each(s.body, f)
		}
	}
}

var definition = regexp.MustCompile(`^(async\s+def|def|class)\s`)
