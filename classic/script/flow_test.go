package script_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// evaluator makes one that has the modules.
func evaluator(t *testing.T, l *script.Limits) (*script.Evaluator, *exposed.Dict) {
	t.Helper()
	ns := exposed.NewDict()
	e := script.New(ns, l)
	m := modules.NewInterpreter(&modules.Options{Evaluator: e})
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	e.Importer = m.Import
	return e, ns
}

func repr(t *testing.T, e *script.Evaluator, text string) string {
	t.Helper()
	v, err := e.Eval(ctx, text, nil)
	require.NoError(t, err, text)
	s, err := exposed.Repr(ctx, v)
	require.NoError(t, err)
	return s
}

// A function outlives the program that has defined it: what it does later happens on behalf of the request that calls
// it.
func TestFunctionsOutliveTheirProgram(t *testing.T) {
	e, ns := evaluator(t, nil)
	require.NoError(t, e.Exec(ctx, "def each(xs):\n    out = []\n    for x in xs:\n        if x: out.append(x + 1)\n    "+
		"return out\ndef gen(xs):\n    for x in xs:\n        yield x\n", nil))
	each, _, err := ns.Get(ctx, "each")
	require.NoError(t, err)
	gen, _, err := ns.Get(ctx, "gen")
	require.NoError(t, err)

	// The list is the peer's: every step asks it.
	a, b, err := protocol.Pair(ctx, nil, exposed.NewList(int64(1), int64(0), int64(2)),
		&protocol.Config{Access: exposed.Policy{AllowAll: true}})
	require.NoError(t, err)
	defer func() { _ = a.Close(); <-b.Done() }()
	v, err := exposed.Call(ctx, each, exposed.NewArgs([]any{a.Root()}, nil))
	require.NoError(t, err)
	require.Equal(t, []any{int64(2), int64(3)}, v.(*exposed.List).Items())
	g, err := exposed.Call(ctx, gen, exposed.NewArgs([]any{a.Root()}, nil))
	require.NoError(t, err)
	first, ok, err := exposed.Next(ctx, g)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, int64(1), first)

	// An iterator that fails fails the function, which does not go on as if it had ended.
	failing := exposed.NewGenerator(func(yield func(any) (any, error)) error {
		_, _ = yield(int64(1))
		return vinegar.OSError.New(int64(5), "broken")
	})
	_, err = exposed.Call(ctx, each, exposed.NewArgs([]any{failing}, nil))
	require.ErrorIs(t, err, vinegar.OSError)
	v, err = exposed.Call(ctx, each, exposed.NewArgs([]any{[]int{5}}, nil))
	require.NoError(t, err)
	require.Equal(t, []any{int64(6)}, v.(*exposed.List).Items())
}

func TestPeersExceptionsAreCaught(t *testing.T) {
	e, ns := evaluator(t, nil)
	require.NoError(t, ns.Set(ctx, "ask", exposed.Func(func(kw []netref.Keyword) error {
		return vinegar.PermissionError.New(int64(13), "no", "f")
	}, "**kw")))
	require.NoError(t, e.Exec(ctx, "try:\n    ask()\nexcept OSError as e:\n    r = e.errno, e.filename, "+
		"type(e).__name__\nelse:\n    r = None", nil))
	require.Equal(t, "(13, 'f', 'PermissionError')", repr(t, e, "r"))
}

// Generators that nobody asks any more end, and there are not arbitrarily many that have begun.
func TestGenerators(t *testing.T) {
	e, ns := evaluator(t, &script.Limits{Time: time.Minute})
	require.NoError(t, e.Exec(ctx, "log = []\ndef g():\n    try:\n        yield 1\n        yield 2\n    finally:\n      "+
		"  log.append('end')\nx = g()\nnext(x)\nx.close()\nx.close()", nil))
	require.Equal(t, "['end']", repr(t, e, "log"))
	require.Equal(t, "[]", repr(t, e, "list(x)"))
	require.NoError(t, e.Exec(ctx, "y = g()\nnext(y)", nil))
	_, err := ns.Delete(ctx, "y")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		runtime.GC()
		return repr(t, e, "log") == "['end', 'end']"
	}, 30*time.Second, time.Millisecond)
	err = e.Exec(ctx, "kept = []\nwhile True:\n    kept.append(g())\n    next(kept[-1])", nil)
	require.ErrorIs(t, err, vinegar.MemoryError)
	require.NoError(t, e.Exec(ctx, "for k in kept: k.close()\nn = len(kept)", nil))
	require.Equal(t, "10001", repr(t, e, "n"))
	require.NoError(t, e.Exec(ctx, "z = g()\nr = next(z), next(z), next(z, 3)", nil))
	require.Equal(t, "(1, 2, 3)", repr(t, e, "r"))
	require.ErrorIs(t, e.Exec(ctx, "def s():\n    next(me)\n    yield 1\nme = s()\nnext(me)", nil), vinegar.ValueError)
}
