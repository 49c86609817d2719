package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// codeObject is the __code__ of a function, for pydoc and inspect: where it is in the source, and its parameters. A
// peer gets at it only where the policy opens all names.
type codeObject struct {
	name, qual string
	params     []param
	self       string
	at         vinegar.Frame
}

var codeClass = newClass("builtins.code", objectClass)

// planBehind is how to call a Go func, a *Function or a method. What this package implements has none.
func planBehind(self any) *plan {
	switch f := self.(type) {
	case *boundMethod:
		p, _ := f.attr.impl.(*plan)
		return p
	case *Function:
		return f.impl()
	}
	if fn := reflect.ValueOf(self); fn.Kind() == reflect.Func && !fn.IsNil() {
		if p, err := planOf(fn); err == nil {
			return &p
		}
	}
	return nil
}

func noCode(self any, name string) error { return noAttribute(ClassOf(self), name) }

// codeOf is __code__.
func codeOf(self any) (any, error) {
	p := planBehind(self)
	if p == nil {
		return nil, noCode(self, "__code__")
	}
	where := p.where
	if where == nil {
		where = []reflect.Value{p.fn}
	}
	c := &codeObject{qual: p.title(), params: p.params, self: p.self, at: place(p.name, where)}
	c.name = p.name
	return c, nil
}

// defaultsOf is __defaults__: the defaults of positional parameters, which are the last ones of them; None if there are
// none.
func defaultsOf(self any) (any, error) {
	p := planBehind(self)
	if p == nil {
		return nil, noCode(self, "__defaults__")
	}
	var t brine.Tuple
	for i := range p.params {
		if q := &p.params[i]; q.kind <= positionalOrKeyword && !q.required() {
			t = append(t, q.defaultValue())
		}
	}
	if t == nil {
		return nil, nil
	}
	return t, nil
}

// kwDefaultsOf is __kwdefaults__: a dict of the defaults of keyword-only parameters; None if there are none.
func kwDefaultsOf(ctx context.Context, self any) (any, error) {
	p := planBehind(self)
	if p == nil {
		return nil, noCode(self, "__kwdefaults__")
	}
	var d *Dict
	for i := range p.params {
		if q := &p.params[i]; q.kind == keywordOnly && !q.required() {
			if d == nil {
				d = NewDict()
			}
			if err := d.Set(ctx, q.name, q.defaultValue()); err != nil {
				return nil, err
			}
		}
	}
	if d == nil {
		return nil, nil
	}
	return d, nil
}

// defaultValue is the default for peers to look at: Ellipsis for a field that keeps its zero value.
func (p *param) defaultValue() any {
	if p.def.IsValid() {
		return p.def.Interface()
	}
	return brine.Ellipsis
}

// addFunctionAttrs enters what a function's signature is read from.
func addFunctionAttrs(c *Class) {
	c.getter("__code__", codeOf)
	c.getter("__defaults__", defaultsOf)
	c.add(&attr{name: "__kwdefaults__", qual: c.name + ".__kwdefaults__", kind: propertyAttr, prop: &property{get: kwDefaultsOf}})
}

// The bits of co_flags that say what a function takes.
const (
	codeVarArgs     = 0x04
	codeVarKeywords = 0x08
)

// count counts the parameters of the kinds from first to last, the object included.
func (c *codeObject) count(first, last paramKind) int {
	n := 0
	for i := range c.params {
		if k := c.params[i].kind; k >= first && k <= last {
			n++
		}
	}
	if c.self != "" && first == positionalOnly {
		n++
	}
	return n
}

// varnames lists the parameters in CPython's order: *args and **kwargs come last.
func (c *codeObject) varnames() brine.Tuple {
	names := brine.Tuple{}
	if c.self != "" {
		names = append(names, c.self)
	}
	for _, kinds := range [][2]paramKind{{positionalOnly, positionalOrKeyword}, {keywordOnly, keywordOnly}, {varPositional, varPositional}, {varKeyword, varKeyword}} {
		for i := range c.params {
			if p := &c.params[i]; p.kind >= kinds[0] && p.kind <= kinds[1] {
				names = append(names, p.name)
			}
		}
	}
	return names
}

func (c *codeObject) flags() int {
	flags := 0x03 // optimised, with locals of its own
	for i := range c.params {
		switch c.params[i].kind {
		case varPositional:
			flags |= codeVarArgs
		case varKeyword:
			flags |= codeVarKeywords
		}
	}
	return flags
}

func defineCode(c *Class) {
	for name, get := range map[string]func(c *codeObject) any{
		"co_name":           func(c *codeObject) any { return c.name },
		"co_qualname":       func(c *codeObject) any { return c.qual },
		"co_filename":       func(c *codeObject) any { return c.at.File },
		"co_firstlineno":    func(c *codeObject) any { return int64(c.at.Line) },
		"co_argcount":       func(c *codeObject) any { return c.count(positionalOnly, positionalOrKeyword) },
		"co_kwonlyargcount": func(c *codeObject) any { return c.count(keywordOnly, keywordOnly) },
		"co_varnames":       func(c *codeObject) any { return c.varnames() },
		"co_flags":          func(c *codeObject) any { return c.flags() },
		"co_posonlyargcount": func(c *codeObject) any {
			n := 0
			for i := range c.params {
				if c.params[i].kind == positionalOnly {
					n++
				}
			}
			if n > 0 && c.self != "" {
				n++
			}
			return n
		},
	} {
		c.getter(name, func(self any) (any, error) { return get(self.(*codeObject)), nil })
	}
}
