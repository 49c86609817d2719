package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

func splitArgs(args string) []string {
	return slices.DeleteFunc(inspect.Split(args, ','), func(s string) bool { return s == "" })
}

// dataFields makes fields of the annotated variables of a dataclass or a namedtuple.
func (c *skeletonClass) dataFields(w *skeleton) {
	kwOnly := strings.Contains(strings.ReplaceAll(c.options, " ", ""), "kw_only=True")
	for _, a := range c.attrs {
		typ := w.m.annotation(a.typ)
		switch {
		case typ == "dataclasses.KW_ONLY" || typ == "KW_ONLY":
			kwOnly, a.isField = true, true
			continue
		case a.typ == "" || strings.HasPrefix(typ, "ClassVar"):
			continue
		case strings.HasPrefix(typ, "dataclasses.InitVar"):
			w.m.note(a.line, "%s of %s is an InitVar: it is a field here", a.name, c.name)
		}
		a.isField, a.kwOnly = true, kwOnly
		name, args, call := strings.Cut(a.value, "(")
		if full := w.m.resolve(name); call && (full == "dataclasses.field" || full == "field" || full == "Field" ||
			strings.HasSuffix(full, ".Field") || full == "attr.ib" || full == "attrs.field") {
			options := keywordsOf(strings.TrimSuffix(args, ")"))
			a.value, a.factory = options["default"], options["default_factory"]
			if a.factory == "" {
				a.factory = options["factory"]
			}
			a.noInit, a.noRepr = options["init"] == "False", options["repr"] == "False"
			a.noCompare = options["compare"] == "False"
			a.kwOnly = a.kwOnly || options["kw_only"] == "True"
		}
		c.fields = append(c.fields, a)
	}
}

// tag gives a field the name that Python has for it, where Go's says another.
func (c *skeletonClass) tag(a *pyAttr) {
	if pythonNameOf(a.goName) != a.bare {
		a.tag = a.bare
	}
	if c.kind == namedTuple || strings.Contains(strings.ReplaceAll(c.options, " ", ""), "frozen=True") {
		a.tag = a.bare + ",readonly"
	}
}

func (t *pyType) find(name string) *pyFunc {
	for _, f := range t.funcs {
		if f.name == name {
			return f
		}
	}
	return nil
}

// infallible reports whether a class's constructor has no error: that of a service, and of what a service derives from.
func (w *skeleton) infallible(t *pyType) bool {
	if t.kind == serviceClass {
		return true
	}
	return slices.ContainsFunc(w.m.types, func(s *pyType) bool {
		return s.kind == serviceClass && slices.Contains(s.ancestors(), t)
	})
}

// initShape is how the method is written that makes an object ready; nil if there is nothing to do.
func (w *skeleton) initShape(c *skeletonClass) *shape {
	s := &shape{goName: "init", fails: !w.infallible(c.pyType)}
	f := c.find("__init__")
	switch {
	case f != nil:
		s.args, s.decls = w.parameters(c.pyType, f.sig, f.line)
		for _, a := range c.fields {
			for _, arg := range s.args {
				if a.param != "" && arg.param != nil && a.param == arg.param.Name &&
					toShown(a.goType.name, arg.typ, arg.name) == "" {
					a.goType = goType{name: strings.Replace(arg.typ, "...", "[]", 1)}
				}
			}
		}
	case c.kind == dataClass || c.kind == namedTuple:
		sig := &inspect.Signature{}
		var keywords []inspect.Parameter
		for _, a := range c.allFields() {
			p := inspect.Parameter{Name: a.name, Kind: inspect.Normal, Type: a.typ, Default: a.value}
			if a.factory != "" {
				p.Default = "None"
			}
			switch {
			case a.noInit:
			case a.kwOnly:
				p.Kind = inspect.KeywordOnly
				keywords = append(keywords, p)
			default:
				sig.Params = append(sig.Params, p)
			}
		}
		sig.Params = append(sig.Params, keywords...)
		s.args, s.decls = w.parameters(c.pyType, sig, c.line)
		for i := range s.args {
			arg := &s.args[i]
			for _, a := range c.allFields() {
				if a.name != arg.param.Name {
					continue
				}
				switch own := slices.Contains(c.fields, a); {
				case a.factory != "" && canBeNil(a.goType.name), !own && a.goType.name != "":
					arg.typ = a.goType.name
				case toShown(a.goType.name, arg.typ, "") != "":
				case own && arg.typ != a.goType.name && canBeNil(arg.typ) && !canBeNil(a.goType.name):
					a.goType = goType{name: arg.typ} // its default is None
				default:
					arg.typ = a.goType.name
					if a.value != "" {
						def := ""
						_, def, arg.fill = w.withDefault(c.pyType, a.goType, arg.param, a.line)
						arg.decl = a.name + "=" + def
					}
				}
			}
		}
	default:
		for _, p := range c.parents {
			if parent := w.classes[p]; parent != nil && parent.init != nil {
				s.args, s.decls = parent.init.args, parent.init.decls
				return s
			}
		}
		if !w.hasShared(c.pyType) && !slices.ContainsFunc(c.fields, func(a *pyAttr) bool { return a.value != "" }) {
			return nil
		}
	}
	return s
}

// allFields are the fields of a dataclass, those of its bases first.
func (t *pyType) allFields() []*pyAttr {
	var all []*pyAttr
	for _, p := range t.parents {
		if p.kind == dataClass || p.kind == namedTuple {
			all = append(all, p.allFields()...)
		}
	}
	for _, a := range t.fields {
		if a.isField {
			all = append(all, a)
		}
	}
	return all
}

// constructor writes New… and init.
func (w *skeleton) constructor(c *skeletonClass) {
	name := "New" + c.goName
	var list, values []string
	if c.init != nil {
		list, values = strings.Split(c.init.params(), ", ctx"), strings.Split(c.init.names(), ", ")
	}
	article := "a "
	if strings.ContainsAny(c.goName[:1], "AEIOU") {
		article = "an "
	}
	writeComment(w.file, "", name+" makes "+article+c.goName+".")
	if w.infallible(c.pyType) {
		if c.init == nil {
			w.printf("func %s() *%s { return &%s{} }\n\n", name, c.goName, c.goName)
			return
		}
		params := strings.TrimPrefix(strings.TrimPrefix(strings.Join(list, ""), "ctx context.Context"), ", ")
		w.printf("func %s(%s) *%s {\n\ts := &%s{}\n\ts.init(%s)\n\treturn s\n}\n\n", name, params, c.goName, c.goName,
			strings.Join(values[1:], ", "))
		w.initBody(c, params, "")
		return
	}
	if c.init == nil {
		w.printf("func %s() (*%s, error) { return &%s{}, nil }\n\n", name, c.goName, c.goName)
		return
	}
	w.printf("%s", fmt.Sprintf("func %s(%s) (*%s, error) {\n\ts := &%s{}\n\tif err := s.init(%s); err != nil {\n"+
		"\t\treturn nil, "+
		"err\n\t}\n\treturn s, nil\n}\n\n", name, c.init.params(), c.goName, c.goName, c.init.names()))
	w.initBody(c, c.init.params(), " error")
}

// initBody writes what __init__ does as far as it consists of assignments.
func (w *skeleton) initBody(c *skeletonClass, params, result string) {
	f := c.find("__init__")
	writeComment(w.file, "", "init makes a new object ready, as __init__ does.")
	w.printf("func (s *%s) init(%s)%s {\n", c.goName, params, result)
	missing := false
	w.join(c.pyType)
	w.fill(c.init.args)
	switch {
	case f != nil:
		missing = w.initStatements(c, f)
	case c.kind == dataClass || c.kind == namedTuple:
		w.initFields(c)
		if post := c.find("__post_init__"); post != nil {
			f, missing = post, len(post.body) > 0
		}
	default:
		for _, a := range c.fields {
			if value, ok := w.value(c.pyType, a, a.goType); ok && value != "" {
				w.printf("\ts.%s = %s\n", a.goName, value)
			} else if !ok {
				w.m.note(a.line, "not translated: %s = %s", a.name, inspect.Bounded(a.value, 80))
			}
		}
		for _, p := range c.parents {
			if parent := w.classes[p]; parent != nil && parent.init != nil {
				call := fmt.Sprintf("s.%s.init(%s)", p.goName, parent.init.names())
				if result == "" {
					w.printf("\t%s\n", strings.Replace(strings.Replace(call, "(ctx, ", "(", 1), "(ctx)", "()", 1))
					break
				}
				w.printf("\treturn %s\n}\n\n", call)
				return
			}
		}
	}
	if missing {
		w.printf("\t// TODO: write the rest in Go.\n\t//\n")
		w.source("\t", f.line, f.end)
		w.m.note(f.line, "%s.%s is to be completed", c.name, f.name)
		if result != "" {
			w.printf("%s", "\treturn vinegar.NotImplementedError.New("+quote(c.name+"."+f.name+" is not written yet")+")\n}\n\n")
			return
		}
	}
	if result != "" {
		w.printf("\treturn nil\n")
	}
	w.printf("}\n\n")
}

// initFields assigns the parameters of a dataclass to its fields.
func (w *skeleton) initFields(c *skeletonClass) {
	for _, a := range c.allFields() {
		i := slices.IndexFunc(c.init.args, func(arg argument) bool { return arg.param != nil && arg.param.Name == a.name })
		if i >= 0 {
			arg := c.init.args[i]
			if made := makers[a.factory]; strings.HasPrefix(arg.typ, "map[") && made != "" {
				w.printf("\tif %s == nil {\n\t\t%s = %s{}\n\t}\n", arg.name, arg.name, arg.typ)
			} else if a.factory != "" && made == "" {
				w.m.note(a.line, "not translated: the default_factory %s of %s.%s", a.factory, c.name, a.name)
			}
			value := arg.name
			if shown := toShown(a.goType.name, arg.typ, arg.name); shown != "" {
				value = shown
			}
			w.printf("\ts.%s = %s\n", a.goName, value)
			continue
		}
		if value, ok := w.value(c.pyType, a, a.goType); ok && value != "" {
			w.printf("\ts.%s = %s\n", a.goName, value)
		} else if strings.HasPrefix(a.goType.name, "map[") {
			w.printf("\ts.%s = %s{}\n", a.goName, a.goType.name)
		} else if !ok {
			w.m.note(a.line, "not translated: %s = %s", a.name, inspect.Bounded(a.value, 80))
		}
	}
}

// initStatements writes the assignments of __init__, and reports whether it has anything else.
func (w *skeleton) initStatements(c *skeletonClass, f *pyFunc) (missing bool) {
	var body []*statement
	for _, st := range f.body {
		body = append(body, st.parallel()...)
	}
	for i, st := range body {
		switch {
		case i == 0 && docString(st.text) != "", st.text == "pass":
			continue
		case w.superCall(c, st.text):
			continue
		}
		match := selfAssignment.FindStringSubmatch(st.text)
		var a *pyAttr
		if match != nil {
			if at := slices.IndexFunc(c.fields, func(o *pyAttr) bool { return o.name == match[2] }); at >= 0 {
				a = c.fields[at]
			}
		}
		if a == nil || len(st.body) > 0 {
			missing = true
			continue
		}
		assigned := *a
		assigned.value = strings.TrimSpace(match[4])
		if at := slices.IndexFunc(c.init.args, func(arg argument) bool {
			return arg.param != nil && arg.param.Name == assigned.value
		}); at >= 0 {
			if shown := toShown(a.goType.name, c.init.args[at].typ, c.init.args[at].name); shown != "" {
				w.printf("\ts.%s = %s\n", a.goName, shown)
				continue
			}
			if arg := c.init.args[at]; strings.Replace(arg.typ, "...", "[]", 1) == a.goType.name || a.goType.name == "any" {
				w.printf("\ts.%s = %s\n", a.goName, arg.name)
				continue
			}
			missing = true
			continue
		}
		value, ok := w.value(c.pyType, &assigned, a.goType)
		if missing = missing || !ok; ok && value != "" {
			w.printf("\ts.%s = %s\n", a.goName, value)
		}
	}
	return missing
}

// superCall writes a call of a base's __init__, if it is one that can be written.
func (w *skeleton) superCall(c *skeletonClass, text string) bool {
	rest, ok := "", false
	for _, head := range []string{"super().__init__(", "super(" + c.name + ", self).__init__("} {
		if !ok {
			rest, ok = strings.CutPrefix(text, head)
		}
	}
	parents := c.parents
	if !ok {
		name, args, found := strings.Cut(text, ".__init__(self")
		if !found || !dotted(name) {
			return false
		}
		rest = strings.TrimPrefix(args, ",")
		parents = slices.DeleteFunc(slices.Clone(parents), func(p *pyType) bool { return p.name != name })
	}
	given := splitArgs(strings.TrimSuffix(strings.TrimSpace(rest), ")"))
	for _, p := range parents {
		parent := w.classes[p]
		if parent == nil || parent.init == nil {
			continue
		}
		values := make([]string, 0, len(given))
		for i, arg := range parent.init.args {
			if i >= len(given) || arg.param == nil {
				return false
			}
			at := slices.IndexFunc(c.init.args, func(a argument) bool { return a.param != nil && a.param.Name == given[i] })
			switch v, err := pyvalue.ParseLiteral(given[i]); {
			case at >= 0 && c.init.args[at].typ == arg.typ:
				values = append(values, c.init.args[at].name)
			case err == nil && v != nil:
				value, fits := goElement(arg.typ, v)
				if !fits {
					return false
				}
				values = append(values, value)
			default:
				return false
			}
		}
		if !parent.shapeFails() {
			w.printf("\ts.%s.init(%s)\n", p.goName, strings.Join(values, ", "))
		} else {
			w.printf("\tif err := s.%s.init(%s); err != nil {\n\t\treturn err\n\t}\n", p.goName,
				strings.Join(append([]string{"ctx"}, values...), ", "))
		}
		return len(given) == len(parent.init.args)
	}
	return true // that of object or rpyc.Service
}

func (c *skeletonClass) shapeFails() bool { return c.init.fails }
