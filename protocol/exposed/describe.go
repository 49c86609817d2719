package exposed

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

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
	enter(&descriptions.types, t, &o)
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
	if f == nil || f.fn.Kind() != reflect.Func || !binding.PackageLevel(f.fn) {
		panic("exposed: only a func of a package can be described")
	}
	pc := f.fn.Pointer()
	descriptions.Lock()
	defer descriptions.Unlock()
	if describedFunc(f.fn) != nil {
		panic(fmt.Sprintf("exposed: %s is described already", f.plan.Name()))
	}
	enter(&descriptions.funcs, pc, f)
	refill(func(c *Class) bool {
		return slices.ContainsFunc(c.mro, func(m *Class) bool { return m.opts.mentions(pc) })
	})
}

// NamePackage has the types of a Go package belong to a Python module of that name for peers, as in "shop.Order", in
// place of the package's own name, which of a program is "main". path is the package's import path, "main" for the
// program; module may have dots. ClassOptions.Name with a module in it goes before. Call it from an init function, or
// where the program begins; it panics if the package has another name already, or if the names cannot be.
func NamePackage(path, module string) {
	if path == "" || module == "" || !utf8.ValidString(module) || strings.HasPrefix(module, ".") ||
		strings.HasSuffix(module, ".") {
		panic(fmt.Sprintf("exposed: package %q cannot be named %q", path, module))
	}
	descriptions.Lock()
	defer descriptions.Unlock()
	if old := moduleOf(path); old != "" {
		panic(fmt.Sprintf("exposed: package %q is named %q already", path, old))
	}
	enter(&descriptions.modules, path, module)
	refill(func(c *Class) bool { return c.goType != nil && c.goType.PkgPath() == path })
}

// refill makes those registered classes anew that about is true of, because a description has been added, unless values
// of them are exposed already.
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
