package main

import (
	"context"
	"path"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// check decides whether a client may use an attribute. The service decides after it, by its own rules.
func (b *bridge) check(ctx context.Context, use exposed.Use, obj any, name string) error {
	if b.readOnly && use != exposed.UseGet {
		return b.refuse("rpyc_bridge: attributes are read-only: " + vinegar.Repr(name))
	}
	if len(b.allow) == 0 || b.allowed(name) {
		return nil
	}
	o, foreign := obj.(*netref.Object)
	if !foreign || !b.isService(ctx, o) {
		return nil
	}
	return b.refuse("cannot access " + vinegar.Repr(name))
}

// checkBack decides what a service may use of its client's: all that the client allows.
func (b *bridge) checkBack(context.Context, exposed.Use, any, string) error { return nil }

func (b *bridge) refuse(text string) error {
	b.refused.Add(1)
	return vinegar.AttributeError.New(text)
}

// allowed matches a name with the patterns, both without RPyC's prefix.
func (b *bridge) allowed(name string) bool {
	bare := strings.TrimPrefix(name, exposed.DefaultPrefix)
	for _, pattern := range b.allow {
		if ok, _ := path.Match(pattern, bare); ok {
			return true
		}
	}
	return false
}

// isService tells whether an object is the root object of the service that the asking client has got, also where
// the service has handed it out once more, as one that returns itself does.
func (b *bridge) isService(ctx context.Context, o *netref.Object) bool {
	r := b.relay(protocol.FromContext(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.up == nil || o.Peer() != r.up.Root().Peer() {
		return false
	}
	ref, _ := o.Ref()
	root, _ := r.up.Root().Ref()
	return ref == root
}
