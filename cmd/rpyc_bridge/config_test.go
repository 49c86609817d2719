package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string]address{
		"18861": {"tcp", "127.0.0.1:18861"}, ":18861": {"tcp", ":18861"}, "h:1": {"tcp", "h:1"},
		"[::1]:5": {"tcp", "[::1]:5"}, "unix:/run/s": {"unix", "/run/s"}, "service:FOO": {byName, "FOO"},
	} {
		a, err := parseAddress(text)
		require.NoError(t, err, text)
		require.Equal(t, want, a)
	}
	for _, text := range []string{"", "h:", "h:x", "h:65536", "::1", "unix:", "service:"} {
		_, err := parseAddress(text)
		require.Error(t, err, text)
	}
	http, err := httpAddr(":9100")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:9100", http)
}

func TestRoutesOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bridges.json")
	for text, want := range map[string]string{
		`{"bridges": []}`:               "has no",
		`{"bridges": [{"lisen": "1"}]}`: "unknown field",
		`{"bridges": [{}]} {}`:          "stands behind",
		`nonsense`:                      "invalid character",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := readRoutes(file)
		require.ErrorContains(t, err, want, text)
	}
	require.NoError(t, os.WriteFile(file, []byte(`{"bridges": [{"listen": "1", "to": ["h:2"], "family": "c",
		"idle-timeout": "10m"}]}`), 0o600))
	routes, err := readRoutes(file)
	require.NoError(t, err)
	b, err := routes[0].bridge()
	require.NoError(t, err)
	require.Equal(t, "C", b.dialect.String())
	require.Equal(t, 10.0, b.idleTimeout.Minutes())
}
