// Package conform checks whether an RPyC peer keeps to the protocol, clause by clause. What holds for any peer is asked
// of any; the behaviours of the reference service (compat_tests/reference) are asked where that is served. It speaks
// bytes and not package protocol, so that no fault of either can hide one of the other.
package conform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Level says how much a check matters.
type Level string

// Core is what programs depend on, Text the wording of messages, and Quirk what is an accident of CPython.
const (
	Core  Level = "core"
	Text  Level = "text"
	Quirk Level = "quirk"
)

// State is how a check has ended.
type State string

// The states. Known is a failure that the file of known ones lists, Fixed one that it lists and that is none.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Known   State = "known"
	Fixed   State = "fixed"
	Skipped State = "skipped"
)

// Result is that of one check.
type Result struct {
	ID      string  `json:"id"` // clause and name
	Clause  string  `json:"clause"`
	Level   Level   `json:"level"`
	State   State   `json:"state"`
	Detail  string  `json:"detail,omitempty"` // what was wrong, or why it was skipped
	Seconds float64 `json:"seconds"`
}

// check is one of the checks there are.
type check struct {
	id       string // "clause.name"
	level    Level
	endpoint string // of the reference service; "" is whatever is checked
	service  bool   // needs the reference service
	alone    bool   // needs a connection of its own
	first    bool   // is the first to say something on it
	defaults bool   // is about RPyC's default configuration, which another service need not have
	families string // of the protocol, as letters; "" is all
	run      func(t *trial)
}

func (c check) clause() string {
	clause, _, _ := strings.Cut(c.id, ".")
	return clause
}

// Options of a run. Open may be nil for a peer that has connected to us.
type Options struct {
	// Open opens a connection to an endpoint of the peer: "" is the one that was named, and everything else the port of
	// another endpoint of the reference service.
	Open    func(ctx context.Context, port string) (net.Conn, error)
	Dialect *wire.Dialect
	// Timeout is how long a check may take. The default is 10 s.
	Timeout time.Duration
	// Only are prefixes of the names of the checks that are run; without any, all are.
	Only []string
	// Levels that are checked; without any, all are.
	Levels []Level
	// Done is told of each result as it comes. May be nil.
	Done func(Result)
}

// run is one run of the checks.
type run struct {
	Options
	ctx     context.Context
	shared  *peer // the one connection there is, if none can be opened
	service bool  // the reference service is served
	altered bool  // another service is, and its configuration is not RPyC's default
	ports   map[string]string

	mu       sync.Mutex
	problems map[string]string // what must hold in each message and has not, by the name of the check
}

// trial is one check being run.
type trial struct {
	*run
	*peer
	check  *check
	opened []*peer
}

// stop ends a check early.
type stop struct{ why string }

// failf ends the check: the peer is wrong.
func (t *trial) failf(format string, args ...any) { panic(stop{fmt.Sprintf(format, args...)}) }

// must fails the check on an error.
func (t *trial) must(err error) {
	if err != nil {
		t.failf("%v", err)
	}
}

// value is what was answered, which must be no exception.
func (t *trial) value(v any, err error) any {
	t.must(err)
	return v
}

// wants fails the check unless a value is the one wanted.
func (t *trial) wants(what string, got, want any) {
	if !equal(got, want) {
		t.failf("%s: want %s, got %s", what, short(want), short(got))
	}
}

// raises fails the check unless err is an exception of this class, and with these arguments if there are any.
func (t *trial) raises(what string, err error, class string, args ...any) {
	var r *raised
	switch {
	case err == nil:
		t.failf("%s: want %s, got an answer", what, class)
	case !errors.As(err, &r):
		t.failf("%s: want %s: %v", what, class, err)
	case r.class() != class || len(args) > 0 && !equal(r.args, tuple(args...)):
		t.failf("%s: want %s%s, got %s%s", what, class, short(tuple(args...)), r.class(), short(r.args))
	}
}

func supported(d *wire.Dialect) error {
	if d != wire.FamilyC && d != wire.FamilyD && d != wire.FamilyE {
		return fmt.Errorf("conform knows the families C, D and E (RPyC 4.1 and later, rpyc-ng 7); the peer speaks %v", d)
	}
	return nil
}

// Run runs the checks and returns their results in the order of the clauses.
func Run(ctx context.Context, o Options) ([]Result, error) {
	r := &run{Options: o, ctx: ctx}
	return r.all()
}

func (r *run) all() ([]Result, error) {
	if r.Timeout <= 0 {
		r.Timeout = 10 * time.Second
	}
	r.ports, r.problems = map[string]string{"": "", "default": ""}, map[string]string{}
	if err := supported(r.Dialect); err != nil {
		return nil, err
	}
	if err := r.look(); err != nil {
		return nil, err
	}
	var results []Result
	for _, c := range checks() {
		if err := r.ctx.Err(); err != nil {
			return results, err
		}
		if !r.wanted(c) {
			continue
		}
		results = append(results, r.tell(r.try(c)))
	}
	for _, o := range observations {
		c := &check{id: o.id, level: o.level}
		if r.wanted(c) {
			res := Result{ID: c.id, Clause: c.clause(), Level: c.level, State: Passed}
			if res.Detail = r.problems[o.id]; res.Detail != "" {
				res.State = Failed
			}
			results = append(results, r.tell(res))
		}
	}
	return results, nil
}

func (r *run) tell(res Result) Result {
	if r.Done != nil {
		r.Done(res)
	}
	return res
}

func (r *run) wanted(c *check) bool {
	if len(r.Levels) > 0 && !contains(r.Levels, c.level) {
		return false
	}
	if len(r.Only) == 0 {
		return true
	}
	for _, o := range r.Only {
		if c.id == o || strings.HasPrefix(c.id, strings.TrimSuffix(o, ".")+".") {
			return true
		}
	}
	return false
}

func contains(levels []Level, l Level) bool {
	for _, x := range levels {
		if x == l {
			return true
		}
	}
	return false
}

// observed notes what must hold in each message and has not.
func (r *run) observed(id, problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.problems[id] == "" {
		r.problems[id] = problem
	}
}

// look asks whether the reference service is there, and for its endpoints. It fails if the peer cannot be checked.
func (r *run) look() error {
	p, err := r.connect("")
	if err != nil {
		return nil
	}
	defer r.leave(p)
	p.within(r.Timeout)
	if err := p.greet(); err != nil {
		return r.tooOld(err)
	}
	g := &program{peer: p, vars: map[string]any{}}
	root, err := g.rootObject()
	if err != nil {
		return r.tooOld(err)
	}
	var exc *raised
	_, refused := p.ask(wire.HandleGetAttr, "abc", "upper")
	if refused == nil { // public attributes are open
		r.altered = true
	} else if errors.As(refused, &exc) { // or they are, and a peer in another language has no such method
		r.altered = exc.text == "<traceback denied>" || strings.Contains(fmt.Sprint(exc.args), "has no attribute")
	}
	f, err := p.ask(wire.HandleGetAttr, root, "get_service_name")
	if err != nil {
		return nil
	}
	name, err := p.ask(wire.HandleCall, f, tuple(), tuple())
	text, _ := name.(string)
	r.service = err == nil && strings.EqualFold(text, "behaviour")
	r.altered = r.altered && !r.service
	if !r.service || r.shared != nil {
		return nil
	}
	endpoint, err := p.ask(wire.HandleGetAttr, root, "endpoint")
	for _, name := range []string{"rw", "public", "all", "pickle", "quiet"} {
		if port, err2 := p.ask(wire.HandleCall, endpoint, tuple(name), tuple()); err == nil && err2 == nil {
			r.ports[name] = show(port)
		}
	}
	return nil
}

// tooOld is an error if a peer of family E has refused its first request as those do that name objects by four parts.
func (r *run) tooOld(err error) error {
	var exc *raised
	if errors.As(err, &exc) && r.Dialect == wire.FamilyE && len(exc.args) == 1 {
		if pack, ok := exc.args[0].(brine.Tuple); ok && len(pack) == 4 {
			return errors.New("conform knows rpyc-ng from 7.0.15 on; the peer is an older one")
		}
	}
	return nil
}

func (r *run) connect(port string) (*peer, error) {
	if r.shared != nil {
		r.shared.answers = map[int64]message{}
		r.shared.requests, r.shared.unknown, r.shared.hold = nil, nil, nil
		return r.shared, nil
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.Timeout)
	defer cancel()
	stream, err := r.Open(ctx, port)
	if err != nil {
		return nil, err
	}
	return newPeer(stream, r.Dialect, r.observed), nil
}

func (r *run) leave(p *peer) {
	if p != r.shared {
		_ = p.stream.Close()
	}
}

// try runs a check.
func (r *run) try(c *check) (res Result) {
	begun := time.Now()
	res = Result{ID: c.id, Clause: c.clause(), Level: c.level, State: Passed}
	defer func() { res.Seconds = time.Since(begun).Seconds() }()
	skip := func(why string) Result {
		res.State, res.Detail = Skipped, why
		return res
	}
	port, known := r.ports[c.endpoint]
	family := strings.TrimPrefix(r.Dialect.String(), "family ")
	switch {
	case c.service && !r.service:
		return skip("needs the reference service")
	case c.defaults && r.altered:
		return skip("the configuration is not RPyC's default")
	case !known:
		return skip("needs the endpoint " + c.endpoint + " of the reference service")
	case r.shared != nil && r.shared.gone:
		return skip("the connection has ended")
	case c.alone && r.shared != nil:
		return skip("needs a connection of its own")
	case c.families != "" && !strings.Contains(c.families, family[:1]):
		return skip("is not in this family of the protocol")
	}
	t := &trial{run: r, check: c}
	defer func() {
		for _, p := range t.opened {
			r.leave(p)
		}
		if x := recover(); x != nil {
			s, ok := x.(stop)
			if !ok {
				panic(x)
			}
			res.State, res.Detail = Failed, s.why
		}
	}()
	t.peer = t.open(port)
	c.run(t)
	return res
}

// open opens one more connection for the check.
func (t *trial) open(port string) *peer {
	p, err := t.connect(port)
	if err != nil {
		t.failf("no connection: %v", err)
	}
	t.opened = append(t.opened, p)
	p.within(t.Timeout)
	if !t.check.first && p != t.shared {
		t.must(p.greet())
	}
	return p
}

// program is a beginning of statements on the check's connection.
func (t *trial) program() *program { return &program{peer: t.peer, vars: map[string]any{}} }

// greet begins a conversation as RPyC's clients do: it asks for the root and what it can do, by which a peer that
// understands several families sees which one this is.
func (p *peer) greet() error {
	root, err := p.ask(wire.HandleGetRoot)
	r, ok := root.(theirs)
	if err != nil || !ok {
		return err
	}
	if _, err = p.ask(wire.HandleInspect, r.pack); err != nil {
		return err
	}
	_, err = drop(&program{peer: p}, tuple(root))
	return err
}
