package registry

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Memory is the [Store] that a registry uses unless told otherwise: a table in memory. Its methods are safe for
// concurrent use.
//
// Every request costs the same however much the table holds: queries find a prepared listing, renewals move list nodes,
// and expiry looks only at what was renewed least recently.
type Memory struct {
	timeout time.Duration
	limits  Limits
	start   time.Time // entries count their time from here, by the monotonic clock

	mu        sync.RWMutex
	services  map[string]*service
	endpoints map[Endpoint]*endpoint
	hosts     map[string]*host
	bySeen    list // all entries, the one renewed least recently first
	first     *service
	last      *service
	serial    uint64
	pairs     int // entries in all
	watchers  []*watcher
	timer     *time.Timer
	closed    bool

	changes atomic.Uint64 // counts all changes, renewals too
}

type watcher struct{ f func(Event) }

// service is a name that somebody offers.
type service struct {
	name       string
	serial     uint64 // in the order of their coming
	prev, next *service
	entries    list // the one renewed least recently first
	n          int
	listing    atomic.Pointer[Listing] // nil when it has to be made anew
}

type endpoint struct {
	Endpoint
	host    *host
	entries []*entry
}

// host counts and finds what belongs to one host.
type host struct {
	endpoints map[*endpoint]struct{}
	pairs     int
}

// entry is a registration. It is in two lists: its service's and the one of all.
type entry struct {
	service     *service
	endpoint    *endpoint
	since, seen time.Duration
	links       [2]struct{ prev, next *entry }
}

const (
	ofService = iota
	ofAll
)

type list struct{ head, tail *entry }

func (l *list) append(e *entry, which int) {
	e.links[which].prev, e.links[which].next = l.tail, nil
	if l.tail == nil {
		l.head = e
	} else {
		l.tail.links[which].next = e
	}
	l.tail = e
}

func (l *list) remove(e *entry, which int) {
	prev, next := e.links[which].prev, e.links[which].next
	if prev == nil {
		l.head = next
	} else {
		prev.links[which].next = next
	}
	if next == nil {
		l.tail = prev
	} else {
		next.links[which].prev = prev
	}
}

// NewMemory makes an empty table. timeout is how long a registration lives without being renewed, 0 means
// [DefaultTimeout]; of limits, those about registrations and names count. [Memory.Close] stops its timer.
func NewMemory(timeout time.Duration, limits Limits) *Memory {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Memory{
		timeout:   timeout,
		limits:    limits.orDefault(),
		start:     time.Now(),
		services:  make(map[string]*service),
		endpoints: make(map[Endpoint]*endpoint),
		hosts:     make(map[string]*host),
	}
}

// Register implements [Store].
func (m *Memory) Register(_ context.Context, names []string, ep Endpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Since(m.start)
	m.expire(now)
	return m.put(names, ep, now, now)
}

// put notes or renews registrations that began at since and were renewed at seen.
func (m *Memory) put(names []string, ep Endpoint, since, seen time.Duration) error {
	if err := m.room(names, ep); err != nil {
		return err
	}
	for i, name := range names {
		e := m.find(name, ep, i)
		if e == nil {
			e = m.add(name, ep)
			e.since, e.seen = since, seen
			m.tell(e, since, Registered)
		} else {
			e.seen = seen
			e.service.entries.remove(e, ofService)
			m.bySeen.remove(e, ofAll)
		}
		e.service.entries.append(e, ofService)
		m.bySeen.append(e, ofAll)
		e.service.listing.Store(nil)
	}
	m.changes.Add(1)
	m.arm()
	return nil
}

// room checks names and limits before anything is changed.
func (m *Memory) room(names []string, ep Endpoint) error {
	if n := len(names); n > m.limits.Names {
		return limitError("names of a request", n, m.limits.Names)
	}
	if n := len(ep.Path); n > m.limits.NameLength {
		return limitError("length of a path", n, m.limits.NameLength)
	}
	fresh := 0
	for i, name := range names {
		if n := len(name); n > m.limits.NameLength {
			return limitError("length of a name", n, m.limits.NameLength)
		}
		if m.find(name, ep, i) == nil {
			fresh++
		}
	}
	if fresh == 0 {
		return nil
	}
	if n := m.pairs + fresh; n > m.limits.Registrations {
		return limitError("registrations", n, m.limits.Registrations)
	}
	n := fresh
	if h := m.hosts[ep.Host]; h != nil {
		n += h.pairs
	}
	if n > m.limits.PerHost && !isLoopback(ep.Host) {
		return limitError("registrations of a host", n, m.limits.PerHost)
	}
	return nil
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// find returns the entry of name and ep, nil if there is none. A server names its services in the same order each time,
// so the entry is looked for at place i first.
func (m *Memory) find(name string, ep Endpoint, i int) *entry {
	known := m.endpoints[ep]
	if known == nil {
		return nil
	}
	if i < len(known.entries) && known.entries[i].service.name == name {
		return known.entries[i]
	}
	s := m.services[name]
	if s == nil {
		return nil
	}
	for _, e := range known.entries {
		if e.service == s {
			return e
		}
	}
	return nil
}

// add makes an entry and what it needs. It is in no list yet.
func (m *Memory) add(name string, ep Endpoint) *entry {
	s := m.services[name]
	if s == nil {
		m.serial++
		s = &service{name: name, serial: m.serial, prev: m.last}
		if m.last == nil {
			m.first = s
		} else {
			m.last.next = s
		}
		m.last = s
		m.services[name] = s
	}
	s.n++
	known := m.endpoints[ep]
	if known == nil {
		h := m.hosts[ep.Host]
		if h == nil {
			h = &host{endpoints: make(map[*endpoint]struct{})}
			m.hosts[ep.Host] = h
		}
		known = &endpoint{Endpoint: ep, host: h}
		h.endpoints[known] = struct{}{}
		m.endpoints[ep] = known
	}
	m.pairs++
	known.host.pairs++
	e := &entry{service: s, endpoint: known}
	known.entries = append(known.entries, e)
	return e
}

// remove takes an entry out, and what was there only for it.
func (m *Memory) remove(e *entry, now time.Duration, why Reason) {
	s, ep := e.service, e.endpoint
	s.entries.remove(e, ofService)
	m.bySeen.remove(e, ofAll)
	s.listing.Store(nil)
	s.n--
	if s.n == 0 {
		delete(m.services, s.name)
		if s.prev == nil {
			m.first = s.next
		} else {
			s.prev.next = s.next
		}
		if s.next == nil {
			m.last = s.prev
		} else {
			s.next.prev = s.prev
		}
	}
	m.pairs--
	ep.host.pairs--
	if i := slices.Index(ep.entries, e); i >= 0 {
		ep.entries = slices.Delete(ep.entries, i, i+1)
	}
	if len(ep.entries) == 0 {
		delete(m.endpoints, ep.Endpoint)
		delete(ep.host.endpoints, ep)
		if len(ep.host.endpoints) == 0 {
			delete(m.hosts, ep.Host)
		}
	}
	m.changes.Add(1)
	m.tell(e, now, why)
}

func (m *Memory) tell(e *entry, at time.Duration, why Reason) {
	for _, w := range m.watchers {
		w.f(Event{Time: m.start.Add(at), Name: e.service.name, Endpoint: e.endpoint.Endpoint, Reason: why})
	}
}

// Unregister implements [Store].
func (m *Memory) Unregister(_ context.Context, ep Endpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.endpoints[ep]
	if known == nil {
		return nil
	}
	now := time.Since(m.start)
	for len(known.entries) > 0 {
		m.remove(known.entries[len(known.entries)-1], now, Unregistered)
	}
	return nil
}

// expire removes what has not been renewed in time.
func (m *Memory) expire(now time.Duration) {
	for e := m.bySeen.head; e != nil && now-e.seen > m.timeout; e = m.bySeen.head {
		m.remove(e, now, Expired)
	}
}

// arm has the timer wake when the next entry may expire, unless it is going to wake before.
func (m *Memory) arm() {
	if m.timer != nil || m.bySeen.head == nil || m.closed {
		return
	}
	// A moment later than the exact time, because upstream keeps an entry that is just as old as the timeout.
	wait := m.timeout - (time.Since(m.start) - m.bySeen.head.seen) + time.Millisecond
	m.timer = time.AfterFunc(max(wait, time.Millisecond), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.timer = nil
		m.expire(time.Since(m.start))
		m.arm()
	})
}

// Watch implements [Store]. f must not use the table.
func (m *Memory) Watch(f func(Event)) (stop func()) {
	w := &watcher{f: f}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchers = append(m.watchers, w)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.watchers = slices.DeleteFunc(m.watchers, func(o *watcher) bool { return o == w })
	}
}

// Close stops the timer that removes what has expired. Nothing is lost; lookups go on leaving out what is too old.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	return nil
}
