package pickle

// Part returns the rows from i to j of the first dimension, a[i:j], which share the array's memory unless that is in
// Fortran's order. Like an expression with a slice it panics if there are no such rows.
func (a *Array) Part(i, j int) *Array {
	c := a.rowMajor()
	_ = make([]struct{}, a.Shape[0])[i:j]
	p := &Array{DType: a.DType, Fields: a.Fields, Shape: append([]int{j - i}, a.Shape[1:]...)}
	cut := func(n int) (from, to int) {
		if a.Shape[0] == 0 {
			return 0, 0
		}
		row := n / a.Shape[0]
		return row * i, row * j
	}
	if from, to := cut(len(c.Data)); c.Data != nil {
		p.Data = c.Data[from:to]
	}
	if from, to := cut(len(c.Objects)); c.Objects != nil {
		p.Objects = c.Objects[from:to]
	}
	if from, to := cut(len(c.Mask)); c.Mask != nil {
		p.Mask = c.Mask[from:to]
	}
	return p
}

// Item returns row i of the first dimension, a[i]: an *Array with a dimension less, or the element of an array of one
// dimension in the form that [Array.GoValue] gives it. It panics as [Array.Part] does.
func (a *Array) Item(i int) any {
	p := a.Part(i, i+1)
	p.Shape = p.Shape[1:]
	if len(p.Shape) > 0 {
		return p
	}
	return p.GoValue()
}
