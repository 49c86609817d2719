// Package similar finds the name that was probably meant by a wrong one.
package similar

import "iter"

// maxCompared bounds the length of the names that are compared.
const maxCompared = 40

// Nearest returns the name that is most like asked, the first of several; "" if none is alike: up to a third of the
// letters of asked differ, and no more than two. asked itself is not among the answers.
func Nearest(asked string, names iter.Seq[string]) (best string) {
	if len(asked) > maxCompared || len(asked) < 2 {
		return ""
	}
	least := 1 + max(1, min(2, len(asked)/3))
	for name := range names {
		if len(name) > maxCompared {
			continue
		}
		if d := distance(asked, name); d > 0 && d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters that have to be changed, added, dropped or exchanged with their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
