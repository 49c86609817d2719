package main

import (
	"bytes"
	"fmt"
	"strings"
)

// measures are the rows of the drawing. What grows by a third and slack from the second quarter to the last is a fault.
var measures = []struct {
	title string
	slack float64 // 0 for what may be anything
	of    func(s sample) float64
}{
	{"memory, MiB", 16, func(s sample) float64 { return s.memory }},
	{"goroutines", 50, func(s sample) float64 { return s.goroutines }},
	{"threads", 8, func(s sample) float64 { return s.threads }},
	{"descriptors", 16, func(s sample) float64 { return s.descriptors }},
	{"exposed objects", 100, func(s sample) float64 { return s.objects }},
	{"median of a call, ms", 0, func(s sample) float64 { return s.median }},
	{"99 % of calls, ms", 0, func(s sample) float64 { return s.slowest }},
}

const (
	columnWidth, rowHeight = 280, 90
	left, top              = 150, 50
)

// draw draws what was seen of the servers over time: a column for each, a row for each measure, from zero to the
// highest value, which is written beside it.
func draw(servers []*watched, note string) []byte {
	var b bytes.Buffer
	width, height := left+columnWidth*len(servers)+10, top+rowHeight*len(measures)+40
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "+
		"font-size=\"12\" fill=\"#222\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height, width, height)
	text := func(x, y int, style, s string) {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" %s>%s</text>\n", x, y, style, s)
	}
	for row, m := range measures {
		text(left-15, top+rowHeight*row+45, `text-anchor="end"`, m.title)
	}
	minutes := 0.0
	for column, w := range servers {
		x0 := left + columnWidth*column
		text(x0, top-20, `font-weight="bold"`, w.name)
		for row, m := range measures {
			highest, longest := 0.0, 0.0
			for _, s := range w.samples {
				highest, longest = max(highest, m.of(s)), max(longest, s.minutes)
			}
			minutes = max(minutes, longest)
			if highest == 0 {
				continue // not known of this server
			}
			x, y := func(t float64) float64 { return float64(x0) + t/longest*(columnWidth-70) },
				func(v float64) float64 { return float64(top+rowHeight*row+70) - v/highest*60 }
			var points []string
			for _, s := range w.samples {
				points = append(points, fmt.Sprintf("%.1f,%.1f", x(s.minutes), y(m.of(s))))
			}
			fmt.Fprintf(&b, "<line x1=\"%d\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\" stroke=\"#ccc\"/>\n", x0, y(0), x(longest), y(0))
			fmt.Fprintf(&b, "<polyline fill=\"none\" stroke=\"#0087b3\" stroke-width=\"1.5\" points=\"%s\"/>\n",
				strings.Join(points, " "))
			text(int(x(longest))+6, int(y(highest))+10, `fill="#555"`, fmt.Sprintf("%.3g", highest))
		}
	}
	text(left, height-15, `fill="#555"`, fmt.Sprintf("%.0f minutes, from left to right; the number is the highest value. %s",
		minutes, note))
	b.WriteString("</svg>\n")
	return b.Bytes()
}
