package protocol

import (
	"maps"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// exports is the table of our objects that the peer holds references to (RefCountingColl). Ids are counters and never
// given twice on a connection.
type exports struct {
	objects map[int64]*exported // by instance id
	classes map[int64]*exported // by class id
	byKey   map[any]*exported   // by identity, for objects that have one
	bound   map[any]int         // how many methods of an object the peer holds, by the object's identity, see Dropper
	alias   *exported           // the root, if the peer knows it by its name, see Conn.settle
	last    int64
	peak    int // the most objects there have been since the maps were made
}

type exported struct {
	ref   wire.Ref
	obj   any
	key   any // identity, nil if the object has none
	count int
}

// boundTo is the object that an entry's is a method of, if that is to be told when the peer has neither it nor any of
// its methods, and its identity; nil otherwise.
func (e *exported) boundTo() (self exposed.Dropper, key any) {
	self, ok := exposed.BoundTo(e.obj)
	if !ok {
		return nil, nil
	}
	if key, ok = exposed.Identity(self); !ok {
		return nil, nil
	}
	return self, key
}

func (x *exports) init() {
	x.objects = make(map[int64]*exported)
	x.classes = make(map[int64]*exported)
	x.byKey = make(map[any]*exported)
	x.alias = nil
}

// addExport gives the peer one reference to v, an object of the class, and returns its entry.
func (l locked) addExport(v any, class *exposed.Class) (*exported, error) {
	x := &l.exports
	key, hasKey := exposed.Identity(v)
	if hasKey {
		if e := x.byKey[key]; e != nil {
			e.count++
			return e, nil
		}
	}
	if n, limit := len(x.objects)+len(x.classes), l.c.cfg.Limits.Exports; n >= limit {
		return nil, &LimitError{What: "objects held by the peer", Got: int64(n) + 1, Limit: int64(limit)}
	}
	if err := l.coverExports(len(x.objects) + len(x.classes) + 1); err != nil {
		return nil, err
	}
	if x.objects == nil {
		x.init()
	}
	e := &exported{obj: v, count: 1}
	x.refer(e, class)
	if e.ref.IsClass() {
		x.classes[e.ref.Class] = e
	} else {
		x.last++
		x.objects[x.last] = e
		x.peak = max(x.peak, len(x.objects))
	}
	if hasKey {
		e.key = key
		x.byKey[key] = e
	}
	x.bind(e)
	return e, nil
}

// bind notes that the peer has got a method.
func (x *exports) bind(e *exported) {
	if self, key := e.boundTo(); self != nil {
		if x.bound == nil {
			x.bound = map[any]int{}
		}
		x.bound[key]++
	}
}

// dropped is who is to be told that the peer has given up an entry, which is not in the table any more; nil if nobody.
func (x *exports) dropped(e *exported) exposed.Dropper {
	self, key := e.boundTo()
	if self == nil {
		if d, ok := e.obj.(exposed.Dropper); ok && (e.key == nil || x.bound[e.key] == 0) {
			return d
		}
		return nil
	}
	if x.bound[key]--; x.bound[key] > 0 {
		return nil
	}
	delete(x.bound, key)
	if x.byKey[key] != nil {
		return nil
	}
	return self
}

// refer gives a new entry its id pack.
func (x *exports) refer(e *exported, class *exposed.Class) {
	switch v := e.obj.(type) {
	case *exposed.Class:
		e.ref = wire.Ref{Name: v.Name(), Class: v.ID()}
	case *netref.Object:
		e.ref = foreignRef(v, x.last+1)
	case *foreignType:
		e.ref = foreignRef(v.instance, 0)
	default:
		e.ref = wire.Ref{Name: exposed.RefName(v, class), Class: class.ID(), Object: x.last + 1}
		if _, module := v.(exposed.Named); module {
			e.ref = e.ref.AsModule()
		}
	}
}

// find returns the entry of an id pack the peer sends back; nil if there is none.
func (x *exports) find(r wire.Ref) *exported {
	e := x.objects[r.Object]
	if r.IsClass() {
		e = x.classes[r.Class]
		if name := r.RootAlias(); x.alias != nil && name != "" && name == x.alias.ref.Name {
			return x.alias
		}
	}
	if e == nil || !r.Names(e.ref) {
		return nil
	}
	return e
}

func (x *exports) remove(e *exported) {
	releaseForeign(e.obj)
	if e.ref.IsClass() {
		delete(x.classes, e.ref.Class)
	} else {
		delete(x.objects, e.ref.Object)
	}
	if e.key != nil {
		delete(x.byKey, e.key)
	}
	if outgrown(len(x.objects), x.peak) {
		x.objects, x.byKey, x.peak = remade(x.objects), remade(x.byKey), len(x.objects)
	}
}

// outgrown reports whether a map of n entries that has had peak of them should be made anew: a map never gives back the
// memory that it grew to.
func outgrown(n, peak int) bool { return peak >= 4096 && n <= peak/16 }

func remade[K comparable, V any](m map[K]V) map[K]V {
	out := make(map[K]V, len(m))
	maps.Copy(out, m)
	return out
}

// clear empties the table and returns the objects that want to be told.
func (x *exports) clear() []exposed.Dropper {
	var dropped []exposed.Dropper
	for _, entries := range []map[int64]*exported{x.objects, x.classes} {
		for _, e := range entries {
			releaseForeign(e.obj)
			if o, ok := e.obj.(exposed.Dropper); ok {
				dropped = append(dropped, o)
			}
			if self, key := e.boundTo(); self != nil && x.byKey[key] == nil && x.bound[key] > 0 {
				delete(x.bound, key) // once, for all of its methods
				dropped = append(dropped, self)
			}
		}
	}
	*x = exports{last: x.last}
	return dropped
}

// decref takes n references back from the peer, or all it has if these are fewer, as upstream does. If they were the
// last ones and the object wants to know, decref returns it, and the caller calls tellDropped.
func (c *Conn) decref(r wire.Ref, n int64) exposed.Dropper {
	l := c.lock()
	defer l.unlock()
	e := l.exports.find(r)
	switch {
	case e == nil:
	case n >= int64(e.count):
		l.exports.remove(e)
		if _, foreign := e.obj.(*netref.Object); foreign {
			CollectSoon() // this was what kept an object of another peer, as a rule
		}
		if l.leases.exports.held > 0 {
			_ = l.coverExports(len(l.exports.objects) + len(l.exports.classes)) // less is always there
		}
		return l.exports.dropped(e)
	case n > 0: // a negative count would be references made up by the peer
		e.count -= int(n)
	}
	return nil
}

// tellDropped tells an object that the peer has given up its last reference.
func (c *Conn) tellDropped(d exposed.Dropper) {
	defer c.logPanic("PyDrop")
	d.PyDrop()
}

// Exported returns the number of objects of ours that the peer holds references to.
func (c *Conn) Exported() int {
	l := c.lock()
	defer l.unlock()
	return len(l.exports.objects) + len(l.exports.classes)
}
