package exposed_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// TestNestedExceptions has exceptions, and containers with them, inside one another up to a million times. CPython
// raises RecursionError.
func TestNestedExceptions(t *testing.T) {
	for name, wrap := range map[string]func(in any) any{
		"exception": func(in any) any { return vinegar.ValueError.New(in) },
		"two":       func(in any) any { return vinegar.ValueError.New(in, nil) },
		"key":       func(in any) any { return vinegar.KeyError.New(in) },
		"tuple":     func(in any) any { return brine.Tuple{vinegar.ValueError.New(in)} },
		"list":      func(in any) any { return exposed.NewList(vinegar.ValueError.New(in)) },
		"Go slice":  func(in any) any { return &[]any{vinegar.ValueError.New(in)} },
		"Go map":    func(in any) any { return map[string]any{"k": vinegar.ValueError.New(in)} },
	} {
		t.Run(name, func(t *testing.T) {
			deep := 2000
			if name == "exception" {
				deep = 1_000_000
			}
			var x any = int64(1)
			for range deep {
				x = wrap(x)
			}
			_, err := exposed.Str(ctx, x)
			require.ErrorIs(t, err, vinegar.RecursionError)
			_, err = exposed.Repr(ctx, x)
			require.ErrorIs(t, err, vinegar.RecursionError)
		})
	}
}

// TestExponentialMessage doubles the text with every level.
func TestExponentialMessage(t *testing.T) {
	x := vinegar.OSError.New(strings.Repeat("x", 1<<16), "y")
	for range 100 {
		x = vinegar.OSError.New(x, x)
	}
	_, err := exposed.Str(ctx, x)
	require.ErrorIs(t, err, vinegar.MemoryError)
	_, err = exposed.Repr(ctx, x)
	require.ErrorIs(t, err, vinegar.MemoryError)
}

// TestStrOfExceptions has CPython's texts.
func TestStrOfExceptions(t *testing.T) {
	one := vinegar.ValueError.New(int64(1))
	for _, row := range []struct {
		v    any
		want string
	}{
		{vinegar.ValueError.New(one), "1"},
		{vinegar.ValueError.New(exposed.NewList(one)), "[ValueError(1)]"},
		{vinegar.ValueError.New(exposed.NewList(), "x"), "([], 'x')"},
		{vinegar.KeyError.New(&Point{1, 2}), "Point(1, 2)"},
		{vinegar.ValueError.New(&Point{1, 2}), "<1;2>"},
		{vinegar.ValueError.New(), ""},
	} {
		s, err := exposed.Str(ctx, row.v)
		require.NoError(t, err)
		require.Equal(t, row.want, s)
	}
}
