package main

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"
	"go/types"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/netref"
)

// clientWriter renders a Go client. Everything that comes from the peer goes through goName, goParam, comment or
// strconv.Quote.
type clientWriter struct {
	bytes.Buffer
	pkg, typ string
	imports  map[string]bool
	methods  map[string]bool // Go names that are taken
	classes  *classes
}

// writeClient renders the client of r, with the classes that it mentions. The result is deterministic.
func writeClient(r *remote, pkg, typ string) ([]byte, error) {
	w := &clientWriter{pkg: pkg, imports: map[string]bool{"context": true, "github.com/gorpyc/gorpyc/netref": true},
		classes: newClasses(r, typ)}
	w.class(r, typ, "such as a connection's Root", "return &"+typ+"{object}", "return s.object")
	for i := 0; i < len(w.classes.queue); i++ { // it grows meanwhile
		nested := w.classes.queue[i]
		name := w.classes.names[nested]
		w.WriteByte('\n')
		w.class(nested, name, "nil of nil",
			"\n\tif object == nil {\n\t\treturn nil\n\t}\n\treturn &"+name+"{object}\n",
			"\n\tif s == nil {\n\t\treturn nil\n\t}\n\treturn s.object\n")
	}
	for _, wrapper := range slices.Sorted(maps.Keys(w.classes.used)) {
		fmt.Fprintf(w, wrappers[wrapper], w.classes.prefix)
		if wrapper == "Items" {
			w.imports["iter"] = true
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s; DO NOT EDIT.\n\npackage %s\n\n", generatedBy, pkg)
	writeImports(&out, w.imports)
	out.Write(w.Bytes())
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the generated file is not Go (a fault of rpyc_stubs): %w", err)
	}
	return text, nil
}

// class writes a type with its constructor and methods.
func (w *clientWriter) class(r *remote, typ, of, construct, object string) {
	w.typ, w.methods = typ, map[string]bool{"Object": true}
	what := "a Python object"
	if name := r.class[strings.LastIndexByte(r.class, '.')+1:]; token.IsExported(name) {
		what += " of the class " + printable(r.class) // others are nobody's business, such as an unexported type of Go
	}
	w.comment("", typ+" calls the methods of "+what+". It is safe for concurrent use.", r.doc)
	fmt.Fprintf(w, "type %s struct{ object *netref.Object }\n\n", typ)
	fmt.Fprintf(w, "// New%s makes a %s of a remote object, %s.\n", exported(typ), typ, of)
	fmt.Fprintf(w, "func New%s(object *netref.Object) *%s { %s }\n\n", exported(typ), typ, construct)
	fmt.Fprintf(w, "// Object returns the remote object, for what has no method here and to pass it on.\n")
	fmt.Fprintf(w, "func (s *%s) Object() *netref.Object { %s }\n", typ, object)
	names := w.names(r.members)
	for i := range r.members {
		w.WriteByte('\n')
		w.member(names[i], &r.members[i])
	}
}

func exported(name string) string {
	r := []rune(name)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// call is the parts of one generated method.
type call struct {
	params []string // Go parameters after the context
	fixed  []string // expressions of the arguments that are always given
	rest   string   // a variadic parameter with further arguments
	typed  string   // its type; []any needs no loop
	notes  []string
}

// names gives every member a Go name; those that are written as RPyC's names are have the first choice.
func (w *clientWriter) names(members []member) []string {
	names := make([]string, len(members))
	for _, usual := range []bool{true, false} {
		for i := range members {
			if (netref.PythonName(camel(members[i].name)) == members[i].name) == usual {
				names[i] = w.method(members[i].name)
			}
		}
	}
	return names
}

func (w *clientWriter) member(name string, m *member) {
	quoted := strconv.Quote(m.name)
	if m.data {
		t := w.classes.fromAnnotation(m.typ, false)
		w.imports = withAll(w.imports, t.imports)
		w.comment("", name+" reads the attribute "+m.name+".", m.doc)
		fmt.Fprintf(w, "func (s *%s) %s(ctx context.Context) (%s, error) {\n", w.typ, name, t.name)
		switch {
		case t.name == "any":
			fmt.Fprintf(w, "\treturn s.object.Get(ctx, %s)\n}\n", quoted)
		case t.wrap != "":
			fmt.Fprintf(w, "\tr, err := netref.Get[%s](ctx, s.object, %s)\n", t.raw, quoted)
			w.returns(t)
		default:
			fmt.Fprintf(w, "\treturn netref.Get[%s](ctx, s.object, %s)\n}\n", t.name, quoted)
		}
		return
	}
	what := "calls " + m.name + "."
	c := call{params: []string{"args ...any"}, rest: "args", typed: "any"}
	result := anyType
	switch {
	case m.sig != nil:
		c = w.arguments(m.sig)
		what = "calls " + m.name + m.sig.String() + "."
		if m.sig.Result != "" {
			result = w.classes.fromAnnotation(m.sig.Result, false)
		}
	default:
		c.notes = []string{"The service does not tell its parameters. Keyword arguments are given by netref.Kw."}
	}
	if m.class {
		result, _ = w.classes.byReference(m.name)
		if result.wrap == "" {
			result = object
		}
		what = strings.Replace(what, "calls", "makes an object of the class", 1)
	}
	w.comment("", append([]string{name + " " + what, m.doc}, c.notes...)...)
	w.imports = withAll(w.imports, result.imports)
	none := m.sig != nil && m.sig.Result != "" && inspect.PlainAnnotation(m.sig.Result) == "None"
	results := "(" + result.name + ", error)"
	if none {
		results = "error"
	}
	params := append([]string{"ctx context.Context"}, c.params...)
	fmt.Fprintf(w, "func (s *%s) %s(%s) %s {\n", w.typ, name, strings.Join(params, ", "), results)
	args := w.prepare(c)
	if none {
		fmt.Fprintf(w, "\treturn s.object.CallMethodInto(ctx, nil, %s%s)\n}\n", quoted, args)
		return
	}
	if result.wrap != "" {
		fmt.Fprintf(w, "\tr, err := netref.Call[%s](ctx, s.object, %s%s)\n", result.raw, quoted, args)
		w.returns(result)
		return
	}
	fmt.Fprintf(w, "\treturn netref.Call[%s](ctx, s.object, %s%s)\n}\n", result.name, quoted, args)
}

// returns writes the end of a method whose result r needs wrapping.
func (w *clientWriter) returns(t goType) {
	wrapped := t.wrap + "(r)"
	if body, ok := strings.CutPrefix(t.wrap, "func(v "+t.raw+") "+t.name+" { return "); ok {
		wrapped = strings.Replace(strings.TrimSuffix(body, " }"), "(v, ", "(r, ", 1)
	}
	fmt.Fprintf(w, "\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn %s, nil\n}\n", wrapped)
}

// prepare writes the statements that collect the arguments and returns the rest of the argument list.
func (w *clientWriter) prepare(c call) string {
	fixed := ""
	for _, f := range c.fixed {
		fixed += ", " + f
	}
	switch {
	case c.rest == "":
		return fixed
	case len(c.fixed) == 0 && c.typed == "any":
		return ", " + c.rest + "..."
	}
	name := "all"
	for slices.ContainsFunc(c.params, func(p string) bool { return strings.HasPrefix(p, name+" ") }) {
		name += "_"
	}
	if c.typed == "any" {
		fmt.Fprintf(w, "\t%s := append([]any{%s}, %s...)\n", name, strings.Join(c.fixed, ", "), c.rest)
	} else {
		fmt.Fprintf(w, "\t%s := []any{%s}\n\tfor i := range %s {\n\t\t%s = append(%s, %s[i])\n\t}\n",
			name, strings.Join(c.fixed, ", "), c.rest, name, name, c.rest)
	}
	return ", " + name + "..."
}

// arguments lays a Python parameter list out for Go: what is required has a parameter of its own, what is optional is
// given by keyword, or as further arguments where Python wants it by position.
func (w *clientWriter) arguments(sig *inspect.Signature) call {
	var c call
	taken := map[string]bool{"ctx": true, "s": true, "i": true, "netref": true, "context": true, "iter": true,
		"brine": true, "time": true, "r": true, "err": true, "args": true, "options": true, w.typ: true}
	for wrapper := range wrappers {
		taken[w.classes.prefix+wrapper] = true
	}
	var optional, byPosition []string
	var rest *inspect.Parameter
	keywords := false
	for i := range sig.Params {
		p := &sig.Params[i]
		switch {
		case p.Kind == inspect.VarPositional:
			rest = p
		case p.Kind == inspect.VarKeyword:
			keywords = true
		case p.Default != "" && p.Kind == inspect.PositionalOnly:
			byPosition = append(byPosition, p.Name)
		case p.Default != "":
			optional = append(optional, p.Name)
		default:
			t := w.classes.fromAnnotation(p.Type, true)
			w.imports = withAll(w.imports, t.imports)
			name := goParam(p.Name, taken)
			c.params = append(c.params, name+" "+t.name)
			if t.wrap != "" {
				name += ".Object()"
			}
			if p.Kind == inspect.KeywordOnly {
				name = "netref.Kw(" + strconv.Quote(p.Name) + ", " + name + ")"
			}
			c.fixed = append(c.fixed, name)
		}
	}
	switch {
	case rest != nil && len(optional) == 0 && len(byPosition) == 0 && !keywords && rest.Type != "":
		t := w.classes.handles().fromAnnotation(rest.Type, true)
		w.imports = withAll(w.imports, t.imports)
		c.rest, c.typed = goParam(rest.Name, taken), t.name
	case rest != nil || len(byPosition) > 0:
		c.rest, c.typed = "args", "any"
	case len(optional) > 0 || keywords:
		c.rest, c.typed = "options", "netref.Keyword"
	}
	if c.rest != "" {
		c.params = append(c.params, c.rest+" ..."+c.typed)
	}
	if len(optional) > 0 {
		c.notes = append(c.notes, "Optional, given by netref.Kw: "+strings.Join(optional, ", ")+".")
	}
	return c
}

func withAll(set map[string]bool, paths []string) map[string]bool {
	for _, p := range paths {
		set[p] = true
	}
	return set
}

// initialisms are written in capitals, as Go does.
var initialisms = strings.Fields("api ascii cpu css db dns eof html http https id ip json os ram rpc sql ssh tcp tls " +
	"ttl udp ui uid url utf8 uuid vm xml")

// camel makes the words of a Python name into a Go one.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		switch {
		case word == "":
		case slices.Contains(initialisms, word):
			b.WriteString(strings.ToUpper(word))
		default:
			b.WriteString(exported(word))
		}
	}
	return b.String()
}

// method makes an exported Go name that no other method has.
func (w *clientWriter) method(name string) string {
	go_ := camel(name)
	if !token.IsExported(go_) || !token.IsIdentifier(go_) {
		go_ = "X" + go_
	}
	unique := go_
	for i := 2; w.methods[unique]; i++ {
		unique = go_ + strconv.Itoa(i)
	}
	w.methods[unique] = true
	return unique
}

// goParam makes an unexported Go name that hides nothing the method uses.
func goParam(name string, taken map[string]bool) string {
	first, rest, _ := strings.Cut(strings.TrimLeft(name, "_"), "_")
	if first == strings.ToUpper(first) {
		first = strings.ToLower(first)
	} else {
		r := []rune(first)
		r[0] = unicode.ToLower(r[0])
		first = string(r)
	}
	go_ := first + camel(rest)
	if go_ == "" {
		go_ = "x"
	}
	if !token.IsIdentifier(go_) || types.Universe.Lookup(go_) != nil {
		go_ += "_"
	}
	if !token.IsIdentifier(go_) {
		go_ = "x" + go_
	}
	for taken[go_] {
		go_ += "_"
	}
	taken[go_] = true
	return go_
}

// comment writes paragraphs as a comment. Whatever they contain stays in it: each line begins with "// ", which makes
// no directive either.
func (w *clientWriter) comment(indent string, paragraphs ...string) {
	writeComment(w, indent, paragraphs...)
}

func writeComment(w io.Writer, indent string, paragraphs ...string) {
	first := true
	for _, p := range paragraphs {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if !first {
			fmt.Fprintf(w, "%s//\n", indent)
		}
		first = false
		for line := range strings.SplitSeq(strings.ReplaceAll(p, "\r\n", "\n"), "\n") {
			fmt.Fprintf(w, "%s%s\n", indent, strings.TrimRight("// "+commentText(line), " "))
		}
	}
}

// commentText is a line that can stand in a comment.
func commentText(line string) string {
	if strings.HasPrefix(strings.TrimSpace(printable(line)), "+build") {
		line = "? " + line // gofmt would make a //go:build of it, wherever it stands
	}
	return printable(line)
}

// printable replaces what could end a line or mislead a reader: control characters, line separators, the marks that
// turn the direction of text.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.ToValidUTF8(line, "?"))
}
