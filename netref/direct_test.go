package netref_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// counter has a method that returns its only argument, or how many there are; failing has one that fails.
type (
	counter struct{}
	failing struct{}
)

func (counter) F(args ...any) any {
	if len(args) == 1 {
		return args[0]
	}
	return len(args)
}

func (failing) F(...any) error { return vinegar.ValueError.New("no") }

// TestFuncForms calls funcs of types that are made without reflection, and one of a type that is not.
func TestFuncForms(t *testing.T) {
	type funcs struct {
		None        func() error                                        `rpyc:"f"`
		NoneCtx     func(context.Context) error                         `rpyc:"f"`
		One         func(int) error                                     `rpyc:"f"`
		OneCtx      func(context.Context, any) error                    `rpyc:"f"`
		Two         func(int, any) error                                `rpyc:"f"`
		TwoCtx      func(context.Context, string, int) error            `rpyc:"f"`
		Get         func() (int, error)                                 `rpyc:"f"`
		GetCtx      func(context.Context) (any, error)                  `rpyc:"f"`
		Bare        func() int                                          `rpyc:"f"`
		BareCtx     func(context.Context) float64                       `rpyc:"f"`
		Same        func(string) (string, error)                        `rpyc:"f"`
		SameCtx     func(context.Context, float64) (float64, error)     `rpyc:"f"`
		SameBare    func(int) int                                       `rpyc:"f"`
		SameBareCtx func(context.Context, any) bool                     `rpyc:"f"`
		Many        func(int, string) (int, error)                      `rpyc:"f"`
		ManyCtx     func(context.Context, string, float64) (int, error) `rpyc:"f"`
		ManyBare    func(float64, int) int                              `rpyc:"f"`
		ManyBareCtx func(context.Context, int, int) any                 `rpyc:"f"`
		Three       func(ctx context.Context, a, b, c int) (int, error) `rpyc:"f"`
	}
	ctx := t.Context()
	var good, bad funcs
	root, _ := connect(t, counter{}, nil)
	require.NoError(t, netref.Bind(ctx, root, &good))
	root, _ = connect(t, failing{}, nil)
	require.NoError(t, netref.Bind(ctx, root, &bad))
	for i, c := range []struct {
		want any
		call func(f *funcs) (any, error)
	}{
		{nil, func(f *funcs) (any, error) { return nil, f.None() }},
		{nil, func(f *funcs) (any, error) { return nil, f.NoneCtx(ctx) }},
		{nil, func(f *funcs) (any, error) { return nil, f.One(1) }},
		{nil, func(f *funcs) (any, error) { return nil, f.OneCtx(ctx, 1) }},
		{nil, func(f *funcs) (any, error) { return nil, f.Two(1, 2) }},
		{nil, func(f *funcs) (any, error) { return nil, f.TwoCtx(ctx, "a", 2) }},
		{0, func(f *funcs) (any, error) { return f.Get() }},
		{int64(0), func(f *funcs) (any, error) { return f.GetCtx(ctx) }},
		{0, func(f *funcs) (any, error) { return f.Bare(), nil }},
		{0.0, func(f *funcs) (any, error) { return f.BareCtx(ctx), nil }},
		{"x", func(f *funcs) (any, error) { return f.Same("x") }},
		{2.5, func(f *funcs) (any, error) { return f.SameCtx(ctx, 2.5) }},
		{7, func(f *funcs) (any, error) { return f.SameBare(7), nil }},
		{true, func(f *funcs) (any, error) { return f.SameBareCtx(ctx, true), nil }},
		{2, func(f *funcs) (any, error) { return f.Many(1, "x") }},
		{2, func(f *funcs) (any, error) { return f.ManyCtx(ctx, "x", 1) }},
		{2, func(f *funcs) (any, error) { return f.ManyBare(1, 1), nil }},
		{int64(2), func(f *funcs) (any, error) { return f.ManyBareCtx(ctx, 1, 1), nil }},
		{3, func(f *funcs) (any, error) { return f.Three(ctx, 1, 2, 3) }},
	} {
		got, err := c.call(&good)
		require.NoError(t, err, i)
		require.Equal(t, c.want, got, i)
		err = func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = p.(error)
				}
			}()
			_, err = c.call(&bad)
			return err
		}()
		require.ErrorIs(t, err, vinegar.ValueError, i)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, good.NoneCtx(gone), context.Canceled)
	var none context.Context
	n, err := good.ManyCtx(none, "x", 1)
	require.NoError(t, err, "as without a context")
	require.Equal(t, 2, n)
}

// TestFuncAllocations compares a bound func with a call that is made without one.
func TestFuncAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector pools forget at random")
	}
	root, _ := connect(t, counter{}, nil)
	ctx := t.Context()
	var funcs struct {
		Two   func(ctx context.Context, a, b int) (int, error)   `rpyc:"f"`
		Two32 func(ctx context.Context, a, b int32) (int, error) `rpyc:"f"`
	}
	require.NoError(t, netref.Bind(ctx, root, &funcs))
	allocations := func(call func() (int, error)) float64 {
		return testing.AllocsPerRun(500, func() {
			if n, err := call(); n != 2 || err != nil {
				t.Error(n, err)
			}
		})
	}
	plain := allocations(func() (int, error) { return netref.Call[int](ctx, root, "f", 1, 2) })
	require.InDelta(t, plain, allocations(func() (int, error) { return funcs.Two(ctx, 1, 2) }), 0.5)
	require.LessOrEqual(t, allocations(func() (int, error) { return funcs.Two32(ctx, 1, 2) }), plain+5.5)
}
