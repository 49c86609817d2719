package exposed

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

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
	if lookupRegistered(t) != nil {
		panic(fmt.Sprintf("exposed: %v is registered already", t))
	}
	if _, used := classes.Load(t); used {
		panic(fmt.Sprintf("exposed: %v was exposed before it was registered", t))
	}
	enter(&registry.classes, t, c)
	return c
}
