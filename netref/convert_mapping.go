package netref

import (
	"cmp"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

var emptyType = reflect.TypeFor[struct{}]()

// Classes are told by the names under which peers announce them.
var (
	sets     = classes("set", "frozenset", "dict_keys")
	mappings = classes("dict", "mappingproxy", "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
		"collections.ChainMap", "collections.UserDict")
	// records have fields, by which they are asked for items, and not all of them attributes.
	records = classes("numpy.void", "numpy.record")
	// notMappings have items and are iterated over, but not by the items' keys.
	notMappings = classes("list", "tuple", "set", "frozenset", "range", "str", "bytes", "bytearray", "memoryview",
		"generator",
		"list_iterator", "dict_keys", "dict_values", "dict_items", "collections.deque", "array.array", "numpy.ndarray")
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
	put := func(_ int, k, v any) error { return c.put(m, k, &v, o) }
	switch {
	case asSet:
	case records[class]:
		return c.fieldNames(o, t, func(names brine.Tuple) error { return c.oneByOne(o, names, t, put) })
	case isPandas(o, "Series"):
		return c.callFor(o, t, "to_dict", nil, func(dict *Object) error { return c.fill(m, dict, false) })
	case !mappings[class] && !isPandas(o, "DataFrame") && c.callsKeys != refused:
		return c.byKeys(m, o)
	}
	return c.fill(m, o, asSet)
}

// byKeys adds the items of an object of a class that is not known, as dict() does: by its keys(), since a loop over a
// sqlite3.Row for example gives its values. Where the peer keeps that from us, a loop has to do.
func (c *conversion) byKeys(m reflect.Value, o *Object) error {
	_, own := o.Own()
	return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
		put := func(_ int, k, v any) error { return c.put(m, k, &v, o) }
		switch v := v.(type) {
		case *Object:
			return c.ask(v, wire.HandleBuffIter, func(v any, exc error) error {
				keys, err := chunkOf(v)
				if exc != nil || err != nil {
					return notThat(cmp.Or(exc, err), o, m.Type())
				}
				return c.oneByOne(o, keys, m.Type(), put)
			}, nil)
		case brine.Tuple:
			return c.oneByOne(o, v, m.Type(), put)
		}
		switch {
		case denied(exc):
			c.callsKeys = refused
		case exc != nil && !own && lacks(exc, "keys"):
			return &ConvertError{From: typeName(o), To: m.Type(), Reason: "not a mapping"}
		}
		return c.fill(m, o, false)
	}, "keys", brine.Tuple{}, brine.Tuple{})
}

// fieldNames asks for the names of the fields of a numpy.void.
func (c *conversion) fieldNames(o *Object, t reflect.Type, got func(names brine.Tuple) error) error {
	return c.ask(o, wire.HandleGetAttr, func(v any, exc error) error {
		dtype, ok := v.(*Object)
		if !ok {
			return notThat(exc, o, t)
		}
		return c.ask(dtype, wire.HandleGetAttr, func(v any, exc error) error {
			names, ok := v.(brine.Tuple)
			if !ok && exc == nil {
				return &ConvertError{From: typeName(o), To: t, Reason: "it has no fields"}
			}
			if exc != nil {
				return notThat(exc, o, t)
			}
			return got(names)
		}, "names")
	}, "dtype")
}

// isPandas reports whether an object is of a class of pandas; its releases tell different modules.
func isPandas(o *Object, class string) bool {
	name, ok := strings.CutPrefix(o.ClassName(), "pandas.")
	return ok && !o.IsClass() && strings.HasSuffix("."+name, "."+class)
}

// callFor calls a method of an object whose result is another one that is converted in its place.
func (c *conversion) callFor(o *Object, t reflect.Type, method string, args brine.Tuple,
	got func(o *Object) error) error {
	return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
		instead, ok := v.(*Object)
		switch {
		case exc != nil:
			return notThat(exc, o, t)
		case !ok:
			return &ConvertError{From: typeName(o), To: t}
		}
		return got(instead)
	}, method, args, brine.Tuple{})
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
		itemwise := func() error { return c.values(o, keys, m.Type(), put) }
		if c.mayCopyDict(o, m.Type(), len(keys)) {
			return c.dict(m, o, keys, itemwise)
		}
		return itemwise()
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
			if records[typeName(o)] && isAnyOf(exc, vinegar.ValueError) { // of a field that there is not
				return &ConvertError{From: typeName(o), To: t, Reason: exc.Error()}
			}
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
	if !mappings[typeName(o)] && !records[typeName(o)] {
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
	instead := false // the object's items are asked for
	for _, f := range fields {
		err := c.inside(step{kind: toAttr, name: f.name, in: o}, func() error {
			return c.ask(o, wire.HandleGetAttr, func(v any, exc error) error {
				switch {
				case instead:
					return nil
				case exc == nil:
					return c.assign(fieldOf(dst, f.index), v)
				case f.has("optional") && isAnyOf(exc, vinegar.AttributeError):
					return nil
				}
				c.path = c.path[:len(c.path)-1]
				if isAnyOf(exc, vinegar.AttributeError) && !isBuiltin(o) && !o.IsClass() {
					instead = true
					return c.itemsInstead(dst, o, fields, exc)
				}
				return notThat(exc, o, t)
			}, f.name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// itemsInstead fills the fields from the items of an object that lacks an attribute: of a class derived from dict, or
// another mapping. What it says otherwise is what it has said of the attribute.
func (c *conversion) itemsInstead(dst reflect.Value, o *Object, fields []structField, lacked error) error {
	for _, f := range fields {
		err := c.inside(step{kind: toItem, key: f.name, in: o}, func() error {
			return c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
				switch {
				case exc == nil:
					return c.assign(fieldOf(dst, f.index), v)
				case f.has("optional") && isAnyOf(exc, vinegar.LookupError):
					return nil
				}
				c.path = c.path[:len(c.path)-1]
				if isAnyOf(exc, vinegar.KeyError) {
					lacked = exc
				}
				if denied(lacked) && strings.HasPrefix(exc.Error(), "TypeError: tuple indices ") {
					return c.fieldsOf(dst, o) // a namedtuple whose names the peer keeps from us
				}
				return notThat(lacked, o, dst.Type())
			}, "__getitem__", brine.Tuple{f.name}, brine.Tuple{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fieldsOf fills the fields with the items of a tuple, in their order.
func (c *conversion) fieldsOf(dst reflect.Value, o *Object) error {
	return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, dst.Type())
		}
		items, err := chunkOf(v)
		if err != nil {
			return err
		}
		return c.fields(dst, typeName(o), items)
	}, nil)
}

// someItems fills what a dict has items for. It is asked first, because a defaultdict makes the items it is asked for.
func (c *conversion) someItems(dst reflect.Value, o *Object, fields []structField) error {
	got := func(keys brine.Tuple) error {
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
	}
	if records[typeName(o)] {
		return c.fieldNames(o, dst.Type(), got)
	}
	return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, dst.Type())
		}
		keys, err := chunkOf(v)
		if err != nil {
			return err
		}
		return got(keys)
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
