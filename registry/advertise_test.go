package registry

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// exchange asks a server as a client at some address, which reached it at another.
func exchange(t *testing.T, s *Server, client, at string, c *call) any {
	t.Helper()
	to := netip.Addr{}
	if at != "" {
		to = netip.MustParseAddr(at)
	}
	out := s.handle(udp, nil, netip.MustParseAddr(client), to, c.encode(false))
	require.NotNil(t, out)
	v, err := brine.Unmarshal(out)
	require.NoError(t, err)
	return v
}

func hosts(v any) (hosts []string) {
	for _, pair := range v.(brine.Tuple) {
		hosts = append(hosts, pair.(brine.Tuple)[0].(string))
	}
	return hosts
}

// TestOwnHost: services of the registry's own host, registered by 127.0.0.1, are no use to others under that address.
func TestOwnHost(t *testing.T) {
	s := &Server{AllowListing: true}
	s.start()
	defer s.Close()
	exchange(t, s, "127.0.0.1", "", registerCall([]string{"a"}, Endpoint{Port: 1}))
	exchange(t, s, "10.0.0.9", "", registerCall([]string{"a"}, Endpoint{Port: 2}))
	ask := discoverCall("a", nil)
	require.Equal(t, []string{"127.0.0.1", "10.0.0.9"}, hosts(exchange(t, s, "127.0.0.1", "127.0.0.1", ask)))
	require.Equal(t, []string{"10.0.0.1", "10.0.0.9"}, hosts(exchange(t, s, "10.0.0.7", "10.0.0.1", ask)))
	require.Equal(t, []string{"192.0.2.1", "10.0.0.9"}, hosts(exchange(t, s, "192.0.2.7", "192.0.2.1", ask)))
	require.Equal(t, []string{"127.0.0.1", "10.0.0.9"}, hosts(exchange(t, s, "127.0.0.1", "127.0.0.1", ask)),
		"answers are not mixed up")
	// A filter names hosts as the client knows them.
	require.Equal(t, brine.Tuple{"A"}, exchange(t, s, "192.0.2.7", "192.0.2.1", listCall("192.0.2.1", nil)))
	require.Equal(t, brine.Tuple{}, exchange(t, s, "192.0.2.7", "192.0.2.1", listCall("127.0.0.1", nil)))
	require.Equal(t, brine.Tuple{"A"}, exchange(t, s, "127.0.0.1", "127.0.0.1", listCall("127.0.0.1", nil)))
}

// TestOwnHostByRoute: a UDP socket on all addresses does not know where it was reached; the routing table does.
func TestOwnHostByRoute(t *testing.T) {
	client := netip.MustParseAddr("192.0.2.7")
	own := routeTo(client)
	if !own.IsValid() || own.IsLoopback() {
		t.Skip("this machine has no route to other hosts")
	}
	s := &Server{}
	s.start()
	defer s.Close()
	exchange(t, s, "127.0.0.1", "", registerCall([]string{"a"}, Endpoint{Port: 1}))
	for range 2 { // looked up, and remembered
		require.Equal(t, []string{own.String()}, hosts(exchange(t, s, client.String(), "", discoverCall("a", nil))))
	}
}

func TestAdvertise(t *testing.T) {
	s := &Server{AllowListing: true, Advertise: []Advertise{
		{To: "192.0.2.1"},
		{From: netip.MustParsePrefix("172.17.0.0/16"), To: "docker.example"},
		{From: netip.MustParsePrefix("10.9.9.9/32"), To: "192.0.2.9"},
	}}
	s.start()
	defer s.Close()
	for _, from := range []string{"127.0.0.1", "172.17.0.5", "10.9.9.9", "10.0.0.1"} {
		exchange(t, s, from, "", registerCall([]string{"a"}, Endpoint{Port: 1}))
	}
	ask := discoverCall("a", nil)
	require.Equal(t, []string{"192.0.2.1", "docker.example", "192.0.2.9", "10.0.0.1"},
		hosts(exchange(t, s, "10.0.0.2", "10.0.0.3", ask)))
	require.Equal(t, []string{"192.0.2.1", "172.17.0.5", "192.0.2.9", "10.0.0.1"},
		hosts(exchange(t, s, "172.17.0.6", "172.17.0.1", ask)))
	require.Equal(t, []string{"127.0.0.1", "docker.example", "192.0.2.9", "10.0.0.1"},
		hosts(exchange(t, s, "127.0.0.1", "127.0.0.1", ask)))
	for host, want := range map[string]brine.Tuple{"docker.example": {"A"}, "192.0.2.9": {"A"}, "192.0.2.1": {"A"},
		"10.9.9.9": {}, "172.17.0.5": {}} {
		require.Equal(t, want, exchange(t, s, "10.0.0.2", "10.0.0.3", listCall(host, nil)), host)
	}
	// Unregistering goes by the true address.
	exchange(t, s, "172.17.0.5", "", unregisterCall(Endpoint{Port: 1}))
	require.Equal(t, []string{"192.0.2.1", "192.0.2.9", "10.0.0.1"}, hosts(exchange(t, s, "10.0.0.2", "10.0.0.3", ask)))
}
