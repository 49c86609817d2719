package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

// accept lets l accept one connection and hands it over.
func accept(t *testing.T, l net.Listener) <-chan net.Conn {
	accepted := make(chan net.Conn, 1)
	go func() {
		defer close(accepted)
		if c, err := l.Accept(); err == nil {
			accepted <- c
		}
	}()
	return accepted
}

func testConversation(t *testing.T, network, addr string) (client, server net.Conn) {
	l, err := transport.Listen(t.Context(), network, addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	accepted := accept(t, l)
	client, err = transport.Dial(t.Context(), network, l.Addr().String(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	server = <-accepted
	require.NotNil(t, server)
	t.Cleanup(func() { _ = server.Close() })

	_, err = client.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, client.(interface{ CloseWrite() error }).CloseWrite())
	got, err := io.ReadAll(server)
	require.NoError(t, err)
	require.Equal(t, "question", string(got))
	_, err = server.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, server.Close())
	got, err = io.ReadAll(client)
	require.NoError(t, err)
	require.Equal(t, "answer", string(got))
	return client, server
}

func TestTCP(t *testing.T) {
	for _, network := range []string{"tcp", "tcp4"} {
		client, server := testConversation(t, network, "127.0.0.1:0")
		for _, c := range []net.Conn{client, server} {
			require.Implements(t, (*transport.QuickAcker)(nil), c)
			c.(transport.QuickAcker).QuickAck() // of a closed connection too
			inner := c.(interface{ NetConn() net.Conn }).NetConn()
			require.IsType(t, (*net.TCPConn)(nil), inner)
			require.Equal(t, c, transport.Wrap(c), "wrapped twice")
		}
	}
}

func TestUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	client, _ := testConversation(t, "unix", path)
	require.Equal(t, client, transport.Wrap(client))
}

func TestUnixSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := transport.Listen(t.Context(), "unix", path)
	require.NoError(t, err)

	_, err = transport.Listen(t.Context(), "unix", path)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.ErrorContains(t, err, "another program listens on "+path)

	require.NoError(t, first.Close())
	_, err = os.Lstat(path)
	require.NoError(t, err, "the file stays, as with RPyC")

	second, err := transport.Listen(t.Context(), "unix", path)
	require.NoError(t, err, "a file nobody listens on is replaced")
	accepted := accept(t, second)
	c, err := transport.Dial(t.Context(), "unix", path, nil)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, (<-accepted).Close())
	require.NoError(t, second.Close())
}

func TestUnixFileOfAnotherKind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err := transport.Listen(t.Context(), "unix", path)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.ErrorContains(t, err, "is not a socket")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "precious", string(content))
}

func TestUnknownNetwork(t *testing.T) {
	for _, network := range []string{"", "udp", "unixpacket", "ip"} {
		_, err := transport.Dial(t.Context(), network, "x", nil)
		require.Equal(t, net.UnknownNetworkError(network), err)
		_, err = transport.Listen(t.Context(), network, "x")
		require.Equal(t, net.UnknownNetworkError(network), err)
	}
}

func TestDialFails(t *testing.T) {
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = transport.Dial(t.Context(), "tcp", l.Addr().String(), &transport.Options{KeepAlive: -1})
	require.ErrorIs(t, err, syscall.ECONNREFUSED)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = transport.Dial(ctx, "tcp", l.Addr().String(), nil)
	require.Error(t, err)
}

func TestDialer(t *testing.T) {
	mine, theirs := net.Pipe()
	defer theirs.Close()
	o := &transport.Options{
		Timeout: time.Hour,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, bounded := ctx.Deadline()
			require.True(t, bounded)
			require.Equal(t, "tcp host:1", network+" "+addr)
			return mine, nil
		},
	}
	c, err := transport.Dial(t.Context(), "tcp", "host:1", o)
	require.NoError(t, err)
	require.Equal(t, mine, c)
	require.NoError(t, c.Close())

	broken := errors.New("broken")
	o.Dialer = func(context.Context, string, string) (net.Conn, error) { return nil, broken }
	_, err = transport.Dial(t.Context(), "tcp", "host:1", o)
	require.Equal(t, broken, err)
}

func TestListenerDeadline(t *testing.T) {
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Unix(1, 0)))
	_, err = l.Accept()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}
