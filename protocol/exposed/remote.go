package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// An object of another peer that is exposed in its turn (RPyC over RPyC) answers by asking that peer. The policy of
// the connection that asks is applied here all the same: the other peer may trust us with more than we grant.

// remoteHas tests whether the object has an attribute, as hasattr on a proxy does. A failure of the connection is put
// into *err and counts as no.
func remoteHas(ctx context.Context, o *netref.Object, err *error) func(string) bool {
	return func(name string) bool {
		if *err != nil {
			return false
		}
		v, e := o.Get(ctx, name)
		if e != nil && !isAttributeError(e) {
			*err = e
		}
		release(v)
		return e == nil
	}
}

// release gives back what was only asked for to see whether it is there.
func release(v any) {
	if o, ok := v.(*netref.Object); ok {
		o.Release()
	}
}

func remoteGetAttr(ctx context.Context, p *Policy, o *netref.Object, name string) (any, error) {
	if !p.permits(UseGet) {
		return nil, cannotAccess(name)
	}
	prefixed := p == nil || !p.DenyExposed
	if p.plain(name) {
		v, err := o.Get(ctx, name)
		if isAttributeError(err) && prefixed {
			if w, err := o.Get(ctx, p.prefix()+name); err == nil {
				return w, nil
			}
		}
		return v, err
	}
	if !prefixed {
		return nil, cannotAccess(name)
	}
	v, err := o.Get(ctx, p.prefix()+name)
	if isAttributeError(err) {
		return nil, cannotAccess(name)
	}
	return v, err
}

// remoteName decides under which name the other peer is asked to call an attribute; it applies its own rules to that.
func remoteName(p *Policy, name string) (string, error) {
	switch {
	case !p.permits(UseGet):
		return "", cannotAccess(name)
	case p.plain(name):
		return name, nil
	case p == nil || !p.DenyExposed:
		return p.prefix() + name, nil
	}
	return "", cannotAccess(name)
}

// requestArgs gives a call's arguments in the form in which a request carries them.
func requestArgs(args *Args) (pos, kw brine.Tuple, err error) {
	p, k, err := args.Both()
	if err != nil {
		return nil, nil, err
	}
	kw = make(brine.Tuple, len(k))
	for i := range k {
		kw[i] = brine.Tuple{k[i].Name, k[i].Value}
	}
	return brine.Tuple(p), kw, nil
}

func remoteCall(ctx context.Context, o *netref.Object, args *Args) (any, error) {
	pos, kw, err := requestArgs(args)
	if err != nil {
		return nil, err
	}
	return o.Request(ctx, wire.HandleCall, pos, kw)
}

func remoteCallAttr(ctx context.Context, p *Policy, o *netref.Object, name string, args *Args) (any, error) {
	real, err := remoteName(p, name)
	if err != nil {
		return nil, err
	}
	pos, kw, err := requestArgs(args)
	if err != nil {
		return nil, err
	}
	v, err := o.Request(ctx, wire.HandleCallAttr, real, pos, kw)
	if real != name && isAttributeError(err) {
		var failed error
		if !remoteHas(ctx, o, &failed)(real) && failed == nil {
			err = cannotAccess(name) // the exception speaks of a name that nobody asked for
		}
	}
	return v, err
}
