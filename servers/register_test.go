package servers_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
)

// ClockService is named as RPyC's services are: it is found as CLOCK.
type ClockService struct{}

// Add is something to call.
func (ClockService) Add(a, b int) int { return a + b }

// startRegistry serves a registry over UDP until the test ends.
func startRegistry(t *testing.T) (r *registry.Server, addr string) {
	r = &registry.Server{AllowListing: true}
	c, err := registry.ListenUDP(t.Context(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- r.ServeUDP(context.Background(), c) }()
	t.Cleanup(func() {
		require.NoError(t, r.Close())
		require.ErrorIs(t, <-done, registry.ErrServerClosed)
	})
	return r, c.LocalAddr().String()
}

// services lists what a registry knows.
func services(r *registry.Server) (names []string) {
	for reg := range r.Registrations {
		names = append(names, reg.Name)
	}
	return names
}

// TestRegistration: a server is found under its names, by Go and by Python, while it serves and no longer.
func TestRegistration(t *testing.T) {
	reg, addr := startRegistry(t)
	registrar := &registry.UDPClient{Addr: addr}
	srv := &servers.Server{Service: ClockService{}, Registrar: registrar}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background(), l) }()
	require.Eventually(t, func() bool { return len(services(reg)) == 1 }, 30*time.Second, time.Millisecond)
	require.Equal(t, []string{"CLOCK"}, services(reg))

	c, err := protocol.DialByService(t.Context(), "clock", &protocol.Discovery{Registrar: registrar})
	require.NoError(t, err)
	require.Equal(t, 5, call[int](t, c, "add", 2, 3))
	require.NoError(t, c.Close())

	t.Run("python", func(t *testing.T) {
		host, port, err := net.SplitHostPort(addr)
		require.NoError(t, err)
		out := runPython(t, `
import sys, rpyc
from rpyc.utils.registry import UDPRegistryClient
registrar = UDPRegistryClient(ip=sys.argv[1], port=int(sys.argv[2]))
(host, port), = rpyc.discover("Clock", registrar=registrar)
conn = rpyc.connect(host, port)
print(host, conn.root.add(20, 22), registrar.list() if hasattr(registrar, "list") else ("CLOCK",))
conn.close()
`, host, port)
		require.Equal(t, "127.0.0.1 42 ('CLOCK',)", out)
	})

	limit, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, srv.Shutdown(limit))
	require.ErrorIs(t, <-done, servers.ErrServerClosed)
	require.Eventually(t, func() bool { return len(services(reg)) == 0 }, 30*time.Second, time.Millisecond)
	_, err = protocol.DialByService(t.Context(), "clock", &protocol.Discovery{Registrar: registrar})
	require.ErrorAs(t, err, new(*protocol.DiscoveryError))
}

// TestRegistrationAliases: all aliases are registered, of each listener, and all are gone when serving ends with the
// context.
func TestRegistrationAliases(t *testing.T) {
	reg, addr := startRegistry(t)
	srv := &servers.Server{Service: ClockService{}, Aliases: []string{"clock", "Watch"},
		Registrar: &registry.UDPClient{Addr: addr}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() { done <- srv.Serve(ctx, l) }()
	}
	require.Eventually(t, func() bool { return len(services(reg)) == 4 }, 30*time.Second, time.Millisecond)
	require.ElementsMatch(t, []string{"CLOCK", "CLOCK", "WATCH", "WATCH"}, services(reg))
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.ErrorIs(t, <-done, context.Canceled)
	require.Eventually(t, func() bool { return len(services(reg)) == 0 }, 30*time.Second, time.Millisecond)
}

// TestRegistrationWithoutRegistry: a server serves, and ends in time, though nobody answers its registrar.
func TestRegistrationWithoutRegistry(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	srv := &servers.Server{Service: ClockService{}, Registrar: &registry.UDPClient{Addr: silent.LocalAddr().String()}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background(), l) }()
	c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	require.Equal(t, 5, call[int](t, c, "add", 2, 3))
	require.NoError(t, c.Close())
	begin := time.Now()
	require.NoError(t, srv.Shutdown(t.Context()))
	require.ErrorIs(t, <-done, servers.ErrServerClosed)
	require.Less(t, time.Since(begin), 2*time.Second, "it does not wait for an answer")
}
