package netref

import (
	"errors"
	"math/big"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// object converts an object of the peer.
func (c *conversion) object(dst reflect.Value, o *Object) error {
	t := dst.Type()
	switch {
	case t == timeType, t == durationType && o.ClassName() != "" && !isNumber(o), pyvalue.TakesText(t):
		return c.text(dst, o)
	case t.Kind() == reflect.Interface && fileType.Implements(t):
		dst.Set(reflect.ValueOf(NewFile(c.ctx, o)))
		return nil
	case takesException(t):
		return c.exception(dst, o)
	}
	switch k := t.Kind(); k {
	case reflect.Func:
		if yield := seqYield(t); yield != nil {
			dst.Set(makeSeq(c.ctx, t, yield, o))
			return nil
		}
		dst.Set(makeFunc(c.ctx, t, o))
		return nil
	case reflect.Slice, reflect.Array:
		return c.sequence(dst, o)
	case reflect.Map:
		return c.mapping(dst, o)
	case reflect.Struct:
		if t == bigIntType.Elem() {
			return c.number(dst, o)
		}
		return c.structure(dst, o)
	default:
		if isNumberKind(k) || t == bigIntType || k == reflect.Bool && strings.HasPrefix(o.ClassName(), "numpy.bool") {
			return c.number(dst, o)
		}
		// Python's subclasses of str travel by reference, too. Their str() is their value only if the programmer says
		// so: no silent conversion.
	}
	return &ConvertError{From: typeName(o), To: t}
}

func isNumberKind(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Complex128 }

// notNumbers are the classes of module datetime: their numbers are their texts.
var notNumbers = classes("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
	"datetime.timezone", "datetime.tzinfo")

// isNumber reports whether an object may be asked for a number: those of the built-in classes that travel by reference
// have none.
func isNumber(o *Object) bool { return !o.IsClass() && !isBuiltin(o) && !notNumbers[o.ClassName()] }

// dropsImaginary reports whether an object's __float__ returns its real part: numpy's complex numbers only warn.
func dropsImaginary(o *Object) bool {
	name, numpy := strings.CutPrefix(o.ClassName(), "numpy.")
	return numpy && (strings.HasPrefix(name, "complex") || name == "clongdouble")
}

// isReal reports whether an object is known by its class to have no imaginary part.
func isReal(o *Object) bool {
	name, numpy := strings.CutPrefix(o.ClassName(), "numpy.")
	if numpy {
		return strings.HasPrefix(name, "float") || strings.HasPrefix(name, "int") || strings.HasPrefix(name, "uint")
	}
	return name == "decimal.Decimal" || name == "fractions.Fraction"
}

// number asks for the number an object stands for, in the way of Python's own functions that want one: __index__ where
// it has to be an integer, which float has not, __float__ where it need not, and __complex__ where it may be complex.
// If the peer keeps that from us, it is not known whether there is an imaginary part to lose.
func (c *conversion) number(dst reflect.Value, o *Object) error {
	t := dst.Type()
	if !isNumber(o) {
		return &ConvertError{From: typeName(o), To: t}
	}
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return c.askNumber(dst, o, "__bool__")
	case (t == durationType || k == reflect.Float32 || k == reflect.Float64) && dropsImaginary(o):
		return &ConvertError{From: typeName(o), To: t}
	case t == durationType, k == reflect.Float32, k == reflect.Float64:
		return c.askNumber(dst, o, "__float__") // a timedelta has none: see askNumber
	case k == reflect.Complex64, k == reflect.Complex128:
		if isReal(o) {
			return c.askNumber(dst, o, "__float__")
		}
		// What is derived from complex has no __complex__ before Python 3.11, and a __float__ that refuses.
		return c.askNumber(dst, o, "__complex__", "__float__", "__pos__")
	}
	return c.askNumber(dst, o, "__index__")
}

// askNumber calls the first of the methods that the object has.
func (c *conversion) askNumber(dst reflect.Value, o *Object, method string, otherwise ...string) error {
	t := dst.Type()
	return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
		switch {
		case exc == nil:
		case len(otherwise) > 0 && !denied(exc) &&
			(lacks(exc, method) || method == "__float__" && errors.Is(exc, vinegar.TypeError)):
			return c.askNumber(dst, o, otherwise[0], otherwise[1:]...)
		case t == durationType && lacks(exc, method) && !denied(exc): // perhaps of a class derived from timedelta
			return c.text(dst, o)
		default:
			return notThat(exc, o, t)
		}
		switch v.(type) {
		case bool, int64, *big.Int, float64, complex128:
			return fitted(pyvalue.SetNumber(dst, v))
		}
		return &ConvertError{From: typeName(o), To: t}
	}, method, brine.Tuple{}, brine.Tuple{})
}

// notThat tells an object that cannot be asked for its contents from a failed conversation.
func notThat(exc error, o *Object, t reflect.Type) error {
	if isAnyOf(exc, vinegar.TypeError, vinegar.AttributeError, vinegar.LookupError) {
		return &ConvertError{From: typeName(o), To: t, Reason: exc.Error()}
	}
	return exc
}

// sequence fetches all items of an iterable in one request.
func (c *conversion) sequence(dst reflect.Value, o *Object) error {
	t := dst.Type()
	bytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, t)
		}
		items, err := chunkOf(v)
		if err != nil {
			return err
		}
		if bytes {
			return assignBytes(dst, o, items)
		}
		return c.items(dst, items, typeName(o), o)
	}, nil)
}

// assignBytes takes bytearray and memoryview, which iterate as integers.
func assignBytes(dst reflect.Value, o *Object, items brine.Tuple) error {
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

var emptyType = reflect.TypeFor[struct{}]()

// Classes are told by the names under which peers announce them.
var (
	sets     = classes("set", "frozenset", "dict_keys")
	mappings = classes("dict", "mappingproxy", "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
		"collections.ChainMap", "collections.UserDict")
	// notMappings have items and are iterated over, but not by the items' keys.
	notMappings = classes("list", "tuple", "set", "frozenset", "range", "str", "bytes", "bytearray", "memoryview",
		"generator",
		"list_iterator", "dict_keys", "dict_values", "dict_items", "collections.deque", "array.array")
)

func classes(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// mapping fetches the keys in one request and then the values.
func (c *conversion) mapping(dst reflect.Value, o *Object) error {
	t := dst.Type()
	class := typeName(o)
	asSet := t.Elem() == emptyType || t.Elem().Kind() == reflect.Bool && sets[class]
	if !asSet && (notMappings[class] || o.IsClass()) {
		return &ConvertError{From: class, To: t, Reason: "not a mapping"}
	}
	m := reflect.MakeMap(t)
	dst.Set(m)
	return c.fill(m, o, asSet)
}

// fill adds the items of a mapping, or the members of a set, to m.
func (c *conversion) fill(m reflect.Value, o *Object, asSet bool) error {
	put := func(_ int, k, v any) error { return c.put(m, k, &v, o) }
	got := func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, m.Type())
		}
		keys, err := chunkOf(v)
		if err != nil {
			return err
		}
		if asSet {
			return c.members(m, keys, o)
		}
		return c.values(o, keys, m.Type(), put)
	}
	if err := c.ask(o, wire.HandleBuffIter, got, nil); err != nil || asSet || !mappings[typeName(o)] {
		return err
	}
	c.fresh[len(c.fresh)-1].before = func(q *question) {
		if c.callsItems == granted {
			q.h, q.args = wire.HandleCallAttr, []any{"items", brine.Tuple{}, brine.Tuple{}}
			q.got = c.gotItems(o, m.Type(), put, func() error { return c.ask(o, wire.HandleBuffIter, got, nil) })
		}
	}
	return nil
}

// pairSlice fills a slice of Pair with the items of a mapping, in their order.
func (c *conversion) pairSlice(dst reflect.Value, o *Object) error {
	t := dst.Type()
	if notMappings[typeName(o)] || o.IsClass() {
		return &ConvertError{From: typeName(o), To: t, Reason: "not a mapping"}
	}
	return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, t)
		}
		keys, err := chunkOf(v)
		if err != nil {
			return err
		}
		dst.Set(reflect.MakeSlice(t, len(keys), len(keys)))
		n := 0
		c.after = append(c.after, func() error { // it may have changed meanwhile
			dst.SetLen(n)
			return nil
		})
		return c.values(o, keys, t, func(i int, k, v any) error {
			if i >= dst.Len() {
				return nil
			}
			n++
			pair := dst.Index(i)
			err := c.inside(step{kind: toKey, key: k, in: o}, func() error { return c.assign(pair.Field(0), k) })
			if err != nil {
				return err
			}
			return c.inside(step{kind: toItem, key: k, in: o}, func() error { return c.assign(pair.Field(1), v) })
		})
	}, nil)
}

// manyItems is how many items a mapping has for which it is worth trying to get them all at once. A mapping's items
// method is not among what peers allow by default, and a refusal costs a round trip.
const manyItems = 16

// values fetches the values of a mapping's keys and calls each for every item, in no particular order. When many small
// mappings have been met, whether the peer allows items() is found out on the way, for those that are still to come.
func (c *conversion) values(o *Object, keys brine.Tuple, t reflect.Type, each func(i int, k, v any) error) error {
	oneByOne := func() error { return c.oneByOne(o, keys, t, each) }
	if c.callsItems == refused || !mappings[typeName(o)] {
		return oneByOne()
	}
	if len(keys) >= manyItems {
		return c.byItems(o, t, each, oneByOne)
	}
	if c.singles += len(keys); c.singles >= manyItems && c.callsItems == unknown {
		c.callsItems = beingAsked
		err := c.ask(o, wire.HandleCallAttr, func(v any, _ error) error {
			if view, ok := v.(*Object); ok {
				view.Release()
				c.callsItems = granted
			} else {
				c.callsItems = refused
			}
			return nil
		}, "items", brine.Tuple{}, brine.Tuple{})
		if err != nil {
			return err
		}
	}
	return oneByOne()
}

// byItems fetches all items of a mapping at once, or goes another way if the peer does not allow that.
func (c *conversion) byItems(o *Object, t reflect.Type,
	each func(i int, k, v any) error, otherwise func() error) error {
	return c.ask(o, wire.HandleCallAttr, c.gotItems(o, t, each, otherwise), "items", brine.Tuple{}, brine.Tuple{})
}

// gotItems takes the answer to items().
func (c *conversion) gotItems(o *Object, t reflect.Type, each func(i int, k, v any) error,
	otherwise func() error) func(any, error) error {
	return func(v any, _ error) error {
		view, ok := v.(*Object)
		if !ok {
			c.callsItems = refused
			return otherwise()
		}
		c.callsItems = granted
		return c.ask(view, wire.HandleBuffIter, func(v any, exc error) error {
			view.Release()
			pairs, ok := v.(brine.Tuple)
			if exc != nil || !ok {
				c.callsItems = refused
				return otherwise()
			}
			for i, p := range pairs {
				pair, ok := p.(brine.Tuple)
				if !ok || len(pair) != 2 {
					return &ConvertError{From: typeName(o), To: t, Reason: "items() does not give pairs"}
				}
				if err := each(i, pair[0], pair[1]); err != nil {
					return err
				}
			}
			return nil
		}, nil)
	}
}

func (c *conversion) oneByOne(o *Object, keys brine.Tuple, t reflect.Type, each func(i int, k, v any) error) error {
	for i, k := range keys {
		err := c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
			if exc != nil {
				return notThat(exc, o, t)
			}
			return each(i, k, v)
		}, "__getitem__", brine.Tuple{k}, brine.Tuple{})
		if err != nil {
			return err
		}
	}
	return nil
}

// structure fills the exported fields from the object's attributes, or from its items if it is a dict.
func (c *conversion) structure(dst reflect.Value, o *Object) error {
	t := dst.Type()
	fields := structFields(t)
	if len(fields) == 0 {
		return &ConvertError{From: typeName(o), To: t, Reason: "no exported fields"}
	}
	if !mappings[typeName(o)] {
		return c.attributes(dst, o, fields)
	}
	for _, f := range fields {
		if f.has("optional") {
			return c.someItems(dst, o, fields)
		}
	}
	return c.itemFields(dst, o, fields)
}

func (c *conversion) attributes(dst reflect.Value, o *Object, fields []structField) error {
	t := dst.Type()
	for _, f := range fields {
		err := c.inside(step{kind: toAttr, name: f.name, in: o}, func() error {
			return c.ask(o, wire.HandleGetAttr, func(v any, exc error) error {
				switch {
				case exc == nil:
					return c.assign(fieldOf(dst, f.index), v)
				case f.has("optional") && isAnyOf(exc, vinegar.AttributeError):
					return nil
				}
				c.path = c.path[:len(c.path)-1]
				return notThat(exc, o, t)
			}, f.name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// someItems fills what a dict has items for. It is asked first, because a defaultdict makes the items it is asked for.
func (c *conversion) someItems(dst reflect.Value, o *Object, fields []structField) error {
	return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, dst.Type())
		}
		keys, err := chunkOf(v)
		if err != nil {
			return err
		}
		has := make(map[string]bool, len(keys))
		for _, k := range keys {
			if s, ok := k.(string); ok {
				has[s] = true
			}
		}
		var there []structField
		for _, f := range fields {
			if has[f.name] || !f.has("optional") {
				there = append(there, f)
			}
		}
		return c.itemFields(dst, o, there)
	}, nil)
}

func (c *conversion) itemFields(dst reflect.Value, o *Object, fields []structField) error {
	keys := make(brine.Tuple, len(fields))
	for i, f := range fields {
		keys[i] = f.name
	}
	return c.oneByOne(o, keys, dst.Type(), func(i int, k, v any) error {
		return c.inside(step{kind: toItem, key: k, in: o}, func() error { return c.assign(fieldOf(dst, fields[i].index), v) })
	})
}
