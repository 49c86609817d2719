package protocol_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// registrant tells who calls, after a hook may have said so.
type registrant struct{}

func (registrant) Who(ctx context.Context) string { return protocol.IdentityFromContext(ctx).String() }

// asOther has one method called by somebody else than the connection's peer.
type asOther struct{ id *protocol.Identity }

func (h asOther) ServeBegin(ctx context.Context, _ *protocol.RequestInfo) context.Context {
	return protocol.WithIdentity(ctx, h.id)
}
func (asOther) ServeEnd(context.Context, *protocol.RequestInfo) {}

// TestPeer says what both ends of a connection know of each other.
func TestPeer(t *testing.T) {
	var log bytes.Buffer
	ann := &protocol.Identity{Kind: "test", Name: "ann"}
	c, p := accepted(t, registrant{}, wire.FamilyD, "192.0.2.7", &protocol.Config{Credentials: ann,
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.Nil(t, c.Peer().Family)
	require.Empty(t, c.Peer().Release())
	require.Zero(t, c.Peer().Python)
	require.Equal(t, "192.0.2.7:1", c.Peer().Addr.String())
	require.False(t, c.Peer().Since.IsZero())
	root := askRoot(p)
	require.Equal(t, protocol.Peer{Family: wire.FamilyD, Python: 3, Identity: ann, Addr: c.RemoteAddr(),
		Since: c.Peer().Since}, c.Peer())
	require.Equal(t, "RPyC 6", c.Peer().Release())
	p.call(int64(9), root.(brine.Tuple)[:3], "who")
	require.Equal(t, val("test:ann"), p.next().body)
	p.write([]byte{0, 0, 0, 1, 0, 9, '\n'}) // no message
	<-c.Done()
	require.Contains(t, log.String(), "peer=192.0.2.7:1 identity=test:ann release=\"RPyC 6\"")

	a, b, err := protocol.Pair(t.Context(), registrant{}, nil, &protocol.Config{Credentials: ann,
		Hooks: protocol.Hooks{Serve: []protocol.ServeHook{asOther{&protocol.Identity{Kind: "call", Name: "bob"}}}}})
	require.NoError(t, err)
	who, err := netref.Call[string](t.Context(), b.Root(), "who")
	require.NoError(t, err)
	require.Equal(t, "call:bob", who)
	require.True(t, a.Peer().Go)
	require.Equal(t, "gorpyc", a.Peer().Release())
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()

	var nobody *protocol.Identity
	require.Empty(t, nobody.String())
	require.Nil(t, protocol.IdentityFromContext(t.Context()))
}

// TestCertificateIdentity: names that people choose, such as common names, cannot be taken for URIs.
func TestCertificateIdentity(t *testing.T) {
	uri := func(s string) *url.URL {
		u, err := url.Parse(s)
		require.NoError(t, err)
		return u
	}
	spiffe := uri("spiffe://example.org/billing")
	for want, cert := range map[string]x509.Certificate{
		"tls:spiffe://example.org/billing": {Subject: pkix.Name{CommonName: "ann"}, URIs: []*url.URL{spiffe}},
		"tls:ann":                          {Subject: pkix.Name{CommonName: "ann"}, DNSNames: []string{"a.example.org"}},
		"tls:two":                          {Subject: pkix.Name{CommonName: "two"}, URIs: []*url.URL{spiffe, spiffe}},
		"tls:a.example.org": {Subject: pkix.Name{CommonName: "spiffe://example.org/billing"},
			DNSNames: []string{"a.example.org", "b.example.org"}},
		"tls:https://example.org/x": {URIs: []*url.URL{uri("https://example.org/x")}},
		"tls:ann@example.org":       {EmailAddresses: []string{"ann@example.org"}},
		"tls:O=us":                  {Subject: pkix.Name{Organization: []string{"us"}}},
	} {
		cert.SerialNumber = big.NewInt(255)
		id := protocol.CertificateIdentity(&cert)
		require.Equal(t, want, id.String())
		require.Equal(t, []string{"ff"}, id.Attrs["serial"])
		require.Equal(t, cert.DNSNames, id.Attrs["dns"])
		require.Equal(t, len(cert.URIs) == 1 && cert.URIs[0] == spiffe, id.Attrs["spiffe"] != nil)
	}
}
