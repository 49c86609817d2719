package protocol_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
)

// listed is a registrar that knows its answers.
type listed struct {
	registry.Registrar
	eps   []registry.Endpoint
	names []string
	err   error
}

func (l listed) Discover(context.Context, string) ([]registry.Endpoint, error) { return l.eps, l.err }

func (l listed) List(context.Context, string) ([]string, error) { return l.names, l.err }

func TestDiscover(t *testing.T) {
	ctx := t.Context()
	eps := []registry.Endpoint{{Host: "127.0.0.1", Port: 1}, {Host: "192.0.2.1", Port: 2}, {Host: "::1", Port: 3},
		{Host: "127.0.0.1", Path: "/s"}}
	found, err := protocol.Discover(ctx, "foo", &protocol.Discovery{Registrar: listed{eps: eps}})
	require.NoError(t, err)
	require.Equal(t, eps, found)
	found, err = protocol.Discover(ctx, "foo", &protocol.Discovery{Registrar: listed{eps: eps}, Host: "127.0.0.1"})
	require.NoError(t, err)
	require.Equal(t, []registry.Endpoint{eps[0], eps[3]}, found)

	// The messages begin with RPyC's words.
	var none *protocol.DiscoveryError
	_, err = protocol.Discover(ctx, "foo", &protocol.Discovery{Registrar: listed{}})
	require.ErrorAs(t, err, &none)
	require.EqualError(t, err, `rpyc: no servers exposing "foo" were found`)
	_, err = protocol.Discover(ctx, "foo", &protocol.Discovery{Registrar: listed{eps: eps}, Host: "192.0.2.9"})
	require.ErrorAs(t, err, &none)
	require.Equal(t, "192.0.2.9", none.Host)
	require.EqualError(t, err, `rpyc: no servers exposing "foo" were found on 192.0.2.9`)
	_, err = protocol.Discover(ctx, "foo", &protocol.Discovery{Registrar: listed{err: registry.ErrNoAnswer}})
	require.ErrorAs(t, err, &none)
	require.ErrorIs(t, err, registry.ErrNoAnswer)
}

func TestListServices(t *testing.T) {
	names, err := protocol.ListServices(t.Context(), &protocol.Discovery{Registrar: listed{names: []string{"A", "B"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"A", "B"}, names)
	_, err = protocol.ListServices(t.Context(), &protocol.Discovery{Registrar: listed{err: registry.ErrListingDisabled}})
	require.ErrorAs(t, err, new(*protocol.ForbiddenError))
	require.ErrorIs(t, err, registry.ErrListingDisabled)
	_, err = protocol.ListServices(t.Context(), &protocol.Discovery{Registrar: listed{err: registry.ErrNoAnswer}})
	require.ErrorIs(t, err, registry.ErrNoAnswer)
}

type greeter struct{}

func (greeter) Greet() string { return "hello" }

// serveGreeter accepts connections until the test ends.
func serveGreeter(t *testing.T, l net.Listener) {
	go func() {
		for {
			stream, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := protocol.NewConn(context.Background(), stream, greeter{}, nil); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
}

// TestDialByService: servers that are down are passed over.
func TestDialByService(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	up, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveGreeter(t, up)
	down := registry.EndpointOf(gone.Addr())
	r := listed{eps: []registry.Endpoint{down, {Host: "192.0.2.1", Path: "/elsewhere"}, registry.EndpointOf(up.Addr())}}
	c, err := protocol.DialByService(t.Context(), "greeter", &protocol.Discovery{Registrar: r})
	require.NoError(t, err)
	text, err := netref.Call[string](t.Context(), c.Root(), "greet")
	require.NoError(t, err)
	require.Equal(t, "hello", text)
	require.NoError(t, c.Close())

	r.eps = r.eps[:2]
	_, err = protocol.DialByService(t.Context(), "greeter", &protocol.Discovery{Registrar: r})
	var all *protocol.DiscoveryError
	require.ErrorAs(t, err, &all)
	require.Equal(t, r.eps, all.Endpoints)
	require.ErrorContains(t, err, "all services are down")
	require.ErrorContains(t, err, "Unix socket of another host")

	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("enough")
	cancel(stopped)
	_, err = protocol.DialByService(ctx, "greeter", &protocol.Discovery{Registrar: r})
	require.ErrorAs(t, err, &all)
}

func TestDialByServiceUnixSocket(t *testing.T) {
	path := t.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	serveGreeter(t, l)
	r := listed{eps: []registry.Endpoint{{Host: "127.0.0.1", Path: path}}}
	c, err := protocol.DialByService(t.Context(), "greeter", &protocol.Discovery{Registrar: r})
	require.NoError(t, err)
	require.NoError(t, c.Close())
}
