package pickle

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// plain writes a value by its type.
func (w *writer) plain(v any, depth int) error {
	if w.scalar(v) {
		return nil
	}
	switch x := v.(type) {
	case string:
		return w.text(x)
	case []byte:
		return w.bytes(x)
	case ByteArray:
		return w.shared(v, func() error { return w.bytearray(x) })
	case complex128:
		return w.call(w.builtin(), "complex", real(x), imag(x))
	case *big.Int:
		if x == nil {
			w.op(opNone)
			return nil
		}
		w.big(x)
		return nil
	case big.Int:
		w.big(&x)
		return nil
	case *big.Rat:
		return w.fraction(x)
	case brine.Tuple:
		return w.tuple(x, depth)
	case brine.FrozenSet:
		return w.set(w.builtin(), "frozenset", x, depth)
	case Set:
		return w.set(w.builtin(), "set", x, depth)
	case brine.Slice:
		return w.call(w.builtin(), "slice", x.Start, x.Stop, x.Step)
	case Range:
		name := "range"
		if w.protocol < 3 {
			name = "xrange"
		}
		return w.call(w.builtin(), name, x.Start, x.Stop, x.Step)
	case brine.EllipsisType:
		w.global(w.builtin(), "Ellipsis")
		return nil
	case brine.NotImplementedType:
		w.global(w.builtin(), "NotImplemented")
		return nil
	case time.Time:
		return w.datetime(x)
	case time.Duration:
		return w.timedelta(x)
	case zone:
		return w.call("datetime", "timezone", time.Duration(x.offset)*time.Second)
	case *time.Location:
		_, winter := time.Date(2024, 1, 1, 0, 0, 0, 0, x).Zone()
		_, summer := time.Date(2024, 7, 1, 0, 0, 0, 0, x).Zone()
		if winter != summer || w.protocol < 3 {
			return &UnsupportedTypeError{Type: reflect.TypeOf(v)}
		}
		return w.plain(zone{winter}, depth)
	case Date:
		return w.call("datetime", "date", []byte{byte(x.Year >> 8), byte(x.Year), byte(x.Month), byte(x.Day)})
	case Clock:
		return w.clock(x)
	case Decimal:
		if err := decimal(x); err != nil {
			return err
		}
		return w.call("decimal", "Decimal", string(x))
	case UUID:
		return w.uuid(x)
	case Class:
		return w.class(x)
	case Raw:
		return w.call("pickle", "loads", []byte(x))
	case DType:
		return w.call("numpy", "dtype", string(x))
	case *Layout:
		return w.call("numpy", "dtype", element(x))
	case *Record:
		return w.shared(v, func() error { return w.record(x) })
	case *Array:
		return w.shared(v, func() error { return w.array(x) })
	case *Dict:
		return w.dict(x, depth)
	case *Object:
		return w.object(x, depth)
	case Namespace:
		return w.namespace(v, func(yield func(k, v any) bool) {
			for _, a := range x {
				if !yield(a.Name, a.Value) {
					return
				}
			}
		}, depth)
	case netref.Valuer:
		return w.shared(v, func() error { return w.value(x.GoValue(), depth+1) })
	}
	return w.reflected(v, reflect.ValueOf(v), depth)
}

// shared writes what has an identity and cannot contain itself, once.
func (w *writer) shared(v any, write func() error) error {
	id, ok := w.identity(v)
	if !ok {
		return write()
	}
	if i, ok := w.memo[id]; ok {
		w.get(i)
		return nil
	}
	if err := write(); err != nil {
		return err
	}
	w.remember(id, v)
	return nil
}

// remember puts what was written last in the memo.
func (w *writer) remember(id, v any) {
	w.memo[id] = w.put()
	w.keep = append(w.keep, v)
}

// open writes the beginning of a container that can contain itself: what makes it empty. It reports false if it has
// been written before.
func (w *writer) open(v any, empty func()) bool {
	id, ok := w.identity(v)
	if ok {
		if i, ok := w.memo[id]; ok {
			w.get(i)
			return false
		}
	}
	empty()
	if ok {
		w.remember(id, v)
	}
	return true
}

func (w *writer) set(module, name string, items []any, depth int) error {
	if w.protocol >= 4 {
		if name == "frozenset" {
			w.op(opMark)
			for _, v := range items {
				if err := w.value(v, depth+1); err != nil {
					return err
				}
			}
			w.op(opFrozenSet)
			return nil
		}
		if !w.open(items, func() { w.op(opEmptySet) }) {
			return nil
		}
		return w.appendAll(len(items), func(i int) any { return items[i] }, opAddItems, depth)
	}
	w.global(module, name)
	w.op(opEmptyList)
	if err := w.appendAll(len(items), func(i int) any { return items[i] }, opAppends, depth); err != nil {
		return err
	}
	w.op(opTuple1, opReduce)
	return nil
}

func (w *writer) dict(d *Dict, depth int) error {
	if d == nil {
		w.op(opNone)
		return nil
	}
	fresh := w.open(d, func() {
		if d.Class == (Class{}) {
			w.op(opEmptyDict)
			return
		}
		w.named(d.Class)
		w.op(opEmptyTuple, opReduce)
	})
	if !fresh {
		return nil
	}
	return w.items(opSetItems, d.All(), true, depth)
}

// class writes the name of a class, or type(None) and its like for those that have none.
func (w *writer) class(c Class) error {
	singletons := map[string]any{"NoneType": nil, "ellipsis": brine.Ellipsis, "NotImplementedType": brine.NotImplemented}
	if v, ok := singletons[c.Name]; ok && c.Module == "builtins" {
		return w.call(w.builtin(), "type", v)
	}
	w.named(c)
	return nil
}

// named writes the name of a class. Before protocol 4 the steps of a name with dots in it are taken one by one.
func (w *writer) named(c Class) {
	if c.Module == "builtins" {
		c.Module = w.builtin()
	}
	dot := strings.LastIndexByte(c.Name, '.')
	if dot < 0 || w.protocol >= 4 {
		w.global(c.Module, c.Name)
		return
	}
	w.global(w.builtin(), "getattr")
	w.named(Class{c.Module, c.Name[:dot]})
	name := c.Name[dot+1:]
	w.b = binary.LittleEndian.AppendUint32(append(w.b, opBinUnicode), uint32(len(name)))
	w.b = append(append(w.b, name...), opTuple2, opReduce)
}

func (w *writer) object(o *Object, depth int) error {
	var err error
	fresh := w.open(o, func() {
		if o.Member != "" {
			w.named(Class{o.Class.Module, o.Class.Name + "." + o.Member})
			return
		}
		w.named(o.Class)
		err = w.tuple(o.Args, depth+1)
		switch {
		case o.Kwargs != nil && w.protocol >= 4:
			if err == nil {
				err = w.dict(o.Kwargs, depth+1)
			}
			w.op(opNewObjEx)
		case o.New:
			w.op(opNewObj)
		default:
			w.op(opReduce)
		}
	})
	if !fresh || err != nil {
		return err
	}
	if err := w.appendAll(len(o.Items), func(i int) any { return o.Items[i] }, opAppends, depth); err != nil {
		return err
	}
	if o.Pairs != nil {
		if err := w.items(opSetItems, o.Pairs.All(), true, depth); err != nil {
			return err
		}
	}
	if o.State != nil {
		if err := w.value(o.State, depth+1); err != nil {
			return err
		}
		w.op(opBuild)
	}
	return nil
}

// reflected writes a value of another Go type.
func (w *writer) reflected(v any, rv reflect.Value, depth int) error {
	switch t := rv.Type(); t.Kind() {
	case reflect.Bool:
		w.bool(rv.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.int(rv.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.big(new(big.Int).SetUint64(rv.Uint()))
	case reflect.Float32, reflect.Float64:
		w.float(rv.Float())
	case reflect.Complex64, reflect.Complex128:
		return w.plain(rv.Complex(), depth)
	case reflect.String:
		return w.text(rv.String())
	case reflect.Pointer, reflect.Interface:
		return w.pointer(v, rv, depth)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return w.bytes(rv.Bytes())
		}
		if !w.open(v, func() { w.op(opEmptyList) }) {
			return nil
		}
		return w.appendAll(rv.Len(), func(i int) any { return rv.Index(i).Interface() }, opAppends, depth)
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			p := make([]byte, rv.Len())
			reflect.Copy(reflect.ValueOf(p), rv)
			return w.bytes(p)
		}
		items := make([]any, rv.Len())
		for i := range items {
			items[i] = rv.Index(i).Interface()
		}
		return w.tuple(items, depth)
	case reflect.Map:
		return w.mapping(v, rv, depth)
	case reflect.Struct:
		p := reflect.New(t)
		p.Elem().Set(rv)
		return w.structure(p, depth)
	default:
		return &UnsupportedTypeError{Type: t}
	}
	return nil
}

func (w *writer) pointer(v any, rv reflect.Value, depth int) error {
	if rv.IsNil() {
		w.op(opNone)
		return nil
	}
	if _, isTime := v.(*time.Time); rv.Elem().Kind() == reflect.Struct && !isTime {
		return w.structure(rv, depth)
	}
	if depth++; depth > maxDepth { // a pointer to itself
		return limit("nesting depth", depth, maxDepth)
	}
	return w.plain(rv.Elem().Interface(), depth)
}

// mapping writes a map as a dict, ordered by key where keys have an order, and one of empty structs as a set.
func (w *writer) mapping(v any, rv reflect.Value, depth int) error {
	keys := rv.MapKeys()
	slices.SortStableFunc(keys, pyvalue.CompareKeys)
	if e := rv.Type().Elem(); e.Kind() == reflect.Struct && e.NumField() == 0 {
		items := make([]any, len(keys))
		for i, k := range keys {
			items[i] = k.Interface()
		}
		return w.shared(v, func() error { return w.set(w.builtin(), "set", items, depth) })
	}
	if !w.open(v, func() { w.op(opEmptyDict) }) {
		return nil
	}
	return w.items(opSetItems, func(yield func(k, v any) bool) {
		for _, k := range keys {
			if !yield(k.Interface(), rv.MapIndex(k).Interface()) {
				return
			}
		}
	}, true, depth)
}

// structure writes what p points to as an object with its exported fields as attributes.
func (w *writer) structure(p reflect.Value, depth int) error {
	t := p.Type().Elem()
	fields := netref.Fields(t)
	if len(fields) == 0 && t.NumField() > 0 {
		return fmt.Errorf("pickle: %v has no exported fields", t)
	}
	return w.namespace(p.Interface(), func(yield func(k, v any) bool) {
		for _, f := range fields {
			fv, err := p.Elem().FieldByIndexErr(f.Index)
			if err != nil { // of an embedded pointer that is nil
				continue
			}
			if !yield(f.Name, fv.Interface()) {
				return
			}
		}
	}, depth)
}

// namespace writes an object with attributes: a types.SimpleNamespace, and for Python 2, which has none, an
// argparse.Namespace.
func (w *writer) namespace(v any, attributes iter.Seq2[any, any], depth int) error {
	module, name := "types", "SimpleNamespace"
	if w.protocol < 3 {
		module, name = "argparse", "Namespace"
	}
	if !w.open(v, func() { w.global(module, name); w.op(opEmptyTuple, opReduce) }) {
		return nil
	}
	w.op(opEmptyDict)
	if err := w.items(opSetItems, attributes, true, depth); err != nil {
		return err
	}
	w.op(opBuild)
	return nil
}
