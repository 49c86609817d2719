package fleet

import (
	"cmp"
	_ "embed" // for the page
	"html/template"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/observe/page"
)

var (
	//go:embed page.html
	pageText string

	fleetPage = page.Must(pageText, template.FuncMap{
		"addr": addr, "stale": stale, "recently": recently, "reach": reach,
	}, "The registry does not answer. What follows is what it said last.")
)

// What one page shows at most: it is read by people.
const (
	pageServers  = 500
	pageProblems = 50
	pageChanges  = 30
	pageOpen     = 15 // servers, beyond which services are collapsed
)

// group is a service with its servers, or a host with what it offers.
type group struct {
	Name, Link string
	Rows       []problem
	Bad        int
}

// groups are the fleet's, by service or by host, with what has problems first in each.
func (f *Fleet) groups(byHost bool) []*group {
	var all []*group
	index := map[string]*group{}
	for _, s := range f.Services {
		for _, server := range s.Servers {
			name, link := s.Name, "./?"+url.Values{"service": {s.Name}}.Encode()
			if byHost {
				name, link = server.Host, "./?"+url.Values{"view": {"hosts"}, "q": {server.Host}}.Encode()
			}
			g := index[name]
			if g == nil {
				g = &group{Name: name, Link: link}
				index[name] = g
				all = append(all, g)
			}
			g.Rows = append(g.Rows, problem{s.Name, server})
			if bad(server) {
				g.Bad++
			}
		}
	}
	if byHost {
		slices.SortStableFunc(all, func(a, b *group) int { return cmp.Compare(a.Name, b.Name) })
	}
	for _, g := range all {
		slices.SortStableFunc(g.Rows, func(a, b problem) int {
			switch {
			case bad(a.Server) == bad(b.Server):
				return 0
			case bad(a.Server):
				return -1
			}
			return 1
		})
	}
	return all
}

func (h *Handler) page(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	f := h.fleet(q, pageServers)
	f.Recent = f.Recent[:min(len(f.Recent), pageChanges)]
	byHost := r.FormValue("view") == "hosts"
	var requests uint64
	for _, n := range f.Requests {
		requests += n
	}
	var rejects uint64
	for _, n := range f.Rejects {
		rejects += n
	}
	link := func(view string) string {
		v := url.Values{}
		for name, value := range map[string]string{"service": q.service, "q": r.FormValue("q"), "view": view} {
			if value != "" {
				v.Set(name, value)
			}
		}
		return "./?" + v.Encode()
	}
	unreachable := 0
	if n := f.Totals.Unreachable; n != nil {
		unreachable = *n
	}
	groups := f.groups(byHost)
	fleetPage.Write(w, h.opts.Title, h.opts.Refresh, map[string]any{
		"Title": h.opts.Title, "Refresh": max(1, int(h.opts.Refresh/time.Second)), "Fleet": f, "Only": q.service,
		"Text": r.FormValue("q"), "ByHost": byHost, "Groups": groups,
		"Open":     f.Totals.Registrations <= pageOpen || len(groups) == 1,
		"Problems": f.problems, "Hidden": f.bad - len(f.problems), "Ping": h.opts.Ping, "Unreachable": unreachable,
		"ServicesLink": link(""), "HostsLink": link("hosts"), "JSON": "fleet.json" + strings.TrimPrefix(link(""), "./"),
		"Requests": requests, "Rejects": rejects, "Up": time.Since(f.Started).Seconds(),
	})
}

func addr(s Server) string {
	if s.Path != "" {
		return s.Host + " " + s.Path
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// stale says that a keep-alive is overdue: servers renew every 60 seconds.
func stale(s Server) bool { return s.Age > 90 }

// bad says that a server wants looking after.
func bad(s Server) bool { return stale(s) || reach(s) == "no" }

// recently says that a server has come not long ago.
func recently(s Server) bool { return s.Up < 60 }

// reach says whether a server can be reached, "" if that is not known.
func reach(s Server) string {
	switch {
	case s.Reachable == nil:
		return ""
	case *s.Reachable:
		return "yes"
	}
	return "no"
}
