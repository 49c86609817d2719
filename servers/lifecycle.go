package servers

import (
	"context"
	"io"
	"maps"
	"net"
	"slices"

	"github.com/gorpyc/gorpyc/protocol"
)

// Shutdown makes the server one that is not ready (see [Server.Health]), tells the registry that it is gone, waits for
// DrainDelay, stops accepting, has the requests answered that are running or queued, and closes the connections.
// Requests that come meanwhile are refused before they are begun: see protocol.Conn.Shutdown for what peers see of it.
// A peer that does not read its connection is waited for half a second once it has been sent everything. If ctx ends
// before, the connections are closed at once. Shutdown returns when the last connection has ended, or the context's
// cause. The processes of a [Forking] server are told to do the same, and waited for; if ctx ends before, they are
// killed.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.feedWatchdog()()
	s.announceLeaving(ctx)
	conns, ended := s.stop()
	s.eachWorker((*worker).shutdown)
	s.eachHandled(handled.endInput)
	for _, c := range conns {
		go s.shutdownConn(c)
	}
	for _, done := range []<-chan struct{}{ended, s.farewell()} {
		select {
		case <-done:
		case <-ctx.Done():
			s.cut(context.Cause(ctx))
			return context.Cause(ctx)
		}
	}
	return nil
}

// Close stops accepting and ends all connections at once (Server.close). It does not wait for handlers that are
// running. The processes of a [Forking] server are killed; RPyC leaves them alone.
func (s *Server) Close() error {
	conns, _ := s.stop()
	s.cut(ErrServerClosed)
	for _, c := range conns {
		_ = c.CloseNow()
	}
	return nil
}

// cut ends everything at once.
func (s *Server) cut(cause error) {
	s.endGrace(cause)
	s.eachWorker((*worker).kill)
	s.eachHandled(func(h handled) { _ = h.Close() })
	s.mu.Lock()
	defer s.mu.Unlock()
	for o := range s.opening {
		_ = o.stream.Close()
	}
}

// shutdownConn ends a connection in order, as long as there is time for it.
func (s *Server) shutdownConn(c *protocol.Conn) { _ = c.Shutdown(s.grace) }

// stop ends accepting and authenticating, and returns the connections there are and a channel closed when they have
// ended.
func (s *Server) stop() ([]*protocol.Conn, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.stopping())
		s.grace, s.endGrace = context.WithCancelCause(context.Background())
	}
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.waiting {
		_ = c.Close()
	}
	if s.ended == nil {
		s.ended = make(chan struct{})
	}
	s.maybeEnded()
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
	if s.ended == nil || !s.closed || len(s.waiting)+len(s.opening)+len(s.conns)+len(s.handled)+len(s.forked) > 0 {
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

// opening is a stream of which a connection is being made.
type opening struct{ stream io.Closer }

// beginOpening notes that a connection is being made of a stream that was authenticated: conn, what that is made of,
// waits no longer. It returns nil if the server is closed. From then on requests may run, and Shutdown has them
// answered.
func (s *Server) beginOpening(conn net.Conn, stream io.Closer) *opening {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, conn)
	if s.closed {
		s.maybeEnded()
		return nil
	}
	o := &opening{stream}
	put(&s.opening, o)
	return o
}

// opened ends what beginOpening has begun: c, if it is not nil, is served.
func (s *Server) opened(o *opening, c *protocol.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.opening, o)
	if c == nil {
		s.maybeEnded()
		return
	}
	put(&s.conns, c)
	if s.closed {
		go s.shutdownConn(c)
	}
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
