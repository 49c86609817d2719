package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// exception writes a class of exceptions and its constructor.
func (w *skeleton) exception(t *pyType) {
	var bases []string
	for i, base := range t.bases {
		switch parent := w.m.typeAt(t.owner, base); {
		case parent != nil && parent.kind == exceptionClass:
			bases = append(bases, parent.variable)
		case parent != nil:
			w.m.note(t.line, "%s derives from %s, which is no exception: what it inherits is missing", t.name, parent.name)
		default:
			name, builtin := isException(base)
			switch {
			case builtin:
				bases = append(bases, "vinegar."+name)
			case name != "":
				bases = append(bases, "vinegar.ClassNamed("+quote(t.bases[i])+")")
			}
		}
	}
	if len(bases) == 0 {
		bases = []string{"vinegar.Exception"}
	}
	writeComment(w.file, "", t.variable+" is the exception "+t.name+" of Python.", t.doc)
	w.printf("var %s = %s\n\n", t.variable, fmt.Sprintf("vinegar.NewClass(%s, %s)", quote(w.m.name+"."+t.name),
		strings.Join(bases, ", ")))
	for _, f := range t.funcs {
		if f.name != "__init__" {
			w.m.note(f.line, "not translated: %s.%s; an exception's attributes travel, its methods do not", t.name, f.name)
		}
	}
	f, of := t.find("__init__"), t
	attrs := w.exceptionAttrs(t)
	for _, base := range t.ancestors() { // a base's counts if the class has none, and so do its attributes
		if f == nil {
			f, of = base.find("__init__"), base
		}
	}
	if f == nil && len(attrs) > 0 {
		f = &pyFunc{member: member{name: "__init__", sig: &inspect.Signature{
			Params: []inspect.Parameter{{Name: "args", Kind: inspect.VarPositional}}}}, line: t.line, end: t.line}
	}
	if f == nil || f.sig == nil {
		return
	}
	args, _ := w.parameters(of, f.sig, f.line)
	list, names := make([]string, 0, len(args)), make([]string, 0, len(args))
	for _, a := range args {
		list, names = append(list, a.name+" "+a.typ), append(names, a.name)
	}
	given := strings.Join(names, ", ")
	if n := len(args); n > 0 && strings.HasPrefix(args[n-1].typ, "...") {
		if given += "..."; n > 1 || args[0].typ != "...any" {
			given = strings.Join(names[:n-1], ", ")
			w.m.note(f.line, "the arguments of %s are to be completed", t.name)
		}
	}
	todo := false
	goName := func(param string) string {
		for _, a := range args {
			if a.param != nil && a.param.Name == param {
				return a.name
			}
		}
		return ""
	}
	for i, s := range f.body {
		if i == 0 && docString(s.text) != "" || s.text == "pass" {
			continue
		}
		call, isSuper := strings.CutPrefix(s.text, "super().__init__(")
		for _, head := range append([]string{"super(" + of.name + ", self)"}, append(of.bases, "Exception")...) {
			if rest, ok := strings.CutPrefix(s.text, head+".__init__("); ok && !isSuper {
				call, isSuper = strings.TrimPrefix(strings.TrimPrefix(rest, "self"), ", "), true
			}
		}
		if isSuper {
			var values []string
			for _, arg := range splitArgs(strings.TrimSuffix(call, ")")) {
				value := goName(arg)
				if v, err := pyvalue.ParseLiteral(arg); err == nil && value == "" {
					value, err = goLiteral(v)
					todo = todo || err != nil
				}
				if value == "" {
					value = w.message(arg, goName)
				}
				if todo = todo || value == ""; value != "" {
					values = append(values, value)
				}
			}
			given = strings.Join(values, ", ")
			continue
		}
		match := selfAssignment.FindStringSubmatch(s.text)
		value := ""
		if match != nil {
			value = goName(strings.TrimSpace(match[4]))
			if v, err := pyvalue.ParseLiteral(strings.TrimSpace(match[4])); err == nil && value == "" {
				value, _ = goLiteral(v)
			}
		}
		if todo = todo || value == ""; value != "" && !strings.HasPrefix(match[2], "_") {
			attrs = append(attrs, fmt.Sprintf("vinegar.Attr{Name: %q, Value: %s}", match[2], value))
		}
	}
	article := "a "
	if strings.ContainsAny(t.goName[:1], "AEIOU") {
		article = "an "
	}
	name := w.packageName("New" + t.goName)
	writeComment(w.file, "", name+" makes "+article+t.goName+", as "+t.name+f.sig.String()+" does.", f.doc)
	w.printf("func %s(%s) *vinegar.Error {\n", name, strings.Join(list, ", "))
	if todo {
		w.printf("\t// TODO: complete this.\n\t//\n")
		w.source("\t", f.line, f.end)
		w.m.note(f.line, "%s.__init__ is to be completed", t.name)
	}
	w.printf("\te := %s.New(%s)\n", t.variable, given)
	if len(attrs) > 0 {
		w.printf("\te.Attrs = append(e.Attrs, %s)\n", strings.Join(attrs, ", "))
	}
	w.printf("\treturn e\n}\n\n")
}

// exceptionAttrs are the variables of a class of exceptions and its bases, which travel with its objects.
func (w *skeleton) exceptionAttrs(t *pyType) (attrs []string) {
	seen := map[string]bool{}
	for _, of := range append([]*pyType{t}, t.ancestors()...) {
		for _, a := range of.attrs {
			if seen[a.name] || strings.HasPrefix(a.name, "_") || a.value == "" {
				continue
			}
			seen[a.name] = true
			value, err := w.constant(of, a.value)
			if err != nil || strings.HasPrefix(value, "exposed.") {
				w.m.note(a.line, "not translated: %s = %s", a.name, inspect.Bounded(a.value, 80))
				continue
			}
			attrs = append(attrs, fmt.Sprintf("vinegar.Attr{Name: %q, Value: %s}", a.name, value))
		}
	}
	return attrs
}

var percentVerb = regexp.MustCompile(`%.`)

// percent translates "text %s" % (a, b) of plain names; empty if it is anything else.
func percent(text string, goName func(string) string) string {
	parts := inspect.Split(text, '%')
	if len(parts) != 2 {
		return ""
	}
	v, err := pyvalue.ParseLiteral(parts[0])
	format, isText := v.(string)
	names := []string{parts[1]}
	if inner, ok := strings.CutPrefix(parts[1], "("); ok {
		names = splitArgs(strings.TrimSuffix(inner, ")"))
	}
	var values []string
	ok := err == nil && isText
	format = percentVerb.ReplaceAllStringFunc(format, func(verb string) string {
		switch {
		case verb == "%%":
			return verb
		case len(values) == len(names) || !strings.Contains("%s%d%r", verb):
			ok = false
			return verb
		}
		name := names[len(values)]
		value := goName(name)
		if v, err := pyvalue.ParseLiteral(name); err == nil && value == "" {
			value, _ = goLiteral(v)
		}
		ok = ok && value != ""
		if verb == "%r" {
			value = "vinegar.Repr(" + value + ")"
		}
		values = append(values, value)
		return "%v"
	})
	if !ok || len(values) != len(names) {
		return ""
	}
	return fmt.Sprintf("fmt.Sprintf(%q, %s)", format, strings.Join(values, ", "))
}

// message translates an f-string of plain names; empty if it is anything else.
func (w *skeleton) message(text string, goName func(string) string) string {
	if formatted := percent(text, goName); formatted != "" {
		return formatted
	}
	body, ok := strings.CutPrefix(text, "f")
	if !ok || len(body) < 2 || pyvalue.QuotedLength(body) != len(body) || strings.HasPrefix(body, `"""`) {
		return ""
	}
	v, err := pyvalue.ParseLiteral(body)
	s, isText := v.(string)
	if err != nil || !isText || strings.Contains(s, "{{") || strings.Contains(s, "}}") {
		return ""
	}
	var format strings.Builder
	var args []string
	for s != "" {
		before, after, found := strings.Cut(s, "{")
		format.WriteString(strings.ReplaceAll(before, "%", "%%"))
		if !found {
			break
		}
		expr, rest, closed := strings.Cut(after, "}")
		name, isRepr := strings.CutSuffix(expr, "!r")
		value := goName(name)
		if !closed || value == "" {
			return ""
		}
		if format.WriteString("%v"); isRepr {
			value = "vinegar.Repr(" + value + ")"
		}
		args = append(args, value)
		s = rest
	}
	if len(args) == 0 {
		return quote(format.String())
	}
	return fmt.Sprintf("fmt.Sprintf(%q, %s)", format.String(), strings.Join(args, ", "))
}

// dictType writes a TypedDict: to Python it is a dict.
func (w *skeleton) dictType(t *pyType) {
	var keys []string
	for _, base := range append(t.ancestors(), t) {
		for _, a := range base.attrs {
			keys = append(keys, a.name+": "+w.m.annotation(a.typ))
		}
	}
	writeComment(w.file, "", t.goName+" is a dict with the keys of "+t.name+".", t.doc, strings.Join(keys, "\n"))
	w.printf("type %s = map[string]any\n\n", t.goName)
}
