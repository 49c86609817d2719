package protocol

import (
	"runtime"
	"weak"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// imports is the table of the peer's objects that we hold handles on. Handles are held weakly; an entry counts how
// often the peer named the object while its handle lived, which is what has to be given back when the handle dies.
//
// The peer may name an object again after its handle has died and before the handle's cleanup has run. The object then
// gets a new entry; the old one, which the cleanup has a pointer to, still gives back its own count.
type imports struct {
	entries map[wire.Ref]*imported
	peak    int // the most entries there have been since the map was made
}

type imported struct {
	c      *Conn
	ref    wire.Ref
	handle weak.Pointer[netref.Object]
	kept   *netref.Object // the handle, if it is not to die before it is released
	count  int
	gone   bool // the count has been given back
}

func (m *imports) init() { m.entries = make(map[wire.Ref]*imported) }

func (m *imports) clear() { m.init() }

// importRef returns the handle on an object the peer has just named by reference.
func (l locked) importRef(r wire.Ref) *netref.Object {
	if e := l.imports.entries[r]; e != nil {
		if o := e.handle.Value(); o != nil && !o.Released() {
			e.count++
			return o
		}
	}
	o := netref.New((*requester)(l.c), r)
	e := &imported{c: l.c, ref: r, handle: weak.Make(o), count: 1}
	l.imports.entries[r] = e
	l.imports.peak = max(l.imports.peak, len(l.imports.entries))
	runtime.AddCleanup(o, func(e *imported) { e.giveBack() }, e)
	return o
}

// giveBack sends the entry's references back to the peer. It is called by cleanups, which share one goroutine: it never
// blocks.
func (e *imported) giveBack() {
	l := e.c.lock()
	if e.gone || l.broken {
		l.unlock()
		return
	}
	e.gone = true
	e.kept = nil
	if l.imports.entries[e.ref] == e {
		delete(l.imports.entries, e.ref)
		if m := &l.imports; outgrown(len(m.entries), m.peak) {
			m.entries, m.peak = remade(m.entries), len(m.entries)
		}
	}
	l.unlock()
	e.c.sendDel(e.ref, e.count)
}

// sendDel gives n references back. It never blocks; what the peer answers is of no interest.
func (c *Conn) sendDel(r wire.Ref, n int) {
	for left := int64(n); left > 0; {
		left -= c.sendOneDel(r, left)
	}
}

// sendOneDel sends one DEL, which gives back as many of n references as the peer's family allows.
func (c *Conn) sendOneDel(r wire.Ref, n int64) (given int64) {
	d := c.dialect.Load()
	w := c.getWorkspace()
	defer c.putWorkspace(w)
	s := &w.scratch
	s.begin()
	b := d.AppendRequest(d.AppendThreads(s.b, wire.Threads{Sender: ourThread}), c.seq.Add(1)-1, wire.HandleDel)
	s.b, given = d.AppendDelArgs(b, r, n)
	if c.endFrame(d, s) == nil { // it always is: the frame has a few bytes
		_ = c.send(c.base, s, sendLater) // it fails if the connection has ended, and the peer has given up everything
	}
	return given
}

// Imported returns the number of the peer's objects that we hold references to.
func (c *Conn) Imported() int {
	l := c.lock()
	defer l.unlock()
	return len(l.imports.entries)
}
