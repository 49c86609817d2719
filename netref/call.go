package netref

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ErrReleased is matched by the error of a request that uses a handle after its Release.
var ErrReleased = errors.New("rpyc: netref was released")

// Keyword is a keyword argument of a call.
type Keyword struct {
	Name  string
	Value any
}

// Kw makes a keyword argument: Call(ctx, o, "greet", "Ann", netref.Kw("greeting", "Hi")).
func Kw(name string, value any) Keyword { return Keyword{Name: name, Value: value} }

// KwArgs makes keyword arguments of a struct's fields or of a map with string keys (Python: f(**options)). Fields are
// named as [Assign] says; a nil pointer or interface is not given at all, nor is a zero value whose tag says
// `rpyc:",omitempty"`. A map's arguments are in the order of their names. Anything else is a panic.
func KwArgs(options any) []Keyword {
	v := reflect.ValueOf(options)
	if v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct:
		return fieldArgs(v)
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		kw := make([]Keyword, 0, v.Len())
		for it := v.MapRange(); it.Next(); {
			kw = append(kw, Keyword{it.Key().String(), it.Value().Interface()})
		}
		slices.SortFunc(kw, func(a, b Keyword) int { return strings.Compare(a.Name, b.Name) })
		return kw
	}
	panic(fmt.Sprintf("netref: KwArgs needs a struct or a map with string keys, not %T", options))
}

func fieldArgs(v reflect.Value) []Keyword {
	var kw []Keyword
	for _, f := range structFields(v.Type()) {
		field, err := v.FieldByIndexErr(f.index)
		if err != nil { // behind an embedded pointer that is nil
			continue
		}
		if k := field.Kind(); (k == reflect.Pointer || k == reflect.Interface) && field.IsNil() || f.has("omitempty") &&
			field.IsZero() {
			continue
		}
		kw = append(kw, Keyword{f.name, field.Interface()})
	}
	return kw
}

// splitArgs separates the keywords from the positional arguments, in the forms the protocol has for them.
func splitArgs(args []any) (pos, kw brine.Tuple) {
	for i, a := range args {
		switch a.(type) {
		case Keyword, []Keyword:
			pos = append(brine.Tuple(nil), args[:i]...)
			for _, a := range args[i:] {
				switch k := a.(type) {
				case Keyword:
					kw = append(kw, brine.Tuple{k.Name, k.Value})
				case []Keyword:
					for _, k := range k {
						kw = append(kw, brine.Tuple{k.Name, k.Value})
					}
				default:
					pos = append(pos, a)
				}
			}
			return pos, kw
		}
	}
	return brine.Tuple(args), nil
}

// Call calls the method name of o and converts the result to T. A T of struct{} drops the result.
func Call[T any](ctx context.Context, o *Object, name string, args ...any) (T, error) {
	var t T
	err := o.CallMethodInto(ctx, destination(&t), name, args...)
	return t, err
}

// CallFunc calls the object o itself and converts the result to T.
func CallFunc[T any](ctx context.Context, o *Object, args ...any) (T, error) {
	var t T
	err := o.CallInto(ctx, destination(&t), args...)
	return t, err
}

// Get reads the attribute name of o and converts it to T.
func Get[T any](ctx context.Context, o *Object, name string) (T, error) {
	var t T
	err := o.request(ctx, &t, wire.HandleGetAttr, name)
	if err != nil {
		err = named(name, err)
	}
	return t, err
}

// GetOr reads the attribute name of o, or gives other if there is none or it may not be read (Python: getattr(o, name,
// other)).
func GetOr[T any](ctx context.Context, o *Object, name string, other T) (T, error) {
	t, err := Get[T](ctx, o, name)
	if isAnyOf(err, vinegar.AttributeError) {
		return other, nil
	}
	return t, err
}

// Slice is the key for a slice (Python: o[start:stop:step]), for Item, SetItem and DelItem. Each of its parts may be
// nil, and there may be fewer of them: Slice(1) is o[1:], Slice(nil, 3) o[:3], Slice(nil, nil, -1) o[::-1].
func Slice(parts ...any) brine.Slice {
	var s brine.Slice
	for i, p := range []*any{&s.Start, &s.Stop, &s.Step} {
		if i < len(parts) {
			*p = parts[i]
		}
	}
	return s
}

// Item reads the item key of o and converts it to T.
func Item[T any](ctx context.Context, o *Object, key any) (T, error) {
	return special[T](ctx, o, "'%s' object is not subscriptable", "__getitem__", key)
}

// As converts a value received from a peer to T, asking the peer for the contents of remote containers where T has
// room for them. Errors are *[ConvertError] unless the peer or the connection failed. See [Assign] for the rules.
func As[T any](ctx context.Context, v any) (T, error) {
	var t T
	if err := Assign(ctx, reflect.ValueOf(&t).Elem(), v); err != nil {
		var zero T // t may be filled in part
		return zero, err
	}
	return t, nil
}

// destination is what the result is stored through: p, or nil, which drops it, if p points to a struct{}.
func destination(p any) any {
	if _, ok := p.(*struct{}); ok {
		return nil
	}
	return p
}
