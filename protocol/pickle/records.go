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
	used    int  // how many of a record's bytes the fields take
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
	for _, name := range names {
		text, ok := asText(name)
		v, _ := places.Get(name)
		place, ok1 := v.(brine.Tuple)
		if !ok || !ok1 || len(place) < 2 {
			return nil, errForm
		}
		var of Layout
		switch d := place[0].(type) {
		case DType:
			of = Layout{DType: string(d), objects: d == "|O", leaves: 1}
		case *Layout:
			of = *d
		}
		at, ok := place[1].(int64)
		if !ok || !l.add(text, of, at, size) {
			return nil, errForm
		}
	}
	return l, nil
}

// add adds a field to a record of so many bytes, and reports whether it is there beside the others.
func (l *Layout) add(name string, of Layout, at, size int64) bool {
	n, known := of.size()
	if of.DType == "|O" {
		n = 8
	}
	l.used += n
	l.objects = l.objects || of.objects
	l.leaves += of.leaves
	l.Fields = append(l.Fields, Field{name, int(at), of})
	return known && n > 0 && at >= 0 && at <= size-int64(n) && l.used <= int(size) && l.leaves <= maxLeaves
}

// written takes the argument of numpy.dtype as this package writes it, see element.
func (c *call) written(v any, depth int) (Layout, bool) {
	switch v := v.(type) {
	case string:
		return Layout{DType: v, objects: v == "|O", leaves: 1}, len(v) > 1
	case brine.Tuple:
		if len(v) != 2 || depth > maxShapes {
			return Layout{}, false
		}
		l, ok := c.written(v[0], depth+1)
		if l.Shape != nil || !ok {
			return l, false
		}
		l.Shape, ok = dimensions(v[1])
		_, sized := l.size()
		return l, ok && sized
	case *Dict:
		lists := make([][]any, 3)
		for i, name := range []string{"names", "formats", "offsets"} {
			items, _ := v.Get(name)
			lists[i], _ = items.([]any)
		}
		itemsize, _ := v.Get("itemsize")
		size, ok := itemsize.(int64)
		names, formats, offsets := lists[0], lists[1], lists[2]
		if !ok || size < 0 || size > 1<<30 || len(names) == 0 || len(formats) != len(names) ||
			len(offsets) != len(names) || depth > maxShapes || c.r.spend(128*len(names)) != nil {
			return Layout{}, false
		}
		l := Layout{DType: fmt.Sprintf("|V%d", size)}
		for i := range names {
			name, ok1 := asText(names[i])
			of, ok2 := c.written(formats[i], depth+1)
			at, ok3 := offsets[i].(int64)
			if !ok1 || !ok2 || !ok3 || !l.add(name, of, at, size) {
				return l, false
			}
		}
		return l, true
	}
	return Layout{}, false
}

// maxShapes bounds how deep the layouts are within each other that this package reads of its own writing.
const maxShapes = 32

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

// table has the values of a structured array of one dimension, field by field.
type table struct {
	array   *Array
	columns []reflect.Value
}

// ClassName is numpy's name for it.
func (r *Record) ClassName() string { return "numpy.void" }

// All iterates over the names and values of the fields.
func (r *Record) All() iter.Seq2[any, any] {
	return func(yield func(k, v any) bool) {
		for i, c := range r.table.columns {
			if !yield(r.table.array.Fields[i].Name, c.Index(r.row).Interface()) {
				return
			}
		}
	}
}

// Values are the values of the fields, in their order.
func (r *Record) Values() brine.Tuple {
	items := make(brine.Tuple, len(r.table.columns))
	for i, c := range r.table.columns {
		items[i] = c.Index(r.row).Interface()
	}
	return items
}

// Form implements netref.Former.
func (r *Record) Form(t reflect.Type, _ bool) (any, bool) {
	if kindOf(t) != reflect.Slice {
		return nil, false
	}
	return r.Values(), true
}

// array is a structured array without dimensions that holds the record.
func (r *Record) array() *Array {
	a := r.table.array.Part(r.row, r.row+1)
	a.Shape = a.Shape[1:]
	return a
}

var (
	_ netref.Mapping = (*Record)(nil)
	_ netref.Former  = (*Record)(nil)
)

// records are the elements of a structured array whose last index changes fastest.
func (a *Array) records() (any, error) {
	flat := *a
	flat.Shape = []int{a.Len()}
	all := &table{&flat, make([]reflect.Value, len(a.Fields))}
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
