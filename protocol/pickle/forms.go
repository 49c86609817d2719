package pickle

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// This file has the forms in which netref.As converts what was read from pickles: those in which it converts the
// objects themselves.

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	bigIntType   = reflect.TypeFor[big.Int]()
	bigFloatType = reflect.TypeFor[big.Float]()
	classType    = reflect.TypeFor[Class]()
)

var (
	errNoInteger    = errors.New("no integer")
	errNoAttributes = errors.New("it has no attributes")
	errNoItems      = errors.New("the copy does not say whether it has items")
)

// kindOf sorts Go types by what a Python object can be asked for in their place.
func kindOf(t reflect.Type) reflect.Kind {
	switch k := t.Kind(); {
	case t == timeType, t == durationType, pyvalue.TakesText(t):
		return reflect.Invalid
	case t == bigIntType, t == reflect.PointerTo(bigIntType):
		return reflect.Int
	case k >= reflect.Int && k <= reflect.Uintptr:
		return reflect.Int
	case k == reflect.Float32, k == reflect.Complex64, k == reflect.Complex128:
		return reflect.Float64
	case k == reflect.Array:
		return reflect.Slice
	default:
		return k
	}
}

// ClassName is the Python class, as netref.Object has it.
func (d Date) ClassName() string { return "datetime.date" }

// Form implements netref.Former: a date is its midnight in UTC, and its text.
func (d Date) Form(t reflect.Type, _ bool) (any, bool) {
	switch {
	case t == timeType:
		return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC), true
	case pyvalue.TakesText(t):
		return d.String(), true
	}
	return nil, false
}

// ClassName is the Python class, as netref.Object has it.
func (c Clock) ClassName() string { return "datetime.time" }

// String is the time as in ISO 8601, without its zone.
func (c Clock) String() string {
	s := fmt.Sprintf("%02d:%02d:%02d", c.Hour, c.Minute, c.Second)
	if c.Microsecond != 0 {
		s += fmt.Sprintf(".%06d", c.Microsecond)
	}
	return s
}

// Form implements netref.Former: a time of day is the duration since midnight, and its text.
func (c Clock) Form(t reflect.Type, _ bool) (any, bool) {
	if c.Zone != nil {
		return nil, false
	}
	if t == durationType {
		return time.Duration(c.Hour)*time.Hour + time.Duration(c.Minute)*time.Minute +
			time.Duration(c.Second)*time.Second + time.Duration(c.Microsecond)*time.Microsecond, true
	}
	return c.String(), t != timeType && pyvalue.TakesText(t)
}

// ClassName is the Python class, as netref.Object has it.
func (d Decimal) ClassName() string { return "decimal.Decimal" }

// Form implements netref.Former: the nearest float, and the text.
func (d Decimal) Form(t reflect.Type, sure bool) (any, bool) {
	switch k := kindOf(t); {
	case k == reflect.Float64, t == durationType:
		f, err := strconv.ParseFloat(string(d), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return errors.New("no float"), true
		}
		return f, true
	case t == bigFloatType && strings.HasSuffix(string(d), "Infinity"): // big.Float reads only Inf
		f, err := strconv.ParseFloat(string(d), 64)
		return f, err == nil
	case k == reflect.Int:
		return errNoInteger, true
	case k == reflect.String && sure:
		return errors.New("no str"), true
	}
	return string(d), pyvalue.TakesText(t)
}

// ClassName is the Python class, as netref.Object has it.
func (u UUID) ClassName() string { return "uuid.UUID" }

// Form implements netref.Former: its text.
func (u UUID) Form(t reflect.Type, _ bool) (any, bool) { return u.String(), pyvalue.TakesText(t) }

// ClassName is the Python class, as netref.Object has it.
func (r Range) ClassName() string { return "builtins.range" }

// maxRange is how many integers of a range are made at most: a pickle of a few bytes can name any number of them.
const maxRange = 1 << 22

// Form implements netref.Former: its integers.
func (r Range) Form(t reflect.Type, _ bool) (any, bool) {
	if kindOf(t) != reflect.Slice && kindOf(t) != reflect.Map {
		return nil, false
	}
	start, ok1 := bigInt(r.Start)
	stop, ok2 := bigInt(r.Stop)
	step, ok3 := bigInt(r.Step)
	if !ok1 || !ok2 || !ok3 || step.Sign() == 0 {
		return nil, false
	}
	// All integers have the form start + i*step; n is how many there are.
	n := new(big.Int).Sub(stop, start)
	n.Add(n, step)
	n.Sub(n, big.NewInt(int64(step.Sign())))
	n.Quo(n, step)
	if n.Cmp(big.NewInt(maxRange)) > 0 {
		return fmt.Errorf("more than %d integers", maxRange), true
	}
	items := make([]any, max(0, n.Int64()))
	for i := range items {
		if start.IsInt64() {
			items[i] = start.Int64()
		} else {
			items[i] = start
		}
		start = new(big.Int).Add(start, step)
	}
	return items, true
}

// ClassName is the Python class, as netref.Object has it.
func (c Class) ClassName() string { return "builtins.type" }

// Form implements netref.Former: pandas.NA is a missing value.
func (c Class) Form(t reflect.Type, _ bool) (any, bool) {
	isNA := c == Class{"pandas", "NA"} || c == Class{"pandas._libs.missing", "NA"}
	return nil, isNA && t.Kind() == reflect.Pointer
}

// ClassName is the Python class, as netref.Object has it.
func (d *Dict) ClassName() string {
	if d.Class == (Class{}) {
		return "builtins.dict"
	}
	return d.Class.String()
}

// Form implements netref.Former: the keys, as a loop over a dict gives them.
func (d *Dict) Form(t reflect.Type, _ bool) (any, bool) {
	if kindOf(t) != reflect.Slice {
		return nil, false
	}
	keys := make([]any, 0, d.Len())
	for k := range d.All() {
		keys = append(keys, k)
	}
	return keys, true
}

// ClassName is the Python class, as netref.Object has it.
func (s Set) ClassName() string { return "builtins.set" }

// ClassName is the Python class, as netref.Object has it.
func (a *Array) ClassName() string { return "numpy.ndarray" }

// Form implements netref.Former. What was an object of a class derived from one of Python's is that; what was a
// namedtuple, or derived from tuple or list, is its items, by which structs are filled in the order of their fields
// unless sure is set: the pickle does not say the names. What is inside of a class may be a class.
func (o *Object) Form(t reflect.Type, sure bool) (any, bool) {
	if t.Kind() == reflect.Pointer && o.missing() {
		return nil, true
	}
	var only any // argument
	if len(o.Args) == 1 && o.Kwargs == nil {
		only = o.Args[0]
	}
	switch k := kindOf(t); {
	case t == classType && o.Member != "":
		return Class{o.Class.Module, o.Class.Name + "." + o.Member}, true
	case t == timeType:
		return o.moment(sure)
	case t == durationType:
		return o.duration(sure)
	case k == reflect.Int, k == reflect.Float64:
		switch only.(type) {
		case int64, *big.Int, float64, complex128:
			return only, o.New
		}
	case k == reflect.String, pyvalue.TakesText(t) && o.Class.Module == "ipaddress":
		text, ok := only.(string)
		return text, ok && (o.New || o.Class.Module == "ipaddress" && k != reflect.String)
	case k == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && o.New:
		if b, ok := only.([]byte); ok {
			return b, true
		}
		return o.parts(k, sure)
	case k == reflect.Map, k == reflect.Slice, k == reflect.Struct:
		return o.parts(k, sure)
	}
	return nil, false
}

// missing reports whether the object says that a value is missing: pandas.NaT, numpy.ma.masked.
func (o *Object) missing() bool {
	return o.Class.Name == "MaskedConstant" || o.Class == Class{"pandas._libs.tslibs.nattype", "_nat_unpickle"}
}

// duration is that of an object of a class derived from timedelta, which is made of three integers as others may be.
func (o *Object) duration(sure bool) (any, bool) {
	if sure || o.New || o.Kwargs != nil || len(o.Args) != 3 {
		return nil, false
	}
	n := make([]int64, len(o.Args))
	for i, v := range o.Args {
		var ok bool
		if n[i], ok = v.(int64); !ok {
			return nil, false
		}
	}
	return timedelta(n)
}

// moment is the time of an object of a class derived from datetime or date.
func (o *Object) moment(exact bool) (any, bool) {
	if len(o.Args) == 0 || len(o.Args) > 2 {
		return nil, false
	}
	b, _ := o.Args[0].([]byte)
	var loc *time.Location
	if len(o.Args) == 2 && o.Args[1] != nil {
		var ok bool
		if loc, ok = o.Args[1].(*time.Location); !ok {
			return nil, false
		}
	}
	if len(b) == 4 {
		return date(b), true
	}
	return datetime(b, loc, exact)
}

// parts is what maps, structs and slices are made of.
func (o *Object) parts(k reflect.Kind, sure bool) (any, bool) {
	data, _ := o.Attr("data")
	switch {
	case o.Member != "":
		return errNoAttributes, k == reflect.Map
	case o.Class == Class{"collections", "UserDict"}, o.Class == Class{"collections", "UserList"}:
		return data, data != nil
	case o.Class == Class{"collections", "ChainMap"}:
		return errNoAttributes, k == reflect.Map
	case o.Class == Class{"builtins", "iter"} && len(o.Args) == 1 && (o.State == nil || o.State == int64(0)):
		switch o.Args[0].(type) {
		case []any, brine.Tuple, Range:
			if k == reflect.Slice {
				return o.Args[0], true
			}
		}
		return errNoAttributes, k == reflect.Map
	case o.Pairs != nil:
		return o.Pairs, true
	case o.hasAttributes():
		return nil, false // it is a netref.Mapping
	case k == reflect.Map:
		return errNoAttributes, true
	case o.saysNoItems() && k == reflect.Slice:
		return errNoItems, true
	}
	items, ok := o.sequence()
	return brine.Tuple(items), ok && !(sure && k == reflect.Struct)
}

// saysNoItems reports whether the copy would be the same of a sequence and of what is none: of an empty list of a class
// of its own and of any object without state, or of a namedtuple of one field and of an int of a class of its own.
func (o *Object) saysNoItems() bool {
	if o.State != nil || o.Kwargs != nil || len(o.Items) > 0 {
		return false
	}
	if len(o.Args) == 1 && o.New {
		_, tuple := o.Args[0].(brine.Tuple)
		return !tuple
	}
	return len(o.Args) == 0
}

// sequence is the items of what was derived from tuple or list.
func (o *Object) sequence() ([]any, bool) {
	var first brine.Tuple
	if len(o.Args) > 0 {
		first, _ = o.Args[0].(brine.Tuple)
	}
	switch _, extra := at(o.Args, 1).(*Dict); {
	case o.State != nil || o.Kwargs != nil:
		return nil, false
	case !o.New: // os.stat_result((…), {…}) and its like
		return first, first != nil && extra && len(o.Args) == 2
	case first != nil && len(o.Args) == 1 && len(o.Items) == 0: // all of a tuple's subclass that is no namedtuple
		return first, true
	}
	return slices.Concat(o.Args, o.Items), true
}

func at(items []any, i int) any {
	if i < len(items) {
		return items[i]
	}
	return nil
}

func (o *Object) hasAttributes() bool {
	switch s := o.State.(type) {
	case *Dict:
		return true
	case brine.Tuple: // of a class with slots
		if len(s) != 2 {
			return false
		}
		_, slots := s[1].(*Dict)
		_, dict := s[0].(*Dict)
		return slots && (dict || s[0] == nil)
	}
	return false
}

var (
	_ netref.Former = Date{}
	_ netref.Former = Clock{}
	_ netref.Former = Decimal("")
	_ netref.Former = UUID{}
	_ netref.Former = Range{}
	_ netref.Former = Class{}
	_ netref.Former = (*Dict)(nil)
	_ netref.Former = (*Array)(nil)
	_ netref.Former = (*Object)(nil)
)
