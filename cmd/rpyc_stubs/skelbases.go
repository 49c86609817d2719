package main

import (
	"fmt"
	"slices"
	"strings"
)

// mro are a class and its bases in the order in which Python looks attributes up.
func (t *pyType) mro() []*pyType {
	var all []*pyType
	for _, p := range t.parents {
		all = append(all, p.mro()...)
	}
	order := []*pyType{t}
	for i, b := range all {
		if !slices.Contains(all[i+1:], b) {
			order = append(order, b)
		}
	}
	return order
}

// paths are the ways from a class to one of its bases: the names of embedded fields.
func (t *pyType) paths(base *pyType) (all []string) {
	for _, p := range t.parents {
		if p == base {
			all = append(all, p.goName)
		}
		for _, rest := range p.paths(base) {
			all = append(all, p.goName+"."+rest)
		}
	}
	return all
}

// shared reports whether a class is the base of several bases of another, which have one object of it in common.
func (w *skeleton) shared(t *pyType) bool {
	return registered(t) && slices.ContainsFunc(w.m.types, func(o *pyType) bool { return len(o.paths(t)) > 1 })
}

// hasShared reports whether objects of a class have to be made with a base in common, or one that knows them.
func (w *skeleton) hasShared(t *pyType) bool {
	return w.root(t) || slices.ContainsFunc(t.ancestors(), func(o *pyType) bool { return w.shared(o) || w.root(o) })
}

// root reports whether others derive from a class and it from none: it has a field self.
func (w *skeleton) root(t *pyType) bool {
	return registered(t) && t.kind != enumClass && !slices.ContainsFunc(t.parents, registered) &&
		slices.ContainsFunc(w.m.types, func(o *pyType) bool { return slices.Contains(o.ancestors(), t) })
}

// join makes the bases that several bases of a class have in common, each once, and lets bases know whose they are.
func (w *skeleton) join(t *pyType) {
	for _, base := range slices.Backward(w.m.types) { // what derives from others first
		paths := t.paths(base)
		if len(paths) == 0 || !w.shared(base) || len(paths) == 1 && strings.Contains(paths[0], ".") {
			continue
		}
		w.printf("\tif s.%s == nil {\n\t\ts.%s = &%s{}\n\t}\n", paths[0], paths[0], base.goName)
		for _, path := range paths[1:] {
			w.printf("\ts.%s = s.%s\n", path, paths[0])
		}
	}
	for _, base := range t.mro() {
		if !w.root(base) {
			continue
		}
		path := "s.self"
		if base != t {
			path = "s." + t.paths(base)[0] + ".self"
		}
		w.printf("\tif %s == nil {\n\t\t%s = s\n\t}\n", path, path)
	}
}

// forwards writes the methods that a class has from several bases, of which Go would take none.
func (w *skeleton) forwards(c *skeletonClass) {
	if len(c.parents) < 2 {
		return
	}
	for _, of := range c.mro()[1:] {
		for _, f := range of.funcs {
			s := w.classes[of].shapes[f]
			if s == nil || !registered(of) || f.kind == staticMethod || f.kind == classMethod || f.manager ||
				s.goName == "OnConnect" || s.goName == "OnDisconnect" {
				continue
			}
			if mine, ok := c.goNames[s.goName]; ok && mine == f.name {
				continue // its own, or that of a class which Python asks before
			}
			ways := slices.DeleteFunc(slices.Clone(c.parents), func(p *pyType) bool { return !w.offers(p, s.goName, f.name) })
			if len(ways) < 2 {
				continue
			}
			c.goNames[s.goName] = f.name
			writeComment(w.file, "", fmt.Sprintf("%s is that of %s.", s.goName, of.goName))
			call := fmt.Sprintf("s.%s.%s(%s)", c.paths(of)[0], s.goName, s.names())
			w.printf("func (s *%s) %s(%s) %s {\n\treturn %s\n}\n\n", c.goName, s.goName, s.params(), s.result(), call)
		}
	}
}

// offers reports whether a class or one of its bases has a method.
func (w *skeleton) offers(t *pyType, goName, name string) bool {
	return slices.ContainsFunc(t.mro(), func(o *pyType) bool {
		c := w.classes[o]
		return c != nil && slices.ContainsFunc(o.funcs, func(f *pyFunc) bool {
			return f.name == name && c.shapes[f] != nil && c.shapes[f].goName == goName
		})
	})
}
