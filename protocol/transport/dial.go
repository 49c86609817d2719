package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

const (
	// dialTimeout and dialAttempts are RPyC's (SocketStream._connect).
	dialTimeout  = 3 * time.Second
	dialAttempts = 6
	// keepAliveCount is how many probes in a row may be lost, as RPyC sets it.
	keepAliveCount = 5
)

// Options holds what [Dial] can be told. A nil *Options is the zero value.
type Options struct {
	// Timeout bounds one attempt: connecting, the TLS handshake and Handshake, in
	// addition to the context. 0 means 3 s, as in RPyC; negative means that the
	// context alone bounds it.
	Timeout time.Duration
	// Attempts is how often to try if connecting takes longer than Timeout. Between
	// attempts there are pauses of random length, up to some milliseconds. 0
	// means 6, as in RPyC. Other failures are final at once, but for Await.
	Attempts int
	// Await has Dial try again as long as nothing listens at the address: the
	// connection is refused, or there is no such Unix socket. The pauses are 20 ms at
	// first, and twice as long each time up to a second. The context bounds it; the
	// Dial functions of package protocol bound one without a deadline by
	// Config.Timeout. A client that is to connect again later, too, is protocol.Client.
	Await bool
	// KeepAlive is how long a TCP connection is idle before it is probed, and the
	// interval between probes, five of which may be lost. 0 means 15 s, negative
	// turns probing off, which is RPyC's default (keepalive=False).
	KeepAlive time.Duration
	// TLS, if not nil, has the connection run over TLS. If it has neither ServerName
	// nor InsecureSkipVerify, the server's name is the host in the address.
	TLS *tls.Config
	// Handshake, if not nil, runs on the new connection, within TLS if there is any,
	// before RPyC begins: it says a password or answers a challenge, and returns
	// the connection to go on with, usually the same one. It must not read more
	// than belongs to it. It is the client's counterpart of an authenticator of
	// package servers.
	Handshake func(ctx context.Context, c net.Conn) (net.Conn, error)
	// Dialer replaces the function that connects, to go through a proxy or a
	// tunnel. KeepAlive is then its own affair.
	Dialer func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Dial connects to addr on the given network: "tcp", "tcp4" or "tcp6" with
// an address "host:port", or "unix" with the path of a socket. The error is the
// dialer's, usually a *net.OpError, that of the TLS handshake, or that of
// Options.Handshake. The connection is wrapped as [Wrap] says.
// It is SocketStream.connect, unix_connect and ssl_connect of RPyC.
func Dial(ctx context.Context, network, addr string, o *Options) (net.Conn, error) {
	if err := checkNetwork(network); err != nil {
		return nil, err
	}
	if o == nil {
		o = &Options{}
	}
	attempts := o.Attempts
	if attempts <= 0 {
		attempts = dialAttempts
	}
	for n := 1; ; n++ {
		c, connected, err := o.attempt(ctx, network, addr)
		if err == nil || connected || ctx.Err() != nil {
			return c, err
		}
		var wait time.Duration
		var timeout net.Error
		switch {
		case o.Await && nobodyListens(err):
			wait = min(awaitPause<<min(n-1, 10), time.Second)
		case n < attempts && errors.As(err, &timeout) && timeout.Timeout():
			wait = rand.N(51200 * time.Nanosecond << min(n, 10))
		default:
			return c, err
		}
		if pause.For(ctx, wait) != nil {
			return nil, err
		}
	}
}

// awaitPause is the first pause of Options.Await.
const awaitPause = 20 * time.Millisecond

// nobodyListens reports whether connecting failed because there was nothing to connect to.
func nobodyListens(err error) bool {
	const windows = syscall.Errno(10061) // WSAECONNREFUSED
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) || errors.Is(err, windows)
}

// attempt connects once. connected tells whether a failure came after the connection was there.
func (o *Options) attempt(ctx context.Context, network, addr string) (c net.Conn, connected bool, err error) {
	limit := o.Timeout
	if limit == 0 {
		limit = dialTimeout
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	dial := o.Dialer
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: o.KeepAlive, KeepAliveConfig: keepAlive(o.KeepAlive)}).DialContext
	}
	if c, err = dial(ctx, network, addr); err != nil {
		return nil, false, err
	}
	c = Wrap(c)
	if o.TLS != nil {
		session := tls.Client(c, o.clientTLS(addr))
		if err := session.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, true, handshakeError(err)
		}
		c = Wrap(session)
	}
	if o.Handshake != nil {
		if c, err = Guard(ctx, c, o.Handshake); err != nil {
			return nil, true, err
		}
	}
	return c, true, nil
}

// keepAlive is what a duration means, 0 and negative ones included.
func keepAlive(d time.Duration) net.KeepAliveConfig {
	switch {
	case d < 0:
		return net.KeepAliveConfig{Enable: false}
	case d == 0:
		return net.KeepAliveConfig{Enable: true}
	}
	return net.KeepAliveConfig{Enable: true, Idle: d, Interval: d, Count: keepAliveCount}
}

// SetKeepAlive has a TCP connection probed as Options.KeepAlive says. It does nothing to connections of other kinds.
func SetKeepAlive(c net.Conn, d time.Duration) error {
	if k, ok := c.(interface {
		SetKeepAliveConfig(net.KeepAliveConfig) error
	}); ok {
		return k.SetKeepAliveConfig(keepAlive(d))
	}
	return nil
}

func checkNetwork(network string) error {
	switch network {
	case "tcp", "tcp4", "tcp6", "unix":
		return nil
	}
	return net.UnknownNetworkError(network)
}

// Guard runs f, which may read from c, write to it and replace it, and closes c if ctx ends before f has returned, or
// if f fails. The error is then the context's cause, or f's.
func Guard(ctx context.Context, c net.Conn, f func(context.Context, net.Conn) (net.Conn, error)) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	better, err := f(ctx, c)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	if better == nil {
		better = c
	}
	return better, nil
}
