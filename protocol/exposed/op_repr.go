package exposed

import (
	"context"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Repr is Python's repr(v).
func Repr(ctx context.Context, v any) (s string, err error) {
	defer protect(&err)
	v, _ = ByValue(v)
	return reprValue(ctx, v)
}

// Str is Python's str(v).
func Str(ctx context.Context, v any) (s string, err error) {
	defer protect(&err)
	v, _ = ByValue(v)
	switch x := v.(type) {
	case string:
		return x, nil
	case *netref.Object:
		return x.Str(ctx)
	}
	if a := ClassOf(v).flat["__str__"]; a != nil && a != objectClass.flat["__str__"] {
		return text(ctx, v, a)
	}
	return reprValue(ctx, v)
}

func reprValue(ctx context.Context, v any) (string, error) {
	if s, ok := reprPlain(v); ok {
		return bounded(s) // the repr of a text can be several times as long, and that of the repr again
	}
	switch x := v.(type) {
	case *netref.Object:
		return x.Repr(ctx)
	case brine.Tuple:
		return reprTuple(ctx, x)
	case brine.FrozenSet:
		if len(x) == 0 {
			return "frozenset()", nil
		}
		return reprItems(ctx, "frozenset({", "})", x)
	case brine.Slice:
		return reprItems(ctx, "slice(", ")", []any{x.Start, x.Stop, x.Step})
	}
	return text(ctx, v, ClassOf(v).flat["__repr__"])
}

// text calls a method that has to return a str.
func text(ctx context.Context, v any, a *attr) (string, error) {
	r, err := a.invoke(ctx, v, &Args{})
	if err != nil {
		return "", err
	}
	r, _ = ByValue(r)
	s, ok := r.(string)
	if !ok {
		return "", vinegar.TypeError.Errorf("%s returned non-string (type %s)", a.name, TypeName(r))
	}
	return s, nil
}

// reprPlain is the repr of a plain value that is no container.
func reprPlain(v any) (string, bool) {
	switch v.(type) {
	case brine.Tuple, brine.FrozenSet, brine.Slice:
		return "", false
	}
	if pyvalue.TypeName(v) == "" {
		return "", false
	}
	return pyvalue.Repr(v), true
}

// bounded refuses a repr that is too long.
func bounded(s string) (string, error) {
	if len(s) > maxText {
		return "", reprTooLong()
	}
	return s, nil
}

func reprTooLong() error { return vinegar.MemoryError.Errorf("repr exceeds %d bytes", maxText) }

func reprTuple(ctx context.Context, t []any) (string, error) {
	if len(t) == 1 {
		return reprItems(ctx, "(", ",)", t)
	}
	return reprItems(ctx, "(", ")", t)
}

func reprItems(ctx context.Context, open, end string, items []any) (string, error) {
	ctx, err := Descend(ctx, " while getting the repr of an object")
	if err != nil {
		return "", err
	}
	var b reprText
	defer b.held.Release()
	b.WriteString(open)
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := b.add(ctx, item); err != nil {
			return "", err
		}
	}
	b.WriteString(end)
	return b.String(), nil
}

// reprText is a repr that is being put together.
type reprText struct {
	strings.Builder
	held quota.Held
}

// add adds the repr of v, which may be the peer's, who takes long.
func (b *reprText) add(ctx context.Context, v any) error {
	if err := b.held.Grow(ctx, int64(b.Len())); err != nil {
		return err
	}
	form, _ := ByValue(v)
	s, err := reprValue(ctx, form)
	if err != nil {
		return err
	}
	if b.Len()+len(s) > maxText {
		return reprTooLong()
	}
	b.WriteString(s)
	return nil
}

// reprKey is the context key of the containers whose repr is being made.
type reprKey struct{}

type reprChain struct {
	key   any
	outer *reprChain
}

// reprGuard reports whether the repr of the container is being made already, further out.
func reprGuard(ctx context.Context, v any) (context.Context, bool) {
	key, ok := Identity(v)
	if !ok {
		return ctx, false
	}
	chain, _ := ctx.Value(reprKey{}).(*reprChain)
	for c := chain; c != nil; c = c.outer {
		if c.key == key {
			return ctx, true
		}
	}
	return context.WithValue(ctx, reprKey{}, &reprChain{key, chain}), false
}
