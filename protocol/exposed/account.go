package exposed

import (
	"context"
	"runtime"
	"sync"
	"unsafe"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
)

// account is what peers have put into a Go slice or map, which has no place to note it.
type account struct {
	mu     sync.Mutex
	paid   int64
	values int64 // the weight of what peers have put in and that is there
}

// accounts has them by the address of the slice or map, until that is garbage.
var accounts sync.Map

// accountOf is the account of what is at p for operations on behalf of ctx; nil if nothing is counted.
func accountOf(ctx context.Context, p unsafe.Pointer) *account {
	if p == nil || quota.Of(ctx) == nil {
		return nil
	}
	if a, ok := accounts.Load(uintptr(p)); ok {
		return a.(*account)
	}
	a, known := accounts.LoadOrStore(uintptr(p), new(account))
	if !known {
		runtime.AddCleanup((*byte)(p), func(at uintptr) { accounts.Delete(at) }, uintptr(p))
	}
	return a.(*account)
}

// pay pays for what is at p to grow from size to grown bytes without its values, and for values of such a weight. What
// was there before a peer came to it costs nothing.
func (a *account) pay(ctx context.Context, p unsafe.Pointer, size, grown, weight int64) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paid == 0 {
		a.paid = size
	}
	more := quota.Growth(a.paid, grown+a.values+weight)
	if more == 0 {
		return nil
	}
	err := quota.Pay(ctx, (*byte)(p), more)
	if err == nil {
		a.paid += more
	}
	return err
}

// replaced notes that values of the weight in have come, and what is not nil of old has gone.
func (a *account) replaced(in int64, old ...any) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.values += in; a.values > 0 {
		a.values = max(0, a.values-quota.WeightOf(old)+int64(len(old))*quota.ItemSize)
	}
}

func (a *account) brought() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.values
}
