package registry

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// ListenUDP opens a socket for [Server.ServeUDP], with room for the datagrams of a large network's servers.
func ListenUDP(ctx context.Context, network, addr string) (*net.UDPConn, error) {
	c, err := new(net.ListenConfig).ListenPacket(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	u, ok := c.(*net.UDPConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("registry: %s is not UDP", network)
	}
	_ = u.SetReadBuffer(4 << 20) // as much of it as the system allows
	return u, nil
}

// ServeUDP answers datagrams on c, which it closes in the end, until the server is closed or ctx ends. It returns
// [ErrServerClosed], the context's cause, or what made reading impossible.
func (s *Server) ServeUDP(ctx context.Context, c *net.UDPConn) error {
	if err := s.add(c); err != nil {
		return err
	}
	defer s.remove(c)
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	s.log().Info("server started", "transport", "udp", "addr", c.LocalAddr().String())
	var at netip.Addr // known only if the socket is bound to one address
	if a, ok := c.LocalAddr().(*net.UDPAddr); ok && !a.IP.IsUnspecified() {
		at = a.AddrPort().Addr().Unmap()
	}
	in, out := make([]byte, MaxDatagram+s.signatureSize()), make([]byte, 0, MaxDatagram)
	for {
		n, peer, err := c.ReadFromUDPAddrPort(in)
		if err != nil {
			// The system is short of something, or reports on an earlier answer.
			if err := s.goOn(ctx, err, "receiving failed", 10*time.Millisecond); err != nil {
				return err
			}
			continue
		}
		reply := s.handle(udp, out[:0], peer.Addr().Unmap(), at, in[:n])
		if reply != nil {
			_, _ = c.WriteToUDPAddrPort(reply, peer) // who asked and is gone needs no answer
		}
	}
}
