package exposed

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/table"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// goMap is a Go map as a dict or set, or a variable that holds one, if the dict is a pointer to a map: a nil one is
// then made by the first entry.
type goMap struct{ rv reflect.Value }

// now is the map that the variable holds: what is in it has one lock, whoever holds the map.
func (m goMap) now() goMap {
	if !m.rv.CanAddr() {
		return m
	}
	l := guard(m.rv.Addr().UnsafePointer())
	l.RLock()
	defer l.RUnlock()
	return goMap{reflect.ValueOf(m.rv.Interface())}
}

// made is now, of a map that is not nil.
func (m goMap) made() (goMap, error) {
	if m.rv.CanSet() {
		l := guard(m.rv.Addr().UnsafePointer())
		l.Lock()
		if m.rv.IsNil() {
			m.rv.Set(reflect.MakeMap(m.rv.Type()))
		}
		l.Unlock()
	}
	if m = m.now(); m.rv.IsNil() {
		return m, vinegar.TypeError.Errorf("a nil Go %v cannot be filled", m.rv.Type())
	}
	return m, nil
}

func (m goMap) lock() *sync.RWMutex { return guard(m.rv.UnsafePointer()) }

// brought is 0: what is taken from a Go map into another container counts as what was there before.
func (m goMap) brought() int64 { return 0 }

// entrySize is about what an entry takes.
func (m goMap) entrySize() int64 {
	return int64(m.rv.Type().Key().Size()+m.rv.Type().Elem().Size()) * 2
}

func (m goMap) size() int {
	m = m.now()
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	return m.rv.Len()
}

// key converts a key to the map's type. A key that does not fit is in no map.
func (m goMap) key(ctx context.Context, key any) (reflect.Value, bool, error) {
	key = norm(key)
	hash, err := hashValue(ctx, key)
	if err != nil {
		return reflect.Value{}, false, err
	}
	t := m.rv.Type().Key()
	if f, ok := key.(float64); ok && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr && f == float64(int64(f)) {
		key = int64(f)
	}
	kv := reflect.New(t).Elem()
	if err := netref.Assign(ctx, kv, key); err != nil || !kv.Comparable() {
		return kv, false, nil
	}
	if t.Kind() == reflect.Interface && !m.has(kv) {
		k, err := m.equalKey(ctx, key, hash)
		if err != nil {
			return kv, false, err
		}
		if k.IsValid() {
			kv.Set(k)
		}
	}
	return kv, true, nil
}

// has reports whether a key is there as it is.
func (m goMap) has(key reflect.Value) bool {
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	return m.rv.MapIndex(key).IsValid()
}

func (m goMap) get(ctx context.Context, key any) (any, bool, error) {
	m = m.now()
	kv, ok, err := m.key(ctx, key)
	if !ok || err != nil {
		return nil, false, err
	}
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	v := m.rv.MapIndex(kv)
	if !v.IsValid() {
		return nil, false, nil
	}
	return v.Interface(), true, nil
}

func (m goMap) set(ctx context.Context, key, value any) error {
	kv, ok, err := m.now().key(ctx, key)
	if err != nil {
		return err
	}
	if !ok {
		return assignTo(ctx, kv, norm(key), "key")
	}
	vv := reflect.New(m.rv.Type().Elem()).Elem()
	if !isEmptyStruct(vv.Type()) {
		if err := assignTo(ctx, vv, value, "value"); err != nil {
			return err
		}
	}
	if m, err = m.made(); err != nil {
		return err
	}
	at, n := m.rv.UnsafePointer(), int64(m.size())*m.entrySize()
	a := quota.AccountOf(ctx, at)
	weight := quota.Weight(norm(key)) + quota.Weight(norm(value))
	if err := a.Pay(ctx, at, n, n+m.entrySize(), weight); err != nil {
		return err
	}
	l := m.lock()
	l.Lock()
	defer l.Unlock()
	if old := m.rv.MapIndex(kv); a != nil && old.IsValid() {
		a.Replaced(weight, norm(key), norm(old.Interface()))
	} else {
		a.Replaced(weight)
	}
	m.rv.SetMapIndex(kv, vv)
	return nil
}

func (m goMap) del(ctx context.Context, key any) (any, bool, error) {
	m = m.now()
	kv, ok, err := m.key(ctx, key)
	if !ok || err != nil {
		return nil, false, err
	}
	l := m.lock()
	l.Lock()
	defer l.Unlock()
	v := m.rv.MapIndex(kv)
	if !v.IsValid() {
		return nil, false, nil
	}
	m.rv.SetMapIndex(kv, reflect.Value{})
	quota.AccountOf(ctx, m.rv.UnsafePointer()).Replaced(0, norm(key), norm(v.Interface()))
	return v.Interface(), true, nil
}

// unordered returns the keys as they come.
func (m goMap) unordered() []reflect.Value {
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	keys := make([]reflect.Value, 0, m.rv.Len())
	for it := m.rv.MapRange(); it.Next(); {
		keys = append(keys, it.Key())
	}
	return keys
}

// unusual returns the keys of a map with interface keys whose types are none of Go's own numbers and texts.
func (m goMap) unusual() []reflect.Value {
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	var keys []reflect.Value
	key := reflect.New(m.rv.Type().Key()).Elem() // a key that is left out needs no memory of its own
	for it := m.rv.MapRange(); it.Next(); {
		if key.SetIterKey(it); !key.IsNil() && !pyvalue.IsBasic(key.Elem().Type()) {
			keys = append(keys, it.Key())
		}
	}
	return keys
}

func (m goMap) keys() []any {
	keys := m.now().unordered()
	slices.SortFunc(keys, pyvalue.CompareKeys)
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k.Interface()
	}
	return out
}

func (m goMap) clear() error {
	m = m.now()
	l := m.lock()
	l.Lock()
	defer l.Unlock()
	m.rv.Clear()
	quota.Cleared(m.rv.UnsafePointer())
	return nil
}

// equalKey finds the key of a map with interface keys that Python calls equal to key, which is not there as it is.
// Those of Go's own types are looked up. Of the others, plain values are told by pyvalue.Key, and objects are compared
// if their hash is the same, as in a dict. It is invalid if there is none.
func (m goMap) equalKey(ctx context.Context, key any, hash int64) (reflect.Value, error) {
	plain, isPlain := pyvalue.Key(key)
	if isPlain && m.rv.Type().Key().NumMethod() == 0 {
		for k := range pyvalue.GoNumbers(key) {
			if m.has(k) {
				return k, nil
			}
		}
	}
	compared := 0
	keys := m.unusual
	if !isPlain {
		keys = m.unordered
	}
	for _, k := range keys() {
		form, _ := ByValue(k.Interface())
		if p, ok := pyvalue.Key(form); ok && isPlain {
			if p == plain {
				return k, nil
			}
			continue
		}
		h, err := hashValue(ctx, form)
		if err != nil && !errors.Is(err, vinegar.TypeError) {
			return reflect.Value{}, err
		}
		if err != nil || h != hash {
			continue
		}
		compared++
		if err := table.Compared(compared); err != nil {
			return reflect.Value{}, err
		}
		if eq, err := identicalOrEqual(ctx, k.Interface(), key); eq || err != nil {
			return k, err
		}
	}
	return reflect.Value{}, nil
}
