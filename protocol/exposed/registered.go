package exposed

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
)

// registry holds the registered types. It is read for nearly every value and written when the program starts, so
// every change makes a new map.
var registry struct {
	sync.Mutex
	classes atomic.Pointer[map[reflect.Type]*Class]
}

// descriptions holds what [Describe] and [DescribeFunc] were told. Like the registry it is read often and written
// when the program starts.
var descriptions struct {
	sync.Mutex
	types atomic.Pointer[map[reflect.Type]*ClassOptions]
	funcs atomic.Pointer[map[uintptr]*Function]
	// modules holds what [NamePackage] was told, by the path of the package.
	modules atomic.Pointer[map[string]string]
}

// entryOf is what one of the maps above has for a key.
func entryOf[K comparable, V any](m *atomic.Pointer[map[K]V], k K) (v V) {
	if all := m.Load(); all != nil {
		v = (*all)[k]
	}
	return v
}

// lookupRegistered is entryOf the registry, which is asked about every object: written out it is a third quicker.
func lookupRegistered(t reflect.Type) *Class {
	if all := registry.classes.Load(); all != nil {
		return (*all)[t]
	}
	return nil
}

// registered reports whether t, or what it points to, was registered.
func registered(t reflect.Type) bool { return registeredClass(t) != nil }

// registeredClass is the class with which t, or what it points to, was registered; nil if it was not.
func registeredClass(t reflect.Type) *Class {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() == "" {
		return nil
	}
	return lookupRegistered(t)
}

func descriptionOf(t reflect.Type) *ClassOptions { return entryOf(&descriptions.types, t) }

// moduleOf is the module that [NamePackage] has named a package; "" if it has not.
func moduleOf(path string) string { return entryOf(&descriptions.modules, path) }

func describedFunc(fn reflect.Value) *Function { return entryOf(&descriptions.funcs, fn.Pointer()) }

// enter puts a copy of one of the maps with one more entry in its place.
func enter[K comparable, V any](m *atomic.Pointer[map[K]V], k K, v V) {
	all := map[K]V{k: v}
	if old := m.Load(); old != nil {
		maps.Copy(all, *old)
	}
	m.Store(&all)
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
	m.Name, m.Doc = cmp.Or(m.Name, d.Name), cmp.Or(m.Doc, d.Doc)
	if m.New == nil {
		m.New = d.New
	}
	if m.Bases == nil {
		m.Bases = d.Bases
	}
	if m.Aliases == nil {
		m.Aliases = d.Aliases
	}
	if m.Members == nil {
		m.Members = d.Members
	}
	m.Service = m.Service || d.Service
	m.Copy = cmp.Or(m.Copy, d.Copy)
	m.Params = merged(m.Params, d.Params)
	m.Names = merged(m.Names, d.Names)
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
