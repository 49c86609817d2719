package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// tcpPatience is how long a connection may take in all. RPyC's clients wait 2 s.
const tcpPatience = 10 * time.Second

// ServeTCP answers connections to l, which it closes in the end, until the server is closed or ctx ends: one request each.
// A client that sends something else gets no answer, as with upstream, and the connection is closed after 10 seconds. It returns
// [ErrServerClosed], the context's cause, or what made accepting impossible.
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	if !s.add(l) {
		return ErrServerClosed
	}
	defer s.remove(l)
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	s.log().Info("server started", "transport", "tcp", "addr", l.Addr().String())
	for {
		c, err := l.Accept()
		if err != nil {
			if why := s.ended(ctx); why != nil {
				return why
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("registry: %w", err)
			}
			s.log().Warn("accepting failed", "error", err)
			if !sleep(ctx, 50*time.Millisecond) {
				return context.Cause(ctx)
			}
			continue
		}
		peer, at := addrOf(c.RemoteAddr()), addrOf(c.LocalAddr())
		if !s.admit(c, peer) {
			_ = c.Close()
			continue
		}
		go func() {
			defer s.release(c, peer)
			s.converse(c, peer, at)
		}()
	}
}

func addrOf(a net.Addr) netip.Addr {
	if a, ok := a.(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// converse takes one request, which may come in pieces, and answers it.
func (s *Server) converse(c net.Conn, peer, at netip.Addr) {
	_ = c.SetDeadline(time.Now().Add(tcpPatience))
	in := make([]byte, MaxDatagram)
	n := 0
	for n < len(in) {
		k, err := c.Read(in[n:])
		if n += k; err != nil {
			return
		}
		cur := brine.NewCursor(in[:n])
		if err := cur.Skip(); !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
	}
	s.mu.Lock()
	s.conns.setBusy(c)
	s.mu.Unlock()
	if reply := s.handle(tcp, nil, peer, at, in[:n]); reply != nil {
		_, _ = c.Write(reply)
		return
	}
	// Upstream leaves the connection open; its clients take an early end for a corrupt answer.
	s.mu.Lock()
	if s.closed || !s.conns.setIdle(c) {
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	_, _ = io.Copy(io.Discard, c)
}

// connCount knows the open connections. It is protected by Server.mu.
type connCount struct {
	open     map[net.Conn]bool // whether a request is being answered
	bySource map[any]int
}

// admit counts a connection, if there is room for it.
func (s *Server) admit(c net.Conn, peer netip.Addr) bool {
	key := sourceKey(peer)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false
	case len(s.conns.open) >= s.limits.Conns, !peer.IsLoopback() && s.conns.bySource[key] >= s.limits.ConnsPerHost:
		s.reject(overConns, time.Since(s.started), peer, nil)
		return false
	}
	if s.conns.open == nil {
		s.conns.open = make(map[net.Conn]bool)
	}
	s.conns.open[c] = false
	s.conns.bySource[key]++
	s.busy.Add(1)
	return true
}

func (s *Server) release(c net.Conn, peer netip.Addr) {
	_ = c.Close()
	key := sourceKey(peer)
	s.mu.Lock()
	delete(s.conns.open, c)
	if s.conns.bySource[key]--; s.conns.bySource[key] == 0 {
		delete(s.conns.bySource, key)
	}
	s.mu.Unlock()
	s.busy.Done()
}

func (cs *connCount) setBusy(c net.Conn) { cs.open[c] = true }

func (cs *connCount) setIdle(c net.Conn) bool {
	if _, ok := cs.open[c]; ok {
		cs.open[c] = false
		return true
	}
	return false
}

// closeIdle closes the connections that no answer is being made for.
func (cs *connCount) closeIdle() {
	for c, busy := range cs.open {
		if !busy {
			_ = c.Close()
		}
	}
}

func (cs *connCount) closeAll() {
	for c := range cs.open {
		_ = c.Close()
	}
}
