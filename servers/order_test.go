package servers_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
)

// observer is a registrar that looks at the server when it is told that it is gone.
type observer struct {
	registry.Registrar
	registered chan struct{}
	leaving    func()
}

func (o *observer) Register(context.Context, []string, registry.Endpoint) error {
	o.registered <- struct{}{}
	return nil
}

func (o *observer) Unregister(context.Context, registry.Endpoint) error {
	o.leaving()
	return nil
}

// Slow is a service whose call takes until the test lets it end.
type Slow struct{ began, end chan struct{} }

// Wait waits.
func (s Slow) Wait() string { s.began <- struct{}{}; <-s.end; return "done" }

// TestShutdownOrder: a server that shuts down is first not ready, then unregisters while it still accepts, then stops
// accepting, and then has what is under way answered.
func TestShutdownOrder(t *testing.T) {
	slow := Slow{make(chan struct{}), make(chan struct{})}
	o := &observer{registered: make(chan struct{}, 10)}
	s := &servers.Server{Service: slow, Registrar: o}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	health := s.Health()
	var order []string
	o.leaving = func() {
		if code, _ := probe(health, "/readyz"); code == 503 {
			order = append(order, "not ready")
		}
		if c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil); err == nil {
			order = append(order, "unregisters, accepts")
			_ = c.Close()
		}
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), l) }()
	<-o.registered
	c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	answer := make(chan string, 1)
	go func() {
		text, err := netref.Call[string](t.Context(), c.Root(), "wait")
		answer <- fmt.Sprint(text, err)
	}()
	<-slow.began
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	require.ErrorIs(t, <-served, servers.ErrServerClosed)
	_, err = net.Dial("tcp", l.Addr().String())
	require.Error(t, err)
	order = append(order, "stopped accepting")
	require.Empty(t, down, "a call is under way")
	close(slow.end)
	require.Equal(t, "done<nil>", <-answer)
	require.NoError(t, <-down)
	require.Equal(t, []string{"not ready", "unregisters, accepts", "stopped accepting"}, order)
	<-c.Done()
}
