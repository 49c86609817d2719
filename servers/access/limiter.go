package access

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

// limiter keeps a [Limit]. Whoever has to wait has a place in the order in which it came: at once for the rate, by
// taking a token that is there later, and in a queue for what runs at the same time.
type limiter struct {
	limit Limit

	mu      sync.Mutex
	tokens  float64   // negative: promised to those that wait
	at      time.Time // when tokens was right
	waiting int       // for a token or a place
	running int
	queue   []chan struct{} // of those that wait for a place, closed to give it to them
}

func newLimiter(l Limit) *limiter {
	if l.Rate > 0 && l.Burst == 0 {
		l.Burst = max(1, int(math.Ceil(l.Rate)))
	}
	if l.Wait == 0 {
		l.Wait = Duration(defaultWait)
	}
	if l.Queue == 0 {
		l.Queue = defaultQueue
	}
	return &limiter{limit: l, tokens: float64(l.Burst), at: time.Now()}
}

// excess is what a request was too much of.
type excess struct {
	what  string
	after time.Duration // when it may succeed, 0 if that is not known
}

// enter waits until a request is within the limit. If it is not to be, it returns what of, or the context's error.
// Whoever has entered calls leave, unless place is false: then no place is taken.
//
// A refusal takes a while, too, unless nothing is to wait. Otherwise a peer that repeats what was refused at once would
// cost the others more than one that waits.
func (l *limiter) enter(ctx context.Context, place bool) (*excess, error) {
	x, err := l.tryEnter(ctx, place)
	if x == nil || l.limit.Wait < 0 {
		return x, err
	}
	holdRefusal(ctx, min(time.Duration(l.limit.Wait), refusalTime))
	return x, err
}

// refusalTime is how long a refusal takes, about.
const refusalTime = 100 * time.Millisecond

// holdRefusal waits for about d, or until ctx ends. Those that were refused together do not come back together: the
// callers of a peer that repeat what was refused would else go on in step, and all ask at the same moment.
func holdRefusal(ctx context.Context, d time.Duration) {
	_ = pause.For(ctx, d/2+rand.N(d+1))
}

func (l *limiter) tryEnter(ctx context.Context, place bool) (*excess, error) {
	deadline := time.Now().Add(time.Duration(max(l.limit.Wait, 0)))
	if x, err := l.takeToken(ctx); x != nil || err != nil {
		return x, err
	}
	if !place || l.limit.Concurrent == 0 {
		return nil, nil
	}
	x, err := l.takePlace(ctx, deadline)
	if x != nil || err != nil {
		l.giveToken()
	}
	return x, err
}

// takeToken takes a token of the rate, if need be one that will be there in a while.
func (l *limiter) takeToken(ctx context.Context) (*excess, error) {
	if l.limit.Rate == 0 {
		return nil, nil
	}
	l.mu.Lock()
	l.refill(time.Now())
	wait := time.Duration((1 - l.tokens) / l.limit.Rate * float64(time.Second))
	switch {
	case wait <= 0:
		l.tokens--
		l.mu.Unlock()
		return nil, nil
	case wait > time.Duration(l.limit.Wait) || l.waiting >= l.limit.Queue:
		l.mu.Unlock()
		return &excess{"too many requests", wait}, nil
	}
	l.tokens--
	l.waiting++
	l.mu.Unlock()
	err := pause.For(ctx, wait)
	l.mu.Lock()
	l.waiting--
	l.mu.Unlock()
	if err != nil {
		l.giveToken()
	}
	return nil, err
}

// refill adds the tokens of the time that has passed. The lock is held.
func (l *limiter) refill(now time.Time) {
	l.tokens = min(float64(l.limit.Burst), l.tokens+now.Sub(l.at).Seconds()*l.limit.Rate)
	l.at = now
}

func (l *limiter) giveToken() {
	if l.limit.Rate > 0 {
		l.mu.Lock()
		l.tokens++
		l.mu.Unlock()
	}
}

// takePlace takes one of the places of what runs at the same time.
func (l *limiter) takePlace(ctx context.Context, deadline time.Time) (*excess, error) {
	l.mu.Lock()
	if l.running < l.limit.Concurrent {
		l.running++
		l.mu.Unlock()
		return nil, nil
	}
	wait := time.Until(deadline)
	if wait <= 0 || l.waiting >= l.limit.Queue {
		l.mu.Unlock()
		return &excess{what: "too many requests at the same time"}, nil
	}
	mine := make(chan struct{})
	l.queue = append(l.queue, mine)
	l.waiting++
	l.mu.Unlock()
	t := time.NewTimer(wait)
	defer t.Stop()
	var x *excess
	var err error
	select {
	case <-mine:
	case <-t.C:
		x = &excess{what: "too many requests at the same time"}
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	if x == nil && err == nil {
		return nil, nil
	}
	if i := slices.Index(l.queue, mine); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	} else if err != nil {
		l.pass() // it was given a place meanwhile
	} else {
		x = nil
	}
	return x, err
}

// leave gives a place back.
func (l *limiter) leave() {
	if l.limit.Concurrent > 0 {
		l.mu.Lock()
		l.pass()
		l.mu.Unlock()
	}
}

// pass gives a place to whoever has waited longest for one. The lock is held.
func (l *limiter) pass() {
	if len(l.queue) == 0 {
		l.running--
		return
	}
	close(l.queue[0])
	l.queue = slices.Delete(l.queue, 0, 1)
}

// idle reports whether the limiter remembers nothing that counts.
func (l *limiter) idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill(now)
	return l.running == 0 && l.waiting == 0 && l.tokens >= float64(l.limit.Burst)
}
