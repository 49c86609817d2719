package access

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Enforcer enforces a policy on the connections of a server. It is safe for concurrent use, and can be shared by
// servers, whose peers then share their limits.
type Enforcer struct{ current atomic.Pointer[state] }

// state is what an Enforcer knows under one policy.
type state struct {
	rules   []*rule
	methods []method // for all peers together
	max     int

	mu       sync.Mutex
	known    map[*protocol.Identity]*subject // a cache of what follows
	subjects map[who]*subject
	looked   time.Time // when all of them were last looked at to make room
}

// who is a peer under a rule: the attributes of a name may bring it under another one, whose limits are others.
type who struct {
	rule       *rule
	kind, name string
}

// rule is a Rule with its patterns read.
type rule struct {
	*Rule
	allow, deny []pattern
	limited     bool // there is a limit
}

// method is a limit of methods.
type method struct {
	text string
	pattern
	*limiter
}

// subject is a peer, on however many connections.
type subject struct {
	rule       *rule // nil if there is none for it
	all, reads *limiter
	methods    []method
	connects   *limiter
}

// New makes an Enforcer of a policy, which must not be changed afterwards. It fails if the policy makes no sense.
func New(p *Policy) (*Enforcer, error) {
	e := new(Enforcer)
	return e, e.Replace(p)
}

// Replace puts another policy in the place of the one there is, for connections that are open, too. Limits begin anew;
// requests under way are not counted.
func (e *Enforcer) Replace(p *Policy) error {
	if err := p.check(); err != nil {
		return err
	}
	s := &state{methods: limits(p.Methods), max: p.MaxIdentities, subjects: map[who]*subject{}}
	if s.max <= 0 {
		s.max = defaultIdentities
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		s.rules = append(s.rules, &rule{Rule: r, allow: parsePatterns(r.Allow), deny: parsePatterns(r.Deny),
			limited: r.Limit != Limit{} || len(r.Methods) > 0 || r.Connects != Limit{}})
	}
	e.current.Store(s)
	return nil
}

// Config returns a copy of a configuration, nil being RPyC's defaults, with the policy in it: as Access.Guard, as
// Gate and among Hooks. What stands there before is asked afterwards, and what is put there later is asked alone.
func (e *Enforcer) Config(base *protocol.Config) *protocol.Config {
	var cfg protocol.Config
	if base != nil {
		cfg = *base
	}
	access, guard := cfg.Access, cfg.Access.Guard
	cfg.Access.Guard = func(ctx context.Context, use exposed.Use, obj any, name string) error {
		if err := e.check(ctx, &access, use, obj, name); err != nil || guard == nil {
			return err
		}
		return guard(ctx, use, obj, name)
	}
	cfg.Gate = &gate{e, cfg.Gate}
	// Before the others, which are told of no request of a connection that is closed at once.
	cfg.Hooks = protocol.JoinHooks(protocol.Hooks{Conn: []protocol.ConnHook{&connHook{e: e}}}, cfg.Hooks)
	return &cfg
}

// check is asked before an attribute is used.
func (e *Enforcer) check(ctx context.Context, access *exposed.Policy, use exposed.Use, obj any, name string) error {
	id := protocol.IdentityFromContext(ctx)
	t := target{}
	t.class, t.name, _ = exposed.AttrName(access, obj, name)
	t.name = strings.TrimPrefix(t.name, exposed.DefaultPrefix) // of an object of another peer's
	t.service = isService(protocol.FromContext(ctx), t.class)
	s, err := e.current.Load().subjectOf(id)
	if err != nil {
		return err
	}
	if s.rule == nil || !s.rule.permits(t) || s.rule.ReadOnly && (use != exposed.UseGet || t.changes()) {
		denied := &DeniedError{Identity: id, Class: t.class, Method: name}
		if t.service && use != exposed.UseGet {
			denied.text = "access denied" // as RPyC's services say
		}
		return denied
	}
	return nil
}

// isService reports whether objects of a class are the root object of a connection. If that is not known, each is.
func isService(c *protocol.Conn, class string) bool {
	if c == nil || c.Served() == nil {
		return true
	}
	own, _, _ := exposed.AttrName(nil, c.Served(), "")
	return own == class
}

// always are attributes that every object has, and which tell nothing that str() would not.
var always = map[string]bool{
	"__class__": true, "__dir__": true, "__doc__": true, "__eq__": true, "__hash__": true, "__ne__": true,
	"__repr__": true, "__str__": true,
}

// permits reports whether peers of the rule may use an attribute.
func (r *rule) permits(t target) bool {
	for _, p := range r.deny {
		if p.matches(t) {
			return false
		}
	}
	if len(r.allow) == 0 || always[t.name] {
		return true
	}
	limited := t.service
	for _, p := range r.allow {
		if p.matches(t) {
			return true
		}
		limited = limited || p.ofClass(t)
	}
	return !limited
}

// changing are the special methods, besides those in place such as __iadd__, and the methods of Python's containers
// that change an object.
var changing = map[string]bool{
	"__setitem__": true, "__delitem__": true, "__setslice__": true, "__delslice__": true, "__setattr__": true,
	"__delattr__": true, "append": true, "extend": true, "insert": true, "pop": true, "remove": true, "clear": true,
	"sort": true, "reverse": true, "update": true, "setdefault": true, "popitem": true, "add": true, "discard": true,
	"difference_update": true, "intersection_update": true, "symmetric_difference_update": true, "appendleft": true,
	"popleft": true, "extendleft": true, "rotate": true, "move_to_end": true, "subtract": true,
}

var inPlace = map[string]bool{
	"__iadd__": true, "__isub__": true, "__imul__": true, "__imatmul__": true, "__itruediv__": true,
	"__ifloordiv__": true, "__imod__": true, "__ipow__": true, "__ilshift__": true, "__irshift__": true,
	"__iand__": true, "__ixor__": true, "__ior__": true, "__idiv__": true, "__iconcat__": true,
}

// changes reports whether using an attribute changes its object.
func (t target) changes() bool {
	if inPlace[t.name] {
		return true
	}
	special := strings.HasPrefix(t.name, "__")
	return changing[t.name] && (special || strings.HasPrefix(t.class, "builtins.") ||
		strings.HasPrefix(t.class, "collections."))
}

// gate is the Enforcer as protocol.Gate.
type gate struct {
	e    *Enforcer
	next protocol.Gate // nil if there is none
}

// Enter implements protocol.Gate.
func (g *gate) Enter(ctx context.Context, r *protocol.RequestInfo) (leave func(), err error) {
	left, err := g.e.current.Load().enter(ctx, r)
	if err != nil || g.next == nil {
		return left, err
	}
	leave, err = g.next.Enter(ctx, r)
	switch {
	case left == nil:
		return leave, err
	case err != nil:
		left()
		return nil, err
	case leave == nil:
		return left, nil
	}
	return func() { leave(); left() }, nil
}

// enter is asked before a request is carried out.
func (s *state) enter(ctx context.Context, r *protocol.RequestInfo) (leave func(), err error) {
	id := protocol.IdentityFromContext(ctx)
	sub, err := s.subjectOf(id)
	if err != nil {
		return nil, err
	}
	denied := &DeniedError{Identity: id, Class: r.Class, Method: r.Method}
	if sub.rule == nil { // which has no limit either
		holdRefusal(ctx, refusalTime)
		return nil, denied
	}
	t := target{class: r.Class, name: r.Method}
	called := r.IsCall() ||
		r.Op == wire.HandleGetAttr && !r.Known // a method of an object of another peer's, which names none when it is called
	if called {
		t.service = isService(r.Conn, r.Class)
	}
	if sub.rule.limited || len(s.methods) > 0 {
		if leave, err = take(ctx, id, sub.limitsOf(r, called, t, s.methods), r.Nested); err != nil {
			return nil, err
		}
	}
	// What is denied counts, too, or a peer could ask for it without end.
	switch {
	case r.Op == wire.HandlePickle && sub.rule.DenyPickle:
		denied = &DeniedError{Identity: id, class: vinegar.ValueError, text: "pickling is disabled"}
	case r.Op == wire.HandleCall && r.Method != "" && (!sub.rule.permits(t) || sub.rule.ReadOnly && t.changes()):
		// It was read by somebody else, or before.
	default:
		return leave, nil
	}
	if leave != nil {
		leave()
	}
	return nil, denied
}

// limitsOf are the limits that a request has to keep. A call keeps those of its method, too.
func (sub *subject) limitsOf(r *protocol.RequestInfo, called bool, t target, shared []method) []method {
	var ls []method
	switch {
	case sub.all == nil:
	case r.Op == wire.HandleGetAttr:
		ls = append(ls, method{limiter: sub.reads})
	default:
		ls = append(ls, method{limiter: sub.all})
	}
	if called {
		for _, ms := range [][]method{sub.methods, shared} {
			for _, m := range ms {
				if m.matches(t) {
					ls = append(ls, m)
				}
			}
		}
	}
	return ls
}

// take enters limiters one after the other, the peer's own first, so that a peer which exceeds its own does not stand
// in the queue of one that others share.
func take(ctx context.Context, id *protocol.Identity, ls []method, nested bool) (leave func(), err error) {
	var taken []*limiter
	leave = func() {
		for _, l := range taken {
			l.leave()
		}
	}
	for _, m := range ls {
		x, err := m.enter(ctx, !nested)
		if x != nil {
			err = &LimitError{Identity: id, What: x.what, Method: m.text, RetryAfter: x.after}
		}
		if err != nil {
			leave()
			return nil, err
		}
		if !nested && m.limit.Concurrent > 0 {
			taken = append(taken, m.limiter)
		}
	}
	if taken == nil {
		return nil, nil
	}
	return leave, nil
}

// subjectOf finds or makes what is known of a peer.
func (s *state) subjectOf(id *protocol.Identity) (*subject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub := s.known[id]; sub != nil {
		return sub, nil
	}
	var r *rule
	for _, candidate := range s.rules {
		if candidate.isFor(id) {
			r = candidate
			break
		}
	}
	key := who{rule: r}
	if id != nil {
		key.kind, key.name = id.Kind, id.Name
	}
	sub := s.subjects[key]
	if sub == nil {
		sub = &subject{rule: r}
		if r != nil && r.limited {
			if err := s.room(id); err != nil {
				return nil, err
			}
			if r.Limit != (Limit{}) {
				sub.all, sub.reads = newLimiter(r.Limit), newLimiter(r.Limit)
			}
			if r.Connects != (Limit{}) {
				sub.connects = newLimiter(r.Connects)
			}
			sub.methods = limits(r.Methods)
			s.subjects[key] = sub
		}
	}
	if s.known == nil || len(s.known) >= 2*s.max {
		s.known = map[*protocol.Identity]*subject{}
	}
	s.known[id] = sub
	return sub, nil
}

// room forgets peers whose limits are not used up, if there is no room for another. The lock is held.
func (s *state) room(id *protocol.Identity) error {
	if len(s.subjects) < s.max {
		return nil
	}
	now := time.Now()
	if now.Sub(s.looked) < lookPause {
		return &LimitError{Identity: id, What: "too many peers", RetryAfter: lookPause}
	}
	s.looked = now
	for key, sub := range s.subjects {
		if sub.idle(now) {
			delete(s.subjects, key)
		}
	}
	s.known = nil // of those that were forgotten
	if len(s.subjects) >= s.max {
		return &LimitError{Identity: id, What: "too many peers"}
	}
	return nil
}

// lookPause is how long nobody is looked for who can be forgotten after a look: others wait meanwhile.
const lookPause = 100 * time.Millisecond

func (sub *subject) idle(now time.Time) bool {
	for _, m := range sub.methods {
		if !m.limiter.idle(now) {
			return false
		}
	}
	if sub.connects != nil && !sub.connects.idle(now) {
		return false
	}
	return sub.all == nil || sub.all.idle(now) && sub.reads.idle(now)
}

func limits(ms []MethodLimit) []method {
	all := make([]method, len(ms))
	for i, m := range ms {
		all[i] = method{m.Method, parsePattern(m.Method), newLimiter(m.Limit)}
	}
	return all
}
