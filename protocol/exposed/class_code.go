package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// codeObject is the __code__ of a function, for pydoc and inspect: where it is in the source, and its parameters. A
// peer gets at it only where the policy opens all names.
type codeObject struct {
	plan *binding.Plan
	at   vinegar.Frame
}

var (
	codeClass = builtin("builtins.code", objectClass)

	_ = show[*codeObject](codeClass)
	_ = define(codeClass, defineCode)
)

// planBehind returns how self, a Go func, a *Function or a method, is called. Methods that this package implements have
// no plan: the attribute of that name is missing then, as with CPython's builtin functions.
func planBehind(self any, name string) (*binding.Plan, error) {
	var p *binding.Plan
	switch f := self.(type) {
	case *boundMethod:
		p, _ = f.attr.impl.(*binding.Plan)
	case *Function:
		p = f.impl()
	default:
		if fn := reflect.ValueOf(self); fn.Kind() == reflect.Func && !fn.IsNil() {
			if made, err := binding.OfFunc(fn); err == nil {
				p = &made
			}
		}
	}
	if p == nil {
		return nil, noAttribute(ClassOf(self), name)
	}
	return p, nil
}

// codeOf is __code__.
func codeOf(self any) (any, error) {
	p, err := planBehind(self, "__code__")
	if err != nil {
		return nil, err
	}
	return &codeObject{plan: p, at: p.Place()}, nil
}

// defaultsOf is __defaults__: the defaults of positional parameters, which are the last ones of them; None if there are
// none.
func defaultsOf(self any) (any, error) {
	p, err := planBehind(self, "__defaults__")
	if err != nil {
		return nil, err
	}
	if t := p.Defaults(); t != nil {
		return t, nil
	}
	return nil, nil
}

// kwDefaultsOf is __kwdefaults__: a dict of the defaults of keyword-only parameters; None if there are none.
func kwDefaultsOf(ctx context.Context, self any) (any, error) {
	p, err := planBehind(self, "__kwdefaults__")
	if err != nil {
		return nil, err
	}
	defaults := p.KeywordDefaults()
	if defaults == nil {
		return nil, nil
	}
	d := NewDict()
	for _, kw := range defaults {
		if err := d.Set(ctx, kw.Name, kw.Value); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// addFunctionAttrs enters what a function's signature is read from.
func addFunctionAttrs(c *Class) {
	c.getter("__code__", codeOf)
	c.getter("__defaults__", defaultsOf)
	c.add(&attr{
		name: "__kwdefaults__", qual: c.name + ".__kwdefaults__", kind: propertyAttr,
		prop: &property{get: kwDefaultsOf},
	})
}

func defineCode(c *Class) {
	for name, get := range map[string]func(c *codeObject) any{
		"co_name":        func(c *codeObject) any { return c.plan.Name() },
		"co_qualname":    func(c *codeObject) any { return c.plan.QualName() },
		"co_filename":    func(c *codeObject) any { return c.at.File },
		"co_firstlineno": func(c *codeObject) any { return int64(c.at.Line) },
		"co_argcount": func(c *codeObject) any {
			return c.plan.Count(binding.PositionalOnly, binding.PositionalOrKeyword)
		},
		"co_kwonlyargcount":  func(c *codeObject) any { return c.plan.Count(binding.KeywordOnly, binding.KeywordOnly) },
		"co_varnames":        func(c *codeObject) any { return c.plan.VarNames() },
		"co_flags":           func(c *codeObject) any { return c.plan.CodeFlags() },
		"co_posonlyargcount": func(c *codeObject) any { return c.plan.CountPositionalOnly() },
	} {
		c.getter(name, func(self any) (any, error) { return get(self.(*codeObject)), nil })
	}
}
