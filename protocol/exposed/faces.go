package exposed

import (
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// A face is what makes Go values appear as one of Python's classes. The files class_*.go and go_*.go enter faces into
// the tables below by variables named _, while the package is initialised; the object model looks them up and names
// none.

// definitions are what gives the builtin classes their attributes, to be called by init.
var definitions []func()

// define has the attributes of a builtin class entered by f. It cannot be done where the class's variable is declared,
// because the methods refer to it.
func define(c *Class, f func(c *Class)) struct{} {
	definitions = append(definitions, func() { f(c) })
	return struct{}{}
}

// typeFaces has the classes of single Go types.
var typeFaces = map[reflect.Type]*Class{}

// show makes the values of the Go type T objects of the class c.
func show[T any](c *Class) struct{} {
	typeFaces[reflect.TypeFor[T]()] = c
	return struct{}{}
}

// kindFaces has the classes of Go types of certain kinds. No type belongs to two of them.
var kindFaces []kindFace

type kindFace struct {
	class *Class
	has   func(t reflect.Type) bool
}

// showKind makes the values of the Go types for which has reports true, if they have no methods, objects of the class
// c. Types with methods get classes derived from c.
func showKind(c *Class, has func(t reflect.Type) bool) struct{} {
	kindFaces = append(kindFaces, kindFace{c, has})
	return struct{}{}
}

// implementers has the classes of Go types that implement certain interfaces.
var implementers []kindFace

// showImplementers makes the values of the Go types for which has reports true objects of the class c, whatever other
// methods they have.
func showImplementers(c *Class, has func(t reflect.Type) bool) struct{} {
	implementers = append(implementers, kindFace{c, has})
	return struct{}{}
}

// classOfImplementer is the builtin class for what a Go type implements; nil if there is none.
func classOfImplementer(t reflect.Type) *Class { return classAmong(implementers, t) }

// classOfKind is the builtin class for a kind of Go type; nil if there is none.
func classOfKind(t reflect.Type) *Class { return classAmong(kindFaces, t) }

func classAmong(faces []kindFace, t reflect.Type) *Class {
	for _, f := range faces {
		if f.has(t) {
			return f.class
		}
	}
	return nil
}

// classer is implemented by what has one of several classes, whose type is shown as perValue.
type classer interface{ class() *Class }

// perValue marks types whose values have classes of their own.
var perValue = new(Class)

// interfaceFaces give types that implement Go interfaces, such as io.Reader, what a Python class has.
var interfaceFaces []interfaceFace

type interfaceFace struct {
	// replaced names the Go methods of t that Python gets in another form.
	replaced func(t reflect.Type) []string
	// add enters attributes into the class of t. What the type defines itself has been entered before and stays.
	add func(c *Class, t reflect.Type)
}

// showInterface enters a face for Go interfaces.
func showInterface(f interfaceFace) struct{} {
	interfaceFaces = append(interfaceFaces, f)
	return struct{}{}
}

// specialCallers has, by the name of a special method, what is done around calls of a Go method that defines it.
var specialCallers = map[string]func(p *binding.Plan) callable{}

// around has f make what is called in place of the plan p of a Go method that defines the special method of that name.
func around(name string, f func(p *binding.Plan) callable) struct{} {
	specialCallers[name] = f
	return struct{}{}
}

// readOnlyView is [ReadOnly], which knows containers; the object model knows none.
var readOnlyView func(v any) any

// copied is [Copy.Of], which knows containers as well.
var copied func(f Copy, v any) any

// identified is implemented by objects that are the same as others of equal identity.
type identified interface{ identity() (key any, ok bool) }
