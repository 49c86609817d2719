package servers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

// Authenticator checks a peer that has connected, before RPyC begins (rpyc.utils.authenticators).
type Authenticator interface {
	// Authenticate may read from and write to conn. It returns the connection to go on with, which is conn or one that
	// wraps it, and credentials, which handlers find with Conn.Credentials; or an error to refuse the peer. It must not
	// read more than belongs to it. At the end of ctx, which Server.AuthTimeout bounds, conn is closed.
	Authenticate(ctx context.Context, conn net.Conn) (net.Conn, any, error)
}

// AuthenticatorFunc is an Authenticator that is a function.
type AuthenticatorFunc func(ctx context.Context, conn net.Conn) (net.Conn, any, error)

// Authenticate calls f.
func (f AuthenticatorFunc) Authenticate(ctx context.Context, conn net.Conn) (net.Conn, any, error) {
	return f(ctx, conn)
}

// AuthenticationError says why a peer was refused (rpyc.utils.authenticators.AuthenticationError). The server logs it;
// the peer learns only that the connection is closed.
type AuthenticationError struct {
	Reason string
	Cause  error // may be nil
}

// Error implements error.
func (e *AuthenticationError) Error() string {
	if e.Cause == nil {
		return "rpyc: authentication: " + e.Reason
	}
	return fmt.Sprintf("rpyc: authentication: %s: %v", e.Reason, e.Cause)
}

// Unwrap gives the cause.
func (e *AuthenticationError) Unwrap() error { return e.Cause }

// Chain asks several authenticators one after the other, each about the connection the one before has returned: TLS,
// then a password. The credentials are the last ones that are not nil.
func Chain(as ...Authenticator) Authenticator {
	return AuthenticatorFunc(func(ctx context.Context, conn net.Conn) (net.Conn, any, error) {
		var all any
		for _, a := range as {
			c, credentials, err := a.Authenticate(ctx, conn)
			if err != nil {
				return nil, nil, err
			}
			if c != nil {
				conn = c
			}
			if credentials != nil {
				all = credentials
			}
		}
		return conn, all, nil
	})
}

// TLS has the peer speak TLS (rpyc.utils.authenticators.SSLAuthenticator). The credentials are the peer's
// *x509.Certificate if it has shown one; RPyC's are the dictionary of getpeercert(). Conn.TLS has everything else about
// the session. transport.TLSFiles makes a configuration of files, which notices when they change.
func TLS(cfg *tls.Config) Authenticator {
	return AuthenticatorFunc(func(ctx context.Context, conn net.Conn) (net.Conn, any, error) {
		session := tls.Server(conn, cfg)
		if err := session.HandshakeContext(ctx); err != nil {
			var record tls.RecordHeaderError
			if errors.As(err, &record) {
				// As CPython's server does. Programs tell a TLS port from a plain one by it.
				if tcp, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
					_ = tcp.SetLinger(0) // closing resets the connection
				}
				return nil, nil, &AuthenticationError{Reason: "the peer does not speak TLS", Cause: err}
			}
			linger(conn)
			return nil, nil, &AuthenticationError{Reason: "TLS handshake", Cause: err}
		}
		if peers := session.ConnectionState().PeerCertificates; len(peers) > 0 {
			return transport.Wrap(session), peers[0], nil
		}
		return transport.Wrap(session), nil, nil
	})
}

// lingerTime is how long a peer may take to read why its handshake has failed.
const lingerTime = time.Second

// linger lets the peer read what was written last. Closing while something of the peer's is unread, such as its first
// request, makes the system discard what the peer has not read.
func linger(conn net.Conn) {
	c, ok := conn.(interface{ CloseWrite() error })
	if !ok || c.CloseWrite() != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, conn, 1<<16)
}

// authenticate asks the server's authenticator. It closes the stream if the peer is refused.
func (s *Server) authenticate(ctx context.Context, stream net.Conn) (secure net.Conn, credentials any, err error) {
	if s.Authenticator == nil {
		return stream, nil, nil
	}
	limit := s.AuthTimeout
	if limit == 0 {
		limit = defaultAuthTimeout
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx,
			cancel = context.WithTimeoutCause(ctx, limit, &AuthenticationError{Reason: fmt.Sprintf("not done within %v", limit)})
		defer cancel()
	}
	secure, err = transport.Guard(ctx, stream, func(ctx context.Context, stream net.Conn) (c net.Conn, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = &AuthenticationError{Reason: fmt.Sprintf("panic: %v", p)}
			}
		}()
		c, credentials, err = s.Authenticator.Authenticate(ctx, stream)
		return c, err
	})
	return secure, credentials, err
}

// loggable is how credentials appear in logs: certificates by their subject, which is what identifies them; what else
// an authenticator returns may hold a secret, and is told by its type.
func loggable(credentials any) string {
	switch c := credentials.(type) {
	case *x509.Certificate:
		return c.Subject.String()
	case fmt.Stringer:
		return c.String()
	}
	return fmt.Sprintf("%T", credentials)
}
