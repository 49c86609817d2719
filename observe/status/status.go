// Package status shows over HTTP what a server's connections do: who is connected and with which release, how often
// each method is called and how long it takes, the objects that peers hold, the slowest calls, and the last errors with
// their tracebacks; as a page for people and as JSON. Nothing is recorded unless a program asks for it:
//
//	s := status.New(nil)
//	server := &servers.Server{Service: service, Config: &protocol.Config{Hooks: s.Hooks()}}
//	go http.ListenAndServe("localhost:18880", s)
//
// What is kept is bounded, to about 4 MB, whatever peers do. The pages ask nobody who looks at them: they belong on an
// address that only operators reach, since names, texts of exceptions and tracebacks are shown.
package status

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/observe/page"
	"github.com/gorpyc/gorpyc/protocol"
)

// Options says how a service is shown. nil and the zero value are fine.
type Options struct {
	// Title stands on the page; "" means "RPyC service".
	Title string
	// Refresh is how often the page updates itself; 0 means 5 s.
	Refresh time.Duration
	// HideErrors keeps the texts and tracebacks of exceptions, which may have values in them, from being recorded.
	HideErrors bool
}

// Status records what hooks are told, and is an http.Handler with these pages; everything but GET and HEAD is refused:
//
//	/             the page
//	/status.json  the same as JSON, see [Report]
//
// It can be shared by any number of servers, and is safe for concurrent use.
type Status struct {
	opts    Options
	mux     *http.ServeMux
	now     func() time.Time
	started time.Time

	mu         sync.Mutex
	peers      map[*protocol.Conn]*peer
	opened     uint64
	methods    map[string]*method
	slow       []Slow // the slowest first
	oldestSlow time.Time
	faults     [maxErrors]*Fault // a ring
	nextFault  int
}

// recorder is a Status as hooks see it.
type recorder Status

var (
	_ protocol.ServeHook = (*recorder)(nil)
	_ protocol.ConnHook  = (*recorder)(nil)
)

// New makes a Status that has recorded nothing.
func New(opts *Options) *Status {
	s := &Status{mux: http.NewServeMux(), now: time.Now, started: time.Now(), peers: map[*protocol.Conn]*peer{},
		methods: map[string]*method{}}
	if opts != nil {
		s.opts = *opts
	}
	s.opts.Title = cmp.Or(s.opts.Title, "RPyC service")
	s.opts.Refresh = cmp.Or(s.opts.Refresh, 5*time.Second)
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("GET /status.json", func(w http.ResponseWriter, _ *http.Request) {
		page.WriteJSON(w, s.Report())
	})
	return s
}

// Hooks are what goes into protocol.Config.Hooks, alone or with others (protocol.JoinHooks).
func (s *Status) Hooks() protocol.Hooks {
	rec := (*recorder)(s)
	return protocol.Hooks{Serve: []protocol.ServeHook{rec}, Conn: []protocol.ConnHook{rec}}
}

// ServeHTTP implements http.Handler.
func (s *Status) ServeHTTP(w http.ResponseWriter, r *http.Request) { page.Serve(s.mux, w, r) }

// Report is what is known, and the document at /status.json. Times in numbers are seconds.
type Report struct {
	Time    time.Time `json:"time"`
	Started time.Time `json:"started"`
	Totals  Totals    `json:"totals"`
	// Peers are the connections, the oldest first. Those beyond 1000 are left out; Omitted counts these.
	Peers   []Peer `json:"peers"`
	Omitted int    `json:"omitted,omitempty"`
	// Methods are those that are called most first. What the service does not have, and what is beyond 200, is "other".
	Methods []Method `json:"methods"`
	// Slowest are the slowest requests of the last hour, the slowest first, Errors the last ones, the latest first.
	Slowest []Slow  `json:"slowest"`
	Errors  []Fault `json:"errors"`
}

// Totals are figures of all connections.
type Totals struct {
	Connections int    `json:"connections"`
	Opened      uint64 `json:"opened"` // since the start
	Calls       uint64 `json:"calls"`
	Failed      uint64 `json:"failed"`
	// Exported are the objects that peers hold here, Imported those of peers that are held here, Queued the requests that
	// have not begun.
	Exported int `json:"exported"`
	Imported int `json:"imported"`
	Queued   int `json:"queued"`
}

// Peer is a connection.
type Peer struct {
	Conn     string  `json:"conn"` // its name in logs
	Addr     string  `json:"addr,omitempty"`
	Identity string  `json:"identity,omitempty"`
	Release  string  `json:"release,omitempty"` // "" before its first message
	Family   string  `json:"family,omitempty"`
	Age      float64 `json:"age"`
	Calls    uint64  `json:"calls"`
	Failed   uint64  `json:"failed"`
	Exported int     `json:"exported"`
	Imported int     `json:"imported"`
	Queued   int     `json:"queued"`
}

// Method is what is known of a method, or of another operation: "GETATTR Service.rate".
type Method struct {
	Name   string `json:"name"`
	Calls  uint64 `json:"calls"` // since the start, as is Failed
	Failed uint64 `json:"failed"`
	// P50, P99 and Longest are of the last 10 minutes. The first two are estimates, up to 1.74 times too large.
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Longest float64 `json:"longest"`
	// History is the last 10 minutes in parts of 5 s, the latest last; the present part is not in it.
	History []Point `json:"history"`
}

// Point is one part of a method's history.
type Point struct {
	Calls  uint32  `json:"calls"`
	Failed uint32  `json:"failed"`
	P50    float64 `json:"p50"`
	P99    float64 `json:"p99"`
}

// Slow is a request that took long.
type Slow struct {
	Time    time.Time `json:"time"`
	Method  string    `json:"method"`
	Peer    string    `json:"peer"`
	Seconds float64   `json:"seconds"`
	Failed  bool      `json:"failed,omitempty"`

	took time.Duration
}

// Fault is a request that has failed. Text and Traceback are cut if they are long.
type Fault struct {
	Time      time.Time `json:"time"`
	Method    string    `json:"method"`
	Peer      string    `json:"peer"`
	Class     string    `json:"class"` // of the exception
	Text      string    `json:"text,omitempty"`
	Traceback string    `json:"traceback,omitempty"`
}

const (
	maxPeers    = 1000
	maxIdentity = 200 // bytes; certificates may have names of any length
)

// Report returns what is known at the moment.
func (s *Status) Report() *Report {
	now := s.now()
	r := &Report{Time: now, Started: s.started, Peers: []Peer{}, Methods: []Method{}, Errors: []Fault{}}
	conns, methods := s.collect(r, now)
	slices.SortFunc(conns, func(a, b connection) int { return a.since.Compare(b.since) })
	for i, c := range conns {
		p := Peer{Exported: c.Exported(), Imported: c.Imported(), Queued: c.Queued()}
		r.Totals.Exported += p.Exported
		r.Totals.Imported += p.Imported
		r.Totals.Queued += p.Queued
		if i < maxPeers {
			c.describe(&p, now)
			r.Peers = append(r.Peers, p)
		}
	}
	r.Totals.Connections, r.Omitted = len(conns), len(conns)-len(r.Peers)
	for name, m := range methods {
		r.Totals.Calls += m.calls
		r.Totals.Failed += m.failed
		r.Methods = append(r.Methods, m.report(name, now.UnixNano()/int64(slotTime)))
	}
	slices.SortFunc(r.Methods, func(a, b Method) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name))
	})
	return r
}

// connection is one and what was counted of it.
type connection struct {
	*protocol.Conn
	since time.Time
	n     peer
}

// collect copies what is under the lock, and nothing more: each request that is served waits for it.
func (s *Status) collect(r *Report, now time.Time) (conns []connection, methods map[string]*method) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Totals.Opened = s.opened
	methods = make(map[string]*method, len(s.methods))
	for name, m := range s.methods {
		m := *m
		methods[name] = &m
	}
	r.Slowest = slices.DeleteFunc(slices.Clone(s.slow), func(c Slow) bool { return now.Sub(c.Time) >= slowTime })
	for i := range min(s.nextFault, maxErrors) {
		r.Errors = append(r.Errors, *s.faults[(s.nextFault-1-i)%maxErrors])
	}
	conns = make([]connection, 0, len(s.peers))
	for c, p := range s.peers {
		conns = append(conns, connection{c, c.Peer().Since, *p})
	}
	return conns, methods
}

// describe says who the peer is.
func (c connection) describe(p *Peer, now time.Time) {
	known := c.Peer()
	p.Conn, p.Identity, p.Release = c.Name(), pyvalue.Shorten(known.Identity.String(), maxIdentity), known.Release()
	p.Age, p.Calls, p.Failed = now.Sub(c.since).Seconds(), c.n.calls, c.n.failed
	if known.Addr != nil {
		p.Addr = known.Addr.String()
	}
	if known.Family != nil {
		p.Family = known.Family.Family().String()
	}
}

// report describes a method in the part of time with the given number.
func (m *method) report(name string, number int64) Method {
	r := Method{Name: name, Calls: m.calls, Failed: m.failed, History: make([]Point, 0, slots-1)}
	var all [buckets]uint32
	for n := number - slots + 1; n <= number; n++ {
		s := m.slots[n%slots]
		if s.number != n {
			s = slot{}
		}
		for i, count := range s.took {
			all[i] += count
		}
		r.Longest = max(r.Longest, s.longest.Seconds())
		if n < number {
			r.History = append(r.History, Point{s.calls, s.failed, quantile(&s.took, .5, s.longest),
				quantile(&s.took, .99, s.longest)})
		}
	}
	longest := time.Duration(r.Longest * float64(time.Second))
	r.P50, r.P99 = quantile(&all, .5, longest), quantile(&all, .99, longest)
	return r
}

// quantile is the upper end of the bucket in which a part q of all calls lies, or the longest one's duration if that is
// less.
func quantile(took *[buckets]uint32, q float64, longest time.Duration) float64 {
	total := uint64(0)
	for _, n := range took {
		total += uint64(n)
	}
	if total == 0 {
		return 0
	}
	seen := uint64(0)
	for i, n := range took {
		if seen += uint64(n); float64(seen) >= q*float64(total) && i < buckets-1 {
			return min(upTo(i), longest).Seconds()
		}
	}
	return longest.Seconds()
}
