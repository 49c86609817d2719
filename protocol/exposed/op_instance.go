package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// InstanceCheck is the operation INSTANCECHECK: whether other is an instance of the class v, as RPyC answers it. A peer
// asks only if the classes' ids differ, which leaves subclasses; and RPyC, which looks at the other object as a proxy
// of its peer would, knows no classes but the builtin ones by name. So an instance of a subclass counts if its class is
// a builtin one, exceptions included, and not otherwise: isinstance(o, remote_class) is False in Python for an o of a
// subclass. [IsInstance] tells the truth. If the class or the object is another peer's, InstanceCheck answers as that.
func InstanceCheck(ctx context.Context, v, other any) (bool, error) {
	v = norm(v)
	c, ok := v.(*Class)
	o, foreign := other.(*netref.Object)
	switch {
	case ok && !foreign:
		of := ClassOf(norm(other))
		return of.module == "builtins" && of.IsSubclass(c), nil
	case foreign && o.IsClass():
		return false, nil
	}
	if class, foreign := v.(*netref.Object); !ok && (!foreign || !class.IsClass()) {
		return false, nil
	}
	return IsInstance(ctx, other, v)
}

// IsInstance is Python's isinstance(v, class). class is a *[Class], a *vinegar.Class, a class of a peer's, or a
// brine.Tuple of such, one of which is enough; anything else is a TypeError.
//
// Values of ours are measured by a peer's class through its name, as RPyC's proxies do: a list of ours is an instance
// of the peer's builtins.list. Objects of a peer are asked about at the peer that has the class.
func IsInstance(ctx context.Context, v, class any) (ok bool, err error) {
	defer protect(&err)
	v = norm(v)
	switch c := norm(class).(type) {
	case *Class:
		if o, foreign := v.(*netref.Object); foreign {
			return named(c, o.ClassName()), nil
		}
		return ClassOf(v).IsSubclass(c), nil
	case brine.Tuple:
		ctx, err := Descend(ctx, " in __instancecheck__")
		if err != nil {
			return false, err
		}
		for _, one := range c {
			if ok, err := IsInstance(ctx, v, one); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	case *netref.Object:
		if c.IsClass() {
			return instanceOfRemote(ctx, v, c)
		}
	}
	return false, vinegar.TypeError.New("isinstance() arg 2 must be a type, a tuple of types, or a union")
}

// named reports whether c is the builtin class of that name. That is all that can be said about an object of a peer by
// a class of ours.
func named(c *Class, name string) bool { return c.module == "builtins" && c.Name() == name }

func instanceOfRemote(ctx context.Context, v any, class *netref.Object) (bool, error) {
	o, foreign := v.(*netref.Object)
	if !foreign {
		for _, c := range ClassOf(v).mro {
			if c.Name() == class.ClassName() {
				return true, nil
			}
		}
		return false, nil
	}
	ref, _ := o.Ref()
	of, _ := class.Ref()
	if o.Peer() == class.Peer() && ref.Class == of.Class {
		return !ref.IsClass(), nil
	}
	r, err := class.Request(ctx, wire.HandleInstanceCheck, ref.Tuple())
	if err != nil {
		return false, err
	}
	return Truth(ctx, r)
}
