package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// pyModule is what a skeleton is made of: a Python file, or what a live service tells.
type pyModule struct {
	path, name string // name is the module's in Python
	doc        string
	lines      []string
	tree       []*statement
	imports    map[string]string // what names of imports stand for: dt for datetime, "Opt" for typing.Optional
	aliases    map[string]string // names of types: "Rows" for list[dict[str, int]]
	types      []*pyType         // nested ones too, bases first
	byName     map[string]*pyType
	funcs      []*pyFunc
	attrs      []*pyAttr // constants and variables
	start      *pyStart
	others     []*pyStart // further servers that it starts
	notes      []note
	elsewhere  string // a service that it serves and imports
	script     bool   // it starts its server itself, so that its name is __main__
}

// note is something that cannot be translated.
type note struct {
	line int // 0 for none
	text string
}

func (m *pyModule) note(line int, format string, args ...any) {
	n := note{line, fmt.Sprintf(format, args...)}
	if !slices.Contains(m.notes, n) {
		m.notes = append(m.notes, n)
	}
}

type typeKind int

// The kinds of classes; each has a form of its own in Go.
const (
	plainClass typeKind = iota
	serviceClass
	dataClass
	namedTuple
	typedDict
	enumClass
	exceptionClass
	protocolClass // objects that clients make: typing.Protocol, ABC without a body
)

// pyType is a class of the module.
type pyType struct {
	name, doc string
	kind      typeKind
	line      int
	bases     []string  // full names
	parents   []*pyType // those of the module
	owner     *pyType   // of a nested class
	funcs     []*pyFunc
	attrs     []*pyAttr         // assigned in the class
	fields    []*pyAttr         // assigned to objects
	exposes   map[string]string // exposed names of classes, and which: "Item": "Item"
	aliases   []string
	options   string // of @dataclass
	local     bool   // a func makes it
	decorated bool   // by @rpyc.service, which makes @rpyc.exposed work
	mixin     string // an enum's other base: int, str
	flag      bool   // an enum whose members are combined: Flag, IntFlag
	plainText bool   // str() of its members is that of their values: IntEnum, StrEnum

	goName, variable string            // its Go type and the variable that holds its class
	goNames          map[string]string // taken Go names of methods and fields, and what for
	members          map[string]string // of an enum, their Go names
}

// pyAttr is a variable of a class, an object or the module.
type pyAttr struct {
	name, bare string // bare is without exposed_
	exposed    bool
	typ        string // annotation
	value      string // source; empty if there is none
	line       int
	param      string // the value is this parameter of __init__
	goName     string
	goType     goType
	tag        string // for package exposed
	isField    bool   // of a dataclass or namedtuple
	noInit     bool   // a field that is no parameter
	kwOnly     bool
	noRepr     bool
	noCompare  bool
	factory    string // default_factory
}

type funcKind int

const (
	method funcKind = iota
	staticMethod
	classMethod
	getter
	setter
	deleter
)

// pyFunc is a func of a class or of the module.
type pyFunc struct {
	member
	bare      string
	exposed   bool
	kind      funcKind
	target    string // it is another name of this method
	async     bool
	generator bool
	manager   bool // of @contextmanager
	returns   bool // it returns a value somewhere
	raises    bool // it has no body but raise or ...
	line, end int
	body      []*statement
	live      bool // not from a source
}

// readModule reads a Python file.
func readModule(path, name string) (*pyModule, error) {
	text, err := readSource(path)
	if err != nil {
		return nil, err
	}
	m := &pyModule{path: path, name: name, lines: strings.Split(text, "\n"), imports: map[string]string{},
		aliases: map[string]string{}, byName: map[string]*pyType{}}
	if m.tree, err = pyTree(text); err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	if len(m.tree) > 0 {
		m.doc = docString(m.tree[0].text)
	}
	each(m.tree, m.readImport)
	if err := m.readBlock(m.tree, nil); err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	m.findServers(m.tree, true)
	m.script = m.script && m.start != nil
	if m.name == "" {
		m.name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if m.script {
			m.name = "__main__"
		}
	}
	for _, t := range m.types {
		m.complete(t)
		m.checkExposed(t)
	}
	return m, nil
}

// readSource reads a file of bounded size.
func readSource(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > maxSource {
		return "", fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), maxSource)
	}
	text, err := os.ReadFile(path)
	return strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n"), err
}

func (m *pyModule) readImport(s *statement) {
	words := strings.NewReplacer("(", " ", ")", " ").Replace(s.text)
	from := ""
	switch {
	case strings.HasPrefix(words, "import "):
		words = words[len("import "):]
	case strings.HasPrefix(words, "from "):
		before, after, ok := strings.Cut(words[len("from "):], " import ")
		if !ok {
			return
		}
		from, words = strings.TrimSpace(before)+".", after
	default:
		return
	}
	for item := range strings.SplitSeq(words, ",") {
		switch f := strings.Fields(item); {
		case len(f) == 3 && f[1] == "as":
			m.imports[f[2]] = from + f[0]
		case len(f) == 1 && from == "":
			m.imports[strings.SplitN(f[0], ".", 2)[0]] = strings.SplitN(f[0], ".", 2)[0]
		case len(f) == 1:
			m.imports[f[0]] = from + f[0]
		}
	}
}

// resolve is the full name of what a name stands for.
func (m *pyModule) resolve(name string) string {
	first, rest, dotted := strings.Cut(strings.TrimSpace(name), ".")
	full, ok := m.imports[first]
	if !ok || m.byName[first] != nil {
		return strings.TrimSpace(name)
	}
	if dotted {
		full += "." + rest
	}
	return full
}

var dottedName = regexp.MustCompile(`[\pL_][\pL\pN_]*(\.[\pL_][\pL\pN_]*)*`)

// annotation is the text of an annotation with full names in it, and without the modules of types.
func (m *pyModule) annotation(text string) string { return m.expand(text, 0) }

func (m *pyModule) expand(text string, depth int) string {
	text = dottedName.ReplaceAllStringFunc(text, func(name string) string {
		if alias, ok := m.aliases[name]; ok && depth < 5 {
			return m.expand(alias, depth+1)
		}
		full := m.resolve(name)
		if last := full[strings.LastIndexByte(full, '.')+1:]; m.byName[last] != nil && !strings.Contains(full, ".") {
			return last
		}
		return full
	})
	return inspect.PlainAnnotation(text)
}

// typeAt is the class that a name stands for in a class: one nested in it, or one of the module.
func (m *pyModule) typeAt(in *pyType, name string) *pyType {
	for ; in != nil; in = in.owner {
		for _, t := range m.types {
			if t.owner == in && t.name == name {
				return t
			}
		}
	}
	return m.byName[name[strings.LastIndexByte(name, '.')+1:]]
}

// readBlock reads the statements of the module, or those of a class.
func (m *pyModule) readBlock(block []*statement, in *pyType) error {
	var decorators []*statement
	for i, s := range block {
		if strings.HasPrefix(s.text, "@") {
			decorators = append(decorators, s)
			continue
		}
		word, rest, _ := strings.Cut(strings.Join(strings.Fields(strings.Replace(s.text, "(", " (", 1)), " "), " ")
		switch {
		case definition.MatchString(s.text) && word == "class":
			if err := m.readType(s, in, decorators); err != nil {
				return err
			}
		case definition.MatchString(s.text):
			f, err := m.readFunc(s, in, decorators)
			if err != nil {
				return err
			}
			m.addFunc(f, in)
			if err := m.readLocal(s.body, f); err != nil {
				return err
			}
		case word == "import" || word == "from" || word == "pass" || word == "...":
		case word == "if" && strings.Contains(rest, "__name__"), word == "del", word == "global":
		case compound.MatchString(s.text):
			if err := m.readBlock(s.body, in); err != nil { // what each branch defines; the last one counts
				return err
			}
		default:
			m.readStatement(s, in, i == 0)
		}
		decorators = nil
	}
	return nil
}

// addFunc adds a definition, which replaces an earlier one of the name, as in Python.
func (m *pyModule) addFunc(f *pyFunc, in *pyType) {
	if f == nil {
		return
	}
	list := &m.funcs
	if in != nil {
		list = &in.funcs
	}
	same := func(o *pyFunc) bool { return o.name == f.name && (o.kind < getter || o.kind == f.kind) }
	if i := slices.IndexFunc(*list, same); i >= 0 {
		m.note((*list)[i].line, "%s is defined again in line %d, which counts", f.name, f.line)
		(*list)[i] = f
		return
	}
	*list = append(*list, f)
}

var aliasCall = regexp.MustCompile(`^(?:typing\.)?(TypeVar|NewType|ParamSpec)\(`)

// readStatement reads an assignment of a class or the module.
func (m *pyModule) readStatement(s *statement, in *pyType, first bool) {
	if first && docString(s.text) != "" || strings.HasPrefix(s.text, "\"") || strings.HasPrefix(s.text, "'") {
		return
	}
	if serverCall.MatchString(code(s.text)) && in == nil {
		return // findServers reads it
	}
	target, value, assigned := cutTop(s.text, '=')
	names := []string{target}
	for assigned && !strings.HasPrefix(value, "lambda") { // a = b = 1
		next, rest, more := cutTop(value, '=')
		if !more {
			break
		}
		names, value = append(names, next), rest
	}
	for _, target := range names {
		targets, values := inspect.Split(target, ','), inspect.Split(value, ',')
		if len(targets) == 1 || len(targets) != len(values) || strings.HasPrefix(value, "lambda") {
			targets, values = []string{target}, []string{value}
		}
		for i, target := range targets {
			name, typ, annotated := strings.Cut(target, ":")
			if name = strings.TrimSpace(name); !inspect.IsName(name) || !assigned && !annotated {
				m.note(s.number, "not translated: %s", inspect.Bounded(s.text, 80))
				return
			}
			if !m.readLambda(s, in, name, values[i]) {
				m.assign(in, &pyAttr{name: name, typ: strings.TrimSpace(typ), value: values[i], line: s.number})
			}
		}
	}
}

// assign enters a variable of the module or a class.
func (m *pyModule) assign(in *pyType, a *pyAttr) {
	a.bare, a.exposed = strings.CutPrefix(a.name, "exposed_")
	if a.bare == "" {
		a.bare, a.exposed = a.name, false
	}
	if in == nil {
		full := m.resolve(a.value)
		switch {
		case strings.HasPrefix(a.name, "__"):
		case aliasCall.MatchString(full):
			m.aliases[a.name] = "Any"
			if _, args, ok := strings.Cut(full, ","); ok && strings.Contains(full, "NewType(") {
				m.aliases[a.name] = strings.TrimSuffix(strings.TrimSpace(args), ")")
			}
		case a.typ == "TypeAlias" || strings.HasSuffix(a.typ, ".TypeAlias") || m.isType(a.value):
			m.aliases[a.name] = a.value
		case m.namedTupleCall(a):
		default:
			m.attrs = append(m.attrs, a)
		}
		return
	}
	switch {
	case a.name == "ALIASES":
		in.aliases = namesIn(a.value)
		if len(in.aliases) == 0 && a.value != "()" && a.value != "[]" {
			m.note(a.line, "ALIASES of %s is no list of names", in.name)
		}
	case strings.HasPrefix(a.name, "__") && specials[a.name] == "":
		if a.name != "__slots__" && a.name != "__doc__" && a.name != "__module__" {
			m.note(a.line, "%s of %s", a.name, in.name)
		}
	case slices.ContainsFunc(in.attrs, func(o *pyAttr) bool { return o.name == a.name }):
	default:
		in.attrs = append(in.attrs, a)
	}
}

// isType reports whether the right side of an assignment is a type, so that the name is an alias.
func (m *pyModule) isType(value string) bool {
	name, _, generic := strings.Cut(value, "[")
	if !dotted(strings.TrimSpace(name)) && !strings.Contains(value, "|") {
		return false
	}
	full := m.annotation(strings.TrimSpace(name))
	_, scalar := scalars[full]
	if scalar || full == "Any" || full == "numpy.ndarray" || generic && strings.HasPrefix(full, "numpy.") {
		return true
	}
	if strings.Contains(value, "|") && !generic {
		for _, part := range inspect.Split(value, '|') {
			if part != "None" && !m.isType(part) {
				return false
			}
		}
		return true
	}
	return generic && (genericTypes[full] || m.byName[full] != nil)
}

var genericTypes = func() map[string]bool {
	all := map[string]bool{}
	for name := range strings.FieldsSeq(`Optional Union list List Sequence MutableSequence Collection Iterable Iterator
		Generator set Set FrozenSet frozenset AbstractSet MutableSet dict Dict Mapping MutableMapping defaultdict DefaultDict
		OrderedDict tuple Tuple Callable Literal Annotated Type type`) {
		all[name] = true
	}
	return all
}()

var namedTupleForm = regexp.MustCompile(`^(?:collections\.|typing\.)?(namedtuple|NamedTuple)\(\s*['"]([\pL_]\w*)['"]\s*,(.*)\)$`)

// namedTupleCall makes a class of collections.namedtuple("Point", "x y").
func (m *pyModule) namedTupleCall(a *pyAttr) bool {
	match := namedTupleForm.FindStringSubmatch(m.resolve(a.value))
	if match == nil {
		return false
	}
	t := &pyType{name: match[2], kind: namedTuple, line: a.line, exposes: map[string]string{}}
	list := inspect.Split(match[3], ',')
	text := match[3]
	if v, err := pyvalue.ParseLiteral(list[0]); err == nil && !strings.HasPrefix(strings.TrimSpace(text), "[") {
		if s, ok := v.(string); ok {
			for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
				t.attrs = append(t.attrs, &pyAttr{name: f, bare: f, typ: "Any", line: a.line})
			}
		}
	} else {
		for _, pair := range regexp.MustCompile(`['"](\w+)['"]\s*(?:,\s*([^'"()]+)\))?`).FindAllStringSubmatch(text, -1) {
			typ := pair[2]
			if typ == "" {
				typ = "Any"
			}
			t.attrs = append(t.attrs, &pyAttr{name: pair[1], bare: pair[1], typ: typ, line: a.line})
		}
	}
	m.types = append(m.types, t)
	m.byName[a.name] = t
	return len(t.attrs) > 0
}

// isException reports whether a full name is that of a class of exceptions that Go knows.
func isException(full string) (string, bool) {
	module, name := "builtins", full
	if i := strings.LastIndexByte(full, '.'); i >= 0 {
		module, name = full[:i], full[i+1:]
	}
	c, ok := vinegar.Lookup(module, name)
	if !ok {
		return "", false
	}
	return c.Name(), module == "builtins"
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
