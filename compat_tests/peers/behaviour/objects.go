package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Gadget is an object with attributes of every visibility.
type Gadget struct {
	exposed.Attrs
	n int
}

func newGadget() *Gadget {
	g := &Gadget{}
	g.Set("exposed_value", 10)
	return g
}

var _ = exposed.Register[Gadget](exposed.ClassOptions{
	Name:   "behaviour_service.Gadget",
	Doc:    "An object with attributes of every visibility.",
	Params: map[string][]string{"Describe": {"verbose=False"}},
	Docs:   map[string]string{"Describe": "Describe the gadget.", "plain": "not exposed"},
	Properties: map[string]exposed.Property{
		"counter": {Get: func(g *Gadget) int { g.n++; return g.n }, Probed: true},
		"bad": {Get: func(*Gadget) (int, error) {
			return 0, vinegar.ZeroDivisionError.New("division by zero")
		}, Probed: true},
		"ro": {Get: func(*Gadget) string { return "read-only" }, Probed: true},
	},
	Hidden: map[string]any{
		"hidden":   "hidden",
		"_private": "private",
		"plain":    func(*Gadget) string { return "plain" },
	},
})

// Describe describes the gadget.
func (g *Gadget) Describe(ctx context.Context, verbose any) (string, error) {
	value, ok := g.Get("exposed_value")
	if !ok {
		return "", vinegar.AttributeError.New("'Gadget' object has no attribute 'exposed_value'")
	}
	v, err := exposed.Str(ctx, value)
	if err != nil {
		return "", err
	}
	how, err := exposed.Str(ctx, verbose)
	return "gadget value=" + v + " verbose=" + how, err
}

// Tracked is logged when nobody has it any more: neither the client nor the service.
type Tracked struct {
	exposed.Attrs
	Name string

	gone *atomic.Bool // set when the object is no more
	once sync.Once
}

var _ = exposed.Register[Tracked](exposed.ClassOptions{
	Name: "behaviour_service.Tracked",
	Doc:  "Logs final:<name> when the server drops it.",
})

func newTracked(w *world, name string) *Tracked {
	gone := new(atomic.Bool)
	t := &Tracked{Name: name, gone: gone}
	runtime.AddCleanup(t, func(name string) {
		gone.Store(true)
		w.log("final:" + name)
	}, name)
	return t
}

// PyDrop is called when the client has let go of the object. Something of the service's, such as a list, may still have
// it: from now on the collector is asked until it is no more.
func (t *Tracked) PyDrop() {
	gone := t.gone // the goroutine must not hold t
	t.once.Do(func() { go collectUntil(gone) })
}

// collectUntil asks the collector to run, ever more seldom, until the object is gone.
func collectUntil(gone *atomic.Bool) {
	for pause := 50 * time.Millisecond; !gone.Load(); pause = min(2*pause, time.Second) {
		protocol.CollectSoon()
		time.Sleep(pause)
	}
}

// Context is a context manager.
type Context struct {
	exposed.Attrs
	tag      string
	suppress bool
	world    *world
}

var _ = exposed.Register[Context](exposed.ClassOptions{Name: "behaviour_service.Context", Doc: "A context manager."})

// PyEnter begins the context.
func (c *Context) PyEnter() string {
	c.world.log("enter:" + c.tag)
	return "entered:" + c.tag
}

// PyExit ends the context; exc is what ended it, nil for nothing.
func (c *Context) PyExit(exc any) bool {
	word := "False"
	if exc != nil {
		word = "True"
	}
	c.world.log("exit:" + c.tag + ":" + word)
	return c.suppress
}
