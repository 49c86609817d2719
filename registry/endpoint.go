package registry

import (
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Facts of the protocol.
const (
	// Port is the port registries listen on (REGISTRY_PORT).
	Port = 18811
	// MaxDatagram is the length in bytes of the longest request a registry reads, and of the longest answer RPyC's clients
	// read (MAX_DGRAM_SIZE).
	MaxDatagram = 1500
	// MaxList is the length in bytes of the longest answer to LIST over UDP: what RPyC's clients read since 5.2.1
	// (10 * MAX_DGRAM_SIZE). Over TCP they read MaxDatagram.
	MaxList = 10 * MaxDatagram
	// DefaultTimeout is how long a registration lives without being renewed (DEFAULT_PRUNING_TIMEOUT).
	DefaultTimeout = 240 * time.Second
	// RenewInterval is how often servers renew their registrations (REREGISTER_INTERVAL).
	RenewInterval = 60 * time.Second
	// RetryInterval is how soon a server tries again when no registry has acknowledged.
	RetryInterval = time.Second
)

// Endpoint is where a server listens. It is comparable.
type Endpoint struct {
	// Host is the address of the server's machine, without brackets. In a registration that is sent it is the local
	// address to send from, which is what the registry will see; "" leaves that to the routing table.
	Host string
	// Port is the TCP port.
	Port int
	// Path is the path of a Unix socket, for a server that listens on one; Port is 0 then.
	Path string
}

// Network is "unix" for the path of a Unix socket and "tcp" otherwise, as [net.Dial] wants it.
func (e Endpoint) Network() string {
	if e.Path != "" {
		return "unix"
	}
	return "tcp"
}

// Addr is the address to dial: "host:port", "[host]:port" for IPv6, or the path of a Unix socket.
func (e Endpoint) Addr() string {
	if e.Path != "" {
		return e.Path
	}
	return net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
}

// String is "host:port", or "host:path" for a Unix socket.
func (e Endpoint) String() string {
	if e.Path != "" {
		return e.Host + ":" + e.Path
	}
	return e.Addr()
}

// Reachable reports whether the endpoint can be connected to from this host, as far as its kind tells: a Unix socket
// only if it is here.
func (e Endpoint) Reachable() bool { return e.Path == "" || here(e.Host) }

// here reports whether host is an address of this machine.
func here(host string) bool {
	ip := net.ParseIP(host)
	if ip == nil {
		return false
	}
	if ip.IsLoopback() {
		return true
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
			return true
		}
	}
	return false
}

// EndpointOf returns the endpoint that a listener's address stands for. The host is "" if the listener listens on all
// addresses.
func EndpointOf(a net.Addr) Endpoint {
	switch a := a.(type) {
	case *net.UnixAddr:
		return Endpoint{Path: a.Name}
	case *net.TCPAddr:
		e := Endpoint{Port: a.Port}
		if len(a.IP) > 0 && !a.IP.IsUnspecified() {
			e.Host = addrText(a.AddrPort().Addr())
		}
		return e
	}
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return Endpoint{}
	}
	n, _ := strconv.Atoi(port)
	return Endpoint{Host: host, Port: n}
}

// addrText is an address as registries show it: IPv4 in its own form even if it came through an IPv6 socket.
func addrText(a netip.Addr) string { return a.Unmap().String() }

// Registration says that an endpoint offers a service.
type Registration struct {
	Name     string // upper case
	Endpoint Endpoint
	// Since is when the endpoint began to offer the service, Seen when it last said so.
	Since, Seen time.Time
}

// Reason says why a registration came or went.
type Reason string

// The reasons of an [Event].
const (
	Registered   Reason = "registered"
	Unregistered Reason = "unregistered"
	Expired      Reason = "expired"
)

// Event is the coming or going of a registration. Renewals are none.
type Event struct {
	Time     time.Time
	Name     string
	Endpoint Endpoint
	Reason   Reason
}
