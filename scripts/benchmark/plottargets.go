package main

import "fmt"

// plotTargets draws how far each judged ratio is from its target: the bar of one that is met reaches the line.
func plotTargets(d *drawing, js []judge, note string) {
	const (
		left, right = 470, 800
		row, top    = 20, 50
		unit        = (right - left) / 2 // the target; bars end at twice as good
	)
	var shown []judge
	for _, j := range js {
		if j.Value > 0 {
			shown = append(shown, j)
		}
	}
	height := float64(top + row*len(shown) + 30)
	d.open(height)
	d.text(20, 22, bold, "What is judged, against its target (line); longer is better")
	for i, j := range shown {
		reached := j.Value / j.Goal
		sign := "≥"
		if j.AtMost {
			reached, sign = j.Goal/j.Value, "≤"
		}
		colour := goColour
		if !j.OK {
			colour = pythonColour
		}
		y := float64(top + row*i)
		d.text(left-10, y+12, `text-anchor="end"`, j.What)
		width := min(reached, 2) * unit
		d.rect(left, y, width, row-5, colour)
		d.text(left+width+5, y+12, "", fmt.Sprintf("%.2f (%s %.2f)", j.Value, sign, j.Goal))
	}
	d.rect(left+unit, top-8, 1, float64(row*len(shown)+10), "#222")
	d.text(20, height-10, `fill="#555"`, note)
	d.printf("</svg>\n")
}
