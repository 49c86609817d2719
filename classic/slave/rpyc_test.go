//go:build unix

package slave_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/servers"
)

// classicServer serves until the test ends.
func classicServer(t *testing.T, network, address string) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	s := &servers.Server{NewService: slave.New(nil), Config: slave.Config(nil)}
	done := make(chan error, 1)
	serving, stop := context.WithCancel(ctx)
	go func() { done <- s.Serve(serving, l) }()
	t.Cleanup(func() { stop(); <-done })
	return l.Addr()
}

// A program goes on from its server to another one, as with the package rpyc.
func TestConnectionsThatGoOn(t *testing.T) {
	port := classicServer(t, "tcp4", "127.0.0.1:0").(*net.TCPAddr).Port
	path := filepath.Join(t.TempDir(), "s")
	classicServer(t, "unix", path)
	root := master(t, nil)
	for _, open := range []string{fmt.Sprintf("rpyc.classic.connect('127.0.0.1', %d)", port),
		fmt.Sprintf("rpyc.utils.classic.unix_connect(%q)", path)} {
		execute(t, root, `import rpyc
c = `+open+`
r = [c.modules.os.sep, c.modules["os.path"].join("a", "b"), "os" in c.modules, "nothing" in c.modules, c.eval("1 + 1"), c.execute("x = 5"),
     c.namespace["x"], c.builtins.len([1]), c.builtin.abs(-1), c.ping(), c.closed, hasattr(c.modules, "nothing"), c.root.eval("x"), c._last_traceback]
c.close()
with `+open+` as d: r.append(d.eval("x") if False else d.eval("2"))
r += [c.closed, d.closed]
`)
		require.Equal(t, "['/', 'a/b', True, False, 2, None, 5, 1, 1, None, False, False, 5, None, 2, True, True]",
			eval(t, root, "repr(r)"))
	}
	execute(t, root, fmt.Sprintf("c = rpyc.connect('127.0.0.1', %d)\nr = c.root.eval('3'), hasattr(c, 'modules')\nd = rpyc.connect(b'localhost', %d)\n"+
		"e = rpyc.unix_connect(%q, config={})", port, port, path))
	require.Equal(t, "(3, False)", eval(t, root, "repr(r)"))
	for text, class := range map[string]*vinegar.Class{
		fmt.Sprintf("rpyc.connect('127.0.0.1', %d, 5)", port):               vinegar.NotImplementedError,
		fmt.Sprintf("rpyc.connect('127.0.0.1', %d, config={'a': 1})", port): vinegar.NotImplementedError,
		fmt.Sprintf("rpyc.connect('127.0.0.1', %d, config=5)", port):        vinegar.TypeError,
		fmt.Sprintf("rpyc.unix_connect(%q, 5)", path):                       vinegar.NotImplementedError,
		"rpyc.connect(5, 1)":                                                    vinegar.TypeError,
		"rpyc.connect('127.0.0.1', 70000)":                                      vinegar.OverflowError,
		"rpyc.classic.connect(None)":                                            vinegar.TypeError,
		"rpyc.classic.unix_connect('/nonexistent/socket')":                      vinegar.FileNotFoundError,
		"rpyc.connect('127.0.0.1', 1)":                                          vinegar.ConnectionRefusedError,
		"rpyc.unix_connect('/nonexistent/socket')":                              vinegar.FileNotFoundError,
		fmt.Sprintf("rpyc.connect('127.0.0.1', %d).modules", port):              vinegar.AttributeError,
		fmt.Sprintf("rpyc.classic.connect('127.0.0.1', %d).modules.nope", port): vinegar.AttributeError,
	} {
		_, err := root.CallMethod(ctx, "eval", text)
		require.ErrorIs(t, err, class, text)
	}
	require.Equal(t, "((6, 0, 2), '6.0.2', 18812)", eval(t, root,
		"repr((rpyc.version.version, rpyc.__version__, rpyc.classic.DEFAULT_SERVER_PORT))"))
}

func TestPackageWithoutParts(t *testing.T) {
	root := master(t, &slave.Options{Modules: modules.Options{Allow: func(name string) bool { return name == "rpyc" }}})
	execute(t, root, "import rpyc")
	require.Equal(t, false, eval(t, root, "hasattr(rpyc, 'classic')"))
}

func TestGetConn(t *testing.T) {
	root := master(t, nil)
	conn, err := root.CallMethod(ctx, "getconn")
	require.NoError(t, err)
	closed, err := conn.(*netref.Object).Get(ctx, "closed")
	require.NoError(t, err)
	require.Equal(t, false, closed)
	local, err := conn.(*netref.Object).Get(ctx, "_local_root")
	require.NoError(t, err)
	v, err := local.(*netref.Object).CallMethod(ctx, "eval", "7")
	require.NoError(t, err)
	require.Equal(t, int64(7), v)
}

func TestDenied(t *testing.T) {
	root := master(t, &slave.Options{DenyScript: true})
	for _, method := range []string{"eval", "execute"} {
		_, err := root.CallMethod(ctx, method, "1")
		require.ErrorIs(t, err, vinegar.PermissionError)
	}
	m, err := root.CallMethod(ctx, "getmodule", "rpyc.utils.teleportation")
	require.NoError(t, err)
	_, err = m.(*netref.Object).Get(ctx, "import_function")
	require.ErrorIs(t, err, vinegar.AttributeError)
	root = master(t, nil)
	_, err = root.CallMethod(ctx, "eval", 5)
	require.ErrorIs(t, err, vinegar.TypeError)
	v, err := root.CallMethod(ctx, "eval", []byte("1 + 1"))
	require.NoError(t, err)
	require.Equal(t, int64(2), v)
	for _, name := range []any{5, [1]int{5}} {
		_, err = root.CallMethod(ctx, "getmodule", name)
		require.Error(t, err)
	}
}
