package consul_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry/sources/consul"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// agent answers as Consul's does (HTTP interface, "blocking queries" and "health").
type agent struct {
	mu      sync.Mutex
	index   uint64
	body    string
	changed chan struct{}
	asked   []*http.Request
}

func (a *agent) set(index uint64, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index, a.body = index, body
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *agent) requests() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	known, _ := strconv.ParseUint(r.URL.Query().Get("index"), 10, 64)
	for known != 0 && known == a.index {
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
		a.mu.Lock()
	}
	defer a.mu.Unlock()
	if r.Header.Get("X-Consul-Token") == "" {
		http.Error(w, "Permission denied", http.StatusForbidden)
		return
	}
	if a.index > 0 {
		w.Header().Set("X-Consul-Index", fmt.Sprint(a.index))
	}
	_, _ = w.Write([]byte(a.body))
}

// TestConsul follows a service whose instances come, get ill and go, and an agent that is set up anew.
func TestConsul(t *testing.T) {
	a := &agent{index: 7, changed: make(chan struct{}), body: `[
		{"Node": {"Node": "n1", "Address": "10.0.0.1", "Meta": {"zone": "eu-2"}},
		 "Service": {"ID": "calc-1", "Service": "calc", "Address": "", "Port": 18861,
		             "Weights": {"Passing": 10, "Warning": 2}, "Meta": {"zone": "eu-1"}},
		 "Checks": [{"Status": "passing"}, {"Status": "passing"}]},
		{"Node": {"Address": "10.0.0.2", "Locality": {"Region": "eu", "Zone": "eu-3"}},
		 "Service": {"Address": "2001:db8::2", "Port": 1, "Weights": {"Passing": 10, "Warning": 2}},
		 "Checks": [{"Status": "passing"}, {"Status": "warning"}]},
		{"Node": {"Address": "10.0.0.3"}, "Service": {"Port": 2, "Weights": {"Passing": 1, "Warning": 0}},
		 "Checks": [{"Status": "warning"}]},
		{"Node": {"Address": "10.0.0.4"}, "Service": {"Port": 3}, "Checks": [{"Status": "critical"}]},
		{"Node": {"Address": "10.0.0.5"}, "Service": {"Port": 4}, "Checks": [{"Status": "maintenance"}]},
		{"Node": {"Address": "10.0.0.6"}, "Service": {"Port": 0}, "Checks": []},
		{"Node": {"Address": "10.0.0.7"}, "Service": {"Port": 5}, "Checks": null}]`}
	srv := httptest.NewServer(a)
	defer srv.Close()
	defer http.DefaultClient.CloseIdleConnections()
	t.Setenv("CONSUL_HTTP_ADDR", srv.Listener.Addr().String())
	t.Setenv("CONSUL_HTTP_TOKEN", "secret")
	source := &consul.Source{Service: "calc/x", Tag: "v2", Datacenter: "dc1"}
	ctx, cancel := context.WithCancel(t.Context())
	updates, ended := make(chan []protocol.Address), make(chan error, 1)
	watch := func() { ended <- source.Watch(ctx, func(a []protocol.Address) { updates <- a }) }
	go watch()
	require.Equal(t, []protocol.Address{
		{Addr: "10.0.0.1:18861", Weight: 10, Zone: "eu-1"},
		{Addr: "[2001:db8::2]:1", Weight: 2, Zone: "eu-3"},
		{Addr: "10.0.0.7:5"},
	}, <-updates)
	r := a.requests()[0]
	require.Equal(t, "/v1/health/service/calc%2Fx", r.URL.EscapedPath())
	require.Equal(t, "dc=dc1&tag=v2", r.URL.RawQuery)
	require.Equal(t, "secret", r.Header.Get("X-Consul-Token"))
	a.set(9, `[]`)
	require.Empty(t, <-updates)
	require.Equal(t, "dc=dc1&index=7&tag=v2&wait=5m0s", a.requests()[1].URL.RawQuery)
	a.set(3, `[{"Node": {"Address": "10.0.0.8"}, "Service": {"Port": 6}}]`)
	for range 2 { // the index is not believed, and the agent is asked at once
		require.Equal(t, []protocol.Address{{Addr: "10.0.0.8:6"}}, <-updates)
	}
	a.set(0, `[]`)
	require.ErrorContains(t, <-ended, "without an index")
	a.set(1, `{`)
	go watch()
	require.Error(t, <-ended)
	t.Setenv("CONSUL_HTTP_TOKEN", "")
	go watch()
	require.EqualError(t, <-ended, "consul: 403 Forbidden: Permission denied")
	source = &consul.Source{Service: "calc", Server: srv.URL + "/", Token: "mine"}
	a.set(1, `[]`)
	go watch()
	require.Empty(t, <-updates)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.ErrorContains(t, (&consul.Source{Server: srv.URL}).Watch(t.Context(), nil), "no Service")
}

// TestManyEmptyInstances gets an answer whose items take forty times the memory of their text if all are decoded before
// they are looked at.
func TestManyEmptyInstances(t *testing.T) {
	a := &agent{index: 7, changed: make(chan struct{}), body: "[" + strings.Repeat("{},", 1<<16) +
		`{"Node": {"Address": "10.0.0.1"}, "Service": {"Port": 1}}]`}
	srv := httptest.NewServer(a)
	defer srv.Close()
	defer http.DefaultClient.CloseIdleConnections()
	source := &consul.Source{Service: "calc", Server: srv.URL, Token: "mine"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := source.Watch(ctx, func(addrs []protocol.Address) {
		require.Equal(t, []protocol.Address{{Addr: "10.0.0.1:1"}}, addrs)
		cancel()
	})
	require.ErrorIs(t, err, context.Canceled)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20*len(a.body)))
}
