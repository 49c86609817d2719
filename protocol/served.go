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
	c        *Conn
	base     context.Context // the connection's
	came     wire.Trailer
	deadline time.Time // zero if there is none

	mu       sync.Mutex
	ctx      context.Context         // nil until it is needed
	cancel   context.CancelCauseFunc // of ctx
	cause    error                   // why the caller has given up; nil if it has not
	looks    int                     // how often the handler has asked whether the context has ended
	finished bool                    // the request has been answered: a context that nobody has needed yet is base
}

var _ context.Context = (*served)(nil)

// newServed is called when a request comes, with its trailer, nil if it has none.
func newServed(c *Conn, t *wire.Trailer) *served {
	s := &served{c: c, base: c.base}
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
func (s *served) Done() <-chan struct{} {
	s.listen(manyLooks)
	return s.use(true).Done()
}

// Err implements context.Context.
func (s *served) Err() error {
	s.listen(1)
	return s.use(false).Err()
}

// manyLooks is how often a handler asks for its context's Err when it is taken to wait for it. Some is asked by what
// handlers call, and having somebody read costs as much as a call.
const manyLooks = 4

// listen has somebody read when the handler turns out to wait for the end of its context, since that comes in a
// message: the goroutine that runs the handler may be the one that read, and the watch is slow to find out. That also
// acknowledges what has come, so that a peer that has not set TCP_NODELAY can send the message at once.
func (s *served) listen(looks int) {
	s.mu.Lock()
	before := s.looks
	s.looks = min(before+looks, manyLooks)
	first := before < manyLooks && s.looks == manyLooks && !s.finished
	s.mu.Unlock()
	if first && s.c.reader.state.Load() == vacant {
		go s.c.passRole(false) // not here: a lock may be held that comes after the connection's
	}
}

// Value implements context.Context.
func (s *served) Value(key any) any { return s.use(false).Value(key) }
