package netref

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// assignObject converts an object of the peer.
func assignObject(ctx context.Context, dst reflect.Value, o *Object) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Func:
		if yield := seqYield(t); yield != nil {
			dst.Set(makeSeq(ctx, t, yield, o))
			return nil
		}
		dst.Set(makeFunc(ctx, t, o))
		return nil
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			return assignBytes(ctx, dst, o)
		}
		items, err := o.chunk(ctx, -1)
		if err != nil {
			return notThat(err, o, t)
		}
		return assignItems(ctx, dst, items, typeName(o))
	case reflect.Map:
		return assignMapping(ctx, dst, o)
	case reflect.Struct:
		return assignStruct(ctx, dst, o)
	case reflect.Pointer:
		if t.Elem().Kind() != reflect.Pointer && t != bigIntType {
			return pointee(dst, func(e reflect.Value) error { return assignObject(ctx, e, o) })
		}
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		// Python's subclasses of str, int … travel by reference. Their str() or int() is their value only if the
		// programmer says so: no silent conversion.
	}
	return &ConvertError{From: typeName(o), To: t}
}

// notThat tells an object that cannot be asked for its contents from a failed conversation.
func notThat(err error, o *Object, t reflect.Type) error {
	if errors.Is(err, vinegar.TypeError) || errors.Is(err, vinegar.AttributeError) || errors.Is(err, vinegar.LookupError) {
		return &ConvertError{From: typeName(o), To: t, Reason: err.Error()}
	}
	return err
}

// assignBytes takes bytearray and memoryview, which iterate as integers.
func assignBytes(ctx context.Context, dst reflect.Value, o *Object) error {
	items, err := o.chunk(ctx, -1)
	if err != nil {
		return notThat(err, o, dst.Type())
	}
	b := make([]byte, len(items))
	for i, v := range items {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 255 {
			return &ConvertError{From: typeName(o), To: dst.Type()}
		}
		b[i] = byte(n)
	}
	dst.SetBytes(b)
	return nil
}

// assignMapping fetches the keys in one request and the values by requests that are all under way together, because a
// mapping's items method is not among what peers allow by default.
func assignMapping(ctx context.Context, dst reflect.Value, o *Object) error {
	asSet := dst.Type().Elem() == emptyType
	if !asSet && notMappings[strings.TrimPrefix(o.ClassName(), "builtins.")] {
		return &ConvertError{From: typeName(o), To: dst.Type(), Reason: "not a mapping"}
	}
	keys, err := o.chunk(ctx, -1)
	if err != nil {
		return notThat(err, o, dst.Type())
	}
	if asSet {
		return assignSet(ctx, dst, keys)
	}
	values, err := gather(ctx, len(keys), func(i int) (*AsyncResult, error) {
		return o.CallMethodAsync(ctx, "__getitem__", keys[i])
	})
	if err != nil {
		return notThat(err, o, dst.Type())
	}
	return assignPairs(ctx, dst, func(yield func(k, v any) error) error {
		for i, k := range keys {
			if err := yield(k, values[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

var emptyType = reflect.TypeFor[struct{}]()

// notMappings are classes whose objects have items and are iterated over, but not by the items' keys.
var notMappings = map[string]bool{
	"list": true, "tuple": true, "set": true, "frozenset": true, "range": true, "str": true, "bytes": true, "bytearray": true,
	"memoryview": true, "generator": true, "list_iterator": true, "collections.deque": true, "array.array": true,
}

// assignSet fills a map of empty structs, Go's set.
func assignSet(ctx context.Context, dst reflect.Value, members []any) error {
	return assignPairs(ctx, dst, func(yield func(k, v any) error) error {
		for _, m := range members {
			if err := yield(m, struct{}{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// gather keeps a bounded number of requests under way at a time.
func gather(ctx context.Context, n int, start func(i int) (*AsyncResult, error)) ([]any, error) {
	const window = 128
	values := make([]any, n)
	var under []*AsyncResult
	defer func() {
		for _, r := range under {
			r.Abandon()
		}
	}()
	started := 0
	for i := range values {
		for started < n && len(under) < window {
			r, err := start(started)
			if err != nil {
				return nil, err
			}
			under = append(under, r)
			started++
		}
		v, err := under[0].Wait(ctx)
		if err != nil {
			return nil, err
		}
		values[i], under = v, under[1:]
	}
	return values, nil
}

// assignStruct fills the exported fields from the object's attributes, or from its items if it is a dict.
func assignStruct(ctx context.Context, dst reflect.Value, o *Object) error {
	t := dst.Type()
	fields := structFields(t)
	if len(fields) == 0 {
		return &ConvertError{From: typeName(o), To: t, Reason: "no exported fields"}
	}
	fromItems := o.ClassName() == "builtins.dict"
	values, err := gather(ctx, len(fields), func(i int) (*AsyncResult, error) {
		if fromItems {
			return o.CallMethodAsync(ctx, "__getitem__", fields[i].name)
		}
		return o.peer.Start(ctx, wire.HandleGetAttr, o, fields[i].name)
	})
	if err != nil {
		return notThat(err, o, t)
	}
	ctx, err = deeper(ctx, o, t)
	if err != nil {
		return err
	}
	for i, f := range fields {
		if err := Assign(ctx, fieldOf(dst, f.index), values[i]); err != nil {
			if fromItems {
				return within(err, step(f.name))
			}
			return within(err, "."+f.name)
		}
	}
	return nil
}

// maxStructs bounds the structs within structs that are filled from objects within objects, which may be a ring.
const maxStructs = 100

type depthKey struct{}

// deeper is the context for the fields of a struct that is filled from o.
func deeper(ctx context.Context, o *Object, t reflect.Type) (context.Context, error) {
	depth, _ := ctx.Value(depthKey{}).(int)
	if depth >= maxStructs {
		return nil, &ConvertError{From: typeName(o), To: t, Reason: "objects nested too deep"}
	}
	return context.WithValue(ctx, depthKey{}, depth+1), nil
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

type structField struct {
	name  string
	index []int
}

// structFields lists the exported fields with their Python names: the `rpyc` tag, or [PythonName] of the field's name.
func structFields(t reflect.Type) []structField {
	var fs []structField
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous || hiddenPointer(t, f.Index) {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("rpyc"), ",")
		switch name {
		case "-":
			continue
		case "":
			name = PythonName(f.Name)
		}
		fs = append(fs, structField{name, f.Index})
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

// AssignRaw converts the value the cursor stands before, which is in brine's encoding and has been checked by
// Cursor.Skip, as [Assign] would convert its decoded form. Numbers, texts and tuples of them go straight into dst.
func AssignRaw(ctx context.Context, dst reflect.Value, c *brine.Cursor) error {
	switch dst.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if c.Kind() == brine.KindInt {
			start := *c
			if n, err := c.Int64(); err == nil {
				return assignInt(dst, n, "int")
			}
			*c = start
		}
	case reflect.Float32, reflect.Float64:
		if c.Kind() == brine.KindFloat {
			f, err := c.Float64()
			if err != nil {
				return err
			}
			return assignFloat(dst, f)
		}
	case reflect.Bool:
		if c.Kind() == brine.KindBool {
			b, err := c.Bool()
			if err != nil {
				return err
			}
			dst.SetBool(b)
			return nil
		}
	case reflect.String:
		if c.Kind() == brine.KindString {
			s, err := c.String()
			if err != nil {
				return err
			}
			dst.SetString(s)
			return nil
		}
	case reflect.Slice:
		if c.Kind() == brine.KindTuple && dst.Type() != tupleType {
			return assignRawItems(ctx, dst, c)
		}
	}
	v, err := c.Value()
	if err != nil {
		return err
	}
	return Assign(ctx, dst, v)
}

func assignRawItems(ctx context.Context, dst reflect.Value, c *brine.Cursor) error {
	n, err := c.Tuple()
	if err != nil {
		return err
	}
	s := reflect.MakeSlice(dst.Type(), n, n)
	for i := range n {
		if err := AssignRaw(ctx, s.Index(i), c); err != nil {
			return within(err, step(i))
		}
	}
	dst.Set(s)
	return nil
}
