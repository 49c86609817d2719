package exposed

import (
	"reflect"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
)

func init() { copied = Copy.Of }

// Of returns a copy of v in the form: structs by their exported fields, under their Python names, slices, arrays and
// sets as tuples of their items, other maps as tuples of pairs. What is inside is copied in the same way, but
// registered types, which go as they were registered; times, errors, funcs and everything else that is no such value
// is what it always is. What contains itself, or is nested deeper than 200 levels, is Ellipsis there.
func (f Copy) Of(v any) any {
	if f == ByReference || v == nil {
		return v
	}
	return f.of(reflect.ValueOf(v), nil, true)
}

// of copies a value that is inside those that the pointers of the path lead to, or at the top.
func (f Copy) of(rv reflect.Value, path []any, top bool) any {
	for rv.Kind() == reflect.Interface || rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil
		}
		if rv.Kind() == reflect.Pointer {
			if rv.Type().Elem() == bigIntType || asIs(rv.Type(), top) {
				return rv.Interface()
			}
			p := rv.Interface()
			if slices.Contains(path, p) {
				return brine.Ellipsis
			}
			path = append(path, p)
		}
		rv = rv.Elem()
	}
	v, t := rv.Interface(), rv.Type()
	switch {
	case len(path) > maxNesting:
		return brine.Ellipsis
	case asIs(t, top):
		return v
	}
	path = append(path, nil) // counts the levels
	switch t.Kind() {
	case reflect.Struct:
		if t != bigIntType {
			return f.fields(rv, path)
		}
	case reflect.Slice, reflect.Array:
		if isByte(t.Elem()) {
			return v
		}
		items := make(brine.Tuple, rv.Len())
		for i := range items {
			items[i] = f.of(rv.Index(i), path, false)
		}
		return items
	case reflect.Map:
		keys := rv.MapKeys()
		slices.SortFunc(keys, pyvalue.CompareKeys)
		items := make(brine.Tuple, len(keys))
		for i, k := range keys {
			items[i] = f.of(k, path, false)
			if !isEmptyStruct(t.Elem()) {
				items[i] = brine.Tuple{items[i], f.of(rv.MapIndex(k), path, false)}
			}
		}
		return items
	}
	return v
}

// asIs reports whether values of a type are what they always are, inside of what is copied or at the top.
func asIs(t reflect.Type, top bool) bool {
	return typeFaces[t] != nil || t.Implements(errorType) || !top && registered(t)
}

// fields copies a struct.
func (f Copy) fields(rv reflect.Value, path []any) any {
	items := brine.Tuple{}
	for _, field := range reflect.VisibleFields(rv.Type()) {
		name, _ := names.OfField(field)
		if name == "" || field.Anonymous {
			continue
		}
		fv, err := rv.FieldByIndexErr(field.Index)
		var item any
		if err == nil { // otherwise of an embedded nil pointer
			item = f.of(fv, path, false)
		}
		if f == AsPairs {
			item = brine.Tuple{name, item}
		}
		items = append(items, item)
	}
	return items
}
