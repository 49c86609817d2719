package exposed

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// addOptions enters what the programmer declared. It comes before reflection, so that it has precedence.
func (c *Class) addOptions(o *ClassOptions) error {
	if o == nil {
		return nil
	}
	if o.Doc != "" {
		c.doc = docText{o.Doc, true}
	}
	c.service.Store(o.Service)
	if o.New != nil {
		p, _, err := c.planOf(o.New, c.name, false)
		if err != nil {
			return err
		}
		c.construct = p
	}
	for _, group := range []struct {
		attrs   map[string]any
		exposed bool
		method  func(v any) bool
	}{
		{o.Static, true, func(any) bool { return false }},
		{o.Methods, true, func(any) bool { return true }},
		{o.Hidden, false, c.takesObject},
	} {
		for name, v := range group.attrs {
			if err := c.addDeclared(name, v, group.exposed, group.method(v)); err != nil {
				return err
			}
		}
	}
	for name, p := range o.Properties {
		if err := c.addProperty(name, p); err != nil {
			return err
		}
	}
	return nil
}

// takesObject reports whether v is a func whose first parameter is an object of the class.
func (c *Class) takesObject(v any) bool {
	if f, ok := v.(*Function); ok {
		v = f.fn.Interface()
	}
	t := reflect.TypeOf(v)
	return t != nil && t.Kind() == reflect.Func && t.NumIn() > 0 &&
		(t.In(0) == c.goType || t.In(0) == reflect.PointerTo(c.goType))
}

func (c *Class) addDeclared(name string, v any, exposed, method bool) error {
	a := &attr{name: name, exposed: exposed, kind: constAttr, value: v}
	if exposed {
		a.name = DefaultPrefix + strings.TrimPrefix(name, DefaultPrefix)
	}
	a.qual = c.name + "." + a.name
	_, isFunction := v.(*Function)
	if isFunction || reflect.ValueOf(v).Kind() == reflect.Func && !binding.IsSeq(reflect.TypeOf(v)) {
		p, doc, err := c.planOf(v, a.name, method)
		if err != nil {
			return err
		}
		if text, ok := c.opts.Docs[name]; ok {
			doc = docText{text, true}
		}
		if method {
			a.kind, a.impl, a.doc = methodAttr, p, doc
		} else {
			a.value = &Function{plan: p, doc: doc, fn: p.Func()}
		}
	}
	c.add(a)
	return nil
}

// planOf works out how to call v, a func or a *Function, under a name of the class: as a method if method, and as the
// constructor if the name is the class's own.
func (c *Class) planOf(v any, name string, method bool) (*binding.Plan, docText, error) {
	o := binding.Options{Name: name, Qual: c.name + "." + name, Method: method, Operator: names.Binary[name]}
	if name == c.name {
		o.Qual, o.Self = c.name+".__init__", "self"
	}
	fn := reflect.ValueOf(v)
	var doc docText
	f, ok := v.(*Function)
	if !ok && fn.Kind() == reflect.Func && !fn.IsNil() {
		f = describedFunc(fn)
	}
	if f != nil {
		fn, doc, o.Params = f.fn, f.doc, f.params
		if strings.Contains(f.given, ".") {
			o.Qual = f.given
		} else if f.given != "" {
			o.Qual = c.name + "." + f.given
		}
	}
	p, err := binding.New(fn, o)
	return p, doc, err
}

func (c *Class) addProperty(name string, o Property) error {
	a := &attr{name: name, exposed: !o.Hidden, kind: propertyAttr, prop: &property{probed: o.Probed}}
	if a.exposed {
		a.name = DefaultPrefix + strings.TrimPrefix(name, DefaultPrefix)
	}
	a.qual = c.name + "." + a.name
	a.doc = docText{o.Doc, o.Doc != ""}
	plans := [3]*binding.Plan{}
	for i, f := range []any{o.Get, o.Set, o.Del} {
		if f == nil {
			continue
		}
		p, err := binding.New(reflect.ValueOf(f), binding.Options{Name: a.name, Qual: a.qual, Method: true})
		if err != nil {
			return err
		}
		if want := [3]int{0, 1, 0}[i]; len(p.Params()) != want {
			return fmt.Errorf("exposed: property %s: a func takes %d parameters beside the object", a.qual, want)
		}
		plans[i] = p
	}
	if get := plans[0]; get != nil {
		a.prop.get = func(ctx context.Context, self any) (any, error) { return get.Call(ctx, self, &Args{}) }
	} else {
		a.prop.get = func(context.Context, any) (any, error) {
			return nil, vinegar.AttributeError.Errorf("property '%s' of '%s' object has no getter", a.name, c.name)
		}
	}
	if set := plans[1]; set != nil {
		a.prop.set = func(ctx context.Context, self, v any) error {
			_, err := set.Call(ctx, self, NewArgs([]any{v}, nil))
			return err
		}
	}
	if del := plans[2]; del != nil {
		a.prop.del = func(ctx context.Context, self any) error {
			_, err := del.Call(ctx, self, &Args{})
			return err
		}
	}
	c.add(a)
	return nil
}

func (c *Class) private(goName string) bool {
	return c.opts != nil && slices.Contains(c.opts.Private, goName)
}

func (c *Class) omits(goName string) bool {
	return c.opts != nil && slices.Contains(c.opts.Omit, goName)
}

// nameOf is the Python name of a method, without a prefix.
func (c *Class) nameOf(goName string) string {
	if c.opts != nil && c.opts.Names[goName] != "" {
		return strings.TrimPrefix(c.opts.Names[goName], DefaultPrefix)
	}
	for _, b := range c.bases {
		for _, m := range b.mro {
			if m.opts != nil && m.opts.Names[goName] != "" {
				return m.nameOf(goName)
			}
		}
	}
	return netref.PythonName(goName)
}

// declared finds the parameters and the documentation of a method in the options of the class or of a base.
func (c *Class) declared(goName, name string) (params []string, doc docText) {
	look := func(o *ClassOptions) {
		if o == nil {
			return
		}
		if p, ok := o.Params[goName]; ok && params == nil {
			params = p
		}
		for _, n := range []string{goName, name, strings.TrimPrefix(name, DefaultPrefix)} {
			if text, ok := o.Docs[n]; ok && !doc.set {
				doc = docText{text, true}
			}
		}
	}
	look(c.opts)
	for _, b := range c.bases {
		for _, m := range b.mro {
			look(m.opts)
		}
	}
	return params, doc
}

// checkNames reports a Go name in the options that the type does not have, which would silently do nothing.
func (c *Class) checkNames(t reflect.Type) error {
	if c.opts == nil {
		return nil
	}
	all := slices.Concat(c.opts.Private, c.opts.Omit)
	for n := range c.opts.Params {
		all = append(all, n)
	}
	for n, name := range c.opts.Names {
		if all = append(all, n); !pyvalue.IsIdentifier(name) || names.Special[n] != "" {
			return fmt.Errorf("exposed: Names of %v: %q cannot be the name of %s", t, name, n)
		}
	}
	for _, n := range all {
		_, ok := reflect.PointerTo(t).MethodByName(n)
		if !ok && t.Kind() == reflect.Struct {
			_, ok = t.FieldByName(n)
		}
		if !ok {
			return fmt.Errorf("exposed: %v has no method or field %q", t, n)
		}
	}
	return nil
}
