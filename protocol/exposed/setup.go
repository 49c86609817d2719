package exposed

import (
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// init fills the tables. It cannot be done where the variables are declared, because the methods refer to them.
func init() {
	binding.SetModel(bindingModel{})
	defineObject(objectClass)
	defineService(serviceClass)
	defineType(typeClass)
	defineScalars()
	defineFunction(functionClass)
	defineCode(codeClass)
	for _, c := range []*Class{methodClass, methodWrapperClass, builtinMethodClass} {
		defineMethod(c)
	}
	defineIterators()
	defineTime(timeClass)
	defineList(listClass)
	defineDict(dictClass)
	defineMappingProxy(mappingProxyClass)
	for _, c := range viewClasses {
		defineDictView(c)
	}
	defineSet(setClass)
	for _, c := range builtinOrder {
		c.seal()
	}
	Register[restricted](ClassOptions{Name: "rpyc.utils.helpers.Restricted"}) // as RPyC's, which hide their class from nobody
}

// bindingModel tells the binding of arguments what it needs to know of the object model.
type bindingModel struct{}

func (bindingModel) TypeName(v any) string { return TypeName(v) }

func (bindingModel) ClassName(t reflect.Type) string { return classOfType(t).name }

func (bindingModel) Registered(t reflect.Type) bool { return registered(t) }

func (bindingModel) Generator(seq reflect.Value, name string) any {
	g := newGenerator(seq)
	g.name = name
	return g
}

func (bindingModel) Embedded(self any, base reflect.Type) ([]int, bool) {
	index, ok := ClassOf(self).embedded[base]
	return index, ok
}
