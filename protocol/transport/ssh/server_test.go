package ssh_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// gate is an SSH server of this process, which forwards connections and runs commands.
type gate struct {
	addr    string
	known   string // a known_hosts file that knows it
	mute    chan struct{}
	wg      sync.WaitGroup
	mu      sync.Mutex
	streams []io.Closer
}

// newKey makes a key and writes it into a file.
func newKey(t *testing.T, passphrase string) (string, ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "test")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return path, signer
}

func newGate(t *testing.T, allowed ssh.PublicKey, password string) *gate {
	t.Helper()
	_, host := newKey(t, "")
	cfg := &ssh.ServerConfig{
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if c.User() == "ann" && string(key.Marshal()) == string(allowed.Marshal()) {
				return nil, nil
			}
			return nil, os.ErrPermission
		},
		PasswordCallback: func(c ssh.ConnMetadata, said []byte) (*ssh.Permissions, error) {
			if c.User() == "ann" && password != "" && string(said) == password {
				return nil, nil
			}
			return nil, os.ErrPermission
		},
	}
	cfg.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{addr: l.Addr().String(), known: filepath.Join(t.TempDir(), "known_hosts"), mute: make(chan struct{})}
	line := knownhosts.Line([]string{g.addr}, host.PublicKey())
	require.NoError(t, os.WriteFile(g.known, []byte(line+"\n"), 0o600))
	g.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.wg.Go(func() { g.serve(c, cfg) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.cut()
		g.wg.Wait()
	})
	return g
}

// cut ends all connections.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.streams {
		_ = c.Close()
	}
}

func (g *gate) keep(c io.Closer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams = append(g.streams, c)
}

func (g *gate) serve(raw net.Conn, cfg *ssh.ServerConfig) {
	g.keep(raw)
	_, channels, requests, err := ssh.NewServerConn(raw, cfg)
	if err != nil {
		_ = raw.Close()
		return
	}
	g.wg.Go(func() {
		for r := range requests {
			select {
			case <-g.mute: // says nothing any more
			default:
				_ = r.Reply(false, nil)
			}
		}
	})
	for n := range channels {
		switch n.ChannelType() {
		case "direct-tcpip":
			g.forward(n)
		case "direct-streamlocal@openssh.com":
			var to struct {
				Path, Origin string
				From         uint32
			}
			if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil {
				_ = n.Reject(ssh.ConnectionFailed, err.Error())
				continue
			}
			g.connect(n, "unix", to.Path)
		case "session":
			g.session(n)
		default:
			_ = n.Reject(ssh.UnknownChannelType, "")
		}
	}
}

func (g *gate) forward(n ssh.NewChannel) {
	var to struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil {
		_ = n.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	g.connect(n, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
}

// connect passes a channel on to an address.
func (g *gate) connect(n ssh.NewChannel, network, addr string) {
	far, err := net.Dial(network, addr)
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	ch, requests, err := n.Accept()
	if err != nil {
		_ = far.Close()
		return
	}
	g.keep(far)
	g.wg.Go(func() { ssh.DiscardRequests(requests) })
	g.wg.Go(func() {
		_, _ = io.Copy(far, ch)
		_ = far.Close()
	})
	g.wg.Go(func() {
		_, _ = io.Copy(ch, far)
		_ = ch.Close()
	})
}

func (g *gate) session(n ssh.NewChannel) {
	ch, requests, err := n.Accept()
	if err != nil {
		return
	}
	g.wg.Go(func() {
		for r := range requests {
			var run struct{ Command string }
			if r.Type != "exec" || ssh.Unmarshal(r.Payload, &run) != nil {
				_ = r.Reply(false, nil)
				continue
			}
			cmd := exec.Command("/bin/sh", "-c", run.Command)
			cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
			in, err := cmd.StdinPipe()
			if err == nil {
				err = cmd.Start()
			}
			_ = r.Reply(err == nil, nil)
			if err != nil {
				continue
			}
			g.wg.Go(func() {
				_, _ = io.Copy(in, ch)
				_ = in.Close()
			})
			g.wg.Go(func() {
				_ = cmd.Wait()
				_ = ch.Close()
			})
		}
	})
}

func pair() (ed25519.PublicKey, ed25519.PrivateKey, error) { return ed25519.GenerateKey(rand.Reader) }
