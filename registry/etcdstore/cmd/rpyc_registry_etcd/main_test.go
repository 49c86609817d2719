package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/gorpyc/gorpyc/registry"
)

// startEtcd is one node in this process; it returns its address.
func startEtcd(t *testing.T) string {
	cfg := embed.NewConfig()
	cfg.Dir = t.TempDir()
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.ListenClientUrls, cfg.ListenPeerUrls = anywhere, anywhere
	cfg.AdvertiseClientUrls, cfg.AdvertisePeerUrls = anywhere, anywhere // nobody reads them: the node is alone
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.UnsafeNoFsync = true
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(cfg)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(30 * time.Second):
		require.FailNow(t, "etcd is not ready")
	}
	return e.Clients[0].Addr().String()
}

// startProgram runs the program and returns where it listens, and a func that ends it.
func startProgram(t *testing.T, sockets int, args ...string) (addrs []string, end func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	app := newApp()
	app.Writer, app.ErrWriter = w, io.Discard
	done := make(chan error, 1)
	go func() {
		done <- app.RunContext(ctx, append([]string{"rpyc_registry_etcd", "--host", "127.0.0.1", "-p", "0", "--ready"},
			args...))
		_ = w.Close()
	}()
	lines := bufio.NewScanner(r)
	for len(addrs) < sockets && lines.Scan() {
		words := strings.Fields(lines.Text())
		require.Len(t, words, 3)
		addrs = append(addrs, net.JoinHostPort(words[1], words[2]))
	}
	require.Len(t, addrs, sockets)
	return addrs, func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			return context.DeadlineExceeded
		}
	}
}

func TestTwoPrograms(t *testing.T) {
	etcd := startEtcd(t)
	one, endOne := startProgram(t, 2, "--mode", "BOTH", "--etcd", etcd, "-l")
	two, endTwo := startProgram(t, 2, "-m", "tcp", "--etcd", etcd, "--http", "127.0.0.1:0")
	ctx := context.Background()
	require.NoError(t, (&registry.TCPClient{Addr: one[1]}).Register(ctx, []string{"calc"},
		registry.Endpoint{Host: "127.0.0.1", Port: 4711}))
	require.Eventually(t, func() bool {
		found, err := (&registry.TCPClient{Addr: two[0]}).Discover(ctx, "calc")
		return err == nil && len(found) == 1 && found[0].Port == 4711
	}, 30*time.Second, 10*time.Millisecond)
	names, err := (&registry.UDPClient{Addr: one[0]}).List(ctx, "")
	require.NoError(t, err)
	require.Equal(t, []string{"CALC"}, names)
	resp, err := http.Get("http://" + two[1] + "/healthz/etcd")
	require.NoError(t, err)
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	require.Equal(t, "ok\n", string(body))
	http.DefaultClient.CloseIdleConnections()
	require.NoError(t, endOne())
	found, err := (&registry.TCPClient{Addr: two[0]}).Discover(ctx, "calc")
	require.NoError(t, err)
	require.Len(t, found, 1, "a registry that ends takes nothing with it")
	require.NoError(t, endTwo())
}

func TestWrongSwitches(t *testing.T) {
	for _, args := range []string{
		"", "--etcd 127.0.0.1:1 more", "--etcd 127.0.0.1:1 -t 3", "--etcd 127.0.0.1:1 -m X", "--etcd 127.0.0.1:1 -p 70000",
		"--etcd 127.0.0.1:1 --etcd-key /nowhere", "--etcd 127.0.0.1:1 --etcd-ca /nowhere",
		"--etcd 127.0.0.1:1 --log-format xml",
	} {
		app := newApp()
		app.Writer, app.ErrWriter = io.Discard, io.Discard
		require.Error(t, app.RunContext(context.Background(), append([]string{"rpyc_registry_etcd"},
			strings.Fields(args)...)), args)
	}
}

func TestWithoutEtcd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // which never answers
	require.NoError(t, err)
	defer l.Close()
	addrs, end := startProgram(t, 2, "-m", "tcp", "--etcd", l.Addr().String(), "--http", "127.0.0.1:0")
	ctx := context.Background()
	c := &registry.TCPClient{Addr: addrs[0]}
	require.NoError(t, c.Register(ctx, []string{"calc"}, registry.Endpoint{Host: "127.0.0.1", Port: 4711}))
	found, err := c.Discover(ctx, "calc")
	require.NoError(t, err)
	require.Len(t, found, 1)
	resp, err := http.Get("http://" + addrs[1] + "/healthz/etcd")
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Error(t, end(), "what could not be written is said")
}
