package registry

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Advertise says under which address services are shown to clients that cannot use the one they registered from,
// because a translation of addresses (NAT) lies between them, or the walls of a container.
type Advertise struct {
	// From is the network the services register from. The zero Prefix stands for the loopback addresses of the registry's
	// own host.
	From netip.Prefix
	// To is the address or host name that clients outside that network are told. Clients inside are told the registered
	// address.
	To string
}

// Without a rule for them, services that registered from a loopback address are shown to other hosts under the address
// at which the registry was asked.

// advertiser applies the rules; the first one is for loopback addresses.
type advertiser struct {
	rules []Advertise
	ways  ways
}

func newAdvertiser(rules []Advertise) *advertiser {
	a := &advertiser{rules: make([]Advertise, 1, 1+len(rules))}
	for _, r := range rules {
		if r.From.IsValid() {
			a.rules = append(a.rules, r)
		} else {
			a.rules[0] = r
		}
	}
	if len(a.rules) > 63 { // bits of a mask
		a.rules = a.rules[:63]
	}
	return a
}

// within reports whether rule i is about addr.
func (a *advertiser) within(i int, addr netip.Addr) bool {
	if i == 0 {
		return addr.IsLoopback()
	}
	return a.rules[i].From.Contains(addr)
}

// matching returns which rules are about one of the endpoints, as a mask.
func (a *advertiser) matching(eps []Endpoint) (mask uint64) {
	for _, ep := range eps {
		addr, err := netip.ParseAddr(ep.Host)
		if err != nil {
			continue
		}
		for i := range a.rules {
			if a.within(i, addr) {
				mask |= 1 << i
			}
		}
	}
	return mask
}

// plain reports whether a client sees endpoints as they are, given the rules that are about them.
func (a *advertiser) plain(mask uint64, client netip.Addr) bool {
	for i := 0; mask != 0; i, mask = i+1, mask>>1 {
		if mask&1 != 0 && !a.within(i, client) {
			return false
		}
	}
	return true
}

// show returns what a client is told in place of host. at is the registry's address as the client sees it, the zero
// Addr if not known.
func (a *advertiser) show(host string, client, at netip.Addr) string {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	for i, r := range a.rules {
		if !a.within(i, addr) || a.within(i, client) {
			continue
		}
		if r.To != "" {
			return r.To
		}
		if own := a.ways.own(addr, client, at); own.IsValid() {
			return addrText(own)
		}
	}
	return host
}

// ways finds out under which address of this host a client reaches it, and remembers it for a while.
type ways struct {
	mu    sync.Mutex
	known map[netip.Addr]netip.Addr
	since time.Time
}

// own returns an address of this host for the client, of the same family as the loopback address that it replaces: a
// server that listens on IPv4 alone is no better found by IPv6.
func (w *ways) own(loopback, client, at netip.Addr) netip.Addr {
	if at.IsValid() && !at.IsUnspecified() && at.Is4() == loopback.Is4() {
		return at
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); w.known == nil || len(w.known) >= 1024 || now.Sub(w.since) > 30*time.Second {
		w.known, w.since = make(map[netip.Addr]netip.Addr), now
	}
	if own, ok := w.known[client]; ok {
		return own
	}
	own := routeTo(client)
	if own.IsValid() && own.Is4() != loopback.Is4() {
		if other := otherFamily(loopback.Is4()); other.IsValid() {
			own = other
		}
	}
	w.known[client] = own
	return own
}

// routeTo returns the local address from which the client would be reached. Nothing is sent.
func routeTo(client netip.Addr) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(client, 9)))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// otherFamily returns some address of this host that others can use.
func otherFamily(ipv4 bool) netip.Addr {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			ip, _ := netip.AddrFromSlice(n.IP)
			if ip = ip.Unmap(); ip.Is4() == ipv4 && ip.IsGlobalUnicast() {
				return ip
			}
		}
	}
	return netip.Addr{}
}
