package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// readType reads a class and what is nested in it.
func (m *pyModule) readType(s *statement, in *pyType, decorators []*statement) error {
	head := strings.TrimSpace(strings.TrimPrefix(s.text, "class"))
	name, bases, ok := strings.Cut(head, "(")
	name, _, _ = strings.Cut(name, "[") // type parameters
	if name = strings.TrimSpace(name); !inspect.IsName(name) || ok && !strings.HasSuffix(bases, ")") {
		return fmt.Errorf("%d: not a class: %s", s.number, inspect.Bounded(s.text, 80))
	}
	t := &pyType{name: name, line: s.number, owner: in, exposes: map[string]string{}}
	if len(s.body) > 0 {
		t.doc = docString(s.body[0].text)
	}
	exposedClass := ""
	for _, base := range inspect.Split(strings.TrimSuffix(bases, ")"), ',') {
		switch base = strings.TrimSpace(base); {
		case base == "" || strings.Contains(base, "="): // metaclass=…, total=False
		default:
			m.addBase(t, base)
		}
	}
	for _, d := range decorators {
		text := m.resolve(strings.TrimSpace(d.text[1:]))
		called, args, _ := strings.Cut(text, "(")
		switch called = m.resolve(called); called {
		case "dataclasses.dataclass", "dataclass", "attr.s", "attr.attrs", "attrs.define", "attr.define", "attrs.frozen":
			if t.kind == plainClass {
				t.kind = dataClass
			}
			t.options = strings.TrimSuffix(args, ")")
			if strings.HasSuffix(called, "frozen") {
				t.options += ", frozen=True"
			}
		case "rpyc.service", "service", "rpyc.utils.service":
			t.decorated = true
		case "enum.unique", "unique", "final", "typing.final", "runtime_checkable",
			"typing.runtime_checkable":
		case "rpyc.exposed", "exposed", "rpyc.utils.exposed":
			exposedClass, t.decorated = name, in != nil && in.decorated
		default:
			m.note(d.number, "the decorator %s of the class %s", inspect.Bounded(d.text, 60), name)
		}
	}
	if bare, ok := strings.CutPrefix(name, "exposed_"); ok && bare != "" {
		exposedClass = bare
	}
	if in != nil && exposedClass != "" {
		in.exposes[exposedClass] = name
	}
	if m.byName[name] == nil || in == nil {
		m.byName[name] = t
	}
	if err := m.readBlock(s.body, t); err != nil {
		return err
	}
	if t.mixin != "" && t.kind != enumClass {
		m.note(t.line, "%s derives from %s: the Go type does not", t.name, t.mixin)
	}
	m.types = append(m.types, t)
	return nil
}

// services are the classes that make what derives from them a service.
var services = map[string]bool{"rpyc.Service": true, "Service": true, "rpyc.core.service.Service": true,
	"rpyc.core.Service": true, "rpyc.VoidService": true, "rpyc.core.service.VoidService": true,
	"rpyc.utils.server.Service": true}

func (m *pyModule) addBase(t *pyType, base string) {
	name, _, _ := strings.Cut(base, "[")
	full := m.resolve(name)
	if parent := m.typeAt(t.owner, full); parent != nil {
		t.parents = append(t.parents, parent)
		t.bases = append(t.bases, parent.name)
		if t.kind == plainClass {
			t.kind = parent.kind
		}
		if t.kind == protocolClass {
			t.kind = plainClass
		}
		if t.mixin == "" {
			t.mixin = parent.mixin
		}
		t.flag = t.flag || parent.flag
		return
	}
	last := full[strings.LastIndexByte(full, '.')+1:]
	_, raised := isException(full)
	switch {
	case full == "object" || last == "Generic" || last == "ABC" || name == "object":
	case services[full]:
		t.kind = serviceClass
	case last == "Protocol":
		t.kind = protocolClass
	case last == "NamedTuple":
		t.kind = namedTuple
	case last == "TypedDict":
		t.kind = typedDict
	case strings.HasSuffix(last, "Enum") || last == "Flag" || last == "IntFlag":
		t.kind, t.flag = enumClass, strings.HasSuffix(last, "Flag")
		if m := strings.TrimSuffix(strings.TrimSuffix(last, "Enum"), "Flag"); m != "" {
			t.mixin, t.plainText = strings.ToLower(m), true
		}
	case last == "int" || last == "str" || last == "float":
		t.mixin = last
	case last == "BaseModel":
		t.kind = dataClass
		m.note(t.line, "%s derives from %s: values are converted, not validated", t.name, full)
	case raised || strings.HasSuffix(last, "Error") || strings.HasSuffix(last, "Exception") ||
		strings.HasSuffix(last, "Warning"):
		t.kind = exceptionClass
		t.bases = append(t.bases, full)
		if _, known := isException(full); !known {
			m.note(t.line, "%s derives from %s, which is not in this file: it is an Exception here", t.name, full)
		}
	default:
		m.note(t.line, "%s derives from %s, which is not in this file: what it inherits is missing", t.name, full)
	}
}

// silent are decorators that say nothing to a client.
var silent = map[string]bool{"abstractmethod": true, "override": true, "final": true, "wraps": true,
	"no_type_check": true}

// readFunc reads a definition; nil for one that says nothing but types.
func (m *pyModule) readFunc(s *statement, in *pyType, decorators []*statement) (*pyFunc, error) {
	text := strings.TrimSpace(s.text)
	f := &pyFunc{line: s.number, end: s.end, body: s.body}
	if rest, ok := strings.CutPrefix(text, "async"); ok {
		f.async, text = true, strings.TrimSpace(rest)
	}
	if len(decorators) > 0 {
		f.line = decorators[0].number
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "def"))
	if i := strings.IndexByte(text, '['); i > 0 && i < strings.IndexByte(text, '(') { // type parameters
		if end := inspect.Closing(text[i:]); end > 0 {
			text = text[:i] + text[i+end+1:]
		}
	}
	var plain []string
	for _, d := range decorators {
		name, arguments, _ := strings.Cut(strings.TrimSpace(d.text[1:]), "(")
		full := m.resolve(name)
		last := full[strings.LastIndexByte(full, '.')+1:]
		switch {
		case last == "overload":
			return nil, nil
		case last == "staticmethod":
			f.kind = staticMethod
			plain = append(plain, "staticmethod")
		case last == "classmethod":
			f.kind = classMethod
		case last == "property" || last == "cached_property" || last == "abstractproperty":
			f.kind = getter
		case last == "setter":
			f.kind = setter
		case last == "deleter":
			f.kind = deleter
		case last == "exposed":
			f.exposed = true
			if arguments != "" && arguments != `"exposed_")` && arguments != "'exposed_')" {
				m.note(d.number, "the prefix of %s", d.text)
			}
		case last == "contextmanager":
			f.manager = true
		case silent[last]:
		default:
			m.note(d.number, "the decorator %s", inspect.Bounded(d.text, 60))
		}
	}
	doc := ""
	if len(s.body) > 0 {
		doc = docString(s.body[0].text)
	}
	read, ok := define(text, doc, plain)
	f.member = read.member
	if f.name = read.name; !ok || !inspect.IsName(f.name) {
		return nil, fmt.Errorf("%d: not a definition: %s", s.number, inspect.Bounded(s.text, 80))
	}
	if f.sig == nil {
		m.note(s.number, "the parameters of %s cannot be read: it takes any", f.name)
	} else if (in == nil || f.kind == staticMethod) && selfIn(text[strings.IndexByte(text, '('):]) {
		f.sig.Params = append([]inspect.Parameter{{Name: "self", Kind: inspect.Normal}}, f.sig.Params...)
	} else if in == nil {
		if sig, err := inspect.ParseSignature(text[strings.IndexByte(text, '('):]); err == nil {
			f.sig = sig
		}
	}
	if bare, ok := strings.CutPrefix(f.name, "exposed_"); ok && bare != "" {
		f.bare, f.exposed = bare, true
	} else {
		f.bare = f.name
	}
	if f.async {
		m.note(s.number, "%s is async: Python gives its client a coroutine, Go the result", f.name)
	}
	f.look()
	return f, nil
}

var yields = regexp.MustCompile(`\byield\b`)

// look finds out what a func does from its body.
func (f *pyFunc) look() {
	f.raises = true
	each(f.body, func(s *statement) {
		text := code(s.text)
		switch {
		case definition.MatchString(text):
			f.raises = false
		case yields.MatchString(text):
			f.generator, f.raises = true, false
		case strings.HasPrefix(text, "return "):
			f.returns, f.raises = f.returns || strings.TrimSpace(text[len("return "):]) != "None", false
		case docString(s.text) == "" && text != "pass" && text != "..." && text != "''" &&
			!strings.HasPrefix(text, "raise NotImplementedError"):
			f.raises = false
		}
	})
	if f.manager {
		f.generator = false
	}
}

// complete finds the attributes of a class's objects, and what its own assignments are.
func (m *pyModule) complete(t *pyType) {
	t.attrs = slices.DeleteFunc(t.attrs, func(a *pyAttr) bool { return m.completeAttr(t, a) })
	t.funcs = slices.DeleteFunc(t.funcs, func(f *pyFunc) bool {
		value, ok := strings.CutPrefix(lastText(f.body), "return ")
		if !ok || f.name != "get_service_name" && f.name != "get_service_aliases" {
			return false
		}
		names := namesIn(value)
		if len(names) > 0 && len(t.aliases) == 0 {
			t.aliases = names
		}
		return len(names) > 0
	})
	for _, first := range []bool{true, false} { // __init__ knows the types
		for _, f := range t.funcs {
			if (f.name == "__init__") == first && f.kind != staticMethod && f.kind != classMethod {
				each(f.body, func(s *statement) {
					for _, part := range s.parallel() {
						m.findFields(t, f, part)
					}
				})
			}
		}
	}
	if t.kind == protocolClass && slices.ContainsFunc(t.funcs, func(f *pyFunc) bool { return !f.raises }) {
		t.kind = plainClass
	}
}

// lastText is the statement that ends a block.
func lastText(block []*statement) string {
	if len(block) == 0 {
		return ""
	}
	return block[len(block)-1].text
}

// namesIn are the texts of a literal: one, or a list or tuple of them.
func namesIn(literal string) (names []string) {
	v, err := pyvalue.ParseLiteral(literal)
	if err != nil {
		return nil
	}
	items, _ := pyvalue.Items(v)
	switch v := v.(type) {
	case []any:
		items = v
	case string:
		items = []any{v}
	}
	for _, item := range items {
		if name, ok := item.(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// checkExposed takes back what @rpyc.exposed says in a class that @rpyc.service does not make take notice of it.
func (m *pyModule) checkExposed(t *pyType) {
	for _, f := range t.funcs {
		if f.exposed && f.name == f.bare && f.kind >= getter {
			f.exposed = false
			m.note(f.line, "%s.%s is not exposed: @rpyc.exposed does nothing below @property", t.name, f.name)
		}
	}
	if t.decorated || slices.ContainsFunc(m.types, func(o *pyType) bool {
		return o.decorated && slices.Contains(o.ancestors(), t)
	}) {
		return
	}
	for _, f := range t.funcs {
		if f.exposed && f.name == f.bare && f.kind < getter {
			f.exposed = false
			m.note(f.line, "%s.%s is not exposed: @rpyc.exposed needs @rpyc.service at the class", t.name, f.name)
		}
	}
}

// completeAttr finds classes, methods and properties that have another name by an assignment.
func (m *pyModule) completeAttr(t *pyType, a *pyAttr) bool {
	value := a.value
	if inner, ok := strings.CutPrefix(value, "staticmethod("); ok {
		value = strings.TrimSuffix(inner, ")")
	}
	if value == "" || t.kind == enumClass {
		return false
	}
	if dotted(value) {
		if found := m.typeAt(t, m.resolve(value)); found != nil {
			if a.exposed {
				t.exposes[a.bare] = found.name
			}
			return true
		}
	}
	of := func(name string) (*pyFunc, error) {
		for _, list := range [][]*pyFunc{t.funcs, m.funcs} {
			if i := slices.IndexFunc(list, func(f *pyFunc) bool { return f.name == name }); i >= 0 {
				return list[i], nil
			}
		}
		return nil, errors.New("no such func")
	}
	if f, err := of(value); err == nil {
		alias := *f
		alias.name, alias.bare, alias.exposed = a.name, a.bare, a.exposed
		if slices.Contains(t.funcs, f) {
			alias.target = value
		} else if value != a.value {
			alias.kind = staticMethod
		} else if f.sig != nil && len(f.sig.Params) > 0 { // a func that became a method
			sig := *f.sig
			sig.Params = sig.Params[1:]
			alias.sig = &sig
		}
		t.funcs = append(t.funcs, &alias)
		return true
	}
	if args, ok := strings.CutPrefix(value, "property("); ok && strings.HasSuffix(args, ")") {
		for i, arg := range splitArgs(strings.TrimSuffix(args, ")")) {
			kind := getter + funcKind(i)
			if name, rest, keyword := strings.Cut(arg, "="); keyword && inspect.IsName(strings.TrimSpace(name)) {
				kind = funcKind(slices.Index(propertyArgs, strings.TrimSpace(name))) + getter
				arg = strings.TrimSpace(rest)
			}
			if f, err := of(arg); err == nil && getter <= kind && kind <= deleter {
				property := *f
				property.name, property.bare, property.exposed, property.kind = a.name, a.bare, a.exposed, kind
				t.funcs = append(t.funcs, &property)
			} else if doc := docString(arg); doc != "" {
				for _, f := range t.funcs {
					if f.name == a.name && f.kind == getter {
						f.doc = doc
					}
				}
			} else if arg != "None" {
				m.note(a.line, "%s = property(%s) of %s", a.name, inspect.Bounded(arg, 60), t.name)
			}
		}
		return true
	}
	made, _, call := strings.Cut(value, "(")
	if a.exposed && (value != a.value || call && m.resolve(made) == "functools.partial") { // a func of another module
		m.note(a.line, "%s.%s = %s: it takes any arguments", t.name, a.name, inspect.Bounded(a.value, 60))
		t.funcs = append(t.funcs, &pyFunc{member: member{name: a.name}, bare: a.bare, exposed: true, line: a.line,
			end: a.line, returns: true})
		return true
	}
	return false
}

// propertyArgs are the parameters of property, in the order of the kinds of funcs.
var propertyArgs = []string{"fget", "fset", "fdel", "doc"}

var selfAssignment = regexp.MustCompile(`^([\pL_]\w*)\.([\pL_][\pL\pN_]*)\s*(:[^=]+)?=([^=].*)?$`)

// findFields finds the attributes that a statement of a method assigns.
func (m *pyModule) findFields(t *pyType, f *pyFunc, s *statement) {
	match := selfAssignment.FindStringSubmatch(s.text)
	if match == nil || match[1] != "self" || f.sig == nil {
		return
	}
	a := &pyAttr{name: match[2], typ: strings.TrimSpace(strings.TrimPrefix(match[3], ":")),
		value: strings.TrimSpace(match[4]), line: s.number}
	if a.bare, a.exposed = strings.CutPrefix(a.name, "exposed_"); a.bare == "" {
		a.bare, a.exposed = a.name, false
	}
	if t.declares(a.name) {
		return
	}
	if i := slices.IndexFunc(f.sig.Params, func(p inspect.Parameter) bool { return p.Name == a.value }); i >= 0 {
		a.param = a.value
		p := f.sig.Params[i]
		if a.typ == "" && (p.Kind == inspect.Normal || p.Kind == inspect.KeywordOnly) {
			if a.typ = p.Type; p.Default == "None" && a.typ != "" {
				a.typ = "Optional[" + a.typ + "]"
			}
		}
	}
	if f.name != "__init__" {
		a.value, a.param = "", ""
	}
	t.fields = append(t.fields, a)
}

// declares reports whether the class or one of its bases has an attribute of objects, a property or a method.
func (t *pyType) declares(name string) bool {
	same := func(a *pyAttr) bool { return a.name == name }
	ofData := t.kind == dataClass || t.kind == namedTuple
	return slices.ContainsFunc(t.fields, same) || ofData && slices.ContainsFunc(t.attrs, same) ||
		slices.ContainsFunc(t.funcs, func(f *pyFunc) bool { return f.name == name }) ||
		slices.ContainsFunc(t.parents, func(p *pyType) bool { return p.declares(name) })
}
