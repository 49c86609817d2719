package netref

import (
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

var exceptionType = reflect.TypeFor[*vinegar.Error]()

// takesException reports whether a Go type takes the exceptions of peers.
func takesException(t reflect.Type) bool { return t == errorType || t == exceptionType }

// exception makes an error of an exception of the peer's, or of a class of them, which stands for an exception without
// arguments as in Python's raise. What is no exception is known by its name or by what dir() lists, which every peer
// tells.
func (c *conversion) exception(dst reflect.Value, o *Object) error {
	class := vinegar.ClassNamed(o.ClassName())
	if _, known := vinegar.Lookup(class.Module(), class.Name()); known {
		return c.describe(dst, o)
	}
	no := &ConvertError{From: typeName(o), To: dst.Type()}
	if isBuiltin(o) {
		return no
	}
	return c.ask(o, wire.HandleDir, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, dst.Type())
		}
		names, _ := pyvalue.Items(v)
		if !slices.Contains(names, any("__traceback__")) || !slices.Contains(names, any("with_traceback")) {
			return no
		}
		return c.describe(dst, o)
	})
}

// describe asks an exception for its text and its arguments. If the peer keeps the arguments from us they are read from
// the exception's repr(), and if that does not have Python's form the text is the only one.
func (c *conversion) describe(dst reflect.Value, o *Object) error {
	if o.IsClass() {
		dst.Set(reflect.ValueOf(vinegar.ClassNamed(o.ClassName()).New()))
		return nil
	}
	refused := func(exc error) error { return notThat(exc, o, dst.Type()) }
	return c.ask(o, wire.HandleStr, func(v any, exc error) error {
		text, _ := v.(string)
		if exc != nil {
			return refused(exc)
		}
		set := func(args []any) error {
			dst.Set(reflect.ValueOf(vinegar.Described(o.ClassName(), args, text)))
			return nil
		}
		return c.ask(o, wire.HandleGetAttr, func(v any, exc error) error {
			if args, ok := v.(brine.Tuple); ok && exc == nil {
				return set(args)
			}
			return c.ask(o, wire.HandleRepr, func(v any, exc error) error {
				repr, _ := v.(string)
				if args, ok := reprArgs(repr, o.ClassName()); ok && exc == nil {
					return set(args)
				}
				if text == "" {
					return set(nil)
				}
				return set([]any{text})
			})
		}, "args")
	})
}

// reprArgs reads the arguments in an exception's repr, such as KeyError('k').
func reprArgs(repr, class string) ([]any, bool) {
	inner, ok := strings.CutPrefix(repr, class[strings.LastIndexByte(class, '.')+1:]+"(")
	if !ok {
		return nil, false
	}
	inner, ok = strings.CutSuffix(inner, ")")
	switch {
	case !ok:
		return nil, false
	case inner == "":
		return nil, true
	case !strings.HasSuffix(inner, ","):
		inner += ","
	}
	v, err := pyvalue.ParseLiteral("(" + inner + ")")
	args, ok := v.(brine.Tuple)
	return args, ok && err == nil
}
