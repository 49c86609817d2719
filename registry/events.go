package registry

import (
	"context"
	"sync"
)

const (
	recentEvents  = 256
	waitingEvents = 1 << 16
)

// events takes comings and goings from the store, remembers the latest and has the hooks called.
type events struct {
	server *Server
	stop   func()
	done   chan struct{} // closed when the goroutine that calls the hooks has ended

	mu      sync.Mutex
	wake    sync.Cond
	recent  []Event // a ring
	next    int     // where the ring's next one goes, once it is full
	waiting []Event
	closed  bool
}

func newEvents(s *Server) *events {
	e := &events{server: s, done: make(chan struct{})}
	e.wake.L = &e.mu
	e.stop = s.store.Watch(e.add)
	go e.run()
	return e
}

// add is called by the store and must not wait.
func (e *events) add(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.recent) < recentEvents {
		e.recent = append(e.recent, ev)
	} else {
		e.recent[e.next] = ev
		e.next = (e.next + 1) % recentEvents
	}
	if len(e.waiting) >= waitingEvents {
		e.server.rejects[eventLost].Add(1)
		return
	}
	e.waiting = append(e.waiting, ev)
	e.wake.Signal()
}

func (e *events) recentOnes() []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append(append([]Event(nil), e.recent[e.next:]...), e.recent[:e.next]...)
}

// run calls the hooks until everything that happened before close has been told.
func (e *events) run() {
	defer close(e.done)
	for {
		e.mu.Lock()
		for len(e.waiting) == 0 && !e.closed {
			e.wake.Wait()
		}
		batch := e.waiting
		e.waiting = nil
		e.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, ev := range batch {
			e.tell(ev)
		}
	}
}

func (e *events) tell(ev Event) {
	s := e.server
	defer func() {
		if r := recover(); r != nil {
			s.log().Error("a hook panicked", "reason", ev.Reason, "service", ev.Name, "endpoint",
				ev.Endpoint.String(), "panic", r)
		}
	}()
	hook := s.OnServiceRemoved
	if ev.Reason == Registered {
		hook = s.OnServiceAdded
	}
	s.log().Info("service "+string(ev.Reason), "service", ev.Name, "endpoint", ev.Endpoint.String())
	if hook != nil {
		hook(ev.Name, ev.Endpoint)
	}
}

// close lets the hooks be called for what has happened, until ctx ends.
func (e *events) close(ctx context.Context) {
	e.stop()
	e.mu.Lock()
	e.closed = true
	e.wake.Signal()
	e.mu.Unlock()
	select {
	case <-e.done:
	case <-ctx.Done():
	}
}
