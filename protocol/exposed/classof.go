package exposed

import (
	"math/big"
	"reflect"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// classes holds the classes of Go types: by type, the pointer to a type having the entry of the type itself.
var classes sync.Map // reflect.Type → *Class, or perValue

// perValue marks types whose values have classes of their own.
var perValue = new(Class)

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

func typeOf(v any) reflect.Type { return reflect.TypeOf(v) }

func classOfValue(v any) *Class {
	switch x := v.(type) {
	case *boundMethod:
		return x.class()
	case *dictView:
		return viewClasses[x.kind]
	case *iterator:
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
	switch t {
	case reflect.TypeFor[*Class](), reflect.TypeFor[*vinegar.Class]():
		return typeClass
	case reflect.TypeFor[*big.Int](), reflect.TypeFor[big.Int]():
		return intClass
	case durationType:
		return floatClass
	case timeType:
		return timeClass
	case reflect.TypeFor[brine.Tuple]():
		return tupleClass
	case reflect.TypeFor[brine.FrozenSet]():
		return frozensetClass
	case reflect.TypeFor[brine.Slice]():
		return sliceClass
	case reflect.TypeFor[brine.EllipsisType]():
		return ellipsisClass
	case reflect.TypeFor[brine.NotImplementedType]():
		return notImplementedClass
	case reflect.TypeFor[*boundMethod]():
		return perValue
	case reflect.TypeFor[*Function]():
		return functionClass
	case reflect.TypeFor[*codeObject]():
		return codeClass
	case reflect.TypeFor[*List]():
		return listClass
	case reflect.TypeFor[*Dict]():
		return dictClass
	case reflect.TypeFor[*Set]():
		return setClass
	case reflect.TypeFor[*Generator]():
		return generatorClass
	case reflect.TypeFor[*iterator]():
		return perValue
	case reflect.TypeFor[*mappingProxy]():
		return mappingProxyClass
	case reflect.TypeFor[*dictView]():
		return perValue
	case reflect.TypeFor[*netref.Object]():
		return netrefClass
	}
	if r := lookupRegistered(t); r != nil {
		return r
	}
	if t.Implements(errorType) {
		return perValue
	}
	if t.Kind() == reflect.Pointer {
		if e := t.Elem(); e.Kind() != reflect.Pointer && e.Kind() != reflect.Interface {
			return classOfType(e)
		}
		return objectClass
	}
	if t.Name() != "" && t.PkgPath() != "" && t.Kind() != reflect.Interface && (t.Kind() == reflect.Struct || hasMethods(t)) {
		return reflectClass(t, nil)
	}
	if t.Kind() == reflect.Struct { // a struct type without a name
		return reflectClass(t, nil)
	}
	if c := builtinClass(t); c != nil {
		return c
	}
	return objectClass
}

// hasMethods reports whether a container or func type has methods of its own to show. Scalars travel by value and
// leave their methods behind.
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
		if !notAttributes[pt.Method(i).Name] {
			return true
		}
	}
	return false
}

// builtinClass is the Python type for a kind of Go type.
func builtinClass(t reflect.Type) *Class {
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return boolClass
	case k >= reflect.Int && k <= reflect.Uintptr:
		return intClass
	case k == reflect.Float32 || k == reflect.Float64:
		return floatClass
	case k == reflect.Complex64 || k == reflect.Complex128:
		return complexClass
	case k == reflect.String:
		return strClass
	case k == reflect.Slice && isByte(t.Elem()), k == reflect.Array && isByte(t.Elem()):
		return bytesClass
	case k == reflect.Array:
		return tupleClass
	case k == reflect.Slice:
		return listClass
	case k == reflect.Map && isEmptyStruct(t.Elem()):
		return setClass
	case k == reflect.Map:
		return dictClass
	case k == reflect.Func && binding.IsSeq(t), k == reflect.Chan && t.ChanDir()&reflect.RecvDir != 0:
		return generatorClass
	case k == reflect.Func:
		return functionClass
	}
	return nil
}

// TypeName returns the name of v's Python type without its module: "int", "list", "Point"; "netref" for an object of
// another peer.
func TypeName(v any) string {
	if _, ok := v.(*netref.Object); ok {
		return "netref"
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
