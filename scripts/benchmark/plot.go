package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// plot draws what a CPython client sees of a Go server and of a CPython server, or how far what is judged is from its
// targets, from the file that `run --json` has written.
func plot(args []string) error {
	fs := newFlags("plot")
	targets := fs.Bool("targets", false, "draw the ratios that are judged, against their targets")
	_ = fs.Parse(args)
	if fs.NArg() != 1 {
		return errors.New("plot: want the file that run --json has written")
	}
	text, err := os.ReadFile(fs.Arg(0))
	if err != nil {
		return err
	}
	var doc struct {
		Go      string  `json:"go"`
		CPUs    int     `json:"cpus"`
		Judged  []judge `json:"judged"`
		Samples []struct {
			experiment
			sample
		} `json:"samples"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	medianOf := func(server, mode string, of func(sample) float64) float64 {
		var xs []float64
		for _, s := range doc.Samples {
			if s.Client == "python" && s.Server == server && s.Mode == mode && s.Placement == same && s.Err == "" {
				xs = append(xs, of(s.sample))
			}
		}
		return median(xs)
	}
	d := drawing{w: os.Stdout}
	if *targets {
		plotTargets(&d, doc.Judged, fmt.Sprintf("Medians of one run on %d processors, %s; scripts/bench.", doc.CPUs, doc.Go))
		return d.err
	}
	d.begin()
	d.panel(0, "Time of a call at the client, µs (median)", func(server, mode string) float64 {
		return medianOf(server, mode, medianTime)
	})
	d.panel(1, "CPU time of the server per call, µs", func(server, mode string) float64 {
		return medianOf(server, mode, func(s sample) float64 { return s.ServerCPU })
	})
	d.end(fmt.Sprintf("Client and server on one of %d processors, loopback TCP, RPyC 6.0.2, %s; scripts/bench.", doc.CPUs,
		doc.Go))
	return d.err
}

// bars are the rows of the chart: what is measured, and how readers know it.
var bars = []struct{ mode, label string }{
	{"sync", "call of a method"},
	{"getattr", "attribute"},
	{"uncached", "conn.root.add(1, 2)"},
	{"newobj", "new object, used, dropped"},
	{"exc", "exception raised, caught"},
	{"connect", "connect, root, close"},
}

// drawing is a chart in SVG with two panels side by side.
type drawing struct {
	w   io.Writer
	err error
}

const (
	chartWidth, panelWidth = 860, 330
	labelWidth             = 180
	rowHeight, barHeight   = 40, 15
	chartTop               = 62
)

func (d *drawing) printf(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.w, format, args...)
	}
}

func (d *drawing) text(x, y float64, style, s string) {
	s = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s)
	d.printf("<text x=\"%.0f\" y=\"%.0f\" %s>%s</text>\n", x, y, style, s)
}

func (d *drawing) rect(x, y, width, height float64, colour string) {
	d.printf("<rect x=\"%.0f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\" fill=\"%s\"/>\n", x, y, width, height, colour)
}

const (
	goColour, pythonColour = "#0087b3", "#d9a400"
	bold                   = `font-weight="bold"`
)

// open begins a chart of the height.
func (d *drawing) open(height float64) {
	d.printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\" "+
		"font-size=\"12\" fill=\"#222\">\n",
		chartWidth, height)
	d.rect(0, 0, chartWidth, height, "#ffffff")
}

func (d *drawing) begin() {
	d.open(float64(chartTop + rowHeight*len(bars) + 30))
	d.rect(labelWidth, 12, 12, 12, goColour)
	d.text(labelWidth+17, 22, bold, "Go service (gorpyc)")
	d.rect(labelWidth+160, 12, 12, 12, pythonColour)
	d.text(labelWidth+177, 22, bold, "CPython service (RPyC)")
	d.text(labelWidth+350, 22, "", "the client is CPython; shorter is better")
	for i, b := range bars {
		d.text(labelWidth-10, float64(chartTop+rowHeight*i+19), `text-anchor="end"`, b.label)
	}
}

// panel draws the bars of one quantity.
func (d *drawing) panel(column int, title string, value func(server, mode string) float64) {
	left := float64(labelWidth + column*(panelWidth+10))
	d.text(left, chartTop-12, bold, title)
	longest := 0.0
	for _, b := range bars {
		longest = max(longest, value("gorpyc", b.mode), value("python", b.mode))
	}
	for i, b := range bars {
		for j, server := range []string{"gorpyc", "python"} {
			v := value(server, b.mode)
			y := float64(chartTop + rowHeight*i + j*barHeight)
			width := v / max(longest, 1) * (panelWidth - 50)
			d.rect(left, y, width, barHeight-2, []string{goColour, pythonColour}[j])
			d.text(left+width+5, y+11, "", fmt.Sprintf("%.0f", v))
		}
	}
}

func (d *drawing) end(note string) {
	d.text(labelWidth, float64(chartTop+rowHeight*len(bars)+15), `fill="#555"`, note)
	d.printf("</svg>\n")
}
