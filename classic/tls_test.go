package classic_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
)

// TestTLS connects to rpyc_classic with a certificate.
func TestTLS(t *testing.T) {
	path := python(t)
	if exec.Command(path, "-c", "import rpyc.version as v; assert int(str(v.version[0])) >= 5").Run() != nil {
		t.Skip("rpyc_classic before RPyC 5 offers nothing newer than TLS 1.0")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotAfter:    time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	keyFile, certFile := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	addr, stop, err := startServer(path, "--ssl-keyfile", keyFile, "--ssl-certfile", certFile)
	require.NoError(t, err)
	defer stop()
	parsed, err := x509.ParseCertificate(cert)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	for _, dial := range []func() (*classic.Conn, error){
		func() (*classic.Conn, error) {
			return classic.DialTLS(t.Context(), addr, &tls.Config{RootCAs: pool}, nil)
		},
		func() (*classic.Conn, error) {
			d := &protocol.Dialer{Options: transport.Options{TLS: &tls.Config{RootCAs: pool}}}
			return classic.DialWith(t.Context(), d, "tcp", addr)
		},
	} {
		c, err := dial()
		require.NoError(t, err)
		n, err := classic.Eval[int](t.Context(), c, "3 * 3")
		require.NoError(t, err)
		require.Equal(t, 9, n)
		require.NoError(t, c.Close())
		<-c.Done()
	}
	_, err = classic.DialTLS(t.Context(), addr, nil, nil)
	require.Error(t, err, "nobody has signed the certificate")
}
