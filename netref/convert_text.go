package netref

import (
	"math/big"
	"reflect"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

var (
	timeType  = reflect.TypeFor[time.Time]()
	ratType   = reflect.TypeFor[big.Rat]()
	floatType = reflect.TypeFor[big.Float]()
)

// text asks for an object's str(), which every peer tells, and makes a value of it.
func (c *conversion) text(dst reflect.Value, o *Object) error {
	t := dst.Type()
	if o.IsClass() || isBuiltin(o) {
		return &ConvertError{From: typeName(o), To: t}
	}
	return c.askText(o, t, func(s string) error { return c.setText(dst, o, s) })
}

func (c *conversion) askText(o *Object, t reflect.Type, got func(s string) error) error {
	return c.ask(o, wire.HandleStr, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, t)
		}
		s, ok := v.(string)
		if !ok {
			return &ConvertError{From: typeName(o), To: t}
		}
		return got(s)
	})
}

// numpyTimes are the classes whose objects may be NaT, which only their text tells.
var numpyTimes = classes("numpy.datetime64", "numpy.timedelta64")

// textOrMissing is text for a pointer, which is nil for NaT.
func (c *conversion) textOrMissing(dst reflect.Value, o *Object) error {
	return c.askText(o, dst.Type().Elem(), func(s string) error {
		if s == "NaT" {
			dst.SetZero()
			return nil
		}
		p := reflect.New(dst.Type().Elem())
		dst.Set(p)
		return c.setText(p.Elem(), o, s)
	})
}

// setText makes a value of an object's str().
func (c *conversion) setText(dst reflect.Value, o *Object, s string) error {
	t := dst.Type()
	unfit := &ConvertError{From: typeName(o), To: t, Value: s}
	switch t {
	case timeType:
		if o.ClassName() == "numpy.datetime64" {
			s = wholeTime(s)
		}
		if setTime(dst, s) {
			return nil
		}
		if numpyTimes[o.ClassName()] {
			return unfit
		}
		// A class derived from datetime may have a str() of its own.
		return c.ask(o, wire.HandleCallAttr, func(v any, _ error) error {
			if iso, ok := v.(string); ok && setTime(dst, iso) {
				return nil
			}
			return unfit
		}, "isoformat", brine.Tuple{}, brine.Tuple{})
	case durationType:
		d, ok := pyvalue.ParseDuration(s)
		if !ok {
			return unfit
		}
		dst.SetInt(int64(d))
	default:
		if err := pyvalue.SetText(dst, s); err != nil {
			unfit.Reason = err.(*pyvalue.FitError).Reason
			if (t == ratType || t == floatType) && isNumber(o) && !dropsImaginary(o) {
				return c.numberInstead(dst, o, unfit)
			}
			return unfit
		}
	}
	return nil
}

// numberInstead takes the number of an object whose text is none: of a member of an IntFlag.
func (c *conversion) numberInstead(dst reflect.Value, o *Object, unfit error) error {
	var ask func(methods []string) error
	ask = func(methods []string) error {
		if len(methods) == 0 {
			return unfit
		}
		return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
			if exc != nil {
				return ask(methods[1:])
			}
			return fitted(pyvalue.SetNumber(dst, v))
		}, methods[0], brine.Tuple{}, brine.Tuple{})
	}
	return ask([]string{"__index__", "__float__"})
}

func setTime(dst reflect.Value, s string) bool {
	parsed, ok := pyvalue.ParseTime(s)
	if ok {
		dst.Set(reflect.ValueOf(parsed))
	}
	return ok
}

// wholeTime completes the text of a numpy.datetime64, which has no more than its unit: 2024-03 is in months.
func wholeTime(s string) string {
	const midnight = "2006-01-01T00:00:00"
	if n := len(s); n >= len("2006") && n < len(midnight) {
		s += midnight[n:]
	}
	return s
}
