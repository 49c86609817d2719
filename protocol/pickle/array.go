package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Array is a numpy.ndarray: its numbers in one piece, as numpy keeps them.
type Array struct {
	// DType is numpy's name of the element type with its byte order, such as "<f8"; "|O" for Python objects, "|V16" for
	// records of 16 bytes.
	DType string
	// Fields are those of a structured array's records; nil for other arrays.
	Fields []Field
	// Shape is the length of each dimension; empty for a single number.
	Shape []int
	// Fortran says that the first index changes fastest; otherwise the last one does.
	Fortran bool
	// Data are the elements' bytes.
	Data []byte
	// Objects are the elements of an array of Python objects, in place of Data; of records with such fields, tuples.
	Objects []any
	// Mask has a byte for each element of a numpy.ma.MaskedArray, not 0 if the element is missing; it is nil if none is.
	Mask []byte
}

// Number is the element type of arrays that Go has a type for.
type Number interface {
	~bool | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 |
		~float32 | ~float64 | ~complex64 | ~complex128
}

// NewArray makes an array of the numbers, which are copied in one go. Without a shape it has one dimension; otherwise
// the product of the shape must be the number of data.
func NewArray[T Number](data []T, shape ...int) (*Array, error) {
	if len(shape) == 0 {
		shape = []int{len(data)}
	}
	dtype := "<" + kinds[reflect.TypeFor[T]().Kind()]
	size, err := strconv.Atoi(dtype[2:])
	if err != nil {
		return nil, fmt.Errorf("pickle: no numpy type for %v", reflect.TypeFor[T]())
	}
	a := &Array{DType: dtype, Shape: append([]int(nil), shape...)}
	if size == 1 {
		a.DType = "|" + dtype[1:]
	}
	if n, ok := a.elements(); !ok || n != len(data) {
		return nil, fmt.Errorf("pickle: %d elements do not make the shape %v", len(data), shape)
	}
	a.Data, err = binary.Append(make([]byte, 0, size*len(data)), binary.LittleEndian, data)
	return a, err
}

// kinds are numpy's names of Go's kinds.
var kinds = map[reflect.Kind]string{
	reflect.Bool: "b1", reflect.Int8: "i1", reflect.Int16: "i2", reflect.Int32: "i4", reflect.Int64: "i8",
	reflect.Uint8: "u1", reflect.Uint16: "u2", reflect.Uint32: "u4", reflect.Uint64: "u8",
	reflect.Float32: "f4", reflect.Float64: "f8", reflect.Complex64: "c8", reflect.Complex128: "c16",
}

// elements is the product of the shape.
func (a *Array) elements() (int, bool) {
	n := 1
	for _, d := range a.Shape {
		if d < 0 || d > 0 && n > math.MaxInt/16/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// Len is the number of elements.
func (a *Array) Len() int {
	n, _ := a.elements()
	return n
}

// ErrArray is matched by the errors of arrays whose elements are not what is asked for.
var ErrArray = errors.New("pickle: the array has other elements")

// Values returns the elements in the order of the last index changing fastest, each converted to T. Numbers are
// converted as Go converts them if T is wide enough for every element of the array's type: ints to wider ints and to
// floats of at least twice their size, floats to wider floats; otherwise it is an error that matches [ErrArray].
func Values[T Number](a *Array) ([]T, error) {
	src, err := a.slice()
	if err != nil {
		return nil, err
	}
	if a.Mask != nil {
		return nil, fmt.Errorf("%w: some are masked", ErrArray)
	}
	if xs, ok := src.([]T); ok {
		return xs, nil
	}
	from, to := reflect.ValueOf(src), reflect.TypeFor[T]()
	if !widens(from.Type().Elem(), to) {
		return nil, fmt.Errorf("%w: %s, not %v", ErrArray, a.DType, to)
	}
	xs := make([]T, from.Len())
	dst := reflect.ValueOf(xs)
	for i := range xs {
		dst.Index(i).Set(from.Index(i).Convert(to))
	}
	return xs, nil
}

// widens reports whether every value of from is one of to.
func widens(from, to reflect.Type) bool {
	class := func(t reflect.Type) (class byte, bits int) {
		switch k := t.Kind(); {
		case k >= reflect.Int && k <= reflect.Int64:
			return 'i', t.Bits()
		case k >= reflect.Uint && k <= reflect.Uint64:
			return 'u', t.Bits()
		case k == reflect.Float32 || k == reflect.Float64:
			return 'f', t.Bits()
		case k == reflect.Complex64 || k == reflect.Complex128:
			return 'c', t.Bits()
		}
		return 'b', 8
	}
	f, fb := class(from)
	t, tb := class(to)
	switch {
	case f == t:
		return fb <= tb
	case f == 'u' && t == 'i', (f == 'i' || f == 'u') && t == 'f':
		return fb < tb
	}
	return false
}

// GoValue returns the elements as a Go slice of their type, []float64 for "<f8"; of times for dates and of durations
// for differences; of any for Python objects, for records, and where elements are missing, which are nil. An array of
// more dimensions is a []any of arrays with one less, one of none its only element, so that netref.As makes a
// [][]float64 of a matrix. It is an error that names the element type if Go has no such type, as for long doubles, or a
// value has no form there.
func (a *Array) GoValue() any {
	if len(a.Shape) > 1 {
		return a.rows()
	}
	s, err := a.slice()
	if err != nil {
		return err
	}
	if a.Mask != nil {
		xs, v := make([]any, a.Len()), reflect.ValueOf(s)
		for i, masked := range a.Mask {
			if masked == 0 {
				xs[i] = v.Index(i).Interface()
			}
		}
		s = xs
	}
	if len(a.Shape) == 0 {
		if s := reflect.ValueOf(s); s.Len() == 1 {
			return s.Index(0).Interface()
		}
		return fmt.Errorf("%w: %s without an element", ErrArray, a.DType)
	}
	if b, ok := s.([]byte); ok {
		return ByteArray(b) // which becomes a []byte and, unlike one, a []int
	}
	return s
}

// Form implements netref.Former: only of bytes do bytes come, as bytes(a) would have the memory of all numbers, and NaT
// is no zero time where a pointer can say that there is none.
func (a *Array) Form(t reflect.Type, _ bool) (any, bool) {
	if len(a.Shape) != 1 || t.Kind() != reflect.Slice {
		return nil, false
	}
	if t.Elem().Kind() == reflect.Uint8 && a.DType != "|u1" {
		return fmt.Errorf("%w: %s, not bytes", ErrArray, a.DType), true
	}
	if !strings.Contains(a.DType, "M8") || t.Elem().Kind() != reflect.Pointer {
		return nil, false
	}
	times, ok := a.GoValue().([]time.Time)
	if !ok {
		return nil, false
	}
	items := make([]any, len(times))
	for i, when := range times {
		if !when.IsZero() {
			items[i] = when
		}
	}
	return items, true
}

// rows are the arrays along the first dimension.
func (a *Array) rows() []any {
	c, rows := a.rowMajor(), make([]any, a.Shape[0])
	for i := range rows {
		rows[i] = c.Item(i)
	}
	return rows
}

// rowMajor is the array with its last index changing fastest.
func (a *Array) rowMajor() *Array {
	if !a.Fortran || len(a.Shape) < 2 {
		return a
	}
	n := a.Len()
	c := &Array{DType: a.DType, Fields: a.Fields, Shape: a.Shape} // Fortran is false
	size := 0
	if n > 0 {
		size = len(a.Data) / n
	}
	if a.Data != nil {
		c.Data = make([]byte, 0, len(a.Data))
	}
	index := make([]int, len(a.Shape))
	for range n {
		at, stride := 0, 1
		for d, i := range index {
			at += i * stride
			stride *= a.Shape[d]
		}
		if a.Data != nil {
			c.Data = append(c.Data, a.Data[at*size:(at+1)*size]...)
		} else {
			c.Objects = append(c.Objects, a.Objects[at])
		}
		if a.Mask != nil {
			c.Mask = append(c.Mask, a.Mask[at])
		}
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < a.Shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return c
}
