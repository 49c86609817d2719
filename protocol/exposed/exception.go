package exposed

import (
	"sync"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// exceptionClasses holds the classes of exceptions by the names of their classes in vinegar.
var exceptionClasses sync.Map

var baseExceptionClass = func() *Class {
	c := builtin("builtins.BaseException", objectClass)
	c.exception = vinegar.BaseException
	return c
}()

// classOfException returns the class of a class of exceptions.
func classOfException(e *vinegar.Class) *Class {
	if e == vinegar.BaseException {
		return baseExceptionClass
	}
	type key struct{ module, name string }
	k := key{e.Module(), e.Name()}
	if c, ok := exceptionClasses.Load(k); ok {
		return c.(*Class)
	}
	var bases []*Class
	for _, b := range e.Bases() {
		bases = append(bases, classOfException(b))
	}
	if len(bases) == 0 {
		bases = []*Class{baseExceptionClass}
	}
	c := newClass(e.Module()+"."+e.Name(), bases...)
	c.exception = e
	if e.Module() == "builtins" {
		for _, name := range exceptionAttrs[e.Name()] {
			c.getter(name, func(self any) (any, error) {
				err, _ := self.(error)
				v, _ := vinegar.FromError(err).Attr(name) // nil, as in Python, if it was made without it
				return v, nil
			})
		}
	}
	c.seal()
	if _, known := vinegar.Lookup(e.Module(), e.Name()); !known {
		return c // a name that a peer made up: not kept, the peer could make up ever more
	}
	kept, _ := exceptionClasses.LoadOrStore(k, c)
	return kept.(*Class)
}

// exceptionAttrs are the attributes that builtin classes of exceptions have besides args.
var exceptionAttrs = map[string][]string{
	"OSError": {"errno", "strerror", "filename", "filename2"}, "SystemExit": {"code"}, "StopIteration": {"value"},
	"ImportError": {"msg", "name", "path"}, "NameError": {"name"}, "AttributeError": {"name", "obj"},
	"SyntaxError":        {"msg", "filename", "lineno", "offset", "text"},
	"UnicodeDecodeError": {"encoding", "object", "start", "end", "reason"},
	"UnicodeEncodeError": {"encoding", "object", "start", "end", "reason"},
}
