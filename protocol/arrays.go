package protocol

import (
	"context"
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
		"shape": {Get: func(a *pickle.Array) brine.Tuple { return shapeOf(a) }},
		"dtype": {Get: func(a *pickle.Array) string { return a.DType }},
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

func shapeOf(a *pickle.Array) brine.Tuple {
	t := make(brine.Tuple, len(a.Shape))
	for i, n := range a.Shape {
		t[i] = n
	}
	return t
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

// itemOf is a[key] for an int, a slice of the first dimension, or a tuple of ints.
func itemOf(ctx context.Context, a *pickle.Array, key any) (any, error) {
	if indices, ok := key.(brine.Tuple); ok {
		v := any(a)
		for i, index := range indices {
			row, ok := v.(*pickle.Array)
			if !ok {
				return nil, vinegar.IndexError.Errorf(
					"too many indices for array: array is %d-dimensional, but %d were indexed", i, len(indices))
			}
			var err error
			if v, err = itemOf(ctx, row, index); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
	if len(a.Shape) == 0 {
		return nil, vinegar.IndexError.New("too many indices for array: array is 0-dimensional, but 1 were indexed")
	}
	if i, ok := key.(int64); ok && i >= -int64(a.Shape[0]) && i < int64(a.Shape[0]) {
		return a.Item(int(i+int64(a.Shape[0])) % a.Shape[0]), nil
	}
	rows := make(brine.Tuple, a.Shape[0])
	for i := range rows {
		rows[i] = int64(i)
	}
	at, err := exposed.GetItem(ctx, rows, key)
	if err != nil {
		if _, isInt := key.(int64); isInt {
			return nil, vinegar.IndexError.Errorf("index %d is out of bounds for axis 0 with size %d", key, len(rows))
		}
		return nil, err
	}
	some, ok := at.(brine.Tuple)
	if !ok {
		return a.Item(int(at.(int64))), nil
	}
	a = a.Part(0, len(rows)) // not in Fortran's order, whose parts are copies
	part := a.Part(0, 0)
	part.Data, part.Objects, part.Mask = slices.Clip(part.Data), slices.Clip(part.Objects), slices.Clip(part.Mask)
	for _, i := range some {
		row := a.Part(int(i.(int64)), int(i.(int64))+1)
		part.Shape[0]++
		part.Data, part.Objects = append(part.Data, row.Data...), append(part.Objects, row.Objects...)
		part.Mask = append(part.Mask, row.Mask...)
	}
	return part, nil
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
