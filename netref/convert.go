package netref

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// ConvertError says that a value received from the peer does not fit the Go type it was to be converted to.
type ConvertError struct {
	// Path leads to the value inside a larger one, such as `[3]["price"]`; empty for the value itself.
	Path string
	// From is the value's Python type.
	From string
	// To is the Go type.
	To reflect.Type
	// Reason is set if the type would do but the value does not, such as "out of range".
	Reason string
}

// Error implements error.
func (e *ConvertError) Error() string {
	s := "cannot use " + e.From + " as " + e.To.String()
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	if e.Path != "" {
		s = "value" + e.Path + ": " + s
	}
	return s
}

// As makes the error a TypeError where it reaches Python (see vinegar.FromError).
func (e *ConvertError) As(target any) bool {
	p, ok := target.(**vinegar.Error)
	if ok {
		*p = vinegar.TypeError.New(e.Error())
	}
	return ok
}

// Valuer is implemented by local objects that stand for a Go value of another type, so that one that comes back from
// the peer can be converted like the value.
type Valuer interface {
	// GoValue returns the value stood for.
	GoValue() any
}

var (
	boolType     = reflect.TypeFor[bool]()
	objectType   = reflect.TypeFor[*Object]()
	tupleType    = reflect.TypeFor[brine.Tuple]()
	bigIntType   = reflect.TypeFor[*big.Int]()
	durationType = reflect.TypeFor[time.Duration]()
)

// Assign converts v, a value as received from a peer, to dst's type and stores it there. dst must be settable.
//
//	from the peer              to
//	any value                  an interface it implements, any
//	None                       nil of a pointer, interface, slice, map or func; otherwise an error
//	bool, int                  integer kinds (range checked), *big.Int, float and complex kinds
//	float                      float and complex kinds; time.Duration (seconds)
//	str, bytes                 string kinds; []byte kinds
//	tuple, frozenset           slices and arrays item by item, brine.Tuple; a frozenset map[T]struct{}
//	remote iterable            slices, fetched in one round trip; map[T]struct{}; iter.Seq[T] and iter.Seq2[T, error], item
//	                           by item as they are ranged over
//	remote mapping             maps, fetched in two rounds; a dict a struct, from its items
//	remote object              *Object; a struct, from its attributes; a func, which calls the object
//	any of these               a pointer to what takes it
//	object of ours come back   its own type, or as the value it stands for ([Valuer])
//
// The fields of a struct are looked for under the name in their tag `rpyc:"name"`, or [PythonName] of their own; all of
// them must be there, and be readable for us. Objects of Python's subclasses of int and str, IntEnum among them, come by
// reference and are not converted to numbers and strings.
//
// ctx is for what has to be asked of the peer, and for calls of funcs that take no context of their own.
func Assign(ctx context.Context, dst reflect.Value, v any) error {
	if v == nil {
		return assignNone(dst)
	}
	t := dst.Type()
	src := reflect.ValueOf(v)
	if src.Type() == t || t.Kind() == reflect.Interface && src.Type().Implements(t) {
		dst.Set(src)
		return nil
	}
	switch v := v.(type) {
	case bool:
		if t.Kind() == reflect.Bool {
			dst.SetBool(v)
			return nil
		}
		n := int64(0)
		if v {
			n = 1
		}
		return assignInt(dst, n, "bool")
	case int64:
		return assignInt(dst, v, "int")
	case *big.Int:
		return assignBig(dst, v)
	case float64:
		return assignFloat(dst, v)
	case complex128:
		if k := t.Kind(); k == reflect.Complex64 || k == reflect.Complex128 {
			dst.SetComplex(v)
			return nil
		}
	case string:
		if t.Kind() == reflect.String {
			dst.SetString(v)
			return nil
		}
	case []byte:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			dst.SetBytes(v)
			return nil
		}
	case brine.Tuple:
		return assignItems(ctx, dst, v, "tuple")
	case brine.FrozenSet:
		if t.Kind() == reflect.Map && t.Elem() == emptyType {
			return assignSet(ctx, dst, v)
		}
		return assignItems(ctx, dst, v, "frozenset")
	case *Object:
		return assignObject(ctx, dst, v)
	default:
		return assignLocal(ctx, dst, src)
	}
	return mismatch(dst, v)
}

// pointee assigns to what a pointer points to: *int takes what int takes, and None.
func pointee(dst reflect.Value, assign func(reflect.Value) error) error {
	p := reflect.New(dst.Type().Elem())
	if err := assign(p.Elem()); err != nil {
		return err
	}
	dst.Set(p)
	return nil
}

func assignNone(dst reflect.Value) error {
	switch dst.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		dst.SetZero()
		return nil
	}
	return mismatch(dst, nil)
}

func mismatch(dst reflect.Value, v any) error {
	if t := dst.Type(); t.Kind() == reflect.Pointer && t != bigIntType && t != objectType && scalarPointer(t, v) {
		return pointee(dst, func(e reflect.Value) error { return Assign(context.Background(), e, v) })
	}
	return &ConvertError{From: typeName(v), To: dst.Type()}
}

// scalarPointer reports whether t is a pointer to a type that could take the by-value v.
func scalarPointer(t reflect.Type, v any) bool {
	k := t.Elem().Kind()
	return v != nil && k != reflect.Struct && k != reflect.Pointer && k != reflect.Interface
}

func assignInt(dst reflect.Value, n int64, from string) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if t == durationType {
			return assignSeconds(dst, float64(n), from)
		}
		if dst.OverflowInt(n) {
			return outOfRange(dst, from)
		}
		dst.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if n < 0 || dst.OverflowUint(uint64(n)) {
			return outOfRange(dst, from)
		}
		dst.SetUint(uint64(n))
	case reflect.Float32, reflect.Float64:
		dst.SetFloat(float64(n))
	case reflect.Complex64, reflect.Complex128:
		dst.SetComplex(complex(float64(n), 0))
	case reflect.Pointer:
		if t == bigIntType {
			dst.Set(reflect.ValueOf(big.NewInt(n)))
			return nil
		}
		return mismatch(dst, n)
	default:
		return &ConvertError{From: from, To: t}
	}
	return nil
}

func assignBig(dst reflect.Value, n *big.Int) error {
	switch dst.Kind() {
	case reflect.Uint, reflect.Uint64:
		if n.IsUint64() && !dst.OverflowUint(n.Uint64()) {
			dst.SetUint(n.Uint64())
			return nil
		}
		return outOfRange(dst, "int")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uintptr:
		return outOfRange(dst, "int")
	case reflect.Float32, reflect.Float64:
		f, _ := new(big.Float).SetInt(n).Float64()
		if math.IsInf(f, 0) || dst.OverflowFloat(f) {
			return outOfRange(dst, "int")
		}
		dst.SetFloat(f)
		return nil
	}
	return &ConvertError{From: "int", To: dst.Type()}
}

func assignFloat(dst reflect.Value, f float64) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		if dst.OverflowFloat(f) {
			return outOfRange(dst, "float")
		}
		dst.SetFloat(f)
		return nil
	case reflect.Complex64, reflect.Complex128:
		dst.SetComplex(complex(f, 0))
		return nil
	}
	if t == durationType {
		return assignSeconds(dst, f, "float")
	}
	return mismatch(dst, f)
}

func assignSeconds(dst reflect.Value, s float64, from string) error {
	ns := s * float64(time.Second)
	if math.IsNaN(ns) || ns >= math.MaxInt64 || ns <= math.MinInt64 {
		return outOfRange(dst, from)
	}
	dst.SetInt(int64(math.Round(ns)))
	return nil
}

func outOfRange(dst reflect.Value, from string) error {
	return &ConvertError{From: from, To: dst.Type(), Reason: "out of range"}
}

// assignItems converts the items of a Python sequence to those of a slice or an array.
func assignItems(ctx context.Context, dst reflect.Value, items []any, from string) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Slice:
		s := reflect.MakeSlice(t, len(items), len(items))
		if err := assignEach(ctx, s, items); err != nil {
			return err
		}
		dst.Set(s)
		return nil
	case reflect.Array:
		if len(items) != t.Len() {
			return &ConvertError{From: from, To: t, Reason: fmt.Sprintf("%d items", len(items))}
		}
		return assignEach(ctx, dst, items)
	case reflect.Pointer:
		if k := t.Elem().Kind(); k == reflect.Slice || k == reflect.Array {
			return pointee(dst, func(e reflect.Value) error { return assignItems(ctx, e, items, from) })
		}
	}
	return &ConvertError{From: from, To: t}
}

func assignEach(ctx context.Context, dst reflect.Value, items []any) error {
	for i, v := range items {
		if err := Assign(ctx, dst.Index(i), v); err != nil {
			return within(err, fmt.Sprintf("[%d]", i))
		}
	}
	return nil
}

// within prefixes the path of a ConvertError with a step that leads to where it happened.
func within(err error, step string) error {
	if e, ok := err.(*ConvertError); ok { // made just below, never wrapped
		c := *e
		c.Path = step + c.Path
		return &c
	}
	return err
}

// assignLocal converts a Go value of this program that went to the peer and came back.
func assignLocal(ctx context.Context, dst, src reflect.Value) error {
	t := dst.Type()
	if src.Type().AssignableTo(t) {
		dst.Set(src)
		return nil
	}
	if v, ok := src.Interface().(Valuer); ok {
		return Assign(ctx, dst, v.GoValue())
	}
	switch {
	case src.Kind() == reflect.Pointer && !src.IsNil() && src.Type().Elem().AssignableTo(t):
		dst.Set(src.Elem())
		return nil
	case src.Kind() == reflect.Slice && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		items := make([]any, src.Len())
		for i := range items {
			items[i] = src.Index(i).Interface()
		}
		return assignItems(ctx, dst, items, "list")
	case src.Kind() == reflect.Map && t.Kind() == reflect.Map:
		return assignPairs(ctx, dst, func(yield func(k, v any) error) error {
			for it := src.MapRange(); it.Next(); {
				if err := yield(it.Key().Interface(), it.Value().Interface()); err != nil {
					return err
				}
			}
			return nil
		})
	case t.Kind() == reflect.Func && src.Kind() == reflect.Func:
		return &ConvertError{From: "function", To: t, Reason: "it is the Go func " + src.Type().String()}
	case basicKind(src.Kind()) && src.Kind() == t.Kind():
		dst.Set(src.Convert(t))
		return nil
	}
	return &ConvertError{From: typeName(src.Interface()), To: t}
}

func basicKind(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String
}

// assignPairs fills a new map of dst's type.
func assignPairs(ctx context.Context, dst reflect.Value, each func(yield func(k, v any) error) error) error {
	t := dst.Type()
	m := reflect.MakeMap(t)
	err := each(func(k, v any) error {
		kv, vv := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		if err := Assign(ctx, kv, k); err != nil {
			return within(err, fmt.Sprintf("[key %v]", k))
		}
		if !kv.Comparable() {
			return &ConvertError{Path: fmt.Sprintf("[key %v]", k), From: typeName(k), To: t.Key(), Reason: "unhashable"}
		}
		if err := Assign(ctx, vv, v); err != nil {
			return within(err, step(k))
		}
		m.SetMapIndex(kv, vv)
		return nil
	})
	if err == nil {
		dst.Set(m)
	}
	return err
}

func step(key any) string {
	if s, ok := key.(string); ok {
		return fmt.Sprintf("[%q]", s)
	}
	return fmt.Sprintf("[%v]", key)
}

// typeName gives the Python type of a received value.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case complex128:
		return "complex"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case brine.Tuple:
		return "tuple"
	case brine.FrozenSet:
		return "frozenset"
	case brine.Slice:
		return "slice"
	case brine.EllipsisType:
		return "ellipsis"
	case brine.NotImplementedType:
		return "NotImplementedType"
	case *Object:
		return strings.TrimPrefix(v.ClassName(), "builtins.")
	}
	return fmt.Sprintf("Go %T", v)
}
