// Package table has the hash table behind Python's dict and set: it keeps the order of insertion, and compares keys as
// Python does.
package table

import (
	"context"
	"sync"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Table is the entries of a dict. The zero value is empty and ready. All its methods are called with its lock held.
type Table struct {
	sync.Mutex
	entries pieces
	plain   map[any]int   // pyvalue.Key of a key that has one → index+1 of its entry
	heads   map[chain]int // index+1 of the first entry of a chain
	objects bool          // a key has been met that is no plain value; until then plain ones need no chains
	live    int
	changes uint64
}

// Entry is a key and its value, which may be replaced.
type Entry struct {
	Key
	Value      any
	next, prev int // index+1 of the neighbours in the chain
	gone       bool
}

// pieces are the entries in the order of insertion. They are in pieces, so that a dict of millions grows without
// copying them all at once, for which everything else in the process would have to wait.
type pieces [][]Entry

const pieceSize = 1 << 10

func (p pieces) at(i int) *Entry { return &p[i/pieceSize][i%pieceSize] }

func (p pieces) len() int {
	last := len(p) - 1
	if last < 0 {
		return 0
	}
	return last*pieceSize + len(p[last])
}

func (p *pieces) append(e Entry) {
	last := len(*p) - 1
	if last < 0 || len((*p)[last]) == pieceSize {
		var piece []Entry
		if last >= 0 {
			piece = make([]Entry, 0, pieceSize)
		}
		*p = append(*p, piece)
		last++
	}
	(*p)[last] = append((*p)[last], e)
}

func (p pieces) all(yield func(e *Entry) bool) {
	for _, piece := range p {
		for i := range piece {
			if !piece[i].gone && !yield(&piece[i]) {
				return
			}
		}
	}
}

// Key is a key with what it is looked up by.
type Key struct {
	Of    any // the key itself, in its normal form
	hash  int64
	plain any // pyvalue.Key, if it is a plain value
}

// NewKey makes the Key of a key whose hash is Python's.
func NewKey(of any, hash int64) Key {
	k := Key{Of: of, hash: hash}
	if plain, ok := pyvalue.Key(of); ok {
		if k.plain = plain; plain == nil {
			k.plain = noneKey{}
		}
	}
	return k
}

// noneKey stands for None in a map whose nil means that there is no key.
type noneKey struct{}

// chain names the entries with a hash of Python's whose keys are plain values, or those whose keys are not. A peer can
// choose numbers that all have one hash, so plain values are never compared along a chain with each other; but an
// object may say that it equals one of them.
type chain struct {
	hash  int64
	plain bool
}

func (k Key) chain() chain { return chain{k.hash, k.plain != nil} }

// maxChain bounds how many keys an operation compares that have the same hash, which a peer can choose for tuples with
// an object in them.
const maxChain = 2048

// Compared is to be called with how many keys of one hash an operation has compared. It is a MemoryError if these are
// too many.
func Compared(n int) error {
	if n > maxChain {
		return vinegar.MemoryError.Errorf("more than %d keys with the same hash", maxChain)
	}
	return nil
}

// Equality is how keys that are no plain values are compared.
type Equality interface {
	// Same is Python's is.
	Same(a, b any) bool
	// Equal is Python's ==, which may ask a peer. The table is not locked meanwhile.
	Equal(ctx context.Context, a, b any) (bool, error)
}

// Len is the number of entries.
func (t *Table) Len() int { return t.live }

// All goes through the entries in the order of insertion.
func (t *Table) All(yield func(e *Entry) bool) { t.entries.all(yield) }

// At returns an entry that Find has found.
func (t *Table) At(i int) *Entry { return t.entries.at(i) }

// Find finds the entry of a key, -1 if there is none. It lets go of the lock while it asks objects whether they are
// equal, and holds it again when it returns.
func (t *Table) Find(ctx context.Context, key Key, by Equality) (int, error) {
	if key.plain != nil {
		if i := t.plain[key.plain]; i > 0 {
			return i - 1, nil
		}
		if !t.objects {
			return -1, nil
		}
		return t.search(ctx, key, chain{key.hash, false}, by)
	}
	if !t.objects {
		t.objects = true
		t.rebuild()
	}
	i, err := t.search(ctx, key, chain{key.hash, false}, by)
	if i < 0 && err == nil {
		i, err = t.search(ctx, key, chain{key.hash, true}, by)
	}
	return i, err
}

// search looks for a key in a chain.
func (t *Table) search(ctx context.Context, key Key, c chain, by Equality) (int, error) {
restart:
	for range 100 {
		before, compared := t.changes, 0
		for i := t.heads[c] - 1; i >= 0; i = t.entries.at(i).next - 1 {
			compared++
			if err := Compared(compared); err != nil {
				return -1, err
			}
			k := t.entries.at(i).Of
			eq, known := pyvalue.Equal(k, key.Of)
			if !known && by.Same(k, key.Of) {
				eq, known = true, true
			}
			if !known {
				var err error
				t.Unlock()
				eq, err = by.Equal(ctx, k, key.Of)
				t.Lock()
				if err != nil {
					return -1, err
				}
				if t.changes != before {
					continue restart
				}
			}
			if eq {
				return i, nil
			}
		}
		return -1, nil
	}
	return -1, vinegar.RuntimeError.New("dictionary changed during lookup")
}

// Add adds a key that Find has not found.
func (t *Table) Add(key Key, value any) {
	if t.entries.len() > 16 && t.live < t.entries.len()/2 {
		t.rebuild()
	}
	t.link(Entry{Key: key, Value: value})
	t.live++
	t.changes++
}

// rebuild leaves out what is gone, and makes the chains anew.
func (t *Table) rebuild() {
	old := t.entries
	t.entries = nil
	clear(t.plain)
	clear(t.heads)
	for e := range old.all {
		t.link(*e)
	}
}

func (t *Table) link(e Entry) {
	n := t.entries.len() + 1
	if e.plain != nil {
		if t.plain == nil {
			t.plain = map[any]int{}
		}
		t.plain[e.plain] = n
	}
	e.next, e.prev = 0, 0
	if t.objects {
		if t.heads == nil {
			t.heads = map[chain]int{}
		}
		c := e.chain()
		if e.next = t.heads[c]; e.next > 0 {
			t.entries.at(e.next - 1).prev = n
		}
		t.heads[c] = n
	}
	t.entries.append(e)
}

// Remove removes an entry that Find has found.
func (t *Table) Remove(i int) {
	e := t.entries.at(i)
	delete(t.plain, e.plain)
	if e.next > 0 {
		t.entries.at(e.next - 1).prev = e.prev
	}
	switch c := e.chain(); {
	case e.prev > 0:
		t.entries.at(e.prev - 1).next = e.next
	case e.next > 0:
		t.heads[c] = e.next
	default:
		delete(t.heads, c)
	}
	*e = Entry{gone: true}
	t.live--
	t.changes++
}

// Clear removes all entries.
func (t *Table) Clear() {
	t.entries, t.plain, t.heads, t.objects, t.live = nil, nil, nil, false, 0
	t.changes++
}
