package exposed

import (
	"context"
	"fmt"
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// addFields enters the exported fields, those of embedded structs included.
func (c *Class) addFields(t reflect.Type) {
	var cut [][]int // embedded fields that are hidden with all they promote
	for _, f := range reflect.VisibleFields(t) {
		name, opts := names.OfField(f)
		under := func() bool {
			for _, path := range cut {
				if len(f.Index) > len(path) && fmt.Sprint(f.Index[:len(path)]) == fmt.Sprint(path) {
					return true
				}
			}
			return false
		}
		if f.Anonymous && (internalType(f.Type) || f.Tag.Get("rpyc") == "-") {
			cut = append(cut, f.Index)
			continue
		}
		tagged := f.Tag.Get("rpyc") != ""
		if name == "" || c.omits(f.Name) || under() || f.Anonymous && !tagged && f.Type.Kind() != reflect.Interface {
			continue
		}
		a := &attr{name: DefaultPrefix + name, goName: f.Name, exposed: true, kind: propertyAttr, field: true}
		if c.private(f.Name) {
			a.name, a.exposed, a.goName = name, false, ""
		}
		a.qual = c.name + "." + a.name
		a.prop = fieldProperty(f, c, a.name, opts["readonly"])
		c.add(a)
	}
}

func fieldProperty(f reflect.StructField, c *Class, name string, readonly bool) *property {
	at := func(self any) (reflect.Value, error) {
		rv, err := structOf(self, c)
		if err != nil {
			return rv, err
		}
		fv, err := rv.FieldByIndexErr(f.Index)
		if err != nil {
			return fv, noAttribute(c, name)
		}
		return fv, nil
	}
	_, byValue := ByValue(reflect.Zero(f.Type).Interface())
	k := f.Type.Kind()
	// A struct or slice is handed out as the field itself, unless it travels by value or is an object like time.Time.
	inPlace := !byValue && typeFaces[f.Type] == nil && (k == reflect.Struct || k == reflect.Slice)
	get := func(_ context.Context, self any) (any, error) {
		fv, err := at(self)
		if err != nil {
			return nil, err
		}
		if inPlace {
			return fv.Addr().Interface(), nil // the field itself, as Python hands out a reference
		}
		lock := guard(fv.Addr().UnsafePointer())
		lock.RLock()
		defer lock.RUnlock()
		return fv.Interface(), nil
	}
	if readonly {
		return &property{get: func(ctx context.Context, self any) (any, error) {
			v, err := get(ctx, self)
			return readOnlyView(v), err
		}}
	}
	p := &property{get: get}
	p.set = func(ctx context.Context, self, value any) error {
		fv, err := at(self)
		if err != nil {
			return err
		}
		nv := reflect.New(f.Type).Elem()
		if err := assignTo(ctx, nv, value, "attribute '"+name+"'"); err != nil {
			return err
		}
		lock := guard(fv.Addr().UnsafePointer())
		lock.Lock()
		defer lock.Unlock()
		fv.Set(nv)
		return nil
	}
	return p
}

// structOf returns the struct of class c that an object points to or embeds. Its fields can be set.
func structOf(self any, c *Class) (reflect.Value, error) {
	rv := reflect.ValueOf(self)
	if rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct || !rv.CanAddr() {
		return rv, vinegar.TypeError.Errorf("'%s' object expected, not '%s'", c.name, TypeName(self))
	}
	if c.goType != rv.Type() { // a class derived from c, whose struct embeds c's
		path, ok := ClassOf(self).embedded[c.goType]
		if !ok {
			return rv, vinegar.TypeError.Errorf("'%s' object expected, not '%s'", c.name, TypeName(self))
		}
		fv, err := rv.FieldByIndexErr(path)
		if err == nil && fv.Kind() == reflect.Pointer {
			if fv.IsNil() {
				return fv, vinegar.TypeError.Errorf("'%s' object has no '%s'", TypeName(self), c.name)
			}
			fv = fv.Elem()
		}
		return fv, err
	}
	return rv, nil
}
