package protocol

import (
	"sync"

	"github.com/gorpyc/gorpyc/netref"
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

// foreignClass is a class of a peer, by the peer's own number for it, or the one of the only object known to be of it.
type foreignClass struct {
	origin        netref.Requester
	class, object int64
}

type foreignClassID struct {
	id   int64
	uses int
}

// firstForeignClass is beyond the numbers of the classes of this process, which count from 1.
const firstForeignClass = 1 << 40

func foreignClassOf(o *netref.Object) foreignClass {
	r, _ := o.Ref()
	if r.Class == 0 { // families A and B do not number classes: each object may be of another
		return foreignClass{origin: o.Peer(), object: r.Object}
	}
	return foreignClass{origin: o.Peer(), class: r.Class}
}

// foreignRef is the id pack under which o, an object of another peer, is exported: with the name that its own peer gave
// it, as RPyC passes it on, and the number of its class. releaseForeign gives the number back.
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

func releaseForeign(o *netref.Object) {
	f := &foreignClasses
	f.Lock()
	defer f.Unlock()
	k := foreignClassOf(o)
	if c := f.byOrigin[k]; c != nil {
		if c.uses--; c.uses == 0 {
			delete(f.byOrigin, k)
		}
	}
}
