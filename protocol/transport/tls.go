package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/gorpyc/gorpyc/protocol/transport/filestate"
)

// Verify says what is asked of the other end's certificate (cert_reqs).
type Verify int

const (
	// VerifyDefault is VerifyRequired for clients, and for servers that have a CA
	// file; other servers ask for no certificate. RPyC's clients verify only if
	// they are given ca_certs.
	VerifyDefault Verify = iota
	// VerifyNone asks for nothing (ssl.CERT_NONE).
	VerifyNone
	// VerifyOptional lets clients come without a certificate, but not with a bad
	// one (ssl.CERT_OPTIONAL). For clients it is VerifyRequired, as in Python.
	VerifyOptional
	// VerifyRequired asks for a good certificate (ssl.CERT_REQUIRED).
	VerifyRequired
)

// TLSFiles makes TLS configurations of files in PEM form, as the arguments of
// rpyc.utils.authenticators.SSLAuthenticator and rpyc.ssl_connect name them:
//
//	keyfile, certfile   Key, Cert
//	ca_certs            CA
//	cert_reqs           Verify
//	ssl_version         Base.MinVersion, Base.MaxVersion
//	ciphers             Base.CipherSuites
//
// The files are read when the configuration is made, and again when they have
// changed: handshakes look at their sizes and times of modification. If they
// cannot be read then, what was read before stays in use, and OnError is told.
// So certificates are renewed without a restart.
type TLSFiles struct {
	// Cert is our certificate, with intermediate ones behind it, and Key its private
	// key. Key may be "" if it is in the same file. A client needs neither unless
	// the server wants its certificate.
	Cert, Key string
	// CA holds the authorities trusted to sign the other end's certificate. Without
	// it they are the system's.
	CA string
	// Verify says what is asked of the other end.
	Verify Verify
	// SkipHostname has a client accept a certificate that is good, but made for
	// another host, as RPyC's does.
	SkipHostname bool
	// Base is what else is to be configured; nil is nothing.
	Base *tls.Config
	// OnError is told that changed files cannot be used; nil tells nobody. It may be
	// called by several goroutines at a time.
	OnError func(error)

	mu     sync.Mutex
	states []filestate.State // of what was read
	cert   *tls.Certificate  // of the last successful reading
	roots  *x509.CertPool
}

// Server returns the configuration of a server.
func (f *TLSFiles) Server() (*tls.Config, error) {
	if f.Cert == "" {
		return nil, errors.New("transport: a TLS server needs a certificate")
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	cfg := f.base()
	cfg.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		cert, roots := f.current()
		c := f.base()
		c.Certificates = []tls.Certificate{*cert}
		c.ClientCAs = roots
		c.ClientAuth = f.clientAuth()
		return c, nil
	}
	cert, roots := f.current()
	cfg.Certificates, cfg.ClientCAs, cfg.ClientAuth = []tls.Certificate{*cert}, roots, f.clientAuth()
	return cfg, nil
}

func (f *TLSFiles) clientAuth() tls.ClientAuthType {
	switch {
	case f.Verify == VerifyNone, f.Verify == VerifyDefault && f.CA == "":
		return tls.NoClientCert
	case f.Verify == VerifyOptional:
		return tls.VerifyClientCertIfGiven
	}
	return tls.RequireAndVerifyClientCert
}

// Client returns the configuration of a client. Its ServerName is left to [Dial], unless Base has one. Of a client's
// files only the certificate is read again when it has changed.
func (f *TLSFiles) Client() (*tls.Config, error) {
	if err := f.load(); err != nil {
		return nil, err
	}
	cfg := f.base()
	if f.Cert != "" {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, _ := f.current()
			return cert, nil
		}
	}
	_, cfg.RootCAs = f.current()
	cfg.InsecureSkipVerify = f.Verify == VerifyNone || f.SkipHostname
	if f.Verify != VerifyNone && f.SkipHostname {
		cfg.VerifyConnection = f.verifyChain
	}
	return cfg, nil
}

// verifyChain is the standard verification but for the name.
func (f *TLSFiles) verifyChain(s tls.ConnectionState) error {
	_, roots := f.current()
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := s.PeerCertificates[0].Verify(o); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	if f.Base != nil && f.Base.VerifyConnection != nil {
		return f.Base.VerifyConnection(s)
	}
	return nil
}

func (f *TLSFiles) base() *tls.Config {
	if f.Base == nil {
		return &tls.Config{}
	}
	return f.Base.Clone()
}

// current returns what is in the files, or was in them when they could be read last.
func (f *TLSFiles) current() (*tls.Certificate, *x509.CertPool) {
	if err := f.load(); err != nil && f.OnError != nil {
		f.OnError(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cert, f.roots
}

// load reads the files if they have changed. A certificate and its key are replaced one after the other: until they
// fit, the old ones stay, and it is tried again.
func (f *TLSFiles) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	states, err := f.look()
	if err != nil {
		return err
	}
	if slices.EqualFunc(states, f.states, filestate.State.Unchanged) {
		return nil
	}
	cert, roots := (*tls.Certificate)(nil), (*x509.CertPool)(nil)
	if f.Cert != "" {
		key := f.Key
		if key == "" {
			key = f.Cert
		}
		pair, err := tls.LoadX509KeyPair(f.Cert, key)
		if err != nil {
			return fmt.Errorf("transport: certificate %s: %w", f.Cert, err)
		}
		cert = &pair
	}
	if f.CA != "" {
		data, err := os.ReadFile(f.CA)
		if err != nil {
			return fmt.Errorf("transport: authorities: %w", err)
		}
		roots = x509.NewCertPool()
		if !addAuthorities(roots, data) {
			return fmt.Errorf("transport: authorities: %s has no certificate of one", f.CA)
		}
	}
	f.cert, f.roots, f.states = cert, roots, states
	return nil
}

// addAuthorities adds the certificates that may sign others, and those that have signed themselves. A peer's own
// certificate that has got among them is not trusted to sign others, which package x509 does with roots of the old form
// without extensions.
func addAuthorities(pool *x509.CertPool, data []byte) (any bool) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return any
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		if cert.IsCA || cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil {
			pool.AddCert(cert)
			any = true
		}
	}
}

func (f *TLSFiles) look() ([]filestate.State, error) {
	var states []filestate.State
	for _, name := range []string{f.Cert, f.Key, f.CA} {
		if name == "" {
			continue
		}
		state, err := filestate.Look(name)
		if err != nil {
			return nil, fmt.Errorf("transport: TLS: %w", err)
		}
		states = append(states, state)
	}
	return states, nil
}

// clientTLS is the configuration for a server at addr.
func (o *Options) clientTLS(addr string) *tls.Config {
	if o.TLS.ServerName != "" {
		return o.TLS
	}
	cfg := o.TLS.Clone()
	cfg.ServerName = addr
	if host, _, err := net.SplitHostPort(addr); err == nil {
		cfg.ServerName = host
	}
	return cfg
}

// handshakeError says in plain words what a failed handshake is most often about.
func handshakeError(err error) error {
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return fmt.Errorf("transport: the other end does not speak TLS: %w", err)
	}
	// Servers without TLS take the hello for the length of a long message, and hang up or wait for the rest.
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("transport: TLS handshake: the other end hung up, it may not speak TLS: %w", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("transport: TLS handshake: no answer, the other end may not speak TLS: %w", err)
	}
	return fmt.Errorf("transport: TLS handshake: %w", err)
}

// tlsConn is a TLS connection that acknowledges at once if what it runs over can.
type tlsConn struct {
	*tls.Conn
	inner QuickAcker
}

var (
	_ QuickAcker   = (*tlsConn)(nil)
	_ RecordWriter = (*tlsConn)(nil)
)

// QuickAck implements QuickAcker.
func (c *tlsConn) QuickAck() { c.inner.QuickAck() }

// OneFramePerWrite implements RecordWriter.
func (c *tlsConn) OneFramePerWrite() bool { return true }
