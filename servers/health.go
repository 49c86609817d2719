package servers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// checkTimeout bounds each of Server.Checks.
const checkTimeout = 5 * time.Second

// Health answers what orchestrators ask by HTTP, on an address of its own: /healthz whether the process is alive, with
// 200 always, and /readyz whether clients should be sent here: 200 if so, otherwise 503 and the reasons, one a line. A
// server is ready while it listens, does not shut down, and all Checks pass.
func (s *Server) Health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { report(w, nil) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) { report(w, s.unready(r.Context())) })
	return mux
}

func report(w http.ResponseWriter, reasons []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, strings.Join(reasons, "\n"))
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
}

// unready returns why the server is not ready; nothing if it is.
func (s *Server) unready(ctx context.Context) []string {
	s.mu.Lock()
	listening, leaving := len(s.listeners) > 0, s.closed || s.leaving
	s.mu.Unlock()
	switch {
	case leaving:
		return []string{"shutting down"}
	case !listening:
		return []string{"not listening"}
	}
	return s.failing(ctx)
}

// check is a run of one of Checks, for all who ask meanwhile.
type check struct {
	done chan struct{} // closed when err is there
	err  error
}

// failing runs Checks, all at the same time, and returns what is wrong. One that does not return although its context
// has ended, or that panics, fails; it is not begun again before it has returned.
func (s *Server) failing(ctx context.Context) (reasons []string) {
	running := make(map[string]*check, len(s.Checks))
	s.mu.Lock()
	for name, f := range s.Checks {
		c := s.checking[name]
		if c == nil {
			c = &check{done: make(chan struct{})}
			if s.checking == nil {
				s.checking = map[string]*check{}
			}
			s.checking[name] = c
			go s.runCheck(context.WithoutCancel(ctx), name, f, c)
		}
		running[name] = c
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for _, name := range slices.Sorted(maps.Keys(running)) {
		c := running[name]
		select {
		case <-c.done:
		case <-ctx.Done():
		}
		err := fmt.Errorf("no answer: %w", context.Cause(ctx))
		select {
		case <-c.done: // also where it was too late for another
			err = c.err
		default:
		}
		if err != nil {
			reasons = append(reasons, name+": "+err.Error())
		}
	}
	return reasons
}

func (s *Server) runCheck(ctx context.Context, name string, f func(context.Context) error, c *check) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			c.err = fmt.Errorf("panic: %v", p)
		}
		s.mu.Lock()
		delete(s.checking, name)
		s.mu.Unlock()
		close(c.done)
	}()
	c.err = f(ctx)
}

// announceLeaving makes the server one that is not ready, has it unregister, and goes on accepting until that is done
// and DrainDelay is over, or ctx or the server ends.
func (s *Server) announceLeaving(ctx context.Context) {
	s.mu.Lock()
	wait := !s.closed && !s.leaving && len(s.listeners) > 0
	s.leaving = true
	s.untilLeaving()
	s.part()
	closing := s.stopping()
	s.mu.Unlock()
	if !wait {
		return
	}
	s.notify(notifyStopping)
	if s.DrainDelay > 0 {
		sleep(ctx, s.DrainDelay, closing)
	}
	select {
	case <-s.farewell():
	case <-closing:
	case <-ctx.Done():
	}
}

// untilLeaving is a context that ends when the server begins to shut down. The lock is held.
func (s *Server) untilLeaving() context.Context {
	if s.parting == nil {
		s.parting, s.part = context.WithCancel(context.Background())
	}
	return s.parting
}

// isLeaving reports whether the server shuts down.
func (s *Server) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || s.leaving
}
