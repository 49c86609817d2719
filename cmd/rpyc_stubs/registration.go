package main

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// readRegistrations completes the classes by what the package's own calls of exposed.Register say, as far as it is
// written down as literals. The Go file has no need of it: both come together when the program runs.
func (m *model) readRegistrations() error {
	r := &registrations{m: m, classes: map[types.Object]*types.TypeName{},
		options: map[*types.TypeName]*ast.CompositeLit{}}
	for _, f := range m.files {
		ast.Inspect(f, r.find)
	}
	var errs []error
	for _, c := range m.classes {
		if lit := r.options[c.obj]; lit != nil {
			errs = append(errs, r.apply(c, lit)...)
		}
	}
	return errors.Join(errs...)
}

type registrations struct {
	m       *model
	classes map[types.Object]*types.TypeName // variables that hold a class
	options map[*types.TypeName]*ast.CompositeLit
}

// find notes calls of Register and the variables that their results are stored in.
func (r *registrations) find(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, v := range n.Values {
			if call, ok := v.(*ast.CallExpr); ok && i < len(n.Names) {
				if t := r.registered(call); t != nil {
					r.classes[r.m.info.Defs[n.Names[i]]] = t
				}
			}
		}
	case *ast.CallExpr:
		if t := r.registered(n); t != nil && len(n.Args) == 1 {
			if lit, ok := n.Args[0].(*ast.CompositeLit); ok {
				r.options[t] = lit
			}
		}
	}
	return true
}

// registered returns the type that a call of Register is for, nil for other calls.
func (r *registrations) registered(call *ast.CallExpr) *types.TypeName {
	index, ok := call.Fun.(*ast.IndexExpr)
	if !ok || !r.m.isExposed(index.X, "Register") {
		return nil
	}
	if n := namedOf(r.m.info.Types[index.Index].Type); n != nil {
		return n.Obj()
	}
	return nil
}

// isExposed reports whether an expression names a func of package exposed.
func (m *model) isExposed(e ast.Expr, name string) bool { return m.isFrom(e, exposedPath, name) }

// isFrom reports whether an expression is a name of a package.
func (m *model) isFrom(e ast.Expr, path, name string) bool {
	obj := m.named(e)
	return obj != nil && obj.Name() == name && obj.Pkg() != nil && obj.Pkg().Path() == path
}

func (r *registrations) apply(c *class, lit *ast.CompositeLit) (errs []error) {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, _ := kv.Key.(*ast.Ident)
		if key == nil {
			continue
		}
		switch key.Name {
		case "Name":
			c.name = r.text(kv.Value)
		case "Doc":
			c.doc = r.text(kv.Value)
		case "Service":
			v := r.m.info.Types[kv.Value].Value
			c.service = v != nil && v.Kind() == constant.Bool && constant.BoolVal(v)
		case "New":
			fn, err := r.function(kv.Value, "__init__", false)
			errs = append(errs, err)
			c.new = fn
		case "Params":
			r.each(kv.Value, func(name string, v ast.Expr) {
				if fn := c.method(name); fn != nil {
					fn.params = nil
					if err := fn.declared(r.m.source, strings.Join(r.texts(v), ", "), fn.pythonTypes()); err != nil {
						errs = append(errs, r.m.at(v.Pos(), "%v", err))
					}
				}
			})
		case "Docs":
			r.each(kv.Value, func(name string, v ast.Expr) {
				if fn := c.method(name); fn != nil {
					fn.doc = r.text(v)
				}
			})
		case "Static", "Methods":
			r.each(kv.Value, func(name string, v ast.Expr) {
				errs = append(errs, r.attribute(c, strings.TrimPrefix(name, exposed.DefaultPrefix), v, key.Name == "Methods"))
			})
		case "Properties":
			r.each(kv.Value, func(name string, v ast.Expr) { r.property(c, name, v) })
		case "Bases":
			for _, b := range elements(kv.Value) {
				if t := r.classOf(b); t != nil {
					c.bases = append(c.bases, t)
				}
			}
		case "Private", "Omit":
			c.leaveOut(r.texts(kv.Value))
		}
	}
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// method finds a method by its Go or Python name.
func (c *class) method(name string) *function {
	for _, fn := range c.methods {
		if fn.goName == name || fn.name == name {
			return fn
		}
	}
	return nil
}

func (c *class) leaveOut(goNames []string) {
	c.methods = slices.DeleteFunc(c.methods, func(fn *function) bool { return slices.Contains(goNames, fn.goName) })
	c.fields = slices.DeleteFunc(c.fields, func(f field) bool { return slices.Contains(goNames, f.goName) })
}

// pythonTypes are the types of the parameters that Python passes.
func (fn *function) pythonTypes() []types.Type {
	var ts []types.Type
	for i := range fn.sig.Params().Len() {
		if p := fn.sig.Params().At(i); i > 0 || !isContext(p.Type()) {
			ts = append(ts, p.Type())
		}
	}
	return ts
}

func elements(e ast.Expr) []ast.Expr {
	if lit, ok := e.(*ast.CompositeLit); ok {
		return lit.Elts
	}
	return nil
}

func (r *registrations) each(e ast.Expr, f func(name string, v ast.Expr)) {
	for _, e := range elements(e) {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			f(r.text(kv.Key), kv.Value)
		}
	}
}

func (r *registrations) text(e ast.Expr) string {
	if v := r.m.info.Types[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v)
	}
	return ""
}

func (r *registrations) texts(e ast.Expr) []string {
	var list []string
	for _, e := range elements(e) {
		list = append(list, r.text(e))
	}
	return list
}

// classOf is the type whose class an expression is, nil if that cannot be seen.
func (r *registrations) classOf(e ast.Expr) *types.TypeName {
	switch e := e.(type) {
	case *ast.Ident:
		return r.classes[r.m.info.Uses[e]]
	case *ast.CallExpr:
		if index, ok := e.Fun.(*ast.IndexExpr); ok && r.m.isExposed(index.X, "ClassFor") {
			if n := namedOf(r.m.info.Types[index.Index].Type); n != nil {
				return n.Obj()
			}
		}
	}
	return nil
}

// attribute adds a static attribute or a method.
func (r *registrations) attribute(c *class, name string, e ast.Expr, method bool) error {
	if !inspect.IsName(name) {
		return nil
	}
	if t := r.classOf(e); t != nil {
		c.expose = append(c.expose, exposure{name: name, obj: t})
		return nil
	}
	fn, err := r.function(e, name, method)
	switch {
	case err != nil:
		return err
	case fn == nil:
		if t := r.m.info.Types[e].Type; t != nil {
			c.fields = append(c.fields, field{name: name, typ: types.Default(t), readonly: true})
		}
	case method:
		c.methods = append(c.methods, fn)
	default:
		c.expose = append(c.expose, exposure{name: name, fn: fn})
	}
	return nil
}

// function reads a func or a call of exposed.Func; nil if the expression is neither.
func (r *registrations) function(e ast.Expr, name string, method bool) (*function, error) {
	doc := ""
	for { // .Doc("…"), .Named("…")
		call, ok := e.(*ast.CallExpr)
		if !ok {
			break
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || len(call.Args) != 1 || r.m.isExposed(call.Fun, "Func") || sel.Sel.Name != "Doc" && sel.Sel.Name != "Named" {
			break
		}
		if sel.Sel.Name == "Doc" {
			doc = r.text(call.Args[0])
		}
		e = sel.X
	}
	var params []string
	declared := false
	if call, ok := e.(*ast.CallExpr); ok && r.m.isExposed(call.Fun, "Func") && len(call.Args) > 0 {
		declared = true
		for _, p := range call.Args[1:] {
			params = append(params, r.text(p))
		}
		e = call.Args[0]
	}
	t := r.m.info.Types[e].Type
	if t == nil {
		return nil, nil
	}
	sig, ok := t.Underlying().(*types.Signature)
	if !ok {
		return nil, nil
	}
	fn := &function{goName: name, name: name, doc: doc, pos: e.Pos(), sig: sig}
	ts := fn.pythonTypes()
	if method && len(ts) > 0 {
		ts = ts[1:]
		if len(params) > 0 && params[0] == "self" {
			params = params[1:]
		}
	}
	if id, ok := e.(*ast.Ident); ok && !declared {
		for _, described := range r.m.funcs {
			if f, ok := r.m.info.Uses[id].(*types.Func); ok && f.Name() == described.goName {
				fn.params, fn.doc = described.params, described.doc
				return fn, nil
			}
		}
	}
	if !declared {
		fn.fromGo(make([]string, len(ts)), ts, method)
		return fn, nil
	}
	if err := fn.declared(r.m.source, strings.Join(params, ", "), ts); err != nil {
		return nil, r.m.at(e.Pos(), "%v", err)
	}
	return fn, nil
}

// property adds what a Property literal says.
func (r *registrations) property(c *class, name string, e ast.Expr) {
	f := field{name: name, readonly: true}
	hidden := false
	for _, e := range elements(e) {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		switch key, _ := kv.Key.(*ast.Ident); key.Name {
		case "Get":
			if sig, ok := r.m.info.Types[kv.Value].Type.Underlying().(*types.Signature); ok && sig.Results().Len() > 0 {
				f.typ = sig.Results().At(0).Type()
			}
		case "Set":
			f.readonly = false
		case "Doc":
			f.doc = r.text(kv.Value)
		case "Hidden":
			hidden = true
		}
	}
	if f.typ != nil && !hidden && inspect.IsName(name) {
		c.fields = append(c.fields, f)
	}
}
