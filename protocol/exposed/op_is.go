package exposed

import "github.com/gorpyc/gorpyc/brine"

// Is is Python's "is": it reports whether a and b are the same object of ours, handles on the same object of a peer, or
// equal values of the same type that travels by value; tuples are compared item by item.
func Is(a, b any) bool {
	a, byValue := ByValue(a)
	b, byValueToo := ByValue(b)
	if byValue != byValueToo || TypeName(a) != TypeName(b) {
		return false
	}
	switch x := a.(type) {
	case brine.Tuple:
		return sameItems(x, b.(brine.Tuple))
	case brine.FrozenSet:
		return sameItems(x, b.(brine.FrozenSet))
	case brine.Slice:
		y := b.(brine.Slice)
		return Is(x.Start, y.Start) && Is(x.Stop, y.Stop) && Is(x.Step, y.Step)
	}
	if byValue {
		eq, known := equalScalars(a, b)
		return known && eq || !known // the constants, of which there is one of each type
	}
	return same(a, b)
}

func sameItems(x, y []any) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !Is(x[i], y[i]) {
			return false
		}
	}
	return true
}
