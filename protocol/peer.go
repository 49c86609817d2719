package protocol

import (
	"log/slog"
	"net"
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Peer is what is known of the other end of a connection.
type Peer struct {
	// Family is the protocol family it speaks, which tells its releases. On a connection that was accepted it is nil
	// before the peer's first message. It may change once: a peer that begins like RPyC 6 is taken for it until it names
	// an object.
	Family *wire.Dialect
	// Python is the major version of its Python, 2 or 3; 0 if it is not known or the peer is no Python.
	Python int
	// Go reports whether it is a gorpyc program. One that was dialled cannot be told from RPyC of the same family.
	Go bool
	// Identity is who it is: see [Conn.Identity].
	Identity *Identity
	// Addr is its network address, LocalAddr that of this side; nil if the stream has none.
	Addr, LocalAddr net.Addr
	// Since is when the connection was made.
	Since time.Time
}

// Peer says what is known of the other end at the moment.
func (c *Conn) Peer() Peer {
	p := Peer{Family: c.Dialect(), Go: c.peerIsGo.Load(), Identity: c.identity, Addr: c.RemoteAddr(),
		LocalAddr: c.LocalAddr(), Since: c.since}
	switch {
	case p.Family == nil || p.Go:
	case p.Family.Python2():
		p.Python = 2
	default:
		p.Python = 3
	}
	return p
}

// Release says in words what the peer runs, such as "RPyC 4.1 to 5.3" or "gorpyc", with "threads bound" behind it where
// that is so; "" before the family is known.
func (p Peer) Release() string {
	if p.Family == nil {
		return ""
	}
	s := p.Family.Releases()
	if p.Go {
		s = "gorpyc"
	}
	if p.Family.BindsThreads() {
		s += ", threads bound"
	}
	return s
}

// LogAttrs are what logs say of the peer, as far as it is known: "peer", its address, "identity" and "release".
func (p Peer) LogAttrs() []slog.Attr {
	var as []slog.Attr
	if p.Addr != nil && p.Addr.String() != "" { // those of Unix sockets mostly have no name
		as = append(as, slog.String("peer", p.Addr.String()))
	}
	if p.Identity != nil {
		as = append(as, slog.String("identity", p.Identity.String()))
	}
	if r := p.Release(); r != "" {
		as = append(as, slog.String("release", r))
	}
	return as
}
