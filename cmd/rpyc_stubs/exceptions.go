package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// exception is a class of exceptions that the package makes by vinegar.NewClass.
type exception struct {
	name, doc string
	variable  types.Object
	bases     []types.Object
	names     []string // of the bases
}

const vinegarPath = "github.com/gorpyc/gorpyc/protocol/vinegar"

// exceptions finds the variables of the package that hold classes of exceptions, bases first.
func (m *model) exceptions() []*exception {
	var all []*exception
	add := func(spec *ast.ValueSpec, doc *ast.CommentGroup) {
		for i, v := range spec.Values {
			if e := m.exceptionOf(v); e != nil && len(spec.Names) == len(spec.Values) {
				if spec.Doc != nil {
					doc = spec.Doc
				}
				e.variable = m.info.Defs[spec.Names[i]]
				e.doc = renamed(docOf(doc), spec.Names[i].Name, e.name)
				all = append(all, e)
			}
		}
	}
	for _, f := range m.files {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.VAR {
				doc := d.Doc
				if len(d.Specs) > 1 {
					doc = nil
				}
				for _, spec := range d.Specs {
					add(spec.(*ast.ValueSpec), doc)
				}
			}
		}
	}
	for _, e := range all {
		e.nameBases(all)
	}
	return all
}

func (e *exception) nameBases(all []*exception) {
	for _, base := range e.bases {
		i := slices.IndexFunc(all, func(o *exception) bool { return o.variable == base })
		if i >= 0 {
			e.names = append(e.names, all[i].name)
		} else if c, ok := vinegar.Lookup("builtins", base.Name()); ok && base.Pkg().Path() == vinegarPath {
			e.names = append(e.names, c.Name())
		}
	}
	if len(e.names) == 0 {
		e.names = []string{"Exception"}
	}
}

// exceptionOf reads a call of vinegar.NewClass; nil for everything else.
func (m *model) exceptionOf(v ast.Expr) *exception {
	call, ok := v.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return nil
	}
	name := m.info.Types[call.Args[0]].Value
	if !m.isFrom(call.Fun, vinegarPath, "NewClass") || name == nil || name.Kind() != constant.String {
		return nil
	}
	full := constant.StringVal(name)
	e := &exception{name: full[strings.LastIndexByte(full, '.')+1:]}
	if !inspect.IsName(e.name) || pyvalue.IsKeyword(e.name) {
		return nil
	}
	for _, arg := range call.Args[1:] {
		if base := m.named(arg); base != nil && base.Pkg() != nil {
			e.bases = append(e.bases, base)
		}
	}
	return e
}

// named is what a name, qualified or not, is the name of.
func (m *model) named(e ast.Expr) types.Object {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return m.info.Uses[e.Sel]
	case *ast.Ident:
		return m.info.Uses[e]
	}
	return nil
}

func (w *pyiWriter) exception(e *exception) {
	if w.types.taken[e.name] {
		return
	}
	w.types.taken[e.name] = true
	fmt.Fprintf(w, "\nclass %s(%s):", e.name, strings.Join(e.names, ", "))
	w.body("", e.doc)
}
