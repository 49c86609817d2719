package binding

import "reflect"

// Model is the object model that calls are made in, which package exposed provides by [SetModel].
type Model interface {
	// TypeName returns the name of v's Python type, for error messages.
	TypeName(v any) string
	// ClassName returns the name of the Python type that values of a Go type have, for error messages.
	ClassName(t reflect.Type) string
	// Registered reports whether the program has registered t as a class. Such a struct is an argument by itself, and
	// never a set of keyword arguments.
	Registered(t reflect.Type) bool
	// Embedded returns where in the struct that self points to the struct type base is embedded, for methods that a
	// class has from a base class.
	Embedded(self any, base reflect.Type) (index []int, ok bool)
	// Generator returns the object that an iter.Seq or iter.Seq2 returned by the func of that name is to Python.
	Generator(seq reflect.Value, name string) any
}

var model Model

// SetModel sets the model. It is to be called before anything else in this package, when the program starts.
func SetModel(m Model) { model = m }
