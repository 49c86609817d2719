package exposed

import (
	"context"
	"reflect"
	"sync"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var dictClass = builtin("builtins.dict", objectClass)

// Dict is a Python dict: it keeps the order of insertion, takes every hashable key, compares keys as Python does
// (1, 1.0 and True are one key), and is safe for concurrent use. Plain Go maps are dicts too; they are ordered by key
// where the keys have an order and randomly otherwise, and only what peers do to them is synchronised.
type Dict struct {
	mu      sync.Mutex
	entries entryTable
	plain   map[any]int   // pyvalue.Key of a key that has one → index+1 of its entry
	heads   map[chain]int // index+1 of the first entry of a chain
	objects bool          // a key has been met that is no plain value; until then plain ones need no chains
	live    int
	changes uint64
	paid    int64 // bytes that a budget has paid for
	values  int64 // the weight of what peers have put in, or less than that and no more than that of all keys and values
	convert func(ctx context.Context, key any) any
}

type entry struct {
	dictKey
	value      any
	next, prev int // index+1 of the neighbours in the chain
	gone       bool
}

// entryTable is the entries in the order of insertion. They are in pieces, so that a dict of millions grows without
// copying them all at once, for which everything else in the process would have to wait.
type entryTable struct{ pieces [][]entry }

const entryPiece = 1 << 10

func (t *entryTable) at(i int) *entry { return &t.pieces[i/entryPiece][i%entryPiece] }

func (t *entryTable) len() int {
	last := len(t.pieces) - 1
	if last < 0 {
		return 0
	}
	return last*entryPiece + len(t.pieces[last])
}

func (t *entryTable) append(e entry) {
	last := len(t.pieces) - 1
	if last < 0 || len(t.pieces[last]) == entryPiece {
		var piece []entry
		if last >= 0 {
			piece = make([]entry, 0, entryPiece)
		}
		t.pieces = append(t.pieces, piece)
		last++
	}
	t.pieces[last] = append(t.pieces[last], e)
}

func (t *entryTable) all(yield func(e *entry) bool) {
	for _, piece := range t.pieces {
		for i := range piece {
			if !yield(&piece[i]) {
				return
			}
		}
	}
}

// dictKey is a key with what it is looked up by.
type dictKey struct {
	key   any
	hash  int64
	plain any // pyvalue.Key, if it is a plain value
}

// chain names the entries with a hash of Python's whose keys are plain values, or those whose keys are not. A peer can
// choose numbers that all have one hash, so plain values are never compared along a chain with each other; but an
// object may say that it equals one of them.
type chain struct {
	hash  int64
	plain bool
}

func (k dictKey) chain() chain { return chain{k.hash, k.plain != nil} }

// maxChain bounds how many keys an operation compares that have the same hash, which a peer can choose for tuples with
// an object in them.
const maxChain = 2048

// noneKey stands for None in a map whose nil means that there is no key.
type noneKey struct{}

// NewDict returns an empty dict.
func NewDict() *Dict { return new(Dict) }

// ConvertKeys has every key replaced by what f makes of it before it is looked up or stored, and returns d. It is to be
// called before the dict is used.
func (d *Dict) ConvertKeys(f func(ctx context.Context, key any) any) *Dict {
	d.convert = f
	return d
}

// Get returns the value of a key and whether it is there. It is a TypeError if the key is unhashable.
func (d *Dict) Get(ctx context.Context, key any) (any, bool, error) { return d.get(ctx, key) }

// Set sets the value of a key, which has to be hashable.
func (d *Dict) Set(ctx context.Context, key, value any) error { return d.set(ctx, key, value) }

// Delete removes a key and reports whether it was there.
func (d *Dict) Delete(ctx context.Context, key any) (bool, error) {
	_, ok, err := d.del(ctx, key)
	return ok, err
}

// Len returns the number of entries.
func (d *Dict) Len() int { return d.size() }

// Keys returns the keys in the order of insertion.
func (d *Dict) Keys() []any { return d.keys() }

// GoValue returns the entries as a Go map; it lets a Dict that comes back be assigned to a map. Keys that Go cannot
// compare are left out.
func (d *Dict) GoValue() any {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := make(map[any]any, d.live)
	for e := range d.entries.all {
		if !e.gone && (e.key == nil || reflect.ValueOf(e.key).Comparable()) {
			m[e.key] = e.value
		}
	}
	return m
}

func (d *Dict) size() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live
}

// locate finds the entry of a key, -1 if there is none. It is called and returns with the lock held, but lets go of it
// while it asks objects whether they are equal.
func (d *Dict) locate(ctx context.Context, key dictKey) (int, error) {
	if key.plain != nil {
		if i := d.plain[key.plain]; i > 0 {
			return i - 1, nil
		}
		if !d.objects {
			return -1, nil
		}
		return d.search(ctx, key, chain{key.hash, false})
	}
	if !d.objects {
		d.objects = true
		d.rebuild()
	}
	i, err := d.search(ctx, key, chain{key.hash, false})
	if i < 0 && err == nil {
		i, err = d.search(ctx, key, chain{key.hash, true})
	}
	return i, err
}

// search looks for a key in a chain.
func (d *Dict) search(ctx context.Context, key dictKey, c chain) (int, error) {
restart:
	for range 100 {
		before, compared := d.changes, 0
		for i := d.heads[c] - 1; i >= 0; i = d.entries.at(i).next - 1 {
			if compared++; compared > maxChain {
				return -1, vinegar.MemoryError.Errorf("more than %d keys with the same hash", maxChain)
			}
			k := d.entries.at(i).key
			eq, known := pyvalue.Equal(k, key.key)
			if !known && same(k, key.key) {
				eq, known = true, true
			}
			if !known {
				var err error
				d.mu.Unlock()
				eq, err = equal(ctx, k, key.key)
				d.mu.Lock()
				if err != nil {
					return -1, err
				}
				if d.changes != before {
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

// at runs f with the lock held and the index of the key's entry.
func (d *Dict) at(ctx context.Context, key any, f func(i int, key dictKey)) error {
	key = norm(key)
	if d.convert != nil {
		key = norm(d.convert(ctx, key))
	}
	k := dictKey{key: key}
	if plain, ok := pyvalue.Key(key); ok {
		if k.plain = plain; plain == nil {
			k.plain = noneKey{}
		}
	}
	var err error
	if k.hash, err = hashValue(ctx, key); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.locate(ctx, k)
	if err == nil {
		f(i, k)
	}
	return err
}

func (d *Dict) get(ctx context.Context, key any) (v any, ok bool, err error) {
	err = d.at(ctx, key, func(i int, _ dictKey) {
		if ok = i >= 0; ok {
			v = d.entries.at(i).value
		}
	})
	return v, ok, err
}

func (d *Dict) set(ctx context.Context, key, value any) error {
	if quota.Of(ctx) == nil {
		return d.share(ctx, key, value)
	}
	return d.enter(ctx, key, value, quota.Weight(key), quota.Weight(value))
}

// share is set for a key and a value that are here already. hold is to be called afterwards.
func (d *Dict) share(ctx context.Context, key, value any) error {
	return d.enter(ctx, key, value, 0, 0)
}

// hold counts of the weight of what is in the dict what can be of the weight that peers have brought.
func (d *Dict) hold(ctx context.Context, brought int64) error {
	if brought == 0 {
		return nil
	}
	d.mu.Lock()
	weight := int64(0)
	for e := range d.entries.all {
		weight += quota.Weight(e.key) + quota.Weight(e.value)
	}
	d.values = max(d.values, min(weight, brought))
	d.mu.Unlock()
	return d.pay(ctx, 0, 0)
}

func (d *Dict) brought() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.values
}

// enter sets the value of a key, which weigh so much.
func (d *Dict) enter(ctx context.Context, key, value any, keyWeight, valueWeight int64) error {
	if err := d.pay(ctx, 1, keyWeight+valueWeight); err != nil {
		return err
	}
	return d.at(ctx, key, func(i int, key dictKey) {
		d.values += valueWeight
		if i >= 0 {
			d.lighten(d.entries.at(i).value)
			d.entries.at(i).value = value
			return
		}
		d.values += keyWeight
		if d.entries.len() > 16 && d.live < d.entries.len()/2 {
			d.rebuild()
		}
		d.link(entry{dictKey: key, value: value})
		d.live++
		d.changes++
	})
}

// lighten notes that a key or value goes.
func (d *Dict) lighten(v any) {
	if d.values > 0 {
		d.values = max(0, d.values-quota.Weight(v))
	}
}

// pay pays for n entries more than there are, and for values of such a weight. What the dict had before a peer came to
// it costs nothing.
func (d *Dict) pay(ctx context.Context, n int, values int64) error {
	if quota.Of(ctx) == nil {
		return nil
	}
	d.mu.Lock()
	if d.paid == 0 {
		d.paid = int64(d.live) * quota.EntrySize
	}
	more := quota.Growth(d.paid, int64(d.live+n)*quota.EntrySize+d.values+values)
	d.mu.Unlock()
	if more == 0 {
		return nil
	}
	if err := quota.Pay(ctx, d, more); err != nil {
		return err
	}
	d.mu.Lock()
	d.paid += more
	d.mu.Unlock()
	return nil
}

// rebuild leaves out what is gone, and makes the chains anew.
func (d *Dict) rebuild() {
	old := d.entries
	d.entries = entryTable{}
	clear(d.plain)
	clear(d.heads)
	for e := range old.all {
		if !e.gone {
			d.link(*e)
		}
	}
}

func (d *Dict) link(e entry) {
	n := d.entries.len() + 1
	if e.plain != nil {
		if d.plain == nil {
			d.plain = map[any]int{}
		}
		d.plain[e.plain] = n
	}
	e.next, e.prev = 0, 0
	if d.objects {
		if d.heads == nil {
			d.heads = map[chain]int{}
		}
		c := e.chain()
		if e.next = d.heads[c]; e.next > 0 {
			d.entries.at(e.next - 1).prev = n
		}
		d.heads[c] = n
	}
	d.entries.append(e)
}

func (d *Dict) del(ctx context.Context, key any) (v any, ok bool, err error) {
	err = d.at(ctx, key, func(i int, _ dictKey) {
		if ok = i >= 0; !ok {
			return
		}
		e := d.entries.at(i)
		v = e.value
		d.lighten(e.key)
		d.lighten(v)
		delete(d.plain, e.plain)
		if e.next > 0 {
			d.entries.at(e.next - 1).prev = e.prev
		}
		switch c := e.chain(); {
		case e.prev > 0:
			d.entries.at(e.prev - 1).next = e.next
		case e.next > 0:
			d.heads[c] = e.next
		default:
			delete(d.heads, c)
		}
		*e = entry{gone: true}
		d.live--
		d.changes++
	})
	return v, ok, err
}

func (d *Dict) keys() []any {
	d.mu.Lock()
	defer d.mu.Unlock()
	keys := make([]any, 0, d.live)
	for e := range d.entries.all {
		if !e.gone {
			keys = append(keys, e.key)
		}
	}
	return keys
}

func (d *Dict) clear() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries, d.plain, d.heads, d.objects, d.live, d.values = entryTable{}, nil, nil, false, 0, 0
	d.changes++
	return nil
}
