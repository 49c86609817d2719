package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// slave stands in for the SlaveService of tests that use classic mode merely to get at objects. It is no interpreter:
// it has the modules, and knows the few statements, that those tests use.
type slave struct {
	Namespace *exposed.Dict
	deleted   *exposed.List
	files     map[string]string
}

var _ = exposed.Register[slave](exposed.ClassOptions{
	Name:   "rpyc.core.service.ClassicService",
	Params: map[string][]string{"Execute": {"text"}, "Eval": {"text"}, "Getmodule": {"name"}},
})

func newSlave(c *control) *slave { return &slave{exposed.NewDict(), exposed.NewList(), c.files} }

// enforce is what a SlaveService makes of its connection's configuration.
func (s *slave) enforce(cfg *protocol.Config) {
	cfg.Access = exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true, DenyExposed: true}
}

// Execute carries out one of the statements.
func (s *slave) Execute(ctx context.Context, text string) error {
	switch {
	case strings.Contains(text, "class DummyObject"):
		if err := s.Namespace.Set(ctx, "deleted_objects", s.deleted); err != nil {
			return err
		}
		return s.Namespace.Set(ctx, "DummyObject", exposed.Func(func(name string) *dummy {
			return &dummy{name, s.deleted}
		}, "name"))
	case text == "dict_ = dict(a=0xd35db33f)":
		d := exposed.NewDict()
		if err := d.Set(ctx, "a", int64(0xd35db33f)); err != nil {
			return err
		}
		return s.Namespace.Set(ctx, "dict_", d)
	case text == "x = 5":
		return s.Namespace.Set(ctx, "x", 5)
	case strings.HasPrefix(text, "import "):
		return nil
	}
	var seconds float64
	if _, err := fmt.Sscanf(text, "time.sleep(%g)", &seconds); err == nil {
		time.Sleep(time.Duration(seconds * float64(time.Second)))
		return nil
	}
	return vinegar.NotImplementedError.New("execute: " + text)
}

// Eval evaluates the expression there is.
func (s *slave) Eval(ctx context.Context, text string) (any, error) {
	if text != "1+x" {
		return nil, vinegar.NotImplementedError.New("eval: " + text)
	}
	x, ok, err := s.Namespace.Get(ctx, "x")
	if !ok || err != nil {
		return nil, err
	}
	return exposed.Operate(ctx, "__add__", 1, x)
}

// Getmodule imports a module.
func (s *slave) Getmodule(name string) (any, error) {
	m, ok := modules()[name]
	if !ok {
		return nil, vinegar.NewClass("builtins.ModuleNotFoundError", vinegar.ImportError).New(
			"No module named '" + name + "'")
	}
	if file := s.files[name]; file != "" {
		m.Set("__file__", file)
	}
	return m, nil
}

// module is a Python module.
type module struct {
	exposed.Attrs
	name string
}

var _ = exposed.Register[module](exposed.ClassOptions{Name: "builtins.module"})

// PyRefName implements exposed.Named: modules go by their names.
func (m *module) PyRefName() string { return m.name }

// PyRepr is repr().
func (m *module) PyRepr() string {
	if file, ok := m.Get("__file__"); ok {
		return fmt.Sprintf("<module '%s' from '%s'>", m.name, file)
	}
	return "<module '" + m.name + "'>"
}

func newModule(name string, attrs map[string]any) *module {
	m := &module{name: name}
	m.Set("__name__", name)
	for n, v := range attrs {
		m.Set(n, v)
	}
	return m
}

// modules makes the modules once, so that importing one twice gives the same object.
var modules = sync.OnceValue(func() map[string]*module {
	magic := newModule("tests.test_magic", map[string]any{"Foo": fooClass, "Bar": barClass})
	all := map[string]*module{}
	for _, m := range []*module{
		magic,
		newModule("importlib.util", nil),
		newModule("builtins", map[string]any{
			"list": exposed.ClassOf([]int{}), "dict": exposed.ClassOf(map[int]int{}), "str": exposed.ClassOf(""),
			"type": exposed.ClassOf(exposed.ClassOf("")), "int": exposed.Func(toInt), "id": exposed.Func(idOf),
			"Exception": vinegar.Exception, "BaseException": vinegar.BaseException, "RuntimeError": vinegar.RuntimeError,
		}),
		newModule("sys", nil),
		newModule("time", map[string]any{"sleep": func(d time.Duration) { time.Sleep(d) }}),
		newModule("unittest", nil),
		newModule("xml.dom.minidom", map[string]any{"parseString": func(string) *document { return new(document) }}),
		newModule("tests", map[string]any{"test_magic": magic}),
		newModule("tests.test_attributes", map[string]any{"Properties": propertiesClass}),
	} {
		all[m.name] = m
	}
	return all
})

func toInt(ctx context.Context, v any) (any, error) {
	n, err := netref.As[int](ctx, v)
	if err != nil {
		return nil, vinegar.ValueError.Errorf("invalid literal for int() with base 10: %s", vinegar.Repr(v))
	}
	return n, nil
}

// idOf is id() of a class.
func idOf(v any) (int64, error) {
	if c, ok := v.(*exposed.Class); ok {
		return c.ID(), nil
	}
	return 0, vinegar.NotImplementedError.New("id() of an object")
}

type document struct{}

// dummy tells when the client has let go of it.
type dummy struct {
	name    string
	deleted *exposed.List
}

// PyDrop implements exposed.Dropper.
func (d *dummy) PyDrop() { d.deleted.Append(d.name) }

type foo struct{}

type bar struct{}

var (
	fooClass = exposed.Register[foo](exposed.ClassOptions{Name: "tests.test_magic.Foo", New: func() *foo {
		return new(foo)
	}})
	barClass = exposed.Register[bar](exposed.ClassOptions{
		Name: "tests.test_magic.Bar", New: func() *bar { return new(bar) }, Bases: []*exposed.Class{fooClass},
	})
)

type properties struct{ x int }

var propertiesClass = exposed.Register[properties](exposed.ClassOptions{
	Name: "tests.test_attributes.Properties",
	New:  func() *properties { return new(properties) },
	Properties: map[string]exposed.Property{
		"counter": {Get: func(p *properties) int { p.x++; return p.x }},
		"dont_touch_me": {Get: func(*properties) (int, error) {
			return 0, vinegar.ZeroDivisionError.New("division by zero")
		}},
	},
})
