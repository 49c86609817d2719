// Package prom counts and times the calls of RPyC connections for Prometheus.
//
//	m := prom.New()
//	server := &servers.Server{Service: service, Config: &protocol.Config{Hooks: m.Hooks()}}
//	http.Handle("/metrics", m)
//
// The series are:
//
//	rpyc_server_requests_total{class,method,error}        requests served
//	rpyc_server_request_duration_seconds{class,method}    how long they took, from their turn to their answer
//	rpyc_client_requests_total{method,error}              requests made
//	rpyc_client_request_duration_seconds{method}          how long they took
//	rpyc_bytes_total{side,direction}                      of messages, before compression
//	rpyc_connections, rpyc_connections_opened_total       connections
//	rpyc_exported_objects, rpyc_imported_objects          objects that peers hold of ours, and we of theirs
//	rpyc_queued_requests                                  requests of peers that have not begun
//
// Peers cannot make series without bound. Of what they ask for only names that the program gave become labels, and of
// errors only classes that the program knows; all else is "other". Of the methods that this side calls the first 200
// are told apart, and of label sets in all the first 5,000.
//
// It is a module of its own, so that gorpyc needs no metrics library. It stands on VictoriaMetrics/metrics, which needs
// three modules where client_golang needs a dozen, protobuf among them. What it writes is Prometheus' text format; a
// program that has a client_golang registry serves both at one address, one behind the other.
package prom

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"

	"github.com/gorpyc/gorpyc/protocol"
)

const (
	maxMethods = 200
	maxSets    = 5000
	other      = "other"
)

// buckets are upper bounds in seconds: from what a call takes on one machine to RPyC's timeout.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics are hooks that count, and an http.Handler that shows what they have counted. [New] makes them. They can be
// shared by any number of servers and clients, and are safe for concurrent use.
type Metrics struct {
	set *metrics.Set

	mu      sync.Mutex
	conns   map[*protocol.Conn]struct{}
	methods map[string]bool // that this side has called
	series  map[labels]*series
}

// labels are what tells series of requests apart.
type labels struct {
	served               bool
	class, method, error string
}

type series struct {
	count *metrics.Counter
	took  *metrics.PrometheusHistogram
}

// New makes Metrics that have counted nothing.
func New() *Metrics {
	m := &Metrics{set: metrics.NewSet(), conns: map[*protocol.Conn]struct{}{}, methods: map[string]bool{},
		series: map[labels]*series{}}
	m.set.NewGauge("rpyc_connections", func() float64 { return float64(len(m.open())) })
	for name, of := range map[string]func(*protocol.Conn) int{
		"rpyc_exported_objects": (*protocol.Conn).Exported,
		"rpyc_imported_objects": (*protocol.Conn).Imported,
		"rpyc_queued_requests":  (*protocol.Conn).Queued,
	} {
		m.set.NewGauge(name, func() float64 {
			n := 0
			for _, c := range m.open() {
				n += of(c)
			}
			return float64(n)
		})
	}
	return m
}

// Hooks are what goes into protocol.Config.Hooks, alone or with others (protocol.JoinHooks).
func (m *Metrics) Hooks() protocol.Hooks {
	h := (*hook)(m)
	return protocol.Hooks{
		Serve: []protocol.ServeHook{h}, Call: []protocol.CallHook{h}, Conn: []protocol.ConnHook{h},
	}
}

// ServeHTTP writes all series in Prometheus' text format.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.set.WritePrometheus(w)
}

// Set is what the series are in, for programs that have more of them.
func (m *Metrics) Set() *metrics.Set { return m.set }

func (m *Metrics) open() []*protocol.Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	conns := make([]*protocol.Conn, 0, len(m.conns))
	for c := range m.conns {
		conns = append(conns, c)
	}
	return conns
}

// count counts one request.
func (m *Metrics) count(l labels, r *protocol.RequestInfo) {
	l.error = errorClass(r)
	side := "client"
	if l.served {
		side = "server"
	}
	s := m.seriesOf(l, side)
	s.count.Inc()
	s.took.Update(r.Duration.Seconds())
	m.set.GetOrCreateCounter(`rpyc_bytes_total{side="` + side + `",direction="in"}`).Add(r.BytesIn)
	m.set.GetOrCreateCounter(`rpyc_bytes_total{side="` + side + `",direction="out"}`).Add(r.BytesOut)
}

// seriesOf finds or makes the series of labels.
func (m *Metrics) seriesOf(l labels, side string) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !l.served && !m.methods[l.method] {
		if len(m.methods) < maxMethods {
			m.methods[l.method] = true
		} else {
			l.method = other
		}
	}
	if m.series[l] == nil && len(m.series) >= maxSets {
		l.class, l.method, l.error = "", other, other
		if l.served {
			l.class = other
		}
	}
	if s := m.series[l]; s != nil {
		return s
	}
	pairs := fmt.Sprintf("method=%q", label(l.method))
	if l.served {
		pairs = fmt.Sprintf("class=%q,", label(l.class)) + pairs
	}
	s := &series{
		count: m.set.GetOrCreateCounter(fmt.Sprintf("rpyc_%s_requests_total{%s,error=%q}", side, pairs, l.error)),
		took: m.set.GetOrCreatePrometheusHistogramExt(
			fmt.Sprintf("rpyc_%s_request_duration_seconds{%s}", side, pairs), buckets),
	}
	m.series[l] = s
	return s
}

// label is text that can stand in a label: names of more than 100 bytes, or with what has to be escaped, are "other".
func label(s string) string {
	if len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return other
	}
	return s
}

// errorClass is the label for an error: "" for none and for the end of an iteration.
func errorClass(r *protocol.RequestInfo) string {
	if !r.Failed() {
		return ""
	}
	if !r.ErrorKnown() {
		return other
	}
	return label(r.ErrorClass())
}

// hook is Metrics as connections see it.
type hook Metrics

var (
	_ protocol.ServeHook = (*hook)(nil)
	_ protocol.CallHook  = (*hook)(nil)
	_ protocol.ConnHook  = (*hook)(nil)
)

// ServeBegin implements protocol.ServeHook.
func (*hook) ServeBegin(context.Context, *protocol.RequestInfo) context.Context { return nil }

// ServeEnd implements protocol.ServeHook.
func (h *hook) ServeEnd(_ context.Context, r *protocol.RequestInfo) {
	l := labels{served: true, class: other, method: other}
	if r.Known {
		l.class, l.method = r.Class, r.Operation()
	}
	(*Metrics)(h).count(l, r)
}

// CallBegin implements protocol.CallHook.
func (*hook) CallBegin(context.Context, *protocol.RequestInfo) context.Context { return nil }

// CallEnd implements protocol.CallHook.
func (h *hook) CallEnd(_ context.Context, r *protocol.RequestInfo) {
	(*Metrics)(h).count(labels{method: r.Operation()}, r)
}

// ConnOpened implements protocol.ConnHook.
func (h *hook) ConnOpened(c *protocol.Conn) {
	h.mu.Lock()
	h.conns[c] = struct{}{}
	h.mu.Unlock()
	h.set.GetOrCreateCounter("rpyc_connections_opened_total").Inc()
}

// ConnClosed implements protocol.ConnHook.
func (h *hook) ConnClosed(c *protocol.Conn) {
	h.mu.Lock()
	delete(h.conns, c)
	h.mu.Unlock()
}
