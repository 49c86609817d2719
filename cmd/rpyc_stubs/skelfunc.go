package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// argument is a parameter of a Go func, and its declaration for package exposed.
type argument struct {
	name, typ, decl string
	param           *inspect.Parameter
	fill            string // what a nil stands for, a default that package exposed cannot have
}

// shape is how a func is written in Go.
type shape struct {
	goName  string
	args    []argument
	decls   []string // of all parameters, "/" and "*" included
	results []string // without the error
	fails   bool     // it has an error
}

// params are the parameters of the func in a Go list, the context first.
func (s *shape) params() string {
	list := []string{"ctx context.Context"}
	for _, a := range s.args {
		list = append(list, a.name+" "+a.typ)
	}
	return strings.Join(list, ", ")
}

// result is the Go result list.
func (s *shape) result() string {
	list := slices.Clone(s.results)
	if s.fails {
		list = append(list, "error")
	}
	if len(list) == 1 {
		return list[0]
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// zeros are the results besides an error.
func (s *shape) zeros() string {
	var b strings.Builder
	for _, r := range s.results {
		b.WriteString(zero(r) + ", ")
	}
	return b.String()
}

// names pass the arguments on.
func (s *shape) names() string {
	list := []string{"ctx"}
	for _, a := range s.args {
		if strings.HasPrefix(a.typ, "...") {
			a.name += "..."
		}
		list = append(list, a.name)
	}
	return strings.Join(list, ", ")
}

// parameters lays a Python parameter list out in Go.
func (w *skeleton) parameters(in *pyType, sig *inspect.Signature, line int) (args []argument, decls []string) {
	taken := map[string]bool{"ctx": true, "s": true, "err": true, "yield": true}
	for name := range importable {
		taken[name] = true
	}
	if sig == nil {
		return []argument{{name: "args", typ: "[]any", decl: "*args"},
			{name: "kwargs", typ: "...netref.Keyword", decl: "**kwargs"}}, []string{"*args", "**kwargs"}
	}
	var list inspect.List
	for i := range sig.Params {
		p := &sig.Params[i]
		a := argument{name: paramName(p.Name, taken), decl: p.Kind.Stars() + p.Name, param: p}
		final := i == len(sig.Params)-1
		switch p.Kind {
		case inspect.VarPositional:
			if a.typ = "[]"; final {
				a.typ = "..."
			}
			a.typ += w.serverType(in, p.Type, false, line).name
		case inspect.VarKeyword:
			a.typ = "...netref.Keyword"
		default:
			t := w.serverType(in, p.Type, false, line)
			if p.Default != "" {
				def := ""
				t, def, a.fill = w.withDefault(in, t, p, line)
				a.decl += "=" + def
			}
			a.typ = t.name
		}
		args = append(args, a)
		list.Add(p.Kind, strings.TrimLeft(a.decl, "*"))
	}
	return args, list.End()
}

// paramName makes a Go name of a parameter that hides nothing, without the underscore that goParam can add.
func paramName(name string, taken map[string]bool) string {
	goName := goParam(name, taken)
	if bare, ok := strings.CutSuffix(goName, "_"); ok && !taken[bare+"Arg"] {
		taken[bare+"Arg"] = true
		return bare + "Arg"
	}
	return goName
}

// fixedResults are those of special methods, whatever Python's source says of them.
var fixedResults = map[string]string{"__len__": "int", "__length_hint__": "int", "__bool__": "bool",
	"__str__": "string", "__repr__": "string", "__format__": "string", "__hash__": "int64", "__contains__": "bool",
	"__int__": "int64", "__index__": "int64", "__float__": "float64", "__complex__": "complex128", "__bytes__": "[]byte",
	"__dir__": "[]string", "__setitem__": "", "__delitem__": ""}

// specials are Python's special methods that package exposed knows, and their Go names.
var specials = func() map[string]string {
	all := map[string]string{}
	for name := range strings.FieldsSeq(`Len GetItem SetItem DelItem Contains Iter Next Reversed LengthHint Call Enter Exit
		Eq Ne Lt Le Gt Ge Hash Bool Int Float Complex Index Bytes Str Repr Format Dir Array Neg Pos Abs Invert Round Trunc
		Floor Ceil Add Sub Mul TrueDiv FloorDiv Mod DivMod Pow MatMul LShift RShift And Or Xor RAdd RSub RMul RTrueDiv
		RFloorDiv RMod RDivMod RPow RMatMul RLShift RRShift RAnd ROr RXor IAdd ISub IMul ITrueDiv IFloorDiv IMod IPow
		IMatMul ILShift IRShift IAnd IOr IXor`) {
		if python, ok := exposed.MethodName("Py" + name); ok {
			all[python] = "Py" + name
		}
	}
	return all
}()

// shapeOf is how a func of a class, or of the module if in is nil, is written.
func (w *skeleton) shapeOf(in *pyType, f *pyFunc, goName string) *shape {
	s := &shape{goName: goName, fails: true}
	s.args, s.decls = w.parameters(in, f.sig, f.line)
	fixed, isFixed := fixedResults[f.name]
	result := ""
	if f.sig != nil {
		result = w.m.annotation(f.sig.Result)
	}
	switch {
	case f.name == "__exit__":
		s.args, s.decls, s.results = []argument{{name: "exc", typ: "error"}}, nil, []string{"bool"}
	case f.name == "__array__":
		s.args, s.decls, s.results = nil, nil, []string{"any"}
	case isFixed && fixed == "":
	case isFixed:
		s.results = []string{fixed}
	case f.generator:
		item := "any"
		if name, args, ok := strings.Cut(result, "["); ok && iterates[name] {
			parts := inspect.Split(strings.TrimSuffix(args, "]"), ',')
			t := w.typed(in, result, true, f.line, 0)
			if t.name == "*exposed.Generator" {
				s.results, s.fails = []string{t.name}, false
				return s
			}
			item = w.typed(in, parts[0], true, f.line, 0).name
		}
		s.results, s.fails = []string{"iter.Seq2[" + item + ", error]"}, false
	case result == "None" || result == "NoReturn" || result == "" && !f.returns && !f.raises && !f.live:
		if returnsNothing := specials[f.name] != "" && f.name != "__call__" && f.name != "__enter__"; returnsNothing {
			s.results = []string{"any"}
		}
	case result == "" && f.onlySelf() && in != nil:
		if w.classType(in, true).name == "any" {
			w.m.note(f.line, "%s returns its object, which can be of a class that derives from %s: return self", f.name, in.name)
		}
		s.results = []string{w.classType(in, true).name}
	default:
		if inner, ok := strings.CutPrefix(strings.ToLower(result[:min(5, len(result))]), "tuple"); ok && inner == "" &&
			strings.HasPrefix(result[5:], "[") && inspect.Closing(result[5:]) == len(result)-6 {
			if parts := inspect.Split(strings.TrimSuffix(result[6:], "]"), ','); len(parts) > 1 && parts[1] != "..." {
				for _, p := range parts {
					s.results = append(s.results, w.typed(in, p, true, f.line, 0).name)
				}
				return s
			}
		}
		s.results = []string{w.typed(in, result, true, f.line, 0).name}
	}
	if len(s.results) == 1 && strings.HasPrefix(s.results[0], "map[") && !strings.HasSuffix(s.results[0], "struct{}") {
		w.m.note(f.line, "%s: a map is shown in the order of its keys; *exposed.Dict keeps that of insertion", f.name)
	}
	return s
}

var iterates = map[string]bool{"Iterator": true, "Iterable": true, "Generator": true}

// onlySelf reports whether a method returns its object and nothing else.
func (f *pyFunc) onlySelf() bool {
	only := false
	count := 0
	each(f.body, func(s *statement) {
		if strings.HasPrefix(s.text, "return ") {
			count++
			only = s.text == "return self"
		}
	})
	return only && count == 1
}

// title is how Python writes the head of a func, for a comment.
func (f *pyFunc) title() string {
	if f.sig == nil {
		return f.name + "(…)"
	}
	return f.name + f.sig.String()
}

// raise is the statement that ends a body which is still to be written.
func (w *skeleton) raise(in *pyType, f *pyFunc, s *shape) {
	name := f.name
	if in != nil {
		name = in.name + "." + f.name
	}
	exc := "vinegar.NotImplementedError.New(" + strconv.Quote(name+" is not written yet") + ")"
	switch {
	case !s.fails && len(s.results) == 1 && s.results[0] == "*exposed.Generator":
		w.printf("%s", "\treturn exposed.NewGenerator(func(yield func(any) (any, error)) error {\n\t\treturn "+exc+"\n\t})\n")
	case !s.fails && len(s.results) == 1:
		item := strings.TrimSuffix(strings.TrimPrefix(s.results[0], "iter.Seq2["), ", error]")
		w.printf("%s", fmt.Sprintf("\treturn func(yield func(%s, error) bool) {\n\t\tyield(%s, %s)\n\t}\n", item,
			zero(item), exc))
	default:
		w.printf("%s", "\treturn "+s.zeros()+exc+"\n")
	}
}

// fill gives parameters that were left out the defaults that package exposed cannot have.
func (w *skeleton) fill(args []argument) {
	for _, a := range args {
		if a.fill != "" {
			w.printf("\tif %s == nil {\n\t\t%s = %s\n\t}\n", a.name, a.name, a.fill)
		}
	}
}

// body writes a func with the Python source in it.
func (w *skeleton) body(receiver string, in *pyType, f *pyFunc, s *shape) {
	writeComment(w.file, "", s.goName+" is "+f.title()+".", f.doc)
	w.printf("func %s%s(%s) %s {\n", receiver, s.goName, s.params(), s.result())
	if f.target != "" {
		call := "\ts."
		if len(s.results) > 0 || s.fails {
			call = "\treturn s."
		}
		for o, other := range w.classes[in].shapes {
			if o.name == f.target {
				call += other.goName
			}
		}
		w.printf("%s(%s)\n}\n\n", call, s.names())
		return
	}
	w.fill(s.args)
	w.printf("\t// TODO: write this in Go.\n")
	if f.end > 0 {
		w.printf("\t//\n")
		w.source("\t", f.line, f.end)
	}
	w.raise(in, f, s)
	w.printf("}\n\n")
}

// manager writes a method whose Python is a generator with @contextmanager, and the type of its results.
func (w *skeleton) manager(in *pyType, f *pyFunc, s *shape) {
	name := w.packageName(in.goName + exportedName(f.bare))
	item := "any"
	if f.sig != nil {
		if kind, args, ok := strings.Cut(w.m.annotation(f.sig.Result), "["); ok && iterates[kind] {
			item = w.typed(in, inspect.Split(strings.TrimSuffix(args, "]"), ',')[0], true, f.line, 0).name
		}
	}
	var fields, values []string
	for _, a := range s.args {
		typ := a.typ
		if rest, ok := strings.CutPrefix(typ, "..."); ok {
			typ = "[]" + rest
		}
		fields, values = append(fields, "\t"+a.name+" "+typ+"\n"), append(values, a.name+": "+a.name)
	}
	owner := unexported(in.goName)
	for slices.ContainsFunc(s.args, func(a argument) bool { return a.name == owner }) {
		owner += "_"
	}
	writeComment(w.file, "", s.goName+" is "+f.title()+", of @contextmanager.", f.doc)
	w.printf("func (s *%s) %s(%s) (*%s, error) {\n\treturn &%s{%s}, nil\n}\n\n", in.goName, s.goName, s.params(),
		name, name, strings.Join(append([]string{owner + ": s"}, values...), ", "))
	writeComment(w.file, "", name+" is what "+s.goName+" gives to a with statement.")
	w.printf("type %s struct {\n\t%s *%s\n%s}\n\n", name, owner, in.goName, strings.Join(fields, ""))
	enter := &shape{goName: "PyEnter", results: []string{item}, fails: true}
	w.printf("// PyEnter runs what is before the yield.\n")
	w.printf("func (m *%s) PyEnter(%s) %s {\n\t// TODO: write this in Go.\n\t//\n", name, enter.params(),
		enter.result())
	w.source("\t", f.line, f.end)
	w.raise(in, f, enter)
	w.printf("}\n\n// PyExit runs what is behind the yield. exc is what the block has raised, nil for nothing; true suppresses it.\n")
	w.printf("func (m *%s) PyExit(ctx context.Context, exc error) (bool, error) {\n", name)
	w.raise(in, f, &shape{results: []string{"bool"}, fails: true})
	w.printf("}\n\n")
	w.managers = append(w.managers, name)
}
