package protocol

import "context"

// Address is where a server of a service is, and how it stands among the others. It is comparable.
type Address struct {
	// Network is "tcp", "tcp4", "tcp6" or "unix"; "" means ClientConfig.Network.
	Network string
	// Addr is "host:port" or the path of a socket.
	Addr string
	// Weight is the server's share of the calls in comparison with the others; 0 means 1, and a negative one that the
	// server is left out. Above a million it counts as that.
	Weight int
	// Priority is the server's rank: one with a higher number gets calls only if none with a lower one can be called.
	Priority int
	// Zone is where the server is: see ClientConfig.Zone.
	Zone string
	// ServerName is the name that the server's certificate has to be good for, if Dialer.TLS is set and does not say one;
	// "" means the host in Addr.
	ServerName string
}

// maxWeight is what a greater weight counts as.
const maxWeight = 1_000_000

// Source tells a [Client] where the servers of its service are, and goes on to tell when that changes. [Static] is one;
// packages registry/sources, registry/sources/kubernetes and registry/sources/consul have others.
type Source interface {
	// Watch calls update with all addresses that there are: once it knows them, and each time they have changed. No
	// addresses mean that there is no server. It returns nil if nothing will change any more, and otherwise, when it
	// cannot go on or ctx ends, the reason. A Client keeps the addresses then and calls Watch again after a pause, which
	// is the one between attempts to connect.
	//
	// update does not block, keeps nothing of the slice, and must be called by one goroutine at a time, not after Watch
	// has returned.
	Watch(ctx context.Context, update func([]Address)) error
}

// Static is a [Source] of addresses that never change.
type Static []Address

// Watch implements [Source].
func (s Static) Watch(_ context.Context, update func([]Address)) error {
	update(s)
	return nil
}

// dial connects to one address.
func (d *Dialer) dial(ctx context.Context, network string, a Address) (*Conn, error) {
	if a.Network != "" {
		network = a.Network
	}
	if a.ServerName == "" || d.TLS == nil || d.TLS.ServerName != "" {
		return d.Dial(ctx, network, a.Addr)
	}
	named := *d
	named.TLS = named.TLS.Clone()
	named.TLS.ServerName = a.ServerName
	return named.Dial(ctx, network, a.Addr)
}
