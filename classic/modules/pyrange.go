//go:build unix

package modules

import (
	"context"
	"math"
	"math/big"
	"strconv"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// pyRange is Python's range, with bounds of 62 bits.
type pyRange struct{ start, stop, step, n int64 }

var rangeClass = exposed.Register[pyRange](exposed.ClassOptions{
	Name: "builtins.range",
	Omit: []string{"GoValue"},
	New: exposed.Func(func(ctx context.Context, args []any) (*pyRange, error) {
		switch len(args) {
		case 0:
			return nil, vinegar.TypeError.New("range expected at least 1 argument, got 0")
		case 1, 2, 3:
		default:
			return nil, vinegar.TypeError.Errorf("range expected at most 3 arguments, got %d", len(args))
		}
		bounds := [3]int64{0, 0, 1}
		for i, a := range args {
			b, err := pytypes.Index(ctx, a)
			if err != nil {
				return nil, err
			}
			if b.BitLen() > 62 {
				return nil, vinegar.OverflowError.New("range bounds of more than 62 bits are not supported by this server")
			}
			if len(args) == 1 {
				i = 1
			}
			bounds[i] = b.Int64()
		}
		if bounds[2] == 0 {
			return nil, vinegar.ValueError.New("range() arg 3 must not be zero")
		}
		return newRange(bounds[0], bounds[1], bounds[2]), nil
	}, "*args"),
	Properties: map[string]exposed.Property{
		"start": {Hidden: true, Get: func(r *pyRange) int64 { return r.start }},
		"stop":  {Hidden: true, Get: func(r *pyRange) int64 { return r.stop }},
		"step":  {Hidden: true, Get: func(r *pyRange) int64 { return r.step }},
	},
	Hidden: map[string]any{
		"index": func(r *pyRange, v any) (int64, error) {
			if i, ok := r.find(v); ok {
				return i, nil
			}
			return 0, vinegar.ValueError.Errorf("%s is not in range", vinegar.Repr(v))
		},
		"count": func(r *pyRange, v any) int64 {
			if _, ok := r.find(v); ok {
				return 1
			}
			return 0
		},
	},
})

func newRange(start, stop, step int64) *pyRange {
	r := &pyRange{start: start, stop: stop, step: step}
	if step > 0 && start < stop {
		r.n = (stop-start-1)/step + 1
	} else if step < 0 && start > stop {
		r.n = (start-stop-1)/-step + 1
	}
	return r
}

func (r *pyRange) find(v any) (int64, bool) {
	var x int64
	switch n := v.(type) {
	case int64:
		x = n
	case bool:
		if n {
			x = 1
		}
	case float64:
		if n != math.Trunc(n) || math.Abs(n) > 1<<62 {
			return 0, false
		}
		x = int64(n)
	default:
		return 0, false
	}
	i := (x - r.start) / r.step
	return i, (x-r.start)%r.step == 0 && i >= 0 && i < r.n
}

// GoValue is what it is copied as.
func (r *pyRange) GoValue() any { return pickle.Range{Start: r.start, Stop: r.stop, Step: r.step} }

// PyLen is len(x).
func (r *pyRange) PyLen() int { return int(r.n) }

// PyContains is v in x.
func (r *pyRange) PyContains(v any) bool { _, ok := r.find(v); return ok }

// PyIter is iter(x).
func (r *pyRange) PyIter() any { return r.over(0, 1) }

// PyReversed is reversed(x).
func (r *pyRange) PyReversed() any  { return r.over(r.n-1, -1) }
func (r *pyRange) at(i int64) int64 { return r.start + i*r.step }

// PyHash is hash(x).
func (r *pyRange) PyHash() (any, error) { return exposed.Hash(background, r.key()) }

// PyEq is x == v.
func (r *pyRange) PyEq(v any) (any, error) {
	o, ok := v.(*pyRange)
	if !ok {
		return brine.NotImplemented, nil
	}
	return exposed.Equal(background, r.key(), o.key())
}

// key says what a range has in it.
func (r *pyRange) key() brine.Tuple {
	switch r.n {
	case 0:
		return brine.Tuple{int64(0), nil, nil}
	case 1:
		return brine.Tuple{int64(1), r.start, nil}
	}
	return brine.Tuple{r.n, r.start, r.step}
}

// PyGetItem is x[key].
func (r *pyRange) PyGetItem(ctx context.Context, key any) (any, error) {
	if s, ok := key.(brine.Slice); ok {
		return r.slice(ctx, s)
	}
	b, err := pytypes.Index(ctx, key)
	if err != nil {
		return nil, vinegar.TypeError.Errorf("range indices must be integers or slices, not %s", exposed.TypeName(key))
	}
	if b.Sign() < 0 {
		b = new(big.Int).Add(b, big.NewInt(r.n))
	}
	if !b.IsInt64() || b.Int64() < 0 || b.Int64() >= r.n {
		return nil, vinegar.IndexError.New("range object index out of range")
	}
	return r.at(b.Int64()), nil
}

func (r *pyRange) slice(ctx context.Context, s brine.Slice) (any, error) {
	var parts [3]*big.Int
	for i, v := range []any{s.Start, s.Stop, s.Step} {
		if v == nil {
			continue
		}
		var err error
		if parts[i], err = pytypes.Index(ctx, v); err != nil {
			return nil, vinegar.TypeError.New("slice indices must be integers or None or have an __index__ method")
		}
	}
	sp, err := pyvalue.Indices(parts[0], parts[1], parts[2], r.n)
	if err != nil {
		return nil, vinegar.FromError(err)
	}
	step := new(big.Int).Mul(big.NewInt(r.step), big.NewInt(sp.Step))
	if !step.IsInt64() { // beyond all that the range has
		step.Mul(big.NewInt(math.MaxInt64), big.NewInt(int64(step.Sign())))
	}
	return newRange(r.at(sp.Start), r.at(sp.Stop), step.Int64()), nil
}

// PyRepr is repr(x).
func (r *pyRange) PyRepr() string {
	s := "range(" + strconv.FormatInt(r.start, 10) + ", " + strconv.FormatInt(r.stop, 10)
	if r.step != 1 {
		s += ", " + strconv.FormatInt(r.step, 10)
	}
	return s + ")"
}

type rangeIter struct{ lazy }

var _ = iterClass[rangeIter]("builtins.range_iterator", nil)

func (r *pyRange) over(from, by int64) *rangeIter {
	i := from
	return &rangeIter{lazy{step: func(context.Context) (any, bool, error) {
		if i < 0 || i >= r.n {
			return nil, false, nil
		}
		i += by
		return r.at(i - by), true, nil
	}}}
}
