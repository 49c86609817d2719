package main

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// services holds the Go form of every service that the tests define, by test module and class. Each is a new object;
// the tests decide whether connections share it.
var services = map[string]func(c *control) any{
	"test_attr_access.MyService":          func(*control) any { return new(attrService) },
	"test_attr_access.MyDecoratedService": func(*control) any { return new(descriptorService) },
	"test_context_managers.MyService":     func(*control) any { return new(contextService) },
	"test_custom_service.MyService":       func(*control) any { return new(customService) },
	"test_dataclass.MyService":            func(*control) any { return new(dataclassService) },
	//nolint:misspell // the module's name
	"test_netref_hierachy.MyService":   func(*control) any { return new(hierarchyService) },
	"test_oneshot_server.MyService":    func(*control) any { return new(fooService) },
	"test_remote_exception.MyService":  func(c *control) any { return &exceptionService{c: c} },
	"test_rpyc_over_rpyc.Service":      func(*control) any { return new(endService) },
	"test_rpyc_over_rpyc.Intermediate": func(*control) any { return new(intermediateService) },
	"test_threads.MyService":           func(*control) any { return new(threadsService) },
	"SlaveService":                     func(c *control) any { return newSlave(c) },
}

// contextService has a context manager that tells what happened to it.
type contextService struct {
	mu                   sync.Mutex
	entered, exited, exc bool
}

var _ = exposed.Register[contextService](exposed.ClassOptions{Name: "tests.test_context_managers.MyService",
	Service: true})

func (s *contextService) state() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{"on_context_enter": s.entered, "on_context_exit": s.exited, "on_context_exc": s.exc}
}

// Context is used in a with statement.
func (s *contextService) Context(y int) *serviceContext { return &serviceContext{s, y} }

type serviceContext struct {
	s *contextService
	y int
}

// PyEnter begins the block.
func (c *serviceContext) PyEnter() int {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.entered = true
	return 17 + c.y
}

// PyExit ends it.
func (c *serviceContext) PyExit(exc error) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.exc = c.s.exc || errors.Is(exc, vinegar.Exception)
	c.s.exited = true
	return false
}

// customService is a service with hooks, a class, and methods under another prefix.
type customService struct {
	mu                                  sync.Mutex
	connected, disconnected, aboutToEnd bool
}

var _ = exposed.Register[customService](exposed.ClassOptions{
	Name: "tests.test_custom_service.MyService",
	Hidden: map[string]any{
		"foobar":                      func(*customService) error { return vinegar.AssertionError.New() },
		"prefix_get_decorated_prefix": func(*customService) string { return "decorated_prefix" },
	},
	Static: map[string]any{"MyClass": sumOfTwoClass},
})

func (s *customService) note(what *bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what = true
}

func (s *customService) state() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"on_connect_called": s.connected, "on_disconnect_called": s.disconnected, "on_about_to_close_called": s.aboutToEnd,
	}
}

// OnConnect implements protocol.Connecter.
func (s *customService) OnConnect(*protocol.Conn) error {
	s.note(&s.connected)
	return nil
}

// OnDisconnect implements protocol.Disconnecter.
func (s *customService) OnDisconnect(*protocol.Conn) { s.note(&s.disconnected) }

// OnAboutToClose is called by the client before it closes.
func (s *customService) OnAboutToClose() { s.note(&s.aboutToEnd) }

// Distance is that of two points.
func (s *customService) Distance(p1, p2 [2]float64) float64 {
	return math.Hypot(p2[0]-p1[0], p2[1]-p1[1])
}

// Getlist returns a list.
func (s *customService) Getlist() []int { return []int{1, 2, 3} }

// Getmeta returns an object of a class of its own.
func (s *customService) Getmeta() *metaObject { return new(metaObject) }

// Instance is isinstance.
func (s *customService) Instance(ctx context.Context, inst, cls any) (bool, error) {
	return exposed.IsInstance(ctx, inst, cls)
}

// GetDecorated is exposed by a decorator in Python.
func (s *customService) GetDecorated() string { return "decorated" }

type metaObject struct{}

// sumOfTwo is the class that the service exposes.
type sumOfTwo struct{ a, b any }

var sumOfTwoClass = exposed.Register[sumOfTwo](exposed.ClassOptions{
	Name: "tests.test_custom_service.MyClass",
	New:  exposed.Func(func(a, b any) *sumOfTwo { return &sumOfTwo{a, b} }, "a", "b"),
})

// Foo adds.
func (s *sumOfTwo) Foo(ctx context.Context) (any, error) {
	return exposed.Operate(ctx, "__add__", s.a, s.b)
}

// dataclassService makes objects with fields.
type dataclassService struct{}

type stdTypes struct {
	IntObj   int     `rpyc:"intObj"`
	StrObj   string  `rpyc:"strObj"`
	FloatObj float64 `rpyc:"floatObj"`
	BytesObj []byte  `rpyc:"bytesObj"`
}

// CreateDataclass makes one.
func (dataclassService) CreateDataclass() stdTypes {
	return stdTypes{31, "stdtypes string", 3.14, []byte("stdtypes bytes")}
}

// hierarchyService is asked about classes.
type hierarchyService struct{ customService }

// Getnonetype returns the class of None.
func (*hierarchyService) Getnonetype() *exposed.Class { return exposed.ClassOf(nil) }

type fooService struct{}

// Foo says bar.
func (fooService) Foo() string { return "bar" }

// exceptionService fails.
type exceptionService struct{ c *control }

// RemoteAssert asserts.
func (exceptionService) RemoteAssert(val any) error {
	if val == false {
		return vinegar.AssertionError.New()
	}
	return nil
}

// SetVersion changes the release that client and server share in the suite.
func (s *exceptionService) SetVersion() { s.c.tell("version", "1.0.0") }

// endService is the far end of a chain.
type endService struct{}

// Fee returns its argument.
func (endService) Fee(arg any) any { return arg }

// FeeStr is str.
func (endService) FeeStr(ctx context.Context, arg any) (string, error) { return exposed.Str(ctx, arg) }

// FoeUpdate changes an object.
func (endService) FoeUpdate(ctx context.Context, arg *netref.Object, msg string) (any, error) {
	old, err := netref.Get[string](ctx, arg, "msg")
	if err != nil {
		return nil, err
	}
	return arg, arg.Set(ctx, "msg", old+" foe"+msg)
}

// intermediateService passes calls on.
type intermediateService struct{}

// farEnd is where the suite's services are found.
const farEnd = "localhost:18878"

// Fee passes its argument on.
func (intermediateService) Fee(ctx context.Context, arg any) (any, error) {
	return passOn[any](ctx, "fee", arg)
}

// FeeStr passes its argument on.
func (intermediateService) FeeStr(ctx context.Context, arg any) (string, error) {
	return passOn[string](ctx, "fee_str", arg)
}

// FieUpdate changes an object and passes it on.
func (intermediateService) FieUpdate(ctx context.Context, arg *netref.Object) (any, error) {
	old, err := netref.Get[string](ctx, arg, "msg")
	if err == nil {
		err = arg.Set(ctx, "msg", old+" fie")
	}
	if err != nil {
		return nil, err
	}
	return passOn[any](ctx, "foe_update", arg, " foo bar")
}

func passOn[T any](ctx context.Context, method string, args ...any) (v T, err error) {
	conn, err := protocol.Dial(ctx, "tcp", farEnd, &protocol.Config{Access: exposed.Policy{AllowSet: true}})
	if err != nil {
		return v, err
	}
	defer func() { _ = conn.Close() }() // of a connection that is done with
	return netref.Call[T](ctx, conn.Root(), method, args...)
}

// threadsService calls back from a goroutine.
type threadsService struct{}

var _ = exposed.Register[threadsService](exposed.ClassOptions{
	Static: map[string]any{"Invoker": invokerClass},
})

type invoker struct {
	stop    chan struct{}
	stopped chan struct{}
}

var invokerClass = exposed.Register[invoker](exposed.ClassOptions{Name: "tests.test_threads.exposed_Invoker",
	New: newInvoker})

func newInvoker(ctx context.Context, callback *netref.Object, seconds float64) *invoker {
	inv := &invoker{stop: make(chan struct{}), stopped: make(chan struct{})}
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer close(inv.stopped)
		every := time.NewTicker(time.Duration(seconds * float64(time.Second)))
		defer every.Stop()
		for {
			now := float64(time.Now().UnixNano()) / 1e9
			if _, err := callback.CallAsync(ctx, now); err != nil {
				return
			}
			select {
			case <-inv.stop:
				return
			case <-every.C:
			}
		}
	}()
	return inv
}

// Stop ends the calls.
func (inv *invoker) Stop() {
	close(inv.stop)
	<-inv.stopped
}

// Foo takes long.
func (threadsService) Foo(x int) int {
	time.Sleep(2 * time.Second)
	return x * 17
}
