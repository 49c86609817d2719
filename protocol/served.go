package protocol

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// served is a request of a peer that reads metadata. It takes the place of the connection's context in the
// context of its handler. The context that ends with the caller's patience is made when somebody asks for it: most
// handlers do not, and a timer costs as much as a call.
type served struct {
	base     context.Context // the connection's
	came     wire.Trailer
	deadline time.Time // zero if there is none

	mu       sync.Mutex
	ctx      context.Context         // nil until it is needed
	cancel   context.CancelCauseFunc // of ctx
	cause    error                   // why the caller has given up; nil if it has not
	finished bool                    // the request has been answered: a context that nobody has needed yet is base
}

var _ context.Context = (*served)(nil)

// newServed is called when a request comes, with its trailer, nil if it has none.
func newServed(base context.Context, t *wire.Trailer) *served {
	s := &served{base: base}
	if t == nil {
		return s
	}
	s.came = *t
	if t.Bounded {
		s.deadline = time.Now().Add(t.Remaining)
	}
	return s
}

// servedOf returns what is known of the request whose handler has the context ctx; nil if the peer does
// not read metadata.
func servedOf(ctx context.Context) *served {
	in, _ := ctx.Value(incomingKey{}).(*incoming)
	if in == nil {
		return nil
	}
	return in.meta
}

// giveUp ends the context, unless the request has been answered. It runs nothing of the user's: what waits for a
// context does so on goroutines of its own.
func (s *served) giveUp(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished || s.cause != nil {
		return
	}
	s.cause = cause
	if s.cancel != nil {
		s.cancel(cause)
	}
}

// finish is called when the request has been answered.
func (s *served) finish() {
	s.mu.Lock()
	s.finished = true
	s.mu.Unlock()
}

// current returns what the context is at the moment, and makes it if need be. The lock is held.
func (s *served) current(need bool) context.Context {
	if s.ctx != nil {
		return s.ctx
	}
	if s.finished || !need && s.cause == nil && (s.deadline.IsZero() || time.Now().Before(s.deadline)) {
		return s.base
	}
	ctx, cancel := context.WithCancelCause(s.base)
	s.ctx, s.cancel = ctx, cancel
	stop := func() {}
	if !s.deadline.IsZero() {
		s.ctx, stop = context.WithDeadline(ctx, s.deadline)
	}
	if s.cause != nil {
		cancel(s.cause)
	}
	// The connection's context refers to it until it ends, and a handler may have handed it to goroutines that outlive
	// the request: it goes when nobody has it any more.
	runtime.AddCleanup(s, func(stop context.CancelFunc) {
		stop()
		cancel(context.Canceled)
	}, stop)
	return s.ctx
}

func (s *served) use(need bool) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current(need)
}

// Deadline implements context.Context.
func (s *served) Deadline() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil && !s.finished && !s.deadline.IsZero() {
		if d, ok := s.base.Deadline(); !ok || s.deadline.Before(d) {
			return s.deadline, true
		}
	}
	return s.current(false).Deadline()
}

// Done implements context.Context.
func (s *served) Done() <-chan struct{} { return s.use(true).Done() }

// Err implements context.Context.
func (s *served) Err() error { return s.use(false).Err() }

// Value implements context.Context.
func (s *served) Value(key any) any { return s.use(false).Value(key) }
