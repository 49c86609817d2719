package exposed

import (
	"errors"
	"math/big"
	"reflect"
	"strings"
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

func isEmptyStruct(t reflect.Type) bool { return t.Kind() == reflect.Struct && t.NumField() == 0 }

// goTypeName is "package.Type", without type arguments.
func goTypeName(t reflect.Type) string {
	if t.Name() == "" {
		return "builtins.object"
	}
	name, _, _ := strings.Cut(t.String(), "[")
	return name
}

// reflectClass makes the class of a defined type, or of a struct type, from its methods and fields. o is nil unless
// the type is being registered.
func reflectClass(t reflect.Type, o *ClassOptions) *Class {
	c := newClass("")
	c.goType = t
	return c.fill(o)
}

// fill makes everything that the class has of its Go type, of o and of what was described.
func (c *Class) fill(o *ClassOptions) *Class {
	t := c.goType
	o = withDescription(t, o)
	c.opts, c.own, c.embedded, c.construct, c.doc = o, map[string]*attr{}, nil, nil, docText{}
	name := goTypeName(t)
	c.module, c.name = name[:strings.LastIndexByte(name, '.')], bareName(name)
	if o != nil && o.Name != "" {
		c.name = bareName(o.Name)
		if i := strings.LastIndexByte(o.Name, '.'); i >= 0 {
			c.module = o.Name[:i]
		}
	}
	c.bases = []*Class{objectClass}
	if o != nil && len(o.Bases) > 0 {
		c.bases = o.Bases
	} else if b := builtinClass(t); b != nil {
		c.bases = []*Class{b}
	}
	for _, b := range c.bases {
		for _, m := range b.mro {
			if m.goType != nil {
				c.embed(m.goType)
			}
		}
	}
	if err := errors.Join(c.checkNames(t), c.addOptions(o)); err != nil {
		panic(err)
	}
	if err := c.addMethods(t); err != nil {
		panic(err) // parameters declared by the program that do not fit: reached from Register and Describe only
	}
	c.addFile(t)
	if t.Kind() == reflect.Struct {
		c.addFields(t)
	}
	c.seal()
	if err := c.checkDocs(); err != nil {
		panic(err)
	}
	return c
}
