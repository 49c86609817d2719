// Package ssh connects to RPyC peers through an SSH server (rpyc.ssh_connect). It is a package of its own so that only
// programs that import it are built with golang.org/x/crypto.
//
//	tunnel, err := ssh.Dial(ctx, "ann@gate.example.org", nil)
//	if err != nil {
//		return err
//	}
//	defer tunnel.Close()
//	d := &protocol.Dialer{Options: transport.Options{Dialer: tunnel.DialContext}}
//	conn, err := d.Dial(ctx, "tcp", "localhost:18861") // as seen from gate
//
// With [Dialer] in place of the tunnel's DialContext each connection has an SSH connection of its own, which is closed
// with it, as RPyC has it. [Tunnel.Exec] starts a service on the other machine that speaks over its standard input and
// output.
//
// Keys come from the agent and from the usual files, and the server's key has to be in known_hosts, as with the ssh
// command; its configuration files are not read.
//
// The connections do not support deadlines: they are timed out by closing them, which is what contexts do everywhere in
// this module.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Config says how to log in. A nil *Config is the zero value.
type Config struct {
	// User is the name to log in with, unless the address has one; "" means the name of the process's user.
	User string
	// KeyFiles hold private keys. nil means those of id_ed25519, id_ecdsa and id_rsa in ~/.ssh that exist.
	KeyFiles []string
	// Passphrase is asked for the passphrase of a key file that needs one; without it such files are left out.
	Passphrase func(file string) ([]byte, error)
	// NoAgent leaves the keys of the agent (SSH_AUTH_SOCK) out.
	NoAgent bool
	// Password, if not "", is tried after the keys.
	Password string
	// Auth is tried after all that.
	Auth []ssh.AuthMethod
	// KnownHosts are files with the keys of known servers; nil means ~/.ssh/known_hosts.
	KnownHosts []string
	// HostKey checks the server's key in place of KnownHosts.
	HostKey ssh.HostKeyCallback
	// Timeout bounds connecting and logging in, in addition to the context; 0 means 10 s, negative no limit.
	Timeout time.Duration
	// KeepAlive is how often the server is asked whether it is still there; one that does not answer until the next time
	// is given up, and the connections through it end. 0 means never.
	KeepAlive time.Duration
}

// Tunnel is an SSH connection through which others go. It is safe for concurrent use.
type Tunnel struct {
	client *ssh.Client
	close  sync.Once
	done   chan struct{} // closed when the SSH connection has ended
}

// Dial logs in to an SSH server. addr is [user@]host[:port]; the port is 22 without one. An unknown or changed key of
// the server is a *knownhosts.KeyError.
func Dial(ctx context.Context, addr string, cfg *Config) (*Tunnel, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	name, host := cfg.split(addr)
	limit := cfg.Timeout
	if limit == 0 {
		limit = 10 * time.Second
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	cc, release, err := cfg.client(name, host)
	if err != nil {
		return nil, fmt.Errorf("ssh: %w", err)
	}
	defer release()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, fmt.Errorf("ssh: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	conn, channels, requests, err := ssh.NewClientConn(raw, host, cc)
	if !stop() && err == nil {
		_ = conn.Close()
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return nil, fmt.Errorf("ssh: %s: %w", host, err)
	}
	t := &Tunnel{client: ssh.NewClient(conn, channels, requests), done: make(chan struct{})}
	go func() {
		_ = t.client.Wait()
		close(t.done)
	}()
	if cfg.KeepAlive > 0 {
		go t.keepAlive(cfg.KeepAlive)
	}
	return t, nil
}

// Dialer is a function for transport.Options.Dialer that logs in anew for each connection, and logs out when that is
// closed.
func Dialer(addr string, cfg *Config) func(ctx context.Context, network, target string) (net.Conn, error) {
	return func(ctx context.Context, network, target string) (net.Conn, error) {
		t, err := Dial(ctx, addr, cfg)
		if err != nil {
			return nil, err
		}
		c, err := t.DialContext(ctx, network, target)
		if err != nil {
			_ = t.Close()
			return nil, err
		}
		return &owner{Conn: c, tunnel: t}, nil
	}
}

// owner is a connection that has a tunnel for itself.
type owner struct {
	net.Conn
	tunnel *Tunnel
}

// Close closes the tunnel, too.
func (o *owner) Close() error {
	err := o.Conn.Close()
	return errors.Join(err, o.tunnel.Close())
}

// DialContext connects from the SSH server to an address: "tcp" with host and port as that machine knows them, or
// "unix" with the path of a socket there.
func (t *Tunnel) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := t.client.DialContext(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("ssh: from there to %s: %w", addr, err)
	}
	return c, nil
}

// Exec starts a command on the other machine, by its shell, and returns the stream to its standard input and output;
// what it writes to its standard error goes to stderr, or nowhere if that is nil. Closing the stream ends the session,
// which tells the command to end.
func (t *Tunnel) Exec(command string, stderr io.Writer) (io.ReadWriteCloser, error) {
	s, err := t.client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("ssh: %w", err)
	}
	w, err := s.StdinPipe()
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("ssh: %w", err)
	}
	r, err := s.StdoutPipe()
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("ssh: %w", err)
	}
	s.Stderr = stderr
	if err := s.Start(command); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("ssh: %s: %w", command, err)
	}
	return &session{Reader: r, w: w, s: s}, nil
}

// session is a command on the other machine.
type session struct {
	io.Reader
	w io.WriteCloser
	s *ssh.Session
}

// Write writes to the command's standard input.
func (s *session) Write(p []byte) (int, error) { return s.w.Write(p) }

// Close ends the session.
func (s *session) Close() error {
	_ = s.w.Close()
	if err := s.s.Close(); err != nil && !errors.Is(err, io.EOF) { // EOF: the command has ended
		return err
	}
	return nil
}

// Done is closed when the SSH connection has ended, for whatever reason.
func (t *Tunnel) Done() <-chan struct{} { return t.done }

// Close ends the SSH connection and all that goes through it.
func (t *Tunnel) Close() (err error) {
	t.close.Do(func() {
		err = t.client.Close()
		<-t.done
	})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (t *Tunnel) keepAlive(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-tick.C:
		}
		dead := time.AfterFunc(every, func() { _ = t.client.Close() })
		_, _, err := t.client.SendRequest("keepalive@openssh.com", true, nil)
		dead.Stop()
		if err != nil {
			_ = t.client.Close()
			return
		}
	}
}

// split takes an address apart.
func (cfg *Config) split(addr string) (name, host string) {
	name, host, found := strings.Cut(addr, "@")
	if !found {
		name, host = cfg.User, addr
	}
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "22")
	}
	return name, host
}

// client is the configuration for a server. release gives back what is only needed to log in.
func (cfg *Config) client(name, host string) (cc *ssh.ClientConfig, release func(), err error) {
	cc = &ssh.ClientConfig{User: name, HostKeyCallback: cfg.HostKey}
	if cc.HostKeyCallback == nil {
		if cc.HostKeyCallback, cc.HostKeyAlgorithms, err = cfg.known(host); err != nil {
			return nil, nil, err
		}
	}
	release = func() {}
	var fromAgent func() ([]ssh.Signer, error)
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" && !cfg.NoAgent {
		if c, err := net.Dial("unix", socket); err == nil {
			release = func() { _ = c.Close() }
			fromAgent = agent.NewClient(c).Signers
		}
	}
	files, err := cfg.keys()
	if err != nil {
		release()
		return nil, nil, err
	}
	// One method for all keys: a server counts each method that fails.
	cc.Auth = append(cc.Auth, ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		if fromAgent == nil {
			return files, nil
		}
		signers, err := fromAgent()
		if err != nil {
			return files, nil //nolint:nilerr // an agent that fails is one that has no keys
		}
		return append(signers, files...), nil
	}))
	if cfg.Password != "" {
		cc.Auth = append(cc.Auth, ssh.Password(cfg.Password))
	}
	cc.Auth = append(cc.Auth, cfg.Auth...)
	return cc, release, nil
}

// keys reads the key files.
func (cfg *Config) keys() ([]ssh.Signer, error) {
	names, asked := cfg.KeyFiles, cfg.KeyFiles != nil
	if !asked {
		for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			names = append(names, filepath.Join(home(), ".ssh", name))
		}
	}
	var signers []ssh.Signer
	for _, name := range names {
		pem, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && !asked {
			continue
		}
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKey(pem)
		var locked *ssh.PassphraseMissingError
		if errors.As(err, &locked) {
			if cfg.Passphrase == nil {
				continue
			}
			var phrase []byte
			if phrase, err = cfg.Passphrase(name); err == nil {
				signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, phrase)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", name, err)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return "."
	}
	return dir
}
