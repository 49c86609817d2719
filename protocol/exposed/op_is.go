package exposed

import (
	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// Is is Python's "is": it reports whether a and b are the same object of ours, handles on the same object of a peer, or
// equal values of the same type that travels by value; tuples are compared item by item.
func Is(a, b any) bool { return is(a, b, 0) }

// is is Is at a depth in tuples. What is nested deeper than anything that can be sent is the same only if its memory
// is.
func is(a, b any, depth int) bool {
	a, byValue := ByValue(a)
	b, byValueToo := ByValue(b)
	if byValue != byValueToo || TypeName(a) != TypeName(b) {
		return false
	}
	switch x := a.(type) {
	case brine.Tuple:
		return sameItems(x, b.(brine.Tuple), depth)
	case brine.FrozenSet:
		return sameItems(x, b.(brine.FrozenSet), depth)
	case brine.Slice:
		y := b.(brine.Slice)
		return sameItems([]any{x.Start, x.Stop, x.Step}, []any{y.Start, y.Stop, y.Step}, depth)
	}
	if byValue {
		eq, known := pyvalue.Equal(a, b)
		return known && eq || !known // the constants, of which there is one of each type
	}
	return same(a, b)
}

func sameItems(x, y []any, depth int) bool {
	if len(x) != len(y) {
		return false
	}
	if len(x) == 0 || &x[0] == &y[0] {
		return true
	}
	if depth >= maxNesting {
		return false
	}
	for i := range x {
		if !is(x[i], y[i], depth+1) {
			return false
		}
	}
	return true
}
