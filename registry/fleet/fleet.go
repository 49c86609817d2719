// Package fleet shows what a registry knows over HTTP: a page for people, the same as JSON, a health check, and figures
// in Prometheus' text format. The page updates itself, with and without JavaScript, and loads nothing from elsewhere.
package fleet

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/observe/page"
	"github.com/gorpyc/gorpyc/registry"
)

// Source is what is shown; *registry.Server is one.
type Source interface {
	// Registrations calls yield with all registrations, service by service, until it returns false.
	Registrations(yield func(registry.Registration) bool)
	// Recent returns the latest comings and goings, the latest last.
	Recent() []registry.Event
	// Stats returns the server's figures.
	Stats() registry.Stats
}

var _ Source = (*registry.Server)(nil)

// Options says how a fleet is shown. nil and the zero value are fine.
type Options struct {
	// Title stands on the page; "" means "RPyC services".
	Title string
	// Refresh is how often the page updates itself; 0 means 5 s.
	Refresh time.Duration
	// Ping has each endpoint connected to now and then, to see whether it can be reached from here. Each server's log has
	// a connection that ends at once. A liar's registration makes the registry connect to whatever address it came from.
	Ping bool
	// PingInterval is how often; 0 means 30 s.
	PingInterval time.Duration
	// PingTimeout is how long an endpoint may take to accept; 0 means 2 s.
	PingTimeout time.Duration
}

// Handler is an http.Handler with these pages; everything but GET and HEAD is refused:
//
//	/             the page; ?service=NAME shows one service alone, ?q=TEXT those whose name or address has a text, of
//	              either case, and ?view=hosts the same by hosts
//	/fleet.json   the same as JSON, see [Fleet]; ?service=NAME, ?q=TEXT
//	/healthz      "ok" while the registry runs
//	/metrics      Prometheus' text format
type Handler struct {
	source Source
	opts   Options
	mux    *http.ServeMux
	pings  *pinger

	mu    sync.Mutex
	hold  time.Duration // how old last may be: it may be large, and many may look
	taken time.Time
	last  *snapshot
}

// New makes a handler that shows what source knows. [Handler.Close] ends it.
func New(source Source, opts *Options) *Handler {
	h := &Handler{source: source, mux: http.NewServeMux(), hold: time.Second}
	if opts != nil {
		h.opts = *opts
	}
	h.opts.Title = cmp.Or(h.opts.Title, "RPyC services")
	h.opts.Refresh = cmp.Or(h.opts.Refresh, 5*time.Second)
	h.opts.PingInterval = cmp.Or(h.opts.PingInterval, 30*time.Second)
	h.opts.PingTimeout = cmp.Or(h.opts.PingTimeout, 2*time.Second)
	h.mux.HandleFunc("GET /{$}", h.page)
	h.mux.HandleFunc("GET /fleet.json", h.json)
	h.mux.HandleFunc("GET /healthz", h.healthz)
	h.mux.HandleFunc("GET /metrics", h.metrics)
	if h.opts.Ping {
		h.pings = startPinger(source, h.opts.PingInterval, h.opts.PingTimeout)
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page.Serve(h.mux, w, r)
}

// Close ends the pinging and waits for it.
func (h *Handler) Close() error {
	h.pings.close()
	return nil
}

func (h *Handler) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// Fleet is the document at /fleet.json. Ages and times are seconds.
type Fleet struct {
	Time    time.Time `json:"time"`
	Started time.Time `json:"started"`
	// Services are sorted by name. Those beyond 10,000 servers are left out; Omitted counts these servers.
	Services []Service `json:"services"`
	Omitted  int       `json:"omitted,omitempty"`
	// Recent are the latest comings and goings, the latest first.
	Recent   []Change          `json:"recent"`
	Totals   Totals            `json:"totals"`
	Requests map[string]uint64 `json:"requests"` // by "udp/query" and so on
	Rejects  map[string]uint64 `json:"rejects"`  // by reason

	problems []problem // for the page
	bad      int       // how many there are in all
}

// problem is a server that cannot be reached, or whose keep-alive is overdue.
type problem struct {
	Name string
	Server
}

// query is what is asked for: everything if it is zero.
type query struct{ service, text string }

func queryOf(r *http.Request) query {
	return query{registry.Upper(r.FormValue("service")), strings.ToLower(strings.TrimSpace(r.FormValue("q")))}
}

func (q query) match(r registry.Registration) bool {
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), q.text) }
	return (q.service == "" || r.Name == q.service) && (q.text == "" || has(r.Name) || has(r.Endpoint.String()))
}

// Totals counts all there is that was asked for, also what is not shown.
type Totals struct {
	Services      int `json:"services"`
	Servers       int `json:"servers"`
	Hosts         int `json:"hosts"`
	Registrations int `json:"registrations"`
	// Unreachable are the servers that were tried and did not accept; null if none is tried.
	Unreachable *int `json:"unreachable,omitempty"`
	// Oldest is the age of the keep-alive that is longest ago.
	Oldest float64 `json:"oldest_keepalive"`
}

// Service is a name and who offers it, the one that was renewed least recently first.
type Service struct {
	Name    string   `json:"name"`
	Servers []Server `json:"servers"`
}

// Server is an endpoint that offers a service.
type Server struct {
	Host string `json:"host"`
	Port int    `json:"port,omitempty"`
	Path string `json:"path,omitempty"`
	// Age is the age of the last keep-alive, Up how long the endpoint has offered the service.
	Age float64 `json:"age"`
	Up  float64 `json:"up"`
	// Reachable is null if that is not known.
	Reachable *bool `json:"reachable"`
}

// Change is a coming or going.
type Change struct {
	Time    time.Time       `json:"time"`
	Ago     float64         `json:"ago"`
	Service string          `json:"service"`
	Address string          `json:"address"`
	Reason  registry.Reason `json:"reason"`
}

const maxServers = 10_000

// snapshot is the source's contents at some time.
type snapshot struct {
	at            time.Time
	registrations []registry.Registration // by name
	stats         registry.Stats
	recent        []registry.Event
}

func (h *Handler) snapshot() *snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last != nil && time.Since(h.taken) < h.hold {
		return h.last
	}
	s := &snapshot{at: time.Now(), stats: h.source.Stats(), recent: h.source.Recent()}
	for r := range h.source.Registrations {
		s.registrations = append(s.registrations, r)
	}
	slices.SortStableFunc(s.registrations, func(a, b registry.Registration) int { return cmp.Compare(a.Name, b.Name) })
	slices.Reverse(s.recent)
	h.last, h.taken = s, time.Now()
	return s
}

// fleet is what is asked for of the snapshot as a document, with at most max servers.
func (h *Handler) fleet(q query, max int) *Fleet {
	s := h.snapshot()
	now := time.Now()
	ago := func(t time.Time) float64 { return float64(now.Sub(t).Round(100*time.Millisecond)) / 1e9 }
	f := &Fleet{Time: now, Started: s.stats.Started, Services: []Service{}, Recent: []Change{},
		Requests: make(map[string]uint64), Rejects: s.stats.Rejects}
	for _, r := range s.stats.Requests {
		f.Requests[r.Transport+"/"+r.Command] = r.Count
	}
	services, hosts := map[string]bool{}, map[string]bool{}
	endpoints := map[registry.Endpoint]bool{} // whether it is known to be unreachable
	for _, r := range s.registrations {
		if !q.match(r) {
			continue
		}
		server := Server{Host: r.Endpoint.Host, Port: r.Endpoint.Port, Path: r.Endpoint.Path, Age: ago(r.Seen),
			Up: ago(r.Since), Reachable: h.pings.reachable(r.Endpoint)}
		services[r.Name], hosts[r.Endpoint.Host] = true, true
		endpoints[r.Endpoint] = reach(server) == "no"
		f.Totals.Oldest = math.Max(f.Totals.Oldest, server.Age)
		if bad(server) {
			if f.bad++; len(f.problems) < pageProblems {
				f.problems = append(f.problems, problem{r.Name, server})
			}
		}
		if f.Totals.Registrations++; f.Totals.Registrations > max {
			f.Omitted++
			continue
		}
		if n := len(f.Services); n == 0 || f.Services[n-1].Name != r.Name {
			f.Services = append(f.Services, Service{Name: r.Name})
		}
		last := &f.Services[len(f.Services)-1]
		last.Servers = append(last.Servers, server)
	}
	f.Totals.Services, f.Totals.Servers, f.Totals.Hosts = len(services), len(endpoints), len(hosts)
	if h.opts.Ping {
		n := 0
		for _, unreachable := range endpoints {
			if unreachable {
				n++
			}
		}
		f.Totals.Unreachable = &n
	}
	for _, ev := range s.recent {
		if q.match(registry.Registration{Name: ev.Name, Endpoint: ev.Endpoint}) {
			f.Recent = append(f.Recent, Change{
				Time: ev.Time, Ago: ago(ev.Time), Service: ev.Name, Address: ev.Endpoint.String(), Reason: ev.Reason,
			})
		}
	}
	return f
}
