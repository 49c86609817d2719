//go:build unix

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBindAddress has what CPython's socket.inet_aton makes of these on Linux, and names, which it refuses.
func TestBindAddress(t *testing.T) {
	for host, want := range map[string]string{
		"0": "0.0.0.0", "127.1": "127.0.0.1", "0x7f.1": "127.0.0.1", "017700000001": "127.0.0.1", "2130706433": "127.0.0.1",
		"10.1.2":        "10.1.0.2",
		"192.168.010.1": "192.168.8.1", "127.0.0.1": "127.0.0.1",
		"": "", "localhost": "localhost", "::1": "::1", "1.2.3.4.5": "1.2.3.4.5", "256.1": "256.1", "1.2.3.256": "1.2.3.256",
		"4294967296": "4294967296",
		"1..2":       "1..2", "0x": "0x", "08": "08", "1.": "1.", "+1": "+1", "a1.b2": "a1.b2",
	} {
		require.Equal(t, want, bindAddress(host), host)
	}
}
