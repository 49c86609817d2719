//go:build unix

package modules

import (
	"context"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// lazy is an iterator that computes its items; the classes of builtins that are such embed it.
type lazy struct {
	mu    sync.Mutex
	step  func(ctx context.Context) (any, bool, error)
	nests bool // step asks others, which may be such iterators again
}

// asking makes a lazy whose step asks other objects.
func asking(step func(ctx context.Context) (any, bool, error)) lazy {
	return lazy{step: step, nests: true}
}

type (
	enumerateIter struct{ lazy }
	zipIter       struct{ lazy }
	mapIter       struct{ lazy }
	filterIter    struct{ lazy }
	reversedIter  struct{ lazy }
	callIter      struct{ lazy }
)

// PyNext is next(it).
func (l *lazy) PyNext(ctx context.Context) (any, error) {
	l.mu.Lock()
	step := l.step
	l.mu.Unlock()
	if step == nil {
		return nil, vinegar.StopIteration.New()
	}
	if err := exposed.Count(ctx); err != nil { // nothing else ends a loop over an endless iterator
		return nil, err
	}
	if l.nests {
		var err error
		if ctx, err = exposed.Descend(ctx, ""); err != nil {
			return nil, err
		}
	}
	v, ok, err := step(ctx)
	if err != nil || ok {
		return v, err
	}
	l.mu.Lock()
	l.step = nil
	l.mu.Unlock()
	return nil, vinegar.StopIteration.New()
}

// iterClass registers a class of iterators; make takes what the constructor is given.
func iterClass[T any](name string, make any, params ...string) *exposed.Class {
	o := exposed.ClassOptions{Name: name, Hidden: map[string]any{"__iter__": func(it *T) *T { return it }}}
	if make != nil {
		o.New = exposed.Func(make, params...)
	}
	return exposed.Register[T](o)
}

var (
	enumerateClass = iterClass[enumerateIter]("builtins.enumerate", newEnumerate, "iterable", "start=0")
	zipClass       = iterClass[zipIter]("builtins.zip", newZip, "*iterables", "strict=False")
	mapClass       = iterClass[mapIter]("builtins.map", newMap, "func", "*iterables")
	filterClass    = iterClass[filterIter]("builtins.filter", newFilter, "function", "iterable", "/")
	reversedClass  = iterClass[reversedIter]("builtins.reversed", newReversed, "sequence", "/")
	_              = iterClass[callIter]("builtins.callable_iterator", nil)
)

func defineIteration(m *Module) {
	m.Const("enumerate", enumerateClass, "zip", zipClass, "map", mapClass, "filter", filterClass, "reversed",
		reversedClass, "range", rangeClass)
	m.Def("iter", func(ctx context.Context, v any, sentinel ...any) (any, error) {
		if len(sentinel) == 0 {
			return exposed.Iter(ctx, v)
		}
		if !callable(ctx, v) {
			return nil, vinegar.TypeError.New("iter(v, w): v must be callable")
		}
		return &callIter{asking(func(ctx context.Context) (any, bool, error) {
			r, err := exposed.Call(ctx, v, &exposed.Args{})
			if err != nil {
				return nil, false, err
			}
			end, err := exposed.Equal(ctx, r, sentinel[0])
			return r, !end, err
		})}, nil
	})
	m.Def("next", func(ctx context.Context, it any, missing ...any) (any, error) {
		v, ok, err := exposed.Next(ctx, it)
		switch {
		case err != nil || ok:
			return v, err
		case len(missing) > 0:
			return missing[0], nil
		}
		return nil, vinegar.StopIteration.New()
	})
}

func newEnumerate(ctx context.Context, items any, start int64) (*enumerateIter, error) {
	it, err := exposed.Iter(ctx, items)
	if err != nil {
		return nil, err
	}
	i := start - 1
	return &enumerateIter{asking(func(ctx context.Context) (any, bool, error) {
		v, ok, err := exposed.Next(ctx, it)
		i++
		return brine.Tuple{i, v}, ok, err
	})}, nil
}

func iterators(ctx context.Context, sources []any) ([]any, error) {
	its := make([]any, len(sources))
	for i, s := range sources {
		it, err := exposed.Iter(ctx, s)
		if err != nil {
			return nil, err
		}
		its[i] = it
	}
	return its, nil
}

func newZip(ctx context.Context, sources []any, strict bool) (*zipIter, error) {
	its, err := iterators(ctx, sources)
	if err != nil {
		return nil, err
	}
	return &zipIter{asking(func(ctx context.Context) (any, bool, error) {
		t := make(brine.Tuple, len(its))
		for i, it := range its {
			v, ok, err := exposed.Next(ctx, it)
			if err != nil {
				return nil, false, err
			}
			if !ok {
				return nil, false, zipEnd(ctx, its, i, strict)
			}
			t[i] = v
		}
		return t, len(its) > 0, nil
	})}, nil
}

// zipEnd complains about iterables of different lengths when the one at i has ended.
func zipEnd(ctx context.Context, its []any, i int, strict bool) error {
	if !strict {
		return nil
	}
	which := func(n int) string {
		if n == 1 {
			return " 1"
		}
		return "s 1-" + string(rune('0'+min(n, 9)))
	}
	if i > 0 {
		return vinegar.ValueError.Errorf("zip() argument %d is shorter than argument%s", i+1, which(i))
	}
	for j, it := range its[1:] {
		if _, ok, err := exposed.Next(ctx, it); err != nil || ok {
			if err != nil {
				return err
			}
			return vinegar.ValueError.Errorf("zip() argument %d is longer than argument%s", j+2, which(j+1))
		}
	}
	return nil
}

func newMap(ctx context.Context, f any, sources []any) (*mapIter, error) {
	if len(sources) == 0 {
		return nil, vinegar.TypeError.New("map() must have at least two arguments.")
	}
	its, err := iterators(ctx, sources)
	if err != nil {
		return nil, err
	}
	return &mapIter{asking(func(ctx context.Context) (any, bool, error) {
		args := make([]any, len(its))
		for i, it := range its {
			v, ok, err := exposed.Next(ctx, it)
			if err != nil || !ok {
				return nil, false, err
			}
			args[i] = v
		}
		r, err := exposed.Call(ctx, f, exposed.NewArgs(args, nil))
		return r, err == nil, err
	})}, nil
}

func newFilter(ctx context.Context, f, items any) (*filterIter, error) {
	it, err := exposed.Iter(ctx, items)
	if err != nil {
		return nil, err
	}
	return &filterIter{asking(func(ctx context.Context) (any, bool, error) {
		for {
			v, ok, err := exposed.Next(ctx, it)
			if err != nil || !ok {
				return nil, false, err
			}
			r := v
			if f != nil {
				if r, err = exposed.Call(ctx, f, exposed.NewArgs([]any{v}, nil)); err != nil {
					return nil, false, err
				}
			}
			if t, err := exposed.Truth(ctx, r); err != nil || t {
				return v, err == nil, err
			}
		}
	})}, nil
}

func newReversed(ctx context.Context, v any) (any, error) {
	if r, err := exposed.CallAttr(ctx, everything, v, "__reversed__", &exposed.Args{}); err == nil ||
		!isA(err, vinegar.AttributeError) {
		return r, err
	}
	n, err := exposed.Len(ctx, v)
	if err != nil {
		return nil, vinegar.TypeError.Errorf("'%s' object is not reversible", exposed.TypeName(v))
	}
	return &reversedIter{asking(func(ctx context.Context) (any, bool, error) {
		if n == 0 {
			return nil, false, nil
		}
		n--
		r, err := exposed.GetItem(ctx, v, int64(n))
		return r, err == nil, err
	})}, nil
}
