package exposed

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/table"
)

var dictClass = builtin("builtins.dict", objectClass)

// Dict is a Python dict: it keeps the order of insertion, takes every hashable key, compares keys as Python does
// (1, 1.0 and True are one key), and is safe for concurrent use. Plain Go maps are dicts too; they are ordered by key
// where the keys have an order and randomly otherwise, and only what peers do to them is synchronised.
type Dict struct {
	table   table.Table
	paid    int64 // bytes that a budget has paid for
	values  int64 // the weight of what peers have put in, or less than that and no more than that of all keys and values
	convert func(ctx context.Context, key any) any
}

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
	d.table.Lock()
	defer d.table.Unlock()
	m := make(map[any]any, d.table.Len())
	for e := range d.table.All {
		if e.Of == nil || reflect.ValueOf(e.Of).Comparable() {
			m[e.Of] = e.Value
		}
	}
	return m
}

func (d *Dict) size() int {
	d.table.Lock()
	defer d.table.Unlock()
	return d.table.Len()
}

// keyEquality compares keys that are no plain values.
type keyEquality struct{}

func (keyEquality) Same(a, b any) bool { return same(a, b) }

func (keyEquality) Equal(ctx context.Context, a, b any) (bool, error) { return equal(ctx, a, b) }

// at runs f with the lock held and the index of the key's entry.
func (d *Dict) at(ctx context.Context, key any, f func(i int, key table.Key)) error {
	key = norm(key)
	if d.convert != nil {
		key = norm(d.convert(ctx, key))
	}
	hash, err := hashValue(ctx, key)
	if err != nil {
		return err
	}
	k := table.NewKey(key, hash)
	d.table.Lock()
	defer d.table.Unlock()
	i, err := d.table.Find(ctx, k, keyEquality{})
	if err == nil {
		f(i, k)
	}
	return err
}

func (d *Dict) get(ctx context.Context, key any) (v any, ok bool, err error) {
	err = d.at(ctx, key, func(i int, _ table.Key) {
		if ok = i >= 0; ok {
			v = d.table.At(i).Value
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
	d.table.Lock()
	weight := int64(0)
	for e := range d.table.All {
		weight += quota.Weight(e.Of) + quota.Weight(e.Value)
	}
	d.values = max(d.values, min(weight, brought))
	d.table.Unlock()
	return d.pay(ctx, 0, 0)
}

func (d *Dict) brought() int64 {
	d.table.Lock()
	defer d.table.Unlock()
	return d.values
}

// enter sets the value of a key, which weigh so much.
func (d *Dict) enter(ctx context.Context, key, value any, keyWeight, valueWeight int64) error {
	if err := d.pay(ctx, 1, keyWeight+valueWeight); err != nil {
		return err
	}
	return d.at(ctx, key, func(i int, key table.Key) {
		d.values += valueWeight
		if i >= 0 {
			e := d.table.At(i)
			d.lighten(e.Value)
			e.Value = value
			return
		}
		d.values += keyWeight
		d.table.Add(key, value)
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
	d.table.Lock()
	if d.paid == 0 {
		d.paid = int64(d.table.Len()) * quota.EntrySize
	}
	more := quota.Growth(d.paid, int64(d.table.Len()+n)*quota.EntrySize+d.values+values)
	d.table.Unlock()
	if more == 0 {
		return nil
	}
	if err := quota.Pay(ctx, d, more); err != nil {
		return err
	}
	d.table.Lock()
	d.paid += more
	d.table.Unlock()
	return nil
}

func (d *Dict) del(ctx context.Context, key any) (v any, ok bool, err error) {
	err = d.at(ctx, key, func(i int, _ table.Key) {
		if ok = i >= 0; !ok {
			return
		}
		e := d.table.At(i)
		v = e.Value
		d.lighten(e.Of)
		d.lighten(v)
		d.table.Remove(i)
	})
	return v, ok, err
}

func (d *Dict) keys() []any {
	d.table.Lock()
	defer d.table.Unlock()
	keys := make([]any, 0, d.table.Len())
	for e := range d.table.All {
		keys = append(keys, e.Of)
	}
	return keys
}

func (d *Dict) clear() error {
	d.table.Lock()
	defer d.table.Unlock()
	d.table.Clear()
	d.values = 0
	return nil
}
