package netref

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// structField is an exported field of a struct with the Python name it stands for.
type structField struct {
	name   string
	index  []int
	tagged bool // the name is in the tag
	opts   []string
}

func (f *structField) has(option string) bool { return slices.Contains(f.opts, option) }

// fieldsOf has the fields of the struct types met so far, which are those of the program.
var fieldsOf sync.Map

// structFields lists the exported fields with their Python names: the `rpyc` tag, or [PythonName] of the field's name.
// Those of embedded structs are among them. The slice is shared.
func structFields(t reflect.Type) []structField {
	if fs, ok := fieldsOf.Load(t); ok {
		return fs.([]structField)
	}
	fs, _ := fieldsOf.LoadOrStore(t, listFields(t))
	return fs.([]structField)
}

func listFields(t reflect.Type) []structField {
	fs := []structField{}
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous || hiddenPointer(t, f.Index) {
			continue
		}
		name, opts, _ := strings.Cut(f.Tag.Get("rpyc"), ",")
		if name == "-" {
			continue
		}
		field := structField{name: name, index: f.Index, tagged: name != "", opts: strings.Split(opts, ",")}
		if name == "" {
			field.name = PythonName(f.Name)
		}
		fs = append(fs, field)
	}
	return fs
}

// hiddenPointer reports whether a field is reached through an embedded pointer that only its own package can set.
func hiddenPointer(t reflect.Type, index []int) bool {
	for _, n := range index[:len(index)-1] {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		f := t.Field(n)
		if f.Type.Kind() == reflect.Pointer && !f.IsExported() {
			return true
		}
		t = f.Type
	}
	return false
}

// fieldOf is dst.FieldByIndex, making the embedded structs that are still nil on the way.
func fieldOf(dst reflect.Value, index []int) reflect.Value {
	for i, n := range index {
		if i > 0 && dst.Kind() == reflect.Pointer {
			if dst.IsNil() {
				dst.Set(reflect.New(dst.Type().Elem()))
			}
			dst = dst.Elem()
		}
		dst = dst.Field(n)
	}
	return dst
}
