package main

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// world is what all connections share.
type world struct {
	ports map[string]int

	mu     sync.Mutex
	events []string
	held   []any
}

func (w *world) log(event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, event)
}

// Service is the root object. Every connection has its own.
type Service struct {
	// Answer is a data attribute.
	Answer int `rpyc:"answer,readonly"`

	world     *world
	tag       string
	count     int
	callbacks []any
	list      *exposed.List
}

func newService(w *world) *Service {
	return &Service{Answer: 42, world: w, list: exposed.NewList(1, 2, 3)}
}

var _ = exposed.Register[Service](exposed.ClassOptions{
	Name:    "behaviour_service.BehaviourService",
	Doc:     "Reference service for behaviour checks.",
	Service: true,
	Aliases: []string{"behaviour", "bhv"},
	Static:  map[string]any{"Point": pointClass, "Point3": point3Class},
	Hidden:  map[string]any{"hidden": "hidden", "_secret": "secret"},
	Docs:    map[string]string{"Add": "Add two numbers."},
	Params: map[string][]string{
		"Tag": {"tag"}, "Endpoint": {"name"}, "HangUp": {"how"},
		"Add": {"a", "b"}, "Greet": {"name", "greeting='Hello'", "*", "punct='!'"}, "CallShape": {"*args", "**kwargs"},
		"Echo": {"x"}, "EchoType": {"x"}, "Same": {"a", "b"}, "Many": {"n"}, "LengthOf": {"x"},
		"CountUp": {"n", "tag=''"}, "GenFail": {"n"},
		"MakePoint": {"x", "y"}, "Tracked": {"name"}, "Ctx": {"tag", "suppress=False"}, "Fail": {"kind"},
		"Call": {"f", "*args", "**kwargs"}, "CallCatching": {"f"}, "Pingpong": {"f", "n"},
		"Register": {"f"}, "Unregister": {"f"}, "Fire": {"x"},
		"ReadAttr": {"o", "name"}, "WriteAttr": {"o", "name", "value"}, "Probe": {"o"}, "UseCtx": {"cm"},
		"FailInCtx": {"cm"}, "Hold": {"o"}, "SleepEcho": {"seconds", "value"}, "Tick": {"f", "n", "interval"},
	},
})

// OnDisconnect logs the end of a connection that was given a name.
func (s *Service) OnDisconnect(*protocol.Conn) {
	if s.tag != "" {
		s.world.log("disconnect:" + s.tag)
	}
}

// Tag names this connection.
func (s *Service) Tag(tag string) { s.tag = tag }

// Events is the log.
func (s *Service) Events() brine.Tuple {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	t := make(brine.Tuple, len(s.world.events))
	for i, e := range s.world.events {
		t[i] = e
	}
	return t
}

// Endpoint is the port of an endpoint.
func (s *Service) Endpoint(name string) (int, error) {
	port, ok := s.world.ports[name]
	if !ok {
		return 0, vinegar.KeyError.New(name)
	}
	return port, nil
}

// Bump counts.
func (s *Service) Bump() int {
	s.count++
	return s.count
}

// HangUp ends the connection, with or without telling the client.
func (s *Service) HangUp(ctx context.Context, how string) {
	conn := protocol.FromContext(ctx)
	if how == "close" {
		_ = conn.Close()
	} else {
		_ = conn.CloseNow()
	}
}

// Add adds what can be added.
func (s *Service) Add(ctx context.Context, a, b any) (any, error) {
	return exposed.Operate(ctx, "__add__", a, b)
}

// Greet greets.
func (s *Service) Greet(ctx context.Context, name, greeting, punct any) (string, error) {
	text := ""
	for _, part := range []any{greeting, ", ", name, punct} {
		t, err := exposed.Str(ctx, part)
		if err != nil {
			return "", err
		}
		text += t
	}
	return text, nil
}

// CallShape returns its arguments.
func (s *Service) CallShape(args []any, kwargs []netref.Keyword) (brine.Tuple, brine.Tuple) {
	pairs := brine.Tuple{}
	for _, k := range kwargs {
		pairs = append(pairs, brine.Tuple{k.Name, k.Value})
	}
	return append(brine.Tuple{}, args...), pairs
}

// Echo returns its argument.
func (s *Service) Echo(x any) any { return x }

// EchoType returns the name of its argument's type.
func (s *Service) EchoType(x any) string {
	if _, ok := x.(*netref.Object); ok {
		return "netref"
	}
	return exposed.TypeName(x)
}

// Same reports whether its arguments are the same object.
func (s *Service) Same(a, b any) bool { return exposed.Is(a, b) }

// GetList returns a new list.
func (s *Service) GetList() *exposed.List { return exposed.NewList(1, 2, 3) }

// EmptyList returns a new list.
func (s *Service) EmptyList() *exposed.List { return exposed.NewList() }

// SharedList returns the same list every time.
func (s *Service) SharedList() *exposed.List { return s.list }

// GetDict returns a new dict.
func (s *Service) GetDict(ctx context.Context) (*exposed.Dict, error) {
	return dict(ctx, "a", 1, "b", 2)
}

// GetSet returns a new set.
func (s *Service) GetSet(ctx context.Context) (*exposed.Set, error) {
	set := exposed.NewSet()
	for i := range 3 {
		if err := set.Add(ctx, i+1); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// GetNone returns None.
func (s *Service) GetNone() {}

// Mixed returns a tuple of values and references.
func (s *Service) Mixed(ctx context.Context) (brine.Tuple, error) {
	four, err := dict(ctx, "four", 4)
	return brine.Tuple{1, "two", exposed.NewList(3), four, brine.Tuple{5, exposed.NewList(6)}}, err
}

// Twice returns the same object twice.
func (s *Service) Twice() brine.Tuple {
	g := s.MakeGadget()
	return brine.Tuple{g, g}
}

// Many returns many objects.
func (s *Service) Many(n int) brine.Tuple {
	t := make(brine.Tuple, max(n, 0))
	for i := range t {
		t[i] = newPoint(i, 0)
	}
	return t
}

// LengthOf is len(x).
func (s *Service) LengthOf(ctx context.Context, x any) (int, error) { return exposed.Len(ctx, x) }

// CountUp counts from 0 to n-1.
func (s *Service) CountUp(n int, tag string) iter.Seq[int] {
	return func(yield func(int) bool) {
		if tag != "" {
			defer s.world.log("gen_closed:" + tag)
		}
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// GenFail counts and fails.
func (s *Service) GenFail(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, vinegar.ValueError.New("gen failed"))
	}
}

// MakePoint makes a point.
func (s *Service) MakePoint(x, y any) *Point { return newPoint(x, y) }

// MakeGadget makes a gadget.
func (s *Service) MakeGadget() *Gadget { return newGadget() }

// Tracked makes an object whose end is logged.
func (s *Service) Tracked(name string) *Tracked { return newTracked(s.world, name) }

// Ctx makes a context manager.
func (s *Service) Ctx(tag string, suppress bool) *Context {
	return &Context{tag: tag, suppress: suppress, world: s.world}
}

// Call calls f.
func (s *Service) Call(ctx context.Context, f any, args []any, kwargs []netref.Keyword) (any, error) {
	return exposed.Call(ctx, f, exposed.NewArgs(args, kwargs))
}

// CallCatching calls f and returns what it raised.
func (s *Service) CallCatching(ctx context.Context, f any) (string, any, error) {
	v, err := exposed.Call(ctx, f, exposed.NewArgs(nil, nil))
	if err == nil {
		return "ok", v, nil
	}
	e := vinegar.FromError(err)
	if !errors.Is(e, vinegar.Exception) {
		return "", nil, err
	}
	return e.Class.String(), append(brine.Tuple{}, e.Args...), nil
}

// Pingpong calls f with n-1 until n is 0.
func (s *Service) Pingpong(ctx context.Context, f, n any) (any, error) {
	if done, err := exposed.Equal(ctx, n, 0); done || err != nil {
		return 0, err
	}
	less, err := exposed.Operate(ctx, "__sub__", n, 1)
	if err != nil {
		return nil, err
	}
	d, err := exposed.Call(ctx, f, exposed.NewArgs([]any{less}, nil))
	if err != nil {
		return nil, err
	}
	return exposed.Operate(ctx, "__add__", 1, d)
}

// Register keeps a function of the client's.
func (s *Service) Register(f any) { s.callbacks = append(s.callbacks, f) }

// Unregister gives up a function of the client's.
func (s *Service) Unregister(ctx context.Context, f any) (bool, error) {
	for i, g := range s.callbacks {
		same, err := exposed.Equal(ctx, g, f)
		if err != nil {
			return false, err
		}
		if same {
			s.callbacks = slices.Delete(s.callbacks, i, i+1)
			return true, nil
		}
	}
	return false, nil
}

// Fire calls all registered functions.
func (s *Service) Fire(ctx context.Context, x any) (brine.Tuple, error) {
	results := brine.Tuple{}
	for _, f := range s.callbacks {
		v, err := exposed.Call(ctx, f, exposed.NewArgs([]any{x}, nil))
		if err != nil {
			return nil, err
		}
		results = append(results, v)
	}
	return results, nil
}

// ReadAttr reads an attribute of the client's object.
func (s *Service) ReadAttr(ctx context.Context, o *netref.Object, name string) (any, error) {
	return o.Get(ctx, name)
}

// WriteAttr writes an attribute of the client's object.
func (s *Service) WriteAttr(ctx context.Context, o *netref.Object, name string, value any) error {
	return o.Set(ctx, name, value)
}

// UseCtx enters and leaves the client's context manager.
func (s *Service) UseCtx(ctx context.Context, cm *netref.Object) (v any, err error) {
	err = cm.With(ctx, func(entered any) error {
		v = entered
		return nil
	})
	return v, err
}

// FailInCtx fails inside the client's context manager.
func (s *Service) FailInCtx(ctx context.Context, cm *netref.Object) (string, error) {
	err := cm.With(ctx, func(any) error { return vinegar.ValueError.New("inside") })
	return "suppressed", err
}

// Hold keeps an object alive.
func (s *Service) Hold(o any) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.held = append(s.world.held, o)
}

// Release gives up what was held.
func (s *Service) Release() {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.held = nil
	protocol.CollectSoon()
}

// SleepEcho returns value after a while.
func (s *Service) SleepEcho(ctx context.Context, pause time.Duration, value any) any {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
	return value
}

// Tick calls f n times in the background.
func (s *Service) Tick(ctx context.Context, f *netref.Object, n int, interval time.Duration) {
	go func() {
		for i := range n {
			if _, err := f.CallAsync(ctx, i); err != nil {
				return
			}
			time.Sleep(interval)
		}
	}()
}

// Probe does everything to o that a program does to a sequence.
func (s *Service) Probe(ctx context.Context, o any) (brine.Tuple, error) {
	return probe(ctx, o)
}
