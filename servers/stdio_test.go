//go:build unix

package servers_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
	"github.com/gorpyc/gorpyc/servers"
)

// stdioEnv has the test binary be another program instead, which one its value tells.
const stdioEnv = "GORPYC_SERVERS_TEST_STDIO"

// noisy prints at every opportunity.
type noisy struct{}

// Add adds, and has everything that can print to stdout and stderr.
func (noisy) Add(a, b int) int {
	fmt.Println("to Go's stdout")
	_, _ = os.NewFile(1, "stdout").WriteString("to descriptor 1\n")
	_, _ = os.NewFile(2, "stderr").WriteString("to descriptor 2\n")
	child := exec.Command("/bin/sh", "-c", "echo from a child; echo and its stderr >&2; cat")
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = child.Run()
	return a + b
}

// Peer is the client's address.
func (noisy) Peer(ctx context.Context) string {
	if a := protocol.FromContext(ctx).RemoteAddr(); a != nil {
		return a.Network()
	}
	return "none"
}

func stdioProgram(kind string) {
	ctx := context.Background()
	srv := &servers.Server{Service: noisy{}}
	switch kind {
	case "serve":
		if err := srv.ServeStdio(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "serve:", err)
			os.Exit(1)
		}
	case "activated":
		ls, err := transport.Activated()
		if err != nil {
			panic(err)
		}
		err = srv.Serve(ctx, ls[0])
		panic(err)
	case "client":
		c, err := protocol.DialStdio(ctx, noisy{}, &protocol.Config{Dialect: wire.FamilyD})
		if err != nil {
			panic(err)
		}
		s, err := netref.Call[string](ctx, c.Root(), "greet", "Go")
		if err != nil {
			panic(err)
		}
		if _, err := netref.Call[any](ctx, c.Root(), "tell", s); err != nil {
			panic(err)
		}
		<-c.Done()
	}
}

// script writes a program that is the test binary in the given role: those that start it do not pass an environment on.
func script(t *testing.T, kind string) string {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "program")
	text := fmt.Sprintf("#!/bin/sh\n%s=%s exec %s\n", stdioEnv, kind, self)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	return path
}

// TestStdioSubprocess has Python start a Go service as its child, and a Go program that asks it.
func TestStdioSubprocess(t *testing.T) {
	require.Equal(t, "5 pipe", runPython(t, `
import sys, rpyc
from rpyc.utils.factory import connect_subproc
c = connect_subproc([sys.argv[1]])
print(c.root.add(2, 3), c.root.peer())
c.close()
assert c.proc.wait(20) == 0, c.proc.returncode
`, script(t, "serve")))
}

// TestDialStdio has Python start a Go program that is its client.
func TestDialStdio(t *testing.T) {
	if !strings.HasPrefix(runPython(t, "import rpyc; print('.'.join(map(str, rpyc.__version__)) if "+
		"isinstance(rpyc.__version__, tuple) else rpyc.__version__)"), "6") {
		t.Skip("the program speaks as RPyC 6 does")
	}
	require.Equal(t, "Hello, Go", runPython(t, `
import sys, rpyc
from rpyc.utils.factory import connect_subproc
told = []
class S(rpyc.Service):
    def exposed_greet(self, name):
        return "Hello, " + name
    def exposed_tell(self, text):
        told.append(text)
c = connect_subproc([sys.argv[1]], service=S)
while not told:
    c.serve(10)
print(told[0])
c.close()
assert c.proc.wait(20) == 0, c.proc.returncode
`, script(t, "client")))
}

// freePort is a port nobody listens on at the moment, for programs that cannot choose one.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := listen()
	require.NoError(t, err)
	defer l.Close()
	return port(l.Addr().String())
}

// TestStdioInetd serves Python clients in processes that real super-servers start. Those that are not installed are
// left out.
func TestStdioInetd(t *testing.T) {
	conf := func(t *testing.T, format string, args ...any) string {
		path := filepath.Join(t.TempDir(), "conf")
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600))
		return path
	}
	for _, c := range []struct {
		program string
		kind    string
		args    func(t *testing.T, port, script string) []string
		peer    string
	}{
		{"systemd-socket-activate", "serve", func(_ *testing.T, port, script string) []string {
			return []string{"--inetd", "-a", "-l", "127.0.0.1:" + port, script}
		}, "tcp"},
		{"systemd-socket-activate", "activated", func(_ *testing.T, port, script string) []string {
			return []string{"-l", "127.0.0.1:" + port, script}
		}, "tcp"},
		{"socat", "serve", func(_ *testing.T, port, script string) []string {
			return []string{"TCP-LISTEN:" + port + ",bind=127.0.0.1,reuseaddr,fork", "EXEC:" + script}
		}, "unix"},
		{"inetd", "serve", func(t *testing.T, port, script string) []string {
			return []string{"-i", conf(t, "127.0.0.1:%s stream tcp nowait root %s %[2]s\n", port, script)}
		}, "tcp"},
		{"xinetd", "serve", func(t *testing.T, port, script string) []string {
			return []string{"-dontfork", "-f", conf(t, `
service gorpyc
{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	wait = no
	user = root
	bind = 127.0.0.1
	port = %s
	server = %s
}
`, port, script)}
		}, "tcp"},
	} {
		t.Run(c.program+" "+c.kind, func(t *testing.T) {
			path, err := exec.LookPath(c.program)
			if err != nil {
				t.Skipf("%s is not installed", c.program)
			}
			if strings.HasSuffix(c.program, "inetd") && os.Getuid() != 0 {
				t.Skipf("%s wants to be root", c.program)
			}
			p := freePort(t)
			args := c.args(t, p, script(t, c.kind))
			cmd := exec.Command(path, args...)
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			cmd.WaitDelay = time.Second
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				if t.Failed() {
					t.Log(said.String())
				}
			})
			require.Eventually(t, func() bool {
				c, err := net.Dial("tcp", "127.0.0.1:"+p)
				if err != nil {
					return false
				}
				_ = c.Close()
				return true
			}, 20*time.Second, 20*time.Millisecond)
			require.Equal(t, "5 "+c.peer, runPython(t, `
import sys, rpyc
for _ in range(3):
    c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
    sum, peer = c.root.add(2, 3), c.root.peer()
    c.close()
print(sum, peer)
`, p))
		})
	}
}

// pythonStdio serves over its stdin and stdout.
const pythonStdio = `
import rpyc
from rpyc.utils.factory import connect_stdpipes
class S(rpyc.Service):
    def exposed_add(self, a, b):
        return a + b
connect_stdpipes(service=S).serve_all()
`

// TestDialSubprocess starts a Python service over its stdin and stdout. If its release is an old one, it is started
// twice.
func TestDialSubprocess(t *testing.T) {
	c, err := protocol.DialSubprocess(t.Context(), pythonCommand(t, pythonStdio), nil, nil)
	require.NoError(t, err)
	require.Equal(t, 5, call[int](t, c, "add", 2, 3))
	dialect := c.Dialect()
	process := c.Stream().(*transport.Process)
	require.NoError(t, c.Close())
	<-c.Done()
	_ = process.Wait() // it ends, how is its own business

	// The same over pipes of the caller's.
	cmd := pythonCommand(t, pythonStdio)
	w, err := cmd.StdinPipe()
	require.NoError(t, err)
	r, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c, err = protocol.DialPipes(t.Context(), r, w, nil, &protocol.Config{Dialect: dialect})
	require.NoError(t, err)
	require.Equal(t, 5, call[int](t, c, "add", 2, 3))
	require.NoError(t, c.Close())
	<-c.Done()
	_ = cmd.Wait()

	_, err = protocol.DialSubprocess(t.Context(), exec.Command("/does/not/exist"), nil, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = protocol.DialSubprocess(t.Context(), exec.Command("/bin/sh", "-c",
		"head -c 14 >&2; echo I do not speak RPyC"), nil, nil)
	var stranger *protocol.NotRPyCError
	require.ErrorAs(t, err, &stranger)
	_, err = protocol.DialSubprocess(t.Context(), exec.Command("/bin/true"), nil, nil)
	require.ErrorIs(t, err, protocol.ErrClosed)
}

// TestProcessIsKilled starts a program that does not end by itself when its input does.
func TestProcessIsKilled(t *testing.T) {
	p, err := transport.Start(exec.Command("/bin/sh", "-c", "trap '' TERM HUP; echo READY; while :; do sleep 0.1; done"))
	require.NoError(t, err)
	_, err = io.ReadFull(p, make([]byte, 5))
	require.NoError(t, err)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	require.ErrorContains(t, p.Wait(), "killed")
}
