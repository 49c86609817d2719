package registry

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSecret: only who has the secret registers and unregisters; everybody finds what is registered; who has the secret
// believes nobody else.
func TestSecret(t *testing.T) {
	secret := []byte("between us")
	udp, tcp := serve(t, &Server{Secret: secret, AllowListing: true})
	plainUDP, plainTCP := serve(t, &Server{AllowListing: true})
	ctx, ep := t.Context(), Endpoint{Port: 1}
	at := func(network, addr string, secret []byte) Registrar {
		if network == "tcp" {
			return &TCPClient{Addr: addr, Timeout: 500 * time.Millisecond, Secret: secret}
		}
		return &UDPClient{Addr: addr, Timeout: 500 * time.Millisecond, Secret: secret}
	}
	for network, addr := range map[string]string{"udp": udp, "tcp": tcp} {
		member, stranger := at(network, addr, secret), at(network, addr, nil)
		wrong := at(network, addr, []byte("guessed"))
		require.ErrorIs(t, stranger.Register(ctx, []string{"A"}, ep), ErrNoAnswer)
		require.ErrorIs(t, wrong.Register(ctx, []string{"A"}, ep), ErrNoAnswer)
		require.NoError(t, member.Register(ctx, []string{"A"}, ep))
		_ = stranger.Unregister(ctx, ep)
		_ = wrong.Unregister(ctx, ep)
		for _, who := range []Registrar{member, stranger} {
			found, err := who.Discover(ctx, "a")
			require.NoError(t, err)
			require.Equal(t, []Endpoint{{Host: "127.0.0.1", Port: 1}}, found)
			names, err := who.List(ctx, "")
			require.NoError(t, err)
			require.Equal(t, []string{"A"}, names)
		}
		_, err := wrong.Discover(ctx, "a")
		require.ErrorIs(t, err, ErrNoAnswer)
		require.NoError(t, member.Unregister(ctx, ep))
		require.Eventually(t, func() bool {
			found, err := member.Discover(ctx, "a")
			return err == nil && len(found) == 0
		}, 30*time.Second, time.Millisecond)
	}
	for network, addr := range map[string]string{"udp": plainUDP, "tcp": plainTCP} { // a registry that knows no secrets
		member := at(network, addr, secret)
		require.NoError(t, member.Register(ctx, []string{"B"}, ep))
		_, err := member.Discover(ctx, "B")
		require.ErrorIs(t, err, ErrNoAnswer)
		require.ErrorContains(t, err, "not signed")
		found, err := at(network, addr, nil).Discover(ctx, "B")
		require.NoError(t, err)
		require.Len(t, found, 1)
	}
}

// TestSignatures: neither an altered request nor one that another host has recorded, or that is old, is taken.
func TestSignatures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := []byte("s")
		s := &Server{Secret: secret}
		s.start()
		defer s.Close()
		honest, thief := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		call := registerCall([]string{"A"}, Endpoint{Port: 1})
		data, check := call.request(false, secret)
		for i := range data {
			altered := append([]byte(nil), data...)
			altered[i] ^= 1
			require.Nil(t, s.handle(udp, nil, honest, honest, altered), i)
			require.Nil(t, s.handle(udp, nil, honest, honest, data[:i]), i)
		}
		reply := s.handle(udp, nil, honest, honest, data)
		require.NoError(t, check(reply))
		require.Nil(t, s.handle(udp, nil, thief, thief, data))
		require.NotNil(t, s.handle(udp, nil, honest, honest, data), "a repetition, because the answer was lost")
		var found []Endpoint
		data, check = discoverCall("A", &found).request(false, secret)
		reply = s.handle(udp, nil, honest, honest, data)
		require.NoError(t, check(reply))
		for i := range reply {
			altered := append([]byte(nil), reply...)
			altered[i] ^= 1
			require.Error(t, check(altered), i)
		}
		_, check = discoverCall("A", &found).request(false, secret)
		require.Error(t, check(reply), "the answer to another request")
		late, _ := call.request(false, secret)
		time.Sleep(signatureAge + time.Second)
		require.Nil(t, s.handle(udp, nil, honest, honest, late))
		for range 3 { // what is remembered is forgotten when it is too old to be taken
			data, _ := call.request(false, secret)
			require.NotNil(t, s.handle(udp, nil, honest, honest, data))
			time.Sleep(3 * signatureAge)
		}
		require.LessOrEqual(t, len(s.signatures.newer)+len(s.signatures.older), 2)
		require.Positive(t, s.Stats().Rejects["signature"])
	})
}

// TestSignedRequestsToPython: RPyC's registries do not see signatures.
func TestSignedRequestsToPython(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	for _, class := range []string{"UDPRegistryServer", "TCPRegistryServer"} {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := exec.CommandContext(ctx, python, "-u", "-c", fmt.Sprintf(`
from rpyc.utils.registry import %[1]s as R
r = R("127.0.0.1", 0, allow_listing=True)
print(r.sock.getsockname()[1])
r.start()`, class))
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		port, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		addr := "127.0.0.1:" + strings.TrimSpace(port)
		var member, plain Registrar = &UDPClient{Addr: addr, Secret: []byte("s")}, &UDPClient{Addr: addr}
		if class[:3] == "TCP" {
			member, plain = &TCPClient{Addr: addr, Secret: []byte("s")}, &TCPClient{Addr: addr}
		}
		require.NoError(t, member.Register(ctx, []string{"A"}, Endpoint{Port: 7}))
		found, err := plain.Discover(ctx, "A")
		require.NoError(t, err)
		require.Equal(t, []Endpoint{{Host: "127.0.0.1", Port: 7}}, found)
		cancel()
		_ = cmd.Wait()
	}
}
