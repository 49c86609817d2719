package access

import (
	"context"
	"sync"

	"github.com/gorpyc/gorpyc/protocol"
)

// connHook keeps the limits of connections.
type connHook struct {
	e *Enforcer

	mu   sync.Mutex
	open map[*protocol.Conn]*limiter // those that have a place
}

// ConnOpened implements protocol.ConnHook: a connection that is too much waits and is then closed.
func (h *connHook) ConnOpened(c *protocol.Conn) {
	l, ok := h.e.current.Load().admit(c)
	if !ok {
		_ = c.CloseNow()
	}
	if l == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = map[*protocol.Conn]*limiter{}
	}
	h.open[c] = l
}

// ConnClosed implements protocol.ConnHook.
func (h *connHook) ConnClosed(c *protocol.Conn) {
	h.mu.Lock()
	l := h.open[c]
	delete(h.open, c)
	h.mu.Unlock()
	if l != nil {
		l.leave()
	}
}

// admit waits until a connection is within the limit, and returns what to leave at its end, nil if nothing. It reports
// false if the connection is to be closed. A peer without a rule, or for whom there is no room, may connect: its
// requests are told why they are refused.
func (s *state) admit(c *protocol.Conn) (*limiter, bool) {
	sub, err := s.subjectOf(c.Identity())
	if err != nil || sub.connects == nil {
		return nil, true
	}
	// Nothing is read yet, so that a peer that hangs up meanwhile is not noticed. Limit.Queue bounds how many wait.
	if x, _ := sub.connects.enter(context.Background(), true); x != nil {
		return nil, false
	}
	return sub.connects, true
}
