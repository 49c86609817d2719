package binding

import (
	"reflect"
	"strings"
)

// TakesArguments reports whether fn has parameters besides a context.
func TakesArguments(fn reflect.Value) bool {
	if fn.Kind() != reflect.Func {
		return false
	}
	n := fn.Type().NumIn()
	return n > 1 || n == 1 && fn.Type().In(0) != contextType
}

// CouldBeMethod reports whether a func's first parameter may be an object: its type is one that can be registered, or
// it is declared as "self".
func CouldBeMethod(t reflect.Type, params []string) bool {
	if t.NumIn() == 0 {
		return false
	}
	if len(params) > 0 && params[0] == "self" {
		return true
	}
	recv := t.In(0)
	if recv.Kind() == reflect.Pointer {
		recv = recv.Elem()
	}
	return recv.PkgPath() != "" && recv.Kind() != reflect.Interface
}

// PackageLevel reports whether fn is a func that the source declares by name, without a receiver.
func PackageLevel(fn reflect.Value) bool {
	if fn.IsNil() || FuncName(fn) == "<lambda>" {
		return false
	}
	name := FullName(fn)
	return !strings.HasSuffix(name, "-fm") && strings.Count(name[strings.LastIndexByte(name, '/')+1:], ".") == 1
}

// PackageOf returns the path of the package that has fn, and the last element of that.
func PackageOf(fn reflect.Value) (path, name string) {
	full := FullName(fn)
	last := strings.LastIndexByte(full, '/') + 1
	name, _, _ = strings.Cut(full[last:], ".")
	return full[:last] + name, name
}
