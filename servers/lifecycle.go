package servers

import (
	"context"
	"maps"
	"net"
	"slices"

	"github.com/gorpyc/gorpyc/protocol"
)

// Shutdown stops accepting, lets the requests finish that are running or queued, and closes the connections. If ctx
// ends before, they are closed without. It returns when the last connection has ended and the registry has been told,
// or the context's cause. The processes of a [Forking] server are told to do the same, and waited for; if ctx ends
// before, they are killed.
func (s *Server) Shutdown(ctx context.Context) error {
	conns, ended := s.stop()
	s.eachWorker((*worker).shutdown)
	s.eachHandled(handled.endInput)
	for _, c := range conns {
		go func() {
			if c.Drain(ctx) == nil {
				_ = c.Close()
			} else {
				_ = c.CloseNow()
			}
		}()
	}
	for _, done := range []<-chan struct{}{ended, s.farewell()} {
		select {
		case <-done:
		case <-ctx.Done():
			s.eachWorker((*worker).kill)
			s.eachHandled(func(h handled) { _ = h.Close() })
			return context.Cause(ctx)
		}
	}
	return nil
}

// Close stops accepting and ends all connections at once (Server.close). It does not wait for handlers that are
// running. The processes of a [Forking] server are killed; RPyC leaves them alone.
func (s *Server) Close() error {
	conns, _ := s.stop()
	s.eachWorker((*worker).kill)
	s.eachHandled(func(h handled) { _ = h.Close() })
	for _, c := range conns {
		_ = c.CloseNow()
	}
	return nil
}

// stop ends accepting and authenticating, and returns the connections there are and a channel closed when they have
// ended.
func (s *Server) stop() ([]*protocol.Conn, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.stopping())
	}
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.waiting {
		_ = c.Close()
	}
	if s.ended == nil {
		s.ended = make(chan struct{})
		s.maybeEnded()
	}
	cs := make([]*protocol.Conn, 0, len(s.conns))
	for c := range s.conns {
		cs = append(cs, c)
	}
	return cs, s.ended
}

// stopping is the channel that is closed when the server is. The lock is held.
func (s *Server) stopping() chan struct{} {
	if s.closing == nil {
		s.closing = make(chan struct{})
	}
	return s.closing
}

// maybeEnded tells those that wait that nothing is served any more. The lock is held.
func (s *Server) maybeEnded() {
	if s.ended == nil || !s.closed || len(s.conns)+len(s.waiting)+len(s.handled)+len(s.forked) > 0 {
		return
	}
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && put(&s.listeners, l)
}

func (s *Server) removeListener(l net.Listener) {
	_ = l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) addWaiting(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && put(&s.waiting, c)
}

func (s *Server) removeWaiting(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, c)
	s.maybeEnded()
}

// addHandled has a stream that was authenticated served by Handle: conn, what it is made of, waits no longer.
func (s *Server) addHandled(h handled, conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, conn)
	if s.closed {
		s.maybeEnded()
		return false
	}
	return put(&s.handled, h)
}

func (s *Server) removeHandled(h handled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.handled, h)
	s.maybeEnded()
}

// eachHandled calls f with each stream of Handle, without the lock.
func (s *Server) eachHandled(f func(handled)) {
	s.mu.Lock()
	streams := slices.Collect(maps.Keys(s.handled))
	s.mu.Unlock()
	for _, h := range streams {
		f(h)
	}
}

func (s *Server) addConn(c *protocol.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && put(&s.conns, c)
}

func (s *Server) removeConn(c *protocol.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.maybeEnded()
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// put adds to a set that may be nil.
func put[T comparable](set *map[T]struct{}, v T) bool {
	if *set == nil {
		*set = make(map[T]struct{})
	}
	(*set)[v] = struct{}{}
	return true
}
