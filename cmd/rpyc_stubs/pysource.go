package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// maxSource is the size of a Python file that is read.
const maxSource = 4 << 20

// pyLine is a logical line of Python: what is inside brackets or a triple-quoted string does not end it.
type pyLine struct {
	number, indent int
	text           string // without comments
}

// pyClass is a class of a Python file with the attributes that it defines itself.
type pyClass struct {
	name, bases, doc string
	members          []pyMember
	byValue          bool // its objects are not sent by reference: enums, numbers and texts
}

type pyMember struct {
	member
	exposed bool // by a decorator
}

// exploreSource reads a service from a Python file, or a stub of one, instead of a live object: from the class named,
// or the only one that has something to write.
func (e *explorer) exploreSource(path, class string) (*remote, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSource {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), maxSource)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines, err := pyLines(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	if strings.HasSuffix(path, ".pyi") {
		e.public = true // a stub has the names without their prefix
	}
	var found []*remote
	var names []string
	all := pyClasses(lines)
	known := map[string]*remote{}
	for i, c := range all {
		c.inherit(all[:i])
		if known[c.name] = nil; !c.byValue {
			known[c.name] = e.fromClass(c)
		}
	}
	for _, l := range lines {
		if alias, name, ok := strings.Cut(l.text, "="); ok && l.indent == 0 && known[strings.TrimSpace(name)] != nil {
			known[strings.TrimSpace(alias)] = known[strings.TrimSpace(name)]
		}
	}
	services := 0 // of the classes found, those before are services
	for _, c := range all {
		r := known[c.name]
		if r == nil {
			r = e.fromClass(c)
		}
		r.classes = known
		if c.name == class {
			return r, nil
		}
		switch service := strings.Contains(c.bases, "Service"); {
		case class != "" || len(r.members) == 0:
		case service:
			found, names = slices.Insert(found, services, r), slices.Insert(names, services, c.name)
			services++
		default:
			found, names = append(found, r), append(names, c.name)
		}
	}
	if services == 1 {
		return found[0], nil
	}
	switch {
	case class != "":
		return nil, fmt.Errorf("%s has no class %s", path, class)
	case len(found) == 0:
		return nil, fmt.Errorf("%s has no class with exposed methods", path)
	case len(found) > 1:
		return nil, fmt.Errorf("%s has several classes that could be meant, name one by --class: %s", path,
			strings.Join(names, ", "))
	}
	return found[0], nil
}

// inherit gives a class the members of its bases, which are defined before it.
func (c *pyClass) inherit(before []*pyClass) {
	for _, base := range slices.Backward(inspect.Split(c.bases, ',')) {
		for _, b := range slices.Backward(before) {
			if b.name == base {
				c.members = append(slices.Clone(b.members), c.members...)
				c.byValue = c.byValue || b.byValue
				break
			}
		}
		c.byValue = c.byValue || strings.Contains(base, "Enum") || base == "int" || base == "str" || base == "float"
	}
}

func (e *explorer) fromClass(c *pyClass) *remote {
	r := &remote{class: c.name, doc: inspect.Bounded(c.doc, maxDoc)}
	byName := map[string]pyMember{}
	var names []string
	for _, m := range c.members { // a later definition replaces an earlier one
		if m.exposed {
			m.name = e.prefix + m.name
		}
		byName[m.name] = m
		names = append(names, m.name)
	}
	for _, name := range e.select_(slices.Compact(slices.Sorted(slices.Values(names)))) {
		m := byName[name].member
		m.name = strings.TrimPrefix(name, e.prefix)
		m.doc = inspect.Bounded(m.doc, maxDoc)
		if inspect.IsName(m.name) && len(r.members) < maxMembers {
			r.members = append(r.members, m)
		}
	}
	return r
}

// pyLines splits Python source into logical lines.
func pyLines(src string) ([]pyLine, error) {
	var lines []pyLine
	var b strings.Builder
	number := 1
	var open []int // lines of the brackets that are open
	start := 1
	flush := func() {
		text := b.String()
		if trimmed := strings.TrimSpace(text); trimmed != "" {
			lines = append(lines, pyLine{start, indentOf(text), trimmed})
		}
		b.Reset()
		start = number
	}
	for i := 0; i < len(src); {
		switch c := src[i]; {
		case c == '\n':
			number++
			if len(open) == 0 {
				flush()
			} else {
				b.WriteByte(' ')
			}
			i++
		case c == '\\' && i+1 < len(src) && src[i+1] == '\n':
			number++
			i += 2
			b.WriteByte(' ')
		case c == '#':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case c == '"' || c == '\'':
			n := pyvalue.QuotedLength(src[i:])
			if n < 0 {
				return nil, fmt.Errorf("%d: a string is not closed", number)
			}
			b.WriteString(src[i : i+n])
			number += strings.Count(src[i:i+n], "\n")
			i += n
		default:
			switch c {
			case '(', '[', '{':
				open = append(open, number)
			case ')', ']', '}':
				if len(open) == 0 {
					return nil, fmt.Errorf("%d: %q closes nothing", number, string(c))
				}
				open = open[:len(open)-1]
			}
			b.WriteByte(c)
			i++
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("%d: a bracket is not closed", open[len(open)-1])
	}
	flush()
	return lines, nil
}

// indentOf counts columns as Python does: a tab goes to the next multiple of eight.
func indentOf(line string) int {
	n := 0
	for _, r := range line {
		switch r {
		case ' ':
			n++
		case '\t':
			n += 8 - n%8
		default:
			return n
		}
	}
	return n
}

// pyClasses finds the classes of a module, those at its top level.
func pyClasses(lines []pyLine) []*pyClass {
	var all []*pyClass
	for i, l := range lines {
		rest, ok := strings.CutPrefix(l.text, "class ")
		if !ok || l.indent != 0 {
			continue
		}
		head, _, _ := strings.Cut(rest, ":")
		name, bases, _ := strings.Cut(head, "(")
		if name = strings.TrimSpace(name); !inspect.IsName(name) {
			continue
		}
		c := &pyClass{name: name, bases: strings.TrimSuffix(strings.TrimSpace(bases), ")")}
		body := lines[i+1:]
		if end := slices.IndexFunc(body, func(l pyLine) bool { return l.indent == 0 }); end >= 0 {
			body = body[:end]
		}
		c.read(body)
		all = append(all, c)
	}
	return all
}

// read takes the definitions from the lines of a class's body.
func (c *pyClass) read(body []pyLine) {
	if len(body) == 0 {
		return
	}
	indent := body[0].indent
	c.doc = docString(body[0].text)
	var decorators []string
	for i, l := range body {
		if l.indent != indent {
			continue
		}
		if d, ok := strings.CutPrefix(l.text, "@"); ok {
			decorators = append(decorators, strings.TrimSpace(d))
			continue
		}
		if rest, ok := strings.CutPrefix(l.text, "def "); ok {
			doc := ""
			if i+1 < len(body) && body[i+1].indent > indent {
				doc = docString(body[i+1].text)
			}
			if m, ok := define(rest, doc, decorators); ok {
				c.members = append(c.members, m)
			}
		} else if nested, ok := strings.CutPrefix(l.text, "class "); ok {
			name := strings.TrimSpace(nested[:max(0, strings.IndexAny(nested+":", "(:"))])
			c.members = append(c.members, pyMember{member: member{name: name, data: true}})
		} else if target := inspect.Split(l.text, '=')[0]; target != "" && !strings.ContainsAny(target, "([{.\"'") ||
			strings.Contains(target, ":") {
			name, typ, _ := strings.Cut(target, ":")
			if name = strings.TrimSpace(name); inspect.IsName(name) {
				c.members = append(c.members, pyMember{member: member{name: name, data: true,
					typ: inspect.Bounded(strings.TrimSpace(typ), inspect.MaxAnnotation)}})
			}
		}
		decorators = nil
	}
}

// define reads "name(self, …) -> type: …".
func define(text, doc string, decorators []string) (pyMember, bool) {
	open := strings.IndexByte(text, '(')
	if open < 0 {
		return pyMember{}, false
	}
	m := pyMember{member: member{name: strings.TrimSpace(text[:open]), doc: doc}}
	end := inspect.Closing(text[open:])
	if end < 0 {
		return pyMember{}, false
	}
	end += open
	tail := strings.TrimSpace(text[end+1:])
	head := inspect.Split(tail, ':')[0] // "-> type"
	if body := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(tail, head), ":")); m.doc == "" && body != "" {
		m.doc = docString(body)
	}
	sig, err := inspect.ParseSignature(text[open:end+1] + " " + head)
	if err != nil {
		sig = nil
	}
	static := false
	for _, d := range decorators {
		switch d {
		case "staticmethod":
			static = true
		case "property", "functools.cached_property", "cached_property":
			m.data = true
		case "exposed", "rpyc.exposed":
			m.exposed = true
		default:
			if strings.HasSuffix(d, ".setter") || strings.HasSuffix(d, ".deleter") {
				return pyMember{}, false
			}
		}
	}
	switch {
	case m.data:
		if sig != nil {
			m.typ = sig.Result
		}
	default:
		m.sig = sig
		// inspect.ParseSignature has left a leading self out, but it may be called otherwise
		if sig != nil && !static && len(sig.Params) > 0 && !selfIn(text[open:]) && sig.Params[0].Kind <= inspect.Normal {
			sig.Params = sig.Params[1:]
		}
	}
	return m, true
}

// selfIn reports whether a parameter list begins with self.
func selfIn(list string) bool {
	rest := strings.TrimLeft(list[1:], " \t")
	after, ok := strings.CutPrefix(rest, "self")
	return ok && (after == "" || strings.ContainsAny(after[:1], " ,):"))
}

// docString is the text of a documentation string as inspect.cleandoc shows it; empty if the line is none.
func docString(line string) string {
	body := strings.TrimLeft(line, "rRuU")
	if body == "" || body[0] != '"' && body[0] != '\'' {
		return ""
	}
	n := pyvalue.QuotedLength(body)
	if n < 0 {
		return ""
	}
	if rest := strings.TrimSpace(body[n:]); rest != "" && rest[0] != ';' {
		return "" // an expression
	}
	quotes := 1
	if n >= 6 && body[1] == body[0] && body[2] == body[0] {
		quotes = 3
	}
	lines := strings.Split(body[quotes:n-quotes], "\n")
	margin := -1
	for _, l := range lines[1:] {
		if strings.TrimSpace(l) != "" && (margin < 0 || indentOf(l) < margin) {
			margin = indentOf(l)
		}
	}
	lines[0] = strings.TrimSpace(lines[0])
	for i, l := range lines[1:] {
		lines[i+1] = strings.TrimRight(l[min(len(l), max(0, margin)):], " \t")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
