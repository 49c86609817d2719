package main

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/netref"
)

// param is one parameter in the Python sense.
type param struct {
	name  string
	kind  inspect.Kind
	def   string // the default, as Python writes it; empty if there is none
	typ   types.Type
	field bool // a field of a struct that takes keywords; the declaration leaves it out
}

// function is what Python calls: a method, or a func of the package.
type function struct {
	goName, name string // Python name: add_user, __len__
	doc          string
	pos          token.Pos
	sig          *types.Signature
	params       []param
	byDirective  bool   // its name is a directive's
	returns      string // the annotation of the result, if a directive has it
}

// called gives the function its name in Python.
func (fn *function) called(name string) {
	fn.name, fn.doc = name, renamed(fn.doc, fn.goName, name)
}

// special reports whether Python calls the function for some syntax of its own.
func (fn *function) special() bool { return strings.HasPrefix(fn.name, "__") }

// pythonIdentifier makes a name fit for Python: what its keywords take gets an underscore.
func pythonIdentifier(name string) string {
	if pyvalue.IsKeyword(name) {
		return name + "_"
	}
	return name
}

func isContext(t types.Type) bool { return isNamed(t, "context", "Context") }

func isKeyword(t types.Type) bool {
	return isNamed(t, "github.com/gorpyc/gorpyc/netref", "Keyword")
}

// newFunction works out the parameters of a func: names from the Go source, changed by the directives.
func (s *source) newFunction(f *types.Func, method bool) (*function, []error) {
	fn := &function{goName: f.Name(), name: netref.PythonName(f.Name()), pos: f.Pos(), sig: f.Signature()}
	var ds []directive
	var errs []error
	if d := s.declOf(f); d != nil {
		fn.doc = docOf(d.Doc)
		if !method {
			fn.called(fn.name)
		}
		if s.decls[f.Origin().Pos()] != nil { // those of other packages are their own business
			ds, errs = s.directives("func", d.Doc)
		}
	}
	types := make([]types.Type, 0, fn.sig.Params().Len())
	names := make([]string, 0, fn.sig.Params().Len())
	for i := range fn.sig.Params().Len() {
		p := fn.sig.Params().At(i)
		if i == 0 && isContext(p.Type()) {
			continue
		}
		types, names = append(types, p.Type()), append(names, p.Name())
	}
	if i := slices.IndexFunc(ds, func(d directive) bool { return d.name == "returns" }); i >= 0 {
		if fn.returns = ds[i].text; !isAnnotation(fn.returns) {
			errs = append(errs, s.at(ds[i].pos, "rpyc:returns: %q is no type as Python writes it", fn.returns))
		}
		ds = slices.Delete(slices.Clone(ds), i, i+1)
	}
	for _, d := range ds {
		if d.name == "params" {
			if err := fn.declared(s, d.text, types); err != nil {
				errs = append(errs, s.at(d.pos, "rpyc:params: %v", err))
			}
			return fn, append(errs, s.alone(ds)...)
		}
	}
	fn.fromGo(names, types, method)
	if n := len(fn.params); n > 0 && fn.params[n-1].kind == inspect.Normal && s.takesKeywords(fn.params[n-1].typ) {
		fn.params = append(fn.params[:n-1], structParams(fn.params[n-1].typ)...)
	}
	for _, d := range ds {
		if err := fn.apply(d); err != nil {
			errs = append(errs, s.at(d.pos, "rpyc:%s: %v", d.name, err))
		}
	}
	if err := fn.valid(); err != nil && len(errs) == 0 {
		errs = append(errs, s.at(fn.pos, "%s: %v", fn.goName, err))
	}
	return fn, errs
}

var annotationForm = regexp.MustCompile(`^[\pL_][\pL\d_.,|\[\] ]*$`)

// isAnnotation reports whether a text can be a type in Python: names, brackets, alternatives.
func isAnnotation(text string) bool {
	return annotationForm.MatchString(text) && inspect.Closing("("+text+")") == len(text)+1 &&
		strings.Count(text, "[") == strings.Count(text, "]")
}

// alone reports directives that rpyc:params leaves nothing to say for.
func (s *source) alone(ds []directive) (errs []error) {
	for _, d := range ds {
		if d.name != "params" && d.name != "omit" {
			errs = append(errs, s.at(d.pos, "rpyc:%s beside rpyc:params, which says all", d.name))
		}
	}
	return errs
}

// fromGo names the parameters as Go does. One without a name, and all before it, can only be positional.
func (fn *function) fromGo(names []string, ts []types.Type, method bool) {
	seen := map[string]bool{"self": method}
	unnamed := -1
	for i, t := range ts {
		p := param{name: pythonIdentifier(netref.PythonName(names[i])), kind: inspect.Normal, typ: t}
		last := i == len(ts)-1
		switch slice, isSlice := types.Unalias(t).(*types.Slice); {
		case last && isSlice && isKeyword(slice.Elem()):
			p.kind = inspect.VarKeyword
		case last && fn.sig.Variadic():
			p.kind, p.typ = inspect.VarPositional, slice.Elem()
		}
		if names[i] == "" || names[i] == "_" {
			p.name = "arg" + strconv.Itoa(i+1)
			switch p.kind {
			case inspect.Normal:
				unnamed = i
			case inspect.VarPositional:
				p.name = "args"
			default:
				p.name = "kwargs"
			}
		}
		for n := p.name; seen[p.name]; {
			n += "_"
			p.name = n
		}
		seen[p.name] = true
		fn.params = append(fn.params, p)
	}
	for i := range unnamed + 1 {
		fn.params[i].kind = inspect.PositionalOnly
	}
}

// declared lays the list of a rpyc:params directive over the Go parameters.
func (fn *function) declared(s *source, text string, ts []types.Type) error {
	list, err := splitList(text)
	if err != nil {
		return err
	}
	kind := inspect.Normal
	for _, item := range list {
		name, def, hasDefault := strings.Cut(item, "=")
		name, def = strings.TrimSpace(name), strings.TrimSpace(def)
		switch name {
		case "/":
			for i := range fn.params {
				fn.params[i].kind = inspect.PositionalOnly
			}
			continue
		case "*":
			kind = inspect.KeywordOnly
			continue
		}
		if len(ts) == 0 {
			return fmt.Errorf("no Go parameter is left for %s", item)
		}
		p := param{name: name, kind: kind, typ: ts[0]}
		ts = ts[1:]
		switch {
		case strings.HasPrefix(name, "**"):
			p.name, p.kind = name[2:], inspect.VarKeyword
		case strings.HasPrefix(name, "*"):
			slice, ok := types.Unalias(p.typ).Underlying().(*types.Slice)
			if !ok {
				return fmt.Errorf("%s needs a slice", name)
			}
			p.name, p.kind, p.typ, kind = name[1:], inspect.VarPositional, slice.Elem(), inspect.KeywordOnly
		}
		fn.params = append(fn.params, p)
		if hasDefault {
			if err := fn.setDefault(p.name, def); err != nil {
				return err
			}
		}
	}
	if len(ts) == 1 && s.takesKeywords(ts[0]) {
		fn.params = append(fn.params, structParams(ts[0])...)
		ts = nil
	}
	if len(ts) > 0 {
		return fmt.Errorf("%d Go parameters are not named", len(ts))
	}
	return fn.valid()
}

func (fn *function) find(name string) *param {
	for i := range fn.params {
		if fn.params[i].name == name && !fn.params[i].field {
			return &fn.params[i]
		}
	}
	return nil
}

func (fn *function) setDefault(name, def string) error {
	p := fn.find(name)
	if p == nil {
		return fmt.Errorf("%s has no parameter %q", fn.goName, name)
	}
	if p.kind == inspect.VarPositional || p.kind == inspect.VarKeyword {
		return fmt.Errorf("%s cannot have a default", name)
	}
	kind, err := literalKind(def)
	if err != nil {
		return err
	}
	if !fits(kind, p.typ) {
		return fmt.Errorf("%s cannot be the default of %s, which is a %s", def, name, p.typ)
	}
	p.def = def
	return nil
}

// apply carries out a directive.
func (fn *function) apply(d directive) error {
	switch d.name {
	case "default":
		items, err := splitList(d.text)
		if err != nil {
			return err
		}
		for _, item := range items {
			name, def, ok := strings.Cut(item, "=")
			if !ok {
				return fmt.Errorf("want name=literal, not %q", item)
			}
			if err := fn.setDefault(strings.TrimSpace(name), strings.TrimSpace(def)); err != nil {
				return err
			}
		}
	case "kwonly", "posonly":
		names := strings.FieldsFunc(d.text, func(r rune) bool { return r == ' ' || r == ',' })
		if len(names) == 0 {
			return errors.New("want names of parameters")
		}
		for _, name := range names {
			p := fn.find(name)
			if p == nil || p.kind != inspect.Normal {
				return fmt.Errorf("%s has no such parameter %q", fn.goName, name)
			}
			if p.kind = inspect.KeywordOnly; d.name == "posonly" {
				p.kind = inspect.PositionalOnly
			}
		}
	}
	return nil
}

// valid checks what Python demands of a parameter list.
func (fn *function) valid() error {
	seen := map[string]bool{}
	optional := ""
	for i, p := range fn.params {
		switch {
		case !inspect.IsName(p.name) || pyvalue.IsKeyword(p.name):
			return fmt.Errorf("%q cannot name a parameter", p.name)
		case seen[p.name]:
			return fmt.Errorf("two parameters are called %s", p.name)
		case i > 0 && p.kind < fn.params[i-1].kind:
			return fmt.Errorf("%s comes after a parameter that has to follow it", p.name)
		case p.kind <= inspect.Normal && p.def == "" && optional != "":
			return fmt.Errorf("%s has no default and follows %s, which has", p.name, optional)
		}
		seen[p.name] = true
		if p.kind <= inspect.Normal && p.def != "" {
			optional = p.name
		}
	}
	return nil
}

// declaration is the list for exposed.Func and ClassOptions.Params.
func (fn *function) declaration() []string {
	var list inspect.List
	for _, p := range fn.params {
		if p.field {
			break
		}
		item := p.name
		if p.def != "" {
			item += "=" + p.def
		}
		list.Add(p.kind, item)
	}
	return list.End()
}

// takesKeywords reports whether a final parameter of type t is one whose fields are keyword arguments: package exposed
// decides likewise.
func (s *source) takesKeywords(t types.Type) bool {
	st, ok := types.Unalias(t).Underlying().(*types.Struct)
	if !ok || st.NumFields() == 0 || types.NewMethodSet(types.NewPointer(t)).Len() > 0 {
		return false
	}
	for f := range st.Fields() {
		if !f.Exported() {
			return false
		}
	}
	n := namedOf(t)
	return n == nil || !s.registered()[n.Obj()]
}

func structParams(t types.Type) []param {
	var ps []param
	st := types.Unalias(t).Underlying().(*types.Struct)
	for i := range st.NumFields() {
		f := st.Field(i)
		name, opts := fieldName(f, st.Tag(i))
		if name == "" || f.Embedded() {
			continue
		}
		p := param{name: name, kind: inspect.KeywordOnly, typ: f.Type(), field: true}
		if lit, ok := reflect.StructTag(st.Tag(i)).Lookup("default"); ok {
			p.def = lit
		} else if !slices.Contains(opts, "required") {
			p.def = "..."
		}
		if slices.Contains(opts, "positional") {
			p.kind = inspect.Normal
		}
		ps = append(ps, p)
	}
	slices.SortStableFunc(ps, func(a, b param) int { return int(a.kind) - int(b.kind) })
	return ps
}

// fieldName returns a field's Python name and the options of its rpyc tag; no name if it is no attribute.
func fieldName(f *types.Var, tag string) (string, []string) {
	parts := strings.Split(reflect.StructTag(tag).Get("rpyc"), ",")
	switch {
	case parts[0] == "-" || !f.Exported():
		return "", nil
	case parts[0] != "":
		return parts[0], parts[1:]
	}
	return netref.PythonName(f.Name()), parts[1:]
}
