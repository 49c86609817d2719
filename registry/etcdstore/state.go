package etcdstore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

const (
	// The store is down while one of these fails; each says for itself when it works.
	watching = "watch"
	putting  = "write"
	probing  = "probe"

	// probeInterval is how soon it is noticed that etcd is lost while there is nothing to write.
	probeInterval = 5 * time.Second
	// logInterval is how often it is logged at most.
	logInterval = 10 * time.Second
)

// failed notes that etcd is not available.
func (s *Store) failed(what string, err error) {
	if s.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing[what] = struct{}{}
	if s.down == nil {
		s.down = &UnavailableError{Endpoints: s.client.Endpoints(), Since: time.Now()}
	}
	s.down.Err = err
	if s.told || time.Since(s.logged) < logInterval {
		return
	}
	s.told, s.logged = true, time.Now()
	s.log.Error("etcd not available, going on with what is known", "registrations", s.memory.Stats().Registrations,
		"endpoints", s.down.Endpoints, "error", err)
}

// worked notes that etcd is available, as far as what goes.
func (s *Store) worked(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failing, what)
	if s.down == nil || len(s.failing) > 0 {
		return
	}
	if s.told {
		s.log.Info("etcd available again", "after", time.Since(s.down.Since).Round(time.Millisecond), "pending",
			len(s.todo)+s.writing)
	}
	s.down, s.told = nil, false
}

// probe is a goroutine that asks etcd for nothing now and then, through its leader.
func (s *Store) probe() {
	tick := time.NewTicker(probeInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
		s.mu.Lock()
		before := s.revision
		s.mu.Unlock()
		ctx, cancel := context.WithTimeout(s.ctx, s.options.WriteTimeout)
		resp, err := s.client.Get(ctx, s.options.Prefix)
		cancel()
		if err != nil {
			s.failed(probing, err)
			continue
		}
		if resp.Header.Revision < before {
			s.mu.Lock()
			s.startAnew(before)
			s.mu.Unlock()
		}
		s.worked(probing)
	}
}

// pauseAfter waits between attempts, longer after each, with chance in it so that registries do not knock all at once.
func pauseAfter(ctx context.Context, attempt int) {
	d := min(50*time.Millisecond<<min(attempt, 10), time.Second)
	_ = pause.For(ctx, d/2+rand.N(d/2))
}
