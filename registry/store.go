package registry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// Store keeps the registrations behind a [Server]. [Memory] is the one used unless another is given. All methods may be
// called by several goroutines at once. Names are in upper case already.
//
// All methods are called while other requests wait, so they must not wait for a network: lookups answer from memory,
// changes are noted and carried out later. A store that several registries share keeps a copy of its contents for that,
// for instance in a Memory of its own: see [Memory.Set] and registry/etcdstore.
type Store interface {
	// Register notes or renews that ep offers the services. All or none are noted. A *LimitError says that there is no
	// room.
	Register(ctx context.Context, names []string, ep Endpoint) error
	// Unregister removes ep from all services. It is not an error if there is nothing to remove.
	Unregister(ctx context.Context, ep Endpoint) error
	// Lookup returns who offers the service now, nil if nobody does. The result must be the same pointer until something
	// has changed: answers are kept in it.
	Lookup(name string) *Listing
	// Names returns the names of the services that somebody offers, the one that came first first; with hosts, of those
	// that one of these hosts offers. It stops after max names.
	Names(hosts []string, max int) []string
	// Registrations calls yield with all there is until it returns false, service by service. The store is not locked
	// meanwhile.
	Registrations(yield func(Registration) bool)
	// Stats counts what there is.
	Stats() StoreStats
	// Watch has f called for each coming and going from now on, in order and one at a time, until stop is called. f must
	// not wait.
	Watch(f func(Event)) (stop func())
}

// StoreStats counts what a store holds.
type StoreStats struct {
	Services      int // names that somebody offers
	Endpoints     int // distinct endpoints
	Registrations int // pairs of both
	Hosts         int // distinct hosts
	// Oldest is when the registration that was renewed least recently was renewed; zero if there is none.
	Oldest time.Time
}

// MaxListing is how many registrations a [Listing] has at most, more than any answer has room for.
const MaxListing = 256

// Listing is who offered a service at some time. It does not change.
type Listing struct {
	servers []Endpoint
	expires time.Time
	more    bool

	answers atomic.Pointer[answers] // made when first wanted
}

// NewListing makes a listing of endpoints, the one renewed least recently first; expires is when it will do no longer
// because the first one leaves. Endpoints beyond [MaxListing] are left out.
func NewListing(servers []Endpoint, expires time.Time) *Listing {
	l := &Listing{servers: servers, expires: expires}
	if len(servers) > MaxListing {
		l.servers, l.more = servers[:MaxListing:MaxListing], true
	}
	return l
}

// Servers returns the endpoints, the one renewed least recently first. It must not be changed.
func (l *Listing) Servers() []Endpoint {
	if l == nil {
		return nil
	}
	return l.servers
}

// LimitError says that a registration was refused because there is no room for it. Its What is "registrations",
// "registrations of a host", "names of a request", "length of a name" or "length of a path".
type LimitError = brine.LimitError

func limitError(what string, got, limit int) error {
	return &LimitError{What: what, Got: int64(got), Limit: int64(limit)}
}

// Limits bounds what peers can make a registry hold and do. Zero fields mean the default; negative ones no limit.
type Limits struct {
	// Registrations is the number of pairs of a name and an endpoint in all. 0 means 1,048,576. Each takes some 250 bytes
	// where servers offer many names, 700 where each has a name and a host of its own, 2 KiB where names and paths are as
	// long as they may be and everybody has been asked for: a registry that does not know who may come lowers it.
	Registrations int
	// PerHost is the same for one host. 0 means 16,384. The registry's own host, by its loopback addresses, is not
	// limited.
	PerHost int
	// Names is the number of names in one request. 0 means 256.
	Names int
	// NameLength is the length of a name in bytes. 0 means 255.
	NameLength int
	// Rate is the number of requests per second that are answered to one source: an IPv4 address or an IPv6 network of 64
	// bits. Twice as many may come at once. 0 means 1000. The registry's own host is not limited.
	Rate int
	// Conns is the number of TCP connections at a time. 0 means 1024. Beyond it a newcomer takes the place of the one that
	// has been silent for longest.
	Conns int
	// ConnsPerHost is the same for one source. 0 means 64. The registry's own host is not limited.
	ConnsPerHost int
}

// orDefault makes the defaults and "no limit" plain numbers.
func (l Limits) orDefault() Limits {
	set := func(n *int, def int) {
		switch {
		case *n == 0:
			*n = def
		case *n < 0:
			*n = int(^uint(0) >> 1)
		}
	}
	set(&l.Registrations, 1<<20)
	set(&l.PerHost, 1<<14)
	set(&l.Names, 256)
	set(&l.NameLength, 255)
	set(&l.Rate, 1000)
	set(&l.Conns, 1024)
	set(&l.ConnsPerHost, 64)
	return l
}
