package protocol

import (
	"net"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// memory remembers which protocol family was spoken by an address that was dialled, or by a host that has connected. It
// is bounded, and forgets.
type memory struct {
	mu      sync.Mutex
	entries map[string]remembered
}

// remembered is what is known of an address or a host.
type remembered struct {
	dialect *wire.Dialect // spoken last
	mixed   bool          // several families have been met
	at      time.Time
}

const (
	memorySize = 4096
	memoryTime = time.Hour // after the last meeting
)

// All connections of the process share what is known.
var (
	dialled memory // by network and address
	clients memory // by host
)

// met notes that the peer of that key speaks d. An empty key is nobody's.
func (m *memory) met(key string, d *wire.Dialect) {
	if key == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old, known := m.get(key, now)
	if !known && len(m.entries) >= memorySize {
		m.shrink(now)
	}
	if m.entries == nil {
		m.entries = make(map[string]remembered)
	}
	m.entries[key] = remembered{dialect: d, mixed: known && (old.mixed || old.dialect != d), at: now}
}

// get looks an entry up that has not expired. The lock is held.
func (m *memory) get(key string, now time.Time) (remembered, bool) {
	e, ok := m.entries[key]
	return e, ok && now.Sub(e.at) < memoryTime
}

// shrink forgets what has expired, and of the rest as much as leaves half the size.
func (m *memory) shrink(now time.Time) {
	for key := range m.entries {
		if _, fresh := m.get(key, now); !fresh {
			delete(m.entries, key)
		}
	}
	for key := range m.entries {
		if len(m.entries) <= memorySize/2 {
			break
		}
		delete(m.entries, key)
	}
}

// last returns the family that was spoken last; nil if none is known.
func (m *memory) last(key string) *wire.Dialect {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.get(key, time.Now()); ok {
		return e.dialect
	}
	return nil
}

// only reports whether d is the one family that has been spoken.
func (m *memory) only(key string, d *wire.Dialect) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.get(key, time.Now())
	return ok && !e.mixed && e.dialect == d
}

// clientHost is the key of a host that has connected. The own host has none: its programs differ most, and asking them
// costs nothing.
func clientHost(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if !ok || t.IP.IsLoopback() {
		return ""
	}
	return t.IP.String()
}
