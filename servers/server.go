package servers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
)

// ErrServerClosed is returned by Serve and ListenAndServe after Shutdown or Close.
var ErrServerClosed = errors.New("rpyc: server closed")

// Server serves a service to every peer that connects (rpyc.utils.server.ThreadedServer). The zero value serves a service
// that has nothing. The fields must not be changed once the server is serving; the methods are safe for concurrent use.
type Server struct {
	// Service is the root object all connections share.
	Service any
	// NewService makes a root object for each connection; it is used instead of Service if it is set.
	NewService func() any
	// Config is the configuration of the connections; nil means RPyC's defaults.
	Config *protocol.Config
	// Logger is told of connections coming and going, at level Info; nil is silent.
	Logger *slog.Logger

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*protocol.Conn]struct{}
	closed    bool
	ended     chan struct{} // made when somebody waits; closed when the last connection has ended
}

// ListenAndServe listens on the address and serves until the server is closed or ctx ends. network is "tcp", "tcp4",
// "tcp6" or "unix". It returns [ErrServerClosed], the context's cause, or what made listening impossible. As with
// net/http, it returns as soon as Shutdown or Close begins: a program that wants requests to finish waits for Shutdown to
// return.
func (s *Server) ListenAndServe(ctx context.Context, network, addr string) error {
	l, err := transport.Listen(ctx, network, addr)
	if err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

// Serve accepts connections on l, which it closes in the end, until the server is closed or ctx ends. It may be called for
// several listeners. The end of ctx ends the connections, too, abruptly and without waiting for handlers; [Server.Shutdown] is
// the way to an orderly end. The values of ctx are visible to handlers.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if !s.addListener(l) {
		_ = l.Close()
		return ErrServerClosed
	}
	defer s.removeListener(l)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	s.log().Info("server started", "addr", l.Addr().String())
	var pause time.Duration
	for {
		stream, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.accept(ctx, stream)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case s.isClosed():
			return ErrServerClosed
		case !passing(err):
			return fmt.Errorf("rpyc: accept: %w", err)
		default:
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.log().Warn("accept failed", "error", err, "retry", pause)
			if !sleep(ctx, pause) {
				return context.Cause(ctx)
			}
		}
	}
}

// passing reports whether accepting may succeed later: the process may be out of file descriptors for a while.
func passing(err error) bool { return !errors.Is(err, net.ErrClosed) }

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// accept makes a connection of an accepted stream.
func (s *Server) accept(ctx context.Context, stream net.Conn) {
	log := s.log().With("peer", peerName(stream))
	log.Info("accepted")
	c, err := protocol.NewConn(ctx, transport.Wrap(stream), s.service(), s.Config)
	if err != nil {
		log.Warn("refused", "error", err)
		_ = stream.Close()
		return
	}
	if !s.addConn(c) {
		_ = c.CloseNow()
		return
	}
	log.Info("welcome")
	c.AfterDone(func() {
		s.removeConn(c)
		log.Info("goodbye")
	})
}

func (s *Server) service() any {
	if s.NewService != nil {
		return s.NewService()
	}
	return s.Service
}

func peerName(c net.Conn) string {
	if a := c.RemoteAddr(); a != nil && a.String() != "" {
		return a.String()
	}
	return c.LocalAddr().Network()
}

// Clients returns the connections that are being served.
func (s *Server) Clients() []*protocol.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	cs := make([]*protocol.Conn, 0, len(s.conns))
	for c := range s.conns {
		cs = append(cs, c)
	}
	return cs
}

// Shutdown stops accepting, lets the requests finish that are running or queued, and closes the connections. If ctx ends
// before, they are closed without. It returns when the last connection has ended, or the context's cause.
func (s *Server) Shutdown(ctx context.Context) error {
	conns, ended := s.stop()
	for _, c := range conns {
		go func() {
			if c.Drain(ctx) == nil {
				_ = c.Close()
			} else {
				_ = c.CloseNow()
			}
		}()
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close stops accepting and ends all connections at once. It does not wait for handlers that are running.
func (s *Server) Close() error {
	conns, _ := s.stop()
	for _, c := range conns {
		_ = c.CloseNow()
	}
	return nil
}

// stop ends accepting and returns the connections there are and a channel closed when they have ended.
func (s *Server) stop() ([]*protocol.Conn, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for l := range s.listeners {
		_ = l.Close()
	}
	if s.ended == nil {
		s.ended = make(chan struct{})
		if len(s.conns) == 0 {
			close(s.ended)
		}
	}
	cs := make([]*protocol.Conn, 0, len(s.conns))
	for c := range s.conns {
		cs = append(cs, c)
	}
	return cs, s.ended
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.listeners == nil {
		s.listeners = make(map[net.Listener]struct{})
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) removeListener(l net.Listener) {
	_ = l.Close()
	s.mu.Lock()
	delete(s.listeners, l)
	s.mu.Unlock()
}

func (s *Server) addConn(c *protocol.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.conns == nil {
		s.conns = make(map[*protocol.Conn]struct{})
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) removeConn(c *protocol.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.closed && len(s.conns) == 0 && s.ended != nil {
		select {
		case <-s.ended:
		default:
			close(s.ended)
		}
	}
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Server) log() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}
