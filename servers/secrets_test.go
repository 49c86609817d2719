package servers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/transport/auth"
	"github.com/gorpyc/gorpyc/servers"
)

const (
	annsKey = "ann's key: 0123456789"
	newKey  = "ann's new key: 0123456789"
	bobs    = "bobs-token-0123456789"
)

var secrets = servers.FixedSecrets{
	{Name: "ann", Keys: []string{annsKey, newKey}, Attrs: map[string][]string{"team": {"sales"}}},
	{Name: "bob", Keys: []string{bobs}},
}

// caller tells who calls, and of which team.
type caller struct{}

func (caller) Who(ctx context.Context) string {
	id := protocol.IdentityFromContext(ctx)
	if id == nil {
		return "nobody"
	}
	return fmt.Sprintf("%v%v", id, id.Attrs["team"])
}

// pythonSecrets connects to two ports by docs/rpyc_auth.py, or serves at two.
const pythonSecrets = `
import json, os, sys, threading
sys.path.insert(0, sys.argv[1])
import rpyc, rpyc_auth as a
from rpyc.utils.server import ThreadedServer

class Caller(rpyc.Service):
    def on_connect(self, conn=None):
        self.conn = conn or self._conn
    def exposed_who(self):
        return self.conn._config["credentials"]

def attempt(port, *how):
    try:
        c = a.connect("127.0.0.1", int(port), *how)
        try:
            return c.root.who()
        finally:
            c.close()
    except (EOFError, a.AuthenticationError) as e:
        return type(e).__name__ + ": " + str(e)

if len(sys.argv) > 2:
    token, key = sys.argv[2:]
    print(json.dumps([
        attempt(token, a.say_token, b"bobs-token-0123456789"),
        attempt(token, a.say_token, b"bobs-token-0123456788"),
        attempt(token, a.say_token, b""),
        attempt(key, a.say_hmac, "ann", b"ann's key: 0123456789"),
        attempt(key, a.say_hmac, "ann", b"ann's new key: 0123456789"),
        attempt(key, a.say_hmac, "ann", b"bobs-token-0123456789"),
        attempt(key, a.say_hmac, "eve", b"bobs-token-0123456789"),
        attempt(key, lambda sock: None),
    ]))
else:
    ports = []
    for accept in [a.token_authenticator({"bob": [b"bobs-token-0123456789"]}),
                   a.hmac_authenticator({"ann": [b"ann's key: 0123456789", b"ann's new key: 0123456789"]})]:
        server = ThreadedServer(Caller, hostname="127.0.0.1", port=0, authenticator=accept)
        server.listener.listen(10)
        thread = threading.Thread(target=server.start)
        thread.daemon = True
        thread.start()
        ports.append(str(server.port))
    sys.stdout.write("READY " + " ".join(ports) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
`

// docsDir is where rpyc_auth.py is.
func docsDir(t *testing.T) string {
	_, file, _, _ := runtime.Caller(0)
	if dir := filepath.Join(filepath.Dir(file), "../docs"); filepath.IsAbs(dir) {
		return dir
	}
	dir, err := filepath.Abs("../docs") // built with -trimpath
	require.NoError(t, err)
	return dir
}

// TestSecrets lets peers in by token and by key, and refuses others with a reason: Python's and Go's, both ways.
func TestSecrets(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&lockedWriter{&mu, &log}, nil))
	byToken := &servers.Server{Service: caller{}, Authenticator: servers.Token(secrets), Logger: logger}
	byKey := &servers.Server{Service: caller{}, Authenticator: servers.HMAC(secrets), Logger: logger}
	tokenAddr, tokenResult := start(t, t.Context(), byToken)
	keyAddr, keyResult := start(t, t.Context(), byKey)

	var got []string
	require.NoError(t, json.Unmarshal([]byte(
		runPython(t, pythonSecrets, docsDir(t), port(tokenAddr), port(keyAddr))), &got))
	require.Len(t, got, 8)
	require.Equal(t, []string{
		"token:bob[]", "AuthenticationError: RPYC-NO unknown token", "AuthenticationError: RPYC-NO a token is needed",
		"hmac:ann[sales]", "hmac:ann[sales]", "AuthenticationError: RPYC-NO unknown name or wrong key",
		"AuthenticationError: RPYC-NO unknown name or wrong key",
	}, got[:7])
	require.Regexp(t, "^EOFError", got[7], "RPyC's client without a handshake")

	python := strings.Fields(startPython(t, pythonSecrets, docsDir(t)))
	local := func(port string) string { return net.JoinHostPort("127.0.0.1", port) }
	for _, c := range []struct {
		addr, want string
		handshake  func(context.Context, net.Conn) (net.Conn, error)
	}{
		{tokenAddr, "token:bob[]", auth.Token(bobs)},
		{tokenAddr, "unknown token", auth.Token("bobs-token-0123456788")},
		{keyAddr, "hmac:ann[sales]", auth.HMAC("ann", []byte(newKey))},
		{keyAddr, "wrong key", auth.HMAC("ann", []byte(bobs))},
		{keyAddr, "wrong key", auth.HMAC("eve", []byte(bobs))},
		{keyAddr, "asks for a token or a key", nil},
		{local(python[0]), "bob", auth.Token(bobs)},
		{local(python[0]), "unknown token", auth.Token("bobs-token-0123456788")},
		{local(python[1]), "ann", auth.HMAC("ann", []byte(annsKey))},
		{local(python[1]), "wrong key", auth.HMAC("eve", []byte(annsKey))},
	} {
		d := protocol.Dialer{Options: transport.Options{Handshake: c.handshake, Timeout: time.Minute}}
		conn, err := d.Dial(t.Context(), "tcp", c.addr)
		if err != nil {
			require.ErrorContains(t, err, c.want)
			if c.handshake != nil {
				var refused *auth.RefusedError
				require.ErrorAs(t, err, &refused)
			}
			continue
		}
		who, err := netref.Call[string](t.Context(), conn.Root(), "who")
		require.NoError(t, err)
		require.Equal(t, c.want, who)
		require.NoError(t, conn.Close())
		<-conn.Done()
	}
	stop(t, byToken, tokenResult)
	stop(t, byKey, keyResult)
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, log.String(), "identity=hmac:ann")
	require.Contains(t, log.String(), `unknown name or wrong key: \"eve\"`)
	require.NotContains(t, log.String(), "0123456")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", secrets, secrets, secrets), "0123456")
}

// TestCallTokens: a request is of whom its token says, and of nobody if nobody has it.
func TestCallTokens(t *testing.T) {
	cfg := &protocol.Config{Metadata: protocol.MetadataNegotiated, Hooks: servers.CallTokens(secrets),
		Credentials: &protocol.Identity{Kind: "tls", Name: "gateway"}}
	near, far := transport.Pipe()
	a, err := protocol.NewConn(context.Background(), near, caller{}, cfg)
	require.NoError(t, err)
	b, err := protocol.DialStream(t.Context(), far, nil, &protocol.Config{Metadata: protocol.MetadataNegotiated})
	require.NoError(t, err)
	for token, want := range map[string]string{"": "tls:gateway[]", annsKey: "token:ann[sales]", bobs: "token:bob[]",
		bobs + "x": "nobody", "short": "nobody"} {
		ctx := protocol.WithMetadata(t.Context(), protocol.Metadata{Token: token})
		who, err := netref.Call[string](ctx, b.Root(), "who")
		require.NoError(t, err)
		require.Equal(t, want, who)
	}
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
}

// panicking are Secrets that have a mistake.
type panicking struct{}

func (panicking) Secrets() ([]servers.Secret, error) { panic("a mistake") }

// TestCallTokensThatPanic: a request with a token must not remain the connection's, which may do more.
func TestCallTokensThatPanic(t *testing.T) {
	cfg := &protocol.Config{Metadata: protocol.MetadataNegotiated, Hooks: servers.CallTokens(panicking{}),
		Credentials: &protocol.Identity{Kind: "tls", Name: "gateway"}}
	near, far := transport.Pipe()
	a, err := protocol.NewConn(context.Background(), near, caller{}, cfg)
	require.NoError(t, err)
	b, err := protocol.DialStream(t.Context(), far, nil, &protocol.Config{Metadata: protocol.MetadataNegotiated})
	require.NoError(t, err)
	for token, want := range map[string]string{"": "tls:gateway[]", annsKey: "nobody"} {
		ctx := protocol.WithMetadata(t.Context(), protocol.Metadata{Token: token})
		who, err := netref.Call[string](ctx, b.Root(), "who")
		require.NoError(t, err)
		require.Equal(t, want, who)
	}
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
}

// TestHandshakesOfStrangers: what is no handshake is refused, at once where it can be seen, and never read without end.
func TestHandshakesOfStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		by   servers.Authenticator
		says string
	}{
		"a message of RPyC":   {servers.Token(secrets), "\x00\x00\x00\x05\x00"},
		"a line without end":  {servers.Token(secrets), strings.Repeat("x", 5000)},
		"another word":        {servers.Token(secrets), "GET / HTTP/1.1\r\n"},
		"two tokens":          {servers.Token(secrets), "RPYC-TOKEN " + bobs + " " + bobs + "\n"},
		"a message to keys":   {servers.HMAC(secrets), "\x00\x00\x00\x05\x00"},
		"a line to keys":      {servers.HMAC(secrets), strings.Repeat("x", 5000)},
		"no number":           {servers.HMAC(secrets), "ann 12 34\n"},
		"a number that is no": {servers.HMAC(secrets), "ann " + strings.Repeat("x", 64) + " 34\n"},
		"a short key":         {servers.HMAC(servers.FixedSecrets{{Name: "ann", Keys: []string{"short"}}}), ""},
		"no file":             {servers.HMAC(&servers.SecretsFile{Path: filepath.Join(t.TempDir(), "none")}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			said := make(chan string, 1)
			go func() {
				go func() { _, _ = io.WriteString(there, c.says) }()
				all, _ := io.ReadAll(there)
				said <- string(all)
			}()
			_, credentials, err := c.by.Authenticate(t.Context(), here)
			require.NoError(t, here.Close())
			require.Nil(t, credentials)
			var refused *servers.AuthenticationError
			require.ErrorAs(t, err, &refused)
			require.NotContains(t, err.Error(), bobs)
			if got := <-said; c.says != "" {
				require.Regexp(t, `(^|\n)RPYC-NO a \w+ is needed\n$`, got)
			}
		})
	}
}

// TestServerWithoutTheKey: a client that proves it has a key wants the server to have it, too, and cannot be made to
// give its proof away.
func TestServerWithoutTheKey(t *testing.T) {
	n := strings.Repeat("0", 64)
	for what, c := range map[string]struct{ challenge, answer, want string }{
		"no challenge": {"RPYC-HMAC-SHA256 12\n", "", "asks for no key"},
		"RPyC":         {"\x00\x00\x00\x05\x00", "", "does not begin with a line"},
		"any proof":    {"RPYC-HMAC-SHA256 " + n + "\n", "RPYC-OK " + n + "\n", "without having its key"},
		"no proof":     {"RPYC-HMAC-SHA256 " + n + "\n", "RPYC-OK\n", "does not answer as expected"},
		"the end":      {"RPYC-HMAC-SHA256 " + n + "\n", "", "unexpected EOF"},
		"its own":      {"RPYC-HMAC-SHA256 " + n + "\n", "mirror", "without having its key"}, // of what the client has said
	} {
		t.Run(what, func(t *testing.T) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				_, _ = io.WriteString(there, c.challenge)
				if !strings.HasPrefix(c.challenge, "RPYC") || len(c.challenge) < 70 {
					return
				}
				b := make([]byte, len("ann ")+64+1+64+1)
				_, _ = io.ReadFull(there, b)
				if c.answer == "mirror" {
					c.answer = "RPYC-OK " + string(b[len(b)-65:])
				}
				_, _ = io.WriteString(there, c.answer)
			}()
			_, err := auth.HMAC("ann", []byte(annsKey))(t.Context(), here)
			require.ErrorContains(t, err, c.want)
			require.NoError(t, here.Close())
		})
	}
	here, _ := net.Pipe()
	defer here.Close()
	for _, handshake := range []func(context.Context, net.Conn) (net.Conn, error){
		auth.Token(""), auth.Token("two words"), auth.Token("a\nb"), auth.HMAC(strings.Repeat("x", 256), nil),
	} {
		_, err := handshake(t.Context(), here)
		var form *auth.FormError
		require.ErrorAs(t, err, &form)
	}
}

// TestTokenWhereNoneIsWanted: a client that says a token is told what the server wants in its place.
func TestTokenWhereNoneIsWanted(t *testing.T) {
	for what, c := range map[string]struct{ answer, want string }{
		"a key":   {"RPYC-HMAC-SHA256 " + strings.Repeat("0", 64) + "\n", "asks for a key, not for a token"},
		"RPyC":    {"\x00\x00\x00\x05\x00", "it may speak TLS, or RPyC without a handshake"},
		"nothing": {"", "hung up on the handshake, it may not ask for one: unexpected EOF"},
	} {
		t.Run(what, func(t *testing.T) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				_, _ = io.ReadFull(there, make([]byte, len("RPYC-TOKEN "+bobs+"\n")))
				_, _ = io.WriteString(there, c.answer)
			}()
			_, err := auth.Token(bobs)(t.Context(), here)
			require.ErrorContains(t, err, c.want)
			require.NoError(t, here.Close())
		})
	}
}

// TestSecretsFile changes keys while the server runs, and then spoils the file.
func TestSecretsFile(t *testing.T) {
	path, when := filepath.Join(t.TempDir(), "secrets.json"), time.Now().Add(time.Hour)
	write := func(text string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, when)) // as if all were written in the same moment
	}
	var complaint error
	f := &servers.SecretsFile{Path: path, OnError: func(err error) { complaint = err }}
	_, err := f.Secrets()
	require.ErrorIs(t, err, os.ErrNotExist)
	write(`[{"name": "ann", "keys": ["` + annsKey + `"], "attrs": {"team": ["sales"]}}]`)
	got, err := f.Secrets()
	require.NoError(t, err)
	require.Equal(t, []servers.Secret{{Name: "ann", Keys: []string{annsKey},
		Attrs: map[string][]string{"team": {"sales"}}}}, got)
	for _, keys := range []string{newKey + `", "` + annsKey, annsKey + `", "` + newKey} {
		write(`[{"name": "ann", "keys": ["` + keys + `"]}]`)
		got, err = f.Secrets()
	}
	require.NoError(t, err)
	require.Equal(t, []string{annsKey, newKey}, got[0].Keys)
	for _, bad := range []string{`[{"name": "ann", "keys": ["short"]}]`, `[{"keys": ["` + newKey + `"]}]`,
		`[{"name": "ann", "key": "` + newKey + `"}]`, `{"ann": "` + newKey + `"}`, ``, `[] [{"name": "ann"}]`,
		`[{"name": "ann"}, {"name": "ann", "keys": ["` + newKey + `"]}]`,
		`[{"name": "ann", "keys": ["` + newKey + `"]}, {"name": "bob", "keys": ["` + newKey + `"]}]`} {
		write(bad)
		complaint = nil
		got, err = f.Secrets()
		require.NoError(t, err)
		require.Equal(t, []string{annsKey, newKey}, got[0].Keys, "what was read before stays")
		require.Error(t, complaint)
		require.NotContains(t, complaint.Error(), newKey)
	}
	require.NoError(t, os.Remove(path))
	_, err = f.Secrets()
	require.NoError(t, err)
	require.ErrorIs(t, complaint, os.ErrNotExist)
}

// TestUnixPeer identifies who has connected to a Unix socket.
func TestUnixPeer(t *testing.T) {
	if runtime.GOOS != "linux" {
		_, _, err := servers.UnixPeer().Authenticate(t.Context(), nil)
		require.Error(t, err)
		return
	}
	srv := &servers.Server{Service: caller{}, Authenticator: servers.UnixPeer()}
	dir, err := os.MkdirTemp("", "") // t.TempDir can be too long for a socket
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	l, err := transport.Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	identity := make(chan *protocol.Identity, 1)
	srv.OnServe = func(c *protocol.Conn) error {
		identity <- c.Identity()
		return nil
	}
	result := make(chan error, 1)
	go func() { result <- srv.Serve(t.Context(), l) }()
	c, err := protocol.Dial(t.Context(), "unix", l.Addr().String(), nil)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	<-c.Done()
	id := <-identity
	require.Equal(t, "unix", id.Kind)
	require.NotEmpty(t, id.Name)
	require.Equal(t, map[string][]string{"uid": {fmt.Sprint(os.Getuid())}, "gid": {fmt.Sprint(os.Getgid())},
		"pid": {fmt.Sprint(os.Getpid())}}, id.Attrs)
	stop(t, srv, result)
	here, there := net.Pipe()
	defer there.Close()
	_, _, err = servers.UnixPeer().Authenticate(t.Context(), here)
	require.ErrorContains(t, err, "not a connection of a Unix socket")
}
