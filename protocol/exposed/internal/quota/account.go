package quota

import (
	"context"
	"runtime"
	"sync"
	"unsafe"
)

// Account is what peers have put into something that has no place to note it, such as a Go slice or map. A nil one
// counts nothing.
type Account struct {
	mu     sync.Mutex
	paid   int64
	values int64 // the weight of what peers have put in and that is there
}

// accounts has them by the address of that, until that is garbage.
var accounts sync.Map

// AccountOf is the account of what is at p for operations on behalf of ctx; nil if nothing is counted, as of what is in
// memory that is not Go's.
func AccountOf(ctx context.Context, p unsafe.Pointer) *Account {
	if p == nil || Of(ctx) == nil {
		return nil
	}
	if a, ok := accounts.Load(uintptr(p)); ok {
		return a.(*Account)
	}
	if !forgotten(p) {
		return nil
	}
	a, _ := accounts.LoadOrStore(uintptr(p), new(Account))
	return a.(*Account)
}

// forgotten sees to it that the account of what is at p is forgotten with it; false if the collector does not know it.
func forgotten(p unsafe.Pointer) (ok bool) {
	defer func() { ok = recover() == nil }()
	runtime.AddCleanup((*byte)(p), func(at uintptr) { accounts.Delete(at) }, uintptr(p))
	return
}

// Pay pays for what is at p to grow from size to grown bytes without its values, and for values of such a weight. What
// was there before a peer came to it costs nothing.
func (a *Account) Pay(ctx context.Context, p unsafe.Pointer, size, grown, weight int64) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paid == 0 {
		a.paid = size
	}
	more := Growth(a.paid, grown+a.values+weight)
	if more == 0 {
		return nil
	}
	err := Pay(ctx, (*byte)(p), more)
	if err == nil {
		a.paid += more
	}
	return err
}

// Replaced notes that values of the weight in have come, and what is not nil of old has gone.
func (a *Account) Replaced(in int64, old ...any) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.values += in; a.values > 0 {
		a.values = max(0, a.values-WeightOf(old)+int64(len(old))*ItemSize)
	}
}

// Brought is the weight of what peers have put in and that is there.
func (a *Account) Brought() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.values
}

// Cleared notes that all that was at p has gone.
func Cleared(p unsafe.Pointer) {
	if a, ok := accounts.Load(uintptr(p)); ok {
		a.(*Account).Replaced(-a.(*Account).Brought())
	}
}
