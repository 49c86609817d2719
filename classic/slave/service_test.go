//go:build unix

package slave_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var ctx = context.Background()

// master connects a client to a new service.
func master(t *testing.T, o *slave.Options) *netref.Object {
	t.Helper()
	client, server, err := protocol.Pair(ctx, nil, slave.NewService(o), slave.Config(nil))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close(); <-server.Done() })
	return client.Root()
}

func eval(t *testing.T, root *netref.Object, text string) any {
	t.Helper()
	v, err := root.CallMethod(ctx, "eval", text)
	require.NoError(t, err, text)
	return v
}

func execute(t *testing.T, root *netref.Object, text string) {
	t.Helper()
	_, err := root.CallMethod(ctx, "execute", text)
	require.NoError(t, err, text)
}

func TestNamespaceIsShared(t *testing.T) {
	root := master(t, nil)
	execute(t, root, "x = 5\ndef f(a):\n    return a + x\n")
	require.Equal(t, int64(6), eval(t, root, "1 + x"))
	ns, err := root.Get(ctx, "namespace")
	require.NoError(t, err)
	require.NoError(t, ns.(*netref.Object).SetItem(ctx, "x", 100))
	f, err := ns.(*netref.Object).Item(ctx, "f")
	require.NoError(t, err)
	v, err := f.(*netref.Object).Call(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, int64(101), v, "a function sees what was assigned after it was defined")
}

func TestGetModule(t *testing.T) {
	root := master(t, &slave.Options{Modules: modules.Options{Modules: map[string]any{
		"a.b": func() any { return modules.New("a.b", "").Const("x", 1) },
	}}})
	for _, name := range []any{"a.b", [2]string{"a", "b"}} {
		m, err := root.CallMethod(ctx, "getmodule", name)
		require.NoError(t, err)
		x, err := m.(*netref.Object).Get(ctx, "x")
		require.NoError(t, err)
		require.Equal(t, int64(1), x)
		require.Equal(t, "a.b", m.(*netref.Object).ClassName())
	}
	_, err := root.CallMethod(ctx, "getmodule", "nope")
	require.ErrorIs(t, err, vinegar.ModuleNotFoundError)
}

func TestLimits(t *testing.T) {
	root := master(t, &slave.Options{Script: script.Limits{Steps: 10000, Time: time.Second, Depth: 50, Source: 1000}})
	for text, class := range map[string]*vinegar.Class{
		"while True: pass":         vinegar.RuntimeError,
		"def f(): return f()\nf()": vinegar.RecursionError,
		"f = lambda: f()\nf()":     vinegar.RecursionError,
		"sum(range(10**12))":       vinegar.RuntimeError,
		"while True:\n  try:\n    while True: pass\n  except: pass":                       vinegar.RuntimeError,
		"def g():\n  yield from g()\nlist(g())":                                           vinegar.RecursionError,
		"def g():\n  while True: yield 1\nfor x in g(): pass":                             vinegar.RuntimeError,
		"def g():\n  while True:\n    try: yield 1\n    except: pass\nfor x in g(): pass": vinegar.RuntimeError,
		"def g():\n  while True: pass\n  yield 1\nnext(g())":                              vinegar.RuntimeError,
		"any(False for x in iter(int, 1))":                                                vinegar.RuntimeError,
		"try:\n  while True: pass\nfinally:\n  while True: pass":                          vinegar.RuntimeError,
		"with open('/dev/null') as f:\n  while True: pass":                                vinegar.RuntimeError,
		"list(map(str, range(10**12)))":                                                   vinegar.RuntimeError,
		"x = '" + string(make([]byte, 2000)) + "'":                                        vinegar.MemoryError,
		"x = 1 << 100000000000":                                                           vinegar.OverflowError,
		"x = 'x' * 100000000000":                                                          vinegar.MemoryError,
		"def g():\n  def h(): return h()\n  h()\ng()\n":                                   vinegar.RecursionError,
	} {
		_, err := root.CallMethod(ctx, "execute", text)
		require.ErrorIs(t, err, class, text)
	}
	require.Equal(t, int64(2), eval(t, root, "1 + 1"), "the connection goes on")
}

func TestMemoryIsLimited(t *testing.T) {
	root := master(t, &slave.Options{Script: script.Limits{Memory: 64 << 20}})
	for _, text := range []string{
		"x = []\nwhile True: x.append('a' * 100000)", "x = ['a' * 100000 + str(i) for i in range(1000000)]",
		"x = {}\nwhile True: x[len(x)] = [0] * 1000",
		"def g():\n  x = []\n  while True: x.append('a' * 100000)\n  yield 1\nnext(g())",
	} {
		_, err := root.CallMethod(ctx, "execute", text)
		require.ErrorIs(t, err, vinegar.MemoryError, text)
		execute(t, root, "x = None")
		runtime.GC() // what the program had is what the next one would be blamed for
	}
	require.Equal(t, int64(2), eval(t, root, "1 + 1"), "the connection goes on")
}

func TestTextIsLimited(t *testing.T) {
	root := master(t, nil)
	for text, class := range map[string]*vinegar.Class{
		"x = 'x' * 10000000\nx = f'{x}{x}'": vinegar.MemoryError,
		"x = f'{1:99999999999}'":            vinegar.MemoryError,
		"x = '%999999999d' % 1":             vinegar.ValueError,
		"x = '{:99999999}'.format(1)":       vinegar.MemoryError,
	} {
		_, err := root.CallMethod(ctx, "execute", text)
		require.ErrorIs(t, err, class, text)
	}
	require.Equal(t, int64(2000000), eval(t, root, "len('x' * 2000000)"))
}

func TestDenyScript(t *testing.T) {
	root := master(t, &slave.Options{DenyScript: true})
	_, err := root.CallMethod(ctx, "eval", "1")
	require.ErrorIs(t, err, vinegar.PermissionError)
	_, err = root.CallMethod(ctx, "execute", "x = 1")
	require.ErrorIs(t, err, vinegar.PermissionError)
	b, err := root.CallMethod(ctx, "getmodule", "builtins")
	require.NoError(t, err)
	_, err = b.(*netref.Object).CallMethod(ctx, "eval", "1")
	require.ErrorIs(t, err, vinegar.AttributeError)
}

func TestConnectionsAreApart(t *testing.T) {
	a, b := master(t, nil), master(t, nil)
	execute(t, a, "import sys\nsys.path.append('x')\ny = 1")
	require.Equal(t, int64(1), eval(t, a, "len(sys.path)"))
	execute(t, b, "import sys")
	require.Equal(t, int64(0), eval(t, b, "len(sys.path)"))
	_, err := b.CallMethod(ctx, "eval", "y")
	require.ErrorIs(t, err, vinegar.NameError)
}

func TestFullDuplex(t *testing.T) {
	one, two := slave.NewService(nil), slave.NewService(nil)
	a, b, err := protocol.Pair(ctx, one, two, slave.Config(nil))
	require.NoError(t, err)
	defer func() { _ = a.Close(); <-b.Done() }()
	require.Equal(t, int64(2), eval(t, a.Root(), "1 + 1"))
	require.Equal(t, int64(3), eval(t, b.Root(), "1 + 2"))
	require.Equal(t, 0, one.Namespace().Len())
	_, err = exposed.Dir(t.Context(), nil, one)
	require.NoError(t, err)
}
