package exposed

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// descriptions holds what [Describe] and [DescribeFunc] were told. Like the registry it is read often and written
// when the program starts.
var descriptions struct {
	sync.Mutex
	types atomic.Pointer[map[reflect.Type]*ClassOptions]
	funcs atomic.Pointer[map[uintptr]*Function]
}

// Describe adds what the Go source says about T and reflection cannot see: names and defaults of parameters,
// documentation, a constructor. The program rpyc_stubs writes calls of it. Unlike [Register] it does not change how
// values of T travel, and it may be used beside Register, before or after it: where both say something, what Register
// was told counts.
//
// Call it from an init function. It panics if T was described before, if a class of T is in use already, or if the
// options do not fit T: the generated file is stale then.
func Describe[T any](o ClassOptions) {
	t := reflect.TypeFor[T]()
	if t.Name() == "" || t.Kind() == reflect.Interface {
		panic(fmt.Sprintf("exposed: %v cannot be described", t))
	}
	descriptions.Lock()
	defer descriptions.Unlock()
	if descriptionOf(t) != nil {
		panic(fmt.Sprintf("exposed: %v is described already", t))
	}
	if _, used := classes.Load(t); used {
		panic(fmt.Sprintf("exposed: %v was exposed before it was described", t))
	}
	descriptions.types.Store(with(descriptions.types.Load(), t, &o))
	c := lookupRegistered(t)
	if c == nil {
		reflectClass(t, nil) // for its panics alone: the class is made when it is first used
		return
	}
	refill(func(d *Class) bool { return d.IsSubclass(c) })
}

// DescribeFunc makes f what the Go func it was made of appears as wherever that is exposed: returned by a method, held
// by a field, named in ClassOptions without a declaration of its own. [Func] and [Function.Doc] make f. Only funcs of
// a package can be described, not methods, method values or func literals. If it comes back from the peer as an
// argument of type any, it is f. DescribeFunc panics like [Describe].
func DescribeFunc(f *Function) {
	if f == nil || f.fn.Kind() != reflect.Func || !packageLevel(f.fn) {
		panic("exposed: only a func of a package can be described")
	}
	pc := f.fn.Pointer()
	descriptions.Lock()
	defer descriptions.Unlock()
	if describedFunc(f.fn) != nil {
		panic(fmt.Sprintf("exposed: %s is described already", f.plan.Name()))
	}
	descriptions.funcs.Store(with(descriptions.funcs.Load(), pc, f))
	refill(func(c *Class) bool {
		return slices.ContainsFunc(c.mro, func(m *Class) bool { return m.opts.mentions(pc) })
	})
}

// with returns a copy of a map with one more entry.
func with[K comparable, V any](old *map[K]V, k K, v V) *map[K]V {
	all := map[K]V{k: v}
	if old != nil {
		maps.Copy(all, *old)
	}
	return &all
}

// refill makes the registered classes anew that some description is about and that nobody has used.
func refill(about func(*Class) bool) {
	registry.Lock()
	defer registry.Unlock()
	all := registry.classes.Load()
	if all == nil {
		return
	}
	for _, c := range slices.SortedFunc(maps.Values(*all), func(a, b *Class) int { return int(a.id - b.id) }) {
		if _, used := classes.Load(c.goType); !used && about(c) {
			c.fill(c.opts)
		}
	}
}

func descriptionOf(t reflect.Type) *ClassOptions {
	if all := descriptions.types.Load(); all != nil {
		return (*all)[t]
	}
	return nil
}

func describedFunc(fn reflect.Value) *Function {
	if all := descriptions.funcs.Load(); all != nil {
		return (*all)[fn.Pointer()]
	}
	return nil
}

// mentions reports whether a func of the options is the one with the code at pc.
func (o *ClassOptions) mentions(pc uintptr) bool {
	is := func(v any) bool {
		rv := reflect.ValueOf(v)
		return rv.Kind() == reflect.Func && rv.Pointer() == pc
	}
	if o == nil || is(o.New) {
		return o != nil
	}
	for _, group := range []map[string]any{o.Static, o.Methods, o.Hidden} {
		for _, v := range group {
			if is(v) {
				return true
			}
		}
	}
	return false
}

// packageLevel reports whether fn is a func that the source declares by name, without a receiver.
func packageLevel(fn reflect.Value) bool {
	if fn.IsNil() || binding.FuncName(fn) == "<lambda>" {
		return false
	}
	name := binding.FullName(fn)
	return !strings.HasSuffix(name, "-fm") && strings.Count(name[strings.LastIndexByte(name, '/')+1:], ".") == 1
}

// withDescription returns the options for a type: o, which may be nil, completed by what was described.
func withDescription(t reflect.Type, o *ClassOptions) *ClassOptions {
	d := descriptionOf(t)
	if d == nil {
		return o
	}
	if o == nil {
		return d
	}
	m := *o
	if m.Name == "" {
		m.Name = d.Name
	}
	if m.Doc == "" {
		m.Doc = d.Doc
	}
	if m.New == nil {
		m.New = d.New
	}
	if m.Bases == nil {
		m.Bases = d.Bases
	}
	if m.Aliases == nil {
		m.Aliases = d.Aliases
	}
	m.Service = m.Service || d.Service
	m.Params = merged(m.Params, d.Params)
	m.Docs = merged(m.Docs, d.Docs)
	m.Static = merged(m.Static, d.Static)
	m.Methods = merged(m.Methods, d.Methods)
	m.Properties = merged(m.Properties, d.Properties)
	m.Hidden = merged(m.Hidden, d.Hidden)
	m.Private = slices.Compact(slices.Sorted(slices.Values(slices.Concat(m.Private, d.Private))))
	m.Omit = slices.Compact(slices.Sorted(slices.Values(slices.Concat(m.Omit, d.Omit))))
	return &m
}

// merged returns the entries of both maps, those of first where both have one.
func merged[V any](first, second map[string]V) map[string]V {
	if len(second) == 0 {
		return first
	}
	all := maps.Clone(second)
	maps.Copy(all, first)
	return all
}

// ClassFor returns the class of T, which counts as in use from then on: see [Register] and [Describe].
func ClassFor[T any]() *Class {
	if c := classOfType(reflect.TypeFor[T]()); c != perValue {
		return c
	}
	return objectClass
}

// MethodName returns the Python name that an exported Go method gives its object: the special method, such as
// "__len__" for PyLen, or the name without a prefix that an attribute answers to. It returns false for methods that
// are no attributes, such as String and OnConnect.
func MethodName(goName string) (name string, ok bool) {
	if notAttributes[goName] {
		return "", false
	}
	if special, ok := specialMethods[goName]; ok {
		return special, true
	}
	return pythonName(goName), true
}
