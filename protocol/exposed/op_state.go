package exposed

import (
	"context"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
)

// State returns what a copy of an object has to have: its exposed fields, under their Python names without a prefix,
// and its own dictionary ([Attrs]). Methods and computed properties are not among them. ok is false for what is no
// struct, and for what is one only to Go, such as a *[List].
func State(ctx context.Context, v any) (fields []netref.Keyword, ok bool, err error) {
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil, false, nil
	}
	c := ClassOf(v)
	if c.goType != t.Elem() {
		return nil, false, nil
	}
	for _, f := range netref.Fields(t.Elem()) {
		a := c.flat[DefaultPrefix+f.Name]
		if a == nil || a.kind != propertyAttr {
			continue
		}
		value, err := a.get(ctx, v)
		if err != nil {
			return nil, true, err
		}
		fields = append(fields, netref.Keyword{Name: f.Name, Value: value})
	}
	own := attrsOf(v)
	for _, name := range own.Names() {
		if value, ok := own.Get(name); ok {
			fields = append(fields, netref.Keyword{Name: strings.TrimPrefix(name, DefaultPrefix), Value: value})
		}
	}
	return fields, true, nil
}
