package netref

import (
	"reflect"
	"time"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

var timeType = reflect.TypeFor[time.Time]()

// text asks for an object's str(), which every peer tells, and makes a value of it.
func (c *conversion) text(dst reflect.Value, o *Object) error {
	t := dst.Type()
	if o.IsClass() || isBuiltin(o) {
		return &ConvertError{From: typeName(o), To: t}
	}
	return c.ask(o, wire.HandleStr, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, t)
		}
		s, ok := v.(string)
		if !ok {
			return &ConvertError{From: typeName(o), To: t}
		}
		var err error
		switch t {
		case timeType:
			parsed, ok := pyvalue.ParseTime(s)
			if !ok {
				return &ConvertError{From: typeName(o), To: t, Value: s}
			}
			dst.Set(reflect.ValueOf(parsed))
		case durationType:
			d, ok := pyvalue.ParseDuration(s)
			if !ok {
				return &ConvertError{From: typeName(o), To: t, Value: s}
			}
			dst.SetInt(int64(d))
		default:
			if err = pyvalue.SetText(dst, s); err != nil {
				err = &ConvertError{From: typeName(o), To: t, Value: s, Reason: err.(*pyvalue.FitError).Reason}
			}
		}
		return err
	})
}
