package protocol

import (
	"crypto/tls"
	"net"
)

// Who the peer is. A handler gets at its connection with [FromContext].

// Credentials are what the server's authenticator found out about the peer, as given in Config.Credentials
// (conn._config["credentials"]); nil without one.
func (c *Conn) Credentials() any { return c.cfg.Credentials }

// TLS describes the TLS session the connection runs over, with the certificates of the peer; false if it runs over
// none.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	if s, ok := c.stream.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return s.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

// LocalAddr is our own network address, nil if the stream has none. With [Conn.RemoteAddr] it is what RPyC calls
// endpoints.
func (c *Conn) LocalAddr() net.Addr {
	if a, ok := c.stream.(interface{ LocalAddr() net.Addr }); ok {
		return a.LocalAddr()
	}
	return nil
}
