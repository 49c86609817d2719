package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// tcpPatience is how long a connection may take in all. RPyC's clients wait 2 s.
const tcpPatience = 10 * time.Second

// tcpTurn is how long a request waits for that of the connection before it. RPyC's clients do not wait until they are
// unregistered, and ask on the next connection what is registered; its server takes one connection after the other.
const tcpTurn = 20 * time.Millisecond

// ServeTCP answers connections to l, which it closes in the end, until the server is closed or ctx ends: one request
// each. A client that sends something else gets no answer, as with upstream, and the connection is closed after 10
// seconds. It returns [ErrServerClosed], the context's cause, or what made accepting impossible.
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	if err := s.add(l); err != nil {
		return err
	}
	defer s.remove(l)
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	s.log().Info("server started", "transport", "tcp", "addr", l.Addr().String())
	before := make(chan struct{}) // closed when the request of the connection before has been handled, or will not come
	close(before)
	for {
		c, err := l.Accept()
		if err != nil {
			if err := s.goOn(ctx, err, "accepting failed", 50*time.Millisecond); err != nil {
				return err
			}
			continue
		}
		peer, at := addrOf(c.RemoteAddr()), addrOf(c.LocalAddr())
		if !s.admit(c, peer) {
			_ = c.Close()
			continue
		}
		handled := make(chan struct{})
		go func(before <-chan struct{}) {
			defer s.release(c, peer)
			s.converse(c, peer, at, before, handled)
		}(before)
		before = handled
	}
}

func addrOf(a net.Addr) netip.Addr {
	if a, ok := a.(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// converse takes one request and answers it, after that of the connection before if it is quick.
func (s *Server) converse(c net.Conn, peer, at netip.Addr, before <-chan struct{}, handled chan<- struct{}) {
	_ = c.SetDeadline(time.Now().Add(tcpPatience))
	in, ok := readRequest(c, MaxDatagram+s.signatureSize())
	if !ok {
		close(handled)
		return
	}
	s.mu.Lock()
	s.conns.setBusy(c)
	s.mu.Unlock()
	await(before)
	reply := s.handle(tcp, nil, peer, at, in)
	close(handled)
	if reply != nil {
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

// readRequest takes a request, which may come in pieces. A signature has to come with the last piece.
func readRequest(c net.Conn, most int) ([]byte, bool) {
	in := make([]byte, most)
	n := 0
	for n < len(in) {
		k, err := c.Read(in[n:])
		if n += k; err != nil {
			return nil, false
		}
		cur := brine.NewCursor(in[:n])
		if err := cur.Skip(); !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
	}
	return in[:n], true
}

// await waits for the request before, but not for long.
func await(before <-chan struct{}) {
	select {
	case <-before:
		return
	default:
	}
	late := time.NewTimer(tcpTurn)
	defer late.Stop()
	select {
	case <-before:
	case <-late.C:
	}
}

// connCount knows the open connections. It is protected by Server.mu.
type connCount struct {
	open     map[net.Conn]*openConn
	bySource map[netip.Addr]int
	serial   uint64
}

type openConn struct {
	serial uint64 // in the order of their coming
	busy   bool   // a request is being answered
}

// admit counts a connection, if there is room for it. If all places are taken, the one that has waited longest for its
// request makes room: who wants to know something asks at once, so that those who do not cannot keep others out.
func (s *Server) admit(c net.Conn, peer netip.Addr) bool {
	key := sourceKey(peer)
	s.mu.Lock()
	defer s.mu.Unlock()
	cs := &s.conns
	if s.closed {
		return false
	}
	if !peer.IsLoopback() && cs.bySource[key] >= s.limits.ConnsPerHost {
		s.reject(overConns, time.Since(s.started), peer, nil)
		return false
	}
	if len(cs.open) >= s.limits.Conns {
		s.reject(overConns, time.Since(s.started), peer, nil)
		if !cs.evict() {
			return false
		}
	}
	if cs.open == nil {
		cs.open = make(map[net.Conn]*openConn)
		cs.bySource = make(map[netip.Addr]int)
	}
	cs.serial++
	cs.open[c] = &openConn{serial: cs.serial}
	cs.bySource[key]++
	s.busy.Add(1)
	return true
}

// evict closes the connection that has been idle for longest; false if none is.
func (cs *connCount) evict() bool {
	var oldest net.Conn
	var serial uint64
	for c, o := range cs.open {
		if !o.busy && (oldest == nil || o.serial < serial) {
			oldest, serial = c, o.serial
		}
	}
	if oldest == nil {
		return false
	}
	_ = oldest.Close()
	delete(cs.open, oldest) // release counts the rest
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

func (cs *connCount) setBusy(c net.Conn) {
	if o := cs.open[c]; o != nil {
		o.busy = true
	}
}

func (cs *connCount) setIdle(c net.Conn) bool {
	o := cs.open[c]
	if o != nil {
		o.busy = false
	}
	return o != nil
}

// closeIdle closes the connections that no answer is being made for.
func (cs *connCount) closeIdle() {
	for c, o := range cs.open {
		if !o.busy {
			_ = c.Close()
		}
	}
}

func (cs *connCount) closeAll() {
	for c := range cs.open {
		_ = c.Close()
	}
}
