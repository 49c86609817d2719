package netref

import (
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// object converts an object of the peer.
func (c *conversion) object(dst reflect.Value, o *Object) error {
	t := dst.Type()
	switch {
	case (t == ratType || t == floatType) && strings.HasPrefix(o.ClassName(), "numpy.float"): // text has not all digits
		return c.askNumber(dst, o, "__float__")
	case t == timeType, t == durationType && o.ClassName() != "" && !isNumber(o), pyvalue.TakesText(t):
		return c.text(dst, o)
	case t.Kind() == reflect.Interface && fileType.Implements(t):
		dst.Set(reflect.ValueOf(NewFile(c.ctx, o)))
		return nil
	case takesException(t):
		return c.exception(dst, o)
	}
	switch k := t.Kind(); k {
	case reflect.Func:
		if yield := seqYield(t); yield != nil {
			dst.Set(makeSeq(c.ctx, t, yield, o))
			return nil
		}
		dst.Set(makeFunc(c.ctx, t, o))
		return nil
	case reflect.Slice, reflect.Array:
		return c.sequence(dst, o)
	case reflect.Map:
		return c.mapping(dst, o)
	case reflect.Struct:
		if t == bigIntType.Elem() {
			return c.number(dst, o)
		}
		return c.structure(dst, o)
	default:
		if isNumberKind(k) || t == bigIntType || k == reflect.Bool && strings.HasPrefix(o.ClassName(), "numpy.bool") {
			return c.number(dst, o)
		}
		if k == reflect.String && o.ClassName() == "collections.UserString" {
			return c.askText(o, t, func(s string) error {
				dst.SetString(s)
				return nil
			})
		}
		if k == reflect.String && mayBeText(o) {
			return c.derivedText(dst, o)
		}
	}
	return &ConvertError{From: typeName(o), To: t}
}

// mayBeText reports whether an object may be of a class derived from str. Of numpy's one class is, and the others, like
// pandas', add a text to each of their items.
func mayBeText(o *Object) bool {
	module, class, _ := strings.Cut(o.ClassName(), ".")
	return !isBuiltin(o) && !o.IsClass() && module != "pandas" && (module != "numpy" || class == "str_")
}

// derivedText takes the text of an object of a class derived from str. Every object has a str(), but only those add a
// text to themselves and are a str then.
func (c *conversion) derivedText(dst reflect.Value, o *Object) error {
	return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
		s, ok := v.(string)
		switch {
		case ok:
			dst.SetString(s)
			return nil
		case exc != nil && !isAnyOf(exc, vinegar.TypeError, vinegar.AttributeError):
			return exc
		}
		return &ConvertError{From: typeName(o), To: dst.Type()}
	}, "__add__", brine.Tuple{""}, brine.Tuple{})
}

func isNumberKind(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Complex128 }

// notNumbers are the classes of module datetime, whose numbers are their texts, and numpy's, whose floats are numbers
// of whatever unit they have.
var notNumbers = classes("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
	"datetime.timezone", "datetime.tzinfo", "numpy.datetime64", "numpy.timedelta64")

// isNumber reports whether an object may be asked for a number: those of the built-in classes that travel by reference
// have none.
func isNumber(o *Object) bool { return !o.IsClass() && !isBuiltin(o) && !notNumbers[o.ClassName()] }

// dropsImaginary reports whether an object's __float__ returns its real part: numpy's complex numbers only warn.
func dropsImaginary(o *Object) bool {
	name, numpy := strings.CutPrefix(o.ClassName(), "numpy.")
	return numpy && (strings.HasPrefix(name, "complex") || name == "clongdouble")
}

// isReal reports whether an object is known by its class to have no imaginary part.
func isReal(o *Object) bool {
	name, numpy := strings.CutPrefix(o.ClassName(), "numpy.")
	if numpy {
		return strings.HasPrefix(name, "float") || strings.HasPrefix(name, "int") || strings.HasPrefix(name, "uint")
	}
	return name == "decimal.Decimal" || name == "fractions.Fraction"
}

// number asks for the number an object stands for, in the way of Python's own functions that want one: __index__ where
// it has to be an integer, which float has not, __float__ where it need not, and __complex__ where it may be complex.
// If the peer keeps that from us, it is not known whether there is an imaginary part to lose.
func (c *conversion) number(dst reflect.Value, o *Object) error {
	t := dst.Type()
	if !isNumber(o) {
		return &ConvertError{From: typeName(o), To: t}
	}
	switch k := t.Kind(); {
	case k == reflect.Bool, strings.HasPrefix(o.ClassName(), "numpy.bool"): // which is no integer to numpy
		return c.askNumber(dst, o, "__bool__")
	case (t == durationType || k == reflect.Float32 || k == reflect.Float64) && dropsImaginary(o):
		return &ConvertError{From: typeName(o), To: t}
	case t == durationType:
		return c.askNumber(dst, o, "__float__") // a timedelta has none: see askNumber
	case k == reflect.Float32, k == reflect.Float64:
		return c.askNumber(dst, o, "__float__", "__index__")
	case k == reflect.Complex64, k == reflect.Complex128:
		if isReal(o) {
			return c.askNumber(dst, o, "__float__")
		}
		// What is derived from complex has no __complex__ before Python 3.11, and a __float__ that refuses.
		return c.askNumber(dst, o, "__complex__", "__float__", "__pos__")
	}
	return c.askNumber(dst, o, "__index__")
}

// keptComplex takes the number of an object whose __complex__ the peer keeps from us, which it may not have: an integer
// has no imaginary part, and other numbers tell theirs where attributes may be read.
func (c *conversion) keptComplex(dst reflect.Value, o *Object, refusal error) error {
	return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
		if exc == nil {
			return fitted(pyvalue.SetNumber(dst, v))
		}
		return c.complexParts(dst, o, refusal)
	}, "__index__", brine.Tuple{}, brine.Tuple{})
}

// complexParts takes a number from its attributes; refusal is the error if they cannot be read.
func (c *conversion) complexParts(dst reflect.Value, o *Object, refusal error) error {
	parts := make([]float64, 2)
	for i, name := range []string{"real", "imag"} {
		err := c.ask(o, wire.HandleGetAttr, func(v any, exc error) error {
			if exc != nil {
				return notThat(refusal, o, dst.Type())
			}
			return c.assign(reflect.ValueOf(&parts[i]).Elem(), v)
		}, name)
		if err != nil {
			return err
		}
	}
	c.after = append(c.after, func() error {
		dst.SetComplex(complex(parts[0], parts[1]))
		return nil
	})
	return nil
}

// askNumber calls the first of the methods that the object has.
func (c *conversion) askNumber(dst reflect.Value, o *Object, method string, otherwise ...string) error {
	t := dst.Type()
	return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
		switch {
		case exc == nil:
		case method == "__complex__" && denied(exc):
			return c.keptComplex(dst, o, exc)
		case method == "__complex__" && lacks(exc, method) && dropsImaginary(o): // numpy.complex128 before Python 3.11
			return c.complexParts(dst, o, exc)
		case len(otherwise) > 0 && !denied(exc) &&
			(lacks(exc, method) || method == "__float__" && otherwise[0] != "__index__" && errors.Is(exc, vinegar.TypeError)):
			return c.askNumber(dst, o, otherwise[0], otherwise[1:]...)
		case t == durationType && lacks(exc, method) && !denied(exc): // perhaps of a class derived from timedelta
			return c.text(dst, o)
		case isAnyOf(exc, vinegar.ValueError, vinegar.ArithmeticError): // float() of a text, or of what is too large
			return &ConvertError{From: typeName(o), To: t, Reason: exc.Error()}
		case method == "__index__" && lacks(exc, method) && (t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64):
			return &ConvertError{From: typeName(o), To: t} // it lacks __float__, too
		default:
			return notThat(exc, o, t)
		}
		switch v.(type) {
		case bool, int64, *big.Int, float64, complex128:
			return fitted(pyvalue.SetNumber(dst, v))
		}
		return &ConvertError{From: typeName(o), To: t}
	}, method, brine.Tuple{}, brine.Tuple{})
}

// notThat tells an object that cannot be asked for its contents from a failed conversation.
func notThat(exc error, o *Object, t reflect.Type) error {
	if isAnyOf(exc, vinegar.TypeError, vinegar.AttributeError, vinegar.LookupError) {
		if _, own := o.Own(); own { // what it lacks is in this program
			return &ConvertError{From: typeName(o), To: t}
		}
		lacking := isAnyOf(exc, vinegar.AttributeError) && !denied(exc)
		return &ConvertError{From: typeName(o), To: t, Reason: exc.Error(), lacking: lacking}
	}
	return exc
}

// sequence fetches all items of an iterable in one request.
func (c *conversion) sequence(dst reflect.Value, o *Object) error {
	t := dst.Type()
	if isPandas(o, "DataFrame") && ofRows(t) {
		return c.callFor(o, t, "to_dict", brine.Tuple{"records"}, func(rows *Object) error { return c.sequence(dst, rows) })
	}
	bytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	if strings.HasPrefix(o.ClassName(), "numpy.str") || !bytes && strings.HasPrefix(o.ClassName(), "numpy.bytes") {
		return &ConvertError{From: typeName(o), To: t} // as of a str
	}
	if class := typeName(o); bytes && (class == "array.array" || class == "memoryview") { // of numbers of any length
		return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
			switch {
			case exc != nil && class == "memoryview": // most are of bytes
				return c.iterate(dst, o)
			case exc != nil:
				return notThat(exc, o, t)
			}
			return c.assign(dst, v)
		}, "tobytes", brine.Tuple{}, brine.Tuple{})
	}
	if class := typeName(o); t.Kind() == reflect.Slice && c.mayCopy(o, t.Elem(), arrayClasses[class]) {
		switch {
		case arrayClasses[class]:
			return c.array(dst, o)
		case class == "list" && !bytes:
			return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
				items, ok := v.(brine.Tuple)
				switch {
				case !ok || len(items) == sampleItems && !isWorthCopying(items[0]):
					return c.iterate(dst, o)
				case len(items) < sampleItems:
					return c.items(dst, items, class, o)
				}
				return c.list(dst, o, items)
			}, sampleItems)
		}
	}
	return c.iterate(dst, o)
}

// iterate fetches the items of an iterable in one request, and then what has to be asked for of each.
func (c *conversion) iterate(dst reflect.Value, o *Object) error {
	t := dst.Type()
	bytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, t)
		}
		items, err := chunkOf(v)
		if err != nil {
			return err
		}
		if t.Kind() == reflect.Slice && len(items) > manyObjects && isWorthCopying(items[0]) && typeName(o) == "list" {
			if _, known := o.peer.Pickles(); !known && c.mayCopy(o, t.Elem(), true) {
				return c.list(dst, o, items)
			}
		}
		switch {
		case !bytes:
		case assignBytes(dst, items):
			return nil
		case arrayClasses[typeName(o)] && slices.ContainsFunc(items, isNoByte):
			return &ConvertError{From: typeName(o), To: t} // bytes() of it would be longer
		}
		return c.items(dst, items, typeName(o), o)
	}, nil)
}

// isNoByte reports whether an item of an array is of another class than numpy's bytes.
func isNoByte(v any) bool {
	o, ok := v.(*Object)
	return !ok || o.ClassName() != "numpy.uint8"
}

// ofRows reports whether a table is converted to a type row by row, and not by the names of its columns, which a loop
// over it gives.
func ofRows(t reflect.Type) bool {
	e := t.Elem()
	if e.Kind() == reflect.Pointer {
		e = e.Elem()
	}
	return e.Kind() == reflect.Map || e.Kind() == reflect.Struct && !pyvalue.TakesText(e) && e != timeType
}

// assignBytes takes bytearray and memoryview, which iterate as integers, and reports whether all items are bytes.
func assignBytes(dst reflect.Value, items brine.Tuple) bool {
	b := make([]byte, len(items))
	for i, v := range items {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 255 {
			return false
		}
		b[i] = byte(n)
	}
	dst.SetBytes(b)
	return true
}
