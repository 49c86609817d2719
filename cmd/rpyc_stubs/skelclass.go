package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// entry is what package exposed has to be told of a class's attribute.
type entry struct {
	kind  string // field of ClassOptions
	key   string
	value string
}

// class collects what is registered of a class while its Go is written.
type skeletonClass struct {
	*pyType
	entries []entry
	init    *shape // nil if there is nothing to do
	shapes  map[*pyFunc]*shape
	visible func(name string, exposed bool) bool
}

func (c *skeletonClass) add(kind, key, value string) {
	c.entries = append(c.entries, entry{kind, key, value})
}

// writeService writes the types of the module, its constants and funcs, in the order of the source.
func (w *skeleton) writeService() error {
	w.classes = map[*pyType]*skeletonClass{}
	for _, t := range w.m.types { // bases before what derives from them
		w.classes[t] = &skeletonClass{pyType: t}
		if registered(t) {
			w.plan(w.classes[t])
		}
	}
	for _, a := range w.m.attrs {
		w.variable(nil, a)
	}
	for _, t := range w.m.inOrder() {
		switch t.kind {
		case exceptionClass:
			w.exception(t)
		case typedDict:
			w.dictType(t)
		case protocolClass:
			w.m.note(t.line, "%s describes objects that clients make: they come as *netref.Object", t.name)
		default:
			w.class(w.classes[t])
		}
	}
	for _, f := range w.m.funcs {
		if f.name == "main" && w.m.start != nil || f.name == "main" && w.m.tree != nil {
			continue // main.go has it
		}
		if w.m.start != nil && f.line <= w.m.start.line && w.m.start.line <= f.end {
			continue
		}
		w.body("", nil, f, w.shapeOf(nil, f, w.packageName(unexported(f.name))))
	}
	return nil
}

// variable writes a variable of the module, or one of a class that is nobody's business.
func (w *skeleton) variable(in *pyType, a *pyAttr) {
	name := unexported(strings.ToLower(strings.Trim(a.name, "_")))
	if a.name != strings.ToUpper(a.name) {
		name = unexported(a.name)
	}
	if in != nil {
		name = unexported(in.goName) + exportedName(a.name)
	}
	if _, expr, _, ok := w.moment(in, a.value, 0); ok {
		name = w.packageName(name)
		w.printf("// %s is %s of Python.\nvar %s = %s\n\n", name, a.name, name, expr)
		return
	}
	t := w.fieldType(in, a)
	value, ok := w.value(in, a, t)
	if !ok {
		w.m.note(a.line, "not translated: %s = %s", a.name, inspect.Bounded(a.value, 80))
		return
	}
	name = w.packageName(name)
	w.printf("// %s is %s of Python.\n", name, a.name)
	if v, err := w.literal(in, a.value); err == nil && isScalar(t) && typeOfLiteral(v) == t.name {
		w.printf("var %s = %s\n\n", name, value)
		return
	}
	if value == "" {
		w.printf("var %s %s\n\n", name, t.name)
		return
	}
	if strings.HasPrefix(value, t.name) {
		w.printf("var %s = %s\n\n", name, value)
		return
	}
	w.printf("var %s %s = %s\n\n", name, t.name, value)
}

// plan gives what a class has Go names and types, before anything of it is written.
func (w *skeleton) plan(c *skeletonClass) {
	exposedNames := map[string]bool{}
	for _, f := range c.funcs {
		exposedNames[f.bare] = exposedNames[f.bare] || f.exposed
	}
	for _, a := range slices.Concat(c.fields, c.attrs) {
		exposedNames[a.bare] = exposedNames[a.bare] || a.exposed
	}
	c.visible = func(name string, exposed bool) bool { // as public or exposed: something that Python's clients can know of
		return exposed || !strings.HasPrefix(name, "_") && !exposedNames[name]
	}
	c.shapes = map[*pyFunc]*shape{}
	for _, f := range slices.Clone(c.funcs) {
		w.planFunc(c, f)
	}
	c.attrs = slices.DeleteFunc(c.attrs, func(a *pyAttr) bool {
		if c.kind == enumClass || c.kind == dataClass || c.kind == namedTuple || a.value != "" && !c.assigned(a) {
			return false
		}
		if i := slices.IndexFunc(c.fields, func(o *pyAttr) bool { return o.name == a.name }); i >= 0 {
			if c.fields[i].value == "" {
				c.fields[i].value = a.value
			}
			if c.fields[i].typ == "" {
				c.fields[i].typ = a.typ
			}
			return true
		}
		c.fields = append(c.fields, a)
		return true
	})
	if c.kind == dataClass || c.kind == namedTuple {
		c.dataFields(w)
	}
	for _, a := range c.fields {
		a.goType = w.fieldType(c.pyType, a)
		visible := c.visible(a.bare, a.exposed) && a.goType.name != "sync.Mutex"
		name := unexported(a.bare)
		if visible {
			name = exportedName(a.bare)
		}
		a.goName = c.member(a.name, name)
		if !visible || a.goName == "" {
			continue
		}
		if !a.exposed {
			c.add("Private", "", a.goName)
		}
		c.tag(a)
	}
	for _, base := range c.ancestors() { // fields are promoted, and would be exposed here
		if len(c.paths(base)) > 1 {
			continue // but those of what is embedded twice are not
		}
		for _, a := range base.fields {
			if w.classes[base].hides(a.goName) {
				c.add("Private", "", a.goName)
			}
		}
	}
	c.init = w.initShape(c)
}

// hides reports whether clients need a policy that allows public names to see a field.
func (c *skeletonClass) hides(goName string) bool {
	return slices.ContainsFunc(c.entries, func(e entry) bool { return e.kind == "Private" && e.value == goName })
}

// assigned reports whether a class's variable is one that its objects assign to.
func (c *skeletonClass) assigned(a *pyAttr) bool {
	return slices.ContainsFunc(c.fields, func(o *pyAttr) bool { return o.name == a.name })
}

// planFunc decides what a func of a class becomes.
func (w *skeleton) planFunc(c *skeletonClass, f *pyFunc) {
	special := strings.HasPrefix(f.name, "__") && strings.HasSuffix(f.name, "__")
	switch {
	case f.name == "__init__" || f.name == "__post_init__":
		return
	case c.kind == serviceClass && (f.name == "on_connect" || f.name == "on_disconnect"):
		c.shapes[f] = &shape{goName: map[string]string{"on_connect": "OnConnect", "on_disconnect": "OnDisconnect"}[f.name]}
		return
	case special && specials[f.name] == "" || strings.HasPrefix(f.name, "_rpyc_") ||
		f.name == "get_service_name" || f.name == "get_service_aliases":
		w.m.note(f.line, "not translated: %s.%s", c.name, f.name)
		return
	}
	visible := c.visible(f.bare, f.exposed)
	switch {
	case special:
		c.shapes[f] = w.shapeOf(c.pyType, f, specials[f.name])
		c.goNames[specials[f.name]] = f.name
	case f.kind >= getter:
		prefix := map[funcKind]string{getter: "", setter: "set_", deleter: "delete_"}[f.kind]
		s := w.shapeOf(c.pyType, f, c.member(prefix+f.name, unexported(prefix+f.bare)))
		if f.kind != getter {
			s.results = nil
		} else if len(s.results) == 0 {
			s.results = []string{"any"}
		}
		c.shapes[f] = s
		if visible {
			c.add("Properties", f.bare, "")
		}
		return
	case f.kind == staticMethod || f.kind == classMethod:
		name := w.packageName(unexported(c.goName) + exportedName(f.bare))
		s := w.shapeOf(c.pyType, f, name)
		if !f.exposed && len(s.args) > 0 && s.args[0].typ == "*"+c.goName {
			s.args[0].typ = "any" // package exposed would take it for a method
		}
		c.shapes[f] = s
		if visible {
			kind := "Hidden"
			if f.exposed {
				kind = "Static"
			}
			c.add(kind, f.bare, w.function(s, f))
		}
		return
	default:
		name := unexported(f.bare)
		if visible {
			name = exportedName(f.bare)
		}
		s := w.shapeOf(c.pyType, f, c.member(f.name, name))
		c.shapes[f] = s
		if !visible {
			return
		}
		if f.exposed && f.name == f.bare { // by @rpyc.exposed: TypeErrors name it without the prefix
			c.add("Methods", f.bare, w.function(&shape{goName: "(*" + c.goName + ")." + s.goName, decls: s.decls}, f))
		}
		if !f.exposed {
			c.add("Private", "", s.goName)
		}
		if pythonNameOf(s.goName) != f.bare {
			c.add("Names", s.goName, quote(f.bare))
		}
	}
	s := c.shapes[f]
	if len(s.decls) > 0 || !special {
		if !special || f.name == "__call__" {
			c.add("Params", s.goName, "{"+quotes(s.decls)+"}")
		}
	}
	if f.doc != "" {
		c.add("Docs", s.goName, quoteText(f.doc))
	}
}

// class writes a type with its constructor and methods.
func (w *skeleton) class(c *skeletonClass) {
	if c.kind == enumClass {
		w.enum(c)
	} else {
		what := "the class " + c.name
		if c.kind == serviceClass {
			what = "the service " + c.name
		}
		writeComment(w.file, "", c.goName+" is "+what+" of Python.", c.doc)
		w.printf("type %s struct {\n", c.goName)
		for _, p := range c.parents {
			switch {
			case p.kind == protocolClass || p.kind == typedDict:
			case w.shared(p):
				w.printf("\t*%s\n", p.goName)
			default:
				w.printf("\t%s\n", p.goName)
			}
		}
		if w.root(c.pyType) {
			w.printf("\tself any // Python's self: a *%s, or what embeds it; methods of the latter have to be called on it\n",
				c.goName)
		}
		for _, a := range c.fields {
			tag := ""
			if a.tag != "" {
				tag = " `rpyc:\"" + a.tag + "\"`"
			}
			w.printf("\t%s %s%s\n", a.goName, a.goType.name, tag)
		}
		w.printf("}\n\n")
		w.constructor(c)
	}
	for _, a := range c.attrs {
		if c.kind != enumClass && (c.kind != dataClass && c.kind != namedTuple || !a.isField) {
			w.classAttr(c, a)
		}
	}
	for _, f := range c.funcs {
		s := c.shapes[f]
		switch {
		case s == nil:
		case s.goName == "OnConnect" || s.goName == "OnDisconnect":
			w.hook(c, f, s)
		case f.kind == staticMethod || f.kind == classMethod:
			w.body("", c.pyType, f, s)
		case f.manager:
			w.manager(c.pyType, f, s)
		default:
			w.body("(s *"+c.goName+") ", c.pyType, f, s)
		}
	}
	w.forwards(c)
}

// hook writes what is called when a client connects or goes.
func (w *skeleton) hook(c *skeletonClass, f *pyFunc, s *shape) {
	what, result, end := "has connected", " error", "\treturn nil\n"
	if s.goName == "OnDisconnect" {
		what, result, end = "has gone", "", ""
	}
	writeComment(w.file, "", fmt.Sprintf("%s is called when a client %s.", s.goName, what), f.doc)
	w.printf("%s", fmt.Sprintf("func (s *%s) %s(c *protocol.Conn)%s {\n", c.goName, s.goName, result))
	w.printf("\t// TODO: write this in Go.\n\t//\n")
	w.source("\t", f.line, f.end)
	w.m.note(f.line, "%s.%s does nothing yet", c.name, f.name)
	w.printf("%s}\n\n", end)
}

// classAttr writes a variable of a class.
func (w *skeleton) classAttr(c *skeletonClass, a *pyAttr) {
	if !c.visible(a.bare, a.exposed) {
		w.variable(c.pyType, a)
		return
	}
	if w.maker(a.value) == "sync.Mutex" {
		w.variable(c.pyType, a)
		return
	}
	value, err := w.constant(c.pyType, a.value)
	kind := "Hidden"
	if a.exposed {
		kind = "Static"
	}
	if err == nil && strings.HasPrefix(value, "exposed.New") { // what methods change, too
		name := w.packageName(unexported(c.goName) + exportedName(a.bare))
		w.printf("// %s is %s.%s of Python.\nvar %s = %s\n\n", name, c.name, a.name, name, value)
		value = name
	}
	if err == nil {
		c.add(kind, a.bare, value)
		return
	}
	w.m.note(a.line, "not translated: %s.%s = %s", c.name, a.name, inspect.Bounded(a.value, 80))
	if a.exposed {
		f := &pyFunc{member: member{name: a.name}, bare: a.bare, exposed: true, kind: getter, line: a.line, end: a.line}
		s := &shape{goName: c.member("get "+a.name, unexported(a.bare)), results: []string{"any"}, fails: true}
		c.shapes[f] = s
		c.funcs = append(c.funcs, f)
		c.add("Properties", a.bare, "")
	}
}

// inOrder are the classes in the order of the source.
func (m *pyModule) inOrder() []*pyType {
	return slices.SortedStableFunc(slices.Values(m.types), func(a, b *pyType) int { return a.line - b.line })
}

// ancestors are the bases of the bases of a class, in the module.
func (t *pyType) ancestors() []*pyType {
	if t == nil {
		return nil
	}
	var all []*pyType
	for _, p := range t.parents {
		all = append(append(all, p), p.ancestors()...)
	}
	return all
}
