package servers_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

// magicWord is the authenticator of RPyC's documentation: the peer has to say some bytes first.
func magicWord(word string) servers.Authenticator {
	return servers.AuthenticatorFunc(func(_ context.Context, c net.Conn) (net.Conn, any, error) {
		said := make([]byte, len(word))
		if _, err := io.ReadFull(c, said); err != nil {
			return nil, nil, err
		}
		if subtle.ConstantTimeCompare(said, []byte(word)) == 0 {
			return nil, nil, &servers.AuthenticationError{Reason: "wrong magic word"}
		}
		return c, "friend", nil
	})
}

func sayWord(word string) func(context.Context, net.Conn) (net.Conn, error) {
	return func(_ context.Context, c net.Conn) (net.Conn, error) {
		_, err := c.Write([]byte(word))
		return c, err
	}
}

// member tells its callers' credentials.
type member struct{}

// Who is what the authenticator found out.
func (member) Who(ctx context.Context) any {
	return protocol.FromContext(ctx).Credentials()
}

// pythonWithHook serves a service behind an authenticator, or connects to one after a hook; the hooks are in Python.
const pythonHooks = `
import hmac, os, socket, sys, threading, rpyc
from rpyc.core.channel import Channel
from rpyc.core.stream import SocketStream
from rpyc.utils.authenticators import AuthenticationError
from rpyc.utils.server import ThreadedServer

def exactly(sock, n):
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data

def accept_word(sock):
    if exactly(sock, 5) != b"Ma6ik":
        raise AuthenticationError("wrong magic word")
    return sock, "friend"

def say_word(sock):
    sock.sendall(b"Ma6ik")

def accept_frame(sock):
    stream = SocketStream(sock)
    if Channel(stream).recv() != b"open sesame":
        raise AuthenticationError("wrong words")
    return sock, "friend"

def say_frame(sock):
    Channel(SocketStream(sock)).send(b"open sesame")

def accept_hmac(sock):
    challenge = os.urandom(32)
    sock.sendall(challenge)
    if not hmac.compare_digest(exactly(sock, 32), hmac.new(b"key", challenge, "sha256").digest()):
        raise AuthenticationError("wrong answer")
    return sock, "friend"

def say_hmac(sock):
    sock.sendall(hmac.new(b"key", exactly(sock, 32), "sha256").digest())

class Member(rpyc.Service):
    def on_connect(self, conn):
        self.conn = conn
    def exposed_who(self):
        return self.conn._config["credentials"]

kind = sys.argv[1]
if len(sys.argv) > 2:
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    globals()["say_" + kind](sock)
    c = rpyc.connect_stream(SocketStream(sock))
    print(c.root.who())
    c.close()
else:
    server = ThreadedServer(Member, hostname="127.0.0.1", port=0, authenticator=globals()["accept_" + kind])
    server.listener.listen(10)
    threading.Thread(target=server.start, daemon=True).start()
    print("READY", server.port, flush=True)
    sys.stdin.read()
`

// TestMagicWord greets in the three ways that programs do, bytes, a framed message and a challenge, in both directions.
func TestMagicWord(t *testing.T) {
	challenge := func(key string) servers.Authenticator {
		return servers.AuthenticatorFunc(func(_ context.Context, c net.Conn) (net.Conn, any, error) {
			question, answer := make([]byte, 32), make([]byte, 32)
			_, _ = rand.Read(question)
			if _, err := c.Write(question); err != nil {
				return nil, nil, err
			}
			if _, err := io.ReadFull(c, answer); err != nil {
				return nil, nil, err
			}
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write(question)
			if !hmac.Equal(answer, mac.Sum(nil)) {
				return nil, nil, &servers.AuthenticationError{Reason: "wrong answer"}
			}
			return c, "friend", nil
		})
	}
	answer := func(key string) func(context.Context, net.Conn) (net.Conn, error) {
		return func(_ context.Context, c net.Conn) (net.Conn, error) {
			question := make([]byte, 32)
			if _, err := io.ReadFull(c, question); err != nil {
				return nil, err
			}
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write(question)
			_, err := c.Write(mac.Sum(nil))
			return c, err
		}
	}
	framed := func(words string) servers.Authenticator {
		return servers.AuthenticatorFunc(func(_ context.Context, c net.Conn) (net.Conn, any, error) {
			said, err := frame.Read(c, 0)
			if err != nil {
				return nil, nil, err
			}
			if string(said) != words {
				return nil, nil, &servers.AuthenticationError{Reason: "wrong words"}
			}
			return c, "friend", nil
		})
	}
	sayFrame := func(words string) func(context.Context, net.Conn) (net.Conn, error) {
		return func(_ context.Context, c net.Conn) (net.Conn, error) {
			return c, frame.Write(c, []byte(words))
		}
	}
	for _, c := range []struct {
		kind        string
		accept      servers.Authenticator
		good, wrong func(context.Context, net.Conn) (net.Conn, error)
	}{
		{"word", magicWord("Ma6ik"), sayWord("Ma6ik"), sayWord("magic")},
		{"frame", framed("open sesame"), sayFrame("open sesame"), sayFrame("open barley")},
		{"hmac", challenge("key"), answer("key"), answer("guess")},
	} {
		t.Run(c.kind, func(t *testing.T) {
			srv := &servers.Server{Service: member{}, Authenticator: c.accept}
			addr, result := start(t, t.Context(), srv)
			require.Equal(t, "friend", runPython(t, pythonHooks, c.kind, port(addr)))
			python := net.JoinHostPort("127.0.0.1", startPython(t, pythonHooks, c.kind))
			for _, addr := range []string{addr, python} {
				d := protocol.Dialer{Options: transport.Options{Handshake: c.good}}
				conn, err := d.Dial(t.Context(), "tcp", addr)
				require.NoError(t, err)
				require.Equal(t, "friend", call[string](t, conn, "who"))
				require.NoError(t, conn.Close())
				<-conn.Done()
				d.Handshake = c.wrong
				_, err = d.Dial(t.Context(), "tcp", addr)
				require.ErrorIs(t, err, protocol.ErrClosed)
				require.ErrorContains(t, err, "refused")
			}
			stop(t, srv, result)
		})
	}
}

// TestChain asks for TLS and then for a word, within it.
func TestChain(t *testing.T) {
	ca := newAuthority(t, "ours")
	cert, key := ca.issue("server", inAnHour())
	cfg, err := (&transport.TLSFiles{Cert: cert, Key: key}).Server()
	require.NoError(t, err)
	client, err := (&transport.TLSFiles{CA: ca.file}).Client()
	require.NoError(t, err)
	srv := &servers.Server{Service: member{}, Authenticator: servers.Chain(servers.TLS(cfg), magicWord("Ma6ik"))}
	addr, result := start(t, t.Context(), srv)
	d := &protocol.Dialer{Options: transport.Options{TLS: client, Handshake: sayWord("Ma6ik")}}
	c, err := d.Dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	require.Equal(t, "friend", call[string](t, c, "who"))
	_, secure := c.TLS()
	require.True(t, secure)
	require.NoError(t, c.Close())
	<-c.Done()
	d.Handshake = sayWord("sesam")
	_, err = d.Dial(t.Context(), "tcp", addr)
	require.ErrorIs(t, err, protocol.ErrClosed)
	stop(t, srv, result)
}

// TestAuthenticatorsThatMisbehave panic, or take long; neither harms anybody else, and Shutdown does not wait for them.
func TestAuthenticatorsThatMisbehave(t *testing.T) {
	calls := make(chan int, 10)
	for i := range 3 {
		calls <- i
	}
	srv := &servers.Server{
		Service: member{}, AuthTimeout: 50 * time.Millisecond,
		Authenticator: servers.AuthenticatorFunc(func(ctx context.Context, c net.Conn) (net.Conn, any, error) {
			switch <-calls {
			case 0:
				panic("oops")
			case 1:
				_, err := io.ReadFull(c, make([]byte, 100)) // until it is closed
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("read: %v", err)
				}
				return nil, nil, err
			}
			return nil, nil, nil // the same connection
		}),
	}
	addr, result := start(t, t.Context(), srv)
	for range 2 {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		_ = c.Close()
	}
	c := dial(t, addr)
	v, err := netref.Call[any](t.Context(), c.Root(), "who")
	require.NoError(t, err)
	require.Nil(t, v)
	stop(t, srv, result)
	<-c.Done()
}

// TestHandshakeEnds has a client's handshake wait for a server that says nothing.
func TestHandshakeEnds(t *testing.T) {
	l, err := listen()
	require.NoError(t, err)
	defer l.Close()
	d := &protocol.Dialer{Options: transport.Options{
		Timeout: 50 * time.Millisecond,
		Handshake: func(_ context.Context, c net.Conn) (net.Conn, error) {
			_, err := c.Read(make([]byte, 1))
			return c, err
		},
	}}
	_, err = d.Dial(t.Context(), "tcp", l.Addr().String())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
