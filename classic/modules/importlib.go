//go:build unix

package modules

import (
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// moduleSpec is importlib.machinery.ModuleSpec, as far as there is something to say.
type moduleSpec struct{ name string }

var _ = exposed.Register[moduleSpec](exposed.ClassOptions{
	Name: "_frozen_importlib.ModuleSpec",
	Properties: map[string]exposed.Property{
		"name":   {Hidden: true, Get: func(s *moduleSpec) string { return s.name }},
		"origin": {Hidden: true, Get: func(*moduleSpec) string { return "built-in" }},
		"parent": {Hidden: true, Get: func(s *moduleSpec) string {
			if i := strings.LastIndexByte(s.name, '.'); i >= 0 {
				return s.name[:i]
			}
			return ""
		}},
	},
	Hidden: map[string]any{"__repr__": func(s *moduleSpec) string {
		return "ModuleSpec(name=" + vinegar.Repr(s.name) + ", origin='built-in')"
	}},
})

// findSpec is importlib.util.find_spec: None for what cannot be imported.
func (in *Interpreter) findSpec(name string, _ any) (any, error) {
	if name == "" {
		return nil, vinegar.ValueError.New("Empty module name")
	}
	if in.Has(name) {
		return &moduleSpec{name}, nil
	}
	if parent := name[:max(strings.LastIndexByte(name, '.'), 0)]; parent != "" && !in.Has(parent) { // which Python imports
		return nil, in.notFound(parent)
	}
	return nil, nil
}

func newImportlib(in *Interpreter) *Module {
	m := New("importlib", "A pure Python implementation of import.")
	m.Def("import_module", func(name string, _ any) (any, error) { return in.Import(name) }, "name", "package=None")
	m.Def("invalidate_caches", func() {})
	m.Set("util", in.must("importlib.util"))
	return m
}

// newImportlibUtil has what RPyC's clients ask for: "x in conn.modules" is _find_spec_from_path.
func newImportlibUtil(in *Interpreter) *Module {
	m := New("importlib.util", "Utility code for constructing importers, etc.")
	m.Def("find_spec", in.findSpec, "name", "package=None")
	m.Def("_find_spec_from_path", in.findSpec, "name", "path=None")
	return m
}
