package main

import (
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
)

// goType is what a Python annotation becomes in a Go client.
type goType struct {
	name    string
	imports []string
	// raw is the type that a call is made with, and wrap the func that makes name of it, where they differ: objects
	// come as handles.
	raw, wrap string
}

// times are the classes of Python's module datetime that Go has types for.
var times = map[string]goType{
	"datetime": {name: "time.Time", imports: []string{"time"}}, "date": {name: "time.Time", imports: []string{"time"}},
	"timedelta": {name: "time.Duration", imports: []string{"time"}},
}

var anyType = goType{name: "any"}

var scalars = map[string]string{
	"int": "int", "float": "float64", "complex": "complex128", "bool": "bool", "str": "string", "bytes": "[]byte",
}

// fromAnnotation translates the text of an annotation, whatever it is: what it does not know becomes any. param is for
// what the Go program passes.
func (k *classes) fromAnnotation(text string, param bool) goType {
	return k.annotated(inspect.PlainAnnotation(text), param, 0)
}

func (k *classes) annotated(text string, param bool, depth int) goType {
	text = strings.TrimSpace(text)
	if depth > 10 {
		return anyType
	}
	if len(text) > 2 && (text[0] == '\'' || text[0] == '"') && text[len(text)-1] == text[0] {
		return k.annotated(text[1:len(text)-1], param, depth) // a forward reference
	}
	if parts := inspect.Split(text, '|'); len(parts) > 1 {
		return k.union(parts, param, depth)
	}
	if name, ok := scalars[text]; ok {
		return goType{name: name}
	}
	name, args := generic(text)
	arg := func(i int) goType {
		if i < len(args) {
			return k.annotated(args[i], param, depth+1)
		}
		return anyType
	}
	switch name {
	case "Optional":
		return k.union(append(args, "None"), param, depth)
	case "Union":
		return k.union(args, param, depth)
	case "Annotated", "Final":
		return arg(0)
	case "list", "List", "Sequence", "MutableSequence", "Collection":
		return k.wrapped("[]", arg(0), "", "Each")
	case "Iterable", "Iterator", "Generator":
		if param {
			return k.wrapped("[]", arg(0), "", "Each")
		}
		return k.wrapped("iter.Seq2[", arg(0), ", error]", "Items", "iter")
	case "set", "Set", "AbstractSet", "MutableSet", "frozenset", "FrozenSet":
		if !isScalar(arg(0)) {
			return k.wrapped("[]", arg(0), "", "Each")
		}
		return k.wrapped("map[", arg(0), "]struct{}", "")
	case "dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict":
		key := arg(0)
		if !isScalar(key) {
			return anyType
		}
		return k.wrapped("map["+key.name+"]", arg(1), "", "Values")
	case "tuple", "Tuple":
		if param {
			return anyType // a Go slice would be a list
		}
		if len(args) == 2 && args[1] == "..." {
			return k.wrapped("[]", arg(0), "", "Each")
		}
		return goType{name: "brine.Tuple", imports: []string{"github.com/gorpyc/gorpyc/brine"}}
	case "Callable":
		if param {
			return k.callback(args, depth)
		}
		return object
	}
	if _, known := k.known[name]; !known {
		t, ok := times[strings.TrimPrefix(name, "datetime.")]
		if ok && (!param || t.name == "time.Time" && strings.HasSuffix(name, "datetime")) { // a Duration is a float there
			return t
		}
	}
	t, ok := k.byReference(name)
	switch {
	case !ok || param && t.wrap == "":
		return anyType
	case param && depth > 0:
		return object // a container has to have what travels
	}
	return t
}

// generic splits "name[a, b]".
func generic(text string) (name string, args []string) {
	if i := strings.IndexByte(text, '['); i > 0 && strings.HasSuffix(text, "]") {
		return text[:i], inspect.Split(text[i+1:len(text)-1], ',')
	}
	return text, nil
}

var object = goType{name: "*netref.Object"}

// className reports whether a name is that of a class we know nothing of, so that its objects come by reference.
// Classes of the typing module, numbers.Number and what else may come by value are not.
func className(name string) bool {
	if strings.HasPrefix(name, "numbers.") || strings.Contains(name, "[") {
		return false
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == name || !dotted(name) { // a bare name may be an alias or a type variable of anything
		return false
	}
	return last[0] >= 'A' && last[0] <= 'Z' && !strings.HasSuffix(last, "Enum")
}

func isScalar(t goType) bool {
	switch t.name {
	case "int", "float64", "complex128", "bool", "string":
		return true
	}
	return false
}

// alternatives are those of a union that are not None, and whether that is one.
func alternatives(parts []string) (rest []string, none bool) {
	for _, p := range parts {
		if p = strings.TrimSpace(p); p == "None" || p == "NoneType" {
			none = true
		} else {
			rest = append(rest, p)
		}
	}
	return rest, none
}

// union is a pointer for an optional scalar, and any for other alternatives.
func (k *classes) union(parts []string, param bool, depth int) goType {
	rest, optional := alternatives(parts)
	if len(rest) != 1 {
		return anyType
	}
	t := k.annotated(rest[0], param, depth)
	if optional && (isScalar(t) || strings.HasPrefix(t.name, "time.")) {
		t.name = "*" + t.name
	}
	return t
}

// handles gives what is called back handles for objects.
func (k *classes) handles() *classes {
	known := map[string]*remote{}
	for name, r := range k.known {
		if known[name] = r; r != nil {
			known[name] = &remote{class: r.class}
		}
	}
	return &classes{known: known}
}

// callback is the func type for a function that is passed to the service.
func (k *classes) callback(args []string, depth int) goType {
	if len(args) != 2 || !strings.HasPrefix(args[0], "[") || !strings.HasSuffix(args[0], "]") {
		return anyType
	}
	t := goType{name: "func(context.Context"}
	for _, a := range inspect.Split(args[0][1:len(args[0])-1], ',') {
		if a != "" {
			p := k.handles().annotated(a, false, depth+1)
			t.name += ", " + p.name
			t.imports = append(t.imports, p.imports...)
		}
	}
	if args[1] == "None" {
		t.name += ") error"
		return t
	}
	r := k.annotated(args[1], true, depth+1)
	t.name += ") (" + r.name + ", error)"
	t.imports = append(t.imports, r.imports...)
	return t
}
