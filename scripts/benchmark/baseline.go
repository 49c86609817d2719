package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
)

// A baseline is what an earlier run has measured: for each experiment the CPU time of an operation, of both sides, as a
// multiple of that of its group's first row. It shows what a change has made worse. Rates depend too much on what else
// the machine does.

// tolerance is by what part a figure may be worse than its baseline before it is said: runs differ by as much.
const tolerance = 0.25

// cpuRatios are the figures of a baseline.
func (r *results) cpuRatios() map[string]float64 {
	values := make(map[string]float64)
	for i, g := range r.groups {
		for _, e := range g.exps[1:] {
			if v := r.ratio(i, e, g.exps[0], sample.CPU); v > 0 {
				values[g.title+": "+e.String()] = math.Round(v*1000) / 1000
			}
		}
	}
	return values
}

func (r *results) writeBaseline(path string) error {
	b, err := json.MarshalIndent(r.cpuRatios(), "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// compareBaseline prints what is worse than in the file, which need not exist.
func (r *results) compareBaseline(w io.Writer, path string) error {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	before := make(map[string]float64)
	if err == nil {
		err = json.Unmarshal(b, &before)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "\nCPU compared to the group's first row, worse than the baseline by more than %.0f %%\n",
		tolerance*100)
	now := r.cpuRatios()
	for i, g := range r.groups {
		for _, e := range g.exps[1:] {
			name := r.groups[i].title + ": " + e.String()
			if was := before[name]; was > 0 && now[name] > was*(1+tolerance) {
				_, _ = fmt.Fprintf(w, "  %-80s %6.2f  was %.2f\n", name, now[name], was)
			}
		}
	}
	return nil
}
