package fleet

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/registry"
)

// chromium is a headless browser that opens a page. The test is skipped where there is none.
func chromium(ctx context.Context, t *testing.T, url string,
	args ...string) (cmd *exec.Cmd, stdout, stderr *lockedBuffer) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if path, err = exec.LookPath("google-chrome"); err != nil {
			t.Skip("no chromium here: the page is not tried in a browser")
		}
	}
	cmd = exec.CommandContext(ctx, path, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
		"--enable-logging=stderr", "--hide-scrollbars",
	}, append(args, url)...)...)
	stdout, stderr = new(lockedBuffer), new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it takes its own processes along
	cmd.WaitDelay = 5 * time.Second
	return cmd, stdout, stderr
}

// browser runs Chromium on a page and returns its document in the end, and what it had to say.
func browser(t *testing.T, url string, args ...string) (dom, console string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cmd, stdout, stderr := chromium(ctx, t, url, append(args, "--user-data-dir="+t.TempDir())...)
	require.NoError(t, cmd.Run(), stderr.String())
	return stdout.String(), stderr.String()
}

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

// complaints are what the browser says of a page that breaks its own policy, or whose script fails.
var complaints = regexp.MustCompile(`(?i)(refused to|violates the following|uncaught|CONSOLE.*error).*`)

func TestPageInBrowser(t *testing.T) {
	url, requests, fetches := watched(t)
	dom, console := browser(t, url, "--virtual-time-budget=10000", "--dump-dom")
	require.Empty(t, complaints.FindString(console))
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
	cmd, _, stderr := chromium(ctx, t, url, "--user-data-dir="+profile, "--remote-debugging-port=0")
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		return requests.Load() > 1
	}, 30*time.Second, 20*time.Millisecond, "the browser loads it again")
	cancel()
	_ = cmd.Wait() // it was told to end
	require.Empty(t, complaints.FindString(stderr.String()))
	require.Zero(t, fetches.Load(), "not by the script")
}

// TestScreenshots takes pictures for a person to look at, into the directory GORPYC_SCREENSHOTS.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("GORPYC_SCREENSHOTS")
	if dir == "" {
		t.Skip("no pictures: GORPYC_SCREENSHOTS is not set")
	}
	url, _, _ := watched(t)
	for name, args := range map[string][]string{
		"light":  {"--window-size=1100,900", "--blink-settings=preferredColorScheme=1"},
		"dark":   {"--window-size=1100,900", "--blink-settings=preferredColorScheme=0"},
		"narrow": {"--window-size=500,1400", "--blink-settings=preferredColorScheme=1"},
	} {
		file := filepath.Join(dir, name+".png")
		browser(t, url, append(args, "--virtual-time-budget=4000", "--screenshot="+file)...)
		require.FileExists(t, file)
	}
}
