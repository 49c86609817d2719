package exposed

import (
	"context"
	"reflect"
	"sync"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Dict is a Python dict: it keeps the order of insertion, takes every hashable key, compares keys as Python does
// (1, 1.0 and True are one key), and is safe for concurrent use. Plain Go maps are dicts too; they are ordered by key
// where the keys have an order and randomly otherwise, and only what peers do to them is synchronised.
type Dict struct {
	mu      sync.Mutex
	entries []entry
	heads   map[int64]int // hash → index+1 of the first entry of its chain
	live    int
	changes uint64
	convert func(ctx context.Context, key any) any
}

type entry struct {
	key, value any
	hash       int64
	next       int // index+1 of the next entry with the hash
	gone       bool
}

// NewDict returns an empty dict.
func NewDict() *Dict { return new(Dict) }

// ConvertKeys has every key replaced by what f makes of it before it is looked up or stored, and returns d. It is to be called before
// the dict is used.
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
	for _, e := range d.entries {
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
func (d *Dict) locate(ctx context.Context, key any, hash int64) (int, error) {
restart:
	for range 100 {
		before := d.changes
		for i := d.heads[hash] - 1; i >= 0; i = d.entries[i].next - 1 {
			k := d.entries[i].key
			eq, known := pyvalue.Equal(k, key)
			if !known && same(k, key) {
				eq, known = true, true
			}
			if !known {
				var err error
				d.mu.Unlock()
				eq, err = equal(ctx, k, key)
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
func (d *Dict) at(ctx context.Context, key any, f func(i int, key any, hash int64)) error {
	key = norm(key)
	if d.convert != nil {
		key = norm(d.convert(ctx, key))
	}
	hash, err := hashValue(ctx, key)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.locate(ctx, key, hash)
	if err == nil {
		f(i, key, hash)
	}
	return err
}

func (d *Dict) get(ctx context.Context, key any) (v any, ok bool, err error) {
	err = d.at(ctx, key, func(i int, _ any, _ int64) {
		if ok = i >= 0; ok {
			v = d.entries[i].value
		}
	})
	return v, ok, err
}

func (d *Dict) set(ctx context.Context, key, value any) error {
	return d.at(ctx, key, func(i int, key any, hash int64) {
		if i >= 0 {
			d.entries[i].value = value
			return
		}
		d.insert(key, value, hash)
	})
}

func (d *Dict) insert(key, value any, hash int64) {
	if d.heads == nil {
		d.heads = map[int64]int{}
	}
	if len(d.entries) > 16 && d.live < len(d.entries)/2 {
		old := d.entries
		d.entries = make([]entry, 0, d.live+1)
		clear(d.heads)
		for _, e := range old {
			if !e.gone {
				d.link(e)
			}
		}
	}
	d.link(entry{key: key, value: value, hash: hash})
	d.live++
	d.changes++
}

func (d *Dict) link(e entry) {
	e.next = d.heads[e.hash]
	d.entries = append(d.entries, e)
	d.heads[e.hash] = len(d.entries)
}

func (d *Dict) del(ctx context.Context, key any) (v any, ok bool, err error) {
	err = d.at(ctx, key, func(i int, _ any, hash int64) {
		if ok = i >= 0; !ok {
			return
		}
		e := &d.entries[i]
		v = e.value
		if d.heads[hash] == i+1 {
			if d.heads[hash] = e.next; e.next == 0 {
				delete(d.heads, hash)
			}
		} else {
			for j := d.heads[hash] - 1; j >= 0; j = d.entries[j].next - 1 {
				if d.entries[j].next == i+1 {
					d.entries[j].next = e.next
					break
				}
			}
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
	for i := range d.entries {
		if e := &d.entries[i]; !e.gone {
			keys = append(keys, e.key)
		}
	}
	return keys
}

func (d *Dict) clear() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries, d.heads, d.live = nil, nil, 0
	d.changes++
	return nil
}
