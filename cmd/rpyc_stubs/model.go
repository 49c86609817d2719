package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

const exposedPath = "github.com/gorpyc/gorpyc/protocol/exposed"

// class is a Go type that Python sees as a class.
type class struct {
	obj      *types.TypeName
	doc      string
	pos      token.Pos
	name     string // full Python name; empty means Go's package and type name
	service  bool
	aliases  []string
	new      *function // the constructor
	methods  []*function
	fields   []field
	expose   []exposure
	bases    []*types.TypeName
	omit     []string // Go names
	selected bool     // by a directive
}

// pyName is the class's name in Python without its module.
func (c *class) pyName() string {
	if c.name != "" {
		return c.name[strings.LastIndexByte(c.name, '.')+1:]
	}
	return c.obj.Name()
}

// field is an exported struct field.
type field struct {
	goName, name, doc string
	typ               types.Type
	readonly          bool
}

// exposure is a class or func that is an attribute of a class: one of the package's, or a func of a call of Register.
type exposure struct {
	name string
	obj  types.Object
	fn   *function
}

// model is what Python can see of a package.
type model struct {
	*source
	classes []*class
	funcs   []*function
}

// newModel reads the declarations of a package. The error joins all that is wrong with its directives.
func newModel(s *source) (*model, error) {
	m := &model{source: s}
	var errs []error
	for _, f := range s.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok {
						doc := spec.Doc
						if doc == nil && len(d.Specs) == 1 {
							doc = d.Doc
						}
						errs = append(errs, m.addType(spec, doc)...)
					}
				}
			case *ast.FuncDecl:
				if d.Recv == nil {
					errs = append(errs, m.addFunc(d)...)
				}
			}
		}
	}
	sort.Slice(m.classes, func(i, j int) bool { return m.classes[i].obj.Name() < m.classes[j].obj.Name() })
	sort.Slice(m.funcs, func(i, j int) bool { return m.funcs[i].goName < m.funcs[j].goName })
	return m, errors.Join(errs...)
}

func docOf(doc *ast.CommentGroup) string { return strings.TrimSpace(doc.Text()) }

// renamed is a doc comment for Python, whose documentation does not begin with the name of what it is about: "Add adds
// a part." is "Adds a part.", and "Total is the price." is "The price.". What cannot be said so has Python's name in
// the place of Go's.
func renamed(doc, goName, name string) string {
	rest, ok := strings.CutPrefix(doc, goName)
	if !ok || rest == "" || !strings.ContainsAny(rest[:1], " \n,:;.") {
		return doc
	}
	verb, after, _ := strings.Cut(strings.TrimSpace(rest), " ")
	verb = strings.TrimRight(verb, ".,;:")
	switch {
	case !strings.ContainsAny(rest[:1], " \n"):
		return name + rest
	case (verb == "is" || verb == "are") && after != "":
		return capital(strings.TrimSpace(after))
	case !strings.HasSuffix(verb, "s") || !token.IsIdentifier(verb) || token.IsExported(verb):
		return name + rest
	}
	return capital(strings.TrimSpace(rest))
}

func capital(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[n:]
}

func has(ds []directive, name string) bool {
	return slices.ContainsFunc(ds, func(d directive) bool { return d.name == name })
}

func (m *model) addFunc(d *ast.FuncDecl) []error {
	obj, ok := m.info.Defs[d.Name].(*types.Func)
	ds, errs := m.directives("func", d.Doc)
	for _, named := range ds {
		if named.name == "name" {
			errs = append(errs, m.at(named.pos, "rpyc:name belongs to a type or a method"))
		}
	}
	if !ok || !d.Name.IsExported() || obj.Signature().TypeParams() != nil || has(ds, "omit") {
		return errs
	}
	fn, found := m.newFunction(obj, false)
	m.funcs = append(m.funcs, fn)
	return append(errs, found...)
}

func (m *model) addType(spec *ast.TypeSpec, doc *ast.CommentGroup) []error {
	obj, ok := m.info.Defs[spec.Name].(*types.TypeName)
	ds, errs := m.directives("type", doc)
	if !ok || has(ds, "omit") {
		return errs
	}
	named, isNamed := obj.Type().(*types.Named)
	if _, isInterface := obj.Type().Underlying().(*types.Interface); !isNamed || isInterface || named.TypeParams() != nil {
		for _, d := range ds {
			errs = append(errs, m.at(d.pos, "rpyc:%s: %s is an alias, an interface or generic and cannot be described", d.name,
				obj.Name()))
		}
		return errs
	}
	c := &class{obj: obj, doc: docOf(doc), pos: obj.Pos(), selected: len(ds) > 0}
	for _, d := range ds {
		if err := m.applyToType(c, d); err != nil {
			errs = append(errs, m.at(d.pos, "rpyc:%s: %v", d.name, err))
		}
	}
	if !obj.Exported() && !c.selected {
		return errs
	}
	c.doc = renamed(c.doc, obj.Name(), c.pyName())
	errs = append(errs, m.addMembers(c)...)
	if _, basic := obj.Type().Underlying().(*types.Basic); basic ||
		types.Implements(types.NewPointer(obj.Type()), errorInterface) {
		if c.selected {
			errs = append(errs, m.at(ds[0].pos, "rpyc:%s: a %s travels by value or as an exception and cannot be described",
				ds[0].name, obj.Name()))
		}
		return errs
	}
	if c.selected || len(c.methods)+len(c.fields) > 0 {
		m.classes = append(m.classes, c)
	}
	return errs
}

var errorInterface = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

func (m *model) applyToType(c *class, d directive) error {
	words := strings.Fields(d.text)
	switch d.name {
	case "service":
		c.service = true
		if len(words) > 0 {
			return errors.New("takes nothing; rpyc:name and rpyc:alias give names")
		}
	case "alias":
		c.aliases = append(c.aliases, words...)
	case "name":
		if len(words) != 1 || !dotted(words[0]) {
			return fmt.Errorf("want a class name, not %q", d.text)
		}
		c.name = words[0]
	case "class":
		name := "New" + strings.ToUpper(c.obj.Name()[:1]) + c.obj.Name()[1:]
		if len(words) > 0 {
			name = words[0]
		}
		return m.setConstructor(c, name)
	case "expose":
		for _, w := range words {
			name, goName, ok := strings.Cut(w, "=")
			if !ok {
				goName = w
			}
			obj := m.pkg.Scope().Lookup(goName)
			switch obj.(type) {
			case *types.TypeName:
			case *types.Func:
				if !ok {
					name, _ = exposed.MethodName(goName)
				}
			default:
				return fmt.Errorf("the package has no type or func %s", goName)
			}
			if !inspect.IsName(name) {
				return fmt.Errorf("%q cannot name an attribute", name)
			}
			c.expose = append(c.expose, exposure{name: name, obj: obj})
		}
	}
	return nil
}

func dotted(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !inspect.IsName(part) {
			return false
		}
	}
	return true
}

func (m *model) setConstructor(c *class, name string) error {
	f, ok := m.pkg.Scope().Lookup(name).(*types.Func)
	if !ok {
		return fmt.Errorf("there is no func %s to construct a %s with", name, c.obj.Name())
	}
	results := f.Signature().Results()
	if results.Len() == 0 || namedOf(results.At(0).Type()) == nil || namedOf(results.At(0).Type()).Obj() != c.obj {
		return fmt.Errorf("%s does not return a %s", name, c.obj.Name())
	}
	fn, errs := m.newFunction(f, true)
	fn.doc = renamed(fn.doc, fn.goName, c.pyName())
	c.new = fn
	return errors.Join(errs...)
}

// addMembers collects the methods and fields that package exposed makes attributes of.
func (m *model) addMembers(c *class) []error {
	var errs []error
	ms := types.NewMethodSet(types.NewPointer(c.obj.Type()))
	st, _ := c.obj.Type().Underlying().(*types.Struct)
	for i := range ms.Len() {
		sel := ms.At(i)
		f := sel.Obj().(*types.Func)
		name, ok := exposed.MethodName(f.Name())
		if !ok || !f.Exported() || st != nil && hidden(st, sel) {
			continue
		}
		var ds []directive
		if d := m.decls[f.Origin().Pos()]; d != nil {
			ds, _ = m.directives("func", d.Doc)
		}
		if has(ds, "omit") {
			c.omit = append(c.omit, f.Name())
			continue
		}
		fn, found := m.newFunction(f, true)
		if i := slices.IndexFunc(ds, func(d directive) bool { return d.name == "name" }); i >= 0 {
			if !inspect.IsName(ds[i].text) || strings.HasPrefix(name, "__") {
				found = append(found, m.at(ds[i].pos, "rpyc:name: %q cannot name the method", ds[i].text))
			}
			name, fn.byDirective = ds[i].text, true
		}
		fn.called(name)
		errs = append(errs, found...)
		c.methods = append(c.methods, fn)
	}
	if st != nil {
		c.addFields(m, st)
	}
	return errs
}

// hidden reports whether a method comes from an embedded lock, an exposed.Attrs or a field tagged rpyc:"-", at any
// depth.
func hidden(st *types.Struct, sel *types.Selection) bool {
	path := sel.Index()
	for _, i := range path[:len(path)-1] {
		f := st.Field(i)
		if reflect.StructTag(st.Tag(i)).Get("rpyc") == "-" || internal(f.Type()) {
			return true
		}
		n := namedOf(f.Type())
		if n == nil {
			return false
		}
		var ok bool
		if st, ok = n.Underlying().(*types.Struct); !ok {
			return false
		}
	}
	return false
}

func internal(t types.Type) bool {
	n := namedOf(t)
	if n == nil || n.Obj().Pkg() == nil {
		return false
	}
	path := n.Obj().Pkg().Path()
	return path == "sync" || path == "sync/atomic" || path == exposedPath && n.Obj().Name() == "Attrs"
}

func (c *class) addFields(m *model, st *types.Struct) {
	for i := range st.NumFields() {
		f := st.Field(i)
		name, opts := fieldName(f, st.Tag(i))
		if f.Embedded() {
			inner, ok := types.Unalias(f.Type()).Underlying().(*types.Struct)
			if p, isPointer := types.Unalias(f.Type()).(*types.Pointer); isPointer {
				inner, ok = p.Elem().Underlying().(*types.Struct)
			}
			if ok && !internal(f.Type()) && reflect.StructTag(st.Tag(i)).Get("rpyc") != "-" {
				c.addFields(m, inner)
			}
			continue
		}
		if name == "" || slices.ContainsFunc(c.fields, func(o field) bool { return o.name == name }) {
			continue
		}
		c.fields = append(c.fields, field{f.Name(), name, renamed(m.fieldDocs[f.Pos()], f.Name(), name), f.Type(),
			slices.Contains(opts, "readonly")})
	}
}

// registered finds the types that the package's own code registers, or has registered by a directive.
func (s *source) registered() map[*types.TypeName]bool {
	all := map[*types.TypeName]bool{}
	for id, inst := range s.info.Instances {
		if f, ok := s.info.Uses[id].(*types.Func); ok && f.Name() == "Register" && f.Pkg() != nil &&
			f.Pkg().Path() == exposedPath {
			if n := namedOf(inst.TypeArgs.At(0)); n != nil {
				all[n.Obj()] = true
			}
		}
	}
	return all
}
