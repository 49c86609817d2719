package registry

import (
	"math"
	"slices"
	"time"
)

// Lookup implements [Store].
func (m *Memory) Lookup(name string) *Listing {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := m.services[name]
	if s == nil {
		return nil
	}
	now := time.Since(m.start)
	if l := s.listing.Load(); l != nil && now <= l.expires.Sub(m.start) {
		return l
	}
	servers := make([]Endpoint, 0, min(s.n, MaxListing+1))
	expires := time.Duration(math.MaxInt64)
	for e := s.entries.head; e != nil && len(servers) <= MaxListing; e = e.links[ofService].next {
		if now-e.seen > m.timeout {
			continue // the timer is about to remove it
		}
		expires = min(expires, e.seen+m.timeout)
		servers = append(servers, e.endpoint.Endpoint)
	}
	if len(servers) == 0 {
		return nil
	}
	l := NewListing(servers, m.start.Add(expires))
	s.listing.Store(l)
	return l
}

// Names implements [Store].
func (m *Memory) Names(hosts []string, max int) []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	oldest := time.Since(m.start) - m.timeout
	names := []string{}
	if hosts == nil {
		for s := m.first; s != nil && len(names) < max; s = s.next {
			if s.entries.tail.seen >= oldest {
				names = append(names, s.name)
			}
		}
		return names
	}
	found := make(map[*service]struct{})
	for _, name := range hosts {
		h := m.hosts[name]
		if h == nil {
			continue
		}
		for ep := range h.endpoints {
			for _, e := range ep.entries {
				if e.seen >= oldest {
					found[e.service] = struct{}{}
				}
			}
		}
	}
	order := make([]*service, 0, len(found))
	for s := range found {
		order = append(order, s)
	}
	slices.SortFunc(order, func(a, b *service) int { return int(int64(a.serial - b.serial)) })
	for _, s := range order[:min(len(order), max)] {
		names = append(names, s.name)
	}
	return names
}

// Registrations implements [Store].
func (m *Memory) Registrations(yield func(Registration) bool) {
	for _, r := range m.all() {
		if !yield(r) {
			return
		}
	}
}

func (m *Memory) all() []Registration {
	m.mu.RLock()
	defer m.mu.RUnlock()
	now := time.Since(m.start)
	rs := make([]Registration, 0, m.pairs)
	for s := m.first; s != nil; s = s.next {
		for e := s.entries.head; e != nil; e = e.links[ofService].next {
			if now-e.seen <= m.timeout {
				rs = append(rs, Registration{
					Name: s.name, Endpoint: e.endpoint.Endpoint, Since: m.start.Add(e.since), Seen: m.start.Add(e.seen),
				})
			}
		}
	}
	return rs
}

// Stats implements [Store].
func (m *Memory) Stats() StoreStats {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.stats()
}

func (m *Memory) stats() StoreStats {
	st := StoreStats{Services: len(m.services), Endpoints: len(m.endpoints), Hosts: len(m.hosts), Registrations: m.pairs}
	if e := m.bySeen.head; e != nil {
		st.Oldest = m.start.Add(e.seen)
	}
	return st
}
