package pickle

import (
	"fmt"
	"iter"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

// Layout is a numpy.dtype whose elements have fields or are arrays themselves.
type Layout struct {
	// DType is numpy's name of what it is made of: "|V16" for records of 16 bytes, which have Fields.
	DType string
	// Shape is that of the array in each element; nil for an element that is none.
	Shape []int
	// Fields are those of a record.
	Fields []Field

	objects bool // there are Python objects in it
	leaves  int  // how many fields there are without fields
}

// Field is a field of the records of a structured array.
type Field struct {
	Name string
	// Offset is where the field begins in its record, in bytes.
	Offset int
	Layout
}

// size is how many bytes an element takes.
func (l *Layout) size() (int, bool) {
	n, ok := DType(l.DType).size()
	array := Array{Shape: l.Shape}
	times, ok2 := array.elements()
	return n * times, ok && ok2 && times < 1<<20
}

// dimensions reads a shape.
func dimensions(v any) ([]int, bool) {
	t, ok := v.(brine.Tuple)
	if !ok || len(t) > 64 {
		return nil, false
	}
	dims := make([]int, len(t))
	for i, dim := range t {
		n, ok := dim.(int64)
		if !ok || n < 0 || n > 1<<40 {
			return nil, false
		}
		dims[i] = int(n)
	}
	return dims, true
}

// layout reads the state of a dtype: (3, '|', (base, shape), names, fields, size, alignment, flags), where fields is
// a dict of name to (dtype, offset) or (dtype, offset, title). Fields that overlap are refused, so that every byte is
// decoded once.
func (c *call) layout(state brine.Tuple) (any, error) {
	if base, ok := state[2].(brine.Tuple); ok && len(base) == 2 {
		shape, ok := dimensions(base[1])
		d, plain := base[0].(DType)
		l := &Layout{DType: string(d), Shape: shape, objects: d == "|O", leaves: 1}
		if inner, nested := base[0].(*Layout); nested && inner.Shape == nil {
			*l, plain = *inner, true
			l.Shape = shape
		}
		if _, sized := l.size(); !ok || !plain || !sized {
			return nil, errForm
		}
		return l, nil
	}
	names, ok1 := state[3].(brine.Tuple)
	places, ok2 := state[4].(*Dict)
	size, ok3 := state[5].(int64)
	if !ok1 || !ok2 || !ok3 || len(names) == 0 || size < 0 || size > 1<<30 || c.r.spend(128*len(names)) != nil {
		return nil, errForm
	}
	l := &Layout{DType: fmt.Sprintf("|V%d", size)}
	used := 0
	for _, name := range names {
		text, ok := asText(name)
		v, _ := places.Get(name)
		place, ok1 := v.(brine.Tuple)
		if !ok || !ok1 || len(place) < 2 {
			return nil, errForm
		}
		f := Field{Name: text}
		switch d := place[0].(type) {
		case DType:
			f.Layout = Layout{DType: string(d), objects: d == "|O", leaves: 1}
		case *Layout:
			f.Layout = *d
		}
		n, known := f.size()
		at, ok := place[1].(int64)
		if f.DType == "|O" {
			n = 8
		}
		if !ok || !known || n < 1 || at < 0 || at > size-int64(n) {
			return nil, errForm
		}
		f.Offset = int(at)
		used += n
		l.objects = l.objects || f.objects
		l.leaves += f.leaves
		l.Fields = append(l.Fields, f)
	}
	if used > int(size) || l.leaves > maxLeaves {
		return nil, errForm
	}
	return l, nil
}

// maxLeaves bounds the fields within fields: in a pickle, one can be in many places.
const maxLeaves = 1 << 16

// Field returns a field of all records of a structured array, as numpy's a[name]; nil if there is none of that name.
func (a *Array) Field(name string) *Array {
	for i := range a.Fields {
		if f := &a.Fields[i]; f.Name == name {
			return a.field(i)
		}
	}
	return nil
}

func (a *Array) field(i int) *Array {
	f := &a.Fields[i]
	c := a.rowMajor()
	col := &Array{DType: f.DType, Fields: f.Fields, Shape: append(append([]int{}, a.Shape...), f.Layout.Shape...)}
	if c.Objects != nil {
		for _, o := range c.Objects {
			var v any
			if t, ok := o.(brine.Tuple); ok && i < len(t) {
				v = t[i]
			}
			col.Objects = append(col.Objects, v)
		}
		col.DType, col.Fields, col.Shape = "|O", nil, a.Shape
		return col
	}
	n, _ := f.size()
	size, _ := DType(a.DType).size()
	col.Data = make([]byte, 0, n*a.Len())
	for at := f.Offset; at < len(c.Data); at += size {
		col.Data = append(col.Data, c.Data[at:at+n]...)
	}
	return col
}

// Record is an element of a structured array (numpy.void). netref.As makes structs and maps of it by the names of its
// fields, slices by their order.
type Record struct {
	table *table
	row   int
}

// table has the values of a structured array, field by field.
type table struct {
	fields  []Field
	columns []reflect.Value
}

// ClassName is numpy's name for it.
func (r *Record) ClassName() string { return "numpy.void" }

// All iterates over the names and values of the fields.
func (r *Record) All() iter.Seq2[any, any] {
	return func(yield func(k, v any) bool) {
		for i, c := range r.table.columns {
			if !yield(r.table.fields[i].Name, c.Index(r.row).Interface()) {
				return
			}
		}
	}
}

// Form implements netref.Former.
func (r *Record) Form(t reflect.Type, _ bool) (any, bool) {
	if kindOf(t) != reflect.Slice {
		return nil, false
	}
	var items brine.Tuple
	for _, v := range r.All() {
		items = append(items, v)
	}
	return items, true
}

var (
	_ netref.Mapping = (*Record)(nil)
	_ netref.Former  = (*Record)(nil)
)

// records are the elements of a structured array whose last index changes fastest.
func (a *Array) records() (any, error) {
	all := &table{a.Fields, make([]reflect.Value, len(a.Fields))}
	flat := *a
	flat.Shape = []int{a.Len()}
	for i := range all.columns {
		v := flat.field(i).GoValue()
		if err, failed := v.(error); failed {
			return nil, err
		}
		all.columns[i] = reflect.ValueOf(v)
	}
	records, items := make([]Record, a.Len()), make([]any, a.Len())
	for i := range items {
		records[i] = Record{all, i}
		items[i] = &records[i]
	}
	return items, nil
}
