package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Listen returns a listener on addr, see [Dial] for the networks and addresses. The
// connections it accepts are wrapped as [Wrap] says. The context bounds only the
// call, not the life of the listener.
//
// A Unix socket is a file. If there is one at addr that nobody listens on any
// more, it is replaced; RPyC reports "address already in use" and leaves the
// removal to the user. If somebody does listen, or the file is something else,
// the error wraps syscall.EADDRINUSE and the file stays as it is. Closing the
// listener leaves the file behind, as RPyC does, so that a successor that has
// already taken its place keeps it.
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	return ListenWith(ctx, network, addr, nil)
}

// ListenOptions holds what [ListenWith] can be told. A nil *ListenOptions is the zero value.
type ListenOptions struct {
	// Backlog is how many connections may wait to be accepted; 0 means as many as
	// the system allows, as in RPyC. It is an error on systems where it cannot be
	// set, which are those other than Unix.
	Backlog int
	// NoReuseAddr refuses to listen on a port whose earlier connections linger
	// (reuse_addr=False). It has no effect on Windows, as in RPyC.
	NoReuseAddr bool
	// KeepAlive is how long accepted TCP connections are idle before they are
	// probed, and the interval between probes, as in [Options].
	KeepAlive time.Duration
}

// ListenWith is [Listen] with options.
func ListenWith(ctx context.Context, network, addr string, o *ListenOptions) (net.Listener, error) {
	if err := checkNetwork(network); err != nil {
		return nil, err
	}
	if o == nil {
		o = &ListenOptions{}
	}
	lc := net.ListenConfig{KeepAlive: o.KeepAlive, KeepAliveConfig: keepAlive(o.KeepAlive)}
	if o.NoReuseAddr {
		lc.Control = noReuseAddr
	}
	l, err := lc.Listen(ctx, network, addr)
	if err != nil && network == "unix" && errors.Is(err, syscall.EADDRINUSE) {
		if gone := removeStale(ctx, addr); gone != nil {
			return nil, fmt.Errorf("%w: %w", gone, err)
		}
		l, err = lc.Listen(ctx, network, addr)
	}
	if err != nil {
		return nil, err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	if o.Backlog > 0 {
		if err := setBacklog(l, o.Backlog); err != nil {
			_ = l.Close()
			return nil, fmt.Errorf("transport: backlog: %w", err)
		}
	}
	return WrapListener(l), nil
}

// WrapListener returns a listener whose connections are wrapped as [Wrap] says.
func WrapListener(l net.Listener) net.Listener { return &listener{Listener: l} }

// removeStale removes the socket file at path if nobody listens on it and tells
// why not otherwise.
func removeStale(ctx context.Context, path string) error {
	if strings.HasPrefix(path, "@") { // not a file: it goes when its listener goes
		return errors.New("transport: another program listens on " + path)
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("transport: %s exists and is not a socket", path)
	}
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		_ = c.Close()
		return errors.New("transport: another program listens on " + path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("transport: cannot tell whether %s is in use: %w", path, err)
	}
	return os.Remove(path)
}

type listener struct{ net.Listener }

// Accept waits for a connection and wraps it.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Wrap(c), nil
}

// SyscallConn gives access to the socket, for options of other kinds.
func (l *listener) SyscallConn() (syscall.RawConn, error) {
	if s, ok := l.Listener.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// SetDeadline bounds how long Accept waits, as *net.TCPListener and
// *net.UnixListener have it.
func (l *listener) SetDeadline(t time.Time) error {
	if d, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return errors.ErrUnsupported
}
