package netref

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// Valuer is implemented by local objects that stand for a Go value of another type, so that one that comes back from
// the peer can be converted like the value.
type Valuer interface {
	// GoValue returns the value stood for.
	GoValue() any
}

var (
	anyType      = reflect.TypeFor[any]()
	stringType   = reflect.TypeFor[string]()
	objectType   = reflect.TypeFor[*Object]()
	tupleType    = reflect.TypeFor[brine.Tuple]()
	bigIntType   = reflect.TypeFor[*big.Int]()
	durationType = reflect.TypeFor[time.Duration]()
)

// Assign converts v, a value as received from a peer, to dst's type and stores it there. dst must be settable; after an
// error it may be filled in part.
//
//	from the peer                to
//	any value                    an interface it implements, any
//	None                         nil of a pointer, interface, slice, map or func; otherwise an error
//	bool, int                    integer kinds (range checked), *big.Int, float and complex kinds
//	float                        float and complex kinds; time.Duration (seconds)
//	str                          string kinds; types with an UnmarshalText method, time.Time
//	bytes                        []byte kinds
//	tuple                        slices and arrays item by item, brine.Tuple; a struct, field by field in their order
//	frozenset                    the same but for structs; map[T]struct{} and map[T]bool
//	remote list, set, iterable   slices and arrays; map[T]struct{}; a set also map[T]bool; iter.Seq[T] and
//	                             iter.Seq2[T, error], item by item as they are ranged over
//	remote dict, mapping         maps; a struct, from a dict's items
//	remote object                *Object; a struct, from its attributes; a func, which calls the object
//	datetime, date, timedelta    time.Time (UTC if it says no zone), time.Duration
//	objects with __index__       integer kinds and *big.Int: members of IntEnum, numpy's integers
//	objects with __float__       float kinds: Decimal, Fraction, numpy's floats
//	objects with a str()         types with an UnmarshalText method: Decimal to *big.Float, UUID, IPv4Address …
//	file-like objects            io.Reader, io.Writer, io.Closer, io.Seeker and their combinations: see [File]
//	any of these                 a pointer to what takes it
//	object of ours come back     its own type, or as the value it stands for ([Valuer])
//
// The fields of a struct are looked for under the name in their tag `rpyc:"name"`, or [PythonName] of their own. All of
// them must be there, and be readable for us, but those tagged `rpyc:",optional"`, which keep their zero value. Objects
// of Python's subclasses of str come by reference and are not converted to strings: their str() is their value only if
// their programmer says so.
//
// What has to be asked of the peer for a value nested in others is asked for together: a list takes one round trip, a
// dict two, a list of dicts three, whatever their size; but no more than 512 requests are under way at a time, and a dict
// takes one for each item unless the peer lets us call items(). Each of them is bounded by the connection's default
// timeout if ctx has no deadline.
//
// ctx is for what has to be asked of the peer, and for calls of funcs that take no context of their own.
func Assign(ctx context.Context, dst reflect.Value, v any) error {
	if done, err := assignValue(dst, v); done {
		return err
	}
	c := conversion{ctx: ctx}
	return c.convert(dst, v)
}

// assignValue converts what needs neither the peer nor a look inside. It reports whether v was such a value.
func assignValue(dst reflect.Value, v any) (done bool, err error) {
	if v == nil {
		return true, assignNone(dst)
	}
	t := dst.Type()
	if src := reflect.ValueOf(v); src.Type() == t || t.Kind() == reflect.Interface && src.Type().Implements(t) {
		dst.Set(src)
		return true, nil
	}
	if t.Kind() == reflect.Pointer && t != bigIntType || t.Kind() == reflect.Struct {
		return false, nil
	}
	switch v := v.(type) {
	case bool:
		if t.Kind() == reflect.Bool {
			dst.SetBool(v)
			return true, nil
		}
		n := int64(0)
		if v {
			n = 1
		}
		return true, assignInt(dst, n, v)
	case int64:
		return true, assignInt(dst, v, v)
	case *big.Int:
		return true, assignBig(dst, v)
	case float64:
		return true, assignFloat(dst, v)
	case complex128:
		if k := t.Kind(); k == reflect.Complex64 || k == reflect.Complex128 {
			dst.SetComplex(v)
			return true, nil
		}
	case string:
		if t.Kind() == reflect.String && !takesText(t) {
			dst.SetString(v)
			return true, nil
		}
		if takesText(t) {
			return true, assignText(dst, v)
		}
	case []byte:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			dst.SetBytes(v)
			return true, nil
		}
	default:
		return false, nil
	}
	return true, notFit(v, t, "")
}

func assignNone(dst reflect.Value) error {
	switch dst.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		dst.SetZero()
		return nil
	}
	return notFit(nil, dst.Type(), "")
}

// assignInt converts the number n, which v is.
func assignInt(dst reflect.Value, n int64, v any) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if t == durationType {
			return assignSeconds(dst, float64(n), v)
		}
		if dst.OverflowInt(n) {
			return notFit(v, t, outOfRange)
		}
		dst.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if n < 0 || dst.OverflowUint(uint64(n)) {
			return notFit(v, t, outOfRange)
		}
		dst.SetUint(uint64(n))
	case reflect.Float32, reflect.Float64:
		dst.SetFloat(float64(n))
	case reflect.Complex64, reflect.Complex128:
		dst.SetComplex(complex(float64(n), 0))
	default:
		if t != bigIntType {
			return notFit(v, t, "")
		}
		dst.Set(reflect.ValueOf(big.NewInt(n)))
	}
	return nil
}

// assignCount is assignInt without a value in an interface, which the scalar path must not make.
func assignCount(dst reflect.Value, n int64) error {
	switch dst.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if dst.Type() != durationType && !dst.OverflowInt(n) {
			dst.SetInt(n)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n >= 0 && !dst.OverflowUint(uint64(n)) {
			dst.SetUint(uint64(n))
			return nil
		}
	}
	return assignInt(dst, n, n)
}

func assignBig(dst reflect.Value, n *big.Int) error {
	t := dst.Type()
	switch dst.Kind() {
	case reflect.Uint, reflect.Uint64:
		if n.IsUint64() && !dst.OverflowUint(n.Uint64()) {
			dst.SetUint(n.Uint64())
			return nil
		}
		return notFit(n, t, outOfRange)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uintptr:
		return notFit(n, t, outOfRange)
	case reflect.Float32, reflect.Float64:
		f, _ := new(big.Float).SetInt(n).Float64()
		if math.IsInf(f, 0) || dst.OverflowFloat(f) {
			return notFit(n, t, outOfRange)
		}
		dst.SetFloat(f)
		return nil
	}
	return notFit(n, t, "")
}

func assignFloat(dst reflect.Value, f float64) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		if dst.OverflowFloat(f) {
			return notFit(f, t, outOfRange)
		}
		dst.SetFloat(f)
		return nil
	case reflect.Complex64, reflect.Complex128:
		dst.SetComplex(complex(f, 0))
		return nil
	}
	if t == durationType {
		return assignSeconds(dst, f, f)
	}
	return notFit(f, t, "")
}

func assignSeconds(dst reflect.Value, s float64, v any) error {
	ns := s * float64(time.Second)
	if math.IsNaN(ns) || ns >= math.MaxInt64 || ns <= math.MinInt64 {
		return notFit(v, dst.Type(), outOfRange)
	}
	dst.SetInt(int64(math.Round(ns)))
	return nil
}

// assignNumber is assignValue for what may be a big.Int, too.
func assignNumber(dst reflect.Value, v any) error {
	if dst.Type() != bigIntType.Elem() {
		if done, err := assignValue(dst, v); done {
			return err
		}
		return notFit(v, dst.Type(), "")
	}
	p := reflect.New(bigIntType).Elem()
	if done, err := assignValue(p, v); err != nil || !done {
		return notFit(v, dst.Type(), "")
	}
	dst.Set(p.Elem())
	return nil
}

const outOfRange = "out of range"

// AssignRaw converts the value the cursor stands before, which is in brine's encoding and has been checked by
// Cursor.Skip, as [Assign] would convert its decoded form. Numbers, texts and tuples of them go straight into dst.
func AssignRaw(ctx context.Context, dst reflect.Value, c *brine.Cursor) error {
	switch dst.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if c.Kind() == brine.KindInt {
			start := *c
			if n, err := c.Int64(); err == nil {
				return assignCount(dst, n)
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
		if c.Kind() == brine.KindString && !takesText(dst.Type()) {
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

// AssignPlain does what [AssignRaw] would without reflection, where dst points to one of the most usual types and the value is of
// just that type. Otherwise it reports false and has done nothing.
func AssignPlain(dst any, c *brine.Cursor) bool {
	var err error
	switch p := dst.(type) {
	case *int:
		if c.Kind() != brine.KindInt || strconv.IntSize < 64 {
			return false
		}
		var n int64
		if n, err = c.Int64(); err == nil {
			*p = int(n)
		}
	case *string:
		if c.Kind() != brine.KindString {
			return false
		}
		var b []byte
		if b, err = c.StringBytes(); err == nil {
			*p = string(b)
		}
	case *float64:
		if c.Kind() != brine.KindFloat {
			return false
		}
		var f float64
		if f, err = c.Float64(); err == nil {
			*p = f
		}
	case *bool:
		if c.Kind() != brine.KindBool {
			return false
		}
		var b bool
		if b, err = c.Bool(); err == nil {
			*p = b
		}
	default:
		return false
	}
	return err == nil
}

func assignRawItems(ctx context.Context, dst reflect.Value, c *brine.Cursor) error {
	n, err := c.Tuple()
	if err != nil {
		return err
	}
	s := reflect.MakeSlice(dst.Type(), n, n)
	for i := range n {
		if err := AssignRaw(ctx, s.Index(i), c); err != nil {
			return within(err, step{i: i}.String())
		}
	}
	dst.Set(s)
	return nil
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
	case interface{ ClassName() string }: // of a pickle
		return v.ClassName()
	}
	return fmt.Sprintf("Go %T", v)
}
