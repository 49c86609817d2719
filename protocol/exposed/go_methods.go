package exposed

import (
	"reflect"
	"slices"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
)

// addMethods enters the exported methods of a type and its pointer.
func (c *Class) addMethods(t reflect.Type) error {
	pt := reflect.PointerTo(t)
	hidden := binding.HiddenMethods(t, internalType)
	var replaced []string
	for _, f := range interfaceFaces {
		replaced = append(replaced, f.replaced(t)...)
	}
	for i := range pt.NumMethod() {
		m := pt.Method(i)
		if hidden[m.Name] || c.omits(m.Name) {
			continue
		}
		if m.Name == "String" && m.Type.NumIn() == 1 && m.Type.NumOut() == 1 && m.Type.Out(0).Kind() == reflect.String {
			if err := c.addMethod(m, "__str__", false); err != nil {
				return err
			}
		}
		if names.NotAttributes[m.Name] || slices.Contains(replaced, m.Name) {
			continue
		}
		if err := c.checkSpecial(m); err != nil {
			return err
		}
		name, special := names.Special[m.Name]
		exposed := !special && !c.private(m.Name)
		switch {
		case exposed:
			name = DefaultPrefix + c.nameOf(m.Name)
		case !special:
			name = c.nameOf(m.Name)
		}
		if err := c.addMethod(m, name, exposed); err != nil {
			return err
		}
	}
	return nil
}

// addMethod enters a Go method under a Python name. What cannot be called from Python is left out, or an error if the
// type was registered.
func (c *Class) addMethod(m reflect.Method, name string, exposed bool) error {
	if c.inherits(m, name) {
		return nil
	}
	params, doc := c.declared(m.Name, name)
	qual := c.name + "." + name
	p, err := binding.New(m.Func, binding.Options{
		Name: name, Qual: qual, Method: true, Params: params, Operator: names.Binary[name], Sources: binding.Declarations(m),
	})
	if err != nil {
		if c.opts != nil {
			return err
		}
		return nil
	}
	a := &attr{name: name, exposed: exposed, qual: qual, kind: methodAttr, doc: doc, impl: p}
	if exposed {
		a.goName = m.Name
	}
	if caller := specialCallers[name]; caller != nil {
		a.impl = caller(p)
	}
	c.add(a)
	return nil
}

// inherits reports whether the class has the method from a base class: Go promotes it from the embedded struct of the
// base, and the type does not declare one of that name itself.
func (c *Class) inherits(m reflect.Method, name string) bool {
	if c.opts != nil {
		if _, own := c.opts.Params[m.Name]; own || c.private(m.Name) {
			return false
		}
	}
	for _, b := range c.bases {
		for _, base := range b.mro {
			if base.goType == nil || c.embedded[base.goType] == nil {
				continue
			}
			if a := base.own[name]; a != nil && a.kind == methodAttr && !binding.Declares(c.goType, m.Name) {
				return true
			}
		}
	}
	return false
}

// internalType reports whether what a struct gets by embedding t is no concern of peers.
func internalType(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" || t == reflect.TypeFor[Attrs]()
}

// MethodName returns the Python name that an exported Go method gives its object: the special method, such as
// "__len__" for PyLen, or the name without a prefix that an attribute answers to. It returns false for methods that
// are no attributes, such as String and OnConnect.
func MethodName(goName string) (name string, ok bool) {
	if names.NotAttributes[goName] {
		return "", false
	}
	if special, ok := names.Special[goName]; ok {
		return special, true
	}
	return netref.PythonName(goName), true
}
