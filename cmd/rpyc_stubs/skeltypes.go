package main

import (
	"math"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

const (
	brinePath  = "github.com/gorpyc/gorpyc/brine"
	netrefPath = "github.com/gorpyc/gorpyc/netref"
)

var handle = goType{name: "*netref.Object", imports: []string{netrefPath}}

// serverType is the Go type that a Python service's annotation becomes: of a parameter, which a peer sends, or of a
// result, which it gets. What it does not know is any. text is as the source has it; in is the class that has it.
func (w *skeleton) serverType(in *pyType, text string, result bool, line int) goType {
	return w.typed(in, w.m.annotation(text), result, line, 0)
}

// typed is serverType of an annotation with full names.
func (w *skeleton) typed(in *pyType, text string, result bool, line, depth int) goType {
	text = strings.TrimSpace(text)
	if depth > 10 {
		return anyType
	}
	if len(text) > 2 && (text[0] == '\'' || text[0] == '"') && text[len(text)-1] == text[0] {
		return w.typed(in, text[1:len(text)-1], result, line, depth+1) // a forward reference
	}
	if parts := inspect.Split(text, '|'); len(parts) > 1 {
		return w.optional(in, parts, result, line, depth)
	}
	if name, ok := scalars[text]; ok {
		return goType{name: name}
	}
	name, args := generic(text)
	arg := func(i int) goType {
		if i < len(args) {
			return w.typed(in, args[i], result, line, depth+1)
		}
		return anyType
	}
	around := func(before string, t goType, after string) goType {
		return goType{name: before + t.name + after, imports: t.imports}
	}
	switch name {
	case "Optional":
		return w.optional(in, append(args, "None"), result, line, depth)
	case "Union":
		return w.optional(in, args, result, line, depth)
	case "Annotated", "Final", "ClassVar", "dataclasses.InitVar", "Required", "NotRequired", "ReadOnly", "Awaitable":
		return arg(0)
	case "Literal":
		return literalType(args)
	case "LiteralString", "AnyStr":
		return goType{name: "string"}
	case "list", "List", "Sequence", "MutableSequence", "Collection", "collections.deque", "Deque", "deque":
		return around("[]", arg(0), "")
	case "Iterable", "Iterator", "Generator":
		if depth > 0 {
			return anyType
		}
		if result && len(args) == 3 && args[1] != "None" && args[1] != "Any" {
			return goType{name: "*exposed.Generator", imports: []string{exposedPath}}
		}
		t := around("iter.Seq2[", arg(0), ", error]")
		t.imports = append(slices.Clone(t.imports), "iter")
		return t
	case "set", "Set", "AbstractSet", "MutableSet", "frozenset", "FrozenSet":
		if isScalar(arg(0)) {
			return around("map[", arg(0), "]struct{}")
		}
		if result {
			return goType{name: "*exposed.Set", imports: []string{exposedPath}}
		}
		return around("[]", arg(0), "")
	case "dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict", "Counter",
		"collections.defaultdict", "collections.OrderedDict", "collections.Counter":
		switch key := arg(0); {
		case isScalar(key) && strings.HasSuffix(name, "Counter"):
			return goType{name: "map[" + key.name + "]int"}
		case isScalar(key):
			return around("map["+key.name+"]", arg(1), "")
		case result:
			return goType{name: "*exposed.Dict", imports: []string{exposedPath}}
		}
		return anyType
	case "tuple", "Tuple":
		return goType{name: "brine.Tuple", imports: []string{brinePath}}
	case "Callable":
		if result && !w.field {
			return anyType
		}
		return w.callableType(in, args, line)
	case "datetime.datetime":
		if result {
			w.m.note(line, "datetime: a time.Time has a zone unless that is pickle.Naive, Python's may have none")
		}
		return goType{name: "time.Time", imports: []string{"time"}}
	case "datetime.date", "datetime.timedelta":
		if result {
			return timesShown[name]
		}
		return times[strings.TrimPrefix(name, "datetime.")]
	case "BinaryIO", "IO", "TextIO", "io.BytesIO", "io.StringIO", "io.IOBase", "io.RawIOBase":
		if result {
			w.m.note(line, "%s: return what implements io.Reader, io.Writer, io.Closer: that is a file of bytes", name)
			return anyType
		}
		w.m.note(line, "%s: netref.As[io.Reader] or [io.Writer] makes Go's of the client's file", name)
		return handle
	case "Any", "object", "None", "", "NoReturn", "Hashable", "Type", "type", "Self":
		if name == "Self" && in != nil {
			return w.classType(in, result)
		}
		return anyType
	case "rpyc.Connection", "rpyc.core.protocol.Connection":
		return goType{name: "*protocol.Conn", imports: []string{protocolPath}}
	}
	if t := w.m.typeAt(in, name); t != nil {
		return w.classType(t, result)
	}
	if strings.HasPrefix(name, "numpy.") {
		w.m.note(line, "%s is any: [][]float64 or the like takes an array, pickle.NewArray makes one",
			inspect.Bounded(name, 60))
		return anyType
	}
	w.m.note(line, "the type %s has no counterpart: it is any", inspect.Bounded(name, 60))
	return anyType
}

// timesShown are what clients see as the classes of Python's module datetime.
var timesShown = map[string]goType{"datetime.date": {name: "*exposed.Date"},
	"datetime.timedelta": {name: "*exposed.Timedelta"}}

// toShown is the expression that makes a value of a field's type of a parameter's.
func toShown(field, param, name string) string {
	switch {
	case field == "*exposed.Date" && param == "time.Time":
		return "exposed.NewDate(" + name + ")"
	case field == "*exposed.Timedelta" && param == "time.Duration":
		return "exposed.NewTimedelta(" + name + ")"
	}
	return ""
}

// classType is the Go type for objects of a class of the module.
func (w *skeleton) classType(t *pyType, result bool) goType {
	switch t.kind {
	case typedDict:
		return goType{name: t.goName}
	case exceptionClass:
		return goType{name: "*vinegar.Error", imports: []string{vinegarPath}}
	case protocolClass:
		if result {
			return anyType
		}
		return handle // the client's object
	}
	if t.kind == enumClass && t.mixin != "" && !result {
		return anyType // clients may pass the value
	}
	for _, o := range w.m.types {
		if slices.Contains(o.ancestors(), t) && o.kind != serviceClass {
			return anyType // it may be what derives from it
		}
	}
	return goType{name: "*" + t.goName}
}

// literalType is the type that all alternatives of a Literal have.
func literalType(args []string) goType {
	found := ""
	for _, a := range args {
		v, err := pyvalue.ParseLiteral(a)
		t := typeOfLiteral(v)
		if err != nil || found != "" && t != found {
			return anyType
		}
		found = t
	}
	if found == "" {
		return anyType
	}
	return goType{name: found}
}

// typeOfLiteral is the Go type that a literal's value is in an assignment; any for None and what has none.
func typeOfLiteral(v any) string {
	switch v.(type) {
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float64"
	case complex128:
		return "complex128"
	case string:
		return "string"
	case []byte:
		return "[]byte"
	case brine.Tuple:
		return "brine.Tuple"
	case []any:
		return "[]any"
	case map[any]any:
		return "map[any]any"
	}
	return "any"
}

// optional is a nil-able type for one alternative besides None, and any for several.
func (w *skeleton) optional(in *pyType, parts []string, result bool, line, depth int) goType {
	rest, none := alternatives(parts)
	if len(rest) != 1 {
		if len(rest) == 2 && slices.Contains(rest, "int") && slices.Contains(rest, "float") {
			return w.nilable(goType{name: "float64"}, none, result)
		}
		return anyType
	}
	return w.nilable(w.typed(in, rest[0], result, line, depth), none, result)
}

// nilable makes a type one that can be None. A nil slice or map is an empty one to Python, and a tuple none.
func (w *skeleton) nilable(t goType, none, result bool) goType {
	switch {
	case !none || t.name == "any" || t.name[0] == '*' || strings.HasPrefix(t.name, "func("):
		return t
	case isScalar(t) || strings.HasPrefix(t.name, "time."):
		return goType{name: "*" + t.name, imports: t.imports}
	case result:
		return anyType
	}
	return t
}

// callableType is a func type for a function that the client passes.
func (w *skeleton) callableType(in *pyType, args []string, line int) goType {
	if len(args) != 2 || !strings.HasPrefix(args[0], "[") || !strings.HasSuffix(args[0], "]") {
		return handle
	}
	t := goType{name: "func(context.Context", imports: []string{"context"}}
	for _, a := range inspect.Split(args[0][1:len(args[0])-1], ',') {
		if a != "" {
			p := w.typed(in, a, true, line, 1)
			t.name += ", " + p.name
			t.imports = append(t.imports, p.imports...)
		}
	}
	if args[1] == "None" {
		t.name += ") error"
		return t
	}
	r := w.typed(in, args[1], false, line, 1)
	t.name += ") (" + r.name + ", error)"
	t.imports = append(t.imports, r.imports...)
	return t
}

// zero is the zero value of a type as Go writes it.
func zero(t string) string {
	switch {
	case t == "string":
		return `""`
	case t == "bool":
		return "false"
	case t == "int", t == "int64", t == "float64", t == "complex128", t == "time.Duration":
		return "0"
	case t == "time.Time":
		return "time.Time{}"
	}
	return "nil"
}

// canBeNil reports whether None fits a type.
func canBeNil(t string) bool { return zero(t) == "nil" }

// withDefault makes a parameter's type one that its default fits, and returns the default as package exposed reads it,
// or None and the Go expression that a nil stands for.
func (w *skeleton) withDefault(in *pyType, t goType, p *inspect.Parameter, line int) (of goType, def, fill string) {
	if member, name := w.enumMember(in, p.Default); member != nil {
		if name != "" && (t.name == "any" || t.name == "*"+member.goName) {
			w.m.note(line, "the default %s = %s: it is None to clients, and filled in", p.Name, p.Default)
			return t, "None", name
		}
	}
	v, err := w.literal(in, p.Default)
	if name, empty := strings.CutSuffix(p.Default, "()"); empty && (makers[name] != "" || name == "frozenset") {
		v, err = []any{}, nil
	}
	if kind, _, length, ok := w.moment(in, p.Default, 0); ok && kind == "datetime.timedelta" && t.name == "time.Duration" {
		return t, pyvalue.Repr(length.Seconds()), ""
	}
	none := func() (goType, string, string) {
		w.m.note(line, "the default %s = %s: it is None here", p.Name, inspect.Bounded(p.Default, 60))
		return w.withNone(t), "None", ""
	}
	if err != nil {
		return none()
	}
	switch v := v.(type) {
	case []any:
		if strings.HasPrefix(t.name, "[]") {
			if text, ok := goSlice(t.name, v); ok {
				return t, "None", text
			}
		}
		if len(v) == 0 && strings.HasPrefix(t.name, "map[") {
			return t, "None", t.name + "{}"
		}
		if text, ok := goSlice("[]any", v); t.name == "any" && ok && text != "" { // as variables of the module are
			return t, "None", text
		}
		return none()
	case map[any]any:
		if strings.HasPrefix(t.name, "map[") {
			if text, ok := goMap(t.name, v); ok {
				return t, "None", text
			}
		}
		if text, ok := goMap("map[any]any", v); t.name == "any" && ok {
			return t, "None", text
		}
		return none()
	case nil:
		return w.withNone(t), "None", ""
	}
	literal := typeOfLiteral(v)
	base := strings.TrimPrefix(t.name, "*")
	if literal == "any" { // Ellipsis, a large number
		return none()
	}
	fits := t.name == "any" || base == literal || base == "float64" && (literal == "int") ||
		base == "complex128" && (literal == "int" || literal == "float64") || base == "int" && literal == "bool"
	if tuple, ok := v.(brine.Tuple); ok && len(tuple) == 0 && strings.HasPrefix(t.name, "[]") && t.name != "[]byte" {
		fits = true
	}
	if !fits {
		t = anyType
	}
	if f, ok := v.(float64); ok && math.IsInf(f, 0) {
		return t, strings.Replace(pyvalue.Repr(v), "inf", "1e999", 1), ""
	}
	return t, pyvalue.Repr(v), ""
}

func (w *skeleton) withNone(t goType) goType {
	if canBeNil(t.name) {
		return t
	}
	return goType{name: "*" + t.name, imports: t.imports}
}
