package main

import (
	"regexp"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// pyStart is how a module starts a server.
type pyStart struct {
	class     string // Python's name: ThreadedServer
	service   string
	made      string   // the expression for it, if a func makes the class
	shared    bool     // all connections have one object
	args      []string // of its constructor
	options   map[string]string
	line, end int // of the block that starts it
}

var serverCall = regexp.MustCompile(`\b(\w*Server)\(`)

// findServers finds the calls that start servers, in a block and all that it contains.
func (m *pyModule) findServers(block []*statement, main bool) {
	for _, s := range block {
		inMain := main || strings.HasPrefix(s.text, "if ") && strings.Contains(s.text, "__name__")
		m.findServers(s.body, inMain && !definition.MatchString(s.text))
		text := s.text
		at := serverCall.FindStringSubmatchIndex(code(text))
		if at == nil || definition.MatchString(text) {
			if main && s.number > 0 && strings.HasPrefix(text, "main(") {
				m.script = true
			}
			continue
		}
		match := serverCall.FindStringSubmatchIndex(text)
		if match == nil {
			continue
		}
		class := m.resolve(text[match[2]:match[3]])
		start := &pyStart{class: class[strings.LastIndexByte(class, '.')+1:], options: map[string]string{},
			line: s.number, end: s.end}
		rest := text[match[3]:]
		end := inspect.Closing(rest)
		if end < 0 || m.byName[start.class] != nil {
			continue
		}
		for i, arg := range inspect.Split(rest[1:end], ',') {
			name, value, keyword := strings.Cut(arg, "=")
			name = strings.TrimSpace(name)
			keyword = keyword && inspect.IsName(name)
			switch {
			case i == 0 && !keyword, keyword && name == "service":
				if !keyword {
					value = arg
				}
				start.readService(m, strings.TrimSpace(value))
			case keyword:
				start.options[name] = strings.TrimSpace(value)
			case i == 1 && arg != "":
				start.options["hostname"] = arg
			case i == 3 && arg != "":
				start.options["port"] = arg
			case arg != "":
				m.note(s.number, "the argument %s of %s", arg, start.class)
			}
		}
		t := m.byName[start.service]
		if t == nil && strings.Contains(start.service, ".") {
			m.elsewhere = start.service
		}
		if t == nil || t.kind != serviceClass && start.class == "" {
			continue
		}
		m.script = m.script || inMain
		if t.kind == plainClass {
			t.kind = serviceClass
		}
		if m.start == nil {
			m.start = start
		} else {
			m.others = append(m.others, start)
		}
	}
}

// readService finds which class a server serves: Service, Service(…), classpartial(Service, …), or a variable of these.
func (p *pyStart) readService(m *pyModule, value string) {
	for range 2 {
		if inspect.IsName(value) && m.byName[value] == nil {
			if assigned := m.assigned(value); assigned != "" {
				value = assigned
			}
		}
	}
	if inner, ok := strings.CutPrefix(m.resolve(value), "rpyc.utils.helpers.classpartial("); ok {
		value = "classpartial(" + inner
	}
	name, args, called := strings.Cut(value, "(")
	args = strings.TrimSuffix(args, ")")
	if m.resolve(name) == "rpyc.utils.helpers.classpartial" || strings.HasSuffix(name, "classpartial") {
		name, args, _ = strings.Cut(args, ",")
		called = false
	}
	p.service, p.shared = strings.TrimSpace(m.resolve(strings.TrimSpace(name))), called
	for _, f := range m.funcs { // one that makes the class
		each(f.body, func(s *statement) {
			if made, ok := strings.CutPrefix(s.text, "return "); ok && f.name == p.service && m.byName[made] != nil {
				p.service, p.made, p.shared, args = made, value, false, ""
				m.note(p.line, "%s makes %s of %s", f.name, made, value)
			}
		})
	}
	for _, a := range inspect.Split(args, ',') {
		if a != "" {
			p.args = append(p.args, a)
		}
	}
}

// assigned is what a variable is assigned anywhere in the module.
func (m *pyModule) assigned(name string) string {
	found := ""
	var walk func([]*statement)
	walk = func(block []*statement) {
		for _, s := range block {
			walk(s.body)
			if rest, ok := strings.CutPrefix(s.text, name); ok && found == "" {
				if value, ok := strings.CutPrefix(strings.TrimSpace(rest), "="); ok && !strings.HasPrefix(value, "=") {
					found = strings.TrimSpace(value)
				}
			}
		}
	}
	walk(m.tree)
	return found
}
