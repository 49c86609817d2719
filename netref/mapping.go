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

// Parted is implemented by a [Mapping] that may stand for something else, such as an object of package pickle that was
// a namedtuple.
type Parted interface {
	// Parts returns the pairs that a map is made of, or if there are none, the items by which slices and, in their
	// order, the fields of structs are filled. It can have neither.
	Parts() (pairs Mapping, items []any)
}

// partsOf returns what a type is to be made of.
func partsOf(m Mapping, t reflect.Type) (pairs Mapping, items []any) {
	p, ok := m.(Parted)
	if !ok {
		return m, nil
	}
	if t.Kind() == reflect.Struct {
		for range m.All() { // its attributes
			return m, nil
		}
	}
	return p.Parts()
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
	whole := m
	m, items := partsOf(m, t)
	switch {
	case m != nil:
	case items == nil || t.Kind() == reflect.Map:
		return &ConvertError{From: typeName(whole), To: t, Reason: "it has no attributes"}
	default:
		return c.fields(dst, typeName(whole), items)
	}
	if t.Kind() == reflect.Map {
		to := reflect.MakeMap(t)
		dst.Set(to)
		for k, v := range m.All() {
			if err := c.put(to, k, &v, nil); err != nil {
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
