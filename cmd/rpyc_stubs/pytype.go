package main

import (
	"fmt"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// pyTypes says what Go types are in a stub, and collects the classes that this takes.
type pyTypes struct {
	m       *model
	typing  map[string]bool // names to import from typing
	queue   []*types.Named  // classes that are mentioned, in the order of their discovery
	names   map[*types.TypeName]string
	taken   map[string]bool
	busy    map[types.Type]bool // what is being translated, against types that contain themselves
	nesting int
	members map[string]bool // names that mean a member of the class that is being written
	aliases map[string]bool // classes that need another name because of that
	modules map[string]bool // to import
}

func newPyTypes(m *model) *pyTypes {
	return &pyTypes{m: m, typing: map[string]bool{}, names: map[*types.TypeName]string{}, busy: map[types.Type]bool{},
		aliases: map[string]bool{}, modules: map[string]bool{},
		taken: map[string]bool{"int": true, "float": true, "str": true, "bytes": true, "list": true, "dict": true,
			"set": true, "object": true}}
}

func (p *pyTypes) from(name string) string {
	p.typing[name] = true
	return name
}

// builtin is the name of a Python builtin where a member of the class may have the same: conn.root.set, say.
func (p *pyTypes) builtin(name string) string {
	if p.members[name] {
		p.modules["builtins"] = true
		return "builtins." + name
	}
	return name
}

// generic is a builtin with type arguments.
func (p *pyTypes) generic(name string, args ...string) string {
	return p.builtin(name) + "[" + strings.Join(args, ", ") + "]"
}

// wellKnown are the types of other packages that have a Python counterpart.
var wellKnown = map[string]string{
	"math/big.Int":                                      "int",
	"time.Duration":                                     "float",
	"github.com/gorpyc/gorpyc/brine.Tuple":              "tuple[Any, ...]",
	"github.com/gorpyc/gorpyc/brine.FrozenSet":          "frozenset[Any]",
	"github.com/gorpyc/gorpyc/brine.Slice":              "slice",
	"github.com/gorpyc/gorpyc/netref.Object":            "Any",
	"github.com/gorpyc/gorpyc/netref.Keyword":           "Any",
	"github.com/gorpyc/gorpyc/protocol/vinegar.Error":   "BaseException",
	"github.com/gorpyc/gorpyc/protocol/vinegar.Class":   "type[BaseException]",
	"github.com/gorpyc/gorpyc/protocol/exposed.List":    "list[Any]",
	"github.com/gorpyc/gorpyc/protocol/exposed.Dict":    "dict[Any, Any]",
	"github.com/gorpyc/gorpyc/protocol/exposed.Set":     "set[Any]",
	exposedPath + ".Class":                              "type[Any]",
	"github.com/gorpyc/gorpyc/protocol/exposed.Args":    "Any",
	"github.com/gorpyc/gorpyc/brine.EllipsisType":       "Any",
	"github.com/gorpyc/gorpyc/brine.NotImplementedType": "Any",
}

// files are the interfaces of package io that are file objects in Python.
var files = strings.Fields("Reader Writer ReadWriter ReadCloser WriteCloser ReadWriteCloser ReadSeeker WriteSeeker " +
	"ReadWriteSeeker ReadSeekCloser")

// of translates a type. param is for what Python passes, which may be more than what it gets: any iterable is taken
// for a slice, say.
func (p *pyTypes) of(t types.Type, param bool) string {
	t = types.Unalias(t)
	if p.nesting > 20 || p.busy[t] {
		return p.from("Any") // type T []T
	}
	p.nesting++
	p.busy[t] = true
	defer func() { p.nesting--; delete(p.busy, t) }()
	switch t := t.(type) {
	case *types.Named:
		return p.named(t, param)
	case *types.Pointer:
		return p.pointer(t, param)
	case *types.TypeParam:
		return p.from("Any")
	}
	return p.kind(t, param)
}

func (p *pyTypes) pointer(t *types.Pointer, param bool) string {
	e := types.Unalias(t.Elem())
	s := p.of(e, param)
	if s == "Any" || isNamed(e, "math/big", "Int") {
		return s
	}
	switch u := e.Underlying().(type) {
	case *types.Basic, *types.Array:
		return s + " | None"
	case *types.Slice:
		if isByte(u.Elem()) {
			return s + " | None"
		}
	}
	return s
}

func (p *pyTypes) named(t *types.Named, param bool) string {
	obj := t.Obj()
	if obj.Pkg() == nil { // error, comparable
		if obj.Name() == "error" {
			return "BaseException"
		}
		return p.from("Any")
	}
	path := obj.Pkg().Path()
	if s, ok := wellKnown[path+"."+obj.Name()]; ok {
		if strings.Contains(s, "Any") {
			p.from("Any")
		}
		if name, args, ok := strings.Cut(s, "["); ok {
			return p.builtin(name) + "[" + args
		}
		if s == "Any" {
			return s
		}
		return p.builtin(s)
	}
	switch {
	case path == exposedPath && obj.Name() == "Generator":
		return p.from("Iterator") + "[" + p.from("Any") + "]"
	case path == exposedPath && obj.Name() == "Function":
		return p.from("Callable") + "[..., " + p.from("Any") + "]"
	case path == "time" && obj.Name() == "Time":
		p.modules["datetime"] = true
		return "datetime.datetime"
	case path == "io" && slices.Contains(files, obj.Name()):
		return p.from("BinaryIO")
	case path == "iter" && obj.Name() == "Seq":
		return p.iterator(param, p.of(t.TypeArgs().At(0), param))
	case path == "iter" && obj.Name() == "Seq2":
		return p.seq2(t.TypeArgs().At(0), t.TypeArgs().At(1), param)
	case types.Implements(t, errorInterface), types.Implements(types.NewPointer(t), errorInterface):
		return "BaseException"
	case t.TypeArgs() != nil, !strings.Contains(strings.SplitN(path, "/", 2)[0], ".") && path != p.m.path &&
		!p.sameModule(path):
		if _, isStruct := t.Underlying().(*types.Struct); isStruct {
			return p.from("Any") // the standard library's and generic ones have no class here
		}
		return p.kind(t.Underlying(), param)
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return p.class(t)
	case *types.Interface:
		if u.NumMethods() == 0 {
			return p.from("Any")
		}
		return p.class(t)
	case *types.Basic:
		return p.kind(u, param)
	}
	if types.NewMethodSet(types.NewPointer(t)).Len() > 0 && !param {
		return p.class(t)
	}
	return p.kind(t.Underlying(), param)
}

// sameModule reports whether a path begins as that of the package does; module paths without a dot are legal.
func (p *pyTypes) sameModule(path string) bool {
	first, _, _ := strings.Cut(p.m.path, "/")
	other, _, _ := strings.Cut(path, "/")
	return first == other
}

// class is the name of the class for a type, which the stub will define.
func (p *pyTypes) class(t *types.Named) string {
	obj := t.Obj()
	if name, ok := p.names[obj]; ok {
		if p.members[name] {
			p.aliases[name] = true
			return "_" + name
		}
		return name
	}
	name := pythonIdentifier(obj.Name())
	if !obj.Exported() {
		name = "_" + name
	}
	for _, c := range p.m.classes {
		if c.obj == obj && (obj.Exported() || c.name != "") {
			name = pythonIdentifier(c.pyName())
		}
	}
	if p.taken[name] {
		name = obj.Pkg().Name() + "_" + name
	}
	for p.taken[name] {
		name += "_"
	}
	p.names[obj], p.taken[name] = name, true
	p.queue = append(p.queue, t)
	return p.class(t)
}

// typingNames are what an annotation may take from module typing.
var typingNames = makeSet("Any AnyStr BinaryIO Callable Iterable Iterator Literal Mapping Optional Sequence TextIO Union")

func makeSet(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
}

// annotation is a type that a directive has.
func (p *pyTypes) annotation(text string) string {
	return pyName.ReplaceAllStringFunc(text, func(name string) string {
		switch module, _, qualified := strings.Cut(name, "."); {
		case typingNames[name]:
			return p.from(name)
		case qualified:
			p.modules[module] = true
			return name
		}
		for obj, class := range p.names {
			if class == name {
				return p.class(namedOf(obj.Type())) // which may have another name within this class
			}
		}
		if p.taken[name] || types.Universe.Lookup(name) != nil {
			return p.builtin(name)
		}
		return name
	})
}

var pyName = regexp.MustCompile(`[\pL_][\pL\d_.]*`)

func (p *pyTypes) iterator(param bool, item string) string {
	if param {
		return p.from("Iterable") + "[" + item + "]"
	}
	return p.from("Iterator") + "[" + item + "]"
}

func (p *pyTypes) seq2(k, v types.Type, param bool) string {
	if types.Identical(v, types.Universe.Lookup("error").Type()) {
		return p.iterator(param, p.of(k, param))
	}
	return p.iterator(param, p.generic("tuple", p.of(k, param), p.of(v, param)))
}

func (p *pyTypes) kind(t types.Type, param bool) string {
	switch t := t.(type) {
	case *types.Basic:
		return p.basic(t)
	case *types.Array:
		if isByte(t.Elem()) {
			return p.builtin("bytes")
		}
		if n := t.Len(); n > 0 && n <= 4 {
			return p.generic("tuple", slices.Repeat([]string{p.of(t.Elem(), param)}, int(n))...)
		}
		return p.generic("tuple", p.of(t.Elem(), param), "...")
	case *types.Slice:
		switch {
		case isByte(t.Elem()):
			return p.builtin("bytes")
		case param:
			return p.from("Iterable") + "[" + p.of(t.Elem(), param) + "]"
		}
		return p.generic("list", p.of(t.Elem(), param))
	case *types.Map:
		k, v := p.of(t.Key(), param), ""
		if st, ok := t.Elem().Underlying().(*types.Struct); ok && st.NumFields() == 0 {
			if param {
				return p.from("Iterable") + "[" + k + "]"
			}
			return p.generic("set", k)
		}
		if v = p.of(t.Elem(), param); param {
			return p.from("Mapping") + "[" + k + ", " + v + "]"
		}
		return p.generic("dict", k, v)
	case *types.Chan:
		if t.Dir() != types.SendOnly {
			return p.iterator(param, p.of(t.Elem(), param))
		}
	case *types.Signature:
		return p.callable(t, param)
	}
	return p.from("Any")
}

func (p *pyTypes) basic(t *types.Basic) string {
	switch i := t.Info(); {
	case i&types.IsBoolean != 0:
		return p.builtin("bool")
	case i&types.IsInteger != 0:
		return p.builtin("int")
	case i&types.IsFloat != 0:
		return p.builtin("float")
	case i&types.IsComplex != 0:
		return p.builtin("complex")
	case i&types.IsString != 0:
		return p.builtin("str")
	}
	return p.from("Any")
}

// callable is a func that Python passes (param) or gets; what is passed to it goes the other way.
func (p *pyTypes) callable(t *types.Signature, param bool) string {
	if t.Params().Len() == 1 && t.Results().Len() == 0 { // a func to range over, not called iter.Seq
		if y, ok := t.Params().At(0).Type().Underlying().(*types.Signature); ok && y.Results().Len() == 1 && !y.Variadic() {
			if b, ok := y.Results().At(0).Type().Underlying().(*types.Basic); ok && b.Kind() == types.Bool {
				switch y.Params().Len() {
				case 1:
					return p.iterator(param, p.of(y.Params().At(0).Type(), param))
				case 2:
					return p.seq2(y.Params().At(0).Type(), y.Params().At(1).Type(), param)
				}
			}
		}
	}
	args := "..."
	if !t.Variadic() {
		var list []string
		for i := range t.Params().Len() {
			if v := t.Params().At(i); i > 0 || !isContext(v.Type()) {
				list = append(list, p.of(v.Type(), !param))
			}
		}
		args = "[" + strings.Join(list, ", ") + "]"
	}
	result := p.results(t, param)
	if param && result == "None" {
		result = p.builtin("object") // what it returns is dropped
	}
	return fmt.Sprintf("%s[%s, %s]", p.from("Callable"), args, result)
}

// results is what a call returns: None, one value, or a tuple. A trailing error is raised.
func (p *pyTypes) results(t *types.Signature, param bool) string {
	n := t.Results().Len()
	if n > 0 && types.Identical(t.Results().At(n-1).Type(), types.Universe.Lookup("error").Type()) {
		n--
	}
	var list []string
	for i := range n {
		list = append(list, p.of(t.Results().At(i).Type(), param))
	}
	switch n {
	case 0:
		return "None"
	case 1:
		return list[0]
	}
	return p.generic("tuple", list...)
}
