package vinegar

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

type base = Error

// failure is an exception class as a Go program may write one: it embeds what it does not change.
type failure struct{ *base }

// wordy is one whose text is its own, and contains that of its arguments.
type wordy struct{ *base }

func (w *wordy) Error() string { return "wordy: " + Repr(brine.Tuple(w.Args)) }

// TestNestedExceptions is the attack in which a peer makes exceptions the arguments of others, up to a million times.
func TestNestedExceptions(t *testing.T) {
	for name, wrap := range map[string]func(in any) error{
		"exception": func(in any) error { return ValueError.New(in) },
		"key":       func(in any) error { return KeyError.New(in) },
		"two":       func(in any) error { return ValueError.New(in, in) },
		"errno":     func(in any) error { return OSError.New(int64(2), in) },
		"os":        func(in any) error { return OSError.New(in, in) },
		"syntax":    func(in any) error { return SyntaxError.New(in) },
		"tuple":     func(in any) error { return ValueError.New(brine.Tuple{in}) },
		"list":      func(in any) error { return ValueError.New([]any{in}) },
		"map":       func(in any) error { return ValueError.New(map[string]any{"k": in}) },
		"embedded":  func(in any) error { return &failure{ValueError.New(in)} },
		"own text":  func(in any) error { return &wordy{ValueError.New(in)} },
		"attribute": func(in any) error { return UnicodeDecodeError.New(in, []byte("x"), int64(0), int64(1), in) },
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
			err := x.(error)
			e := FromError(err)
			for _, text := range []string{
				err.Error(), Repr(err), e.Message(), e.Error(), e.FormatTraceback(), FromPanic(err, nil).Error(),
				FromError(fmt.Errorf("in: %w", err)).Error(),
			} {
				require.Less(t, len(text), 64<<20)
			}
			_, failed := AppendPayload(nil, e, nil)
			require.NoError(t, failed)
			require.ErrorIs(t, e, e.Class)
		})
	}
}

// TestLongCauses is the same with causes.
func TestLongCauses(t *testing.T) {
	x := ValueError.New("first")
	for range 1_000_000 {
		x = ValueError.New("next").From(x)
	}
	require.NotErrorIs(t, x, KeyError)
	var group interface{ Unwrap() []error }
	require.False(t, errors.As(x, &group))
	require.Equal(t, "ValueError: next", x.Error())
	require.Less(t, len(x.FormatTraceback()), 64<<10)
	_, err := AppendPayload(nil, x, nil)
	require.NoError(t, err)
}

// TestMessageOfNested has the texts of CPython: str() of an exception is str() of its only argument.
func TestMessageOfNested(t *testing.T) {
	one := ValueError.New(int64(1))
	for _, row := range []struct {
		e         *Error
		str, repr string
	}{
		{ValueError.New(one), "1", "ValueError(ValueError(1))"},
		{ValueError.New(one, int64(2)), "(ValueError(1), 2)", "ValueError(ValueError(1), 2)"},
		{KeyError.New(one), "ValueError(1)", "KeyError(ValueError(1))"},
		{OSError.New(int64(2), one), "[Errno 2] 1", "FileNotFoundError(2, ValueError(1))"},
		{ValueError.New([]any{one}), "[ValueError(1)]", "ValueError([ValueError(1)])"},
	} {
		require.Equal(t, row.str, row.e.Message())
		require.Equal(t, row.repr, Repr(row.e))
	}
}

// TestManyLongArguments: one object with a long repr may be an argument any number of times.
func TestManyLongArguments(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	args := make([]any, 5000)
	for i := range args {
		args[i] = t // no plain value
	}
	asked := 0
	o := &DumpOptions{Repr: func(any) string { asked++; return long }}
	for _, e := range []*Error{
		ValueError.New(args...), ValueError.New(ValueError.New(args...)), KeyError.New(args...),
	} {
		asked = 0
		b, err := AppendPayload(nil, e, o)
		require.NoError(t, err)
		require.Less(t, len(b), 16<<20)
		require.Less(t, asked, 10)
		require.Contains(t, string(b), "...")
	}
}
