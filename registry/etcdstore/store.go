package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/gorpyc/gorpyc/registry"
)

const (
	// DefaultPrefix is what the keys begin with unless Options say otherwise.
	DefaultPrefix = "/rpyc/registry/"
	// MinTimeout is the shortest lease. etcd renews all leases when it gets another leader; a shorter one could end
	// before.
	MinTimeout = 15 * time.Second
	// DefaultWriteTimeout bounds an attempt to write unless Options say otherwise.
	DefaultWriteTimeout = 3 * time.Second

	// maxNames keeps a record below the 1.5 MiB that etcd takes.
	maxNames = 1024
	writers  = 16
	// forever is the timeout of the copy, which etcd's leases expire instead.
	forever = time.Duration(1 << 62)
)

// ErrClosed is returned by changes after Close.
var ErrClosed = errors.New("etcdstore: closed")

// UnavailableError says that etcd cannot be reached, has no leader, or refuses. The store goes on with what it knows,
// and tries again.
type UnavailableError struct {
	Endpoints []string  // of etcd
	Since     time.Time // of the first failure after which nothing has worked
	Pending   int       // how many endpoints have changes that are not written
	Err       error     // the latest failure
}

// Error implements error.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("etcdstore: etcd at %s not available since %s, %d changes to be written: %v",
		strings.Join(e.Endpoints, ", "), e.Since.Format(time.RFC3339), e.Pending, e.Err)
}

// Unwrap returns the latest failure.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Options of a [Store]. The zero value is the default.
type Options struct {
	// Prefix is what the keys begin with; "" means [DefaultPrefix]. Registries with the same prefix share their
	// registrations.
	Prefix string
	// Timeout is how long a registration lives without being renewed: 0 means [registry.DefaultTimeout], less than
	// [MinTimeout] means that; fractions of a second are rounded up.
	Timeout time.Duration
	// WriteTimeout bounds each attempt to read or write; 0 means [DefaultWriteTimeout].
	WriteTimeout time.Duration
	// Limits are those of [registry.NewMemory], of all registrations together. An endpoint has at most 1024 names besides.
	Limits registry.Limits
	// Logger is told when etcd is lost and found; nil is silent.
	Logger *slog.Logger
}

// Store is a [registry.Store] in etcd. Its methods are safe for concurrent use; none waits for etcd but Synced and
// Close.
type Store struct {
	client  *clientv3.Client
	options Options
	ttl     int64 // seconds
	memory  *registry.Memory
	log     *slog.Logger
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	queue   chan struct{} // a token for each writer that may have something to do
	synced  chan struct{} // closed when there is a copy

	mu       sync.Mutex
	known    map[registry.Endpoint]*held
	todo     []*held // to be written, the first one first
	writing  int     // how many are being written
	revision int64   // up to which the copy is
	rewatch  context.CancelFunc
	closed   bool
	down     *UnavailableError
	failing  map[string]struct{} // what does not work: "watch", "write", "probe"
	logged   time.Time           // when that etcd is not available was last logged
	told     bool                // whether that was logged of the present time
	drained  chan struct{}       // closed when there is nothing to be written; made by who waits for it
}

// held is what is known of an endpoint.
type held struct {
	endpoint registry.Endpoint
	// What etcd has.
	names    map[string]times
	lease    clientv3.LeaseID
	modified int64 // the key's revision, 0 if there is no key
	applied  int64 // revision of what came last
	renewed  time.Time
	// What this registry has heard.
	own        map[string]time.Time
	gone       bool  // unregistered here, and perhaps not there
	wiped      int64 // what etcd has up to this revision was unregistered here
	wipes      int   // counts that
	generation int   // counts what was heard
	queued     bool
	busy       bool // a writer has it
}

// New makes a store on a client of etcd, which remains the caller's: it has to be closed after the store. New does not
// wait for etcd: see [Store.Synced]. An error means that the options are wrong. opt may be nil.
func New(client *clientv3.Client, opt *Options) (*Store, error) {
	if client == nil {
		return nil, errors.New("etcdstore: no client")
	}
	s := &Store{
		client: client, known: make(map[registry.Endpoint]*held), queue: make(chan struct{}, writers),
		synced:  make(chan struct{}),
		failing: make(map[string]struct{}),
	}
	if opt != nil {
		s.options = *opt
	}
	o := &s.options
	if o.Timeout < 0 || o.WriteTimeout < 0 {
		return nil, fmt.Errorf("etcdstore: timeouts %v and %v must not be negative", o.Timeout, o.WriteTimeout)
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Timeout == 0 {
		o.Timeout = registry.DefaultTimeout
	}
	o.Timeout = max(o.Timeout, MinTimeout)
	s.ttl = int64((o.Timeout + time.Second - 1) / time.Second)
	if o.WriteTimeout == 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	s.log = o.Logger
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.memory = registry.NewMemory(forever, o.Limits)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.running.Go(s.follow)
	s.running.Go(s.probe)
	for range writers {
		s.running.Go(s.write)
	}
	return s, nil
}

// Register implements [registry.Store]. It does not wait: etcd hears of it in the background.
func (s *Store) Register(ctx context.Context, names []string, ep registry.Endpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	now := time.Now()
	h := s.known[ep]
	if h != nil && s.fresh(h, names, now) {
		for _, name := range names {
			h.own[name] = now
		}
		return nil
	}
	if n := len(names) + s.others(h, names); n > maxNames {
		return &registry.LimitError{What: "names of an endpoint", Got: int64(n), Limit: maxNames}
	}
	if err := s.memory.Register(ctx, names, ep); err != nil {
		return err
	}
	h = s.hold(ep)
	h.gone = false
	for _, name := range names {
		h.own[name] = now
	}
	s.enqueue(h)
	return nil
}

// fresh says whether a renewal need not be written, because etcd has one that is hardly older: servers tell several
// registries at once.
func (s *Store) fresh(h *held, names []string, now time.Time) bool {
	if h.gone || h.modified == 0 || now.Sub(h.renewed) > min(5*time.Second, s.options.Timeout/16) {
		return false
	}
	theirs := h.theirs()
	for _, name := range names {
		if _, ok := theirs[name]; !ok {
			return false
		}
	}
	return true
}

// others counts what h has beside names.
func (s *Store) others(h *held, names []string) int {
	if h == nil {
		return 0
	}
	all := h.wanted(time.Now(), s.options.Timeout)
	for _, name := range names {
		delete(all, name)
	}
	return len(all)
}

// Unregister implements [registry.Store]. It does not wait.
func (s *Store) Unregister(ctx context.Context, ep registry.Endpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	h := s.known[ep]
	if h == nil {
		return nil
	}
	clear(h.own)
	h.gone = true
	h.wiped = h.modified
	h.wipes++
	s.enqueue(h)
	return s.memory.Unregister(ctx, ep)
}

// hold returns what is known of ep, made if there is nothing.
func (s *Store) hold(ep registry.Endpoint) *held {
	h := s.known[ep]
	if h == nil {
		h = &held{endpoint: ep, own: make(map[string]time.Time)}
		s.known[ep] = h
	}
	return h
}

// theirs is what etcd has, unless it was unregistered here since.
func (h *held) theirs() map[string]times {
	if h.modified <= h.wiped {
		return nil
	}
	return h.names
}

// wanted is what etcd should have: what it has and what was heard here, without what has not been renewed in time.
func (h *held) wanted(now time.Time, timeout time.Duration) map[string]times {
	all := make(map[string]times, max(len(h.names), len(h.own)))
	oldest := now.Add(-timeout)
	for name, t := range h.theirs() {
		if t[seen] >= oldest.UnixMilli() {
			all[name] = t
		}
	}
	for name, at := range h.own {
		if at.Before(oldest) {
			continue
		}
		t, ok := all[name]
		if !ok {
			t[since] = at.UnixMilli()
		}
		t[seen] = max(t[seen], at.UnixMilli())
		all[name] = t
	}
	return all
}

// Lookup implements [registry.Store].
func (s *Store) Lookup(name string) *registry.Listing { return s.memory.Lookup(name) }

// Names implements [registry.Store].
func (s *Store) Names(hosts []string, max int) []string { return s.memory.Names(hosts, max) }

// Registrations implements [registry.Store].
func (s *Store) Registrations(yield func(registry.Registration) bool) { s.memory.Registrations(yield) }

// Stats implements [registry.Store].
func (s *Store) Stats() registry.StoreStats { return s.memory.Stats() }

// Watch implements [registry.Store]. f must not use the store.
func (s *Store) Watch(f func(registry.Event)) (stop func()) { return s.memory.Watch(f) }

// Pending is how many endpoints have changes that are not in etcd yet.
func (s *Store) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.todo) + s.writing
}

// Err is nil, or an [*UnavailableError] while etcd cannot be reached.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err()
}

func (s *Store) err() error {
	if s.down == nil {
		return nil
	}
	e := *s.down
	e.Pending = len(s.todo) + s.writing
	return &e
}

// Synced waits until there is a first copy of what etcd has. If ctx ends before it returns an [*UnavailableError]; the
// store can be used nevertheless, and learns what there is when etcd can be reached.
func (s *Store) Synced(ctx context.Context) error {
	select {
	case <-s.synced:
		return nil
	case <-s.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
	}
	if err := s.Err(); err != nil {
		return err
	}
	return &UnavailableError{Endpoints: s.client.Endpoints(), Since: time.Now(), Pending: s.Pending(),
		Err: context.Cause(ctx)}
}

// Close ends the store: what is not written yet is, for as long as WriteTimeout. The registrations remain in etcd until
// their leases end. It returns an [*UnavailableError] if something is left unwritten. Lookups go on with the last copy.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	drained := make(chan struct{})
	s.drained = drained
	s.checkDrained()
	s.mu.Unlock()
	select {
	case <-drained:
	case <-time.After(s.options.WriteTimeout):
	}
	s.mu.Lock()
	var err error
	if left := len(s.todo) + s.writing; left > 0 {
		if err = s.err(); err == nil {
			err = &UnavailableError{Endpoints: s.client.Endpoints(), Since: time.Now(), Pending: left,
				Err: context.DeadlineExceeded}
		}
	}
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	_ = s.memory.Close()
	return err
}
