//go:build unix

package classic_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	tunnels "github.com/gorpyc/gorpyc/protocol/transport/ssh"
)

func answers(t *testing.T, c *classic.Conn) {
	t.Helper()
	n, err := classic.Eval[int](t.Context(), c, "6 * 7")
	require.NoError(t, err)
	require.Equal(t, 42, n)
	require.NoError(t, c.Close())
	<-c.Done()
}

// program is RPyC's rpyc_classic.
func program(path string) string {
	script := filepath.Join(filepath.Dir(path), "rpyc_classic.py")
	if _, err := os.Stat(script); err != nil {
		script = filepath.Join(filepath.Dir(path), "rpyc_classic")
	}
	return script
}

// TestPipes speaks to rpyc_classic over a pair of pipes.
func TestPipes(t *testing.T) {
	path := python(t)
	cmd := exec.Command(path, "-u", program(path), "-q", "-m", "stdio")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	// A stream cannot be tried twice, and what RPyC 6 is asked first, earlier releases take for a mistake.
	c, err := classic.DialStream(t.Context(), transport.Join(out, in),
		&protocol.Config{Dialect: connect(t, nil).Dialect()})
	require.NoError(t, err)
	answers(t, c)
	_ = cmd.Wait()
}

const unixServer = `
import sys
from rpyc.core.service import SlaveService
from rpyc.utils.server import ThreadedServer
try:
    server = ThreadedServer(SlaveService, socket_path=sys.argv[1])
except TypeError:
    print("NONE")
    sys.exit()
server._listen() if hasattr(server, "_listen") else server.listener.listen(5)
print("READY")
sys.stdout.flush()
server.start()
`

// TestUnixSocket connects to a server of RPyC's at a Unix socket, which rpyc_classic itself has no switch for.
func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	cmd := exec.Command(python(t), "-c", unixServer, path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	if strings.HasPrefix(line, "NONE") {
		t.Skip("servers of this RPyC have no Unix sockets")
	}
	c, err := classic.DialUnix(t.Context(), path, nil)
	require.NoError(t, err)
	answers(t, c)
}

// TestSSH connects through an SSH server of this process, which forwards.
func TestSSH(t *testing.T) {
	direct := connect(t, nil)
	port := direct.RemoteAddr().(*net.TCPAddr).Port
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	host, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	cfg := &ssh.ServerConfig{NoClientAuth: true}
	cfg.AddHostKey(host)
	gate, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer gate.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		raw, err := gate.Accept()
		if err != nil {
			return
		}
		forward(raw, cfg)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tunnel, err := tunnels.Dial(ctx, gate.Addr().String(), &tunnels.Config{User: "ann", NoAgent: true,
		KeyFiles: []string{}, HostKey: ssh.FixedHostKey(host.PublicKey())})
	require.NoError(t, err)
	d := &protocol.Dialer{Options: transport.Options{Dialer: tunnel.DialContext}}
	c, err := classic.DialWith(ctx, d, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	require.NoError(t, err)
	answers(t, c)
	require.NoError(t, tunnel.Close())
	<-ended
}

// forward is an SSH server that forwards one connection.
func forward(raw net.Conn, cfg *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(raw, cfg)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for n := range channels {
		var to struct {
			Host   string
			Port   uint32
			Origin string
			From   uint32
		}
		if n.ChannelType() != "direct-tcpip" || ssh.Unmarshal(n.ExtraData(), &to) != nil {
			_ = n.Reject(ssh.UnknownChannelType, "")
			continue
		}
		far, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
		if err != nil {
			_ = n.Reject(ssh.ConnectionFailed, err.Error())
			continue
		}
		ch, asked, err := n.Accept()
		if err != nil {
			_ = far.Close()
			continue
		}
		go ssh.DiscardRequests(asked)
		go func() {
			_, _ = io.Copy(far, ch)
			_ = far.Close()
		}()
		go func() {
			_, _ = io.Copy(ch, far)
			_ = ch.Close()
		}()
	}
}
