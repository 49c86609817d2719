package exposed

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Class describes how the values of a Go type appear to Python: a name, base classes and a table of attributes. A
// *Class is itself a value that can be exposed, as a Python class object; see [Register]. It never changes after its
// creation.
type Class struct {
	module, name string
	id           int64
	doc          docText
	bases        []*Class
	mro          []*Class // the class itself, then its bases in the order of lookup
	goType       reflect.Type
	construct    *binding.Plan
	factory      callable // makes instances of a builtin class
	exception    *vinegar.Class
	opts         *ClassOptions
	service      atomic.Bool

	own  map[string]*attr // by Python name: exposed_add, __len__, hidden
	flat map[string]*attr // own and inherited ones, other spellings of exposed names included
	open map[string]*attr // what a name means to a peer under RPyC's default policy

	inspect        sync.Once // for methods, the answer to INSPECT
	methods        []Method
	inspectService sync.Once // for serviceMethods, the answer for the root of a connection
	serviceMethods []Method

	embedded map[reflect.Type][]int // where in the struct the types are that methods of bases need
}

// docText is a documentation string that may be absent, which Python shows as None.
type docText struct {
	text string
	set  bool
}

func (d docText) value() any {
	if d.set {
		return d.text
	}
	return nil
}

var lastClassID atomic.Int64

// The builtin classes that the object model itself refers to. A class whose name begins with "builtins." is known to
// every peer, so that it need not be inspected; the names are those that CPython has.
var (
	objectClass  = builtin("builtins.object")
	typeClass    = builtin("builtins.type", objectClass)
	noneClass    = builtin("builtins.NoneType", objectClass)
	serviceClass = builtin("rpyc.core.service.Service") // what services have in addition to their own attributes
)

// builtinClasses holds all classes that this package implements.
var builtinClasses []*Class

// builtin makes a class that this package implements. Its attributes are entered by [define].
func builtin(qualified string, bases ...*Class) *Class {
	c := newClass(qualified, bases...)
	builtinClasses = append(builtinClasses, c)
	return c
}

// newClass makes a class without attributes. Its tables are made by seal.
func newClass(qualified string, bases ...*Class) *Class {
	module, name := "builtins", qualified
	if i := strings.LastIndexByte(qualified, '.'); i >= 0 {
		module, name = qualified[:i], qualified[i+1:]
	}
	return &Class{module: module, name: name, id: lastClassID.Add(1), bases: bases, own: map[string]*attr{}}
}

// Name returns the class's full name, "module.Class"; for Go types without a registered name, package and type.
func (c *Class) Name() string { return c.module + "." + c.name }

// ID returns the number that identifies the class in references. It is the same as long as the process runs, and no
// other class gets it.
func (c *Class) ID() int64 { return c.id }

// Doc returns the class's documentation string, empty if it has none.
func (c *Class) Doc() string { return c.doc.text }

// Bases returns the classes that this one derives from directly.
func (c *Class) Bases() []*Class { return slices.Clone(c.bases) }

// String is Python's repr of the class.
func (c *Class) String() string { return "<class '" + strings.TrimPrefix(c.Name(), "builtins.") + "'>" }

// IsSubclass reports whether c is the class of or derives from it.
func (c *Class) IsSubclass(of *Class) bool {
	return c != nil && of != nil && slices.Contains(c.mro, of)
}

func bareName(qualified string) string {
	return qualified[strings.LastIndexByte(qualified, '.')+1:]
}

// linearise orders a class and its bases for lookup: a base comes after all classes derived from it.
func (c *Class) linearise() {
	var all []*Class
	for _, b := range c.bases {
		all = append(all, b.mro...)
	}
	order := []*Class{c}
	for i, b := range all {
		if !slices.Contains(all[i+1:], b) {
			order = append(order, b)
		}
	}
	c.mro = order
}

// seal makes the tables once the class's own attributes are complete.
func (c *Class) seal() {
	c.linearise()
	c.flat, c.open = map[string]*attr{}, map[string]*attr{}
	for _, b := range slices.Backward(c.mro) {
		for name, a := range b.own {
			c.flat[name] = a
		}
	}
	for alias, a := range c.spellings() {
		if c.flat[alias] == nil {
			c.flat[alias] = a
		}
	}
	for name, a := range c.flat {
		if strings.HasPrefix(name, DefaultPrefix) || names.Safe[name] {
			c.open[name] = a
		}
	}
	for name, a := range c.flat { // aliases included: what is asked for without the prefix
		if bare, ok := strings.CutPrefix(name, DefaultPrefix); ok {
			c.open[name] = a
			if _, taken := c.open[bare]; !taken {
				c.open[bare] = a
			}
		}
	}
}

// spellings lists the other names of exposed attributes: AddUser is its Go name and addUser as well, in the manner of
// services whose names are not Python's, if nothing else would be called so.
func (c *Class) spellings() map[string]*attr {
	all := map[string]*attr{}
	for _, a := range c.flat {
		if a.goName != "" && a.exposed {
			all[DefaultPrefix+a.goName] = a
		}
	}
	camel := map[string]*attr{}
	for _, a := range c.flat {
		if a.goName == "" || !a.exposed {
			continue
		}
		alias := DefaultPrefix + names.LowerCamel(a.goName)
		if _, taken := camel[alias]; taken || all[alias] != nil {
			a = nil // ambiguous
		}
		camel[alias] = a
	}
	for alias, a := range camel {
		if a != nil {
			all[alias] = a
		}
	}
	return all
}

// find looks an attribute up by its real name, under any prefix for exposed ones. If lenient, an exposed attribute is
// found without the prefix too.
func (c *Class) find(name, prefix string, lenient bool) *attr {
	own := func(name string) *attr {
		if a := c.flat[name]; a != nil || !c.service.Load() {
			return a
		}
		return serviceClass.own[name]
	}
	if a := own(name); a != nil {
		return a
	}
	if bare, ok := strings.CutPrefix(name, prefix); ok && prefix != DefaultPrefix {
		if a := own(DefaultPrefix + bare); a != nil && a.exposed {
			return a
		}
	}
	if lenient {
		if a := c.flat[DefaultPrefix+name]; a != nil && a.exposed {
			return a
		}
	}
	return nil
}

// add enters an attribute into the class's own table, keeping an earlier one of the same name. If both come from Go
// names, the later one is left its Go name.
func (c *Class) add(a *attr) {
	if old := c.own[a.name]; old != nil && old.goName != "" && a.goName != "" && old.goName != a.goName {
		a.name = DefaultPrefix + a.goName
	}
	if c.own[a.name] == nil {
		c.own[a.name] = a
	}
}

// method enters a builtin method that takes between least and most arguments.
func (c *Class) method(name string, least, most int, f builtinFunc) {
	qual := c.name + "." + name
	c.implement(name, func(ctx context.Context, self any, a *Args) (any, error) {
		args, err := binding.BuiltinArgs(a, qual, name, least, most)
		if err != nil {
			return nil, err
		}
		return f(ctx, self, args)
	})
}

// implement enters a builtin method that looks at its arguments itself.
func (c *Class) implement(name string, f native) {
	c.add(&attr{name: name, qual: c.name + "." + name, kind: methodAttr, impl: f})
}

// builtinFunc is a builtin method that takes its positional arguments as a slice. Their number has been checked.
type builtinFunc = func(ctx context.Context, self any, args []any) (any, error)

// getter enters a builtin read-only attribute.
func (c *Class) getter(name string, get func(self any) (any, error)) {
	c.add(&attr{name: name, qual: c.name + "." + name, kind: propertyAttr, prop: &property{
		get: func(_ context.Context, self any) (any, error) { return get(self) },
	}})
}

type attrKind uint8

const (
	methodAttr   attrKind = iota // called with the object
	propertyAttr                 // computed at every read
	constAttr                    // the same for all objects of the class, and of the class itself
)

// attr is an entry in a class's table of attributes.
type attr struct {
	name    string // Python name: exposed_add_user, __len__
	goName  string // AddUser: another spelling of an exposed name
	exposed bool   // the name begins with the prefix, whatever that is on a connection
	qual    string // with the class's name
	kind    attrKind
	// classMethod makes a method one that is called with the class in place of the object.
	classMethod bool
	// field makes a property one of objects alone: their class does not have it, as with Python's instance attributes.
	field bool
	doc   docText
	impl  callable  // methodAttr
	prop  *property // propertyAttr
	value any       // constAttr
}

// listedAs is the name under which dir() lists the attribute, whose name in the class's table is given.
func (a *attr) listedAs(name string, p *Policy) string {
	if bare, ok := strings.CutPrefix(name, DefaultPrefix); ok && a.exposed {
		return p.prefix() + bare
	}
	return name
}

// callable is the implementation of a method or function.
type callable interface {
	Call(ctx context.Context, self any, args *Args) (any, error)
}

// native is a method that this package implements.
type native func(ctx context.Context, self any, args *Args) (any, error)

func (f native) Call(ctx context.Context, self any, args *Args) (any, error) {
	return f(ctx, self, args)
}

// property is what reads, writes and deletes an attribute. A nil func refuses.
type property struct {
	get func(ctx context.Context, self any) (any, error)
	set func(ctx context.Context, self, value any) error
	del func(ctx context.Context, self any) error
	// probed: see Property.Probed
	probed bool
}

// names collects what objects of the class have, or v in particular, or the class itself.
func (c *Class) names(p *Policy, v any, ofClass bool) map[string]bool {
	set := map[string]bool{}
	add := func(n string, a *attr) {
		n = a.listedAs(n, p)
		set[n] = true
		if p != nil && p.Introspect && a.exposed {
			set[strings.TrimPrefix(n, p.prefix())] = true
		}
	}
	for _, m := range c.mro {
		for n, a := range m.own {
			if !ofClass || !a.field {
				add(n, a)
			}
		}
	}
	if c.service.Load() {
		for n, a := range serviceClass.own {
			add(n, a)
		}
	}
	for _, n := range attrsOf(v).Names() {
		set[n] = true
	}
	return set
}

// Method is an entry of the answer to INSPECT.
type Method struct {
	Name, Doc string
	HasDoc    bool // false: the documentation is None
}
