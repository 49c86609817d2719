package main

import (
	"bytes"
	"fmt"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// moduleName is the stub's name: the package's, or the directory's for a program.
func (m *model) moduleName() string {
	if name := m.pkg.Name(); name != "main" {
		return pythonIdentifier(name)
	}
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, filepath.Base(m.dir))
	return pythonIdentifier(name)
}

// writePyi renders the stub: the package's classes, and those of other packages that they mention.
func (m *model) writePyi() ([]byte, error) {
	if len(m.classes)+len(m.funcs) == 0 {
		return nil, fmt.Errorf("%s: nothing for Python: no exported type has methods or fields, and no func is exported",
			m.path)
	}
	if err := m.readRegistrations(); err != nil {
		return nil, err
	}
	w := &pyiWriter{types: newPyTypes(m)}
	for _, c := range m.classes {
		w.types.class(namedOf(c.obj.Type()))
	}
	for i := 0; i < len(w.types.queue); i++ { // it grows meanwhile
		t := w.types.queue[i]
		if i > 0 {
			w.WriteByte('\n')
		}
		w.class(w.classOf(t))
	}
	for _, fn := range m.funcs {
		if !m.constructs(fn) {
			w.WriteByte('\n')
			w.function("", fn, false)
		}
	}
	for _, e := range m.exceptions() {
		w.exception(e)
	}
	results := asyncResults
	isAsync := func(fn *function) bool { return fn.name == "async_" }
	if w.types.taken["AsyncResult"] || slices.ContainsFunc(m.funcs, isAsync) {
		results = "" // the package means something else by these names
	} else {
		for _, name := range []string{"Any", "Callable", "Protocol", "TypeVar"} {
			w.types.from(name)
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# %s; DO NOT EDIT.\n", strings.TrimPrefix(generatedBy, "// "))
	fmt.Fprintf(&out, "\"\"\"What %s is to Python. Import it for type checkers only:\nthere is no such module when the "+
		"program runs.\"\"\"\n\n", m.path)
	for _, module := range slices.Sorted(maps.Keys(w.types.modules)) {
		fmt.Fprintf(&out, "import %s\n", module)
	}
	if w.exit {
		out.WriteString("from types import TracebackType\n")
	}
	if names := slices.Sorted(maps.Keys(w.types.typing)); len(names) > 0 {
		fmt.Fprintf(&out, "from typing import %s\n", strings.Join(names, ", "))
	}
	if results != "" {
		out.WriteString("from typing_extensions import ParamSpec\n")
	}
	out.WriteString("\n")
	out.Write(w.Bytes())
	for i, name := range slices.Sorted(maps.Keys(w.types.aliases)) {
		if i == 0 {
			out.WriteString("\n# Inside of classes that have a member of the same name:\n")
		}
		fmt.Fprintf(&out, "_%s = %s\n", name, name)
	}
	out.WriteString(results)
	return out.Bytes(), nil
}

// asyncResults says what rpyc.async_ makes of a method, which RPyC does not.
const asyncResults = `
# What rpyc.async_ makes of a method.
_P = ParamSpec("_P")
_R = TypeVar("_R", covariant=True)

class AsyncResult(Protocol[_R]):
    """The result of a call that is under way."""
    @property
    def value(self) -> _R:
        """The result, which is waited for; the exception that it is is raised."""
    @property
    def ready(self) -> bool: ...
    @property
    def error(self) -> bool: ...
    @property
    def expired(self) -> bool: ...
    def wait(self) -> None: ...
    def set_expiry(self, timeout: float | None) -> None: ...
    def add_callback(self, func: Callable[[Any], object]) -> None: ...

def async_(proxy: Callable[_P, _R]) -> Callable[_P, AsyncResult[_R]]: ...
`

// constructs reports whether a func is the constructor of a class, which says all about it.
func (m *model) constructs(fn *function) bool {
	return slices.ContainsFunc(m.classes, func(c *class) bool { return c.new != nil && c.new.goName == fn.goName })
}

type pyiWriter struct {
	bytes.Buffer
	types *pyTypes
	exit  bool
}

// classOf finds or makes the description of a type; those of other packages and interfaces have no directives.
func (w *pyiWriter) classOf(t *types.Named) *class {
	m := w.types.m
	for _, c := range m.classes {
		if c.obj == t.Obj() {
			return c
		}
	}
	c := &class{obj: t.Obj(), pos: t.Obj().Pos()}
	if u, ok := t.Underlying().(*types.Interface); ok {
		for f := range u.Methods() {
			if name, ok := exposed.MethodName(f.Name()); ok && f.Exported() {
				fn, _ := m.newFunction(f, true)
				fn.called(name)
				c.methods = append(c.methods, fn)
			}
		}
		return c
	}
	m.addMembers(c) // its directives were checked, or are those of another package
	return c
}

func (w *pyiWriter) class(c *class) {
	name := w.types.names[c.obj]
	w.types.members = c.memberNames()
	defer func() { w.types.members = nil }()
	base := w.bases(c)
	fmt.Fprintf(w, "class %s%s:\n", name, base)
	before := w.Len()
	w.doc("    ", c.doc)
	if c.new != nil {
		init := *c.new
		init.name, init.doc = "__init__", ""
		if init.doc = c.new.doc; c.doc != "" {
			init.doc = ""
		}
		w.function("    ", &init, true)
	}
	for _, f := range c.fields {
		w.field(c, f)
	}
	for _, e := range c.expose {
		if e.fn != nil {
			w.WriteString("    @staticmethod\n")
			w.function("    ", e.fn, false)
		}
		switch obj := e.obj.(type) {
		case *types.TypeName:
			fmt.Fprintf(w, "    @property\n    def %s(self) -> %s: ...\n", e.name,
				w.types.generic("type", w.types.class(namedOf(obj.Type()))))
		case *types.Func:
			fn, _ := w.types.m.newFunction(obj, false)
			fn.called(e.name)
			w.WriteString("    @staticmethod\n")
			w.function("    ", fn, false)
		}
	}
	for _, fn := range c.methods {
		if !w.inherits(c, fn) {
			w.function("    ", fn, true)
		}
	}
	if w.Len() == before {
		w.WriteString("    ...\n")
	}
}

// bases is the list of base classes. A class that Python cannot instantiate is a protocol, unless a base is none.
func (w *pyiWriter) bases(c *class) string {
	var list []string
	protocol := c.new == nil
	for _, b := range c.bases {
		list = append(list, w.types.class(namedOf(b.Type())))
		if d := w.described(b); d == nil || d.new != nil {
			protocol = false
		}
	}
	if protocol {
		list = append(list, w.types.from("Protocol"))
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

func (w *pyiWriter) described(t *types.TypeName) *class {
	for _, c := range w.types.m.classes {
		if c.obj == t {
			return c
		}
	}
	return nil
}

// inherits reports whether a base has the very method, which the Go type has by embedding.
func (w *pyiWriter) inherits(c *class, fn *function) bool {
	for _, b := range c.bases {
		if d := w.described(b); d != nil && (slices.ContainsFunc(d.methods, func(o *function) bool {
			return o.pos == fn.pos
		}) || w.inherits(d, fn)) {
			return true
		}
	}
	return false
}

func (c *class) memberNames() map[string]bool {
	names := map[string]bool{}
	for _, fn := range c.methods {
		names[fn.name] = true
	}
	for _, f := range c.fields {
		names[f.name] = true
	}
	for _, e := range c.expose {
		names[e.name] = true
	}
	return names
}

// field writes an attribute: a property if Python cannot assign to it. Services refuse all assignments.
func (w *pyiWriter) field(c *class, f field) {
	if !inspect.IsName(f.name) || pyvalue.IsKeyword(f.name) {
		return
	}
	t := w.types.of(f.typ, false)
	if f.readonly || c.service {
		fmt.Fprintf(w, "    @property\n    def %s(self) -> %s:", f.name, t)
		w.body("    ", f.doc)
		return
	}
	fmt.Fprintf(w, "    %s: %s\n", f.name, t)
	w.doc("    ", f.doc)
}

// results are the types that Python demands of special methods.
var specialResults = map[string]string{
	"__len__": "int", "__length_hint__": "int", "__hash__": "int", "__bool__": "bool", "__int__": "int",
	"__float__":   "float",
	"__complex__": "complex", "__index__": "int", "__bytes__": "bytes", "__str__": "str", "__repr__": "str",
	"__format__":   "str",
	"__contains__": "bool", "__setitem__": "None", "__delitem__": "None", "__eq__": "bool", "__ne__": "bool",
	"__lt__": "bool", "__le__": "bool", "__gt__": "bool", "__ge__": "bool",
}

func (w *pyiWriter) function(indent string, fn *function, method bool) {
	name, result := fn.name, ""
	if pyvalue.IsKeyword(name) {
		name = fn.goName // obj.Import is the other spelling of obj.import, which Python cannot say
	}
	if r, ok := specialResults[fn.name]; ok && r != "None" {
		result = w.types.builtin(r)
	} else if ok || fn.name == "__init__" {
		result = "None"
	} else if fn.returns != "" {
		result = w.types.annotation(fn.returns)
	} else {
		result = w.types.results(fn.sig, false)
	}
	var list []string
	if method {
		list = append(list, "self")
	}
	switch fn.name {
	case "__exit__":
		w.exit = true
		list = append(list, "exc_type: "+w.types.generic("type", "BaseException")+" | None", "exc: BaseException | None",
			"traceback: TracebackType | None", "/")
	case "__eq__", "__ne__":
		list = append(list, "other: "+w.types.builtin("object"), "/")
	case "__iter__", "__reversed__":
		result = w.iterator(result)
	case "__next__":
		result = w.next(fn, result)
		list = append(list, w.params(fn)...)
	default:
		list = append(list, w.params(fn)...)
	}
	fmt.Fprintf(w, "%sdef %s(%s) -> %s:", indent, name, strings.Join(list, ", "), result)
	doc := fn.doc
	if fn.special() && fn.name != "__call__" {
		doc = ""
	}
	w.body(indent, doc)
}

// iterator is the result of __iter__ for a method that returns anything that can be iterated.
func (w *pyiWriter) iterator(result string) string {
	for _, form := range []string{"Iterator[", "list[", "set[", "dict["} {
		if rest, ok := strings.CutPrefix(strings.TrimPrefix(result, "builtins."), form); ok {
			if form != "dict[" {
				return w.types.from("Iterator") + "[" + rest
			}
			break
		}
	}
	return w.types.from("Iterator") + "[" + w.types.from("Any") + "]"
}

// next is the item of PyNext() (T, bool).
func (w *pyiWriter) next(fn *function, result string) string {
	if r := fn.sig.Results(); r.Len() == 2 && types.Identical(r.At(1).Type(), types.Typ[types.Bool]) {
		return w.types.of(r.At(0).Type(), false)
	}
	return result
}

func (w *pyiWriter) params(fn *function) []string {
	var list inspect.List
	for _, p := range fn.params {
		t := w.types.of(p.typ, true)
		if p.kind == inspect.VarKeyword {
			if m, ok := p.typ.Underlying().(*types.Map); ok {
				t = w.types.of(m.Elem(), true)
			} else {
				t = w.types.from("Any")
			}
		}
		if p.def == "None" && t != "Any" && !strings.HasSuffix(t, "| None") {
			t += " | None"
		}
		item := p.name + ": " + t
		if p.def != "" {
			item += " = " + p.def
		}
		list.Add(p.kind, item)
	}
	return list.End()
}

func (w *pyiWriter) body(indent, doc string) {
	if doc == "" {
		w.WriteString(" ...\n")
		return
	}
	w.WriteByte('\n')
	w.doc(indent+"    ", doc)
}

// doc writes a documentation string.
func (w *pyiWriter) doc(indent, text string) {
	if text == "" {
		return
	}
	text = strings.NewReplacer(`\`, `\\`, `"""`, `\"\"\"`).Replace(text)
	if strings.HasSuffix(text, `"`) {
		text = text[:len(text)-1] + `\"`
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines[1:] {
		if l != "" {
			lines[i+1] = indent + l
		}
	}
	end := ""
	if len(lines) > 1 {
		end = "\n" + indent
	}
	fmt.Fprintf(w, "%s\"\"\"%s%s\"\"\"\n", indent, strings.Join(lines, "\n"), end)
}
