package main

import (
	"fmt"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
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
	f := t.find("__init__")
	if f == nil || f.sig == nil {
		return
	}
	args, _ := w.parameters(t, f.sig, f.line)
	list, names := make([]string, 0, len(args)), make([]string, 0, len(args))
	for _, a := range args {
		list, names = append(list, a.name+" "+a.typ), append(names, a.name)
	}
	given := strings.Join(names, ", ")
	if n := len(args); n > 0 && strings.HasPrefix(args[n-1].typ, "...") {
		given = strings.Join(names[:n-1], ", ")
		w.m.note(f.line, "the arguments of %s are to be completed", t.name)
	}
	todo := false
	var attrs []string
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
		for _, head := range append([]string{"super(" + t.name + ", self)"}, append(t.bases, "Exception")...) {
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

// message translates an f-string of plain names; empty if it is anything else.
func (w *skeleton) message(text string, goName func(string) string) string {
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

// enumValue is the value of a member, which can be made of those before it.
func (w *skeleton) enumValue(c *skeletonClass, a *pyAttr) (any, error) {
	values := &pyType{attrs: c.attrs}
	return w.literal(values, a.value)
}

// enum writes an enumeration: its members are objects, as in Python.
func (w *skeleton) enum(c *skeletonClass) {
	writeComment(w.file, "", c.goName+" is the enumeration "+c.name+" of Python. Its members are the variables below.",
		c.doc)
	const name, value = "Name", "Value"
	w.printf("type %s struct {\n\tName string\n\tValue any\n", c.goName)
	for _, a := range c.fields {
		w.printf("\t%s %s\n", a.goName, a.goType.name)
	}
	w.printf("}\n\n")
	if f := c.find("__init__"); f != nil {
		w.m.note(f.line, "not translated: %s.__init__; set the fields of the members", c.name)
	}
	c.add("Private", "", name)
	c.add("Private", "", value)
	var members []string
	count := int64(0)
	w.printf("// The members of %s.\nvar (\n", c.goName)
	for _, a := range c.attrs {
		member := c.members[a.name]
		if member == "" {
			continue
		}
		v, err := w.enumValue(c, a)
		switch full := w.m.resolve(strings.TrimSuffix(a.value, "()")); {
		case full == "enum.auto" && c.mixin == "str":
			v, err = strings.ToLower(a.name), nil
		case full == "enum.auto":
			v, err = count+1, nil
		}
		if n, ok := v.(int64); ok {
			count = n
		}
		text := ""
		if err == nil {
			text, err = goLiteral(v)
		}
		if err != nil {
			w.m.note(a.line, "not translated: the value of %s.%s", c.name, a.name)
			text = "nil"
		}
		w.printf("\t%s = &%s{Name: %s, Value: %s}\n", member, c.goName, quote(a.name), text)
		c.add("Hidden", a.name, member)
		members = append(members, member)
	}
	w.printf(")\n\n")
	w.m.note(c.line, "%s: iterating over the class, and %s['NAME'], are not translated", c.name, c.name)
	lookup := w.packageName(unexported(c.goName) + "Of")
	w.printf("%s", fmt.Sprintf("// %s is %s(value) of Python.\nfunc %s(ctx context.Context, value any) (*%s, error) {\n"+
		"\tfor _, m := range []*%s{%s} {\n\t\tif same, err := exposed.Equal(ctx, m.%s, value); same || err != nil {\n"+
		"\t\t\treturn m, err\n\t\t}\n"+
		"\t\tif value == any(m) {\n\t\t\treturn m, nil\n\t\t}\n\t}\n\ttext, err := exposed.Repr(ctx, value)\n"+
		"\tif err != nil {\n\t\treturn nil, err\n\t}\n"+
		"\treturn nil, vinegar.ValueError.New(text + %s)\n}\n\n", lookup, c.name, lookup, c.goName, c.goName,
		strings.Join(members, ", "), value, quote(" is not a valid "+c.name)))
	c.add("New", "", "exposed.Func("+lookup+", \"value\")")
	own := func(name string) bool { return c.find(name) != nil }
	method := func(python, comment, head, body string) {
		if !own(python) {
			w.printf("%s", fmt.Sprintf("// %s\nfunc (s *%s) %s {\n%s}\n\n", comment, c.goName, head, body))
		}
	}
	method("__repr__", "PyRepr is Python's repr.", "PyRepr(ctx context.Context) (string, error)",
		fmt.Sprintf("\ttext, err := exposed.Repr(ctx, s.%s)\n\treturn \"<%s.\" + s.%s + \": \" + text + \">\", err\n",
			value, c.name, name))
	if c.plainText {
		method("__str__", "PyStr is Python's str, since 3.11.", "PyStr(ctx context.Context) (string, error)",
			fmt.Sprintf("\treturn exposed.Str(ctx, s.%s)\n", value))
	} else {
		method("__str__", "PyStr is Python's str.", "PyStr() string", fmt.Sprintf("\treturn \"%s.\" + s.%s\n", c.name, name))
	}
	if c.mixin == "" {
		return
	}
	w.m.note(c.line, "%s is also %s in Python: arithmetic, comparison and conversion are translated, "+
		"its methods not", c.name, c.mixin)
	operate := c.member("the operators", "operate")
	w.printf("// %s applies an operator to the value.\n"+
		"func (s *%s) %[1]s(ctx context.Context, op string, other any) (any, error) {\n"+
		"\tif o, ok := other.(*%[2]s); ok {\n\t\tother = o.Value\n\t}\n"+
		"\treturn exposed.Operate(ctx, op, s.Value, other)\n}\n\n",
		operate, c.goName)
	operators := "Eq Lt Le Gt Ge Add"
	if c.mixin != "str" {
		operators += " Sub Mul TrueDiv FloorDiv Mod And Or Xor"
		for _, op := range []string{"Add", "Sub", "Mul"} {
			method("__r"+strings.ToLower(op)+"__", "PyR"+op+" is that of the value.",
				"PyR"+op+"(ctx context.Context, other any) (any, error)",
				fmt.Sprintf("\treturn exposed.Operate(ctx, %q, other, s.Value)\n", "__"+strings.ToLower(op)+"__"))
		}
	}
	for op := range strings.FieldsSeq(operators) {
		python := "__" + strings.ToLower(op) + "__"
		method(python, "Py"+op+" is that of the value.", "Py"+op+"(ctx context.Context, other any) (any, error)",
			fmt.Sprintf("\treturn s.%s(ctx, %q, other)\n", operate, python))
	}
	method("__hash__", "PyHash is that of the value.", "PyHash(ctx context.Context) (any, error)",
		fmt.Sprintf("\treturn exposed.Hash(ctx, s.%s)\n", value))
	if c.mixin == "int" {
		for _, m := range []string{"Int", "Index"} {
			method("__"+strings.ToLower(m)+"__", "Py"+m+" is the value.", "Py"+m+"() any", fmt.Sprintf("\treturn s.%s\n", value))
		}
	}
}
