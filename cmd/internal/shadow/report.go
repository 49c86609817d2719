package shadow

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// counter is one of the numbers of a report.
type counter string

// What is counted.
const (
	connections      counter = "connections"
	connectionsByNew counter = "connections answered by the new server"
	fellBack         counter = "connections that went back to the old server"
	unanswered       counter = "connections that no server has taken"
	notAccepted      counter = "connections that could not be accepted"
	unreached        counter = "connections whose other server could not be reached"
	lost             counter = "connections whose other server was given up"
	failed           counter = "connections in whose comparison a fault of gorpyc's has shown"
	otherFamily      counter = "connections of another protocol family"
	requests         counter = "requests"
	dropped          counter = "requests dropped"
	compared         counter = "answers compared"
	equal            counter = "answers equal"
	different        counter = "differences"
)

// Why a request was not compared.
const (
	notSafe    = "not named safe"
	notSampled = "not in the sample"
	unpaired   = "about an object that only one server has"
	noCallback = "asks the client what it was not asked"
	ignored    = "ignored"
	tooLong    = "too long, or no room"
)

// difference is one observation.
type difference struct {
	method, kind     string
	byNew            bool
	answering, other string
}

// Group is what a report says of differences of one kind in one method.
type Group struct {
	Method string    `json:"method"`
	Kind   string    `json:"kind"`
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Old    string    `json:"old"` // what the old server has said, the first time
	New    string    `json:"new"`
}

// Latency is how long both servers took for a method, in seconds.
type Latency struct {
	Method string  `json:"method"`
	Calls  int     `json:"calls"`
	Old50  float64 `json:"old_p50"`
	Old99  float64 `json:"old_p99"`
	New50  float64 `json:"new_p50"`
	New99  float64 `json:"new_p99"`
}

// Report collects what is seen. It is safe for concurrent use.
type Report struct {
	mu        sync.Mutex
	counts    map[counter]int
	skipped   map[string]int
	groups    map[string]*Group
	latencies map[string]*samples
	faults    []string
}

// samples are the newest times of a method.
type samples struct {
	calls    int
	old, new []time.Duration
}

const (
	maxGroups  = 1000
	maxSamples = 1000
	maxFaults  = 3
)

func newReport() *Report {
	return &Report{counts: map[counter]int{}, skipped: map[string]int{}, groups: map[string]*Group{},
		latencies: map[string]*samples{}}
}

func (r *Report) count(c counter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[c]++
}

// fault keeps what a panic has said; the first few will do.
func (r *Report) fault(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, text)
	}
}

func (r *Report) skip(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped[why]++
}

func (r *Report) difference(d difference) {
	oldSays, newSays := d.answering, d.other
	if d.byNew {
		oldSays, newSays = newSays, oldSays
	}
	key := d.method + "\x00" + d.kind
	if d.kind == exception { // of each class it is something else
		key += "\x00" + head(oldSays) + "\x00" + head(newSays)
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[different]++
	g := r.groups[key]
	if g == nil {
		if len(r.groups) >= maxGroups {
			key, d.method, d.kind, oldSays, newSays = "", "(others)", "", "", ""
			g = r.groups[key]
		}
		if g == nil {
			g = &Group{Method: d.method, Kind: d.kind, First: now, Old: oldSays, New: newSays}
			r.groups[key] = g
		}
	}
	g.Count++
	g.Last = now
}

// head is the class of an exception that is shown.
func head(text string) string {
	class, _, _ := strings.Cut(text, "(")
	return class
}

func (r *Report) latency(method string, answering, other time.Duration, byNew bool) {
	if byNew {
		answering, other = other, answering
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.latencies[method]
	if s == nil {
		if len(r.latencies) >= maxGroups {
			return
		}
		s = &samples{}
		r.latencies[method] = s
	}
	if len(s.old) < maxSamples {
		s.old, s.new = append(s.old, answering), append(s.new, other)
	} else {
		s.old[s.calls%maxSamples], s.new[s.calls%maxSamples] = answering, other
	}
	s.calls++
}

// Different is how many differences there were.
func (r *Report) Different() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[different]
}

// snapshot is a report as JSON has it.
type snapshot struct {
	Counts      map[counter]int `json:"counts"`
	Skipped     map[string]int  `json:"not_compared"`
	Differences []Group         `json:"differences"`
	Latencies   []Latency       `json:"latencies"`
	Faults      []string        `json:"faults,omitempty"` // of the comparison itself
}

func (r *Report) snapshot() snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := snapshot{Counts: map[counter]int{}, Skipped: map[string]int{}, Differences: []Group{}, Latencies: []Latency{},
		Faults: slices.Clone(r.faults)}
	for c, n := range r.counts {
		s.Counts[c] = n
	}
	for why, n := range r.skipped {
		s.Skipped[why] = n
	}
	for _, g := range r.groups {
		s.Differences = append(s.Differences, *g)
	}
	sort.Slice(s.Differences, func(i, j int) bool {
		a, b := s.Differences[i], s.Differences[j]
		if a.Count != b.Count {
			return a.Count > b.Count
		}
		return a.Method+a.Kind+a.Old < b.Method+b.Kind+b.Old
	})
	for method, l := range r.latencies {
		s.Latencies = append(s.Latencies, Latency{Method: method, Calls: l.calls, Old50: percentile(l.old, 50),
			Old99: percentile(l.old, 99), New50: percentile(l.new, 50), New99: percentile(l.new, 99)})
	}
	sort.Slice(s.Latencies, func(i, j int) bool { return s.Latencies[i].Method < s.Latencies[j].Method })
	return s
}

func percentile(times []time.Duration, p int) float64 {
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	return sorted[min(len(sorted)*p/100, len(sorted)-1)].Seconds()
}

// WriteJSON writes the report as one JSON document.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r.snapshot())
}

// WriteTable writes the report for people: counts, differences, the most frequent first, and times.
func (r *Report) WriteTable(w io.Writer) error {
	s := r.snapshot()
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, c := range []counter{connections, connectionsByNew, fellBack, unanswered, notAccepted, unreached, lost, failed,
		otherFamily, requests, dropped, compared, equal, different} {
		if n := s.Counts[c]; n > 0 || c == requests || c == compared || c == different {
			fmt.Fprintf(t, "%d\t%s\n", n, c)
		}
	}
	whys := make([]string, 0, len(s.Skipped))
	for why := range s.Skipped {
		whys = append(whys, why)
	}
	slices.Sort(whys)
	for _, why := range whys {
		fmt.Fprintf(t, "%d\tnot compared: %s\n", s.Skipped[why], why)
	}
	if len(s.Differences) > 0 {
		fmt.Fprint(t, "\nCOUNT\tMETHOD\tKIND\tOLD\tNEW\n")
		for _, g := range s.Differences {
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\n", g.Count, g.Method, g.Kind, oneLine(g.Old), oneLine(g.New))
		}
	}
	if len(s.Latencies) > 0 {
		fmt.Fprint(t, "\nCALLS\tMETHOD\tOLD P50\tOLD P99\tNEW P50\tNEW P99\n")
		for _, l := range s.Latencies {
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", l.Calls, l.Method, milliseconds(l.Old50), milliseconds(l.Old99),
				milliseconds(l.New50), milliseconds(l.New99))
		}
	}
	for _, text := range s.Faults {
		fmt.Fprintf(t, "\n%s", text)
	}
	return t.Flush()
}

func milliseconds(seconds float64) string { return fmt.Sprintf("%.2fms", seconds*1000) }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
