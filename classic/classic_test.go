package classic_test

import (
	"context"
	"fmt"
	"math/big"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestModules(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	join, err := classic.Call[string](ctx, c, "os.path.join", "a", "b")
	require.NoError(t, err)
	require.Equal(t, filepath.Join("a", "b"), join)
	one, err := c.Module(ctx, "os.path")
	require.NoError(t, err)
	two, err := c.Module(ctx, "os.path")
	require.NoError(t, err)
	require.Same(t, one, two)

	for name, want := range map[string]bool{"os": true, "os.path": true, "importlib.util": true, "no_such_module": false,
		"os.no": false, "no.such": false} {
		has, err := c.HasModule(ctx, name)
		require.NoError(t, err, name)
		require.Equal(t, want, has, name)
	}
	_, err = c.Module(ctx, "no_such_module")
	require.ErrorIs(t, err, vinegar.ImportError)

	n, err := classic.Call[int](ctx, c, "builtins.len", "four")
	require.NoError(t, err)
	require.Equal(t, 4, n)
	n, err = classic.Call[int](ctx, c, "len", "four")
	require.NoError(t, err)
	require.Equal(t, 4, n)
	b, err := c.Builtins(ctx)
	require.NoError(t, err)
	xs, err := netref.Call[[]int](ctx, b, "sorted", []int{3, 1, 2})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3}, xs)

	version, err := c.Python(ctx)
	require.NoError(t, err)
	require.Len(t, version, 3)
	remote, err := c.Remote(ctx)
	require.NoError(t, err)
	require.Equal(t, "rpyc.core.protocol.Connection", remote.ClassName())
}

func TestEvalExecute(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	require.NoError(t, c.Execute(ctx, "x = 6\ndef double(n):\n    return 2 * n\n"))
	n, err := classic.Eval[int](ctx, c, "double(x) + 1")
	require.NoError(t, err)
	require.Equal(t, 13, n)
	ns, err := c.Namespace(ctx)
	require.NoError(t, err)
	require.NoError(t, ns.SetItem(ctx, "f", func(n int) int { return n * n }))
	n, err = classic.Eval[int](ctx, c, "f(x)")
	require.NoError(t, err)
	require.Equal(t, 36, n)
	v, err := c.Eval(ctx, "[1, 2]")
	require.NoError(t, err)
	require.IsType(t, (*netref.Object)(nil), v)
	require.ErrorIs(t, c.Execute(ctx, "1/0"), vinegar.ZeroDivisionError)
	require.ErrorIs(t, c.Execute(ctx, "def"), vinegar.SyntaxError)
	_, err = c.Eval(ctx, "nothing")
	require.ErrorIs(t, err, vinegar.NameError)
	other := connect(t, nil)
	_, err = other.Eval(ctx, "x")
	require.ErrorIs(t, err, vinegar.NameError, "each connection has a namespace of its own")
}

func TestObtainDeliver(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	require.NoError(t, c.Execute(ctx, "import datetime, decimal, collections\nclass P(object):\n    def __init__(self): "+
		"self.x = 1; self.label = u'p'\n"))
	v, err := c.Eval(ctx, "{u'a': [1, 2.5, None], (1, u'k'): {1, 2}}")
	require.NoError(t, err)
	d, err := classic.Obtain[*pickle.Dict](ctx, v)
	require.NoError(t, err)
	a, ok := d.Get("a")
	require.True(t, ok)
	require.Equal(t, []any{int64(1), 2.5, nil}, a)

	v, err = c.Eval(ctx, "[datetime.datetime(2024, 1, 2, 3, 4, 5)]")
	require.NoError(t, err)
	times, err := classic.Obtain[[]time.Time](ctx, v)
	require.NoError(t, err)
	require.Equal(t, []time.Time{time.Date(2024, 1, 2, 3, 4, 5, 0, pickle.Naive)}, times)

	v, err = c.Eval(ctx, "[{u'name': u'n', u'score': 2**70}] * 2")
	require.NoError(t, err)
	type row struct {
		Name  string
		Score *big.Int
	}
	rows, err := classic.Obtain[[]row](ctx, v)
	require.NoError(t, err)
	require.Equal(t, row{"n", new(big.Int).Lsh(big.NewInt(1), 70)}, rows[1])

	// An instance of a class in the namespace has no module to be pickled by: Python's words come through.
	v, err = c.Eval(ctx, "(lambda: 0)")
	require.NoError(t, err)
	_, err = classic.Obtain[any](ctx, v)
	require.Error(t, err)
	var exc *vinegar.Error
	require.ErrorAs(t, err, &exc)

	same, err := classic.Obtain[int](ctx, 5)
	require.NoError(t, err)
	require.Equal(t, 5, same)

	type point struct{ X, Y int }
	shared := &point{1, 2}
	o, err := c.Deliver(ctx, map[string]any{"points": []*point{shared, shared}, "when": time.Minute,
		"big": new(big.Int).Lsh(big.NewInt(1), 80), "raw": []byte{0, 255}})
	require.NoError(t, err)
	ns, err := c.Namespace(ctx)
	require.NoError(t, err)
	require.NoError(t, ns.SetItem(ctx, "d", o))
	for expression, want := range map[string]bool{
		"type(d) is dict": true, "d['points'][0] is d['points'][1]": true, "d['points'][0].x + d['points'][0].y == 3": true,
		"d['when'] == datetime.timedelta(minutes=1)": true, "d['big'] == 2**80": true, "d['raw'] == b'\\x00\\xff'": true,
	} {
		got, err := classic.Eval[bool](ctx, c, expression)
		require.NoError(t, err, expression)
		require.Equal(t, want, got, expression)
	}
	n, err := c.Deliver(ctx, 7)
	require.NoError(t, err)
	require.Equal(t, int64(7), n)
	_, err = c.Deliver(ctx, func() {})
	require.ErrorIs(t, err, vinegar.TypeError)
	// What is the server's own goes back as a copy.
	o, err = c.Deliver(ctx, []any{v, 1}[1:])
	require.NoError(t, err)
	require.IsType(t, (*netref.Object)(nil), o)
}

func TestTeleport(t *testing.T) {
	ctx := t.Context()
	c := connect(t, nil)
	f, err := c.Teleport(ctx, `
		import math

		def helper(x):
			return math.sqrt(x)

		def hypotenuse(a, b=4):
			"""Of a right triangle."""
			return helper(a * a + b * b)
	`)
	require.NoError(t, err)
	h, err := netref.CallFunc[float64](ctx, f, 3)
	require.NoError(t, err)
	require.Equal(t, 5.0, h)
	h, err = classic.Eval[float64](ctx, c, "hypotenuse(6, 8)")
	require.NoError(t, err)
	require.Equal(t, 10.0, h)
	_, err = c.Teleport(ctx, "x = 1")
	require.ErrorContains(t, err, "no function")
	_, err = c.Teleport(ctx, "def f(:\n  pass")
	require.ErrorIs(t, err, vinegar.SyntaxError)
}

func TestExportImport(t *testing.T) {
	ctx := t.Context()
	c, d := connect(t, nil), connect(t, nil)
	f, err := c.Teleport(ctx, "def make(n):\n    def inner():\n        return n\n    return inner")
	require.NoError(t, err)
	closure, err := netref.CallFunc[*netref.Object](ctx, f, 1)
	require.NoError(t, err)
	_, err = c.Export(ctx, closure)
	require.ErrorIs(t, err, vinegar.TypeError, "a closure cannot be exported")
	f, err = c.Teleport(ctx, "def triple(n, by=3):\n    return [n * by, (lambda x: x + 1)(n)]")
	require.NoError(t, err)
	if err := c.Execute(ctx, "from rpyc.utils import "+
		"teleportation\nteleportation.import_function(teleportation.export_function(triple), {})"); err != nil {
		t.Skip("this RPyC cannot import what it exports with this Python itself:", err)
	}
	exported, err := c.Export(ctx, f)
	require.NoError(t, err)
	require.Equal(t, "triple", exported.Name)
	stored, err := exported.MarshalBinary()
	require.NoError(t, err)
	var again classic.Function
	require.NoError(t, again.UnmarshalBinary(stored))
	require.Equal(t, *exported, again)
	g, err := d.Import(ctx, &again)
	require.NoError(t, err)
	xs, err := netref.CallFunc[[]int](ctx, g, 5)
	require.NoError(t, err)
	require.Equal(t, []int{15, 6}, xs)
	xs, err = classic.Eval[[]int](ctx, d, "triple(1)")
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, xs)

	again.Python = []int{3, 99}
	_, err = d.Import(ctx, &again)
	require.ErrorIs(t, err, classic.ErrBytecode)
	require.Error(t, again.UnmarshalBinary([]byte("junk")))
	require.Error(t, again.UnmarshalBinary(nil))
	_, err = classic.ParseFunction("x")
	require.Error(t, err)
}

// TestWays connects in the ways that there are.
func TestWays(t *testing.T) {
	ctx := t.Context()
	path := python(t)
	script := program(path)
	t.Run("subprocess", func(t *testing.T) {
		limit, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		c, err := classic.DialSubprocess(limit, exec.Command(path, "-u", script, "-q", "-m", "stdio"), nil)
		require.NoError(t, err)
		n, err := classic.Eval[int](ctx, c, "1 + 1")
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.NoError(t, c.Close())
		<-c.Done()
	})
	t.Run("new", func(t *testing.T) {
		c := connect(t, nil)
		again := classic.New(c.Conn)
		n, err := classic.Eval[int](ctx, again, "40 + 2")
		require.NoError(t, err)
		require.Equal(t, 42, n)
	})
	t.Run("nobody there", func(t *testing.T) {
		_, err := classic.DialUnix(ctx, filepath.Join(t.TempDir(), "none"), nil)
		require.Error(t, err)
	})
	t.Run("no classic server", func(t *testing.T) {
		a, b, err := protocol.Pair(ctx, nil, nil, nil)
		require.NoError(t, err)
		defer b.Close()
		defer a.Close()
		_, err = classic.New(b).Module(ctx, "os")
		require.ErrorIs(t, err, vinegar.AttributeError)
	})
}

// classicService is a server that asks its clients for their interpreter as soon as they connect.
const classicService = `
import sys
from rpyc.core.service import ClassicService
from rpyc.utils.server import ThreadedServer
got = []
class Both(ClassicService):
    def on_connect(self, conn):
        got.append(conn)
        super(Both, self).on_connect(conn)
server = ThreadedServer(Both, hostname="127.0.0.1", port=0)
server._listen()
print("READY", server.port)
sys.stdout.flush()
server.start()
`

// TestFullDuplex is about servers that take their clients for classic servers, too.
func TestFullDuplex(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, python(t), "-c", classicService)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var port string
	if _, err := fmt.Fscanf(out, "READY %s", &port); err != nil {
		t.Skip("this RPyC has no ClassicService:", err)
	}
	c, err := classic.Dial(ctx, "127.0.0.1:"+port, nil)
	require.NoError(t, err)
	defer func() { c.Close(); <-c.Done() }()
	n, err := classic.Eval[int](ctx, c, "1 + 1")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	// It has taken us for one, but gets nothing.
	main, err := c.Module(ctx, "__main__")
	require.NoError(t, err)
	ns, err := c.Namespace(ctx)
	require.NoError(t, err)
	require.NoError(t, ns.SetItem(ctx, "main", main))
	err = c.Execute(ctx, "main.got[-1].root.eval('1')")
	require.ErrorIs(t, err, vinegar.PermissionError)
}
