package exposed

import (
	"context"
	"reflect"
	"sync"
	"unsafe"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// pairs is implemented by pointers to copies of dicts, such as those of package pickle, which appear as dicts. They
// compare keys as Python does, and nobody may write them while others use them.
type pairs interface {
	netref.Mapping
	ClassName() string
	Len() int
	Get(key any) (any, bool)
	Set(key, value any) error
	Delete(key any) bool
	Clear()
}

var (
	pairsType = reflect.TypeFor[pairs]()

	_ = showImplementers(dictClass, func(t reflect.Type) bool {
		return t.Kind() == reflect.Pointer && t.Implements(pairsType)
	})
)

// pairsMap is what dict operations need of pairs.
type pairsMap struct{ p pairs }

func (m pairsMap) at() unsafe.Pointer { return reflect.ValueOf(m.p).UnsafePointer() }

func (m pairsMap) lock() *sync.RWMutex { return guard(m.at()) }

// brought is 0, as it is of Go maps.
func (m pairsMap) brought() int64 { return 0 }

func (m pairsMap) size() int {
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	return m.p.Len()
}

func (m pairsMap) get(ctx context.Context, key any) (any, bool, error) {
	if _, err := hashValue(ctx, norm(key)); err != nil {
		return nil, false, err
	}
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	v, ok := m.p.Get(norm(key))
	return v, ok, nil
}

func (m pairsMap) set(ctx context.Context, key, value any) error {
	key, value = norm(key), norm(value)
	if _, err := hashValue(ctx, key); err != nil {
		return err
	}
	const entry = 2 * quota.ItemSize
	a, n := quota.AccountOf(ctx, m.at()), int64(m.size())*entry
	weight := quota.Weight(key) + quota.Weight(value)
	if err := a.Pay(ctx, m.at(), n, n+entry, weight); err != nil {
		return err
	}
	l := m.lock()
	l.Lock()
	defer l.Unlock()
	old, there := m.p.Get(key)
	if err := m.p.Set(key, value); err != nil {
		return vinegar.TypeError.New(err.Error())
	}
	if there {
		a.Replaced(weight, key, old)
	} else {
		a.Replaced(weight)
	}
	return nil
}

func (m pairsMap) del(ctx context.Context, key any) (any, bool, error) {
	v, ok, err := m.get(ctx, key)
	if err != nil || !ok {
		return nil, false, err
	}
	l := m.lock()
	l.Lock()
	defer l.Unlock()
	if !m.p.Delete(norm(key)) {
		return nil, false, nil
	}
	quota.AccountOf(ctx, m.at()).Replaced(0, norm(key), norm(v))
	return v, true, nil
}

func (m pairsMap) keys() []any {
	l := m.lock()
	l.RLock()
	defer l.RUnlock()
	keys := make([]any, 0, m.p.Len())
	for k := range m.p.All() {
		keys = append(keys, k)
	}
	return keys
}

func (m pairsMap) clear() error {
	l := m.lock()
	l.Lock()
	defer l.Unlock()
	m.p.Clear()
	quota.Cleared(m.at())
	return nil
}
