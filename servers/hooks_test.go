package servers_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/servers"
)

// A panic in a func of the program's ends the connection that it was called for, and gives its place back.
func TestHooksThatPanic(t *testing.T) {
	for name, set := range map[string]func(srv *servers.Server, failing func()){
		"OnAccept":   func(s *servers.Server, f func()) { s.OnAccept = func(net.Conn) error { f(); return nil } },
		"OnServe":    func(s *servers.Server, f func()) { s.OnServe = func(*protocol.Conn) error { f(); return nil } },
		"OnGone":     func(s *servers.Server, f func()) { s.OnGone = func(*protocol.Conn) { f() } },
		"NewService": func(s *servers.Server, f func()) { s.NewService = func() any { f(); return &counter{} } },
		"ConfigFor": func(s *servers.Server, f func()) {
			s.ConfigFor = func(net.Conn, any) *protocol.Config { f(); return nil }
		},
		"Handle": func(s *servers.Server, f func()) {
			s.Handle = func(_ context.Context, stream io.ReadWriteCloser, _ any) error {
				f()
				c, err := protocol.NewConn(t.Context(), stream, &counter{}, nil)
				if err == nil {
					<-c.Done()
				}
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var failed atomic.Bool
			srv := &servers.Server{Service: &counter{}, Aliases: []string{"COUNTER"}, MaxConns: 1}
			set(srv, func() {
				if failed.CompareAndSwap(false, true) {
					panic("a fault of the program")
				}
			})
			addr, result := start(t, t.Context(), srv)
			c := must(netDial(addr)).(*net.TCPConn)
			require.NoError(t, c.CloseWrite())
			require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
			_, err := io.Copy(io.Discard, c)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, 1, count(t, dial(t, addr)))
			require.True(t, failed.Load())
			stop(t, srv, result)
		})
	}
}

// TestHooks is told of a connection at each of its stations, in order, and refuses another at each.
func TestHooks(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	refuse := ""
	station := func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, name)
		if name == refuse {
			return errors.New("not " + name)
		}
		return nil
	}
	gone := make(chan struct{}, 10)
	srv := &servers.Server{
		Service:  newHall(),
		OnAccept: func(net.Conn) error { return station("accept") },
		Authenticator: servers.AuthenticatorFunc(func(_ context.Context, c net.Conn) (net.Conn, any, error) {
			return c, "someone", station("authenticate")
		}),
		OnServe: func(c *protocol.Conn) error {
			require.Equal(t, "someone", c.Credentials())
			return station("serve")
		},
		OnGone: func(*protocol.Conn) {
			_ = station("gone")
			gone <- struct{}{}
		},
	}
	addr, result := start(t, t.Context(), srv)
	all := []string{"accept", "authenticate", "serve", "gone"}
	c := dial(t, addr)
	require.NoError(t, c.Close())
	<-gone
	require.Equal(t, all, seen)
	for i, name := range all[:3] {
		mu.Lock()
		seen, refuse = nil, name
		mu.Unlock()
		_, err := protocol.Dial(t.Context(), "tcp", addr, &protocol.Config{Dialect: c.Dialect()})
		require.ErrorIs(t, err, protocol.ErrClosed)
		want := all[:i+1]
		if name == "serve" {
			<-gone
			want = all
		}
		mu.Lock()
		require.Equal(t, want, seen)
		mu.Unlock()
	}
	stop(t, srv, result)
	<-c.Done()
}
