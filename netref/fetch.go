package netref

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Fetch copies a value with everything in it that is a container or a plain value of Python's, to any depth
// (copy.deepcopy on the other side of a connection, or rpyc.classic.obtain without pickling):
//
//	list, deque, range, views of a dict     []any
//	tuple                                   brine.Tuple
//	dict, OrderedDict, defaultdict …        map[any]any
//	set, frozenset                          map[any]struct{}; a frozenset that came by value stays brine.FrozenSet
//	bytearray                               []byte
//	datetime, date; timedelta               time.Time; time.Duration
//	everything else                         as received: by value, or a handle
//
// As keys, tuples are arrays of any and bytes are arrays of byte, because Go can hash nothing else. A container that is
// in several places is fetched once. One that contains itself is refused with a *[ConvertError]. What may be asked of
// the peer by default is enough for it; the number of round trips is as [Assign] says. A list or dict with more than 64
// lists, dicts and sets in it goes over as a pickle where the peer allows it, unless it has something else in it than
// those, tuples and plain values.
func Fetch(ctx context.Context, v any) (any, error) {
	c := conversion{ctx: ctx, deep: true}
	c.root, _ = v.(*Object)
	var dst any
	if err := c.convert(reflect.ValueOf(&dst).Elem(), v); err != nil {
		return nil, err
	}
	heights := make(map[*Object]int)
	for o := range c.edges {
		if _, err := c.height(o, heights); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

var lists = classes("list", "range", "dict_keys", "dict_values", "dict_items", "collections.deque")

func isContainer(class string) bool { return lists[class] || mappings[class] || sets[class] }

// fetch stores the copy of v in an any.
func (c *conversion) fetch(dst reflect.Value, v any) error {
	if v == nil {
		dst.SetZero()
		return nil
	}
	if t, ok := v.(brine.Tuple); ok {
		to := reflect.New(tupleType).Elem()
		if err := c.items(to, t, "tuple", nil); err != nil {
			return err
		}
		dst.Set(to)
		return nil
	}
	o, ok := v.(*Object)
	if _, own := v.(Valuer); own { // perhaps a container of package exposed
		if handle := ownHandle(v); handle != nil && isContainer(typeName(handle)) {
			o, ok = handle, true
		}
	}
	if !ok || o.IsClass() {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	class := typeName(o)
	if isContainer(class) {
		c.enter(o)
		if to, ok := c.seen[o]; ok {
			return c.through(dst, to, nil)
		}
	}
	switch {
	case lists[class]:
		return c.fetchList(dst, o)
	case mappings[class], sets[class]:
		t := reflect.TypeFor[map[any]any]()
		if sets[class] {
			t = reflect.TypeFor[map[any]struct{}]()
		}
		to := reflect.New(t).Elem()
		m := reflect.MakeMap(t)
		to.Set(m)
		c.seen[o] = to
		dst.Set(m)
		return c.fill(m, o, sets[class])
	case class == "bytearray":
		to := reflect.New(reflect.TypeFor[[]byte]()).Elem()
		return c.through(dst, to, c.sequence(to, o))
	case class == "datetime.datetime", class == "datetime.date":
		to := reflect.New(timeType).Elem()
		return c.through(dst, to, c.text(to, o))
	case class == "datetime.timedelta":
		to := reflect.New(reflect.TypeFor[time.Duration]()).Elem()
		return c.through(dst, to, c.text(to, o))
	}
	dst.Set(reflect.ValueOf(o))
	return nil
}

// through has dst get what has arrived in to at the end.
func (c *conversion) through(dst, to reflect.Value, err error) error {
	c.after = append(c.after, func() error {
		dst.Set(to)
		return nil
	})
	return err
}

// enter notes that o is inside the container that the path leads through last.
func (c *conversion) enter(o *Object) {
	if c.seen == nil {
		c.seen = make(map[*Object]reflect.Value)
		c.edges = make(map[*Object][]*Object)
	}
	for i := len(c.path) - 1; i >= 0; i-- {
		if in := c.path[i].in; in != nil {
			c.edges[in] = append(c.edges[in], o)
			return
		}
	}
}

// inProgress stands for the height of a container whose contents are being looked at.
const inProgress = -1

// height is how deep containers are nested in o. One that contains itself has none: Go's printing and comparing of
// values would not end.
func (c *conversion) height(o *Object, known map[*Object]int) (int, error) {
	switch h, ok := known[o]; {
	case ok && h == inProgress:
		return 0, &ConvertError{From: typeName(o), To: anyType, Reason: "it contains itself"}
	case ok:
		return h, nil
	}
	known[o] = inProgress
	h := 0
	for _, in := range c.edges[o] {
		inner, err := c.height(in, known)
		if err != nil {
			return 0, err
		}
		if h = max(h, inner+1); h > maxHeight {
			return 0, &ConvertError{From: typeName(o), To: anyType, Reason: "nested too deep"}
		}
	}
	known[o] = h
	return h, nil
}

// maxHeight bounds how deep containers are nested in a copy.
const maxHeight = 1000

func (c *conversion) fetchList(dst reflect.Value, o *Object) error {
	to := reflect.New(reflect.TypeFor[[]any]()).Elem()
	c.seen[o] = to
	return c.ask(o, wire.HandleBuffIter, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, dst.Type())
		}
		items, err := chunkOf(v)
		if err != nil {
			return err
		}
		itemwise := func() error {
			if err := c.items(to, items, typeName(o), o); err != nil {
				return err
			}
			dst.Set(to)
			return nil
		}
		return c.fetchedList(dst, o, items, itemwise)
	}, nil)
}

// isAnyOf reports whether an exception is of one of the classes.
func isAnyOf(exc error, classes ...*vinegar.Class) bool {
	e, ok := exc.(*vinegar.Error)
	return ok && slices.ContainsFunc(classes, func(c *vinegar.Class) bool { return e.Is(c) })
}
