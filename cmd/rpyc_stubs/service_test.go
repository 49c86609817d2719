package main

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
)

// A service that a registry knows, and one of its attributes.
func TestServiceOfRegistry(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 2)
	defer func() { stop(); <-done; <-done }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &servers.Server{Service: &holder{Inner: goService{}}, Config: &protocol.Config{Access: *all}}
	go func() { done <- srv.Serve(ctx, l) }()
	udp, err := registry.ListenUDP(ctx, "udp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { done <- (&registry.Server{}).ServeUDP(ctx, udp) }()

	address := udp.LocalAddr().String()
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, (&registry.UDPClient{Addr: address}).Register(ctx, []string{"HELD"},
		registry.Endpoint{Host: "127.0.0.1", Port: port}))
	code, out := stubs(t, "client", "--service", "held", "--registry", address, "--attribute", "inner", "--package", "p",
		"--type", "Inner")
	require.Equal(t, 0, code, out)
	require.True(t, strings.HasPrefix(out, generatedBy), out)
	require.Contains(t, out, "func (s *Inner) Greet(ctx context.Context, name any, options ...netref.Keyword) (any, "+
		"error) {")

	code, out = stubs(t, "client", "--service", "nobody", "--registry", address)
	require.Equal(t, 1, code)
	require.Contains(t, out, `no servers exposing "nobody" were found`)
	code, out = stubs(t, "client", "--service", "held", "--registry", address, "--attribute", "nope")
	require.Equal(t, 1, code)
	require.Contains(t, out, "--attribute nope")
}

type holder struct{ Inner goService }
