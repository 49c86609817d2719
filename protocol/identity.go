package protocol

import (
	"context"
	"crypto/x509"
	"strings"
)

// Identity is who a peer is, as found out when it connected. It must not be changed.
type Identity struct {
	// Name is what policies and logs know the peer by.
	Name string
	// Kind is how it was found out: "token", "hmac", "tls", "unix", or what an authenticator of the program's own says.
	// The same name of two kinds is two identities.
	Kind string
	// Attrs is what else is known. Certificates have "cn", "dns", "uri", "email", "spiffe" and "serial", peers at Unix
	// sockets "uid", "gid" and "pid", and tokens and keys what their list says.
	Attrs map[string][]string
}

// String gives the kind and the name: "tls:alice". "" stands for nobody, which a nil *Identity is.
func (id *Identity) String() string {
	if id == nil {
		return ""
	}
	return id.Kind + ":" + id.Name
}

// CertificateIdentity is the identity that a certificate proves, which the caller has to have verified. Its name is the
// SPIFFE id, or else the common name, the first DNS name, the first URI, the first address, or the subject. Only URIs
// of the certificate become names with "://" in them.
func CertificateIdentity(cert *x509.Certificate) *Identity {
	id := &Identity{Kind: "tls", Attrs: map[string][]string{}}
	set := func(key string, values ...string) {
		if len(values) > 0 {
			id.Attrs[key] = values
		}
	}
	uris := make([]string, len(cert.URIs))
	for i, u := range cert.URIs {
		uris[i] = u.String()
	}
	set("uri", uris...)
	set("dns", cert.DNSNames...)
	set("email", cert.EmailAddresses...)
	if cn := cert.Subject.CommonName; cn != "" {
		set("cn", cn)
	}
	if cert.SerialNumber != nil {
		set("serial", cert.SerialNumber.Text(16))
	}
	if len(cert.URIs) == 1 && cert.URIs[0].Scheme == "spiffe" && cert.URIs[0].Host != "" { // as the standard has it
		set("spiffe", uris[0])
	}
	for _, key := range []string{"spiffe", "cn", "dns", "uri", "email"} {
		names := id.Attrs[key]
		uri := key == "spiffe" || key == "uri"
		if len(names) > 0 && (uri || !strings.Contains(names[0], "://")) {
			id.Name = names[0]
			return id
		}
	}
	id.Name = cert.Subject.String()
	return id
}

// Identity is who the peer is, nil for nobody known. It is Config.Credentials if that is an *Identity, or has a method
// Identity that returns one. Otherwise it is that of the peer's certificate, if the stream is TLS and the certificate
// was verified, on either side. An authenticator that returns another thing identifies nobody.
func (c *Conn) Identity() *Identity { return c.identity }

// identify finds the peer's identity.
func (c *Conn) identify() *Identity {
	switch known := c.cfg.Credentials.(type) {
	case *Identity:
		return known
	case interface{ Identity() *Identity }:
		return known.Identity()
	}
	if s, ok := c.TLS(); ok && len(s.VerifiedChains) > 0 && len(s.PeerCertificates) > 0 {
		return CertificateIdentity(s.PeerCertificates[0])
	}
	return nil
}

type identityKey struct{}

// WithIdentity returns a context of a request that comes from id, whatever the connection's identity is: a [ServeHook]
// returns it that has found an identity in the request, such as servers.CallTokens. nil is nobody known.
func WithIdentity(ctx context.Context, id *Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// IdentityFromContext returns who a handler's context is of: that of [WithIdentity], or that of the connection; nil for
// nobody known.
func IdentityFromContext(ctx context.Context) *Identity {
	if id, ok := ctx.Value(identityKey{}).(*Identity); ok {
		return id
	}
	if c := FromContext(ctx); c != nil {
		return c.identity
	}
	return nil
}
