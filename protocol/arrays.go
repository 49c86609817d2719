package protocol

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// What a *pickle.Array is to Python: by its name and the attributes here a numpy.ndarray. np.array(x) and every other
// function of numpy's that takes arrays get a real one by the method __array__, for which RPyC's proxies ask for a
// pickle.
var _ = exposed.Register[pickle.Array](exposed.ClassOptions{
	Name: "numpy.ndarray",
	Omit: []string{"Len", "GoValue", "Form", "Item", "Part", "Shape", "DType", "Fields", "Fortran", "Data", "Objects",
		"Mask"},
	Properties: map[string]exposed.Property{
		"shape": {Get: func(a *pickle.Array) brine.Tuple { return dimensionsOf(a.Shape) }},
		"dtype": {Get: func(a *pickle.Array) string { return dtypeOf(a.DType, a.Fields) }},
		"ndim":  {Get: func(a *pickle.Array) int { return len(a.Shape) }},
		"size":  {Get: func(a *pickle.Array) int { return a.Len() }},
	},
	Methods: map[string]any{"tolist": func(a *pickle.Array) any { return listOf(a) }},
	Hidden: map[string]any{
		"__array__": func(a *pickle.Array) *pickle.Array { return a },
		"__len__": func(a *pickle.Array) (int, error) {
			if len(a.Shape) == 0 {
				return 0, vinegar.TypeError.New("len() of unsized object")
			}
			return a.Shape[0], nil
		},
		"__iter__": func(a *pickle.Array, ctx context.Context) (any, error) {
			if len(a.Shape) == 0 {
				return nil, vinegar.TypeError.New("iteration over a 0-d array")
			}
			return exposed.Iter(ctx, a.GoValue())
		},
		"__getitem__": func(a *pickle.Array, ctx context.Context, key any) (any, error) { return itemOf(ctx, a, key) },
	},
})

func dimensionsOf(shape []int) brine.Tuple {
	t := make(brine.Tuple, len(shape))
	for i, n := range shape {
		t[i] = int64(n)
	}
	return t
}

// A record of a structured array is a numpy.void, with items by name and by position.
var _ = exposed.Register[pickle.Record](exposed.ClassOptions{
	Name:    "numpy.void",
	Omit:    []string{"All", "Form", "Values"},
	Methods: map[string]any{"item": (*pickle.Record).Values, "tolist": (*pickle.Record).Values},
	Hidden: map[string]any{
		"__len__":  func(r *pickle.Record) int { return len(r.Values()) },
		"__iter__": func(r *pickle.Record, ctx context.Context) (any, error) { return exposed.Iter(ctx, r.Values()) },
		"__getitem__": func(r *pickle.Record, ctx context.Context, key any) (any, error) {
			name, ok := key.(string)
			if !ok {
				return exposed.GetItem(ctx, r.Values(), key)
			}
			for field, v := range r.All() {
				if field == name {
					return v, nil
				}
			}
			return nil, vinegar.ValueError.New("no field of name " + name)
		},
		"__str__":  func(r *pickle.Record, ctx context.Context) (string, error) { return exposed.Repr(ctx, r.Values()) },
		"__repr__": func(r *pickle.Record, ctx context.Context) (string, error) { return exposed.Repr(ctx, r.Values()) },
	},
})

// dtypeOf is what numpy writes for an element type: its name, or a list of names and types if it has fields.
func dtypeOf(name string, fields []pickle.Field) string {
	if fields == nil {
		return name
	}
	texts := make([]string, len(fields))
	for i := range fields {
		f := &fields[i]
		d := dtypeOf(f.DType, f.Fields)
		if f.Fields == nil {
			d = vinegar.Repr(strings.TrimPrefix(d, "|"))
		}
		if f.Shape != nil {
			d += ", " + vinegar.Repr(dimensionsOf(f.Shape))
		}
		texts[i] = fmt.Sprintf("(%s, %s)", vinegar.Repr(f.Name), d)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// listOf is ndarray.tolist.
func listOf(a *pickle.Array) any {
	rows, ok := a.GoValue().([]any)
	if !ok || len(a.Shape) < 2 {
		return a.GoValue()
	}
	out := make([]any, len(rows))
	for i, row := range rows {
		out[i] = listOf(row.(*pickle.Array))
	}
	return out
}

// itemOf is a[key]: of a record's field, or as numpy's basic indexing has it of ints, slices and an ellipsis.
func itemOf(ctx context.Context, a *pickle.Array, key any) (any, error) {
	if name, ok := key.(string); ok && a.Fields != nil {
		if column := a.Field(name); column != nil {
			return column, nil
		}
		return nil, vinegar.ValueError.New("no field of name " + name)
	}
	keys, ok := key.(brine.Tuple)
	if !ok {
		keys = brine.Tuple{key}
	}
	isEllipsis := func(v any) bool { return v == brine.Ellipsis }
	if i := slices.IndexFunc(keys, isEllipsis); i >= 0 && !slices.ContainsFunc(keys[i+1:], isEllipsis) {
		left := max(0, len(a.Shape)-len(keys)+1) // dimensions for which the ellipsis stands
		keys = slices.Concat(keys[:i], slices.Repeat(brine.Tuple{brine.Slice{}}, left), keys[i+1:])
	}
	if len(keys) > len(a.Shape) {
		return nil, vinegar.IndexError.Errorf("too many indices for array: array is %d-dimensional, but %d were indexed",
			len(a.Shape), len(keys))
	}
	part, err := partOf(ctx, a, keys, 0)
	if err == nil && len(part.Shape) == 0 {
		return part.GoValue(), nil
	}
	return part, err
}

// partOf takes an int or a slice from each of the first dimensions.
func partOf(ctx context.Context, a *pickle.Array, keys brine.Tuple, axis int) (*pickle.Array, error) {
	if len(keys) == 0 {
		return a, nil
	}
	a = a.Part(0, a.Shape[0]) // not in Fortran's order, whose parts are copies
	row := func(i int64) (*pickle.Array, error) {
		r := a.Part(int(i), int(i)+1)
		r.Shape = r.Shape[1:]
		return partOf(ctx, r, keys[1:], axis+1)
	}
	n := int64(a.Shape[0])
	if i, ok := keys[0].(int64); ok {
		if i < -n || i >= n {
			return nil, vinegar.IndexError.Errorf("index %d is out of bounds for axis %d with size %d", i, axis, n)
		}
		return row((i + n) % n)
	}
	rows := make(brine.Tuple, n)
	for i := range rows {
		rows[i] = int64(i)
	}
	at, err := exposed.GetItem(ctx, rows, keys[0])
	if errors.Is(err, vinegar.TypeError) {
		return nil, vinegar.IndexError.New("only integers, slices (`:`) and ellipsis (`...`) are valid indices")
	}
	if err != nil {
		return nil, err
	}
	if i, ok := at.(int64); ok {
		return row(i)
	}
	part := &pickle.Array{DType: a.DType, Fields: a.Fields, Shape: append([]int{0}, a.Shape[1:]...)}
	for _, i := range at.(brine.Tuple) {
		r, err := row(i.(int64))
		if err != nil {
			return nil, err
		}
		part.Shape = append([]int{part.Shape[0] + 1}, r.Shape...)
		part.Data, part.Objects = append(part.Data, r.Data...), append(part.Objects, r.Objects...)
		part.Mask = append(part.Mask, r.Mask...)
	}
	if part.Shape[0] > 0 {
		return part, nil
	}
	rest, err := partOf(ctx, &pickle.Array{Shape: a.Shape[1:]}, keys[1:], axis+1) // what shape they would have
	if err == nil {
		part.Shape = append(part.Shape[:1], rest.Shape...)
	}
	return part, err
}

// arrayOf is what a method __array__ returned, as an array.
func arrayOf(v any) (*pickle.Array, error) {
	switch x := v.(type) {
	case *pickle.Array:
		return x, nil
	case []float64:
		return pickle.NewArray(x)
	case []float32:
		return pickle.NewArray(x)
	case []int64:
		return pickle.NewArray(x)
	case []int32:
		return pickle.NewArray(x)
	case []bool:
		return pickle.NewArray(x)
	case []complex128:
		return pickle.NewArray(x)
	case []int:
		wide := make([]int64, len(x))
		for i, n := range x {
			wide[i] = int64(n)
		}
		return pickle.NewArray(wide)
	}
	return nil, vinegar.TypeError.Errorf("__array__ must return a *pickle.Array or a slice of numbers, not a %s",
		strings.TrimPrefix(reflect.TypeOf(v).String(), "*"))
}
