package main

import (
	"context"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// guarded has attributes of every visibility.
type guarded struct{}

var guardedClass = exposed.Register[guarded](exposed.ClassOptions{
	Name: "tests.test_attr_access.MyClass",
	New:  func() *guarded { return new(guarded) },
	Hidden: map[string]any{
		"foo":    func(*guarded) string { return "foo" },
		"bar":    func(*guarded) string { return "bar" },
		"spam":   func(*guarded) string { return "spam" },
		"_privy": func(*guarded) string { return "privy" },
	},
})

// PyAdd is g + other.
func (g *guarded) PyAdd(ctx context.Context, other any) (string, error) {
	s, err := exposed.Str(ctx, other)
	return "foo" + s, err
}

// Foobar is exposed.
func (g *guarded) Foobar() string { return "Fee Fie Foe Foo" }

// attrService hands objects out, some of them restricted.
type attrService struct{}

var _ = exposed.Register[attrService](exposed.ClassOptions{
	Name:   "tests.test_attr_access.MyService",
	Static: map[string]any{"MyClass": guardedClass},
})

var shown = []string{"exposed_foobar", "__add__", "_privy", "foo", "bar"}

// GetOne returns a restricted object.
func (attrService) GetOne() any { return exposed.Restricted(new(guarded), shown, shown) }

// GetTwo returns an object whose results are restricted as well.
func (attrService) GetTwo() any {
	return &protected{new(yours), []string{"lala", "baba"}}
}

type yours struct{}

// Lala makes an object.
func (yours) Lala() any { return &protected{new(guarded), shown} }

// Baba and Gaga are methods of which one is shown.
func (yours) Baba() string { return "baba" }

// Gaga is the other one.
func (yours) Gaga() string { return "gaga" }

// protected shows some attributes of what it wraps.
type protected struct {
	v     any
	shown []string
}

// PyGetAttr implements exposed.AttrGetter.
func (p *protected) PyGetAttr(ctx context.Context, name string) (any, error) {
	if !slices.Contains(p.shown, name) {
		return nil, vinegar.AttributeError.New(name)
	}
	return exposed.GetAttr(ctx, &exposed.Policy{AllowAll: true}, p.v, name)
}

// descriptorService has attributes that fail.
type descriptorService struct{}

var _ = exposed.Register[descriptorService](exposed.ClassOptions{
	Name: "tests.test_attr_access.MyDecoratedService",
	Properties: map[string]exposed.Property{
		"desc_1": {Get: func(*descriptorService) (any, error) { return nil, vinegar.AttributeError.New("abcd") }},
		"desc_2": {Get: func(*descriptorService) (any, error) { return nil, vinegar.RuntimeError.New("efgh") }},
	},
})
