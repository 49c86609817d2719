package prom

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var known = vinegar.NewClass("tests.Known")

type service struct{}

func (service) Add(a, b int) int { return a + b }

func (service) Fail(text string) error {
	return known.New(text)
}

var _ = exposed.Register[service](exposed.ClassOptions{Name: "tests.Service"})

func page(m *Metrics) string {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// TestSeries looks at what is shown after some calls.
func TestSeries(t *testing.T) {
	server, client := New(), New()
	ctx := t.Context()
	a, b, err := protocol.Pair(ctx, service{}, nil, &protocol.Config{Hooks: server.Hooks()})
	require.NoError(t, err)
	for range 3 {
		n, err := netref.Call[int](ctx, b.Root(), "add", 1, 2)
		require.NoError(t, err)
		require.Equal(t, 3, n)
	}
	_, err = b.Root().CallMethod(ctx, "fail", "x")
	require.Error(t, err)
	got := page(server)
	for _, line := range []string{
		`rpyc_server_requests_total{class="tests.Service",method="add",error=""} 3`,
		`rpyc_server_requests_total{class="tests.Service",method="fail",error="tests.Known"} 1`,
		`rpyc_server_request_duration_seconds_count{class="tests.Service",method="add"} 3`,
		`rpyc_client_requests_total{method="add",error=""} 3`,
		`rpyc_connections 2`, `rpyc_connections_opened_total 2`, `rpyc_queued_requests 0`,
		`rpyc_exported_objects 1`, `rpyc_imported_objects 1`,
	} {
		require.Contains(t, got, line+"\n")
	}
	require.Contains(t, got, `rpyc_bytes_total{side="server",direction="in"} `)
	require.NotContains(t, page(client), "requests_total")
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
	require.Contains(t, page(server), "rpyc_connections 0\n")
}

// TestPeersMakeNoSeries has a peer ask for names, and raise exceptions, that nobody knows.
func TestPeersMakeNoSeries(t *testing.T) {
	server := New()
	ctx := t.Context()
	a, b, err := protocol.Pair(ctx, service{}, nil, &protocol.Config{
		Hooks: protocol.Hooks{Serve: server.Hooks().Serve},
	})
	require.NoError(t, err)
	for i := range 50 {
		_, err := b.Root().CallMethod(ctx, fmt.Sprintf("name%d\"}\n", i))
		require.Error(t, err)
	}
	got := page(server)
	require.Equal(t, 1, strings.Count(got, "rpyc_server_requests_total{"), got)
	require.Contains(t, got, `{class="other",method="other",error="AttributeError"} 50`)
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
}

// TestMethodsCalledAreBounded calls more methods than are told apart.
func TestMethodsCalledAreBounded(t *testing.T) {
	m := New()
	a, b, err := protocol.Pair(t.Context(), service{}, nil, &protocol.Config{Hooks: protocol.Hooks{Call: m.Hooks().Call}})
	require.NoError(t, err)
	for i := range maxMethods + 50 {
		_, err := b.Root().CallMethod(t.Context(), fmt.Sprintf("name%d", i))
		require.Error(t, err)
	}
	got := page(m)
	require.LessOrEqual(t, strings.Count(got, "rpyc_client_requests_total{"), maxMethods+1)
	require.Contains(t, got, `rpyc_client_requests_total{method="other",error="AttributeError"} `)
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
}

// TestDashboardShowsSeriesThatExist looks the metrics of the dashboard and of the alert rules up in what is shown.
func TestDashboardShowsSeriesThatExist(t *testing.T) {
	m := New()
	a, b, err := protocol.Pair(t.Context(), service{}, nil, &protocol.Config{Hooks: m.Hooks()})
	require.NoError(t, err)
	_, err = b.Root().CallMethod(t.Context(), "add", 1, 2)
	require.NoError(t, err)
	shown := page(m)
	for _, file := range []string{"rpyc-dashboard.json", "observability.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs", file))
		require.NoError(t, err)
		if filepath.Ext(file) == ".json" {
			require.True(t, json.Valid(text))
		}
		names := regexp.MustCompile(`\brpyc_(server|client|bytes|conn|exp|imp|queued)\w*`).FindAllString(string(text), -1)
		require.NotEmpty(t, names)
		for _, name := range names {
			require.Regexp(t, `(?m)^`+name, shown, file)
		}
	}
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
}
