//go:build unix

package servers_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

// TestHTTPProbe asks RPyC's port by HTTP, in front of TLS and without, while RPyC's clients are served as always.
func TestHTTPProbe(t *testing.T) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(method, url string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+url, nil)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	cert, key := newAuthority(t, "ca").issue("localhost", inAnHour())
	cfg, err := (&transport.TLSFiles{Cert: cert, Key: key}).Server()
	require.NoError(t, err)
	checked := atomic.Int32{}
	fine := &servers.Server{Service: ClockService{}, HTTPProbe: true, MaxConns: 1, DrainDelay: time.Hour,
		Checks: map[string]func(context.Context) error{"disk": func(context.Context) error { checked.Add(1); return nil }}}
	ill := &servers.Server{Service: ClockService{}, HTTPProbe: true, Authenticator: servers.TLS(cfg),
		Checks: map[string]func(context.Context) error{"db": func(context.Context) error { return errors.New("secret") }}}
	off := &servers.Server{Service: ClockService{}}
	at, _ := start(t, context.Background(), fine)
	illAt, _ := start(t, context.Background(), ill)
	offAt, _ := start(t, context.Background(), off)
	for range 2 { // there is one place
		for _, tc := range []struct {
			method, url string
			code        int
			body        string
		}{
			{"GET", at + "/healthz", 200, "ok\n"}, {"GET", at + "/readyz", 200, "ok\n"}, {"HEAD", at + "/readyz", 200, ""},
			{"GET", at + "/", 404, "this is an RPyC server\n"},
			{"GET", illAt + "/healthz", 200, "ok\n"}, {"GET", illAt + "/readyz", 503, "not ready\n"},
		} {
			code, body := ask(tc.method, tc.url)
			require.Equal(t, tc.code, code, tc.url)
			require.Equal(t, tc.body, body, tc.url)
		}
	}
	require.Less(t, checked.Load(), int32(4), "four have asked")
	_, err = client.Get("http://" + offAt + "/healthz")
	require.Error(t, err)

	// A request that never ends is given up, and one that is too long is not read.
	long, err := net.Dial("tcp", at)
	require.NoError(t, err)
	_, _ = io.WriteString(long, "GET /healthz HTTP/1.1\r\nX: "+strings.Repeat("x", 10_000))
	_, err = io.ReadAll(long)
	require.True(t, err == nil || errors.As(err, new(*net.OpError)), err)
	_ = long.Close()

	silent, err := net.Dial("tcp", at) // as RPyC's clients are at first
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(fine.Clients()) == 1 }, time.Minute, time.Millisecond)
	c, err := protocol.DialStream(t.Context(), silent, nil, nil)
	require.NoError(t, err)
	require.Equal(t, 5, call[int](t, c, "add", 2, 3))
	require.NoError(t, c.Close())
	<-c.Done()
	c, err = protocol.DialTLS(t.Context(), "tcp", illAt, &tls.Config{InsecureSkipVerify: true}, nil)
	require.NoError(t, err)
	require.Equal(t, 5, call[int](t, c, "add", 2, 3))
	require.NoError(t, c.Close())

	ctx, cancel := context.WithCancel(t.Context())
	down := make(chan error, 1)
	go func() { down <- fine.Shutdown(ctx) }()
	require.Eventually(t, func() bool { code, _ := ask("GET", at+"/readyz"); return code == 503 }, time.Minute,
		time.Millisecond)
	code, _ := ask("GET", at+"/healthz")
	require.Equal(t, 200, code)
	cancel()
	<-down
}

// TestSystemd is told what sd_notify(3) says.
func TestSystemd(t *testing.T) {
	dir, err := os.MkdirTemp("", "n")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	require.NoError(t, err)
	defer systemd.Close()
	told := make(chan string, 10000) // read at once: whoever writes waits for room for a few datagrams
	go func() {
		b := make([]byte, 100)
		for {
			n, err := systemd.Read(b)
			if err != nil {
				return
			}
			told <- string(b[:n])
		}
	}()
	// next returns what comes next besides signs of life, and whether there were any.
	next := func(want string) (alive bool) {
		t.Helper()
		for state := range told {
			if state == want {
				break
			}
			require.Equal(t, "WATCHDOG=1", state)
			alive = true
		}
		return alive
	}
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "2000")
	t.Setenv("WATCHDOG_PID", fmt.Sprint(os.Getpid()))
	quiet := &servers.Server{Service: ClockService{}}
	start(t, context.Background(), quiet)
	s := &servers.Server{Service: ClockService{}, Systemd: true}
	addr, ended := start(t, context.Background(), s)
	next("READY=1")
	for range 3 {
		next("WATCHDOG=1")
	}
	require.NoError(t, quiet.Shutdown(t.Context()))
	c, err := protocol.Dial(t.Context(), "tcp", addr, nil)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, s.Shutdown(t.Context()))
	next("STOPPING=1")
	require.ErrorIs(t, <-ended, servers.ErrServerClosed)

	t.Setenv("WATCHDOG_PID", "1")
	s = &servers.Server{Service: ClockService{}, Systemd: true}
	start(t, context.Background(), s)
	next("READY=1") // behind what is left of the server before
	require.NoError(t, s.Shutdown(t.Context()))
	require.False(t, next("STOPPING=1"), "the watchdog is another process's")
}
