package fleet

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/observe/page"
)

func (h *Handler) json(w http.ResponseWriter, r *http.Request) {
	page.WriteJSON(w, h.fleet(queryOf(r), maxServers))
}

// maxLabels bounds the number of time series: the names of services are the peers' choice.
const maxLabels = 500

// metrics writes the text format, version 0.0.4.
func (h *Handler) metrics(w http.ResponseWriter, _ *http.Request) {
	s := h.snapshot()
	var b strings.Builder
	family := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	gauge := func(name, help string, v float64) {
		family(name, "gauge", help)
		fmt.Fprintf(&b, "%s %g\n", name, v)
	}
	st := s.stats
	gauge("rpyc_registry_services", "Services that somebody offers.", float64(st.Store.Services))
	gauge("rpyc_registry_servers", "Endpoints that offer services.", float64(st.Store.Endpoints))
	gauge("rpyc_registry_hosts", "Hosts of these endpoints.", float64(st.Store.Hosts))
	gauge("rpyc_registry_registrations", "Pairs of a service and an endpoint.", float64(st.Store.Registrations))
	oldest := 0.0
	if !st.Store.Oldest.IsZero() {
		oldest = time.Since(st.Store.Oldest).Seconds()
	}
	gauge("rpyc_registry_oldest_keepalive_seconds", "Age of the keep-alive that is longest ago.", oldest)
	gauge("rpyc_registry_start_time_seconds", "When the registry started, in seconds since 1970.",
		float64(st.Started.UnixMilli())/1e3)

	family("rpyc_registry_requests_total", "counter", "Requests answered.")
	for _, r := range st.Requests {
		fmt.Fprintf(&b, "rpyc_registry_requests_total{transport=%q,command=%q} %d\n", r.Transport, r.Command, r.Count)
	}
	family("rpyc_registry_rejects_total", "counter", "Requests not answered, by reason.")
	for _, why := range slices.Sorted(maps.Keys(st.Rejects)) {
		fmt.Fprintf(&b, "rpyc_registry_rejects_total{reason=%q} %d\n", why, st.Rejects[why])
	}
	family("rpyc_registry_truncated_answers_total", "counter", "Answers that had no room for all.")
	fmt.Fprintf(&b, "rpyc_registry_truncated_answers_total %d\n", st.Truncated)

	h.perService(&b, s, family)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(b.String()))
}

// perService writes what there is of each service.
func (h *Handler) perService(b *strings.Builder, s *snapshot, family func(name, kind, help string)) {
	type figures struct {
		name               string
		servers, reachable int
		pinged             bool
		oldest             time.Time
	}
	var all []figures
	for _, r := range s.registrations {
		if n := len(all); n == 0 || all[n-1].name != r.Name {
			if n == maxLabels {
				break
			}
			all = append(all, figures{name: r.Name, oldest: r.Seen})
		}
		f := &all[len(all)-1]
		f.servers++
		if r.Seen.Before(f.oldest) {
			f.oldest = r.Seen
		}
		if ok := h.pings.reachable(r.Endpoint); ok != nil {
			f.pinged = true
			if *ok {
				f.reachable++
			}
		}
	}
	series := func(name, help string, value func(figures) (float64, bool)) {
		family(name, "gauge", help)
		for _, f := range all {
			if v, ok := value(f); ok {
				fmt.Fprintf(b, "%s{service=\"%s\"} %g\n", name, escapeLabel.Replace(f.name), v)
			}
		}
	}
	series("rpyc_registry_service_servers", "Endpoints of a service.", func(f figures) (float64, bool) {
		return float64(f.servers), true
	})
	series("rpyc_registry_service_oldest_keepalive_seconds", "Age of a service's keep-alive that is longest ago.",
		func(f figures) (float64, bool) { return time.Since(f.oldest).Seconds(), true })
	if h.opts.Ping {
		series("rpyc_registry_service_reachable", "Endpoints of a service that accept connections.",
			func(f figures) (float64, bool) { return float64(f.reachable), f.pinged })
	}
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
