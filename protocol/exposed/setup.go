package exposed

import (
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// init completes the builtin classes: first their attributes, then the tables, which are made of those of the bases.
// builtinClasses has bases first, because a class's variable is initialised by its bases'.
func init() {
	binding.SetModel(bindingModel{})
	for _, define := range definitions {
		define()
	}
	for _, c := range builtinClasses {
		c.seal()
	}
	// Views go by the name that RPyC's have, which hide their class from nobody.
	Register[restricted](ClassOptions{Name: "rpyc.utils.helpers.Restricted"})
}

// bindingModel tells the binding of arguments what it needs to know of the object model.
type bindingModel struct{}

var _ binding.Model = bindingModel{}

func (bindingModel) TypeName(v any) string           { return TypeName(v) }
func (bindingModel) ClassName(t reflect.Type) string { return classOfType(t).name }
func (bindingModel) Registered(t reflect.Type) bool  { return registered(t) }

func (bindingModel) Generator(seq reflect.Value, name string) any {
	g := newGenerator(seq)
	g.name = name
	return g
}

func (bindingModel) Embedded(self any, base reflect.Type) ([]int, bool) {
	index, ok := ClassOf(self).embedded[base]
	return index, ok
}
