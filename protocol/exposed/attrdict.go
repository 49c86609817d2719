package exposed

import (
	"context"
	"maps"
	"slices"
	"sync"
	"unsafe"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Attrs is an object's own dictionary of attributes, Python's __dict__. A struct that embeds it has attributes besides
// its methods and fields, and peers whose policy allows setting can add more. Names are as in Python: one that begins
// with the prefix "exposed_" is exposed, others only public or private. Methods and constants of the class are hidden
// by an attribute of the same name, fields and properties are not.
//
// The zero value is empty and ready. Attrs is safe for concurrent use.
type Attrs struct {
	mu sync.Mutex
	m  map[string]any
}

// maxAttrs bounds what a peer can store in one object.
const maxAttrs = 1 << 16

// ownAttrs returns a itself; it is how an embedding struct is recognised.
func (a *Attrs) ownAttrs() *Attrs { return a }

// Get returns an attribute and whether it is there.
func (a *Attrs) Get(name string) (any, bool) {
	if a == nil {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v, ok := a.m[name]
	return v, ok
}

// Set sets an attribute.
func (a *Attrs) Set(name string, v any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.m == nil {
		a.m = map[string]any{}
	}
	a.m[name] = v
}

// set is Set on behalf of a peer.
func (a *Attrs) set(ctx context.Context, name string, v any) error {
	a.mu.Lock()
	n := len(a.m)
	old, there := a.m[name]
	a.mu.Unlock()
	if n >= maxAttrs && !there {
		return vinegar.MemoryError.Errorf("an object has at most %d attributes", maxAttrs)
	}
	to, weight := quota.AccountOf(ctx, unsafe.Pointer(a)), quota.Weight(v)
	size := int64(n) * quota.EntrySize
	if err := to.Pay(ctx, unsafe.Pointer(a), size, size+quota.EntrySize, weight); err != nil {
		return err
	}
	a.Set(name, v)
	if there {
		to.Replaced(weight, old)
	} else {
		to.Replaced(weight)
	}
	return nil
}

// Delete deletes an attribute and reports whether it was there.
func (a *Attrs) Delete(name string) bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.m[name]
	delete(a.m, name)
	return ok
}

// drop is Delete on behalf of a peer.
func (a *Attrs) drop(ctx context.Context, name string) bool {
	old, _ := a.Get(name)
	if !a.Delete(name) {
		return false
	}
	quota.AccountOf(ctx, unsafe.Pointer(a)).Replaced(0, old)
	return true
}

// Names returns the names of all attributes, sorted.
func (a *Attrs) Names() []string {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.m))
}

// attrsOf returns the dictionary of an object; nil, which is an empty one that cannot be set, if it has none.
func attrsOf(v any) *Attrs {
	if h, ok := v.(interface{ ownAttrs() *Attrs }); ok {
		return h.ownAttrs()
	}
	return nil
}
