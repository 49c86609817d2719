//go:build unix

package modules

import (
	"context"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// record is a tuple whose items have names: a struct sequence or named tuple of Python. Each such type of Python's is a
// Go type that embeds it.
type record struct {
	exposed.Attrs
	title string // as repr shows it
	names []string
	items brine.Tuple
}

// set fills a new record; more are attributes beyond the items, a name and a value each.
func (r *record) set(title string, names []string, items brine.Tuple, more ...any) {
	r.title, r.names, r.items = title, names, items
	for i, name := range names {
		r.Set(name, items[i])
	}
	for i := 0; i+1 < len(more); i += 2 {
		r.Set(more[i].(string), more[i+1])
	}
}

// recordOptions registers a type that embeds record.
func recordOptions(name string) exposed.ClassOptions {
	return exposed.ClassOptions{Name: name, Omit: attrsMethods()}
}

// PyLen is len(x).
func (r *record) PyLen() int { return len(r.items) }

// PyGetItem is x[key].
func (r *record) PyGetItem(ctx context.Context, key any) (any, error) {
	return exposed.GetItem(ctx, r.items, key)
}

// PyIter is iter(x).
func (r *record) PyIter(ctx context.Context) (any, error) { return exposed.Iter(ctx, r.items) }

// PyContains is v in x.
func (r *record) PyContains(ctx context.Context, v any) (bool, error) {
	return exposed.Contains(ctx, r.items, v)
}

// PyHash is hash(x).
func (r *record) PyHash(ctx context.Context) (any, error) { return exposed.Hash(ctx, r.items) }

// PyEq is x == v.
func (r *record) PyEq(ctx context.Context, v any) (any, error) { return r.compare(ctx, "__eq__", v) }

// PyNe is x != v.
func (r *record) PyNe(ctx context.Context, v any) (any, error) { return r.compare(ctx, "__ne__", v) }

// PyLt is x < v.
func (r *record) PyLt(ctx context.Context, v any) (any, error) { return r.compare(ctx, "__lt__", v) }

// PyLe is x <= v.
func (r *record) PyLe(ctx context.Context, v any) (any, error) { return r.compare(ctx, "__le__", v) }

// PyGt is x > v.
func (r *record) PyGt(ctx context.Context, v any) (any, error) { return r.compare(ctx, "__gt__", v) }

// PyGe is x >= v.
func (r *record) PyGe(ctx context.Context, v any) (any, error) { return r.compare(ctx, "__ge__", v) }

func (r *record) tuple() brine.Tuple { return r.items }

func (r *record) compare(ctx context.Context, op string, v any) (any, error) {
	switch x := v.(type) {
	case brine.Tuple:
		return exposed.Operate(ctx, op, r.items, x)
	case interface{ tuple() brine.Tuple }:
		return exposed.Operate(ctx, op, r.items, x.tuple())
	}
	return brine.NotImplemented, nil
}

// PyRepr is repr(x).
func (r *record) PyRepr(ctx context.Context) (string, error) {
	var b strings.Builder
	b.WriteString(r.title + "(")
	for i, name := range r.names {
		if i > 0 {
			b.WriteString(", ")
		}
		s, err := exposed.Repr(ctx, r.items[i])
		if err != nil {
			return "", err
		}
		b.WriteString(name + "=" + s)
	}
	return b.String() + ")", nil
}
