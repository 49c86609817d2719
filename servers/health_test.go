package servers_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/servers"
)

func probe(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

// TestHealth follows a server from before it listens to after its shutdown.
func TestHealth(t *testing.T) {
	var broken error
	s := &servers.Server{DrainDelay: time.Hour, Checks: map[string]func(context.Context) error{
		"database": func(context.Context) error { return broken },
	}}
	h := s.Health()
	is := func(code int, text string) {
		t.Helper()
		got, body := probe(h, "/readyz")
		require.Equal(t, code, got)
		require.Equal(t, text+"\n", body)
		got, _ = probe(h, "/healthz")
		require.Equal(t, 200, got)
	}
	is(503, "not listening")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), l) }()
	dial := func() {
		c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
		require.NoError(t, err)
		require.NoError(t, c.Close())
		<-c.Done()
	}
	dial()
	is(200, "ok")
	broken = errors.New("gone")
	is(503, "database: gone")
	broken = nil

	ctx, cancel := context.WithCancel(context.Background())
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(ctx) }()
	require.Eventually(t, func() bool { code, _ := probe(h, "/readyz"); return code == 503 }, time.Minute,
		time.Millisecond)
	is(503, "shutting down")
	dial() // it accepts until the delay is over
	cancel()
	require.ErrorIs(t, <-served, servers.ErrServerClosed)
	<-down
	is(503, "shutting down")
}
