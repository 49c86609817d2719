package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// report prints a table of medians, and the ratios that are judged.
func (r *results) report(w io.Writer, quick bool) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("\nMedians. ÷first: rate compared to the group's first row at the same time. CPU: client + server, µs per " +
		"operation.\n")
	for i, g := range r.groups {
		if strings.HasPrefix(g.title, "Sizes") {
			continue
		}
		p("\n%-44s %10s %7s %9s %9s %15s %3s\n", g.title, "ops/s", "÷first", "p50 µs", "p99 µs", "CPU", "k")
		for _, e := range g.exps {
			name := fmt.Sprintf("%s > %s, %s", e.Client, e.Server, e.Mode)
			k := 0
			r.each(i, e, func(sample, set) { k++ })
			if k == 0 {
				p("  %-42s %s\n", name, r.failure(i, e))
				continue
			}
			if b := r.median(i, e, func(s sample) float64 { return s.Bytes }); b > 0 {
				p("  %-42s %10.1f KB\n", name, b/1024)
				continue
			}
			p("  %-42s %10.0f %7.2f %9s %9s %7.1f + %5.1f %3d\n", name, r.median(i, e, sample.Rate),
				r.ratio(i, e, g.exps[0], sample.Rate),
				micro(r.median(i, e, func(s sample) float64 { return s.P50 })),
				micro(r.median(i, e, func(s sample) float64 { return s.P99 })),
				r.median(i, e, func(s sample) float64 { return s.ClientCPU }),
				r.median(i, e, func(s sample) float64 { return s.ServerCPU }), k)
		}
	}
	r.reportSizes(p)
	p("\nJudged\n")
	for _, j := range r.judge() {
		p("  %s\n", j)
	}
	if quick {
		p("  (a quick run: few rounds; neighbours may have disturbed them)\n")
	}
}

func micro(us float64) string {
	if us == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", us)
}

// failure says why an experiment has no samples.
func (r *results) failure(group int, e experiment) string {
	for _, s := range r.sets[group] {
		if err := s[e.key()].Err; err != "" {
			return "failed: " + err
		}
	}
	return "not measured"
}

func (r *results) reportSizes(p func(string, ...any)) {
	sized := func(g group) bool { return strings.HasPrefix(g.title, "Sizes, ") }
	if !slices.ContainsFunc(r.groups, sized) {
		return
	}
	p("\n%-34s", "Messages of sizes, mean (p50) in ms")
	for _, n := range sizes {
		p("%14s", fmt.Sprintf("%d KB", n/1000))
	}
	p("\n")
	for i, g := range r.groups {
		title, ok := strings.CutPrefix(g.title, "Sizes, ")
		if !ok {
			continue
		}
		p("  %-32s", title)
		for _, e := range g.exps {
			cell := "failed"
			if mean := r.median(i, e, meanTime); mean > 0 {
				cell = fmt.Sprintf("%.2f (%.2f)", mean/1e3, r.median(i, e, medianTime)/1e3)
			}
			p("%14s", cell)
		}
		p("\n")
		if r.median(i, g.exps[0], meanTime) == 0 {
			p("    %s\n", r.failure(i, g.exps[0]))
		}
	}
}

func meanTime(s sample) float64   { return s.Mean }
func medianTime(s sample) float64 { return s.P50 }

// judge is a ratio that has a goal.
type judge struct {
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	Goal   float64 `json:"goal"`
	AtMost bool    `json:"at_most"` // the goal is not to be exceeded, rather than to be reached
	Note   string  `json:"note,omitempty"`
	OK     bool    `json:"ok"`
}

func (j judge) String() string {
	sign, verdict := ">=", "misses"
	if j.AtMost {
		sign = "<="
	}
	if j.OK {
		verdict = "ok"
	}
	if j.Value == 0 && !j.OK {
		verdict = "not measured"
	}
	return fmt.Sprintf("%-66s %6.2f  %s %.2f  %-7s %s", j.What, j.Value, sign, j.Goal, verdict, j.Note)
}

// judge computes what is judged, of what was measured.
func (r *results) judge() []judge {
	var js []judge
	rate := func(what string, a, b experiment, goal float64) {
		if i, ok := r.find(a, b); ok {
			v := r.ratio(i, a, b, sample.Rate)
			note := fmt.Sprintf("(CPU per call: %.2f times as much)", r.ratio(i, a, b, sample.CPU))
			js = append(js, judge{What: what, Value: v, Goal: goal, OK: v >= goal, Note: note})
		}
	}
	ours := experiment{Client: "gorpyc", Server: "gorpyc", Mode: "sync", Placement: same}
	raw := experiment{Client: "raw", Server: "raw", Mode: "sync", Placement: same}
	netrpc := experiment{Client: "netrpc", Server: "netrpc", Mode: "sync", Placement: same}
	rate("one call after the other, gorpyc / raw, same", ours, raw, 0.75)
	rate("one call after the other, gorpyc / net/rpc, same", ours, netrpc, 1)
	called, bound := ours, ours
	called.Mode, bound.Mode = "callattr", "bound"
	rate("a func of netref.Bind / netref.Call, same", bound, called, 0.97)
	ours.Mode, netrpc.Mode, ours.Placement, netrpc.Placement = "conc64", "conc64", free, free
	rate("64 in flight on one connection, gorpyc / net/rpc, free", ours, netrpc, 6)
	rate("64 in flight on one connection, gorpyc / gRPC, free", ours,
		experiment{Client: "grpc", Server: "grpc", Mode: "conc64", Placement: free}, 10)
	pipe := experiment{Client: "raw", Server: "raw", Mode: "pipe64", Placement: free}
	rate("the same, gorpyc / raw without batching", ours, pipe, 2.5)
	for _, mode := range []string{"async64", "batch64"} {
		one := ours
		one.Mode = mode
		rate("64 by one goroutine, "+mode+", gorpyc / raw without batching", one, pipe, 3)
	}
	more := ours
	more.Mode = "conc4096"
	rate("4096 in flight / 64 in flight, gorpyc", more, ours, 0.9)
	js = append(js, r.judgeMore()...)
	for _, g := range r.groups {
		for _, e := range g.exps {
			if e.Client == "python" && e.Server == "canned" {
				on := e
				on.Server = "gorpyc"
				rate(fmt.Sprintf("CPython client on gorpyc / on canned, %s, %s", e.Mode, e.Placement), on, e, 0.9)
			}
		}
	}
	for _, w := range sizedWays {
		for i, g := range r.groups {
			if w.judged && g.title == "Sizes, "+w.String() {
				js = append(js, r.neighbours(i, w))
			}
		}
	}
	return js
}

// neighbours judges the largest step between the times of neighbouring sizes, up or down, by means: a delay that hits
// some of the messages only must count.
func (r *results) neighbours(group int, w way) judge {
	j := judge{What: "largest step between neighbouring sizes, " + w.String(), Goal: 3, AtMost: true}
	var p50 float64
	exps := r.groups[group].exps
	for i := range exps[1:] {
		if v := r.stepBetween(group, exps[i], exps[i+1], meanTime); v > j.Value {
			j.Value = v
			j.Note = fmt.Sprintf("%d / %d KB", exps[i+1].Size/1000, exps[i].Size/1000)
		}
		p50 = max(p50, r.stepBetween(group, exps[i], exps[i+1], medianTime))
	}
	j.Note += fmt.Sprintf(" (by p50: %.2f)", p50)
	j.OK = j.Value > 0 && j.Value <= j.Goal
	return j
}

func (r *results) stepBetween(group int, a, b experiment, of func(sample) float64) float64 {
	x, y := r.median(group, a, of), r.median(group, b, of)
	if x == 0 || y == 0 {
		return 0
	}
	return max(y/x, x/y)
}

// judgeMore computes what is judged of single measurements: see docs/performance.md.
func (r *results) judgeMore() (js []judge) {
	add := func(what string, a, b experiment, of func(sample) float64, goal float64, atMost bool) {
		i, ok := r.find(a, b)
		if !ok {
			return
		}
		v := r.ratio(i, a, b, of)
		js = append(js, judge{What: what, Value: v, Goal: goal, AtMost: atMost, OK: v > 0 && (v >= goal) != atMost})
	}
	at := func(client, server, mode string, size int) experiment {
		return experiment{Client: client, Server: server, Mode: mode, Placement: free, Size: size}
	}
	for _, size := range echoSizes[2:] {
		ours := at("gorpyc", "gorpyc", "echo", size)
		text := bytesText(size)
		add("echo of "+text+", gorpyc / raw", ours, at("raw", "raw", "echo", size), sample.Rate, 0.35, false)
		add("echo of "+text+", gorpyc / net/rpc", ours, at("netrpc", "netrpc", "echo", size), sample.Rate, 1.5, false)
		add("echo of "+text+", gorpyc / gRPC", ours, at("grpc", "grpc", "echo", size), sample.Rate, 1.5, false)
	}
	loader := at("prepared", "python", "conc64", 0)
	add("Go client on CPython, 64 in flight, / prepared requests", at("gorpyc", "python", "conc64", 0), loader,
		sample.Rate, 1, false)
	add("Go client on CPython, p99 of 8 in flight / of 2", at("gorpyc", "python", "conc8", 0),
		at("gorpyc", "python", "conc2", 0), func(s sample) float64 { return s.P99 }, 8, true)
	add("struct of two attributes / one call, CPython server", at("gorpyc", "python", "asstruct", 0),
		at("gorpyc", "python", "callattr", 0), meanTime, 4, true)
	add("slow calls at once after quick ones / without, Concurrency", at("python", "parallel", "mixed", 0),
		at("python", "parallel", "slowonly", 0), meanTime, 1.3, true)
	for _, mode := range []string{"bylist", "keptbylist"} {
		add("server's CPU of a call with a list / with a tuple, "+mode, at("python", "largeheap", mode, 0),
			at("python", "largeheap", "bytuple", 0), func(s sample) float64 { return s.ServerCPU }, 4, true)
	}
	js = append(js, r.judgeForced(at("python", "largeheap", "bylist", 0), 0)...)
	js = append(js, r.judgeForced(at("python", "largeheap", "keptbylist", 0), 1)...)
	for _, mode := range []string{"conns500", "conns5000"} {
		of := fmt.Sprintf("%d connections, ", connections(mode))
		ours, python := at("prepared", "gorpyc", mode, 0), at("prepared", "python", mode, 0)
		add(of+"gorpyc / CPython", ours, python, sample.Rate, 8, false)
		add(of+"p99 of gorpyc / of CPython", ours, python, func(s sample) float64 { return s.P99 }, 0.125, true)
	}
	add("memory of an idle connection, gorpyc / canned", at("prepared", "gorpyc", "idle", 0),
		at("prepared", "canned", "idle", 0), func(s sample) float64 { return s.Bytes }, 1, true)
	return js
}

// judgeForced judges how many collections of garbage a second an experiment has forced at its server.
func (r *results) judgeForced(e experiment, goal float64) (js []judge) {
	for i, g := range r.groups {
		forced, seconds := 0, 0.0
		r.each(i, e, func(s sample, _ set) {
			forced += s.Forced
			seconds += s.Seconds
		})
		if !slices.Contains(g.exps, e) {
			continue
		}
		j := judge{What: "collections forced a second, " + e.Mode, Goal: goal, AtMost: true}
		if seconds > 0 {
			j.Value = float64(forced) / seconds
			j.OK = j.Value <= j.Goal
			j.Note = fmt.Sprintf("(%d in %.1f s)", forced, seconds)
		}
		js = append(js, j)
	}
	return js
}
