package exposed

import (
	"reflect"
)

// ClassOptions add to what reflection finds out about a Go type. Names of Go methods and fields are meant where "Go
// name" is said, Python names without a prefix elsewhere. Funcs may have the optional context.Context and error as
// everywhere; those that work on an object take it (T or *T) as their first parameter.
type ClassOptions struct {
	// Name is the class's full name in Python, "module.Class". Empty means Go's package and type name.
	Name string
	// Doc is the documentation string; empty means none.
	Doc string
	// New is the constructor, a func or a *[Function] that returns T or *T. Without it Python cannot call the class.
	New any
	// Params declares the parameters of methods by Go name; see [Func] for the notation.
	Params map[string][]string
	// Names gives methods, by Go name, other Python names than those made of the Go name, as the tag of a field does.
	Names map[string]string
	// Docs holds the documentation strings of methods, by Go or Python name.
	Docs map[string]string
	// Static adds exposed attributes of the class: funcs become static methods, everything else a constant.
	Static map[string]any
	// Methods adds exposed methods beyond those of the Go type: funcs whose first parameter is the object. The parameters
	// that [Func] declares for one may begin with "self" for the object, or with the one after it.
	Methods map[string]any
	// Properties adds exposed attributes that are computed.
	Properties map[string]Property
	// Hidden adds attributes that exist but are not exposed: only a policy that allows public or all names reaches
	// them. Funcs whose first parameter is T or *T become methods.
	Hidden map[string]any
	// Members are the objects of an enumeration, in their order; their names are in Static or Hidden. The class, not its
	// objects, can then be iterated over, has a length, finds a member by its name (Colour["RED"]) and knows its
	// members by "in", as subclasses of Python's Enum.
	Members []any
	// Private lists Go names of methods and fields that are not exposed but hidden likewise.
	Private []string
	// Omit lists Go names of methods and fields that are no attributes at all.
	Omit []string
	// Bases are the base classes. The Go types of those that were registered have to be embedded in T for their
	// methods and properties to work. nil means object, or list, dict or function for containers and funcs.
	Bases []*Class
	// Copy sends objects of the class by value, wherever they are results or inside of results; see [Copy]. The peer
	// cannot call their methods then.
	Copy Copy
	// Service makes objects of the class refuse every assignment and deletion with "access denied", but those that
	// Properties provide for, and gives them get_service_name and get_service_aliases, as rpyc.Service does. Aliases are
	// their names; the default is the class's name without "Service".
	Service bool
	Aliases []string
}

// Copy is a form in which structs and containers go to a peer by value, so that it has their contents with the answer
// and does not ask for each attribute. What RPyC carries by value is immutable: lists and dicts become tuples. A type
// is sent so everywhere by ClassOptions.Copy, the result of a method by returning [Copy.Of].
type Copy int

const (
	// ByReference is the default: the peer gets a reference and asks.
	ByReference Copy = iota
	// AsTuple makes a struct the tuple of its fields, in the order in which Go declares them: the peer unpacks it, or
	// makes a namedtuple of it by Point(*p).
	AsTuple
	// AsPairs makes a struct a tuple of pairs, each of a name and a value: dict(p) is a dict there.
	AsPairs
)

// Property is a computed attribute. Get is a func of the object that returns the value, Set one of the object and the
// new value, Del one of the object; a nil one refuses the operation. Get runs once per read and may fail.
type Property struct {
	Get, Set, Del any
	Doc           string
	// Hidden makes the property one that is not exposed.
	Hidden bool
	// Probed makes Get run once more, before the operation proper, when a peer names the property without the prefix.
	// RPyC does so with every property, to see whether it is there. It is for services that must not be told from a
	// Python one.
	Probed bool
}

// mentions reports whether a func of the options is the one with the code at pc.
func (o *ClassOptions) mentions(pc uintptr) bool {
	is := func(v any) bool {
		rv := reflect.ValueOf(v)
		return rv.Kind() == reflect.Func && rv.Pointer() == pc
	}
	if o == nil || is(o.New) {
		return o != nil
	}
	for _, group := range []map[string]any{o.Static, o.Methods, o.Hidden} {
		for _, v := range group {
			if is(v) {
				return true
			}
		}
	}
	return false
}
