package main

import (
	"fmt"
	"slices"
	"strings"
)

// writePython writes what package exposed has to be told, and the methods that Python gives classes by itself.
func (w *skeleton) writePython() error {
	used := map[*pyType]bool{}
	for _, t := range w.m.types {
		for _, p := range t.parents {
			used[p] = true
		}
		for _, name := range t.exposes {
			if e := w.m.typeAt(t, name); e != nil {
				used[e] = true
			}
		}
	}
	variables := false
	for _, t := range w.m.types {
		if used[t] && registered(t) {
			if !variables {
				w.printf("// The classes that others derive from or have as attributes.\nvar (\n")
				variables = true
			}
			w.printf("\t%s *exposed.Class\n", t.variable)
		}
	}
	if variables {
		w.printf(")\n\n")
	}
	w.printf("// What reflection cannot see: names and defaults of parameters, documentation.\nfunc init() {\n")
	for _, t := range w.m.types {
		if registered(t) {
			w.printf("\t")
			if used[t] {
				w.printf("%s = ", t.variable)
			}
			w.register(w.classes[t])
		}
	}
	for _, name := range w.managers {
		w.printf("\texposed.Register[%s](exposed.ClassOptions{Name: \"contextlib._GeneratorContextManager\"})\n", name)
	}
	w.printf("}\n\n")
	for _, t := range w.m.types {
		switch t.kind {
		case dataClass:
			w.dataMethods(w.classes[t])
		case namedTuple:
			w.tupleMethods(w.classes[t])
		}
	}
	if w.helpers["repr"] {
		w.printf("%s", reprHelper)
	}
	return nil
}

// registered reports whether a class is one of package exposed.
func registered(t *pyType) bool {
	return t.kind != exceptionClass && t.kind != typedDict && t.kind != protocolClass
}

const reprHelper = `// fieldsRepr is the repr of a class that shows its fields: names and values take turns.
func fieldsRepr(ctx context.Context, class string, fields ...any) (string, error) {
	var b strings.Builder
	b.WriteString(class + "(")
	for i := 0; i < len(fields); i += 2 {
		text, err := exposed.Repr(ctx, fields[i+1])
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(fields[i].(string) + "=" + text)
	}
	b.WriteString(")")
	return b.String(), nil
}
`

// register writes the call that describes a class.
func (w *skeleton) register(c *skeletonClass) {
	w.printf("exposed.Register[%s](exposed.ClassOptions{\n\t\tName: %q,\n", c.goName, w.m.name+"."+c.name)
	if c.doc != "" {
		w.printf("\t\tDoc: %s,\n", quoteText(c.doc))
	}
	if c.kind != serviceClass && c.kind != enumClass {
		decls := []string(nil)
		if c.init != nil {
			decls = c.init.decls
		}
		from := ""
		for _, of := range c.mro() {
			made := of.kind == dataClass || of.kind == namedTuple || of.find("__init__") != nil
			if made && of != c.pyType && from == "" {
				from = ".Named(" + quote(of.name+".__init__") + ")"
			}
			if made {
				break
			}
		}
		w.printf("\t\tNew: %s%s,\n", w.function(&shape{goName: "New" + c.goName, decls: decls}, nil), from)
	}
	var bases []string
	for _, p := range c.parents {
		if registered(p) {
			bases = append(bases, p.variable)
		}
	}
	if len(bases) > 0 {
		w.printf("\t\tBases: []*exposed.Class{%s},\n", strings.Join(bases, ", "))
	}
	if c.kind == serviceClass {
		w.printf("\t\tService: true,\n")
	}
	if len(c.aliases) > 0 {
		w.printf("\t\tAliases: []string{%s},\n", quotes(c.aliases))
	}
	for _, name := range sortedKeys(c.exposes) {
		if t := w.m.typeAt(c.pyType, c.exposes[name]); t != nil {
			if t.kind == typedDict || t.kind == protocolClass {
				w.m.note(c.line, "not translated: %s.%s", c.name, name)
				continue
			}
			c.add("Static", name, t.variable)
		}
	}
	for kind := range strings.FieldsSeq("Private Names Params Docs Static Methods Hidden Properties New Members") {
		w.option(c, kind)
	}
	w.printf("\t})\n")
}

var optionTypes = map[string]string{"Names": "map[string]string", "Params": "map[string][]string",
	"Docs": "map[string]string", "Static": "map[string]any", "Methods": "map[string]any", "Hidden": "map[string]any",
	"Properties": "map[string]exposed.Property"}

// option writes a field of ClassOptions.
func (w *skeleton) option(c *skeletonClass, kind string) {
	all := map[string]string{}
	for _, e := range c.entries {
		switch {
		case e.kind != kind:
		case kind == "New", kind == "Members":
			w.printf("\t\t%s: %s,\n", kind, e.value)
		case kind == "Private":
			all[e.value] = ""
		case kind == "Properties":
			all[e.key] = w.property(c, e.key)
		default:
			all[e.key] = e.value
		}
	}
	switch {
	case len(all) == 0:
	case kind == "Private":
		w.printf("\t\tPrivate: []string{%s},\n", quotes(sortedKeys(all)))
	default:
		w.printf("\t\t%s: %s{\n", kind, optionTypes[kind])
		for _, key := range sortedKeys(all) {
			w.printf("\t\t\t%q: %s,\n", key, all[key])
		}
		w.printf("\t\t},\n")
	}
}

// property describes a computed attribute.
func (w *skeleton) property(c *skeletonClass, bare string) string {
	text := "{"
	exposed := false
	for _, kind := range []funcKind{getter, setter, deleter} {
		for _, f := range c.funcs {
			if f.bare != bare || f.kind != kind || c.shapes[f] == nil {
				continue
			}
			exposed = exposed || f.exposed
			field := map[funcKind]string{getter: "Get", setter: "Set", deleter: "Del"}[kind]
			text += fmt.Sprintf("%s: (*%s).%s, ", field, c.goName, c.shapes[f].goName)
			if kind == getter && f.doc != "" {
				text += "Doc: " + quoteText(f.doc) + ", "
			}
		}
	}
	if !exposed {
		text += "Hidden: true, "
	}
	return strings.TrimSuffix(text, ", ") + "}"
}

// reprOf writes the repr that dataclasses and namedtuples have.
func (w *skeleton) reprOf(c *skeletonClass) {
	if c.find("__repr__") != nil {
		return
	}
	w.helpers["repr"] = true
	w.printf("// PyRepr is Python's repr.\nfunc (s *%s) PyRepr(ctx context.Context) (string, error) {\n"+
		"\treturn fieldsRepr(ctx, %q",
		c.goName, c.name)
	for _, a := range c.allFields() {
		if !a.noRepr {
			w.printf(", %q, s.%s", a.name, a.goName)
		}
	}
	w.printf(")\n}\n\n")
}

// values writes a method that returns the fields as a tuple.
func (w *skeleton) values(c *skeletonClass) string {
	name := c.member("the values", "values")
	var list []string
	for _, a := range c.allFields() {
		if !a.noCompare {
			list = append(list, "s."+a.goName)
		}
	}
	w.printf("func (s *%s) %s() brine.Tuple { return brine.Tuple{%s} }\n\n", c.goName, name, strings.Join(list, ", "))
	return name
}

// dataMethods writes what @dataclass adds to a class.
func (w *skeleton) dataMethods(c *skeletonClass) {
	options := keywordsOf(c.options)
	off := func(name string) bool { return options[name] == "False" }
	if !off("repr") {
		w.reprOf(c)
	}
	if off("eq") || c.find("__eq__") != nil {
		return
	}
	values := w.values(c)
	w.printf("// PyEq compares the fields with those of another %s.\n"+
		"func (s *%s) PyEq(ctx context.Context, other any) (any, error) {\n"+
		"\to, ok := other.(*%s)\n\tif !ok {\n\t\treturn brine.NotImplemented, nil\n\t}\n"+
		"\treturn exposed.Equal(ctx, s.%s(), o.%s())\n}\n\n", c.goName, c.goName, c.goName, values, values)
	if options["frozen"] == "True" || options["unsafe_hash"] == "True" {
		w.hash(c, values)
	}
	if options["order"] == "True" {
		w.order(c, values, fmt.Sprintf("\to, ok := other.(*%s)\n\tif !ok {\n\t\treturn brine.NotImplemented, nil\n"+
			"\t}\n", c.goName),
			"o."+values+"()")
	}
}

func (w *skeleton) hash(c *skeletonClass, values string) {
	if c.find("__hash__") == nil {
		w.printf("// PyHash is the hash of the fields.\nfunc (s *%s) PyHash(ctx context.Context) (any, error) {\n"+
			"\treturn exposed.Hash(ctx, s.%s())\n}\n\n", c.goName, values)
	}
}

// order writes the comparisons of order.
func (w *skeleton) order(c *skeletonClass, values, head, other string) {
	for _, op := range []string{"Lt", "Le", "Gt", "Ge"} {
		if special := "__" + strings.ToLower(op) + "__"; c.find(special) == nil {
			w.printf("// Py%s compares the fields in their order.\n"+
				"func (s *%s) Py%s(ctx context.Context, other any) (any, error) {\n"+
				"%s\treturn exposed.Operate(ctx, %q, s.%s(), %s)\n}\n\n", op, c.goName, op, head, special, values, other)
		}
	}
}

// tupleMethods writes what makes a namedtuple a tuple.
func (w *skeleton) tupleMethods(c *skeletonClass) {
	w.reprOf(c)
	values := w.values(c)
	other := fmt.Sprintf("\tif o, ok := other.(*%s); ok {\n\t\tother = o.%s()\n\t}\n", c.goName, values)
	for _, m := range [][3]string{
		{"__len__", "PyLen is the number of fields.\nfunc (s *%s) PyLen() int", "\treturn len(s.%s())\n"},
		{"__getitem__", "PyGetItem returns a field by its index, or a slice of them.\n" +
			"func (s *%s) PyGetItem(ctx context.Context, key any) (any, error)", "\treturn exposed.GetItem(ctx, s.%s(), key)\n"},
		{"__iter__", "PyIter iterates over the fields.\nfunc (s *%s) PyIter() any", "\treturn s.%s()\n"},
		{"__contains__", "PyContains reports whether a field has the value.\n" +
			"func (s *%s) PyContains(ctx context.Context, item any) (bool, error)",
			"\treturn exposed.Contains(ctx, s.%s(), item)\n"},
		{"__eq__", "PyEq compares with tuples of either kind.\n" +
			"func (s *%s) PyEq(ctx context.Context, other any) (any, error)",
			other + "\treturn exposed.Operate(ctx, \"__eq__\", s.%s(), other)\n"},
	} {
		if c.find(m[0]) == nil {
			w.printf("// %s {\n%s}\n\n", fmt.Sprintf(m[1], c.goName), fmt.Sprintf(m[2], values))
		}
	}
	w.hash(c, values)
	w.order(c, values, other, "other")
}

// served are the services that the module has, the one that it starts a server of first.
func (w *skeleton) served() []*pyType {
	var all []*pyType
	for _, t := range w.m.inOrder() {
		started := w.started(t) != nil
		base := slices.ContainsFunc(w.m.types, func(o *pyType) bool {
			return o.kind == serviceClass && slices.Contains(o.ancestors(), t)
		})
		switch {
		case t.kind != serviceClass || base && !started:
		case w.m.start != nil && w.m.start == w.started(t):
			all = slices.Insert(all, 0, t)
			for _, s := range w.m.others {
				if w.m.byName[s.service] == t {
					w.m.note(s.line, "%s is served by a %s, too: the first server is translated", t.name, s.class)
				}
			}
		default:
			all = append(all, t)
		}
	}
	return all
}

// started is how the module starts a server of a service, nil if it does not.
func (w *skeleton) started(t *pyType) *pyStart {
	for _, s := range append([]*pyStart{w.m.start}, w.m.others...) {
		if s != nil && w.m.byName[s.service] == t {
			return s
		}
	}
	return nil
}
