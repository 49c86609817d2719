package main

import (
	"fmt"
	"slices"
)

// Placements of the two processes of a measurement.
const (
	same = "same" // both on one CPU
	free = "free" // wherever the kernel puts them
)

// experiment is something measured: a client of one stack asking a server of another.
type experiment struct {
	Client    string `json:"client"`
	Server    string `json:"server"`
	Mode      string `json:"mode"`
	Placement string `json:"placement"`
	Size      int    `json:"size,omitempty"`
	Count     int    `json:"-"` // operations to measure, 0 for as many as there is time for
	Again     bool   `json:"-"` // measured elsewhere, too, and here for comparison only
}

func (e experiment) String() string {
	s := fmt.Sprintf("%s>%s/%s@%s", e.Client, e.Server, e.Mode, e.Placement)
	if e.Size > 0 {
		s += fmt.Sprintf("/%dKB", e.Size/1000)
	}
	return s
}

func (e experiment) key() experiment {
	e.Count, e.Again = 0, false
	return e
}

// group is experiments that are compared with each other, and so are measured one right after the other.
type group struct {
	title string
	exps  []experiment // the first is what the others are compared to
	times int          // how often in a round
	spare bool         // a quick run does it once only
	slow  bool         // and this not at all; others only once
}

// sizes of the messages among which none may fall behind its neighbours. CPython's peers write frames above 64,000
// bytes in pieces, which is where delays come from.
var sizes = []int{60_000, 64_000, 70_000, 100_000, 200_000, 300_000, 500_000}

const mebibyte = 1 << 20

// echoSizes are those of the byte strings that are sent and come back.
var echoSizes = []int{1 << 10, 16 << 10, 64 << 10, mebibyte, 16 * mebibyte, 100 * mebibyte}

// bytesText writes a length in the unit that suits it.
func bytesText(n int) string {
	if n < mebibyte {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// plan is all that is measured.
func plan(quick bool) []group {
	several, moved := 2, 40
	if quick {
		several, moved = 3, 20
	}
	exp := func(client, server, mode, placement string) experiment {
		return experiment{Client: client, Server: server, Mode: mode, Placement: placement}
	}
	sized := func(e experiment, size, count int) experiment {
		e.Size, e.Count = size, count
		return e
	}
	gs := []group{
		{title: "Go to Go, one call after the other, one CPU", times: several, exps: []experiment{
			exp("raw", "raw", "sync", same),
			exp("gorpyc", "gorpyc", "sync", same),
			exp("gorpyc", "gorpyc", "callattr", same),
			exp("gorpyc", "gorpyc", "bound", same),
			exp("netrpc", "netrpc", "sync", same),
			exp("grpc", "grpc", "sync", same),
			exp("prepared", "gorpyc", "sync", same),
			exp("gorpyc", "canned", "sync", same),
		}},
		{title: "Go to Go, one call after the other, free", times: 1, exps: []experiment{
			exp("raw", "raw", "sync", free),
			exp("gorpyc", "gorpyc", "sync", free),
			exp("gorpyc", "gorpyc", "callattr", free),
			exp("netrpc", "netrpc", "sync", free),
			exp("grpc", "grpc", "sync", free),
		}},
		{title: fmt.Sprintf("Go to Go, %d calls in flight on one connection", inFlight), times: several, exps: []experiment{
			exp("raw", "raw", "pipe64", free),
			exp("raw", "raw", "pipe64c", free),
			exp("gorpyc", "gorpyc", "conc64", free),
			exp("gorpyc", "gorpyc", "conc4096", free),
			exp("gorpyc", "gorpyc", "async64", free),
			exp("gorpyc", "gorpyc", "batch64", free),
			exp("netrpc", "netrpc", "conc64", free),
			exp("grpc", "grpc", "conc64", free),
			exp("prepared", "gorpyc", "conc64", free),
		}},
		{title: fmt.Sprintf("Go to Go, %d connections", manyConns), times: 1, exps: []experiment{
			exp("raw", "raw", "conns", free),
			exp("gorpyc", "gorpyc", "conns", free),
			exp("netrpc", "netrpc", "conns", free),
			exp("prepared", "gorpyc", "conns", free),
		}},
	}
	for _, size := range echoSizes {
		g := group{title: "Go to Go, echo of " + bytesText(size), times: 1, spare: size < mebibyte}
		for _, stack := range []string{"raw", "gorpyc", "netrpc", "grpc"} {
			g.exps = append(g.exps, sized(exp(stack, stack, "echo", free), size, 0))
		}
		gs = append(gs, g)
	}

	python := func(mode, placement string, times int, spare bool, servers ...string) {
		anchor := exp("raw", "raw", "sync", placement)
		if mode == "async100" {
			anchor.Mode = "pipe64"
		}
		anchor.Again = anchor.Mode == "sync" || placement == free
		g := group{title: "CPython client, " + mode + ", " + placement, times: times, spare: spare,
			exps: []experiment{anchor}}
		for _, s := range servers {
			g.exps = append(g.exps, exp("python", s, mode, placement))
		}
		gs = append(gs, g)
	}
	python("sync", same, several, false, "gorpyc", "canned", "python")
	python("sync", free, 1, false, "gorpyc", "canned", "python")
	for _, mode := range []string{"uncached", "getattr", "async100", "newobj", "exc", "connect"} {
		python(mode, same, 1, true, "gorpyc", "canned", "python")
	}
	python("callback", same, 1, true, "gorpyc", "python")
	python("async100", free, 1, true, "gorpyc", "canned", "python")

	gs = append(gs,
		group{title: "CPython server, calls under way at the same time", times: 1, exps: []experiment{
			exp("prepared", "python", "conc64", free),
			exp("gorpyc", "python", "conc2", free),
			exp("gorpyc", "python", "conc8", free),
			exp("gorpyc", "python", "conc64", free),
		}},
		group{title: "CPython server, conversions", times: 1, spare: true, exps: []experiment{
			exp("gorpyc", "python", "callattr", free),
			exp("gorpyc", "python", "asstruct", free),
			exp("gorpyc", "python", "dicts", free),
		}},
		group{title: fmt.Sprintf("CPython client, %d calls of %d ms at once after quick ones", mixedSlow, slowMillis), times: 1,
			spare: true, exps: []experiment{
				exp("python", "parallel", "slowonly", free),
				exp("python", "parallel", "mixed", free),
			}},
		group{title: "CPython client, a kept callback and lists; much live memory", times: 1, spare: true, exps: []experiment{
			exp("python", "largeheap", "bytuple", free),
			exp("python", "largeheap", "bylist", free),
			exp("python", "largeheap", "keptbylist", free),
		}},
		group{title: fmt.Sprintf("Minimal client, %d connections", 10*manyConns), times: 1, spare: true, exps: []experiment{
			exp("raw", "raw", "conns500", free),
			exp("prepared", "gorpyc", "conns500", free),
			exp("prepared", "python", "conns500", free),
		}},
		group{title: fmt.Sprintf("Minimal client, %d connections", 100*manyConns), times: 1, slow: true, exps: []experiment{
			exp("raw", "raw", "conns5000", free),
			exp("prepared", "gorpyc", "conns5000", free),
			exp("prepared", "python", "conns5000", free),
		}},
		group{title: "Memory of an idle connection", times: 1, spare: true, exps: []experiment{
			exp("prepared", "canned", "idle", free),
			exp("prepared", "gorpyc", "idle", free),
			exp("prepared", "python", "idle", free),
		}},
	)

	anchor := exp("raw", "raw", "sync", same)
	anchor.Again = true
	gs = append(gs, group{title: "CPython server", times: 1, spare: true, exps: []experiment{
		anchor,
		exp("gorpyc", "python", "sync", same),
		exp("prepared", "python", "sync", same),
		exp("gorpyc", "python", "conc64", same),
		exp("prepared", "python", "conc64", same),
		exp("gorpyc", "python", "connect", same),
		exp("gorpyc", "gorpyc", "connect", same),
	}})

	for _, way := range sizedWays {
		if quick && way.slow {
			continue
		}
		g := group{title: "Sizes, " + way.String(), times: 1}
		for _, size := range sizes {
			g.exps = append(g.exps, sized(exp(way.client, way.server, way.mode, free), size, moved))
		}
		gs = append(gs, g)
	}
	return gs
}

// way is a direction in which messages of different sizes are sent.
type way struct {
	client, server, mode string
	judged               bool
	slow                 bool // too slow for a quick run
}

func (w way) String() string { return fmt.Sprintf("%s>%s %s", w.client, w.server, w.mode) }

var sizedWays = []way{
	{client: "python", server: "gorpyc", mode: "upload", judged: true},
	{client: "python", server: "gorpyc", mode: "download", judged: true},
	{client: "gorpyc", server: "python", mode: "upload", judged: true},
	{client: "gorpyc", server: "python", mode: "download", judged: true},
	{client: "gorpyc", server: "gorpyc", mode: "upload"},
	{client: "gorpyc", server: "gorpyc", mode: "echo"},
	{client: "python", server: "python", mode: "upload", slow: true},
	{client: "python", server: "python", mode: "download", slow: true},
}

// only keeps the experiments that match, and what they are compared to.
func only(gs []group, match func(string) bool) []group {
	var kept []group
	for _, g := range gs {
		first := g.exps[0]
		wanted := slices.DeleteFunc(slices.Clone(g.exps), func(e experiment) bool { return e.Again || !match(e.String()) })
		if len(wanted) == 0 {
			continue
		}
		if wanted[0] != first && first.Size == wanted[0].Size {
			wanted = append([]experiment{first}, wanted...)
		}
		g.exps = wanted
		kept = append(kept, g)
	}
	return kept
}
