package exposed

import (
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// AttrName says, for metrics and logs, what an operation on the attribute name of v is of: the full name of v's class,
// and the attribute's name, without the prefix under which it is exposed and in its first spelling, if the class has
// it. known reports whether both are names that this program gave; otherwise a peer may have made them up. It reads
// nothing, and says nothing of whether the policy p allows the access.
func AttrName(p *Policy, v any, name string) (class, attr string, known bool) {
	v = norm(v)
	c, known := ClassOf(v), true
	switch x := v.(type) {
	case *netref.Object:
		return x.ClassName(), name, false
	case *vinegar.Error:
		known = false // its class may be another peer's
	case *Class:
		c = x
	}
	if name == "" {
		return c.Name(), "", known
	}
	a := c.find(name, p.prefix(), true)
	if a == nil {
		a = c.open[name]
	}
	if a == nil && c != ClassOf(v) {
		a = ClassOf(v).find(name, p.prefix(), true)
	}
	if a == nil {
		return c.Name(), name, false
	}
	return c.Name(), strings.TrimPrefix(a.name, DefaultPrefix), known
}

// CalleeName is [AttrName] for a call of v itself: of a method that was read before, the class of its object and its
// own name.
func CalleeName(v any) (class, name string, known bool) {
	switch x := norm(v).(type) {
	case *boundMethod:
		class, _, known = AttrName(nil, x.self, "")
		return class, strings.TrimPrefix(x.attr.name, DefaultPrefix), known
	case *Function:
		name, _ = x.names()
		class = x.class().Name()
		if x.owner != nil {
			class = x.owner.Name()
		}
		return class, strings.TrimPrefix(name, DefaultPrefix), true
	case *netref.Object:
		return x.ClassName(), "", false
	}
	class, _, known = AttrName(nil, v, "")
	return class, "__call__", known
}
