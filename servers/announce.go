package servers

import (
	"context"
	"net"

	"github.com/gorpyc/gorpyc/registry"
)

// announce makes the server known to Registrar while it serves l and does not shut down, and returns what ends that. It
// is called when serving begins and does not block; the returned function is called when accepting has ended, once for
// each call, and waits for the farewell. Each listener is announced by itself.
func (s *Server) announce(ctx context.Context, l net.Listener) (stop func()) {
	ep := registry.EndpointOf(l.Addr())
	if s.Registrar == nil || ep == (registry.Endpoint{}) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	parted := context.AfterFunc(s.untilLeaving(), cancel)
	s.mu.Unlock()
	s.announced.Go(func() { registry.Announce(ctx, s.Registrar, s.ServiceAliases(), ep, s.log()) })
	return func() {
		parted()
		cancel()
		s.announced.Wait()
	}
}

// farewell returns a channel that is closed when the registry has been told that the server is gone, or cannot be.
func (s *Server) farewell() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		s.announced.Wait()
		close(done)
	}()
	return done
}
