package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"
)

// UDPClient asks registries by datagrams (rpyc.utils.registry.UDPRegistryClient). The zero value broadcasts to the
// local network. Fields must not be changed while it is in use.
type UDPClient struct {
	// Addr is the registry's address, with or without port; a broadcast or multicast address reaches several registries.
	// "" means 255.255.255.255, and no port means [Port].
	Addr string
	// Network is "udp", "udp4" or "udp6", which says what a host name is to be resolved to; "" means "udp".
	Network string
	// Interface is the address or name of the network interface to send from, for instance "eth1"; "" leaves that to the
	// server's listening address, when registering, and to the routing table.
	Interface string
	// EveryInterface sends from each address that the host has in a network with broadcasts. A broadcast leaves by one
	// interface otherwise.
	EveryInterface bool
	// Timeout is how long to wait for an answer; 0 means 2 s. After half of it the request is sent once more.
	Timeout time.Duration
	// Python2 makes requests that registries running on Python 2 understand.
	Python2 bool
	// Secret, if not empty, signs requests, for a registry that has the same [Server.Secret]; other registries ignore
	// signatures. Discover and List then accept signed answers only, so that nobody else can answer in the registry's
	// place. The clocks of both hosts may differ by a minute.
	Secret []byte
	// Logger is told what upstream's registrar logs; nil is silent.
	Logger *slog.Logger
}

var _ Registrar = (*UDPClient)(nil)

// grace is how long a broadcast waits for a registry that knows more than the first one to answer.
const grace = 100 * time.Millisecond

// Discover implements [Registrar]. Of several registries that answer, the first that knows the service counts.
func (c *UDPClient) Discover(ctx context.Context, name string) ([]Endpoint, error) {
	var found []Endpoint
	call := discoverCall(name, &found)
	err := c.exchange(ctx, call, Endpoint{}, func() bool { return len(found) == 0 })
	return found, err
}

// List implements [Registrar].
func (c *UDPClient) List(ctx context.Context, host string) ([]string, error) {
	var names []string
	call := listCall(host, &names)
	err := c.exchange(ctx, call, Endpoint{}, func() bool { return len(names) == 0 })
	if err == nil && names == nil {
		err = ErrListingDisabled
	}
	return names, err
}

// Register implements [Registrar]. Answers from other ports than the registry's are ignored.
func (c *UDPClient) Register(ctx context.Context, names []string, ep Endpoint) error {
	log, addr := logger(c.Logger), c.addr()
	log.Info("registering on " + addr)
	err := c.exchange(ctx, registerCall(names, ep), ep, func() bool { return false })
	if err != nil {
		log.Warn("no registry acknowledged", "registry", addr, "error", err)
	}
	return err
}

// Unregister implements [Registrar]. It does not wait for an answer.
func (c *UDPClient) Unregister(ctx context.Context, ep Endpoint) error {
	logger(c.Logger).Info("unregistering from " + c.addr())
	to, socks, err := c.open(ctx, ep)
	if err != nil {
		return err
	}
	defer closeAll(socks)
	data, _ := unregisterCall(ep).request(c.Python2, c.Secret)
	return send(socks, data, to)
}

func (c *UDPClient) addr() string { return withPort(c.Addr, "255.255.255.255") }

// several reports whether more than one registry may answer.
func several(to netip.AddrPort, network []*net.UDPConn) bool {
	a := to.Addr()
	b := a.AsSlice()
	return a.IsMulticast() || a.Is4() && b[3] == 255 || len(network) > 1
}

// open makes the sockets to send from.
func (c *UDPClient) open(ctx context.Context, ep Endpoint) (to netip.AddrPort, socks []*net.UDPConn, err error) {
	to, err = c.resolve(ctx)
	if err != nil {
		return to, nil, err
	}
	locals := []net.IP{nil}
	if c.EveryInterface && c.Interface == "" {
		locals = broadcasting(locals[:0], to.Addr().Is4())
	} else if locals[0], err = localAddr(ep, c.Interface, to.Addr().Is4()); err != nil {
		return to, nil, fmt.Errorf("registry: %w", err)
	}
	network := "udp6"
	if to.Addr().Is4() {
		network = "udp4"
	}
	for _, ip := range locals {
		s, err := net.ListenUDP(network, &net.UDPAddr{IP: ip})
		if err != nil {
			closeAll(socks)
			return to, nil, fmt.Errorf("registry: %w", err)
		}
		socks = append(socks, s)
	}
	return to, socks, nil
}

// resolve finds the registry's address, IPv4 rather than IPv6.
func (c *UDPClient) resolve(ctx context.Context) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(c.addr())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("registry: %w", err)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("registry: %w", err)
	}
	family := "ip" + strings.TrimPrefix(c.Network, "udp")
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("registry: %w", err)
	}
	best := addrs[0].Unmap()
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			best = a
			break
		}
	}
	return netip.AddrPortFrom(best, uint16(port)), nil
}

// broadcasting lists the addresses of this host in networks with broadcasts, or with multicasts for IPv6.
func broadcasting(ips []net.IP, ipv4 bool) []net.IP {
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || i.Flags&(net.FlagBroadcast|net.FlagMulticast) == 0 {
			continue
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && (n.IP.To4() != nil) == ipv4 && !n.IP.IsLinkLocalUnicast() {
				ips = append(ips, n.IP)
			}
		}
	}
	if len(ips) == 0 {
		return []net.IP{nil}
	}
	return ips
}

func closeAll(socks []*net.UDPConn) {
	for _, s := range socks {
		_ = s.Close()
	}
}

// send sends from all sockets; one success is enough.
func send(socks []*net.UDPConn, data []byte, to netip.AddrPort) error {
	var errs []error
	for _, s := range socks {
		if _, err := s.WriteToUDPAddrPort(data, to); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == len(socks) {
		return fmt.Errorf("registry: %w", errors.Join(errs...))
	}
	return nil
}

func (c *UDPClient) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultTimeout
}

type datagram struct {
	data []byte
	from netip.AddrPort
}

// exchange sends a request and waits for an answer that is accepted; and a little longer for a better one, while poor
// says that this one is not worth much and others may come.
func (c *UDPClient) exchange(ctx context.Context, call *call, ep Endpoint, poor func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	to, socks, err := c.open(ctx, ep)
	if err != nil {
		return err
	}
	defer closeAll(socks)
	data, check := call.request(c.Python2, c.Secret)
	if err := send(socks, data, to); err != nil {
		return err
	}
	answers := make(chan datagram)
	for _, s := range socks {
		go receive(ctx, s, to.Port(), answers)
	}
	again := time.NewTimer(c.timeout() / 2)
	defer again.Stop()
	var enough <-chan time.Time // set when there is an answer, if a poor one
	unusable := ErrNoAnswer
	for {
		select {
		case d := <-answers:
			err := check(d.data)
			switch {
			case err != nil:
				unusable = fmt.Errorf("%w: that of %s is not usable: %w", ErrNoAnswer, d.from, err)
			case !poor() || !several(to, socks):
				if call.command == register {
					logger(c.Logger).Info("registry " + d.from.String() + " acknowledged")
				}
				return nil
			case enough == nil:
				enough = time.After(grace)
			}
		case <-enough:
			return nil
		case <-again.C:
			_ = send(socks, data, to)
		case <-ctx.Done():
			if enough != nil {
				return nil
			}
			if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
				return cause
			}
			return unusable
		}
	}
}

// receive passes on what comes from the registry's port until the socket is closed. Registries answer from another
// address than they were asked at when that is a broadcast address, and when they have several.
func receive(ctx context.Context, s *net.UDPConn, port uint16, to chan<- datagram) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := s.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil || from.Port() != port {
			continue
		}
		select {
		case to <- datagram{append([]byte(nil), buf[:n]...), netip.AddrPortFrom(from.Addr().Unmap(), port)}:
		case <-ctx.Done():
			return
		}
	}
}
