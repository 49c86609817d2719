package exposed

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// DefaultPrefix is the prefix of the names of exposed attributes unless a [Policy] says otherwise.
const DefaultPrefix = "exposed_"

// Policy says which attributes the other end may reach: the part of RPyC's protocol configuration that
// rpyc.core.protocol.Connection._check_attr consults, as one value. The zero value and nil are RPyC's defaults; every
// field is named for what it changes. A Policy must not be changed while it is in use.
type Policy struct {
	// DenyGet, AllowSet and AllowDel are the switches of the three operations
	// (allow_getattr off, allow_setattr on, allow_delattr on).
	DenyGet, AllowSet, AllowDel bool
	// AllowAll opens every name there is (allow_all_attrs), AllowPublic every name that does not begin with an
	// underscore (allow_public_attrs).
	AllowAll, AllowPublic bool
	// DenySafe closes the special methods that are otherwise open to everyone (allow_safe_attrs off), DenyExposed the
	// exposed attributes (allow_exposed_attrs off, as in classic mode).
	DenySafe, DenyExposed bool
	// Prefix replaces DefaultPrefix (exposed_prefix). Go methods and fields answer to whatever prefix is set, and dir()
	// lists them with it; their __name__ and error messages have DefaultPrefix.
	Prefix string
	// NoPrefix makes the prefix empty, whatever Prefix is (exposed_prefix ""): names are what they are without one. As
	// every name begins with it, all names there are may be used, as with AllowAll, unless DenyExposed is set.
	NoPrefix bool
	// ExtraSafe is added to the names that DenySafe governs (safe_attrs); Safe, if not nil, stands in place of those of
	// RPyC, which [SafeNames] returns.
	ExtraSafe, Safe []string
	// Introspect lets a person at a Python prompt look around: it opens the names that help(), inspect.signature(),
	// IPython's ? and completion read, which tell names, parameters and where in the source a function is, and has dir()
	// list exposed names without the prefix as well. RPyC has no such switch; its safe_attrs would have to name them all.
	Introspect bool
	// Guard, if not nil, is asked before an attribute is read, called, set or deleted, on any object and under the name
	// that the peer has sent. An error refuses, and is what the peer gets. It runs beside others of other requests.
	Guard func(ctx context.Context, use Use, obj any, name string) error
}

// Use is what a peer does with an attribute.
type Use int

// The uses of an attribute. A method is read by most peers before it is called, so a call is Get too.
const (
	UseGet Use = iota
	UseSet
	UseDelete
)

// guard asks p.Guard.
func (p *Policy) guard(ctx context.Context, use Use, v any, name string) error {
	if p == nil || p.Guard == nil {
		return nil
	}
	return p.Guard(ctx, use, v, name)
}

// Unrestricted returns the policy of classic mode: every attribute there is may be read, set and deleted, and the
// prefix means nothing.
func Unrestricted() *Policy {
	return &Policy{AllowAll: true, AllowSet: true, AllowDel: true, DenyExposed: true}
}

// SafeNames returns the special methods that everyone may use by default (safe_attrs), sorted.
func SafeNames() []string { return slices.Sorted(maps.Keys(names.Safe)) }

// safe reports whether a name is among those of Safe, or of RPyC.
func (p *Policy) safe(name string) bool {
	if p.Safe != nil {
		return slices.Contains(p.Safe, name)
	}
	return names.Safe[name]
}

// nameFor decides under which name an attribute asked for as name is used, given a test of what the object has. It
// returns an AttributeError that does not tell a forbidden name from a missing one.
func (p *Policy) nameFor(use Use, name string, has func(string) bool) (string, error) {
	if !p.permits(use) {
		return "", cannotAccess(name)
	}
	plain := p.plain(name)
	if p == nil || !p.DenyExposed {
		exposed := p.prefix() + name
		if plain && has(name) {
			return name, nil
		}
		if has(exposed) {
			return exposed, nil
		}
	}
	if plain {
		return name, nil // the object's own error says more than a refusal
	}
	return "", cannotAccess(name)
}

// permits reports whether attributes may be used so at all.
func (p *Policy) permits(use Use) bool {
	switch use {
	case UseGet:
		return p == nil || !p.DenyGet
	case UseSet:
		return p != nil && p.AllowSet
	}
	return p != nil && p.AllowDel
}

// plain reports whether name may be used as it is.
func (p *Policy) plain(name string) bool {
	if p == nil {
		return strings.HasPrefix(name, DefaultPrefix) || names.Safe[name]
	}
	switch {
	case p.AllowAll:
		return true
	case !p.DenyExposed && strings.HasPrefix(name, p.prefix()):
		return true
	case p.Introspect && names.Introspected[name]:
		return true
	case !p.DenySafe && (p.safe(name) || slices.Contains(p.ExtraSafe, name)):
		return true
	}
	return p.AllowPublic && !strings.HasPrefix(name, "_")
}

func (p *Policy) prefix() string {
	switch {
	case p == nil:
		return DefaultPrefix
	case p.NoPrefix:
		return ""
	}
	return cmp.Or(p.Prefix, DefaultPrefix)
}

// isDefault reports whether p reads attributes as RPyC's defaults do, so that a class's prepared table can be used.
func (p *Policy) isDefault() bool {
	return p == nil || !p.DenyGet && !p.AllowAll && !p.AllowPublic && !p.DenySafe && !p.DenyExposed && !p.Introspect &&
		p.prefix() == DefaultPrefix && len(p.ExtraSafe) == 0 && p.Safe == nil
}

func cannotAccess(name string) error {
	return vinegar.AttributeError.New("cannot access " + vinegar.Repr(name))
}
