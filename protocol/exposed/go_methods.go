package exposed

import (
	"reflect"
	"runtime"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// addMethods enters the exported methods of a type and its pointer.
func (c *Class) addMethods(t reflect.Type) error {
	pt := reflect.PointerTo(t)
	hidden := hiddenMethods(t)
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
		if notAttributes[m.Name] || slices.Contains(replaced, m.Name) {
			continue
		}
		if err := c.checkSpecial(m); err != nil {
			return err
		}
		name, special := specialMethods[m.Name]
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
		Name: name, Qual: qual, Method: true, Params: params, Operator: binary[name], Sources: declarations(m),
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
			if a := base.own[name]; a != nil && a.kind == methodAttr && !declares(c.goType, m.Name) {
				return true
			}
		}
	}
	return false
}

// declarations lists the funcs among which the one that the source declares is: the compiler makes a method of a
// pointer from one of a value, and methods of a struct from those of the structs that it embeds.
func declarations(m reflect.Method) []reflect.Value {
	var fns []reflect.Value
	var walk func(t reflect.Type, depth int)
	walk = func(t reflect.Type, depth int) {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		for _, t := range []reflect.Type{t, reflect.PointerTo(t)} {
			if vm, ok := t.MethodByName(m.Name); ok && vm.Func.IsValid() {
				fns = append(fns, vm.Func)
			}
		}
		if t.Kind() == reflect.Struct && depth < 4 {
			for i := range t.NumField() {
				if f := t.Field(i); f.Anonymous && f.Type.Kind() != reflect.Interface {
					walk(f.Type, depth+1)
				}
			}
		}
	}
	walk(m.Type.In(0), 0)
	return fns
}

// hiddenMethods names the methods that a struct only has because it embeds, itself or in what it embeds, a lock, an
// [Attrs] or a field tagged `rpyc:"-"`.
func hiddenMethods(t reflect.Type) map[string]bool {
	if t.Kind() != reflect.Struct {
		return nil
	}
	hidden := map[string]bool{}
	pt := reflect.PointerTo(t)
	for i := range pt.NumMethod() {
		m := pt.Method(i).Name
		if !declares(t, m) && fromHidden(t, m) {
			hidden[m] = true
		}
	}
	return hidden
}

// fromHidden finds the embedded field that a struct has a method from, the shallowest one that declares it, and reports
// whether that is hidden.
func fromHidden(t reflect.Type, method string) bool {
	type place struct {
		t      reflect.Type
		hidden bool
	}
	level := []place{{t, false}}
	for depth := 0; len(level) > 0 && depth < maxEmbedding; depth++ {
		var next []place
		for _, at := range level {
			if at.t.Kind() != reflect.Struct {
				continue
			}
			for i := range at.t.NumField() {
				f := at.t.Field(i)
				if !f.Anonymous {
					continue
				}
				ft := f.Type
				if ft.Kind() == reflect.Pointer {
					ft = ft.Elem()
				}
				hidden := at.hidden || f.Tag.Get("rpyc") == "-" || internalType(ft)
				if hasMethod(ft, method) && (ft.Kind() != reflect.Struct || declares(ft, method)) {
					return hidden
				}
				next = append(next, place{ft, hidden})
			}
		}
		level = next
	}
	return false
}

// maxEmbedding bounds how deep embedded structs are searched; a struct can embed a pointer to itself.
const maxEmbedding = 8

func hasMethod(t reflect.Type, method string) bool {
	if t.Kind() != reflect.Interface {
		t = reflect.PointerTo(t)
	}
	_, ok := t.MethodByName(method)
	return ok
}

func internalType(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" || t == reflect.TypeFor[Attrs]()
}

// declares reports whether a struct type has a method of its own, not by embedding: the compiler generates the
// promoted ones.
func declares(t reflect.Type, method string) bool {
	for _, t := range []reflect.Type{t, reflect.PointerTo(t)} {
		if m, ok := t.MethodByName(method); ok {
			if f := runtime.FuncForPC(m.Func.Pointer()); f != nil {
				if file, _ := f.FileLine(f.Entry()); file != binding.Autogenerated {
					return true
				}
			}
		}
	}
	return false
}
