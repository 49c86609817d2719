package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a registry with a page; register tells it of servers.
func start(t testing.TB, opts *Options) (s *registry.Server, url string, register func(port int, names ...string)) {
	s = &registry.Server{}
	c, err := registry.ListenUDP(context.Background(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.ServeUDP(context.Background(), c) }()
	h := New(s, opts)
	web := httptest.NewServer(h)
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, h.Close())
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, registry.ErrServerClosed)
	})
	r := &registry.UDPClient{Addr: c.LocalAddr().String()}
	return s, web.URL, func(port int, names ...string) {
		require.NoError(t, r.Register(context.Background(), names, registry.Endpoint{Port: port}))
	}
}

func get(t testing.TB, url string) (*http.Response, string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func TestPage(t *testing.T) {
	_, url, register := start(t, nil)
	res, body := get(t, url)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, body, "No server has registered yet.")
	register(18861, "calc", `<script>alert(1)</script>`)
	register(18862, "calc")
	// A snapshot is a second old at most.
	require.Eventually(t, func() bool {
		res, body = get(t, url)
		return strings.Contains(body, "127.0.0.1:18862")
	}, 30*time.Second, 50*time.Millisecond)
	require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, body, "127.0.0.1:18861")
	require.Contains(t, body, "127.0.0.1:18862")
	require.Contains(t, body, "&lt;SCRIPT&gt;ALERT(1)&lt;/SCRIPT&gt;")
	require.NotContains(t, body, "<SCRIPT>")
	require.Contains(t, body, `<meta http-equiv="refresh"`, "it updates itself without JavaScript")
	_, body = get(t, url+"/?service=calc")
	require.Contains(t, body, "127.0.0.1:18862")
	require.NotContains(t, body, `<tbody><tr><th scope="rowgroup" rowspan="1"><a href="./?service=%3cSCRIPT`)
	res, _ = get(t, url+"/other")
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	res, err := http.Post(url+"/", "text/plain", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	http.DefaultClient.CloseIdleConnections()
}

func TestJSON(t *testing.T) {
	_, url, register := start(t, nil)
	register(18861, "a", "b")
	register(18862, "b")
	res, body := get(t, url+"/fleet.json")
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	var f Fleet
	require.NoError(t, json.Unmarshal([]byte(body), &f))
	require.Len(t, f.Services, 2)
	require.Equal(t, "A", f.Services[0].Name)
	require.Equal(t, "B", f.Services[1].Name)
	require.Equal(t, []Server{{Host: "127.0.0.1", Port: 18861}, {Host: "127.0.0.1", Port: 18862}},
		[]Server{{Host: f.Services[1].Servers[0].Host, Port: f.Services[1].Servers[0].Port},
			{Host: f.Services[1].Servers[1].Host, Port: f.Services[1].Servers[1].Port}})
	require.Nil(t, f.Services[0].Servers[0].Reachable)
	require.Equal(t, Totals{Services: 2, Servers: 2, Hosts: 1, Registrations: 3, Oldest: f.Totals.Oldest}, f.Totals)
	require.Len(t, f.Recent, 3)
	require.Equal(t, "127.0.0.1:18862", f.Recent[0].Address)
	require.Equal(t, registry.Registered, f.Recent[0].Reason)
	require.Equal(t, uint64(2), f.Requests["udp/register"])
	_, body = get(t, url+"/fleet.json?service=a")
	f = Fleet{}
	require.NoError(t, json.Unmarshal([]byte(body), &f))
	require.Len(t, f.Services, 1)
}

// TestViews: a service's page and a filter count what they show; problems stand first, and once more in their group.
func TestViews(t *testing.T) {
	now := time.Now()
	var all listed
	for i := range 40 {
		all = append(all, registry.Registration{Name: fmt.Sprintf("S%02d", i%20), Seen: now, Since: now.Add(-time.Hour),
			Endpoint: registry.Endpoint{Host: fmt.Sprintf("10.0.0.%d", i%4), Port: 1000 + i}})
	}
	all[33].Seen = now.Add(-10 * time.Minute) // S13 at 10.0.0.1:1033
	h := New(all, nil)
	defer h.Close()
	show := func(path string) string {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusOK, rec.Code)
		return rec.Body.String()
	}
	totals := func(path string) (t Totals) {
		var f Fleet
		_ = json.Unmarshal([]byte(show(path)), &f)
		return f.Totals
	}
	require.Equal(t, Totals{Services: 20, Servers: 40, Hosts: 4, Registrations: 40, Oldest: 600}, totals("/fleet.json"))
	require.Equal(t, Totals{Services: 1, Servers: 2, Hosts: 1, Registrations: 2, Oldest: 600},
		totals("/fleet.json?service=s13"))
	require.Equal(t, Totals{Services: 5, Servers: 10, Hosts: 1, Registrations: 10}, totals("/fleet.json?q=10.0.0.2"))
	require.Equal(t, 1, totals("/fleet.json?q=:1033").Servers)
	require.Equal(t, 2, totals("/fleet.json?q=S07").Servers)

	page := show("/")
	problems, services := strings.Index(page, "Problems</h2>"), strings.Index(page, "Services</h2>")
	require.Less(t, problems, services)
	require.Contains(t, page[problems:services], "10.0.0.1:1033")
	require.Equal(t, 20, strings.Count(page, "<details data-key="))
	require.NotContains(t, page, " open>", "many services are collapsed")
	group := page[strings.Index(page, `data-key="S13"`):]
	require.Less(t, strings.Index(group, ":1033"), strings.Index(group, ":1013"), "the one with the problem comes first")
	require.Contains(t, group, "1 with problems")
	require.NotContains(t, page, "Unreachable", "nobody has tried")
	one := show("/?service=S02")
	require.Equal(t, 1, strings.Count(one, " open>"))
	require.NotContains(t, one, "Problems</h2>")
	require.Contains(t, one, `<input type="hidden" name="service" value="S02">`)
	hosts := show("/?view=hosts")
	require.Equal(t, 4, strings.Count(hosts, "<details data-key="))
	require.Contains(t, hosts, `data-key="10.0.0.3"`)
	require.Contains(t, show("/?q=nothing%22%3E"), "Nothing matches.")
	require.NotContains(t, show("/?q=nothing%22%3E"), `nothing">`)
}

type listed []registry.Registration

func (l listed) Registrations(yield func(registry.Registration) bool) {
	for _, r := range l {
		if !yield(r) {
			return
		}
	}
}

func (listed) Recent() []registry.Event { return nil }

func (listed) Stats() registry.Stats { return registry.Stats{Started: time.Now()} }

func TestHealth(t *testing.T) {
	_, url, _ := start(t, nil)
	res, body := get(t, url+"/healthz")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "ok\n", body)
}

func TestMetrics(t *testing.T) {
	_, url, register := start(t, nil)
	register(18861, "a", "b\"\\\n")
	register(18862, "a")
	res, body := get(t, url+"/metrics")
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", res.Header.Get("Content-Type"))
	for _, line := range []string{
		"rpyc_registry_services 2", "rpyc_registry_servers 2", "rpyc_registry_registrations 3",
		`rpyc_registry_requests_total{transport="udp",command="register"} 2`,
		`rpyc_registry_rejects_total{reason="magic"} 0`,
		`rpyc_registry_service_servers{service="A"} 2`,
		`rpyc_registry_service_servers{service="B\"\\\n"} 1`,
	} {
		require.Contains(t, body, "\n"+line+"\n")
	}
	for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
		if !strings.HasPrefix(line, "# ") {
			require.Regexp(t, `^[a-z_]+(\{.*\})? [0-9.e+-]+$`, line)
		}
	}
}

// TestMetricsReadByPrometheus has the parser of Prometheus' own Python client read the figures, where it is installed.
func TestMetricsReadByPrometheus(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" || exec.Command(python, "-c", "import prometheus_client").Run() != nil {
		t.Skip("no prometheus_client for GORPYC_TEST_PYTHON")
	}
	_, url, register := start(t, nil)
	register(1, "a\"b")
	_, body := get(t, url+"/metrics")
	cmd := exec.Command(python, "-c", "import sys; from prometheus_client.parser import *; "+
		"print(len(list(text_string_to_metric_families(sys.stdin.read()))))")
	cmd.Stdin = strings.NewReader(body)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// TestPing: what accepts connections is reachable, and what does not is not.
func TestPing(t *testing.T) {
	up, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer up.Close()
	down, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, down.Close())
	port := func(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
	_, url, register := start(t, &Options{Ping: true, PingInterval: 5 * time.Millisecond})
	register(port(up), "up")
	register(port(down), "down")
	var f Fleet
	require.Eventually(t, func() bool {
		_, body := get(t, url+"/fleet.json")
		f = Fleet{}
		require.NoError(t, json.Unmarshal([]byte(body), &f))
		return len(f.Services) == 2 && f.Services[0].Servers[0].Reachable != nil && f.Services[1].Servers[0].Reachable != nil
	}, 30*time.Second, 10*time.Millisecond)
	require.False(t, *f.Services[0].Servers[0].Reachable)
	require.True(t, *f.Services[1].Servers[0].Reachable)
	_, body := get(t, url)
	require.Contains(t, body, "✓ yes")
	require.Contains(t, body, "✗ no")
	require.Contains(t, body, `<div class="alarm"><dt>Unreachable</dt><dd>1</dd></div>`)
	require.Equal(t, 1, *f.Totals.Unreachable)
	_, body = get(t, url+"/metrics")
	require.Contains(t, body, `rpyc_registry_service_reachable{service="UP"} 1`)
}

func TestManyServers(t *testing.T) {
	src := fakeSource{n: maxServers + 5}
	h := New(src, nil)
	defer h.Close()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/fleet.json", nil))
	var f Fleet
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &f))
	require.Equal(t, 5, f.Omitted)
	rec = httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Less(t, rec.Body.Len(), 500_000)
	require.Contains(t, rec.Body.String(), "9505 more registrations are not shown here")
}

type fakeSource struct{ n int }

func (s fakeSource) Registrations(yield func(registry.Registration) bool) {
	for i := range s.n {
		if !yield(registry.Registration{Name: "A", Endpoint: registry.Endpoint{Host: "10.0.0.1", Port: i}, Seen: time.Now(),
			Since: time.Now()}) {
			return
		}
	}
}

func (fakeSource) Recent() []registry.Event { return nil }

func (fakeSource) Stats() registry.Stats { return registry.Stats{Started: time.Now()} }
