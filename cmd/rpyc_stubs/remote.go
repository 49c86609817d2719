package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// What a peer can make us write.
const (
	maxMembers = 2000
	maxDoc     = 16 << 10 // bytes of one documentation string
)

// remote is what a live object tells of itself.
type remote struct {
	class, doc string
	members    []member
	skipped    []string           // names that cannot be Go's, quoted
	classes    map[string]*remote // by the names in annotations; nil for what comes by value
}

// member is an attribute of the object.
type member struct {
	name, doc string
	data      bool   // not a method
	typ       string // the annotation of an attribute that is not
	class     bool
	sig       *inspect.Signature // nil if the service does not tell
}

// explorer asks a live object for its members.
type explorer struct {
	prefix string
	public bool
	denied bool // the service does not open what inspect.signature reads

	classes map[string]*remote // found in annotations
	found   []foundClass       // those of them that are still to be explored
}

type foundClass struct {
	*remote
	object *netref.Object
}

const maxClasses = 200

// explore reads what o has, and the classes that its annotations mention. Nothing of it is called, and no attribute of
// an object is read that is no method.
func (e *explorer) explore(ctx context.Context, o *netref.Object) (*remote, error) {
	e.classes = map[string]*remote{}
	r := &remote{class: o.ClassName()}
	if err := e.read(ctx, o, r); err != nil {
		return nil, err
	}
	for len(e.found) > 0 { // it grows meanwhile
		next := e.found[0]
		e.found = e.found[1:]
		if err := e.read(ctx, next.object, next.remote); inspect.UnlessRefused(err) != nil {
			return nil, err
		}
	}
	r.classes = e.classes
	return r, nil
}

// read completes r by what o has, an object or a class.
func (e *explorer) read(ctx context.Context, o *netref.Object, r *remote) error {
	names, err := o.Dir(ctx)
	if err != nil {
		return fmt.Errorf("asking for the names: %w", err)
	}
	docs, err := inspect.Methods(ctx, o)
	if err != nil {
		return fmt.Errorf("asking for the methods: %w", err)
	}
	if r.doc, err = o.Doc(ctx); err != nil && !inspect.Refused(err) {
		return err
	}
	r.doc = inspect.Bounded(r.doc, maxDoc)
	var fields inspect.Annotations
	if o.IsClass() {
		if fields, err = inspect.AnnotationsOf(ctx, o); err != nil {
			return err
		}
		for name := range fields.Types {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		e.found = e.mentioned(e.found, fields.Classes)
	}
	for _, name := range e.select_(names) {
		bare := strings.TrimPrefix(name, e.prefix)
		if !inspect.IsName(bare) {
			r.skipped = append(r.skipped, fmt.Sprintf("%.100q", bare))
			continue
		}
		if len(r.members) == maxMembers {
			return fmt.Errorf("the service has more than %d members", maxMembers)
		}
		m := member{name: bare, typ: fields.Types[name]}
		doc, callable := docs[name]
		if m.data = !callable; callable {
			m.doc = inspect.Bounded(doc, maxDoc)
			if err := e.signature(ctx, o, &m); err != nil {
				return fmt.Errorf("asking about %s: %w", bare, err)
			}
		} else if o.IsClass() && m.typ == "" {
			if err := e.property(ctx, o, &m); err != nil {
				return fmt.Errorf("asking about %s: %w", bare, err)
			}
		}
		r.members = append(r.members, m)
	}
	return nil
}

// property finds the type of a property of a class, whose func can be read without being called.
func (e *explorer) property(ctx context.Context, class *netref.Object, m *member) error {
	p, err := netref.Get[any](ctx, class, m.name)
	o, ok := p.(*netref.Object)
	if err != nil || !ok || o.ClassName() != "builtins.property" {
		return inspect.UnlessRefused(err)
	}
	get, err := netref.Get[*netref.Object](ctx, o, "fget")
	if err != nil || get == nil {
		return inspect.UnlessRefused(err)
	}
	sig, _, err := inspect.SignatureOf(ctx, get)
	if sig != nil {
		m.typ = sig.Result
		e.found = e.mentioned(e.found, sig.Classes)
	}
	return inspect.UnlessRefused(err)
}

// mentioned enters classes that annotations name.
func (e *explorer) mentioned(queue []foundClass, found map[string]*netref.Object) []foundClass {
	for _, name := range slices.Sorted(maps.Keys(found)) {
		o := found[name]
		module, _, _ := strings.Cut(o.ClassName(), ".")
		if e.classes[name] != nil || len(e.classes) >= maxClasses || module == "builtins" || module == "datetime" {
			continue
		}
		for _, other := range e.classes { // by another name
			if other.class == o.ClassName() {
				e.classes[name] = other
			}
		}
		if e.classes[name] == nil {
			e.classes[name] = &remote{class: o.ClassName()}
			queue = append(queue, foundClass{e.classes[name], o})
		}
	}
	return queue
}

// ofService are the names that rpyc.Service gives every service.
var ofService = map[string]bool{"get_service_name": true, "get_service_aliases": true}

// select_ returns the names of the members to write, sorted, each once.
func (e *explorer) select_(names []string) []string {
	sort.Strings(names)
	var chosen []string
	seen := map[string]bool{}
	for _, prefixed := range []bool{true, false} {
		for _, name := range names {
			bare, has := strings.CutPrefix(name, e.prefix)
			switch {
			case has != prefixed || seen[bare] || ofService[bare]:
			case has || e.public && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "on_"):
				seen[bare] = true
				chosen = append(chosen, name)
			}
		}
	}
	sort.Slice(chosen, func(i, j int) bool {
		return strings.TrimPrefix(chosen[i], e.prefix) < strings.TrimPrefix(chosen[j], e.prefix)
	})
	return chosen
}

// signature finds the parameters of a method by what the service opens: what inspect.signature reads in Python, or a
// first line of the documentation that is a signature, as builtins have it.
func (e *explorer) signature(ctx context.Context, o *netref.Object, m *member) error {
	if first, _, _ := strings.Cut(m.doc, "\n"); strings.HasPrefix(first, m.name+"(") {
		if sig, err := inspect.ParseSignature(strings.TrimPrefix(first, m.name)); err == nil {
			m.sig = sig
			m.doc = strings.TrimSpace(strings.TrimPrefix(m.doc, first))
			return nil // what the author says counts more than what the code shows
		}
	}
	if e.denied {
		return nil
	}
	v, err := o.Get(ctx, m.name)
	if err != nil {
		return inspect.UnlessRefused(err)
	}
	f, ok := v.(*netref.Object)
	if !ok {
		return nil
	}
	sig, class, err := inspect.SignatureOf(ctx, f)
	m.class = class
	switch {
	case err == nil && sig != nil:
		m.sig = sig
		e.found = e.mentioned(e.found, sig.Classes)
		if o.IsClass() && len(sig.Params) > 0 && sig.Params[0].Name == "self" {
			sig.Params = sig.Params[1:]
		}
	case errors.Is(err, vinegar.AttributeError) && strings.Contains(err.Error(), "cannot access"):
		e.denied = true // whatever method is asked
	case err != nil:
		return inspect.UnlessRefused(err)
	}
	return nil
}
