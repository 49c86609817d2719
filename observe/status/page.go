package status

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/observe/page"
)

var (
	//go:embed page.html
	pageText string

	statusPage = page.Must(pageText, template.FuncMap{
		"took": took, "ratePlot": ratePlot, "latencyPlot": latencyPlot, "since": since, "rate": rate,
		"perSecond": perSecond,
	}, "The service does not answer. What follows is what it said last.")
)

// What the page shows at most: it is read by people.
const (
	pagePeers   = 200
	pageMethods = 50
	pageSlow    = 10
	pageErrors  = 20
)

// view is what the page is made of.
type view struct {
	*Report
	Title                   string
	Refresh                 int // in seconds
	MorePeers, MoreMethods  int
	Rate, ErrorsAMinute, Up float64
	HideErrors              bool
}

func (s *Status) page(w http.ResponseWriter, _ *http.Request) {
	r := s.Report()
	v := view{Report: r, Title: s.opts.Title, Refresh: max(1, int(s.opts.Refresh/time.Second)),
		Up: r.Time.Sub(r.Started).Seconds(), HideErrors: s.opts.HideErrors}
	for _, m := range r.Methods {
		calls, failed := lastMinute(m.History)
		v.Rate += calls / 60
		v.ErrorsAMinute += failed
	}
	v.MorePeers = r.Omitted + max(0, len(r.Peers)-pagePeers)
	r.Peers = r.Peers[:min(len(r.Peers), pagePeers)]
	v.MoreMethods = max(0, len(r.Methods)-pageMethods)
	r.Methods = r.Methods[:min(len(r.Methods), pageMethods)]
	r.Slowest = r.Slowest[:min(len(r.Slowest), pageSlow)]
	r.Errors = r.Errors[:min(len(r.Errors), pageErrors)]
	statusPage.Write(w, s.opts.Title, s.opts.Refresh, v)
}

// lastMinute counts the calls of the last minute.
func lastMinute(history []Point) (calls, failed float64) {
	for _, p := range history[max(0, len(history)-int(time.Minute/slotTime)):] {
		calls += float64(p.Calls)
		failed += float64(p.Failed)
	}
	return calls, failed
}

// rate is how often a method was called in the last minute.
func rate(m Method) string {
	calls, _ := lastMinute(m.History)
	return perSecond(calls / 60)
}

func perSecond(r float64) string {
	switch {
	case r == 0:
		return "0"
	case r < 10:
		return fmt.Sprintf("%.2g", r)
	}
	return fmt.Sprintf("%.0f", r)
}

// took is a duration for people.
func took(seconds float64) string {
	switch {
	case seconds == 0:
		return "–"
	case seconds < 1e-3:
		return fmt.Sprintf("%.0f µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.3g ms", seconds*1e3)
	}
	return fmt.Sprintf("%.3g s", seconds)
}

// since is how long ago something was.
func since(now, then time.Time) string {
	age := page.Age(now.Sub(then).Seconds())
	if age != "now" {
		age += " ago"
	}
	return age
}

const plotWidth, plotHeight = 2 * (slots - 1), 36

// ratePlot draws how often a method was called, and below, in the color of errors, how often it failed.
func ratePlot(m Method) template.HTML {
	most := uint32(0)
	for _, p := range m.History {
		most = max(most, p.Calls)
	}
	if most == 0 {
		return ""
	}
	var calls, failed strings.Builder
	for i, p := range m.History {
		bar := func(b *strings.Builder, n uint32) {
			if n > 0 {
				height := max(1, float64(n)/float64(most)*plotHeight)
				fmt.Fprintf(b, "M%d %dv-%.1fh2v%.1fz", 2*i, plotHeight, height, height)
			}
		}
		bar(&calls, p.Calls)
		bar(&failed, p.Failed)
	}
	label := fmt.Sprintf("calls a second in the last 10 minutes, at most %s", perSecond(float64(most)/slotTime.Seconds()))
	return plot(label, `<path class="calls" d="`+calls.String()+`"/><path class="failed" d="`+failed.String()+`"/>`)
}

// latencyPlot draws the median and the 99th percentile of how long a method took, from nothing to the largest.
func latencyPlot(m Method) template.HTML {
	longest := 0.0
	for _, p := range m.History {
		longest = max(longest, p.P99)
	}
	if longest == 0 {
		return ""
	}
	line := func(class string, of func(Point) float64) string {
		var b strings.Builder
		pen := "M"
		for i, p := range m.History {
			if p.Calls == 0 {
				pen = "M"
				continue
			}
			y := plotHeight - 1 - of(p)/longest*(plotHeight-2)
			fmt.Fprintf(&b, "%s%d %.1f", pen, 2*i, y)
			if pen == "M" {
				b.WriteString("h2") // so that a single one is seen
			}
			pen = "L"
		}
		return `<path class="` + class + `" d="` + b.String() + `"/>`
	}
	return plot("how long calls took in the last 10 minutes, 99 % of them up to "+took(longest),
		line("p99", func(p Point) float64 { return p.P99 })+line("p50", func(p Point) float64 { return p.P50 }))
}

// plot makes a picture of paths, which are made of numbers only, as is the label.
func plot(label, paths string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="plot" role="img" viewBox="0 0 %d %d" preserveAspectRatio="none">`+
		`<title>%s</title>%s</svg>`, plotWidth, plotHeight, label, paths))
}
