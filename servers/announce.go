package servers

import (
	"context"
	"net"
)

// announce makes the server known while it serves l, and returns what ends that. It is called when serving begins and must
// not block; the returned function is called when accepting has ended, once for each call. Each listener is announced by itself.
func (s *Server) announce(context.Context, net.Listener) (stop func()) {
	return func() {}
}
