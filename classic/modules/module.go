//go:build unix

package modules

import (
	"context"
	"reflect"
	"strconv"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Module is a Python module whose contents are Go values: a name, a documentation string and a dictionary, which peers
// of a classic server can change as Python's can be. It is safe for concurrent use. Make one with [New].
type Module struct {
	exposed.Attrs
	name, doc string
}

var _ = exposed.Register[Module](exposed.ClassOptions{
	Name: "builtins.module",
	Doc:  "Create a module object.",
	Omit: attrsMethods("Name", "Def", "Const"),
	Properties: map[string]exposed.Property{
		"__doc__": {Hidden: true, Get: func(m *Module) any {
			if m.doc == "" {
				return nil
			}
			return m.doc
		}},
		"__dict__": {Hidden: true, Get: func(m *Module) *exposed.Dict {
			d := exposed.NewDict()
			for _, name := range m.Names() {
				if v, ok := m.Get(name); ok {
					_ = d.Set(background, name, v) // a str is hashable
				}
			}
			return d
		}},
	},
})

// attrsMethods are the Go methods that embedding exposed.Attrs brings, and others: they are no attributes.
func attrsMethods(more ...string) []string {
	return append([]string{"Get", "Set", "Delete", "Names"}, more...)
}

// New returns an empty module of that name, with doc as its __doc__; "" means None.
func New(name, doc string) *Module {
	m := &Module{name: name, doc: doc}
	m.Set("__name__", name)
	m.Set("__package__", "")
	m.Set("__loader__", nil)
	m.Set("__spec__", nil)
	return m
}

// Name is the module's name, Python's __name__.
func (m *Module) Name() string { return m.name }

// Def adds a function and returns m. f is a Go func; params declare its parameters as [exposed.Func] describes. It
// panics if they do not fit f, a mistake in the program. Without params, arguments are positional.
func (m *Module) Def(name string, f any, params ...string) *Module {
	if len(params) == 0 {
		params = positional(reflect.TypeOf(f))
	}
	made := exposed.Func(f, params...).Named(name)
	if m.inC(name) {
		made.Builtin()
	}
	m.Set(name, made)
	return m
}

// inC reports whether CPython has that function of the module in C.
func (m *Module) inC(name string) bool {
	switch m.name {
	case "builtins", "posix", "sys", "time":
		return true
	case "os":
		switch name {
		case "fdopen", "fsdecode", "fsencode", "getenv", "makedirs", "popen", "removedirs", "walk":
			return false
		}
		return true
	}
	return false
}

// positional declares the parameters of a func as positional-only.
func positional(t reflect.Type) []string {
	var params []string
	n := t.NumIn()
	if t.IsVariadic() {
		n--
	}
	for i := range n {
		if t.In(i) != reflect.TypeFor[context.Context]() {
			params = append(params, "arg"+strconv.Itoa(len(params)+1))
		}
	}
	if len(params) > 0 {
		params = append(params, "/")
	}
	if t.IsVariadic() {
		params = append(params, "*args")
	}
	return params
}

// Const adds values by name, in pairs: a name, then its value. It returns m.
func (m *Module) Const(pairs ...any) *Module {
	for i := 0; i+1 < len(pairs); i += 2 {
		m.Set(pairs[i].(string), pairs[i+1])
	}
	return m
}

// PyRefName makes references to the module carry its name, as CPython's do.
func (m *Module) PyRefName() string { return m.name }

// PyNoAttr is the AttributeError of a module.
func (m *Module) PyNoAttr(name string) error {
	return vinegar.AttributeError.Errorf("module '%s' has no attribute '%s'", m.name, name)
}

// PyRepr is repr(module).
func (m *Module) PyRepr() string { return "<module '" + m.name + "' (built-in)>" }

// keyword looks a keyword argument up.
func keyword(kw []netref.Keyword, name string) (any, bool) {
	for _, k := range kw {
		if k.Name == name {
			return k.Value, true
		}
	}
	return nil, false
}
