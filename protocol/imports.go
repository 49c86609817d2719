package protocol

import (
	"math"
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
	kept    int // entries whose handles cannot be garbage

	generation uint64 // of the collector, when fresh was counted
	fresh      int    // entries that have been named since then, and may be those of handles that are garbage
}

type imported struct {
	c      *Conn
	ref    wire.Ref
	handle weak.Pointer[netref.Object]
	kept   *netref.Object // the handle, if it is not to die before it is released
	count  int
	gone   bool // the count has been given back

	generation uint64 // of the collector, when the object was named last
}

func (m *imports) clear() { *m = imports{} }

// hasFresh reports whether there are handles that no collection has found alive yet, beside those of so many references
// that have come with requests that are still under way.
func (m *imports) hasFresh(came int) bool {
	return m.fresh > came && m.generation == collector.generation.Load()
}

// keep holds the handle of an entry.
func (m *imports) keep(e *imported, o *netref.Object) {
	if e.kept == nil {
		m.kept++
		m.stale(e)
	}
	e.kept = o
}

// named notes that the peer has named the object of an entry.
func (m *imports) named(e *imported) {
	now := collector.generation.Load()
	if m.generation != now {
		m.generation, m.fresh = now, 0
	}
	if e.generation != now && e.kept == nil {
		e.generation = now
		m.fresh++
	}
	e.count++
}

// stale notes that an entry need not be looked at soon.
func (m *imports) stale(e *imported) {
	if e.generation == m.generation {
		m.fresh--
	}
	e.generation = never
}

// remove takes an entry out of the table, unless a newer one has its place.
func (m *imports) remove(e *imported) {
	e.gone = true
	if e.kept != nil {
		e.kept = nil
		m.kept--
	}
	m.stale(e)
	if m.entries[e.ref] != e {
		return
	}
	delete(m.entries, e.ref)
	if outgrown(len(m.entries), m.peak) {
		m.entries, m.peak = remade(m.entries), len(m.entries)
	}
}

// importRef returns the handle on an object the peer has just named by reference.
func (l locked) importRef(r wire.Ref) *netref.Object {
	if e := l.imports.entries[r]; e != nil {
		if o := e.handle.Value(); o != nil && !o.Released() {
			l.imports.named(e)
			return o
		}
	}
	o := netref.New((*requester)(l.c), r)
	e := &imported{c: l.c, ref: r, handle: weak.Make(o), generation: never}
	l.imports.named(e)
	if l.imports.entries == nil {
		l.imports.entries = make(map[wire.Ref]*imported)
	}
	l.imports.entries[r] = e
	l.imports.peak = max(l.imports.peak, len(l.imports.entries))
	runtime.AddCleanup(o, func(e *imported) {
		if e.giveBack() {
			collector.freed.Add(1)
		}
	}, e)
	return o
}

// never is no generation.
const never = math.MaxUint64

// giveBack sends the entry's references back to the peer, unless that was done. It is called by cleanups, which share
// one goroutine: it never blocks.
func (e *imported) giveBack() bool {
	l := e.c.lock()
	if e.gone || l.broken {
		l.unlock()
		return false
	}
	l.imports.remove(e)
	l.unlock()
	e.c.sendDel(e.ref, e.count, sendLater)
	return true
}

// giveBackOne sends one of the references that the peer has given for o back, while others may be left. o has the
// references of a message that nobody has any more, so that if there are no others, o is not used again.
func (c *Conn) giveBackOne(o *netref.Object) bool {
	ref, _ := o.Ref()
	l := c.lock()
	e := l.imports.entries[ref]
	if l.broken || e == nil || e.gone || e.kept != nil || e.handle.Value() != o {
		l.unlock()
		return false
	}
	if e.count--; e.count == 0 {
		l.imports.remove(e)
	} else {
		l.imports.stale(e) // what is left was there before, as a rule
	}
	l.unlock()
	c.sendDel(ref, 1, sendHeld)
	return true
}

// tell sends a request of a few bytes whose answer nobody waits for. args appends what stands behind its header. That
// it cannot be sent means that the connection has ended, which the peer learns, too.
func (c *Conn) tell(mode sendMode, d *wire.Dialect, seq int64, h wire.Handler, args func([]byte) ([]byte, error)) {
	w := c.getWorkspace()
	defer c.putWorkspace(w)
	s := &w.scratch
	s.begin()
	b, err := args(d.AppendRequest(d.AppendThreads(s.b, wire.Threads{Sender: ourThread}), seq, h))
	s.b = b
	if err == nil && c.endFrame(d, s) == nil {
		_ = c.send(c.base, s, mode)
	}
}

// sendDel gives n references back. What the peer answers is of no interest.
func (c *Conn) sendDel(r wire.Ref, n int, mode sendMode) {
	for left := int64(n); left > 0; {
		left -= c.sendOneDel(r, left, mode)
	}
}

// sendOneDel sends one DEL, which gives back as many of n references as the peer's family allows.
func (c *Conn) sendOneDel(r wire.Ref, n int64, mode sendMode) (given int64) {
	d := c.dialect.Load()
	seq := c.seq.Add(1) - 1
	if d.DelByRef() != nil && c.delWaits(seq, r, n) {
		return n
	}
	c.tell(mode, d, seq, wire.HandleDel, func(b []byte) ([]byte, error) {
		b, given = d.AppendDelArgs(b, r, n)
		return b, nil
	})
	return given
}

// Imported returns the number of the peer's objects that we hold references to.
func (c *Conn) Imported() int {
	l := c.lock()
	defer l.unlock()
	return len(l.imports.entries)
}
