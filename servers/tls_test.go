package servers_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

// whoami tells handlers' callers who they are.
type whoami struct{}

// Name is the common name in the caller's certificate.
func (whoami) Name(ctx context.Context) string {
	c := protocol.FromContext(ctx)
	state, ok := c.TLS()
	if !ok {
		return "plain text"
	}
	if cert, ok := c.Credentials().(*x509.Certificate); ok {
		if !cert.Equal(state.PeerCertificates[0]) {
			return "two certificates"
		}
		if id := protocol.IdentityFromContext(ctx); id == nil || id.String() != "tls:"+cert.Subject.CommonName ||
			id.Attrs["dns"][0] != "localhost" {
			return "another identity"
		}
		return cert.Subject.CommonName
	}
	return "nobody"
}

// Echo returns what it gets.
func (whoami) Echo(b []byte) []byte { return b }

// Back calls f.
func (whoami) Back(ctx context.Context, f func(context.Context, int) (int, error), n int) (int, error) {
	return f(ctx, n)
}

func tlsServer(t *testing.T, files *transport.TLSFiles) (string, func()) {
	t.Helper()
	cfg, err := files.Server()
	require.NoError(t, err)
	srv := &servers.Server{Service: whoami{}, Authenticator: servers.TLS(cfg)}
	addr, result := start(t, t.Context(), srv)
	return addr, func() { stop(t, srv, result) }
}

// sslClient connects with rpyc.ssl_connect and prints what came of it.
const sslClient = `
import json, ssl, sys, rpyc
port, options = int(sys.argv[1]), json.loads(sys.argv[2])
try:
    c = rpyc.ssl_connect("localhost", port, **options)
    print(c.root.name())
    c.close()
except (ssl.SSLError, EOFError, OSError) as e:
    print(type(e).__name__, e)
`

func jsonOptions(pairs ...string) string {
	var s []string
	for i := 0; i < len(pairs); i += 2 {
		s = append(s, `"`+pairs[i]+`": "`+pairs[i+1]+`"`)
	}
	return "{" + strings.Join(s, ", ") + "}"
}

// skipOldTLS leaves a test out for releases of RPyC whose TLS no OpenSSL of today speaks: below 5.2.1 they insist on
// TLS 1.0.
func skipOldTLS(t *testing.T) {
	t.Helper()
	if runPython(t, `import rpyc
version = rpyc.__version__
print((version if isinstance(version, tuple) else tuple(map(int, version.split(".")))) >= (5, 2, 1))`) != "True" {
		t.Skip("this release of RPyC speaks TLS 1.0 only")
	}
}

// TestTLSPython has Python clients connect with good, bad and without certificates.
func TestTLSPython(t *testing.T) {
	skipOldTLS(t)
	ca, foreign := newAuthority(t, "ours"), newAuthority(t, "foreign")
	cert, key := ca.issue("server", inAnHour())
	ann, annKey := ca.issue("ann", inAnHour())
	old, oldKey := ca.issue("old", anHourAgo())
	eve, eveKey := foreign.issue("eve", inAnHour())
	open := &transport.TLSFiles{Cert: cert, Key: key}
	mutual := &transport.TLSFiles{Cert: cert, Key: key, CA: ca.file}
	optional := &transport.TLSFiles{Cert: cert, Key: key, CA: ca.file, Verify: transport.VerifyOptional}
	expired := &transport.TLSFiles{Cert: old, Key: oldKey}
	for _, c := range []struct {
		name    string
		files   *transport.TLSFiles
		options string
		want    string
	}{
		{"no certificates", open, "{}", "nobody"},
		{"client verifies", open, jsonOptions("ca_certs", ca.file), "nobody"},
		{"client trusts others", open, jsonOptions("ca_certs", foreign.file), "CERTIFICATE_VERIFY_FAILED"},
		{"server's has expired", expired, jsonOptions("ca_certs", ca.file), "certificate has expired"},
		{"mutual", mutual, jsonOptions("ca_certs", ca.file, "certfile", ann, "keyfile", annKey), "ann"},
		{"none for mutual", mutual, jsonOptions("ca_certs", ca.file), "alert certificate required"},
		{"client's has expired", mutual, jsonOptions("certfile", old, "keyfile", oldKey), "alert certificate expired"},
		{"client's is foreign", mutual, jsonOptions("certfile", eve, "keyfile", eveKey), "alert unknown ca"},
		{"optional, none", optional, "{}", "nobody"},
		{"optional, good", optional, jsonOptions("certfile", ann, "keyfile", annKey), "ann"},
		{"optional, bad", optional, jsonOptions("certfile", eve, "keyfile", eveKey), "alert unknown ca"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, stop := tlsServer(t, c.files)
			defer stop()
			out := runPython(t, sslClient, port(addr), c.options)
			require.Contains(t, strings.ReplaceAll(out, "_", " "), strings.ReplaceAll(c.want, "_", " "))
		})
	}
}

// TestPlainToTLS: who speaks something else at a TLS port is reset, as at a CPython server's.
func TestPlainToTLS(t *testing.T) {
	ca := newAuthority(t, "ours")
	cert, key := ca.issue("server", inAnHour())
	addr, stop := tlsServer(t, &transport.TLSFiles{Cert: cert, Key: key})
	defer stop()
	for _, text := range []string{"HEAD / HTTP/1.0\r\n\r\n", "\x00\x00\x00\x05\x00abcde\n"} {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(c, text)
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET, "%q", text)
		require.NoError(t, c.Close())
	}
}

// TestTLSTraffic has a Python client send and receive what makes TLS records matter: many small answers at once, which
// it would overlook if they shared a record, and large ones, and callbacks.
func TestTLSTraffic(t *testing.T) {
	skipOldTLS(t)
	ca := newAuthority(t, "ours")
	cert, key := ca.issue("server", inAnHour())
	addr, stop := tlsServer(t, &transport.TLSFiles{Cert: cert, Key: key})
	defer stop()
	require.Equal(t, "ok", runPython(t, `
import sys, rpyc
c = rpyc.ssl_connect("localhost", int(sys.argv[1]), config={"sync_request_timeout": 20})
echo = rpyc.async_(c.root.echo)
for size in (1, 2000, 70000):
    for result in [echo(b"x" * size) for _ in range(100)]:
        result.set_expiry(20)
        assert result.value == b"x" * size
assert c.root.echo(b"y" * 5000000) == b"y" * 5000000
back = rpyc.async_(c.root.back)
for i, result in enumerate([back(lambda n: n + 1, i) for i in range(50)]):
    result.set_expiry(20)
    assert result.value == i + 1
print("ok")
c.close()`, port(addr)))
}

// pythonServer is a ThreadedServer with an SSLAuthenticator, or without if it gets no options.
const pythonServer = `
import json, sys, threading, rpyc
from rpyc.utils.server import ThreadedServer
from rpyc.utils.authenticators import SSLAuthenticator

class Whoami(rpyc.Service):
    def on_connect(self, conn):
        self.conn = conn
    def exposed_name(self):
        cert = self.conn._config["credentials"]
        return dict(pair[0] for pair in cert["subject"])["commonName"] if cert else "nobody"
    def exposed_calls(self, f, n):
        f = rpyc.async_(f)
        return sum(r.value for r in [f(i) for i in range(n)])

options = json.loads(sys.argv[1])
server = ThreadedServer(Whoami, hostname="localhost", port=0, 
    authenticator=SSLAuthenticator(**options) if options else None)
server.listener.listen(10)
threading.Thread(target=server.start, daemon=True).start()
print("READY", server.port, flush=True)
sys.stdin.read()
`

// startPython starts a program that prints READY and something, which is returned.
func startPython(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := pythonCommand(t, program, args...)
	return ready(t, cmd)
}

func ready(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("stderr of the program: %s", stderr.String())
		}
	})
	line := make([]byte, 0, 100)
	for b := make([]byte, 1); ; {
		if _, err := stdout.Read(b); err != nil || b[0] == '\n' {
			break
		}
		line = append(line, b[0])
	}
	word, rest, _ := strings.Cut(string(line), " ")
	require.Equal(t, "READY", word)
	return rest
}

// TestTLSToPython has Go clients connect to RPyC's SSLAuthenticator.
func TestTLSToPython(t *testing.T) {
	skipOldTLS(t)
	ca, foreign := newAuthority(t, "ours"), newAuthority(t, "foreign")
	cert, key := ca.issue("server", inAnHour())
	ann, annKey := ca.issue("ann", inAnHour())
	old, oldKey := ca.issue("old", anHourAgo())
	eve, eveKey := foreign.issue("eve", inAnHour())
	mutual := startPython(t, pythonServer, jsonOptions("keyfile", key, "certfile", cert, "ca_certs", ca.file))
	expired := startPython(t, pythonServer, jsonOptions("keyfile", oldKey, "certfile", old))
	dial := func(port string, files *transport.TLSFiles) (string, error) {
		cfg, err := files.Client()
		require.NoError(t, err)
		c, err := protocol.DialTLS(t.Context(), "tcp", net.JoinHostPort("localhost", port), cfg, nil)
		if err != nil {
			return "", err
		}
		defer func() {
			_ = c.Close()
			<-c.Done()
		}()
		return netref.Call[string](t.Context(), c.Root(), "name")
	}
	name, err := dial(mutual, &transport.TLSFiles{Cert: ann, Key: annKey, CA: ca.file})
	require.NoError(t, err)
	require.Equal(t, "ann", name)
	// RPyC's server closes with our first request unread, which may destroy the alert that would tell why.
	_, err = dial(mutual, &transport.TLSFiles{CA: ca.file})
	require.ErrorIs(t, err, protocol.ErrClosed)
	_, err = dial(mutual, &transport.TLSFiles{Cert: eve, Key: eveKey, CA: ca.file})
	require.ErrorIs(t, err, protocol.ErrClosed)
	_, err = dial(mutual, &transport.TLSFiles{Cert: ann, Key: annKey, CA: foreign.file})
	var unverified *tls.CertificateVerificationError
	require.ErrorAs(t, err, &unverified)
	_, err = dial(expired, &transport.TLSFiles{CA: ca.file})
	require.ErrorAs(t, err, &unverified)
	require.ErrorContains(t, err, "expired")
	_, err = dial(expired, &transport.TLSFiles{CA: ca.file, SkipHostname: true})
	require.ErrorAs(t, err, &unverified)
	name, err = dial(expired, &transport.TLSFiles{Verify: transport.VerifyNone}) // as RPyC's client does by default
	require.NoError(t, err)
	require.Equal(t, "nobody", name)

	// The Python server calls back many times at once: its answers come in records of their own, ours must, too.
	cfg, err := (&transport.TLSFiles{Cert: ann, Key: annKey, CA: ca.file, SkipHostname: true}).Client()
	require.NoError(t, err)
	c, err := protocol.DialTLS(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", mutual), cfg, nil)
	require.NoError(t, err)
	require.Equal(t, 4950, call[int](t, c, "calls", func(i int) int { return i }, 100))
	require.NoError(t, c.Close())
	<-c.Done()
}

// TestPlainTextMeetsTLS connects in each of the wrong ways, in both directions.
func TestPlainTextMeetsTLS(t *testing.T) {
	skipOldTLS(t)
	ca := newAuthority(t, "ours")
	cert, key := ca.issue("server", inAnHour())
	files := &transport.TLSFiles{CA: ca.file}
	client, err := files.Client()
	require.NoError(t, err)
	tlsPython := startPython(t, pythonServer, jsonOptions("keyfile", key, "certfile", cert))
	tlsGo, stopTLS := tlsServer(t, &transport.TLSFiles{Cert: cert, Key: key})
	defer stopTLS()
	plainPython := startPython(t, pythonServer, "{}")
	srv := &servers.Server{Service: whoami{}}
	plainGo, result := start(t, t.Context(), srv)
	defer stop(t, srv, result)

	plain := `
import sys, rpyc
try:
    c = rpyc.connect("localhost", int(sys.argv[1]), config={"sync_request_timeout": 5})
    print(c.root.name())
except (EOFError, OSError) as e:
    print("refused")`
	require.Equal(t, "refused", runPython(t, plain, port(tlsGo)))
	out := runPython(t, sslClient, port(plainGo), "{}")
	require.Contains(t, out, "Error") // and not a hang: the server knows a TLS greeting when it sees one

	for _, p := range []string{tlsPython, port(tlsGo)} {
		_, err := protocol.Dial(t.Context(), "tcp", "localhost:"+p, nil)
		require.ErrorContains(t, err, "TLS")
	}
	o := transport.Options{TLS: client, Timeout: time.Second}
	for _, p := range []string{plainPython, port(plainGo)} {
		began := time.Now()
		_, err := (&protocol.Dialer{Options: o}).Dial(t.Context(), "tcp", "localhost:"+p)
		require.ErrorContains(t, err, "TLS")
		require.Less(t, time.Since(began), 20*time.Second)
	}
}

// TestTLSReload replaces a server's certificate, and the authority it trusts, without a restart.
func TestTLSReload(t *testing.T) {
	ca, next := newAuthority(t, "first"), newAuthority(t, "second")
	cert, key := ca.issue("server", inAnHour())
	var failed []error
	files := &transport.TLSFiles{Cert: cert, Key: key, OnError: func(err error) { failed = append(failed, err) }}
	addr, stop := tlsServer(t, files)
	defer stop()
	signer := func() string {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		require.NoError(t, err)
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Issuer.CommonName
	}
	require.Equal(t, "first", signer())
	replace := func(from, to string) {
		data, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, data, 0o600))
		soon := time.Now().Add(time.Minute) // whatever the file system's clock
		require.NoError(t, os.Chtimes(to, soon, soon))
	}
	newCert, newKey := next.issue("server", inAnHour())
	replace(newCert, cert)
	require.Equal(t, "first", signer(), "the key does not fit yet")
	require.NotEmpty(t, failed)
	replace(newKey, key)
	require.Equal(t, "second", signer())
	require.NoError(t, os.Remove(cert))
	require.Equal(t, "second", signer())
}

// TestTLSHandshakeEnds has clients that connect to a TLS port and say nothing, or half a greeting.
func TestTLSHandshakeEnds(t *testing.T) {
	ca := newAuthority(t, "ours")
	cert, key := ca.issue("server", inAnHour())
	cfg, err := (&transport.TLSFiles{Cert: cert, Key: key}).Server()
	require.NoError(t, err)
	srv := &servers.Server{Service: whoami{}, Authenticator: servers.TLS(cfg), AuthTimeout: 50 * time.Millisecond}
	addr, result := start(t, t.Context(), srv)
	for _, greeting := range []string{"", "\x16\x03\x01\x02\x00\x01"} {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = c.Write([]byte(greeting))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, c)
		_ = err // EOF or a reset: the server has hung up
		_ = c.Close()
	}
	stop(t, srv, result)
}
