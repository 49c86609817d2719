package main

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
)

// set is the samples of one turn of a group, which can be compared with each other.
type set map[experiment]sample

// results is what was measured.
type results struct {
	groups []group
	sets   [][]set // by group
	rounds [][]int // in which round, alike
}

func newResults(groups []group) *results {
	return &results{groups: groups, sets: make([][]set, len(groups)), rounds: make([][]int, len(groups))}
}

func (r *results) add(group, round int, s set) {
	r.sets[group] = append(r.sets[group], s)
	r.rounds[group] = append(r.rounds[group], round)
}

// each calls f for the samples of an experiment in a group that did not fail.
func (r *results) each(group int, e experiment, f func(s sample, others set)) {
	for _, others := range r.sets[group] {
		if s, ok := others[e.key()]; ok && s.Err == "" && s.Seconds > 0 {
			f(s, others)
		}
	}
}

// median of what of takes from the samples of an experiment; 0 if there is none.
func (r *results) median(group int, e experiment, of func(sample) float64) float64 {
	var xs []float64
	r.each(group, e, func(s sample, _ set) { xs = append(xs, of(s)) })
	return median(xs)
}

// ratio is the median of the ratios of what of takes from two experiments in the same turns of a group.
func (r *results) ratio(group int, a, b experiment, of func(sample) float64) float64 {
	var xs []float64
	r.each(group, a, func(s sample, others set) {
		if o, ok := others[b.key()]; ok && o.Err == "" && of(o) > 0 {
			xs = append(xs, of(s)/of(o))
		}
	})
	return median(xs)
}

// find returns the group in which both experiments were measured.
func (r *results) find(a, b experiment) (index int, ok bool) {
	has := func(g group, e experiment) bool {
		return slices.ContainsFunc(g.exps, func(x experiment) bool { return x.key() == e.key() })
	}
	i := slices.IndexFunc(r.groups, func(g group) bool { return has(g, a) && has(g, b) })
	return i, i >= 0
}

func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	slices.Sort(xs)
	m := len(xs) / 2
	if len(xs)%2 == 1 {
		return xs[m]
	}
	return (xs[m-1] + xs[m]) / 2
}

// writeJSON writes all samples to a file.
func (r *results) writeJSON(path string) error {
	type line struct {
		Group string `json:"group"`
		Round int    `json:"round"`
		Turn  int    `json:"turn"`
		experiment
		sample
	}
	doc := struct {
		Go      string  `json:"go"`
		CPUs    int     `json:"cpus"`
		Judged  []judge `json:"judged"`
		Samples []line  `json:"samples"`
	}{Go: runtime.Version(), CPUs: runtime.NumCPU(), Judged: r.judge()}
	for i, g := range r.groups {
		for turn, s := range r.sets[i] {
			for _, e := range g.exps {
				if got, ok := s[e.key()]; ok {
					doc.Samples = append(doc.Samples, line{g.title, r.rounds[i][turn], turn, e, got})
				}
			}
		}
	}
	b, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
