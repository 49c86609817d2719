package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const protocolPath = "github.com/gorpyc/gorpyc/protocol"

// skeleton writes the Go files of a service. Everything that comes from the source or the peer goes through goName,
// goParam, comment or strconv.Quote.
type skeleton struct {
	m     *pyModule
	pkg   string
	file  *goFile         // the one that is being written
	taken map[string]bool // Go names of the package

	classes  map[*pyType]*skeletonClass
	managers []string        // types for with statements
	helpers  map[string]bool // funcs of python.go that are used
	roots    []string        // names of the services in main.go
	field    bool            // the type wanted is that of a field, which is no result
	original string          // the Python file, from the directory of the Go files
}

// goFile is a file that is being written.
type goFile struct {
	bytes.Buffer
	name string
}

func (w *skeleton) begin(name string) *goFile {
	w.file = &goFile{name: name}
	return w.file
}

func (w *skeleton) printf(format string, args ...any) { fmt.Fprintf(w.file, format, args...) }

// importable are the packages that generated files can use, by the names that they have there.
var importable = func() map[string]string {
	all := map[string]string{}
	for path := range strings.FieldsSeq(`bufio context errors flag fmt iter log math/bits net os os/exec os/signal
		path/filepath regexp strconv strings sync testing time`) {
		all[path[strings.LastIndexByte(path, '/')+1:]] = path
	}
	for name := range strings.FieldsSeq(`brine netref protocol protocol/exposed protocol/pickle protocol/transport
		protocol/vinegar registry servers`) {
		all[name[strings.LastIndexByte(name, '/')+1:]] = "github.com/gorpyc/gorpyc/" + name
	}
	return all
}()

// importsOf finds the packages that a file uses, whatever its comments and texts mention.
func importsOf(name string, text []byte) (map[string]bool, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
	if err != nil {
		return nil, fmt.Errorf("the generated %s is not Go (a fault of rpyc_stubs): %w", name, err)
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && id.Obj == nil && importable[id.Name] != "" {
				used[importable[id.Name]] = true
			}
		}
		return true
	})
	return used, nil
}

// end formats the file that is being written.
func (w *skeleton) end() ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "package %s\n\n", w.pkg)
	imports, err := importsOf(w.file.name, append(bytes.Clone(out.Bytes()), w.file.Bytes()...))
	if err != nil {
		return nil, err
	}
	if len(imports) > 0 {
		writeImports(&out, imports)
	}
	out.Write(w.file.Bytes())
	text := out.Bytes()
	for range 2 { // comments can need a second time
		formatted, err := format.Source(text)
		if err != nil {
			return nil, fmt.Errorf("the generated %s is not Go (a fault of rpyc_stubs): %w", w.file.name, err)
		}
		text = formatted
	}
	return text, nil
}

// writeImports writes an import declaration: the standard library's packages, then others.
func writeImports(out io.Writer, imports map[string]bool) {
	var std, other []string
	for path := range imports {
		if strings.Contains(path, ".") {
			other = append(other, path)
		} else {
			std = append(std, path)
		}
	}
	slices.Sort(std)
	slices.Sort(other)
	fmt.Fprint(out, "import (\n")
	for _, path := range std {
		fmt.Fprintf(out, "\t%q\n", path)
	}
	if len(std) > 0 && len(other) > 0 {
		fmt.Fprint(out, "\n")
	}
	for _, path := range other {
		fmt.Fprintf(out, "\t%q\n", path)
	}
	fmt.Fprint(out, ")\n\n")
}

// generated is a file of a skeleton.
type generated struct {
	name string
	text []byte
}

// writeSkeleton renders all files of a module's service, and adds to the module's notes what cannot be translated.
func writeSkeleton(m *pyModule, pkg, original string) ([]generated, error) {
	w := &skeleton{m: m, pkg: pkg, original: original, helpers: map[string]bool{},
		taken: map[string]bool{"main": true, "init": true}}
	for name := range importable {
		w.taken[name] = true
	}
	served := w.served()
	if len(served) == 0 {
		if m.elsewhere != "" {
			return nil, fmt.Errorf("%s has no service: it serves %s, whose file is to be read", m.path, m.elsewhere)
		}
		return nil, fmt.Errorf("%s has no service: no class derives from rpyc.Service or is given to a server", m.path)
	}
	w.nameAll()
	var files []generated
	add := func(name string, write func() error) error {
		w.begin(name)
		if err := write(); err != nil {
			return err
		}
		text, err := w.end()
		files = append(files, generated{name, text})
		return err
	}
	if err := add("service.go", w.writeService); err != nil {
		return nil, err
	}
	if err := add("python.go", w.writePython); err != nil {
		return nil, err
	}
	if err := add("main.go", func() error { return w.writeMain(served) }); err != nil {
		return nil, err
	}
	if err := add("service_test.go", func() error { return w.writeTest(served) }); err != nil {
		return nil, err
	}
	files[0].text = append(w.head(), files[0].text...) // the notes are complete
	text, err := format.Source(files[0].text)
	if err == nil {
		text, err = format.Source(text)
	}
	files[0].text = text
	return files, err
}

// head is the comment at the top of the file that is to be edited.
func (w *skeleton) head() []byte {
	var b bytes.Buffer
	from := "a running service"
	if w.m.tree != nil {
		from = filepath.Base(w.m.path)
	}
	writeComment(&b, "", "Written by rpyc_stubs from "+from+", to be completed: methods that are still to be written "+
		"return a NotImplementedError.\nWhat Python sees of the types is in python.go.", w.m.doc)
	if len(w.m.notes) > 0 {
		b.WriteString("//\n// Not translated, or not entirely:\n//\n")
		for _, line := range w.notes() {
			fmt.Fprintf(&b, "//   - %s\n", printable(line))
		}
	}
	b.WriteString("\n")
	return bytes.ReplaceAll(b.Bytes(), []byte("+build"), []byte("+ build")) // which would be a directive, here
}

// notes are what the user has to hear of, in the order of the source.
func (w *skeleton) notes() []string {
	all := slices.Clone(w.m.notes)
	slices.SortStableFunc(all, func(a, b note) int { return a.line - b.line })
	var lines []string
	for _, n := range all {
		text := n.text
		if n.line > 0 {
			text = fmt.Sprintf("line %d: %s", n.line, n.text)
		}
		lines = append(lines, text)
	}
	return lines
}

// source writes the Python lines of a definition as a comment.
func (w *skeleton) source(indent string, line, end int) {
	if line < 1 || end > len(w.m.lines) || line > end {
		return
	}
	lines := w.m.lines[line-1 : end]
	margin := indentOf(lines[0])
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			w.printf("%s//\n", indent)
			continue
		}
		cut := 0
		for cut < len(l) && cut < margin && (l[cut] == ' ' || l[cut] == '\t') {
			cut++
		}
		w.printf("%s//\t%s\n", indent, strings.TrimRight(commentText(strings.ReplaceAll(l[cut:], "\t", "    ")), " "))
	}
}

// packageName makes a name for the package that no other has.
func (w *skeleton) packageName(name string) string {
	unique := name
	for i := 2; w.taken[unique] || token.IsKeyword(unique) || types.Universe.Lookup(unique) != nil; i++ {
		unique = name + strconv.Itoa(i)
	}
	w.taken[unique] = true
	return unique
}

// unexported makes a Go name of a Python one that is not exported.
func unexported(name string) string {
	words := strings.SplitN(strings.TrimLeft(name, "_"), "_", 2)
	capitals := len(words[0]) - len(strings.TrimLeft(words[0], "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	if capitals > 1 && capitals < len(words[0]) { // HTTPServer is httpServer
		words[0] = strings.ToLower(words[0][:capitals-1]) + words[0][capitals-1:]
	}
	return goParam(strings.Join(words, "_"), map[string]bool{})
}

// exportedName makes an exported Go name of a Python one.
func exportedName(name string) string {
	go_ := camel(name)
	if !token.IsExported(go_) || !token.IsIdentifier(go_) {
		go_ = "X" + go_
	}
	return go_
}

// reserved are exported names of methods that mean something else to Go or to package exposed.
var reserved = map[string]bool{"String": true, "GoString": true, "Error": true, "OnConnect": true, "OnDisconnect": true,
	"GobDecode": true, "GobEncode": true, "MarshalJSON": true, "MarshalXML": true, "ReadByte": true, "ReadRune": true,
	"UnmarshalJSON": true, "UnmarshalXML": true, "UnreadByte": true, "UnreadRune": true, "WriteByte": true,
	"Attrs": true}

// member gives a method or field of a class a Go name: that of a base's for the same Python name, or a new one.
func (t *pyType) member(pyName, name string) string {
	if token.IsExported(name) && (reserved[name] || strings.HasPrefix(name, "Py")) {
		name = "X" + name
	}
	unique := name
	for i := 2; ; i++ {
		if of, used := t.nameUsed(unique); !used || of == pyName {
			break
		}
		unique = name + strconv.Itoa(i)
	}
	t.goNames[unique] = pyName
	return unique
}

func (t *pyType) nameUsed(name string) (string, bool) {
	if of, ok := t.goNames[name]; ok {
		return of, true
	}
	for _, p := range t.parents {
		if p.goName == name {
			return "", true // the embedded field
		}
		if of, ok := p.nameUsed(name); ok {
			return of, true
		}
	}
	return "", false
}

// nameAll gives the classes of the module and their variables Go names.
func (w *skeleton) nameAll() {
	for _, t := range w.m.types {
		name := strings.TrimPrefix(t.name, "exposed_")
		t.goName = w.packageName(exportedName(name))
		if t.kind == exceptionClass {
			t.variable = t.goName
		} else {
			w.taken["New"+t.goName] = true
			t.variable = w.packageName(unexported(t.goName) + "Class")
		}
		t.goNames, t.members = map[string]string{"init": "__init__", "self": "self"}, map[string]string{}
		if t.kind == enumClass {
			t.goNames["Name"], t.goNames["Value"] = "name", "value"
		}
		for _, a := range t.attrs {
			if t.kind == enumClass && a.value != "" && !strings.HasPrefix(a.name, "_") {
				t.members[a.name] = w.packageName(t.goName + exportedName(strings.ToLower(a.name)))
			}
		}
	}
}
