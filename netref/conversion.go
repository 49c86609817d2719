package netref

import (
	"context"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// conversion is the conversion of one received value, with all that is inside it. What has to be asked of the peer on
// the way is put on a stack and asked for with many requests under way together, so that the depth of the value and not
// its size decides how many round trips it takes.
type conversion struct {
	ctx  context.Context
	deep bool // an any takes the contents of containers and not handles: see Fetch
	// sure is set while a copy is converted of what the peer can still be asked for: forms that it may not have (see
	// Former), and what would be handles in an any, are errors then.
	sure bool
	// copied is set while a copy of an object of the peer's is converted.
	copied bool
	// noCopies is set when a copy was of no use.
	noCopies bool

	path       []step         // leads to what is being assigned; after a failure, to what has failed
	fresh      []*question    // asked since the last answer, in order
	stack      []*question    // to be sent, the next one last
	underWay   []*question    // sent and not answered, the oldest first
	after      []func() error // what needs all that is inside to be complete: run at the end, the last first
	callsItems permission     // whether the peer lets us call items()
	callsKeys  permission     // and keys(), of classes that are not known
	singles    int            // how many values of mappings have been asked for one by one

	// Of a deep conversion:
	root  *Object                   // what it is of
	seen  map[*Object]reflect.Value // where the copies of containers are
	edges map[*Object][]*Object     // what containers contain
}

// permission is what is known of what a peer allows.
type permission int8

const (
	unknown permission = iota
	beingAsked
	granted
	refused
)

// question is a request and what its answer is for.
type question struct {
	o    *Object
	h    wire.Handler
	args []any
	path []step
	got  func(v any, exc error) error // takes the answer; exc is an exception of the peer's
	// before may change the question just before it is sent, by what has been learned since it was asked; it may be nil.
	before func(q *question)
	r      *AsyncResult
}

const (
	// window bounds the requests of a conversion that are under way. CPython answers them one after the other.
	window = 512
	// maxPath bounds how deep objects within objects are followed: they may be a ring.
	maxPath = 100
)

// convert converts v, and all that is inside it, and stores it in dst.
func (c *conversion) convert(dst reflect.Value, v any) error {
	return c.convertBy(func() error { return c.assign(dst, v) })
}

// convertBy is convert for what begin assigns.
func (c *conversion) convertBy(begin func() error) error {
	err := begin()
	if err == nil {
		err = c.run()
	}
	if ce, ok := err.(*ConvertError); ok && len(c.path) > 0 {
		var b strings.Builder
		for _, s := range c.path {
			b.WriteString(s.String())
		}
		return within(ce, b.String())
	}
	return err
}

// run sends the questions and takes their answers, which may add others, until there are none.
func (c *conversion) run() error {
	defer func() {
		for _, q := range c.underWay {
			q.r.Abandon()
		}
	}()
	for {
		for i := len(c.fresh) - 1; i >= 0; i-- {
			c.stack = append(c.stack, c.fresh[i])
		}
		c.fresh = c.fresh[:0]
		for len(c.underWay) < window && len(c.stack) > 0 {
			last := len(c.stack) - 1
			q := c.stack[last]
			c.stack[last] = nil
			c.stack = c.stack[:last]
			if q.before != nil {
				q.before(q)
			}
			r, err := q.o.peer.Start(c.ctx, q.h, append([]any{q.o}, q.args...)...)
			if err != nil {
				return err
			}
			q.r = r
			c.underWay = append(c.underWay, q)
		}
		if len(c.underWay) == 0 {
			break
		}
		q := c.underWay[0]
		v, err := q.r.waitBounded(c.ctx, q.o.peer)
		c.underWay = c.underWay[1:]
		if _, exc := err.(*vinegar.Error); err != nil && !exc {
			q.r.Abandon()
			return err
		}
		c.path = q.path
		if err := q.got(v, err); err != nil {
			return err
		}
	}
	for i := len(c.after) - 1; i >= 0; i-- {
		if err := c.after[i](); err != nil {
			return err
		}
	}
	return nil
}

// ask adds a question about what the path leads to. run sends it.
func (c *conversion) ask(o *Object, h wire.Handler, got func(v any, exc error) error, args ...any) error {
	if len(c.path) > maxPath {
		return &ConvertError{From: typeName(o), To: objectType, Reason: "objects nested too deep"}
	}
	if o.peer.ByteTexts() && c.ctx.Value(byteTexts{}) == nil {
		c.ctx = WithByteTexts(c.ctx)
	}
	c.fresh = append(c.fresh, &question{o: o, h: h, args: args, path: c.here(), got: got})
	return nil
}

// here is a copy of the path, which nobody appends to.
func (c *conversion) here() []step { return append(make([]step, 0, len(c.path)), c.path...) }

// inside runs f with the path one step longer. If f fails the path stays, for the error.
func (c *conversion) inside(s step, f func() error) error {
	c.path = append(c.path, s)
	if err := f(); err != nil {
		return err
	}
	c.path = c.path[:len(c.path)-1]
	return nil
}

// assign converts v, which c.path leads to.
func (c *conversion) assign(dst reflect.Value, v any) error {
	t := dst.Type()
	if o, ok := v.(*Object); ok && o != nil && t != objectType {
		if own, ok := o.Own(); ok {
			v = own
		}
	}
	if c.deep && t == anyType {
		return c.fetch(dst, v)
	}
	if c.sure && t.Kind() == reflect.Interface && !isPlain(v) {
		return &ConvertError{From: typeName(v), To: t}
	}
	v = byteText(c.ctx, t, v)
	if done, err := assignValue(dst, v); done {
		return err
	}
	src := reflect.ValueOf(v)
	o, remote := v.(*Object)
	if !remote && !received(v) {
		if src.Type().AssignableTo(t) {
			dst.Set(src)
			return nil
		}
		if t == objectType {
			if own := ownHandle(v); own != nil {
				dst.Set(reflect.ValueOf(own))
				return nil
			}
		}
		if form, ok := c.form(v, t); ok {
			if err, failed := form.(error); failed {
				return &ConvertError{From: typeName(v), To: t, Reason: err.Error()}
			}
			return c.assign(dst, form)
		}
	}
	if t.Kind() == reflect.Pointer && t != bigIntType && t != exceptionType {
		if isMissing(v, t.Elem()) {
			dst.SetZero()
			return nil
		}
		if remote && numpyTimes[o.ClassName()] && (t.Elem() == timeType || t.Elem() == durationType) {
			return c.textOrMissing(dst, o)
		}
		p := reflect.New(t.Elem())
		dst.Set(p)
		return c.assign(p.Elem(), v)
	}
	if t == bigIntType && isMissing(v, t.Elem()) {
		dst.SetZero()
		return nil
	}
	switch v := v.(type) {
	case brine.Tuple:
		if t.Kind() == reflect.Struct {
			return c.fields(dst, "tuple", v)
		}
		return c.items(dst, v, "tuple", nil)
	case brine.FrozenSet:
		if isSet(t) {
			m := reflect.MakeMapWithSize(t, len(v))
			dst.Set(m)
			return c.members(m, v, nil)
		}
		return c.items(dst, v, "frozenset", nil)
	case string:
		if pyvalue.TakesText(t) {
			return fitted(pyvalue.SetText(dst, v))
		}
	}
	switch {
	case remote:
		return c.object(dst, o)
	case received(v):
		return fitted(pyvalue.SetNumber(dst, v))
	}
	return c.local(dst, src)
}

// form is what a local value stands for.
func (c *conversion) form(v any, t reflect.Type) (form any, ok bool) {
	if former, isFormer := v.(Former); isFormer {
		if form, ok = former.Form(t, c.sure); ok {
			return form, true
		}
	}
	if valuer, isValuer := v.(Valuer); isValuer {
		return valuer.GoValue(), true
	}
	return nil, false
}

// isMissing reports whether a value says that there is none of a type: pandas' NA and NaT, numpy's masked constant, and
// NaN for what is no number with a fraction, as pandas has it in columns of text.
func isMissing(v any, t reflect.Type) bool {
	switch v := v.(type) {
	case *Object:
		switch name := v.ClassName(); name[strings.LastIndexByte(name, '.')+1:] {
		case "NAType", "NaTType", "MaskedConstant":
			return !v.IsClass()
		}
	case float64:
		k := t.Kind()
		return v != v && (k < reflect.Float32 || k > reflect.Complex128) && k != reflect.Interface && k != reflect.Pointer
	}
	return false
}

// isPlain reports whether a value travels by value, with all that is in it.
func isPlain(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case *Object:
		return false
	case brine.Tuple:
		return !slices.ContainsFunc(v, func(v any) bool { return !isPlain(v) })
	case brine.FrozenSet:
		return !slices.ContainsFunc(v, func(v any) bool { return !isPlain(v) })
	}
	return pyvalue.TypeName(v) != ""
}

// received reports whether v has one of the forms in which values are received from a peer.
func received(v any) bool {
	_, object := v.(*Object)
	return object || pyvalue.TypeName(v) != ""
}

// items converts the items of a Python sequence to those of a slice or an array. in is the sequence if it is an object.
func (c *conversion) items(dst reflect.Value, items []any, from string, in *Object) error {
	t := dst.Type()
	switch t.Kind() {
	case reflect.Slice:
		s := reflect.MakeSlice(t, len(items), len(items))
		dst.Set(s)
		dst = s
	case reflect.Array:
		if len(items) != t.Len() {
			return &ConvertError{From: from, To: t, Reason: fmt.Sprintf("%d items", len(items))}
		}
	default:
		return &ConvertError{From: from, To: t}
	}
	for i, v := range items {
		if err := c.inside(step{i: i, in: in}, func() error { return c.assign(dst.Index(i), v) }); err != nil {
			return err
		}
	}
	return nil
}

// fields converts the items of a tuple to the fields of a struct, in their order.
func (c *conversion) fields(dst reflect.Value, from string, items []any) error {
	fs := structFields(dst.Type())
	if len(fs) != len(items) || len(fs) == 0 {
		return &ConvertError{From: from, To: dst.Type(), Reason: fmt.Sprintf("%d items for %d fields", len(items), len(fs))}
	}
	for i, f := range fs {
		if err := c.inside(step{i: i}, func() error { return c.assign(fieldOf(dst, f.index), items[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// isSet reports whether a Go type is what takes sets.
func isSet(t reflect.Type) bool {
	return t.Kind() == reflect.Map && (t.Elem() == emptyType || t.Elem().Kind() == reflect.Bool)
}

// members adds the members of a set, which is in if it is an object.
func (c *conversion) members(m reflect.Value, members []any, in *Object) error {
	for _, k := range members {
		if err := c.put(m, k, nil, in); err != nil {
			return err
		}
	}
	return nil
}

// put adds an item to a map, at the end if it needs the peer. A nil value, when v is not set, adds a member to a set.
func (c *conversion) put(m reflect.Value, k any, v *any, in *Object) error {
	t := m.Type()
	kv, vv := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
	questions, later := len(c.fresh), len(c.after)
	if err := c.inside(step{kind: toKey, key: k, in: in}, func() error { return c.assign(kv, k) }); err != nil {
		return err
	}
	switch {
	case v != nil:
		err := c.inside(step{kind: toItem, key: k, in: in}, func() error { return c.assign(vv, *v) })
		if err != nil {
			return err
		}
	case vv.Kind() == reflect.Bool:
		vv.SetBool(true)
	}
	if questions == len(c.fresh) && later == len(c.after) {
		return c.insert(m, kv, vv, k)
	}
	path := c.here()
	c.after = append(c.after[:later], append([]func() error{func() error {
		c.path = path
		return c.insert(m, kv, vv, k)
	}}, c.after[later:]...)...) // before what its own contents added, because the last comes first
	return nil
}

func (c *conversion) insert(m, kv, vv reflect.Value, k any) error {
	if kv.Type() == anyType && !kv.IsNil() {
		if h, ok := hashable(kv.Interface()); ok {
			kv.Set(reflect.ValueOf(h))
		}
	}
	if !kv.Comparable() {
		c.path = append(c.path, step{kind: toKey, key: k})
		return &ConvertError{From: typeName(k), To: m.Type().Key(), Reason: "unhashable"}
	}
	m.SetMapIndex(kv, vv)
	return nil
}

// Every length of an array is a type, which Go never forgets.
const (
	maxKeyItems = 16
	maxKeyBytes = 64
)

// hashable gives a key that Python can hash and Go cannot a form that Go can: tuples and bytes become arrays.
func hashable(k any) (any, bool) {
	switch k := k.(type) {
	case brine.Tuple:
		if len(k) > maxKeyItems {
			return nil, false
		}
		a := reflect.New(reflect.ArrayOf(len(k), anyType)).Elem()
		for i, item := range k {
			if h, ok := hashable(item); ok {
				item = h
			}
			if item != nil {
				a.Index(i).Set(reflect.ValueOf(item))
			}
		}
		return a.Interface(), true
	case []byte:
		if len(k) > maxKeyBytes {
			return nil, false
		}
		a := reflect.New(reflect.ArrayOf(len(k), reflect.TypeFor[byte]())).Elem()
		reflect.Copy(a, reflect.ValueOf(k))
		return a.Interface(), true
	}
	return nil, false
}

// local converts a Go value of this program that went to the peer and came back.
func (c *conversion) local(dst, src reflect.Value) error {
	t := dst.Type()
	if len(c.path) > maxPath {
		return &ConvertError{From: typeName(src.Interface()), To: t, Reason: "nested too deep"}
	}
	m, pairs := src.Interface().(Mapping)
	if _, attributes := m.(interface{ Attr(name string) (any, bool) }); attributes && c.sure && t.Kind() == reflect.Map {
		return &ConvertError{From: typeName(m), To: t, Reason: "not a mapping"} // unless the object says that it is one
	}
	if r, ok := src.Interface().(*big.Rat); ok && (t.Kind() >= reflect.Float32 && isNumberKind(t.Kind()) ||
		t == durationType) {
		f, _ := r.Float64()
		return c.assign(dst, f)
	}
	switch {
	case src.Kind() == reflect.Pointer && !src.IsNil() && src.Type().Elem().AssignableTo(t):
		dst.Set(src.Elem())
		return nil
	case pairs && (t.Kind() == reflect.Map || t.Kind() == reflect.Struct):
		return c.pairs(dst, m)
	case src.Kind() == reflect.Slice && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array || isSet(t)):
		items := make([]any, src.Len())
		for i := range items {
			items[i] = src.Index(i).Interface()
		}
		if isSet(t) && t.Elem() == emptyType {
			m := reflect.MakeMapWithSize(t, len(items))
			dst.Set(m)
			return c.members(m, items, nil)
		}
		return c.items(dst, items, "list", nil)
	case src.Kind() == reflect.Map && t.Kind() == reflect.Map:
		m := reflect.MakeMapWithSize(t, src.Len())
		dst.Set(m)
		for it := src.MapRange(); it.Next(); {
			v := it.Value().Interface()
			if err := c.put(m, it.Key().Interface(), &v, nil); err != nil {
				return err
			}
		}
		return nil
	case basicKind(src.Kind()) && src.Kind() == t.Kind() && src.Type() != durationType && !isCopy(src):
		dst.Set(src.Convert(t))
		return nil
	}
	if form, ok := pyvalue.FromGo(src); ok && !received(src.Interface()) && !isCopy(src) &&
		!(c.copied && src.Type() == durationType) {
		return c.assign(dst, form)
	}
	if !received(src.Interface()) && !c.copied {
		if own := ownHandle(src.Interface()); own != nil {
			return c.object(dst, own)
		}
	}
	return &ConvertError{From: typeName(src.Interface()), To: t}
}

// isCopy reports whether a value is a copy of a Python object whose kind in Go says nothing of it.
func isCopy(src reflect.Value) bool {
	_, named := src.Interface().(interface{ ClassName() string })
	return named
}

func basicKind(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String
}
