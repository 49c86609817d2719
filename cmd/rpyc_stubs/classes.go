package main

import (
	"strconv"
	"strings"
)

// classes are those whose objects a service gives out, by the names that annotations have for them. They are written
// when an annotation mentions them.
type classes struct {
	known  map[string]*remote // nil for what comes by value
	names  map[*remote]string // Go types of those that are written
	queue  []*remote          // in the order in which they were mentioned
	taken  map[string]bool    // Go names
	prefix string             // of the funcs that the file has for its own use
	used   map[string]bool    // which of them it needs
}

func newClasses(root *remote, typ string) *classes {
	k := &classes{known: root.classes, names: map[*remote]string{}, taken: map[string]bool{typ: true, "New" + typ: true},
		prefix: lowerFirst(typ), used: map[string]bool{}}
	for _, r := range root.classes {
		if r != nil && r.class == root.class {
			k.names[r] = typ
		}
	}
	return k
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// byReference is the type for objects of a class: one with its methods if they are known, or else a handle. It reports
// false for what is no class, or one whose objects come by value.
func (k *classes) byReference(name string) (goType, bool) {
	r, known := k.known[name]
	switch {
	case !known:
		return object, className(name)
	case r == nil:
		return anyType, false
	case len(r.members) == 0:
		return object, true
	}
	typ, written := k.names[r]
	if !written {
		base := typeName(r.class)
		typ = base
		for i := 2; k.taken[typ] || k.taken["New"+typ]; i++ {
			typ = base + strconv.Itoa(i)
		}
		k.names[r], k.taken[typ], k.taken["New"+typ] = typ, true, true
		k.queue = append(k.queue, r)
	}
	return goType{name: "*" + typ, raw: object.name, wrap: "New" + typ}, true
}

// wrappers are the funcs that a generated file may have for its own use.
var wrappers = map[string]string{
	"Each": `
// %[1]sEach makes the objects of a list those of a class.
func %[1]sEach[A, B any](list []A, as func(A) B) []B {
	if list == nil {
		return nil
	}
	all := make([]B, len(list))
	for i, v := range list {
		all[i] = as(v)
	}
	return all
}
`,
	"Values": `
// %[1]sValues makes the values of a dict those of a class.
func %[1]sValues[K comparable, A, B any](dict map[K]A, as func(A) B) map[K]B {
	if dict == nil {
		return nil
	}
	all := make(map[K]B, len(dict))
	for k, v := range dict {
		all[k] = as(v)
	}
	return all
}
`,
	"Items": `
// %[1]sItems makes the objects that are iterated over those of a class.
func %[1]sItems[A, B any](seq iter.Seq2[A, error], as func(A) B) iter.Seq2[B, error] {
	if seq == nil {
		return nil
	}
	return func(yield func(B, error) bool) {
		for v, err := range seq {
			if !yield(as(v), err) {
				return
			}
		}
	}
}
`,
}

// wrapped is the type for a container of t's.
func (k *classes) wrapped(before string, t goType, after, wrapper string, imports ...string) goType {
	w := goType{name: before + t.name + after, imports: append(imports, t.imports...)}
	if t.wrap == "" {
		return w
	}
	k.used[wrapper] = true
	w.raw = before + t.raw + after
	w.wrap = "func(v " + w.raw + ") " + w.name + " { return " + k.prefix + wrapper + "(v, " + t.wrap + ") }"
	return w
}
