package netref

import (
	"bytes"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Mappings, and what Fetch was given, are copied as a whole or not at all: the ones cannot be asked for a part, and of
// the other a container that is in two parts would be copied twice.

const (
	// samples is how many items tell about how long the pickle of a container is.
	samples = 4
	// maxWhole is about how long the pickle of a container may be that is copied as a whole: well below the limit of a
	// message, because some items may be longer than the samples.
	maxWhole = 8 << 20
)

// dicts are the mappings whose pickles say no more and no less than that they are some of them.
var dicts = classes("dict", "collections.OrderedDict", "collections.defaultdict", "collections.Counter")

// spread returns a few items from all over items.
func spread(items []any) []any {
	if len(items) <= samples {
		return items
	}
	some := make([]any, samples)
	for i := range some {
		some[i] = items[i*(len(items)-1)/(samples-1)]
	}
	return some
}

// pickledLen is about how long the pickle of a plain value is. Of others it is what their class takes.
func pickledLen(v any) int {
	n := 16
	switch v := v.(type) {
	case string:
		n += len(v)
	case []byte:
		n += len(v)
	case brine.Tuple:
		for _, v := range v {
			n += pickledLen(v)
		}
	case brine.FrozenSet:
		for _, v := range v {
			n += pickledLen(v)
		}
	}
	return n
}

// longest tells about how long the pickle of the longest of some values is, or that one of them is not worth copying.
func (c *conversion) longest(some []any, got func(n int, ok bool) error) error {
	longest, ok, waiting := 0, true, 1
	ready := func() error {
		if waiting--; waiting > 0 {
			return nil
		}
		return got(longest, ok)
	}
	for _, v := range some {
		o, isObject := v.(*Object)
		switch {
		case !isObject:
			longest = max(longest, pickledLen(v))
		case !isWorthCopying(v):
			ok = false
		default:
			waiting++
			err := c.pickled(o, func(data []byte) error {
				longest = max(longest, len(data))
				return ready()
			}, func() error {
				ok = false
				return ready()
			})
			if err != nil {
				return err
			}
		}
	}
	return ready()
}

// whole copies a container of n items, of which some are given, if its pickle is not too long; take reports whether it
// could use the pickle.
func (c *conversion) whole(o *Object, n int, some []any, take func(data []byte) bool, otherwise func() error) error {
	return c.longest(some, func(longest int, ok bool) error {
		if !ok || n*longest > maxWhole {
			return otherwise()
		}
		return c.pickled(o, func(data []byte) error {
			if take(data) {
				return nil
			}
			return otherwise()
		}, otherwise)
	})
}

// dict copies a mapping into m by way of its pickle, if its values are worth it.
func (c *conversion) dict(m reflect.Value, o *Object, keys brine.Tuple, otherwise func() error) error {
	take := func(data []byte) bool {
		part := reflect.New(m.Type()).Elem()
		if c.deep {
			v, ok := c.fetched(o, data)
			if !ok {
				return false
			}
			part.Set(reflect.ValueOf(v))
		} else if !c.fromPickle(part, o, data) {
			return false
		}
		for it := part.MapRange(); it.Next(); {
			m.SetMapIndex(it.Key(), it.Value())
		}
		return true
	}
	longestKey := 0
	for _, k := range keys {
		longestKey = max(longestKey, pickledLen(k))
	}
	some := spread(keys)
	values := make([]any, 0, len(some))
	failed, waiting := false, len(some)
	for _, k := range some {
		err := c.ask(o, wire.HandleCallAttr, func(v any, exc error) error {
			failed = failed || exc != nil
			values = append(values, v)
			if waiting--; waiting > 0 {
				return nil
			}
			if _, known := o.peer.Pickles(); failed || !known && !isWorthCopying(values[0]) {
				return otherwise()
			}
			return c.whole(o, len(keys), values, take, otherwise)
		}, "__getitem__", brine.Tuple{k}, brine.Tuple{})
		if err != nil {
			return err
		}
	}
	return nil
}

// mayCopyDict reports whether a mapping with n items may be copied into a map of type t.
func (c *conversion) mayCopyDict(o *Object, t reflect.Type, n int) bool {
	if n <= sampleItems || !dicts[typeName(o)] {
		return false
	}
	if c.deep {
		return c.mayFetch(o, n > manyObjects)
	}
	return holdsValues(t.Key(), nil, true) && c.mayCopy(o, t.Elem(), n > manyObjects)
}

// mayFetch reports whether an object may be copied for Fetch: nothing is known yet of what is in it.
func (c *conversion) mayFetch(o *Object, unknown bool) bool {
	if o != c.root || c.noCopies || o.peer.ByteTexts() {
		return false
	}
	allowed, known := o.peer.Pickles()
	return allowed || !known && unknown
}

// fetchedList copies a list for Fetch, if so many of its items are objects that it is worth it.
func (c *conversion) fetchedList(dst reflect.Value, o *Object, items brine.Tuple, otherwise func() error) error {
	var objects []any
	for _, v := range items {
		if isWorthCopying(v) {
			objects = append(objects, v)
		}
	}
	if typeName(o) != "list" || len(objects) <= sampleItems || !c.mayFetch(o, len(objects) > manyObjects) {
		return otherwise()
	}
	plain := 0
	for _, v := range items {
		plain += pickledLen(v)
	}
	if plain > maxWhole {
		return otherwise()
	}
	return c.whole(o, len(objects), spread(objects), func(data []byte) bool {
		v, ok := c.fetched(o, data)
		if ok {
			dst.Set(reflect.ValueOf(v))
		}
		return ok
	}, otherwise)
}

// fetched is what Fetch returns for a pickled container, if that is sure.
func (c *conversion) fetched(o *Object, data []byte) (any, bool) {
	v, err := o.peer.Unpickle(data, true)
	if err != nil {
		c.noCopies = true
		return nil, false
	}
	f := fetcher{done: make(map[any]any)}
	v, ok := f.value(v, 0)
	c.noCopies = c.noCopies || !ok
	return v, ok
}

// fetcher makes of what pickles say what Fetch makes of the objects. It knows the built-in containers and what travels
// by value; whatever else there is would be a handle.
type fetcher struct {
	done map[any]any // by container; nil while it is being made
}

func (f *fetcher) value(v any, depth int) (any, bool) {
	if depth > maxHeight {
		return nil, false
	}
	switch v := v.(type) {
	case brine.Tuple:
		items, ok := f.items(v, depth)
		return brine.Tuple(items), ok
	case []any:
		return f.once(first(v), func() (any, bool) { return f.items(v, depth) })
	case brine.FrozenSet:
		if isPlain(v) {
			return v, true
		}
		return f.once(first(v), func() (any, bool) { return f.members(v, depth) })
	case Mapping:
		if !dicts[typeName(v)] {
			return nil, false
		}
		return f.once(v, func() (any, bool) { return f.mapping(v, depth) })
	case Valuer:
		if members, ok := v.GoValue().(brine.FrozenSet); ok && typeName(v) == "set" {
			return f.once(first(members), func() (any, bool) { return f.members(members, depth) })
		}
		return nil, false
	}
	if b := reflect.ValueOf(v); b.IsValid() && b.Kind() == reflect.Slice && b.Type().Elem().Kind() == reflect.Uint8 {
		return bytes.Clone(b.Bytes()), true // a bytearray has a type of its own
	}
	return v, pyvalue.TypeName(v) != ""
}

// first identifies a list or set by where its items are; nil if it has none.
func first(items []any) any {
	if len(items) == 0 {
		return nil
	}
	return &items[0]
}

// once makes a container unless that has been done. One that contains itself is not made.
func (f *fetcher) once(container any, make func() (any, bool)) (any, bool) {
	if container == nil {
		return make()
	}
	if v, ok := f.done[container]; ok {
		return v, v != nil
	}
	f.done[container] = nil
	v, ok := make()
	if ok {
		f.done[container] = v
	}
	return v, ok
}

func (f *fetcher) items(items []any, depth int) ([]any, bool) {
	out := make([]any, len(items))
	for i, v := range items {
		var ok bool
		if out[i], ok = f.value(v, depth+1); !ok {
			return nil, false
		}
	}
	return out, true
}

func (f *fetcher) members(members []any, depth int) (any, bool) {
	m := make(map[any]struct{}, len(members))
	for _, v := range members {
		k, ok := f.key(v, depth)
		if !ok {
			return nil, false
		}
		m[k] = struct{}{}
	}
	return m, true
}

func (f *fetcher) mapping(from Mapping, depth int) (any, bool) {
	m := make(map[any]any)
	for k, v := range from.All() {
		k, ok := f.key(k, depth)
		if !ok {
			return nil, false
		}
		if m[k], ok = f.value(v, depth+1); !ok {
			return nil, false
		}
	}
	return m, true
}

// key is a key in the form that Go can hash.
func (f *fetcher) key(k any, depth int) (any, bool) {
	k, ok := f.value(k, depth+1)
	if !ok {
		return nil, false
	}
	if h, ok := hashable(k); ok {
		k = h
	}
	return k, k == nil || reflect.ValueOf(k).Comparable()
}
