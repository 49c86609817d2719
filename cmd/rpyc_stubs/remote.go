package main

import (
	"context"
	"errors"
	"fmt"
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
	skipped    []string // names that cannot be Go's, quoted
	classes    classes  // that a source file defines
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
}

// explore reads what o has. Nothing of it is called, and no attribute is read that is no method.
func (e *explorer) explore(ctx context.Context, o *netref.Object) (*remote, error) {
	names, err := o.Dir(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the names: %w", err)
	}
	docs, err := inspect.Methods(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("asking for the methods: %w", err)
	}
	r := &remote{class: o.ClassName()}
	if r.doc, err = o.Doc(ctx); err != nil && !inspect.Refused(err) {
		return nil, err
	}
	r.doc = inspect.Bounded(r.doc, maxDoc)
	for _, name := range e.select_(names) {
		bare := strings.TrimPrefix(name, e.prefix)
		if !inspect.IsName(bare) {
			r.skipped = append(r.skipped, fmt.Sprintf("%.100q", bare))
			continue
		}
		if len(r.members) == maxMembers {
			return nil, fmt.Errorf("the service has more than %d members", maxMembers)
		}
		m := member{name: bare}
		doc, callable := docs[name]
		if m.data = !callable; callable {
			m.doc = inspect.Bounded(doc, maxDoc)
			if err := e.signature(ctx, o, &m); err != nil {
				return nil, fmt.Errorf("asking about %s: %w", bare, err)
			}
		}
		r.members = append(r.members, m)
	}
	return r, nil
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
	case errors.Is(err, vinegar.AttributeError) && strings.Contains(err.Error(), "cannot access"):
		e.denied = true // whatever method is asked
	case err != nil:
		return inspect.UnlessRefused(err)
	}
	return nil
}
