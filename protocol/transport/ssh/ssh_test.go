package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/transport/ssh"
	"github.com/gorpyc/gorpyc/servers"
)

func TestMain(m *testing.M) {
	if os.Getenv(deployed) != "" {
		os.Exit(serveDeployed(os.Args[1:]))
	}
	_ = os.Unsetenv("SSH_AUTH_SOCK")
	goleak.VerifyTestMain(m)
}

// adder is a service.
type adder struct{}

// Add adds.
func (adder) Add(a, b int) int { return a + b }

// Back calls f.
func (adder) Back(ctx context.Context, f func(context.Context) (int, error)) (int, error) {
	return f(ctx)
}

func serve(t *testing.T) string {
	t.Helper()
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &servers.Server{Service: adder{}}
	result := make(chan error, 1)
	go func() { result <- srv.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, srv.Shutdown(ctx))
		<-result
	})
	return l.Addr().String()
}

func use(t *testing.T, c *protocol.Conn) {
	t.Helper()
	n, err := netref.Call[int](t.Context(), c.Root(), "add", 2, 3)
	require.NoError(t, err)
	require.Equal(t, 5, n)
}

// TestTunnel connects to a service through a tunnel that several connections share, and through one of its own.
func TestTunnel(t *testing.T) {
	addr := serve(t)
	file, key := newKey(t, "")
	g := newGate(t, key.PublicKey(), "")
	cfg := &ssh.Config{KeyFiles: []string{file}, KnownHosts: []string{g.known}, KeepAlive: time.Hour}
	tunnel, err := ssh.Dial(t.Context(), "ann@"+g.addr, cfg)
	require.NoError(t, err)
	d := &protocol.Dialer{Options: transport.Options{Dialer: tunnel.DialContext}}
	var conns []*protocol.Conn
	for range 3 {
		c, err := d.Dial(t.Context(), "tcp", addr)
		require.NoError(t, err)
		use(t, c)
		conns = append(conns, c)
	}
	n, err := netref.Call[int](t.Context(), conns[0].Root(), "back", func() int { return 7 })
	require.NoError(t, err)
	require.Equal(t, 7, n)
	require.NoError(t, conns[0].Close())
	use(t, conns[1])
	_, err = d.Dial(t.Context(), "tcp", "127.0.0.1:1")
	var refused *xssh.OpenChannelError
	require.ErrorAs(t, err, &refused)
	require.NoError(t, tunnel.Close())
	require.NoError(t, tunnel.Close())
	for _, c := range conns {
		<-c.Done() // the tunnel has taken them along
	}

	cfg.User = "ann"
	d.Options.Dialer = ssh.Dialer(g.addr, cfg)
	c, err := d.Dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	use(t, c)
	g.cut()
	<-c.Done()
	require.ErrorIs(t, c.Err(), protocol.ErrClosed)
}

// TestLogin logs in in each of the ways there are, and is refused.
func TestLogin(t *testing.T) {
	file, key := newKey(t, "")
	locked, lockedKey := newKey(t, "open")
	other, _ := newKey(t, "")
	g := newGate(t, key.PublicKey(), "word")
	withLocked := newGate(t, lockedKey.PublicKey(), "")
	login := func(g *gate, cfg ssh.Config) error {
		cfg.User = "ann"
		if cfg.KnownHosts == nil {
			cfg.KnownHosts = []string{g.known}
		}
		tunnel, err := ssh.Dial(t.Context(), g.addr, &cfg)
		if err == nil {
			err = tunnel.Close()
		}
		return err
	}
	require.NoError(t, login(g, ssh.Config{KeyFiles: []string{other, file}}))
	require.NoError(t, login(g, ssh.Config{KeyFiles: []string{other}, Password: "word"}))
	require.Error(t, login(g, ssh.Config{KeyFiles: []string{other}, Password: "guess"}))
	require.ErrorIs(t, login(g, ssh.Config{KeyFiles: []string{"/no/such/key"}}), os.ErrNotExist)
	require.Error(t, login(withLocked, ssh.Config{KeyFiles: []string{locked}}))
	require.NoError(t, login(withLocked, ssh.Config{KeyFiles: []string{locked}, Passphrase: func(string) ([]byte, error) {
		return []byte("open"), nil
	}}))

	var unknown *knownhosts.KeyError
	err := login(g, ssh.Config{KeyFiles: []string{file}, KnownHosts: []string{withLocked.known}})
	require.ErrorAs(t, err, &unknown)
	require.Empty(t, unknown.Want)
	line, err := os.ReadFile(withLocked.known)
	require.NoError(t, err)
	_, kind, _ := strings.Cut(string(line), " ")
	changed := filepath.Join(t.TempDir(), "known_hosts")
	require.NoError(t, os.WriteFile(changed, []byte(knownhosts.Normalize(g.addr)+" "+kind), 0o600))
	require.ErrorAs(t, login(g, ssh.Config{KeyFiles: []string{file}, KnownHosts: []string{changed}}), &unknown)
	require.NotEmpty(t, unknown.Want)

	keys := agent.NewKeyring()
	_, private, err := pair()
	require.NoError(t, err)
	require.NoError(t, keys.Add(agent.AddedKey{PrivateKey: private}))
	signers, err := keys.Signers()
	require.NoError(t, err)
	withAgent := newGate(t, signers[0].PublicKey(), "")
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, c); _ = c.Close() }()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", socket)
	require.NoError(t, login(withAgent, ssh.Config{KeyFiles: []string{}}))
	require.Error(t, login(withAgent, ssh.Config{KeyFiles: []string{}, NoAgent: true}))
	require.NoError(t, l.Close())
}

// TestSilentGate logs in to a port where nobody answers, and loses a server that falls silent.
func TestSilentGate(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	file, key := newKey(t, "")
	_, err = ssh.Dial(t.Context(), "ann@"+l.Addr().String(), &ssh.Config{
		KeyFiles: []string{file}, HostKey: xssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Millisecond,
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	g := newGate(t, key.PublicKey(), "")
	tunnel, err := ssh.Dial(t.Context(), "ann@"+g.addr, &ssh.Config{
		KeyFiles: []string{file}, KnownHosts: []string{g.known}, KeepAlive: 20 * time.Millisecond,
	})
	require.NoError(t, err)
	close(g.mute)
	<-tunnel.Done()
}

// TestExec talks to a Python service that is started on the other machine and speaks over its stdin and stdout.
func TestExec(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("GORPYC_TEST_PYTHON is not set")
	}
	file, key := newKey(t, "")
	g := newGate(t, key.PublicKey(), "")
	tunnel, err := ssh.Dial(t.Context(), "ann@"+g.addr, &ssh.Config{KeyFiles: []string{file},
		KnownHosts: []string{g.known}})
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "service.py")
	require.NoError(t, os.WriteFile(program, []byte(`
import rpyc
from rpyc.utils.factory import connect_stdpipes
class S(rpyc.Service):
    def exposed_add(self, a, b):
        return a + b
connect_stdpipes(service=S).serve_all()
`), 0o600))
	c, err := protocol.Negotiate(t.Context(), func(context.Context) (io.ReadWriteCloser, error) {
		return tunnel.Exec(fmt.Sprintf("exec %s %s", python, program), io.Discard)
	}, nil, nil)
	require.NoError(t, err)
	use(t, c)
	require.NoError(t, c.Close())
	<-c.Done()
	require.NoError(t, tunnel.Close())
}

// TestSSHD goes through a real sshd, which has keys of several kinds of which an unusual one is known.
// deploys starts a classic server through a tunnel, as it is documented, and checks that nothing is left behind.
func deploys(t *testing.T, tunnel *ssh.Tunnel, program func(context.Context, string, string) (io.ReadCloser, error)) {
	d, err := classic.Deploy(t.Context(), tunnel, &classic.DeployConfig{Program: program})
	require.NoError(t, err)
	c, err := d.Connect(t.Context(), nil)
	require.NoError(t, err)
	dir, err := c.Eval(t.Context(), "__import__('os').listdir(__import__('os').path.dirname('"+d.Socket()+"'))")
	require.NoError(t, err)
	require.NotNil(t, dir)
	require.NoError(t, d.Close())
	_, err = os.Stat(filepath.Dir(d.Socket()))
	require.ErrorIs(t, err, os.ErrNotExist)

	d, err = classic.Deploy(t.Context(), tunnel, &classic.DeployConfig{Program: program})
	require.NoError(t, err)
	c, err = d.Connect(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, tunnel.Close()) // the connection is lost
	<-c.Done()
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Dir(d.Socket()))
		return errors.Is(err, os.ErrNotExist)
	}, 30*time.Second, 10*time.Millisecond)
	require.Error(t, d.Close())
}

// deployed is set where this test binary is the program that was sent.
const deployed = "GORPYC_TEST_DEPLOYED"

// serveDeployed is that program: rpyc_classic --socket PATH --quiet.
func serveDeployed(args []string) int {
	l, err := net.Listen("unix", args[1])
	if err != nil {
		return 1
	}
	srv := &servers.Server{NewService: func() any { return slave.NewService(nil) }, Config: slave.Config(nil)}
	_ = srv.Serve(context.Background(), l)
	return 1
}

// program is what is sent: this test binary, or rpyc_classic if that is to be built, which takes long.
func program(t *testing.T) func(context.Context, string, string) (io.ReadCloser, error) {
	if os.Getenv("GORPYC_TEST_BUILD") != "" {
		return classic.BuildProgram
	}
	t.Setenv(deployed, "yes")
	return func(context.Context, string, string) (io.ReadCloser, error) { return os.Open(os.Args[0]) }
}

func TestDeploy(t *testing.T) {
	file, key := newKey(t, "")
	g := newGate(t, key.PublicKey(), "")
	tunnel, err := ssh.Dial(t.Context(), "ann@"+g.addr, &ssh.Config{KeyFiles: []string{file},
		KnownHosts: []string{g.known}})
	require.NoError(t, err)
	deploys(t, tunnel, program(t))
}

func TestSSHD(t *testing.T) {
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		t.Skip("sshd is not installed")
	}
	if _, err := user.Lookup("sshd"); err != nil && os.Getuid() == 0 {
		t.Skip("sshd has no user to give its privileges up to")
	}
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	me, err := user.Current()
	require.NoError(t, err)
	dir := t.TempDir()
	conf := "AuthorizedKeysFile " + dir + "/authorized\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin " +
		"yes\nListenAddress 127.0.0.1\n"
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		out, err := exec.Command(keygen, "-q", "-N", "", "-t", kind, "-f", dir+"/host_"+kind).CombinedOutput()
		require.NoError(t, err, string(out))
		conf += "HostKey " + dir + "/host_" + kind + "\n"
	}
	file, key := newKey(t, "")
	require.NoError(t, os.WriteFile(dir+"/authorized", xssh.MarshalAuthorizedKey(key.PublicKey()), 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	host := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, _ := net.SplitHostPort(host)
	require.NoError(t, os.WriteFile(dir+"/conf", []byte(conf+"Port "+port+"\n"), 0o600))
	cmd := exec.Command(sshd, "-D", "-e", "-f", dir+"/conf")
	var log strings.Builder
	cmd.Stderr = &log
	cmd.WaitDelay = time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", host)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	addr := serve(t)
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		public, err := os.ReadFile(dir + "/host_" + kind + ".pub")
		require.NoError(t, err)
		known := dir + "/known_" + kind
		require.NoError(t, os.WriteFile(known, []byte(knownhosts.Normalize(host)+" "+string(public)), 0o600))
		d := &protocol.Dialer{Options: transport.Options{
			Dialer: ssh.Dialer(me.Username+"@"+host, &ssh.Config{KeyFiles: []string{file}, KnownHosts: []string{known}}),
		}}
		c, err := d.Dial(t.Context(), "tcp", addr)
		require.NoError(t, err, kind)
		use(t, c)
		require.NoError(t, c.Close())
		<-c.Done()
		if kind == "ed25519" {
			tunnel, err := ssh.Dial(t.Context(), me.Username+"@"+host, &ssh.Config{KeyFiles: []string{file},
				KnownHosts: []string{known}})
			require.NoError(t, err)
			if os.Getenv("GORPYC_TEST_BUILD") != "" { // sshd passes no environment on
				deploys(t, tunnel, classic.BuildProgram)
			}
			require.NoError(t, tunnel.Close())
		}
	}
}
