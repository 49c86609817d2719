package exposed

import (
	"cmp"
	"reflect"
	"sync"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// classes holds the classes of the Go types met so far. A pointer to a type has the class of the type.
var classes sync.Map // reflect.Type → *Class, or perValue

// ClassOf returns the class of a Go value. It is never nil and the same for all values of a type, except that
// exceptions have the classes that vinegar gives them.
func ClassOf(v any) *Class {
	t := reflect.TypeOf(v)
	if t == nil {
		return noneClass
	}
	if c, ok := classes.Load(t); ok {
		if c := c.(*Class); c != perValue {
			return c
		}
		return classOfValue(v)
	}
	c := classOfType(t)
	if c == perValue {
		return classOfValue(v)
	}
	return c
}

func classOfValue(v any) *Class {
	if x, ok := v.(classer); ok {
		return x.class()
	}
	if err, ok := v.(error); ok {
		e := vinegar.FromError(err)
		if e.Class == nil {
			return classOfException(vinegar.Exception)
		}
		return classOfException(e.Class)
	}
	return objectClass
}

func classOfType(t reflect.Type) *Class {
	if c, ok := classes.Load(t); ok {
		return c.(*Class)
	}
	c, _ := classes.LoadOrStore(t, makeClass(t))
	return c.(*Class)
}

// makeClass decides what a Go type is to Python.
func makeClass(t reflect.Type) *Class {
	if c := typeFaces[t]; c != nil {
		return c
	}
	if r := lookupRegistered(t); r != nil {
		return r
	}
	if t.Implements(errorType) {
		return perValue
	}
	if c := classOfImplementer(t); c != nil {
		return c
	}
	if t.Kind() == reflect.Pointer {
		if e := t.Elem(); e.Kind() != reflect.Pointer && e.Kind() != reflect.Interface {
			return classOfType(e)
		}
		return objectClass
	}
	if t.Kind() == reflect.Struct || t.PkgPath() != "" && hasMethods(t) {
		return reflectClass(t, nil)
	}
	if c := classOfKind(t); c != nil {
		return c
	}
	return objectClass
}

// hasMethods reports whether a container or func type has methods of its own to show. Types that travel by value leave
// their methods behind.
func hasMethods(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice:
		if isByte(t.Elem()) {
			return false
		}
	case reflect.Map, reflect.Func, reflect.Chan:
	default:
		return false
	}
	pt := reflect.PointerTo(t)
	for i := range pt.NumMethod() {
		if !names.NotAttributes[pt.Method(i).Name] {
			return true
		}
	}
	return false
}

// TypeName returns the name of v's Python type as error messages have it, without its module: "int", "list", "Point".
// For an object of another peer it is that of RPyC's proxies, the full name: "builtins.list".
func TypeName(v any) string {
	if o, ok := v.(*netref.Object); ok {
		return cmp.Or(o.ClassName(), "netref")
	}
	return ClassOf(v).name
}

// ClassFor returns the class of T, which counts as in use from then on: see [Register] and [Describe].
func ClassFor[T any]() *Class {
	if c := classOfType(reflect.TypeFor[T]()); c != perValue {
		return c
	}
	return objectClass
}
