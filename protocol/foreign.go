package protocol

import (
	"context"
	"sync"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// foreignClasses numbers the classes of objects of one peer that are exported to another, which compares the numbers
// to tell whether an object is an instance of a class. A number of the origin's own would not do: two origins may use
// the same one, and so may this process. A class has its number while an object of it is exported, so that a peer that
// makes up classes takes no more room than its objects do.
var foreignClasses struct {
	sync.Mutex
	byOrigin map[foreignClass]*foreignClassID
	last     int64
}

// foreignClass is a class of a peer, by the peer's own number for it. Families A and B do not number classes and know
// them by their names; those of Python 2's old classes, which are all called instance, by the one object known to be of
// the class.
type foreignClass struct {
	origin        netref.Requester
	class, object int64
	name          string
}

type foreignClassID struct {
	id   int64
	uses int
}

// firstForeignClass is beyond the numbers of the classes of this process, which count from 1.
const firstForeignClass = 1 << 40

func foreignClassOf(o *netref.Object) foreignClass {
	r, _ := o.Ref()
	switch {
	case r.Class != 0:
		return foreignClass{origin: o.Peer(), class: r.Class}
	case r.Name == "builtins.instance":
		return foreignClass{origin: o.Peer(), object: r.Object}
	}
	return foreignClass{origin: o.Peer(), name: r.Name}
}

// foreignRef is the id pack under which o, an object of another peer, is exported: with the name that its own peer gave
// it, as RPyC passes it on, and the number of its class. releaseClass gives the number back.
func foreignRef(o *netref.Object, id int64) wire.Ref {
	f := &foreignClasses
	f.Lock()
	defer f.Unlock()
	k := foreignClassOf(o)
	c := f.byOrigin[k]
	if c == nil {
		if f.byOrigin == nil {
			f.byOrigin = make(map[foreignClass]*foreignClassID)
		}
		f.last++
		c = &foreignClassID{id: firstForeignClass + f.last}
		f.byOrigin[k] = c
	}
	c.uses++
	if o.IsClass() {
		id = 0
	}
	return wire.Ref{Name: o.ClassName(), Class: c.id, Object: id}
}

func releaseClass(k foreignClass) {
	f := &foreignClasses
	f.Lock()
	defer f.Unlock()
	if c := f.byOrigin[k]; c != nil {
		if c.uses--; c.uses == 0 {
			delete(f.byOrigin, k)
		}
	}
}

// releaseForeign gives the number of a class back that an export has.
func releaseForeign(v any) {
	switch v := v.(type) {
	case *netref.Object:
		releaseClass(foreignClassOf(v))
	case *foreignType:
		releaseClass(v.class)
	}
}

// foreignType stands for the class of an object of another peer, for one that asks for the class before it asks for its
// methods. Such a peer never gives a class back, so what stands for it must not keep the object.
type foreignType struct {
	class foreignClass

	mu       sync.Mutex
	instance *netref.Object // to be asked for the methods; nil when they are known
	methods  []exposed.Method
}

func foreignTypeOf(o *netref.Object) *foreignType {
	return &foreignType{class: foreignClassOf(o), instance: o}
}

// inspect returns the methods of the class.
func (t *foreignType) inspect(ctx context.Context) ([]exposed.Method, error) {
	t.mu.Lock()
	o, ms := t.instance, t.methods
	t.mu.Unlock()
	if o == nil {
		return ms, nil
	}
	ms, err := remoteMethods(ctx, o)
	if err == nil {
		t.mu.Lock()
		t.instance, t.methods = nil, ms
		t.mu.Unlock()
		CollectSoon()
	}
	return ms, err
}
