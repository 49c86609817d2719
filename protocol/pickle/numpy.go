package pickle

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
)

// DType is a numpy.dtype of elements without fields, by its name with the byte order: "<f8".
type DType string

// ClassName is the Python class, as netref.Object has it.
func (d DType) ClassName() string { return "numpy.dtype" }

// size is how many bytes an element takes; not ok if that is not known.
func (d DType) size() (int, bool) {
	if d == "|O" {
		return 0, true
	}
	if len(d) < 3 {
		return 0, false
	}
	digits, _, _ := strings.Cut(string(d[2:]), "[")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > 1<<30 {
		return 0, false
	}
	if d[1] == 'U' {
		n *= 4
	}
	return n, true
}

// makeDType takes dtype('f8', False, True) with a state of (3, '<', subtype, names, fields, size, alignment, flags),
// for dates (4, …, flags, (metadata, (b'ns', 1, 1, 1))). What has fields or is an array in each element has a name such
// as 'V16', or numpy.record in place of one, and becomes a *Layout.
func makeDType(c *call) (any, error) {
	switch c.args0().(type) {
	case *Dict, brine.Tuple:
		if l, ok := c.written(c.args0(), 0); ok && c.bare() {
			return &l, nil
		}
		return nil, errForm
	}
	name, ok := asText(c.args0())
	if c.args0() == (Class{"numpy", "record"}) {
		name, ok = "V0", true
	}
	if !ok || len(name) < 2 || len(name) > 16 || !strings.Contains("biufcOUSMmV", name[:1]) {
		return nil, errForm
	}
	if name[0] == 'O' {
		name = "O"
	}
	state, err := c.state()
	if err != nil {
		return nil, err
	}
	order := "|"
	if t, ok := state.(brine.Tuple); ok && len(t) >= 8 {
		order, ok = asText(t[1])
		if name[0] == 'V' {
			return c.layout(t)
		}
		if !ok || !strings.Contains("<>|=", order) || len(order) != 1 || t[2] != nil || t[3] != nil || t[4] != nil {
			return nil, errForm
		}
		if len(t) > 8 && (name[0] == 'M' || name[0] == 'm') {
			unit, ok := dateUnit(t[8])
			if !ok {
				return nil, errForm
			}
			name += unit
		}
	} else if state != nil || name[0] == 'V' {
		return nil, errForm
	}
	if order == "=" {
		order = "<"
	}
	d := DType(order + name)
	if _, ok := d.size(); !ok {
		return nil, errForm
	}
	return d, nil
}

func (c *call) args0() any {
	if len(c.args) == 0 {
		return nil
	}
	return c.args[0]
}

func asText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case []byte:
		return string(x), true
	}
	return "", false
}

// dateUnit reads the unit out of (metadata, (unit, how many, 1, 1)).
func dateUnit(v any) (string, bool) {
	t, ok := v.(brine.Tuple)
	if !ok || len(t) != 2 {
		return "", false
	}
	if t, ok = t[1].(brine.Tuple); !ok || len(t) < 2 {
		return "", false
	}
	unit, ok := asText(t[0])
	if !ok || len(unit) > 8 {
		return "", false
	}
	if t[1] != int64(1) {
		return fmt.Sprintf("[%v%s]", t[1], unit), true
	}
	return "[" + unit + "]", true
}

// arrayClasses are the classes of arrays whose elements are all that matters.
var arrayClasses = map[Class]bool{
	{"numpy", "ndarray"}: true, {"numpy", "matrix"}: true, {"numpy.matrixlib.defmatrix", "matrix"}: true,
	{"numpy", "recarray"}: true, {"numpy.rec", "recarray"}: true, {"numpy", "memmap"}: true,
}

// makeArray takes _reconstruct(ndarray, (0,), b'b') with a state of (1, shape, dtype, fortran, data), and
// _mareconstruct(MaskedArray, ndarray, (0,), b'b'), whose state has a mask and a fill value behind the data.
func makeArray(c *call) (any, error) {
	class, ok := c.args0().(Class)
	masked := class.Name == "MaskedArray"
	if !ok || len(c.args) < 3 || !masked && !arrayClasses[class] {
		return nil, errForm
	}
	state, err := c.state()
	if err != nil {
		return nil, err
	}
	t, ok := state.(brine.Tuple)
	if !ok || len(t) != 5 && !(masked && len(t) == 7) {
		return nil, errForm
	}
	fortran := t[3] == true || t[3] == int64(1)
	v, err := c.array(t[1], t[2], fortran, t[4])
	if err != nil || !masked {
		return v, err
	}
	a, _ := v.(*Array)
	mask, err := c.array(t[1], DType("|b1"), fortran, t[5])
	if err != nil || a.Fields != nil {
		return nil, errForm
	}
	m, _ := mask.(*Array)
	if err := c.r.spend(len(m.Data)); err != nil {
		return nil, err
	}
	if bytes.Count(m.Data, []byte{0}) < len(m.Data) {
		a.Mask = m.Data
	}
	return a, nil
}

// makeArrayFrom takes _frombuffer(data, dtype, shape, order), which protocol 5 writes.
func makeArrayFrom(c *call) (any, error) {
	if len(c.args) != 4 || !c.bare() {
		return nil, errForm
	}
	return c.array(c.args[2], c.args[1], c.args[3] == "F", c.args[0])
}

// makeArrayOver takes ndarray(shape, dtype, buffer), which this package writes.
func makeArrayOver(c *call) (any, error) {
	if len(c.args) != 3 || !c.bare() {
		return nil, errForm
	}
	l, ok := c.written(c.args[1], 0)
	if !ok {
		return nil, errForm
	}
	return c.array(c.args[0], &l, false, c.args[2])
}

func (c *call) array(shape, element any, fortran bool, data any) (any, error) {
	l, ok1 := element.(*Layout)
	if d, plain := element.(DType); plain {
		l, ok1 = &Layout{DType: string(d), objects: d == "|O"}, true
	}
	dims, ok2 := dimensions(shape)
	if !ok1 || !ok2 || l.Shape != nil {
		return nil, errForm
	}
	a := &Array{DType: l.DType, Shape: dims, Fortran: fortran, Fields: l.Fields}
	n, ok := a.elements()
	if !ok || n == 0 && tooEmpty(a.Shape) {
		return nil, errForm
	}
	size, ok := DType(l.DType).size()
	switch x := data.(type) {
	case []byte:
		a.Data = x
	case ByteArray:
		a.Data = x
	case string: // from Python 2
		b, isLatin := c.latin1(x)
		if !isLatin {
			return nil, errForm
		}
		a.Data = b
	case []any:
		if !l.objects || len(x) != n {
			return nil, errForm
		}
		a.Objects = x
		return a, nil
	}
	if !ok || l.objects || len(a.Data) != n*size {
		return nil, errForm
	}
	return a, nil
}

// tooEmpty tells a shape that holds nothing but is long: its rows would be made all the same.
func tooEmpty(shape []int) bool {
	n := int64(1)
	for _, d := range shape {
		if d > 1<<20 {
			return true
		}
		if d > 0 && n < 1<<40 {
			n *= int64(d)
		}
	}
	return n > 1<<20
}

// makeScalar takes scalar(dtype, data), a number that was an element of an array.
func makeScalar(c *call) (any, error) {
	if len(c.args) != 2 || !c.bare() {
		return nil, errForm
	}
	data := c.args[1]
	if t, ok := data.(brine.Tuple); ok { // a record with objects in it
		data = []any{t}
	}
	v, err := c.array(brine.Tuple{}, c.args[0], false, data)
	if err != nil || c.r.exact {
		return v, err
	}
	return elementOf(v.(*Array))
}

// makeItem takes getitem(array, ()) of an array without dimensions, as this package writes a record.
func makeItem(c *call) (any, error) {
	if len(c.args) != 2 || !c.bare() {
		return nil, errForm
	}
	a, isArray := c.args[0].(*Array)
	if index, ok := c.args[1].(brine.Tuple); !ok || len(index) > 0 || !isArray || len(a.Shape) > 0 {
		return nil, errForm
	}
	if c.r.exact {
		return a, nil
	}
	return elementOf(a)
}

// elementOf is the element of an array without dimensions.
func elementOf(a *Array) (any, error) {
	switch x := a.GoValue().(type) {
	case nil, error:
		return nil, errForm
	case int64, float64, bool, complex128, string, []byte:
		return x, nil
	default:
		return scalar(x), nil
	}
}
