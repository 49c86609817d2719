package rpyctest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Peer is a server that expects certain calls of its service, in their order, and answers them as it is told. A call
// that is not expected, or has other arguments, fails the test and gets an AssertionError; one that has not come when
// the test ends fails it, too. It is safe for concurrent use, and so are its steps before the first call.
type Peer struct {
	t        testing.TB
	listener net.Listener
	root     *scripted
	ended    context.CancelFunc
	serving  sync.WaitGroup

	mu    sync.Mutex
	steps []*Step
	conns []*protocol.Conn
	done  bool
}

// scripted is the root object.
type scripted struct{ exposed.Attrs }

// NewPeer starts a server on the loopback interface, which ends with the test.
func NewPeer(t testing.TB) *Peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("rpyctest: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Peer{t: t, listener: l, root: &scripted{}, ended: cancel}
	p.serving.Go(func() { p.serve(ctx) })
	t.Cleanup(p.finish)
	return p
}

// Addr is where the peer listens, HOST:PORT.
func (p *Peer) Addr() string { return p.listener.Addr().String() }

// Attr gives the service an attribute that is no method.
func (p *Peer) Attr(name string, value any) *Peer {
	p.root.Set(exposed.DefaultPrefix+name, value)
	return p
}

// Expect says that the method will be called with these arguments. They are compared as Go values: an argument is
// turned into the type of the one expected, so that []int{1, 2} stands for a list of the client's, and must be equal
// to it. [Anything] stands for any, a func(any) bool decides itself.
func (p *Peer) Expect(method string, args ...any) *Step {
	s := &Step{peer: p, method: method, args: args}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps = append(p.steps, s)
	p.root.Set(exposed.DefaultPrefix+method, exposed.Func(
		func(ctx context.Context, args []any, kwargs []netref.Keyword) (any, error) {
			return p.called(ctx, method, args, kwargs)
		}, "*args", "**kwargs"))
	return s
}

// Anything is an argument that may be anything.
var Anything = func(any) bool { return true }

// Step is a call that is expected and what is done then. Without further ado None is returned.
type Step struct {
	peer   *Peer
	method string
	args   []any
	kwargs map[string]any
	delay  time.Duration
	do     func(ctx context.Context, args []any) (any, error)
}

// Keyword adds a keyword argument to those expected.
func (s *Step) Keyword(name string, value any) *Step {
	if s.kwargs == nil {
		s.kwargs = map[string]any{}
	}
	s.kwargs[name] = value
	return s
}

// After has the answer wait.
func (s *Step) After(d time.Duration) *Step {
	s.delay = d
	return s
}

// Return answers with a value.
func (s *Step) Return(v any) {
	s.do = func(context.Context, []any) (any, error) { return v, nil }
}

// Raise answers with an exception: one of package vinegar's, or any error.
func (s *Step) Raise(err error) {
	s.do = func(context.Context, []any) (any, error) { return nil, err }
}

// Do answers with what f returns. ctx ends with the connection, and client functions among the arguments can be called
// with it.
func (s *Step) Do(f func(ctx context.Context, args []any) (any, error)) { s.do = f }

// Hang never answers. The connection goes on.
func (s *Step) Hang() {
	s.do = func(ctx context.Context, _ []any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
}

// HangUp closes the connection without an answer.
func (s *Step) HangUp() {
	s.do = func(ctx context.Context, _ []any) (any, error) {
		_ = protocol.FromContext(ctx).CloseNow()
		<-ctx.Done()
		return nil, ctx.Err()
	}
}

// Repeat expects the same call n times in all. It is the last that is said of a step, in the place of Return and the
// like: s.Repeat(3, func(s *Step) { s.Return(1) }).
func (s *Step) Repeat(n int, answer func(*Step)) {
	answer(s)
	for range n - 1 {
		again := s.peer.Expect(s.method, s.args...)
		again.kwargs, again.delay, again.do = s.kwargs, s.delay, s.do
	}
}

// String is the call, as Python writes it.
func (s *Step) String() string {
	var parts []string
	for _, a := range s.args {
		parts = append(parts, shown(a))
	}
	for _, name := range slices.Sorted(maps.Keys(s.kwargs)) {
		parts = append(parts, name+"="+shown(s.kwargs[name]))
	}
	return s.method + "(" + strings.Join(parts, ", ") + ")"
}

func shown(v any) string {
	switch v := v.(type) {
	case func(any) bool:
		return "…"
	case *netref.Object:
		ref, _ := v.Ref()
		return "<" + ref.Name + ">"
	case nil, bool, int, int64, float64, string, []byte, brine.Tuple:
		return vinegar.Repr(v)
	}
	return fmt.Sprintf("%v", v)
}

// called is a call of the client's.
func (p *Peer) called(ctx context.Context, method string, args []any, kwargs []netref.Keyword) (any, error) {
	p.mu.Lock()
	if len(p.steps) == 0 {
		p.mu.Unlock()
		return nil, p.wrong("no further call is expected, got %s", call(method, args, kwargs))
	}
	s := p.steps[0]
	p.steps = p.steps[1:]
	p.mu.Unlock()
	if s.method != method || !s.matches(ctx, args, kwargs) {
		return nil, p.wrong("want %s, got %s", s, call(method, args, kwargs))
	}
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if s.do == nil {
		return nil, nil
	}
	return s.do(ctx, args)
}

func call(method string, args []any, kwargs []netref.Keyword) string {
	s := &Step{method: method, args: args, kwargs: map[string]any{}}
	for _, k := range kwargs {
		s.kwargs[k.Name] = k.Value
	}
	return s.String()
}

// wrong fails the test, and is the exception that the client gets.
func (p *Peer) wrong(format string, args ...any) error {
	text := fmt.Sprintf("rpyctest: "+format, args...)
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	if !done {
		p.t.Error(text)
	}
	return vinegar.AssertionError.New(text)
}

func (s *Step) matches(ctx context.Context, args []any, kwargs []netref.Keyword) bool {
	if len(args) != len(s.args) || len(kwargs) != len(s.kwargs) {
		return false
	}
	for i := range args {
		if !matches(ctx, s.args[i], args[i]) {
			return false
		}
	}
	for _, k := range kwargs {
		if want, ok := s.kwargs[k.Name]; !ok || !matches(ctx, want, k.Value) {
			return false
		}
	}
	return true
}

// matches turns what was got into the type of what is wanted, and compares.
func matches(ctx context.Context, want, got any) bool {
	switch w := want.(type) {
	case func(any) bool:
		return w(got)
	case nil:
		return got == nil
	}
	dst := reflect.New(reflect.TypeOf(want)).Elem()
	return netref.Assign(ctx, dst, got) == nil && reflect.DeepEqual(dst.Interface(), want)
}

func (p *Peer) serve(ctx context.Context) {
	for {
		stream, err := p.listener.Accept()
		if err != nil {
			return
		}
		cfg := &protocol.Config{Access: exposed.Policy{Guard: p.guard}}
		c, err := protocol.NewConn(ctx, stream, p.root, cfg)
		if err != nil {
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, c)
		p.mu.Unlock()
	}
}

// guard sees each name that the client asks for: what the service has not is nothing that was expected.
func (p *Peer) guard(_ context.Context, _ exposed.Use, obj any, name string) error {
	bare := strings.TrimPrefix(name, exposed.DefaultPrefix)
	if obj != any(p.root) || strings.HasPrefix(name, "_") {
		return nil
	}
	if _, ok := p.root.Get(exposed.DefaultPrefix + bare); ok {
		return nil
	}
	return p.wrong("no use of %s is expected", bare)
}

// Conns are the connections that clients have made so far.
func (p *Peer) Conns() []*protocol.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*protocol.Conn{}, p.conns...)
}

// finish ends the server and tells of the calls that have not come.
func (p *Peer) finish() {
	p.mu.Lock()
	p.done = true
	missing := p.steps
	p.mu.Unlock()
	for _, s := range missing {
		p.t.Errorf("rpyctest: %s was expected and has not come", s)
	}
	_ = p.listener.Close()
	p.ended()
	p.serving.Wait()
	for _, c := range p.Conns() {
		_ = c.CloseNow()
		<-c.Done()
	}
}
