//go:build linux

package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

func sockopt(t *testing.T, c any, level, opt int) int {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	var v int
	require.NoError(t, raw.Control(func(fd uintptr) { v, err = syscall.GetsockoptInt(int(fd), level, opt) }))
	require.NoError(t, err)
	return v
}

// TestListenOptions asks the kernel what was set.
func TestListenOptions(t *testing.T) {
	for _, reuse := range []bool{true, false} {
		l, err := transport.ListenWith(t.Context(), "tcp", "127.0.0.1:0",
			&transport.ListenOptions{NoReuseAddr: !reuse, Backlog: 7})
		require.NoError(t, err)
		defer l.Close()
		inner := l.(interface {
			SyscallConn() (syscall.RawConn, error)
		})
		require.Equal(t, reuse, sockopt(t, inner, syscall.SOL_SOCKET, syscall.SO_REUSEADDR) == 1)
		require.Equal(t, 7, backlog(t, inner))
	}
}

func backlog(t *testing.T, l interface {
	SyscallConn() (syscall.RawConn, error)
}) int {
	t.Helper()
	raw, err := l.SyscallConn()
	require.NoError(t, err)
	var n int
	require.NoError(t, raw.Control(func(fd uintptr) {
		n = tcpSacked(int(fd))
	}))
	return n
}

// TestKeepAlive asks the kernel what was set on both ends.
func TestKeepAlive(t *testing.T) {
	l, err := transport.ListenWith(t.Context(), "tcp", "127.0.0.1:0", &transport.ListenOptions{KeepAlive: -1})
	require.NoError(t, err)
	defer l.Close()
	accepted := accept(t, l)
	c, err := transport.Dial(t.Context(), "tcp", l.Addr().String(), &transport.Options{KeepAlive: 60 * time.Second})
	require.NoError(t, err)
	defer c.Close()
	far := <-accepted
	defer far.Close()
	require.Equal(t, 1, sockopt(t, c, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE))
	// As RPyC's connect(keepalive=60) has it: idle and interval 60 s, five probes.
	for opt, want := range map[int]int{syscall.TCP_KEEPIDLE: 60, syscall.TCP_KEEPINTVL: 60, syscall.TCP_KEEPCNT: 5} {
		require.Equal(t, want, sockopt(t, c, syscall.IPPROTO_TCP, opt))
	}
	require.Equal(t, 1, sockopt(t, c, syscall.IPPROTO_TCP, syscall.TCP_NODELAY))
	require.Equal(t, 0, sockopt(t, far, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE))
	require.NoError(t, transport.SetKeepAlive(far, 0))
	require.Equal(t, 1, sockopt(t, far, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE))
}

// TestDialAwaits has nothing listen at first. Dial waits for it if it is to, as long as the context lasts.
func TestDialAwaits(t *testing.T) {
	for _, err := range []error{syscall.ECONNREFUSED, syscall.ENOENT} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			near, far := net.Pipe()
			refused := func(context.Context, string, string) (net.Conn, error) {
				if tries++; tries < 10 {
					return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)}
				}
				return near, nil
			}
			_, failed := transport.Dial(t.Context(), "unix", "/s", &transport.Options{Dialer: refused})
			require.ErrorIs(t, failed, err)
			require.Equal(t, 1, tries)

			begin := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 130*time.Millisecond)
			defer cancel()
			_, failed = transport.Dial(ctx, "unix", "/s", &transport.Options{Dialer: refused, Await: true})
			require.ErrorIs(t, failed, err)
			require.Equal(t, 4, tries, "at 0, 20 and 60 ms")
			require.Equal(t, 130*time.Millisecond, time.Since(begin))

			begin = time.Now()
			c, failed := transport.Dial(t.Context(), "unix", "/s", &transport.Options{Dialer: refused, Await: true})
			require.NoError(t, failed)
			require.Equal(t, 620*time.Millisecond, time.Since(begin), "20, 40, 80, 160 and 320 ms")
			_, _ = c.Close(), far.Close()
		})
	}
}

// TestDialRetries times out as often as it was told, and not for other failures.
func TestDialRetries(t *testing.T) {
	var n atomic.Int32
	slow := func(ctx context.Context, _, _ string) (net.Conn, error) {
		n.Add(1)
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	}
	_, err := transport.Dial(t.Context(), "tcp", "h:1", &transport.Options{Timeout: time.Millisecond, Attempts: 3,
		Dialer: slow})
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, int32(3), n.Load())
	n.Store(0)
	_, err = transport.Dial(t.Context(), "tcp", "h:1", &transport.Options{Timeout: time.Millisecond, Dialer: slow})
	require.Error(t, err)
	require.Equal(t, int32(6), n.Load(), "RPyC's attempts")
	n.Store(0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = transport.Dial(ctx, "tcp", "h:1", &transport.Options{Timeout: -1, Dialer: slow})
	require.Error(t, err)
	require.Equal(t, int32(1), n.Load())
	why := errors.New("no route")
	n.Store(0)
	_,
		err = transport.Dial(t.Context(), "tcp", "h:1",
		&transport.Options{Dialer: func(context.Context, string, string) (net.Conn, error) {
			n.Add(1)
			return nil, why
		}})
	require.ErrorIs(t, err, why)
	require.Equal(t, int32(1), n.Load())
}

// TestTLSToPlain are servers that take the hello for the length of a message: some hang up, CPython waits for the rest.
func TestTLSToPlain(t *testing.T) {
	cfg := &tls.Config{ServerName: "h"}
	for _, tt := range []struct {
		name string
		peer func(net.Conn)
		want error
	}{
		{"hangs up", func(c net.Conn) { _ = c.Close() }, io.EOF},
		{"waits", func(net.Conn) {}, context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ends []net.Conn
			dial := func(context.Context, string, string) (net.Conn, error) {
				a, b := net.Pipe()
				ends = append(ends, b)
				go func() {
					_, _ = b.Read(make([]byte, 1<<16))
					tt.peer(b)
				}()
				return a, nil
			}
			_, err := transport.Dial(t.Context(), "tcp", "h:1", &transport.Options{Timeout: 50 * time.Millisecond, Attempts: 1,
				Dialer: dial, TLS: cfg})
			for _, c := range ends {
				_ = c.Close()
			}
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, "may not speak TLS")
		})
	}
}

// TestNotActivated is a process that was given no sockets, or those of another.
func TestNotActivated(t *testing.T) {
	_, err := transport.Activated()
	require.ErrorIs(t, err, transport.ErrNotActivated)
	t.Setenv("LISTEN_FDS", "1")
	t.Setenv("LISTEN_PID", "1")
	_, err = transport.Activated()
	require.ErrorIs(t, err, transport.ErrNotActivated)
}

// TestTLSFilesErrors names the file that is at fault.
func TestTLSFilesErrors(t *testing.T) {
	_, err := (&transport.TLSFiles{}).Server()
	require.ErrorContains(t, err, "needs a certificate")
	_, err = (&transport.TLSFiles{Cert: "/no/such/cert"}).Server()
	require.ErrorIs(t, err, os.ErrNotExist)
	junk := t.TempDir() + "/junk"
	require.NoError(t, os.WriteFile(junk, []byte(strings.Repeat("x", 100)), 0o600))
	for _, f := range []*transport.TLSFiles{{Cert: junk}, {CA: junk}} {
		_, err = f.Client()
		require.ErrorContains(t, err, junk)
	}
}
