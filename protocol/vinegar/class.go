package vinegar

import (
	"fmt"
	"strings"
	"sync"
)

// Class is a Python exception class: a name, a module and base classes. Its
// identity is the pair of module and name, because that is all that
// travels: two Class values with the same pair are the same class to
// [Class.IsSubclass] and to errors.Is, even if the pointers differ.
//
// A *Class is an error, so it can be the target of errors.Is and can be returned
// by a handler as it stands, which is Python's "raise ValueError". A Class
// never changes after its creation and may be used by any number of goroutines.
type Class struct {
	module, name string
	bases        []*Class

	// setup does what the Python constructor does beyond keeping its arguments,
	// text is the class's __str__. Both are inherited; nil means inherited.
	setup func(e *Error)
	text  func(e *Error, r reprer) (text string, ok bool)
}

type className struct{ module, name string }

// registry holds the classes that a received name is looked up in. It only
// grows by NewClass; names that peers invent never get in, so that they
// cannot fill our memory.
var registry = struct {
	sync.RWMutex
	classes map[className]*Class
}{classes: make(map[className]*Class)}

// NewClass creates and registers an exception class under its qualified Python
// name, "package.module.Class": the last dot separates module and name, and a name
// without a dot belongs to "__main__". Without bases it derives from
// [Exception].
//
// Registration is what makes a received exception of that name an instance of
// this class, with these bases; a name that nobody registered becomes a class
// derived from [GenericException]. Call NewClass from package level
// variables. Calling it again with the same name and bases returns the first class.
//
// NewClass panics if the class name is empty, if a base is nil, or if the name is
// registered with other bases: all of these are mistakes in the program.
//
// A Python peer raises the real class only if its configuration allows to
// instantiate custom exceptions and it has the module loaded; otherwise it
// raises a generic stand-in with the same name.
func NewClass(qualified string, bases ...*Class) *Class {
	module, name := "__main__", qualified
	if i := strings.LastIndexByte(qualified, '.'); i >= 0 {
		module, name = qualified[:i], qualified[i+1:]
	}
	if name == "" {
		panic(fmt.Sprintf("vinegar: %q has no class name", qualified))
	}
	if len(bases) == 0 {
		bases = []*Class{Exception}
	}
	for _, b := range bases {
		if b == nil {
			panic(fmt.Sprintf("vinegar: class %s has a nil base", qualified))
		}
	}
	return register(module, name, bases)
}

func register(module, name string, bases []*Class) *Class {
	registry.Lock()
	defer registry.Unlock()
	key := className{module, name}
	if old := registry.classes[key]; old != nil {
		if !sameClasses(old.bases, bases) {
			panic(fmt.Sprintf("vinegar: class %v is registered with other bases", old))
		}
		return old
	}
	c := &Class{module: module, name: name, bases: append([]*Class(nil), bases...)}
	registry.classes[key] = c
	return c
}

func sameClasses(a, b []*Class) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].same(b[i]) {
			return false
		}
	}
	return true
}

// Lookup returns the registered class of that module and name: the builtin
// exceptions of CPython 3.8 to 3.13, some of its standard library, RPyC's own
// and those of [NewClass]. The old names IOError and EnvironmentError give
// [OSError].
func Lookup(module, name string) (*Class, bool) {
	registry.RLock()
	defer registry.RUnlock()
	c, ok := registry.classes[className{module, name}]
	return c, ok
}

const genericPrefix = "rpyc.core.vinegar/"

// received returns the class that a name in a payload means.
//
// RPyC gives an exception it cannot instantiate the module
// "rpyc.core.vinegar/MODULE" and the name "MODULE.CLASS", and sends it on under
// these; every further hop prepends once more. We take the additions off again, so
// that the class is recognised whatever way it came, and does not grow when
// it is sent on from here.
//
// Python 2 peers call the module of the builtin exceptions "exceptions".
func received(module, name string) *Class {
	for {
		rest, ok := strings.CutPrefix(module, genericPrefix)
		if !ok {
			break
		}
		bare, ok := strings.CutPrefix(name, rest+".")
		if !ok {
			break
		}
		module, name = rest, bare
	}
	if c, ok := Lookup(module, name); ok {
		return c
	}
	if module == "exceptions" {
		if c, ok := Lookup("builtins", name); ok {
			return c
		}
	}
	return &Class{module: module, name: name, bases: []*Class{GenericException}}
}

// Module returns the name of the module that defines the class.
func (c *Class) Module() string { return c.module }

// Name returns the name of the class without its module, Python's __name__.
func (c *Class) Name() string { return c.name }

// Bases returns the classes that this one derives from directly. The caller owns
// the slice.
func (c *Class) Bases() []*Class { return append([]*Class(nil), c.bases...) }

// String returns the name as a Python traceback shows it: "ValueError" for
// classes of the modules builtins and __main__, "module.Class" for all others.
func (c *Class) String() string {
	switch c.module {
	case "builtins", "__main__", "":
		return c.name
	}
	return c.module + "." + c.name
}

// Error makes the class itself an error. It returns [Class.String].
func (c *Class) Error() string { return c.String() }

// Is reports whether target is this class or one it derives from. errors.Is
// calls it.
func (c *Class) Is(target error) bool {
	t, ok := target.(*Class)
	return ok && c.IsSubclass(t)
}

func (c *Class) same(d *Class) bool {
	return c == d || c != nil && d != nil && c.module == d.module && c.name == d.name
}

// IsSubclass reports whether c is the class of or derives from it, as Python's
// issubclass does.
func (c *Class) IsSubclass(of *Class) bool {
	if c == nil || of == nil {
		return false
	}
	if c.same(of) {
		return true
	}
	for _, b := range c.bases {
		if b.IsSubclass(of) {
			return true
		}
	}
	return false
}

func (c *Class) isAny(of []*Class) bool {
	for _, o := range of {
		if c.IsSubclass(o) {
			return true
		}
	}
	return false
}

// findSetup and findText look a behaviour up as Python looks a method up: on
// the class, then on its bases.
func (c *Class) findSetup() func(*Error) {
	if c.setup != nil {
		return c.setup
	}
	for _, b := range c.bases {
		if f := b.findSetup(); f != nil {
			return f
		}
	}
	return nil
}

func (c *Class) findText() func(*Error, reprer) (string, bool) {
	if c.text != nil {
		return c.text
	}
	for _, b := range c.bases {
		if f := b.findText(); f != nil {
			return f
		}
	}
	return nil
}

// New returns an exception of this class with these arguments, as calling the
// class in Python does. The attributes that CPython's constructor derives from
// the arguments are set too: OSError(2, "No such file", "/x") has errno,
// strerror and filename, keeps two arguments and becomes a FileNotFoundError;
// the Unicode errors have encoding, object, start, end and reason;
// JSONDecodeError(msg, doc, pos) computes line and column. Arguments that the
// Python constructor would refuse are simply kept.
//
// The arguments may be of any type. Those that brine cannot carry reach the peer
// as their repr.
func (c *Class) New(args ...any) *Error {
	e := &Error{Class: c, Args: args}
	if setup := c.findSetup(); setup != nil {
		setup(e)
	}
	return e
}

// Errorf returns an exception of this class with one argument, the formatted
// text. What %w verbs wrap becomes its cause, which errors.Is and errors.As find
// and the traceback text shows.
func (c *Class) Errorf(format string, a ...any) *Error {
	wrapped := fmt.Errorf(format, a...)
	e := c.New(wrapped.Error())
	e.cause = causeOf(wrapped)
	return e
}
