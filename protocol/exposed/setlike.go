package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
)

// setLike is what the operations of sets need of an operand.
type setLike interface {
	size() int
	has(ctx context.Context, v any) (bool, error)
	members(ctx context.Context) ([]any, error)
	brought() int64
}

type mappingSet struct{ mapping }

func (m mappingSet) has(ctx context.Context, v any) (bool, error) {
	_, ok, err := m.get(ctx, v)
	return ok, err
}

func (m mappingSet) members(context.Context) ([]any, error) { return m.keys(), nil }

type viewSet struct{ v *dictView }

func (s viewSet) size() int { return s.v.m.size() }

func (s viewSet) has(ctx context.Context, v any) (bool, error) { return s.v.contains(ctx, v) }

func (s viewSet) members(ctx context.Context) ([]any, error) { return s.v.all(ctx) }

func (s viewSet) brought() int64 { return s.v.m.brought() }

// asSet recognises sets, frozensets and the views of dicts that behave like sets.
func asSet(ctx context.Context, v any) (setLike, bool, error) {
	switch x := norm(v).(type) {
	case brine.FrozenSet:
		s, err := setOf(ctx, x, quota.WeightOf(x))
		return mappingSet{&s.d}, true, err
	case *dictView:
		return viewSet{x}, x.kind != valuesView, nil
	}
	if !ClassOf(v).IsSubclass(setClass) {
		return nil, false, nil
	}
	m, ok := asMapping(v)
	return mappingSet{m}, ok, nil
}

// iterableSet makes a set of anything that can be iterated, unless it is one.
func iterableSet(ctx context.Context, v any) (setLike, error) {
	if s, ok, err := asSet(ctx, v); ok || err != nil {
		return s, err
	}
	if !iterable(v) {
		return nil, notIterable(norm(v))
	}
	all, err := items(ctx, v)
	if err != nil {
		return nil, err
	}
	s, err := setOf(ctx, all, brought(v, all))
	return mappingSet{&s.d}, err
}

func disjoint(ctx context.Context, a, b setLike) (bool, error) {
	s, err := combine(ctx, "and", a, b)
	return err == nil && s.Len() == 0, err
}

// setOf makes a set of items, of whose weight brought at most is what a peer has sent.
func setOf(ctx context.Context, items []any, brought int64) (*Set, error) {
	s := new(Set)
	for _, v := range items {
		if err := s.d.share(ctx, v, nil); err != nil {
			return s, err
		}
	}
	return s, s.d.hold(ctx, brought)
}

// combine applies one of the operators of sets: "or", "and", "sub" or "xor".
func combine(ctx context.Context, op string, a, b setLike) (*Set, error) {
	if ctx.Err() != nil { // a peer can have any number combined in one request
		return nil, context.Cause(ctx)
	}
	out := new(Set)
	pick := func(from, other setLike, when bool) error {
		all, err := from.members(ctx)
		if err != nil {
			return err
		}
		for _, v := range all {
			var in bool
			if op != "or" {
				if in, err = other.has(ctx, v); err != nil {
					return err
				}
			} else {
				in = when
			}
			if in == when {
				if err := out.d.share(ctx, v, nil); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := pick(a, b, op == "and"); err != nil {
		return nil, err
	}
	if op == "or" || op == "xor" {
		if err := pick(b, a, false); err != nil {
			return nil, err
		}
	}
	return out, out.d.hold(ctx, a.brought()+b.brought())
}

// subset reports whether all of a is in b.
func subset(ctx context.Context, a, b setLike) (bool, error) {
	if a.size() > b.size() {
		return false, nil
	}
	all, err := a.members(ctx)
	if err != nil {
		return false, err
	}
	for _, v := range all {
		if in, err := b.has(ctx, v); err != nil || !in {
			return false, err
		}
	}
	return true, nil
}

// replaceSet gives a set the items of another.
func replaceSet(ctx context.Context, m mapping, by *Set) error {
	for _, v := range m.keys() {
		in, err := by.Has(ctx, v)
		if err == nil && !in {
			_, _, err = m.del(ctx, v)
		}
		if err != nil {
			return err
		}
	}
	for _, v := range by.Items() {
		if err := m.set(ctx, v, nil); err != nil {
			return err
		}
	}
	return nil
}
