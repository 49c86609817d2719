package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// Policy says who may do what.
type Policy struct {
	// Rules are for one kind of peer each. The first that is for a peer counts.
	Rules []Rule `json:"rules"`
	// Methods are limits of methods for all peers together.
	Methods []MethodLimit `json:"methods,omitempty"`
	// MaxIdentities is how many peers are remembered whose limits are not used up, or who have requests under way; 0
	// means 10,000. If there are more, requests of others are refused as too many.
	MaxIdentities int `json:"max_identities,omitempty"`
}

// Rule says which peers it is for, and what they may do.
type Rule struct {
	// Who are patterns of their names, one of which has to match. "*" matches every peer, also one that nobody knows,
	// whose name is "".
	Who []string `json:"who"`
	// Kinds are the kinds of identity that the rule is for, such as "tls"; none means any. Names of different kinds are
	// given by different people, so a rule that gives rights should say of which kind it means them.
	Kinds []string `json:"kinds,omitempty"`
	// Attrs are patterns for attributes of the identity; of each that is named a value has to match.
	Attrs map[string]string `json:"attrs,omitempty"`

	// Allow are patterns of what they may use; none allows all. Other attributes of the service are denied, but for what
	// every object has, such as __eq__ and __doc__. Objects that the service hands out may be used if it hands them out,
	// unless a pattern with a class is for theirs: then what none of these allows is denied.
	Allow []string `json:"allow,omitempty"`
	// Deny are patterns of what they may not use, whatever Allow says.
	Deny []string `json:"deny,omitempty"`
	// ReadOnly denies setting and deleting attributes and items, operators that change an object in place, and the
	// methods of Python's containers that change them.
	ReadOnly bool `json:"read_only,omitempty"`
	// DenyPickle denies copies of objects: obtain, copy and pickle.
	DenyPickle bool `json:"deny_pickle,omitempty"`

	// Limit is for all requests of each peer that the rule is for. Reading attributes is counted apart from all else, with
	// the same limit, because RPyC reads a method before it calls it.
	Limit
	// Methods are limits of methods, for each peer.
	Methods []MethodLimit `json:"methods,omitempty"`
	// Connects is the limit of connections of each peer: how many are opened a second, and how many are open at the same
	// time. One that is too much waits as a request does, before anything is read, and is then closed.
	Connects Limit `json:"connects,omitzero"`
}

// Limit bounds how often something is done and how much of it at the same time. The zero value bounds nothing.
type Limit struct {
	// Rate is how many requests a second, on average, are carried out; 0 means no limit.
	Rate float64 `json:"rate,omitempty"`
	// Burst is how many may come at once after a pause; 0 means those of a second, and at least 1.
	Burst int `json:"burst,omitempty"`
	// Concurrent is how many run at the same time, on all connections; 0 means no limit. A request that comes while a
	// handler of the same connection waits for this peer may be part of the answer, and is not counted.
	Concurrent int `json:"concurrent,omitempty"`
	// Wait is how long a request may wait until it is within the limit; 0 means 1 s, negative not at all. Waiting slows
	// the peer down, because its next requests are not begun meanwhile; so a refusal takes about 100 ms, or Wait if
	// that is less. A peer whose requests are refused at once and that repeats them at once keeps a processor busy.
	Wait Duration `json:"wait,omitempty"`
	// Queue is how many requests may wait at the same time; 0 means 100.
	Queue int `json:"queue,omitempty"`
}

// MethodLimit is the limit of the methods that a pattern stands for, of all of them together. Of an object of another
// peer, which this side passes on, reading a method counts as calling it, so that of its limits Rate alone is certain.
type MethodLimit struct {
	Method string `json:"method"`
	Limit
}

// Duration is a time.Duration that is "1.5s" in JSON.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

const (
	defaultWait       = time.Second
	defaultQueue      = 100
	defaultIdentities = 10_000
)

// Load reads a policy from a file of JSON. A field that does not exist is an error.
func Load(path string) (*Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("rpyc: policy: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	p := new(Policy)
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("rpyc: policy: %s: %w", path, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("rpyc: policy: %s: more than one value", path)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, path)
	}
	return p, nil
}

// check says what is wrong with a policy.
func (p *Policy) check() error {
	if p == nil || len(p.Rules) == 0 {
		return errors.New("rpyc: policy: no rules, so nobody may do anything")
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		if len(r.Who) == 0 {
			return fmt.Errorf(`rpyc: policy: rule %d is for nobody: "who" is empty`, i+1)
		}
		if err := r.Limit.check(); err != nil {
			return fmt.Errorf("rpyc: policy: rule %d: %w", i+1, err)
		}
		for _, text := range slices.Concat(r.Allow, r.Deny) {
			if err := checkPattern(text); err != nil {
				return fmt.Errorf("rpyc: policy: rule %d: %w", i+1, err)
			}
		}
		if err := checkMethods(r.Methods); err != nil {
			return fmt.Errorf("rpyc: policy: rule %d: %w", i+1, err)
		}
		if err := r.Connects.check(); err != nil {
			return fmt.Errorf(`rpyc: policy: rule %d: "connects": %w`, i+1, err)
		}
		if i > 0 && p.Rules[i-1].isForAll() {
			return fmt.Errorf("rpyc: policy: rule %d is for nobody: the one before it is for everybody", i+1)
		}
	}
	if err := checkMethods(p.Methods); err != nil {
		return fmt.Errorf("rpyc: policy: %w", err)
	}
	return nil
}

func checkMethods(ms []MethodLimit) error {
	for _, m := range ms {
		if err := checkPattern(m.Method); err != nil {
			return err
		}
		if err := m.Limit.check(); err != nil {
			return fmt.Errorf("%s: %w", m.Method, err)
		}
		if m.Rate == 0 && m.Concurrent == 0 {
			return fmt.Errorf(`%s: neither "rate" nor "concurrent"`, m.Method)
		}
	}
	return nil
}

func (l *Limit) check() error {
	if !(l.Rate >= 0) || l.Rate > 1e9 || l.Burst < 0 || l.Concurrent < 0 || l.Queue < 0 {
		return errors.New("a limit is negative, or no number")
	}
	if l.Burst > 0 && l.Rate == 0 {
		return errors.New(`"burst" without "rate"`)
	}
	return nil
}

// pattern is that of a method. python is what Python calls a method whose name in Go is name.
type pattern struct{ class, name, python string }

func parsePattern(text string) pattern {
	p := pattern{name: text}
	if i := strings.LastIndexByte(text, '.'); i >= 0 {
		p.class, p.name = text[:i], text[i+1:]
	}
	p.python = p.name
	if strings.ToLower(p.name) != p.name {
		if python, ok := exposed.MethodName(p.name); ok {
			p.python = python
		}
	}
	return p
}

func checkPattern(text string) error {
	switch p := parsePattern(text); {
	case p.name == "" || p.class == "" && strings.Contains(text, "."):
		return fmt.Errorf("%q is no pattern of a method", text)
	case strings.HasPrefix(p.name, exposed.DefaultPrefix):
		return fmt.Errorf("%q: patterns are without the prefix %q", text, exposed.DefaultPrefix)
	}
	return nil
}

func parsePatterns(texts []string) []pattern {
	ps := make([]pattern, len(texts))
	for i, text := range texts {
		ps[i] = parsePattern(text)
	}
	return ps
}

// target is what a peer wants to use.
type target struct {
	class, name string
	service     bool // of the root object
}

// ofClass reports whether the pattern is one for objects of the target's class.
func (p pattern) ofClass(t target) bool {
	return p.class != "" && (glob(p.class, t.class) || glob(p.class, t.class[strings.LastIndexByte(t.class, '.')+1:]))
}

func (p pattern) matches(t target) bool {
	return (p.class == "" && t.service || p.ofClass(t)) && (glob(p.name, t.name) || glob(p.python, t.name))
}

// glob matches text with a pattern in which * is any text.
func glob(pattern, text string) bool {
	star, retry := -1, 0 // the last *, and where what follows it was tried last
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// isForAll reports whether no peer reaches the rules behind this one.
func (r *Rule) isForAll() bool {
	return slices.Contains(r.Who, "*") && len(r.Kinds) == 0 && len(r.Attrs) == 0
}

// isFor reports whether the rule is for a peer, which may be nobody.
func (r *Rule) isFor(id *protocol.Identity) bool {
	if id == nil {
		id = &protocol.Identity{}
	}
	if !slices.ContainsFunc(r.Who, func(p string) bool { return glob(p, id.Name) }) {
		return false
	}
	if len(r.Kinds) > 0 && !slices.Contains(r.Kinds, id.Kind) {
		return false
	}
	for name, pattern := range r.Attrs {
		if !slices.ContainsFunc(id.Attrs[name], func(value string) bool { return glob(pattern, value) }) {
			return false
		}
	}
	return true
}
