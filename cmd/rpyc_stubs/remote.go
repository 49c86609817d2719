package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// What a peer can make us write.
const (
	maxMembers    = 2000
	maxParams     = 100
	maxDoc        = 16 << 10 // bytes of one documentation string
	maxAnnotation = 500      // bytes
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
	sig       *signature // nil if the service does not tell
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
	docs, err := inspect(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("asking for the methods: %w", err)
	}
	r := &remote{class: o.ClassName()}
	if r.doc, err = o.Doc(ctx); err != nil && !isRefusal(err) {
		return nil, err
	}
	r.doc = bounded(r.doc, maxDoc)
	for _, name := range e.select_(names) {
		bare := strings.TrimPrefix(name, e.prefix)
		if !isName(bare) {
			r.skipped = append(r.skipped, fmt.Sprintf("%.100q", bare))
			continue
		}
		if len(r.members) == maxMembers {
			return nil, fmt.Errorf("the service has more than %d members", maxMembers)
		}
		m := member{name: bare}
		doc, callable := docs[name]
		if m.data = !callable; callable {
			m.doc = bounded(doc, maxDoc)
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

// inspect asks for the methods and their documentation, by name.
func inspect(ctx context.Context, o *netref.Object) (map[string]string, error) {
	ref, ok := o.Ref()
	if !ok {
		return nil, errors.New("the root is not resolved")
	}
	var v any
	if err := o.Peer().Request(ctx, &v, wire.HandleInspect, ref.Tuple()); err != nil {
		return nil, err
	}
	pairs, ok := v.(brine.Tuple)
	if !ok {
		return nil, fmt.Errorf("INSPECT returned a %s", exposed.TypeName(v))
	}
	docs := map[string]string{}
	for _, p := range pairs {
		pair, ok := p.(brine.Tuple)
		if !ok || len(pair) != 2 {
			continue
		}
		if name, ok := pair[0].(string); ok {
			docs[name], _ = pair[1].(string)
		}
	}
	return docs, nil
}

// isRefusal reports whether the peer answered with an exception: the question was not to its liking, but the
// connection is well.
func isRefusal(err error) bool {
	var e *vinegar.Error
	return errors.As(err, &e)
}

// signature finds the parameters of a method by what the service opens: what inspect.signature reads in Python, or a
// first line of the documentation that is a signature, as builtins have it.
func (e *explorer) signature(ctx context.Context, o *netref.Object, m *member) error {
	if first, _, _ := strings.Cut(m.doc, "\n"); strings.HasPrefix(first, m.name+"(") {
		if sig, err := parseSignature(strings.TrimPrefix(first, m.name)); err == nil {
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
		return notRefusal(err)
	}
	f, ok := v.(*netref.Object)
	if !ok {
		return nil
	}
	sig, class, err := readSignature(ctx, f)
	m.class = class
	switch {
	case err == nil && sig != nil:
		m.sig = sig
	case errors.Is(err, vinegar.AttributeError) && strings.Contains(err.Error(), "cannot access"):
		e.denied = true // whatever method is asked
	case err != nil:
		return notRefusal(err)
	}
	return nil
}

func notRefusal(err error) error {
	if isRefusal(err) {
		return nil
	}
	return err
}

// readSignature reads what inspect.signature does. A nil signature without an error means that there is none.
func readSignature(ctx context.Context, f *netref.Object) (sig *signature, class bool, err error) {
	if f.IsClass() {
		init, err := netref.Get[*netref.Object](ctx, f, "__init__")
		if err != nil {
			return nil, true, notRefusal(err)
		}
		sig, _, err = readSignature(ctx, init)
		if sig != nil && len(sig.params) > 0 && sig.params[0].name == "self" {
			sig.params = sig.params[1:]
		}
		if sig != nil {
			sig.result = ""
		}
		return sig, true, notRefusal(err)
	}
	self, err := f.Get(ctx, "__self__")
	bound := err == nil && self != nil
	for range 10 {
		inner, err := f.Get(ctx, "__wrapped__")
		if errors.Is(err, vinegar.AttributeError) && !strings.Contains(err.Error(), "cannot access") {
			break
		}
		if err != nil {
			return nil, false, err
		}
		w, ok := inner.(*netref.Object)
		if !ok {
			break
		}
		f = w
	}
	code, err := f.Get(ctx, "__code__")
	if c, ok := code.(*netref.Object); ok && err == nil {
		sig, err := readCode(ctx, f, c)
		if sig != nil && bound && len(sig.params) > 0 && sig.params[0].kind <= normal {
			sig.params = sig.params[1:]
		}
		return sig, false, err
	}
	text, err := f.Get(ctx, "__text_signature__")
	if s, ok := text.(string); ok && err == nil && len(s) < 16<<10 {
		sig, err := parseSignature(s)
		if err != nil {
			return nil, false, nil //nolint:nilerr // a text that is no signature says nothing
		}
		return sig, false, nil
	}
	return nil, false, notRefusal(err)
}

// Flags of code objects.
const (
	coVarArgs     = 0x04
	coVarKeywords = 0x08
)

// readCode makes a signature of a Python function's code object.
func readCode(ctx context.Context, f, code *netref.Object) (*signature, error) {
	var numbers [4]int
	for i, name := range []string{"co_argcount", "co_kwonlyargcount", "co_flags", "co_posonlyargcount"} {
		n, err := netref.Get[int](ctx, code, name)
		if err != nil && i < 3 {
			return nil, err
		}
		numbers[i] = n
	}
	positional, kwonly, flags, posonly := numbers[0], numbers[1], numbers[2], numbers[3]
	names, err := netref.Get[[]string](ctx, code, "co_varnames")
	if err != nil {
		return nil, err
	}
	all := positional + kwonly
	total := all
	if flags&coVarArgs != 0 {
		total++
	}
	if flags&coVarKeywords != 0 {
		total++
	}
	if positional < 0 || kwonly < 0 || all > maxParams || total > len(names) || posonly > positional {
		return nil, nil // no code that Python would make
	}
	sig := &signature{}
	for i, name := range names[:positional] {
		p := pyParam{name: name, kind: normal}
		if i < posonly {
			p.kind = positionalOnly
		}
		sig.params = append(sig.params, p)
	}
	if flags&coVarArgs != 0 {
		sig.params = append(sig.params, pyParam{name: names[all], kind: varPositional})
	}
	for _, name := range names[positional:all] {
		sig.params = append(sig.params, pyParam{name: name, kind: keywordOnly})
	}
	if flags&coVarKeywords != 0 {
		sig.params = append(sig.params, pyParam{name: names[total-1], kind: varKeyword})
	}
	if err := sig.readDefaults(ctx, f, positional); err != nil {
		return nil, err
	}
	if err := sig.readAnnotations(ctx, f); err != nil {
		return nil, err
	}
	return sig, sig.valid()
}

func (s *signature) readDefaults(ctx context.Context, f *netref.Object, positional int) error {
	v, err := f.Get(ctx, "__defaults__")
	if err != nil {
		return notRefusal(err)
	}
	if t, ok := v.(brine.Tuple); ok && len(t) <= positional {
		for i, d := range t {
			s.params[positional-len(t)+i].setDefault(ctx, d)
		}
	} else if o, ok := v.(*netref.Object); ok {
		n, err := o.Len(ctx)
		if err != nil || n < 0 || n > positional {
			return notRefusal(err)
		}
		for i := positional - n; i < positional; i++ {
			s.params[i].def = "..."
		}
	}
	kw, err := f.Get(ctx, "__kwdefaults__")
	o, ok := kw.(*netref.Object)
	if err != nil || !ok {
		return notRefusal(err)
	}
	for i := range s.params {
		if p := &s.params[i]; p.kind == keywordOnly {
			d, err := o.Item(ctx, p.name)
			if err == nil {
				p.setDefault(ctx, d)
			} else if !errors.Is(err, vinegar.KeyError) {
				return notRefusal(err)
			}
		}
	}
	return nil
}

// setDefault notes a default as Python writes it, for the documentation alone.
func (p *pyParam) setDefault(ctx context.Context, v any) {
	p.def = "..."
	if _, isRef := v.(*netref.Object); isRef {
		return
	}
	if s, err := exposed.Repr(ctx, v); err == nil && len(s) <= 100 {
		p.def = s
	}
}

// readAnnotations asks for the annotation of each parameter that has one, and of the result.
func (s *signature) readAnnotations(ctx context.Context, f *netref.Object) error {
	v, err := f.Get(ctx, "__annotations__")
	o, ok := v.(*netref.Object)
	if err != nil || !ok {
		return notRefusal(err)
	}
	for i := range s.params {
		if err := annotation(ctx, o, s.params[i].name, &s.params[i].typ); err != nil {
			return err
		}
	}
	return annotation(ctx, o, "return", &s.result)
}

func annotation(ctx context.Context, all *netref.Object, name string, dst *string) error {
	v, err := all.Item(ctx, name)
	if err != nil {
		return notRefusal(err) // a KeyError: there is none
	}
	switch v := v.(type) {
	case nil:
		*dst = "None"
	case string:
		*dst = bounded(v, maxAnnotation)
	case *netref.Object:
		text, err := v.Str(ctx)
		if err != nil {
			return notRefusal(err)
		}
		*dst = bounded(text, maxAnnotation)
	}
	return nil
}

// bounded cuts a text of the peer's that is too long.
func bounded(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + " […]"
}
