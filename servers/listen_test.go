package servers_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

// connectPython connects as its arguments say and prints the address of the service's end.
const connectPython = `
import socket, sys, rpyc
host, port, ipv6 = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "6"
c = rpyc.connect(host, port, ipv6=ipv6, keepalive=True)
print(c.root.pass_("x") if hasattr(c.root, "pass_") else c.root.exposed_pass("x"))
c.close()
`

// TestListenAddresses serves IPv4, IPv6 and both at once.
func TestListenAddresses(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6")
	} else {
		_ = l.Close()
	}
	for _, c := range []struct {
		network, addr string
		v4, v6        bool
	}{
		{"tcp", ":0", true, true},
		{"tcp4", ":0", true, false},
		{"tcp6", "[::1]:0", false, true},
		{"tcp", "127.0.0.1:0", true, false},
	} {
		t.Run(c.network+" "+c.addr, func(t *testing.T) {
			l, err := transport.Listen(t.Context(), c.network, c.addr)
			require.NoError(t, err)
			srv := &servers.Server{Service: newHall()}
			result := make(chan error, 1)
			go func() { result <- srv.Serve(t.Context(), l) }()
			for host, reachable := range map[string]bool{"127.0.0.1": c.v4, "::1": c.v6} {
				if !reachable {
					_, err := net.Dial("tcp", net.JoinHostPort(host, port(l.Addr().String())))
					require.Error(t, err)
					continue
				}
				kind := "4"
				if host == "::1" {
					kind = "6"
				}
				require.Equal(t, "x", runPython(t, connectPython, host, port(l.Addr().String()), kind))
			}
			stop(t, srv, result)
		})
	}
}

// TestUnixPython serves Python by a socket file, which stays when the server ends, and is taken over by the next.
func TestUnixPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 2 {
		srv := &servers.Server{Service: newHall()}
		l, err := transport.Listen(t.Context(), "unix", path)
		require.NoError(t, err)
		result := make(chan error, 1)
		go func() { result <- srv.Serve(t.Context(), l) }()
		require.Equal(t, "x", runPython(t, `
import sys
from rpyc.utils.factory import unix_connect
c = unix_connect(sys.argv[1])
print(c.root.exposed_pass("x"))
c.close()`, path))
		stop(t, srv, result)
		_, err = os.Stat(path)
		require.NoError(t, err)
	}
}

// TestListenAndServe listens by itself.
func TestListenAndServe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	srv := &servers.Server{Service: newHall()}
	result := make(chan error, 1)
	go func() { result <- srv.ListenAndServe(t.Context(), "unix", path) }()
	var c *protocol.Conn
	require.Eventually(t, func() bool {
		var err error
		c, err = protocol.Dial(t.Context(), "unix", path, nil)
		return err == nil
	}, 20*time.Second, 5*time.Millisecond)
	stop(t, srv, result)
	<-c.Done()
	require.ErrorIs(t, srv.ListenAndServe(t.Context(), "unix", path+"2"), servers.ErrServerClosed)
	require.Error(t, srv.ListenAndServe(t.Context(), "carrier pigeon", path))
}

// TestServeConn serves what is no network connection.
func TestServeConn(t *testing.T) {
	near, far := transport.Pipe()
	srv := &servers.Server{Service: newHall()}
	result := make(chan error, 1)
	go func() { result <- srv.ServeConn(t.Context(), far) }()
	c, err := protocol.DialStream(t.Context(), near, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "x", call[string](t, c, "pass", "x"))
	require.Eventually(t, func() bool { return len(srv.Clients()) == 1 }, time.Minute, time.Millisecond)
	require.NoError(t, c.Close())
	<-c.Done()
	require.NoError(t, <-result)

	near, far = transport.Pipe()
	go func() { result <- srv.ServeConn(t.Context(), far) }()
	_, err = near.Write([]byte("GET / HTTP/1.1\r\n"))
	require.NoError(t, err)
	var stranger *protocol.NotRPyCError
	require.ErrorAs(t, <-result, &stranger)

	_, far = transport.Pipe()
	guarded := &servers.Server{Authenticator: magicWord("x")}
	require.ErrorContains(t, guarded.ServeConn(t.Context(), far), "cannot be authenticated")
	require.NoError(t, srv.Close())
	_, far = transport.Pipe()
	require.ErrorIs(t, srv.ServeConn(t.Context(), far), servers.ErrServerClosed)
}

// TestProxy connects through an HTTP proxy, as a dialer that the user brings.
func TestProxy(t *testing.T) {
	srv := &servers.Server{Service: newHall()}
	addr, result := start(t, t.Context(), srv)
	proxied := 0
	proxy := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		proxied++
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = near.Write([]byte("HTTP/1.1 200 Connected\r\n\r\n"))
		go func() {
			_, _ = io.Copy(near, far)
			_ = near.Close()
		}()
		_, _ = io.Copy(far, near)
		_ = far.Close()
	})}
	l, err := listen()
	require.NoError(t, err)
	go func() { _ = proxy.Serve(l) }()
	d := &protocol.Dialer{Options: transport.Options{
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
			if err != nil {
				return nil, err
			}
			_, err = io.WriteString(c, "CONNECT "+addr+" HTTP/1.1\r\nHost: "+addr+"\r\n\r\n")
			if err == nil {
				_, err = io.ReadFull(c, make([]byte, len("HTTP/1.1 200 Connected\r\n\r\n")))
			}
			return c, err
		},
	}}
	c, err := d.Dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	require.Equal(t, "x", call[string](t, c, "pass", "x"))
	require.Equal(t, 1, proxied)
	require.NoError(t, c.Close())
	<-c.Done()
	stop(t, srv, result)
	require.NoError(t, proxy.Close())
}
