package pyvalue

import (
	"math"
	"math/big"
)

// Span is a slice applied to a sequence: the items at Start, Start+Step … before Stop, of which there are Count.
type Span struct{ Start, Stop, Step, Count int64 }

// Indices is Python's slice.indices for a sequence of n items. What the slice leaves out is nil.
func Indices(start, stop, step *big.Int, n int64) (Span, error) {
	s, most := Span{Step: 1}, max(n, math.MaxInt32)
	switch {
	case step == nil:
	case step.Sign() == 0:
		return s, raise("ValueError", "slice step cannot be zero")
	case step.IsInt64(): // no step beyond the length makes a difference
		s.Step = max(min(step.Int64(), most), -most)
	default:
		s.Step = most * int64(step.Sign())
	}
	low, high, first, last := int64(0), n, int64(0), n
	if s.Step < 0 {
		low, high, first, last = -1, n-1, n-1, -1
	}
	bound := func(v *big.Int, missing int64) int64 {
		if v == nil {
			return missing
		}
		b := v
		if b.Sign() < 0 {
			b = new(big.Int).Add(v, big.NewInt(n))
		}
		switch {
		case b.Cmp(big.NewInt(low)) < 0:
			return low
		case b.Cmp(big.NewInt(high)) > 0:
			return high
		}
		return b.Int64()
	}
	s.Start, s.Stop = bound(start, first), bound(stop, last)
	switch {
	case s.Step > 0 && s.Stop > s.Start:
		s.Count = (s.Stop-s.Start-1)/s.Step + 1
	case s.Step < 0 && s.Stop < s.Start:
		s.Count = (s.Start-s.Stop-1)/-s.Step + 1
	}
	return s, nil
}

// Pick returns the items of a span in a new slice.
func Pick[T any](s Span, items []T) []T {
	out := make([]T, s.Count)
	for i := range out {
		out[i] = items[s.Start+int64(i)*s.Step]
	}
	return out
}

// Position resolves an index into the n items of a list, tuple … (what), or says why it cannot.
func Position(what string, i Number, n int) (int, error) {
	at := i.Int
	if at < 0 {
		at += int64(n)
	}
	switch {
	case i.Big != nil:
		return 0, raise("IndexError", "cannot fit 'int' into an index-sized integer")
	case at >= 0 && at < int64(n):
		return int(at), nil
	case what == "byte":
		return 0, raise("IndexError", "index out of range")
	}
	return 0, raise("IndexError", "%s index out of range", what)
}
