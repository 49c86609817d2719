package registry

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// A limiter bounds the rate of requests per source. Sources share a fixed number of buckets by a hash that nobody
// outside knows, so that memory stays the same however many addresses a flood pretends to come from.
type limiter struct {
	seed maphash.Seed
	rate float64

	mu      sync.Mutex
	buckets []bucket
}

type bucket struct {
	tokens float64
	at     time.Duration
}

const bucketCount = 1 << 14

func newLimiter(rate int) *limiter {
	l := &limiter{seed: maphash.MakeSeed(), rate: float64(rate), buckets: make([]bucket, bucketCount)}
	for i := range l.buckets {
		l.buckets[i].tokens = 2 * l.rate
	}
	return l
}

// allow reports whether a request from a may be answered now.
func (l *limiter) allow(a netip.Addr, now time.Duration) bool {
	if a.IsLoopback() {
		return true
	}
	h := sourceKey(a).As16()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &l.buckets[maphash.Bytes(l.seed, h[:])%bucketCount]
	b.tokens = min(2*l.rate, b.tokens+l.rate*(now-b.at).Seconds())
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// sourceKey is what counts as one source: an IPv4 address, or the network of 64 bits that one IPv6 host can take any
// address of.
func sourceKey(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
