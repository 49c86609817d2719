package exposed_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// shelf implements every interface that names a piece of Python's syntax.
type shelf struct {
	books []string
	next  int
}

var (
	_ exposed.Lener          = (*shelf)(nil)
	_ exposed.Getter         = (*shelf)(nil)
	_ exposed.Setter         = (*shelf)(nil)
	_ exposed.Deleter        = (*shelf)(nil)
	_ exposed.Container      = (*shelf)(nil)
	_ exposed.Iterable       = (*shelf)(nil)
	_ exposed.Iterator       = (*shelf)(nil)
	_ exposed.Caller         = (*shelf)(nil)
	_ exposed.ContextManager = (*shelf)(nil)
	_ exposed.Equaler        = (*shelf)(nil)
	_ exposed.Hasher         = (*shelf)(nil)
	_ exposed.Lesser         = (*shelf)(nil)
	_ exposed.Booler         = (*shelf)(nil)
	_ exposed.Indexer        = (*shelf)(nil)
	_ exposed.Formatter      = (*shelf)(nil)
	_ exposed.Reprer         = (*shelf)(nil)
	_ exposed.Strer          = (*shelf)(nil)
)

func (s *shelf) PyLen() int                     { return len(s.books) }
func (s *shelf) PyGetItem(key any) (any, error) { return s.books[key.(int64)], nil }
func (s *shelf) PySetItem(key, value any) error { s.books[key.(int64)] = value.(string); return nil }
func (s *shelf) PyDelItem(any) error            { s.books = s.books[1:]; return nil }
func (s *shelf) PyContains(item any) (bool, error) {
	return slices.Contains(s.books, item.(string)), nil
}
func (s *shelf) PyIter() any                          { return s.books }
func (s *shelf) PyCall(args ...any) (any, error)      { return len(args), nil }
func (s *shelf) PyEq(other any) (any, error)          { return other == "shelf", nil }
func (s *shelf) PyHash() int64                        { return 7 }
func (s *shelf) PyLt(any) (any, error)                { return true, nil }
func (s *shelf) PyBool() bool                         { return false }
func (s *shelf) PyIndex() int64                       { return 1 }
func (s *shelf) PyFormat(spec string) (string, error) { return "formatted " + spec, nil }
func (s *shelf) PyRepr() string                       { return "repr" }
func (s *shelf) PyStr() string                        { return "str" }

func (s *shelf) PyNext() (any, error) {
	if s.next == len(s.books) {
		return nil, vinegar.StopIteration.New()
	}
	s.next++
	return s.books[s.next-1], nil
}

func (s *shelf) PyEnter(context.Context) (any, error) { return s, nil }
func (s *shelf) PyExit(_ context.Context, exc error) (bool, error) {
	return exc != nil, nil
}

// TestInterfaces does to an object what each of the interfaces opens.
func TestInterfaces(t *testing.T) {
	special := func(name string, args ...any) func(s *shelf) (any, error) {
		return func(s *shelf) (any, error) {
			return exposed.CallAttr(ctx, &exposed.Policy{AllowAll: true}, s, name, exposed.NewArgs(args, nil))
		}
	}
	list := exposed.NewList("zero", "one", "two")
	for _, c := range []struct {
		name string
		do   func(s *shelf) (any, error)
		want any
	}{
		{"Lener", func(s *shelf) (any, error) { return exposed.Len(ctx, s) }, 2},
		{"Getter", func(s *shelf) (any, error) { return exposed.GetItem(ctx, s, 1) }, "b"},
		{"Setter", special("__setitem__", int64(1), "c"), nil},
		{"Deleter", special("__delitem__", int64(0)), nil},
		{"Container", func(s *shelf) (any, error) { return exposed.Contains(ctx, s, "a") }, true},
		{"Iterable", func(s *shelf) (any, error) { return exposed.BuffIter(ctx, s, nil) }, brine.Tuple{"a", "b"}},
		{"Iterator", func(s *shelf) (any, error) { v, _, err := exposed.Next(ctx, s); return v, err }, "a"},
		{"Caller", func(s *shelf) (any, error) { return exposed.Call(ctx, s, exposed.NewArgs([]any{1, 2}, nil)) }, 2},
		{"ContextManager", special("__exit__", nil, vinegar.ValueError.New("x"), nil), true},
		{"ContextManager in order", special("__exit__", nil, nil, nil), false},
		{"Equaler", func(s *shelf) (any, error) { return exposed.Equal(ctx, s, "shelf") }, true},
		{"Hasher", func(s *shelf) (any, error) { return exposed.Hash(ctx, s) }, int64(7)},
		{"Lesser", func(s *shelf) (any, error) { return exposed.Operate(ctx, "__lt__", s, 1) }, true},
		{"Booler", func(s *shelf) (any, error) { return exposed.Truth(ctx, s) }, false},
		{"Indexer", func(s *shelf) (any, error) { return exposed.GetItem(ctx, list, s) }, "one"},
		{"Formatter", special("__format__", ">3"), "formatted >3"},
		{"Reprer", func(s *shelf) (any, error) { return exposed.Repr(ctx, s) }, "repr"},
		{"Strer", func(s *shelf) (any, error) { return exposed.Str(ctx, s) }, "str"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.do(&shelf{books: []string{"a", "b"}})
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(c.want), fmt.Sprint(got))
		})
	}
}

// TestExceptionOf makes an exception of a class that is not told: families A and B call all classes type.
func TestExceptionOf(t *testing.T) {
	for name, want := range map[string]*vinegar.Class{
		"builtins.type": vinegar.Exception, "builtins.KeyError": vinegar.KeyError,
	} {
		require.Same(t, want, exposed.ExceptionOf(netref.New(nil, refOf(name))).Class, name)
	}
}
