package exposed

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// ClassOptions add to what reflection finds out about a Go type. Names of Go methods and fields are meant where "Go
// name" is said, Python names without a prefix elsewhere. Funcs may have the optional context.Context and error as
// everywhere; those that work on an object take it (T or *T) as their first parameter.
type ClassOptions struct {
	// Name is the class's full name in Python, "module.Class". Empty means Go's package and type name.
	Name string
	// Doc is the documentation string; empty means none.
	Doc string
	// New is the constructor, a func or a *[Function] that returns T or *T. Without it Python cannot call the class.
	New any
	// Params declares the parameters of methods by Go name; see [Func] for the notation.
	Params map[string][]string
	// Docs holds the documentation strings of methods, by Go or Python name.
	Docs map[string]string
	// Static adds exposed attributes of the class: funcs become static methods, everything else a constant.
	Static map[string]any
	// Methods adds exposed methods beyond those of the Go type: funcs whose first parameter is the object.
	Methods map[string]any
	// Properties adds exposed attributes that are computed.
	Properties map[string]Property
	// Hidden adds attributes that exist but are not exposed: only a policy that allows public or all names reaches
	// them. Funcs whose first parameter is T or *T become methods.
	Hidden map[string]any
	// Private lists Go names of methods and fields that are not exposed but hidden likewise.
	Private []string
	// Omit lists Go names of methods and fields that are no attributes at all.
	Omit []string
	// Bases are the base classes. The Go types of those that were registered have to be embedded in T for their
	// methods and properties to work. nil means object, or list, dict or function for containers and funcs.
	Bases []*Class
	// Service makes objects of the class refuse every assignment and deletion with "access denied" and gives them
	// get_service_name and get_service_aliases, as rpyc.Service does. Aliases are their names; the default is the
	// class's name without "Service".
	Service bool
	Aliases []string
}

// Property is a computed attribute. Get is a func of the object that returns the value, Set one of the object and the
// new value, Del one of the object; a nil one refuses the operation. Get runs once per read and may fail.
type Property struct {
	Get, Set, Del any
	Doc           string
	// Hidden makes the property one that is not exposed.
	Hidden bool
	// Probed makes Get run once more, before the operation proper, when a peer names the property without the prefix. RPyC
	// does so with every property, to see whether it is there. It is for services that must not be told from a Python one.
	Probed bool
}

// registry holds the registered types. It is read for nearly every value and written when the program starts, so
// every change makes a new map.
var registry struct {
	sync.Mutex
	classes atomic.Pointer[map[reflect.Type]*Class]
}

// Register describes T, a defined type that is not an interface or pointer, and returns its class. Objects of a
// registered type always travel by reference. Call it from a package-level variable or an init function, before any
// value of T is exposed; it panics if T was registered or used before, or if the options do not fit the type.
func Register[T any](o ClassOptions) *Class {
	t := reflect.TypeFor[T]()
	if t.Name() == "" || t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("exposed: %v cannot be registered", t))
	}
	if !utf8.ValidString(o.Name) || strings.HasSuffix(o.Name, ".") {
		panic(fmt.Sprintf("exposed: bad class name %q", o.Name))
	}
	c := reflectClass(t, &o)
	registry.Lock()
	defer registry.Unlock()
	all := map[reflect.Type]*Class{t: c}
	if old := registry.classes.Load(); old != nil {
		if (*old)[t] != nil {
			panic(fmt.Sprintf("exposed: %v is registered already", t))
		}
		maps.Copy(all, *old)
	}
	if _, used := classes.Load(t); used {
		panic(fmt.Sprintf("exposed: %v was exposed before it was registered", t))
	}
	registry.classes.Store(&all)
	return c
}

func lookupRegistered(t reflect.Type) *Class {
	if all := registry.classes.Load(); all != nil {
		return (*all)[t]
	}
	return nil
}

// registered reports whether t, or what it points to, was registered.
func registered(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() != "" && lookupRegistered(t) != nil
}

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
		p, _, err := c.compile(o.New, c.name, false)
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
		p, doc, err := c.compile(v, a.name, method)
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

// compile makes a plan of a func or *Function under a new name.
func (c *Class) compile(v any, name string, method bool) (*binding.Plan, docText, error) {
	o := binding.Options{Name: name, Qual: c.name + "." + name, Method: method, Operator: binary[name]}
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
	names := slices.Concat(c.opts.Private, c.opts.Omit)
	for n := range c.opts.Params {
		names = append(names, n)
	}
	for _, n := range names {
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

func (c *Class) private(goName string) bool {
	return c.opts != nil && slices.Contains(c.opts.Private, goName)
}

func (c *Class) omits(goName string) bool {
	return c.opts != nil && slices.Contains(c.opts.Omit, goName)
}

// embed remembers where in c's struct the type t is embedded, if it is.
func (c *Class) embed(t reflect.Type) {
	if c.goType.Kind() != reflect.Struct {
		return
	}
	for _, f := range reflect.VisibleFields(c.goType) {
		ft := f.Type
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if f.Anonymous && ft == t {
			if c.embedded == nil {
				c.embedded = map[reflect.Type][]int{}
			}
			c.embedded[t] = f.Index
			return
		}
	}
}

// MarkService gives the class of a root object what rpyc.Service gives to services: see ClassOptions.Service. It may
// be called at any time and any number of times, and does nothing for values of Python's builtin types.
func MarkService(v any) {
	if c := ClassOf(v); c.goType != nil {
		c.service.Store(true)
	}
}

// ServiceAliases returns the names under which a service registers itself (rpyc.Service.get_service_aliases), the
// first one being its name: in capitals, those of ClassOptions.Aliases or the class's name without "Service".
func ServiceAliases(v any) []string {
	c, ok := v.(*Class)
	if !ok {
		c = ClassOf(v)
	}
	if c.opts != nil && len(c.opts.Aliases) > 0 {
		names := make([]string, len(c.opts.Aliases))
		for i, n := range c.opts.Aliases {
			names[i] = strings.ToUpper(n)
		}
		return names
	}
	name := strings.ToUpper(c.name)
	if bare, ok := strings.CutSuffix(name, "SERVICE"); ok {
		name = bare
	}
	return []string{name}
}

// serviceClass has what services have in addition to their own attributes.
var serviceClass = newClass("rpyc.core.service.Service")

func defineService(c *Class) {
	classMethod := func(name string, f any) {
		p, err := binding.New(reflect.ValueOf(f), binding.Options{Name: name, Qual: c.name + "." + name, Method: true, Self: "cls"})
		if err != nil {
			panic(err)
		}
		c.add(&attr{name: DefaultPrefix + name, qual: p.QualName(), exposed: true, kind: methodAttr, classMethod: true, impl: p})
	}
	classMethod("get_service_aliases", func(cls *Class) brine.Tuple {
		var t brine.Tuple
		for _, n := range ServiceAliases(cls) {
			t = append(t, n)
		}
		return t
	})
	classMethod("get_service_name", func(cls *Class) string { return ServiceAliases(cls)[0] })
}
