package conform

import (
	"bytes"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// equal tells whether two values are the same on the wire: 1, True and 1.0 are not. The order of a frozenset's members
// says nothing.
func equal(a, b any) bool {
	switch a := a.(type) {
	case theirs, *object:
		return sameObject(a, b)
	case brine.Tuple:
		t, ok := b.(brine.Tuple)
		return ok && slices.EqualFunc(a, t, equal)
	case brine.FrozenSet:
		t, ok := b.(brine.FrozenSet)
		return ok && len(a) == len(t) && !slices.ContainsFunc(a, func(v any) bool {
			return !slices.ContainsFunc(t, func(w any) bool { return equal(v, w) })
		})
	}
	x, err1 := brine.Marshal(a)
	y, err2 := brine.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func sameObject(a, b any) bool {
	if o, ok := a.(*object); ok {
		return o == b
	}
	x, ok := a.(theirs)
	y, both := b.(theirs)
	return ok && both && key(x.pack) == key(y.pack)
}

// show is a value as Python would write it.
func show(v any) string {
	return vinegar.ReprWith(v, func(v any) string {
		switch v := v.(type) {
		case theirs:
			return "<their " + vinegar.Repr(v.pack) + ">"
		case *object:
			return "<our " + vinegar.Repr(v.pack) + ">"
		}
		return "<?>"
	})
}

// typeName is the name of the type of a plain value, or that of a reference.
func typeName(v any) string {
	switch v := v.(type) {
	case theirs:
		return v.name()
	case *object:
		return "ours"
	}
	return pyvalue.TypeName(v)
}

func makeComplex(_ *program, a brine.Tuple) (any, error) {
	re, ok1 := a[0].(float64)
	im, ok2 := a[1].(float64)
	if !ok1 || !ok2 {
		return nil, wrong("complex() wants floats")
	}
	return complex(re, im), nil
}

// times repeats a text, bytes or a tuple.
func times(_ *program, a brine.Tuple) (any, error) {
	n, _ := a[1].(int64)
	switch v := a[0].(type) {
	case string:
		return strings.Repeat(v, int(n)), nil
	case []byte:
		return bytes.Repeat(v, int(n)), nil
	case brine.Tuple:
		return slices.Repeat(v, int(n)), nil
	}
	return nil, wrong("times() of %T", a[0])
}

// power is a ** b + c.
func power(_ *program, a brine.Tuple) (any, error) {
	var n [3]int64
	for i, v := range a {
		n[i], _ = v.(int64)
	}
	r := new(big.Int).Exp(big.NewInt(n[0]), big.NewInt(n[1]), nil)
	return pyvalue.IntValue(r.Add(r, big.NewInt(n[2]))), nil
}

func specialFloat(_ *program, a brine.Tuple) (any, error) {
	switch a[0] {
	case "nan":
		return math.Float64frombits(0x7ff8000000000000), nil
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	case "-0":
		return math.Copysign(0, -1), nil
	case "tiny":
		return math.SmallestNonzeroFloat64, nil
	}
	return nil, wrong("special(%v)", a[0])
}

// text makes a str of code points, and of bytes the bytes.
func text(_ *program, a brine.Tuple) (any, error) {
	var b strings.Builder
	for _, v := range a {
		n, _ := v.(int64)
		b.WriteRune(rune(n))
	}
	return b.String(), nil
}

// span are the integers from one to another.
func span(_ *program, a brine.Tuple) (any, error) {
	first, _ := a[0].(int64)
	end, _ := a[1].(int64)
	out := brine.Tuple{}
	for n := first; n < end; n++ {
		out = append(out, n)
	}
	return out, nil
}
