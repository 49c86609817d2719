package pyvalue

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// FitError says that a plain value does not fit the Go type it was to be stored in.
type FitError struct {
	Value  any
	To     reflect.Type
	Reason string // set if the type would do but the value does not, such as OutOfRange
}

// OutOfRange is the reason why a number does not fit.
const OutOfRange = "out of range"

// Error implements error.
func (e *FitError) Error() string {
	s := fmt.Sprintf("cannot use %s as %v", TypeName(e.Value), e.To)
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s
}

func notFit(v any, to reflect.Type, reason string) error {
	return &FitError{Value: v, To: to, Reason: reason}
}

// Set stores v in dst, which must be settable, if that needs no look inside v or dst: None, truth values, numbers,
// texts and bytes into variables that are no pointers and no structs, and whatever dst's type takes as it is. Otherwise
// it reports false and has done nothing. What does not fit is a *[FitError].
func Set(dst reflect.Value, v any) (done bool, err error) {
	if v == nil {
		return true, setNone(dst)
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
		return true, setNumber(dst, truth(v), v)
	case int64:
		return true, setNumber(dst, v, v)
	case *big.Int:
		return true, setBig(dst, v)
	case float64:
		return true, SetFloat64(dst, v)
	case complex128:
		if k := t.Kind(); k == reflect.Complex64 || k == reflect.Complex128 {
			dst.SetComplex(v)
			return true, nil
		}
	case string:
		if t.Kind() == reflect.String && !TakesText(t) {
			dst.SetString(v)
			return true, nil
		}
		if TakesText(t) {
			return true, SetText(dst, v)
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

func setNone(dst reflect.Value) error {
	switch dst.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		dst.SetZero()
		return nil
	}
	return notFit(nil, dst.Type(), "")
}

// setNumber stores n. v is what it was made of, for errors: an int64 or a bool.
func setNumber(dst reflect.Value, n int64, v any) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if t == durationType {
			return setSeconds(dst, float64(n), v)
		}
		if dst.OverflowInt(n) {
			return notFit(v, t, OutOfRange)
		}
		dst.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if n < 0 || dst.OverflowUint(uint64(n)) {
			return notFit(v, t, OutOfRange)
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

// SetInt64 stores n in dst if its type takes it. It allocates nothing, unless it fails or dst is a *big.Int.
func SetInt64(dst reflect.Value, n int64) error {
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
	return setNumber(dst, n, n)
}

func setBig(dst reflect.Value, n *big.Int) error {
	t := dst.Type()
	switch dst.Kind() {
	case reflect.Uint, reflect.Uint64:
		if n.IsUint64() && !dst.OverflowUint(n.Uint64()) {
			dst.SetUint(n.Uint64())
			return nil
		}
		return notFit(n, t, OutOfRange)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uintptr:
		return notFit(n, t, OutOfRange)
	case reflect.Float32, reflect.Float64:
		f, _ := new(big.Float).SetInt(n).Float64()
		if math.IsInf(f, 0) || dst.OverflowFloat(f) {
			return notFit(n, t, OutOfRange)
		}
		dst.SetFloat(f)
		return nil
	case reflect.Complex64, reflect.Complex128:
		f, _ := new(big.Float).SetInt(n).Float64()
		if math.IsInf(f, 0) || dst.OverflowComplex(complex(f, 0)) {
			return notFit(n, t, OutOfRange)
		}
		dst.SetComplex(complex(f, 0))
		return nil
	}
	return notFit(n, t, "")
}

// SetFloat64 stores f in dst if its type takes it.
func SetFloat64(dst reflect.Value, f float64) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		if dst.OverflowFloat(f) {
			return notFit(f, t, OutOfRange)
		}
		dst.SetFloat(f)
		return nil
	case reflect.Complex64, reflect.Complex128:
		dst.SetComplex(complex(f, 0))
		return nil
	}
	if t == durationType {
		return setSeconds(dst, f, f)
	}
	return notFit(f, t, "")
}

func setSeconds(dst reflect.Value, s float64, v any) error {
	ns := s * float64(time.Second)
	if math.IsNaN(ns) || ns >= math.MaxInt64 || ns <= math.MinInt64 {
		return notFit(v, dst.Type(), OutOfRange)
	}
	dst.SetInt(int64(math.Round(ns)))
	return nil
}

// SetNumber is [Set] for what may be a big.Int, big.Rat or big.Float that is no pointer, too, and fails for whatever is
// no number. What it stores in the latter two is exact.
func SetNumber(dst reflect.Value, v any) error {
	switch to := dst.Addr().Interface().(type) {
	case *big.Rat:
		return exactly(v, dst.Type(), func(n *big.Int) { to.SetInt(n) }, func(f float64) bool {
			return to.SetFloat64(f) != nil // no infinity
		})
	case *big.Float:
		return exactly(v, dst.Type(), func(n *big.Int) { to.SetInt(n) }, func(f float64) bool {
			if f == f {
				to.SetFloat64(f)
			}
			return f == f
		})
	}
	if dst.Type() != bigIntType.Elem() {
		if done, err := Set(dst, v); done {
			return err
		}
		return notFit(v, dst.Type(), "")
	}
	p := reflect.New(bigIntType).Elem()
	if done, err := Set(p, v); err != nil || !done {
		return notFit(v, dst.Type(), "")
	}
	dst.Set(p.Elem())
	return nil
}

// exactly has one of the funcs store the int or float that v is; fits says whether a float could be.
func exactly(v any, t reflect.Type, integer func(*big.Int), float func(float64) (fits bool)) error {
	n := NumberOf(v)
	switch {
	case n.Kind == Int:
		integer(n.BigInt())
		return nil
	case n.Kind != Float:
		return notFit(v, t, "")
	case float(n.Float):
		return nil
	}
	return notFit(v, t, OutOfRange)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// SetEncoded stores the number, text or truth value that the cursor stands before, which has been checked by
// Cursor.Skip, in dst without putting it into an interface. It reports false, and has read nothing, if the value is
// none of these or dst is of another kind.
func SetEncoded(dst reflect.Value, c *brine.Cursor) (done bool, err error) {
	switch dst.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if c.Kind() == brine.KindInt {
			start := *c
			if n, err := c.Int64(); err == nil {
				return true, SetInt64(dst, n)
			}
			*c = start
		}
	case reflect.Float32, reflect.Float64:
		if c.Kind() == brine.KindFloat {
			f, err := c.Float64()
			if err != nil {
				return true, err
			}
			return true, SetFloat64(dst, f)
		}
	case reflect.Bool:
		if c.Kind() == brine.KindBool {
			b, err := c.Bool()
			if err == nil {
				dst.SetBool(b)
			}
			return true, err
		}
	case reflect.String:
		if c.Kind() == brine.KindString && !TakesText(dst.Type()) {
			s, err := c.String()
			if err == nil {
				dst.SetString(s)
			}
			return true, err
		}
	}
	return false, nil
}

// Decode does what [SetEncoded] would without reflection, where dst points to one of the most usual types and the value
// is of just that type. Otherwise it reports false and has done nothing.
func Decode(dst any, c *brine.Cursor) bool {
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
