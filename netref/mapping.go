package netref

import (
	"iter"
	"reflect"
)

// Mapping is implemented by local values that hold pairs, such as the dicts of package pickle: they are converted to
// maps, and those whose keys are names to structs.
type Mapping interface {
	// All iterates over keys and values.
	All() iter.Seq2[any, any]
}

// Former is implemented by local values that take other forms for other Go types, such as the objects of package
// pickle: a namedtuple fills slices by its items, and no maps.
type Former interface {
	// Form returns what is to be converted to t in place of the value, or an error; false if it has no such form. If sure
	// is set, only a form that the value has beyond doubt is wanted, because the object that it was copied of can still be
	// asked.
	Form(t reflect.Type, sure bool) (form any, ok bool)
}

// A Field is an exported field of a struct under the name that Python knows it by.
type Field struct {
	// Name is the name in the field's `rpyc` tag, or [PythonName] of its own.
	Name string
	// Index is the way to it, for reflect.Value.FieldByIndex.
	Index []int
	// Options are the words behind the name in the tag, such as "readonly".
	Options []string
}

// Fields lists the exported fields of a struct type that take part in conversions, those of embedded structs included:
// all but those tagged `rpyc:"-"`.
func Fields(t reflect.Type) []Field {
	var fs []Field
	for _, f := range structFields(t) {
		fs = append(fs, Field{f.name, f.index, f.opts})
	}
	return fs
}

// pairs converts local pairs to a map or to the fields of a struct.
func (c *conversion) pairs(dst reflect.Value, m Mapping) error {
	t := dst.Type()
	if t.Kind() == reflect.Map {
		to := reflect.MakeMap(t)
		dst.Set(to)
		for k, v := range m.All() {
			item := &v
			if t.Elem() == emptyType {
				item = nil
			}
			if err := c.put(to, k, item, nil); err != nil {
				return err
			}
		}
		return nil
	}
	fields := structFields(t)
	if len(fields) == 0 {
		return &ConvertError{From: typeName(m), To: t, Reason: "no exported fields"}
	}
	values := map[any]any{}
	for k, v := range m.All() {
		if name, ok := k.(string); ok {
			values[name] = v
		}
	}
	for _, f := range fields {
		v, ok := values[f.name]
		switch {
		case !ok && f.has("optional"):
			continue
		case !ok:
			return &ConvertError{From: typeName(m), To: t, Reason: "no " + f.name}
		}
		if err := c.inside(step{kind: toAttr, name: f.name}, func() error {
			return c.assign(fieldOf(dst, f.index), v)
		}); err != nil {
			return err
		}
	}
	return nil
}
