package classic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestRedirectedStdio(t *testing.T) {
	ctx := t.Context()
	c := connectAlone(t)
	sys, err := c.Module(ctx, "sys")
	require.NoError(t, err)
	before, err := netref.Get[*netref.Object](ctx, sys, "stdout")
	require.NoError(t, err)
	var out, errs bytes.Buffer
	stdio := classic.Stdio{In: strings.NewReader("Ann\nsecond\nthird line\nrest\nof it"), Out: &out, Err: &errs}
	require.NoError(t, c.RedirectedStdio(ctx, stdio, func(ctx context.Context) error {
		return c.Execute(ctx, `
import sys, warnings
sys.stdout.write(u"na\xefve 1 2\n")
sys.stderr.write(u"oops\n")
sys.stdout.writelines([u"a", u"b\n"])
try:
    ask = raw_input
except NameError:
    ask = input
name = ask("name? ")
second = sys.stdin.readline()
part = sys.stdin.readline(5)
remainder = sys.stdin.readline()
lines = list(sys.stdin)
sys.stdout.flush()
assert not sys.stdout.isatty() and sys.stdout.encoding == "utf-8"
`)
	}))
	require.Equal(t, "naïve 1 2\nab\nname? ", out.String())
	require.Equal(t, "oops\n", errs.String())
	for expression, want := range map[string]string{"name": "Ann", "second": "second\n", "part": "third",
		"remainder": " line\n", "'|'.join(lines)": "rest\n|of it"} {
		got, err := classic.Eval[string](ctx, c, expression)
		require.NoError(t, err)
		require.Equal(t, want, got, expression)
	}
	after, err := netref.Get[*netref.Object](ctx, sys, "stdout")
	require.NoError(t, err)
	require.True(t, before.Is(after), "what was there is there again")
}

// TestRedirectedStdioPutsBack is about what fails meanwhile.
func TestRedirectedStdioPutsBack(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	sys, err := c.Module(ctx, "sys")
	require.NoError(t, err)
	before, err := netref.Get[*netref.Object](ctx, sys, "stdout")
	require.NoError(t, err)
	require.ErrorIs(t, c.RedirectedStdio(ctx, classic.Stdio{}, func(ctx context.Context) error {
		return c.Execute(ctx, "print(1)\n1/0")
	}), vinegar.ZeroDivisionError)
	ending, cancel := context.WithCancel(ctx)
	require.ErrorIs(t, c.RedirectedStdio(ending, classic.Stdio{}, func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	}), context.Canceled)
	full := errors.New("disk full")
	require.ErrorContains(t, c.RedirectedStdio(ctx, classic.Stdio{Out: failing{full}}, func(ctx context.Context) error {
		return c.Execute(ctx, "print(1)")
	}), "disk full")
	after, err := netref.Get[*netref.Object](ctx, sys, "stdout")
	require.NoError(t, err)
	require.True(t, before.Is(after))
}

// typist is a person who types lines, and notes the prompts.
type typist struct {
	lines   []string
	prompts []string
}

func (p *typist) ReadLine(_ context.Context, prompt string) (string, error) {
	p.prompts = append(p.prompts, prompt)
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	if line == "^C" {
		return "", classic.ErrInterrupt
	}
	return line, nil
}

func TestInteract(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := connectAlone(t)
	for name, end := range map[string][]string{"end of input": nil, "exit": {"exit()"},
		"SystemExit": {"raise SystemExit(3)"}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := &typist{lines: append([]string{"x = answer + 1", "x", "for i in range(2):", "    print(i)", "", "1/0", "^C",
				"double(x)"}, end...)}
			stdio := classic.Stdio{Lines: p, Out: &out, Err: &out}
			require.NoError(t, c.Interact(ctx, stdio, map[string]any{"answer": 41, "double": func(n int) int { return 2 * n }}))
			text := out.String()
			require.Contains(t, text, "Python ")
			require.Contains(t, text, ">>> 42\n")
			require.Contains(t, text, "0\n1\n")
			require.Contains(t, text, "ZeroDivisionError")
			require.Contains(t, text, "KeyboardInterrupt")
			require.Contains(t, text, "84\n")
			require.Equal(t, []string{">>> ", ">>> ", ">>> ", "... ", "... ", ">>> ", ">>> ", ">>> "}, p.prompts[:8])
		})
	}
	n, err := classic.Eval[int](ctx, c, "1")
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestPM(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := connect(t, nil)
	remote, err := c.Remote(ctx)
	require.NoError(t, err)
	last, err := remote.Get(ctx, "_last_traceback")
	require.NoError(t, err)
	if last == nil { // RPyC 3 fails at something by itself when a connection begins
		require.ErrorIs(t, c.PM(ctx, classic.Stdio{}), classic.ErrNoTraceback)
	}
	require.ErrorIs(t, c.Execute(ctx, "def f(wanted):\n    return 1 / 0\nf('here')"), vinegar.ZeroDivisionError)
	var out bytes.Buffer
	require.NoError(t, c.PM(ctx, classic.Stdio{In: strings.NewReader("p wanted\nq\n"), Out: &out}))
	require.Contains(t, out.String(), "(Pdb) ")
	require.Contains(t, out.String(), "'here'\n")
}
