package fleet

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/observe/page/pagetest"
	"github.com/gorpyc/gorpyc/registry"
)

// watched serves a fleet whose service LATER comes after the page was first shown.
func watched(t *testing.T) (url string, requests, fetches *atomic.Int32) {
	s := &registry.Server{}
	c, err := registry.ListenUDP(context.Background(), "udp4", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.ServeUDP(context.Background(), c) }()
	h := New(s, &Options{Refresh: time.Second, Ping: true, PingInterval: 100 * time.Millisecond})
	h.hold = 0 // the browser's clock runs ahead
	r := &registry.UDPClient{Addr: c.LocalAddr().String()}
	up, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, r.Register(context.Background(), []string{"calculator", "adder"}, registry.EndpointOf(up.Addr())))
	require.NoError(t, r.Register(context.Background(), []string{"calculator"}, registry.Endpoint{Port: 1}))
	require.NoError(t, r.Register(context.Background(), []string{"unix"},
		registry.Endpoint{Path: "/run/a/long/path/of/a/server/that/listens/on/a/socket.sock"}))
	requests, fetches = new(atomic.Int32), new(atomic.Int32)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h.ServeHTTP(w, req)
		if req.Header.Get("Sec-Fetch-Mode") != "navigate" {
			fetches.Add(1)
		}
		if req.URL.Path == "/" && requests.Add(1) == 1 {
			_ = r.Register(context.Background(), []string{"later"}, registry.Endpoint{Port: 2})
		}
	}))
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, h.Close())
		require.NoError(t, up.Close())
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, registry.ErrServerClosed)
	})
	return web.URL + "/", requests, fetches
}

func TestPageInBrowser(t *testing.T) {
	url, requests, fetches := watched(t)
	dom, console := pagetest.Open(t, url, "--virtual-time-budget=10000", "--dump-dom")
	require.Empty(t, pagetest.Complaint(console))
	require.Contains(t, dom, `data-live="yes"`, "the script runs")
	require.Greater(t, requests.Load(), int32(1))
	require.Positive(t, fetches.Load())
	require.Contains(t, dom, "<b>LATER</b>", "the page has updated itself")
	require.Contains(t, dom, "CALCULATOR")
}

func TestPageWithoutScript(t *testing.T) {
	url, requests, fetches := watched(t)
	profile := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(profile, "Default"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(profile, "Default", "Preferences"),
		[]byte(`{"profile": {"default_content_setting_values": {"javascript": 2}}}`), 0o600))
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	b := pagetest.Chromium(ctx, t, url, "--user-data-dir="+profile, "--remote-debugging-port=0")
	require.NoError(t, b.Cmd.Start())
	require.Eventually(t, func() bool {
		return requests.Load() > 1
	}, 30*time.Second, 20*time.Millisecond, "the browser loads it again")
	cancel()
	_ = b.Cmd.Wait() // it was told to end
	require.Empty(t, pagetest.Complaint(b.Stderr.String()))
	require.Zero(t, fetches.Load(), "not by the script")
}

func TestScreenshots(t *testing.T) {
	url, _, _ := watched(t)
	pagetest.Screenshots(t, url, "fleet")
}
