package exposed

import (
	"cmp"
	"context"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// probe reads a property an additional time, as RPyC does to see whether there is an attribute that was asked for under
// another name than its own. It does so for Probed properties only. An AttributeError of that read is no failure.
func (a *attr) probe(ctx context.Context, p *Policy, self any, asked string) error {
	if a == nil || a.kind != propertyAttr || !a.prop.probed || asked == a.name || p != nil && p.DenyExposed {
		return nil
	}
	if _, err := a.prop.get(ctx, self); !isAttributeError(err) {
		return err
	}
	return nil
}

// get reads the attribute of an object.
func (a *attr) get(ctx context.Context, self any) (any, error) {
	switch a.kind {
	case methodAttr:
		return &boundMethod{self: a.receiver(self), attr: a}, nil
	case propertyAttr:
		return a.prop.get(ctx, self)
	}
	return a.value, nil
}

// receiver returns what a method read from self is called with: self, or its class if it is a class method.
func (a *attr) receiver(self any) any {
	if !a.classMethod {
		return self
	}
	if c, ok := self.(*Class); ok {
		return c
	}
	return ClassOf(self)
}

// invoke reads the attribute of self and calls what it is; no object is made for a method on the way.
func (a *attr) invoke(ctx context.Context, self any, args *Args) (any, error) {
	if a.kind == methodAttr {
		return a.impl.Call(ctx, a.receiver(self), args)
	}
	f, err := a.get(ctx, self)
	if err != nil {
		return nil, err
	}
	return call(ctx, norm(f), args)
}

// The optional interfaces by which an object takes care of its attributes itself, past the policy of the connection.
// They are what _rpyc_getattr, _rpyc_setattr and _rpyc_delattr are to RPyC: names arrive as the peer sent them,
// without a prefix added, and nothing but the object itself protects it.
type (
	// AttrGetter answers every read of an attribute, method calls included.
	AttrGetter interface {
		PyGetAttr(ctx context.Context, name string) (any, error)
	}
	// AttrSetter answers every assignment to an attribute.
	AttrSetter interface {
		PySetAttr(ctx context.Context, name string, value any) error
	}
	// AttrDeleter answers every deletion of an attribute.
	AttrDeleter interface {
		PyDelAttr(ctx context.Context, name string) error
	}
)

// admit brings an object and the name of an attribute, as a peer gives them, into their normal forms, and asks p.Guard.
func (p *Policy) admit(ctx context.Context, use Use, v, name any) (any, string, error) {
	n, err := attrName(name)
	if err != nil {
		return nil, "", err
	}
	v = norm(v)
	return v, n, p.guard(ctx, use, v, n)
}

// GetAttr reads the attribute of v that a peer asks for under the policy p; nil means RPyC's defaults. name is a
// string or UTF-8 in a []byte. A method is read as a new object each time.
func GetAttr(ctx context.Context, p *Policy, v, name any) (r any, err error) {
	defer protect(&err)
	v, n, err := p.admit(ctx, UseGet, v, name)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case *netref.Object:
		return remoteGetAttr(ctx, p, x, n)
	case AttrGetter:
		return x.PyGetAttr(ctx, n)
	case *Class:
		a, err := x.lookup(p, n)
		if err != nil {
			return nil, err
		}
		return a.getFromClass(ctx, x)
	}
	c := ClassOf(v)
	if p.isDefault() {
		if a := c.open[n]; a != nil {
			if d := attrsOf(v); d == nil || a.kind == propertyAttr {
				if err := a.probe(ctx, p, v, n); err != nil {
					return nil, err
				}
				return a.get(ctx, v)
			}
		}
	}
	a, value, err := lookup(p, v, c, n)
	if a == nil {
		return value, err
	}
	if err := a.probe(ctx, p, v, n); err != nil {
		return nil, err
	}
	return a.get(ctx, v)
}

// lookup finds an attribute under any policy: the class's entry, or the value from the object's own dictionary.
func lookup(p *Policy, v any, c *Class, asked string) (*attr, any, error) {
	name, err := p.nameFor(UseGet, asked, func(n string) bool { return has(p, v, c, n) })
	if err != nil {
		return nil, nil, suggesting(err, p, v, c, asked)
	}
	a, value, ok := find(p, v, c, name)
	if !ok {
		return nil, nil, suggesting(noAttributeOf(v, c, name), p, v, c, asked)
	}
	return a, value, nil
}

func has(p *Policy, v any, c *Class, name string) bool {
	if c.find(name, p.prefix(), false) != nil {
		return true
	}
	_, ok := ownAttr(v, name)
	return ok
}

// ownAttr looks a name up in the object's own dictionary.
func ownAttr(v any, name string) (any, bool) {
	if e, ok := v.(*vinegar.Error); ok {
		return e.Attr(name)
	}
	return attrsOf(v).Get(name)
}

// find follows Python's order: what the class computes, the object's own dictionary, the rest of the class.
func find(p *Policy, v any, c *Class, name string) (*attr, any, bool) {
	a := c.find(name, p.prefix(), true)
	if a != nil && a.kind == propertyAttr {
		return a, nil, true
	}
	if value, ok := ownAttr(v, name); ok {
		return nil, value, true
	}
	return a, nil, a != nil
}

// lookup finds an attribute of a class object: one of the class, or one that all classes have.
func (c *Class) lookup(p *Policy, name string) (*attr, error) {
	meta := c.meta()
	get := func(n string, lenient bool) *attr {
		if a := typeClass.own[n]; a != nil && a.kind == propertyAttr {
			return a // __name__, __doc__ and so on are the class's, not its objects'
		}
		if a := c.find(n, p.prefix(), lenient); a != nil && !a.field {
			return a
		}
		return meta.find(n, p.prefix(), lenient)
	}
	n, err := p.nameFor(UseGet, name, func(n string) bool { return get(n, false) != nil })
	if err != nil {
		return nil, err
	}
	if a := get(n, true); a != nil {
		return a, nil
	}
	return nil, vinegar.AttributeError.Errorf("type object '%s' has no attribute '%s'", c.name, n)
}

// getFromClass reads an attribute of the class c itself.
func (a *attr) getFromClass(ctx context.Context, c *Class) (any, error) {
	switch {
	case c.meta().flat[a.name] == a:
		return a.get(ctx, c)
	case a.classMethod:
		return a.get(ctx, c)
	case a.kind == methodAttr:
		return &Function{attr: a, owner: c}, nil
	case a.kind == propertyAttr:
		return nil, vinegar.AttributeError.Errorf("type object '%s' has no attribute '%s'", c.name, a.name)
	}
	return a.value, nil
}

// SetAttr assigns to an attribute of v under the policy.
func SetAttr(ctx context.Context, p *Policy, v, name, value any) error {
	return edit(ctx, p, UseSet, v, name, value)
}

// DelAttr deletes an attribute of v under the policy.
func DelAttr(ctx context.Context, p *Policy, v, name any) error {
	return edit(ctx, p, UseDelete, v, name, nil)
}

// edit is SetAttr or DelAttr.
func edit(ctx context.Context, p *Policy, use Use, v, name, value any) (err error) {
	defer protect(&err)
	v, n, err := p.admit(ctx, use, v, name)
	if err != nil {
		return err
	}
	deletes, verb, role := use == UseDelete, "set", "setter"
	if deletes {
		verb, role = "delete", "deleter"
	}
	setter, sets := v.(AttrSetter)
	deleter, dels := v.(AttrDeleter)
	o, foreign := v.(*netref.Object)
	switch {
	case foreign:
		var failed error
		n, err := p.nameFor(use, n, remoteHas(ctx, o, &failed))
		if err = cmp.Or(failed, err); err != nil {
			return err
		}
		if deletes {
			return o.Del(ctx, n)
		}
		return o.Set(ctx, n, value)
	case deletes && dels:
		return deleter.PyDelAttr(ctx, n)
	case !deletes && sets:
		return setter.PySetAttr(ctx, n, value)
	}
	if class, ok := v.(*Class); ok {
		if n, err = p.nameFor(use, n, func(n string) bool { return class.find(n, p.prefix(), false) != nil }); err != nil {
			return err
		}
		return vinegar.TypeError.Errorf("cannot %s %s attribute of immutable type '%s'", verb, vinegar.Repr(n), class.name)
	}
	c := ClassOf(v)
	a, n, err := p.target(ctx, use, v, c, n)
	if err != nil {
		return err
	}
	d := attrsOf(v)
	property := a != nil && a.kind == propertyAttr
	switch {
	case property && deletes && a.prop.del != nil:
		return a.prop.del(ctx, v)
	case property && !deletes && a.prop.set != nil:
		return a.prop.set(ctx, v, value)
	case property:
		return vinegar.AttributeError.Errorf("property '%s' of '%s' object has no %s", a.name, c.name, role)
	case deletes && d.drop(ctx, n):
		return nil
	case !deletes && d != nil:
		return d.set(ctx, n, value)
	case a != nil && d == nil:
		return vinegar.AttributeError.Errorf("'%s' object attribute '%s' is read-only", c.name, n)
	}
	return noAttributeOf(v, c, n)
}

// target is the attribute of v, of class c, that is to be set or deleted as asked, nil if c has none, with its name.
func (p *Policy) target(ctx context.Context, use Use, v any, c *Class, asked string) (*attr, string, error) {
	name, err := p.nameFor(use, asked, func(n string) bool { return has(p, v, c, n) })
	a := c.find(name, p.prefix(), true)
	if c.service.Load() && (err != nil || a == nil || a.kind != propertyAttr || a.field) {
		// What RPyC's services answer to every attempt; but a property was declared to be set.
		return nil, "", vinegar.AttributeError.New("access denied")
	}
	if err != nil {
		return nil, "", err
	}
	return a, name, a.probe(ctx, p, v, asked)
}

// AttrMisser is implemented by objects that word the AttributeError for a name that they do not have themselves, as
// Python's modules do.
type AttrMisser interface{ PyNoAttr(name string) error }

func noAttributeOf(v any, c *Class, name string) error {
	if m, ok := v.(AttrMisser); ok {
		return m.PyNoAttr(name)
	}
	return noAttribute(c, name)
}

// attrName takes an attribute name as peers send it.
func attrName(name any) (string, error) {
	switch n := name.(type) {
	case string:
		return n, nil
	case []byte:
		if !utf8.Valid(n) {
			return "", notUTF8(n)
		}
		return string(n), nil
	}
	return "", vinegar.TypeError.New("name must be a string")
}
