// Package quota counts the memory of containers that a peer has made here.
package quota

import (
	"context"
	"math/big"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Budget bounds the memory that containers take which a peer has made or made larger: lists, dicts and sets that
// operations such as l * 1000000 and copy return, and iterators over copies of keys or over what the peer has sent. A
// short request can ask for megabytes each time, and what it asked for lives for as long as somebody refers to it. The
// memory is given back when the garbage collector finds that nobody does.
//
// An item counts 16 bytes, an entry of a dict or set 160, and besides what values weigh that a peer has sent: a message
// of a thousandth of their length can have brought them.
type Budget struct {
	limit, used atomic.Int64
	held        atomic.Int64 // what operations take meanwhile, see Held
	collected   atomic.Int64 // when a collection was last asked for, in nanoseconds
	within      *Budget      // of all peers; nil if there is none
}

// New returns a budget of so many bytes.
func New(limit int64) *Budget {
	b := new(Budget)
	b.limit.Store(limit)
	return b
}

// Within has what is taken of b be taken of all, too, which others share, and returns b. It is to be called before b is
// used.
func (b *Budget) Within(all *Budget) *Budget {
	b.within = all
	return b
}

// Used returns how many bytes are taken. It is an estimate.
func (b *Budget) Used() int64 { return b.used.Load() }

type budgetKey struct{}

// With returns a context for operations on behalf of a peer whose budget is b.
func With(ctx context.Context, b *Budget) context.Context {
	return context.WithValue(ctx, budgetKey{}, b)
}

// What an item of a list and an entry of a dict or set count, in bytes.
const (
	ItemSize  = 16
	EntrySize = 160
	// unpaid is how many bytes an object may take without being counted: their number has a limit of its own.
	unpaid = 512
)

// Of returns the context's budget, nil if it has none.
func Of(ctx context.Context) *Budget {
	b, _ := ctx.Value(budgetKey{}).(*Budget)
	return b
}

// Pay has the context's budget, if it has one, pay for n bytes that of takes until it is garbage. It is a MemoryError
// if there are not so many left.
func Pay[T any](ctx context.Context, of *T, n int64) error {
	b := Of(ctx)
	if b == nil || n <= unpaid {
		return nil
	}
	if err := b.take(ctx, n); err != nil {
		return err
	}
	runtime.AddCleanup(of, b.give, n)
	return nil
}

func (b *Budget) give(n int64) {
	for ; b != nil; b = b.within {
		b.used.Add(-n)
	}
}

// tryTake takes n, or returns the budget that has not as much.
func (b *Budget) tryTake(n int64) (short *Budget) {
	if b.used.Add(n) > b.limit.Load() {
		b.used.Add(-n)
		return b
	}
	if b.within == nil {
		return nil
	}
	if short = b.within.tryTake(n); short != nil {
		b.used.Add(-n)
	}
	return short
}

func (b *Budget) take(ctx context.Context, n int64) error {
	for wait := time.Millisecond; ; wait *= 2 {
		short := b.tryTake(n)
		if short == nil {
			return nil
		}
		if wait == time.Millisecond && !b.collect() || wait > 16*time.Millisecond || n > short.limit.Load() {
			whom := "one peer"
			if short != b {
				whom = "all peers"
			}
			return vinegar.MemoryError.Errorf("more than %d bytes of containers made for %s", short.limit.Load(), whom)
		}
		select { // until the cleanups have run, if anything was garbage
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// collect runs the garbage collector, unless it has been run lately: it costs what other connections need.
func (b *Budget) collect() bool {
	now, last := time.Now().UnixNano(), b.collected.Load()
	if now-last < int64(time.Second) || !b.collected.CompareAndSwap(last, now) {
		return false
	}
	if all := b.within; all != nil { // others may have had it run just now, which has freed what is garbage here, too
		if last = all.collected.Swap(now); now-last < int64(time.Second)/4 {
			return true
		}
	}
	runtime.GC()
	return true
}

// Growth is how much more than paid bytes is to be paid for an object that grows to n bytes: something in advance, so
// that an object which grows an item at a time pays seldom. It is 0 if enough was paid.
func Growth(paid, n int64) int64 {
	if n <= max(paid, unpaid) {
		return 0
	}
	return n + n/4 - paid
}

// maxWeight is where weighing ends: tuples that share their items can be exponentially many.
const maxWeight = 1 << 30

// Weight estimates the memory of a plain value, with what is in it; it is no more than a little above 1 GiB.
func Weight(v any) int64 { return weight(v, maxWeight) }

// WeightOf is Weight of the items of a tuple.
func WeightOf(items []any) int64 { return weightOf(items, maxWeight) }

func weight(v any, most int64) int64 {
	switch x := v.(type) {
	case string:
		return int64(len(x))
	case []byte:
		return int64(len(x))
	case *big.Int:
		return int64(x.BitLen() / 8)
	case brine.Tuple:
		return weightOf(x, most)
	case brine.FrozenSet:
		return weightOf(x, most)
	case brine.Slice:
		return weightOf([]any{x.Start, x.Stop, x.Step}, most)
	case *netref.Object:
		return handleSize
	}
	return 0
}

// handleSize is what a handle on an object of a peer takes: itself, its entry in the table, its cleanup.
const handleSize = 512

func weightOf(items []any, most int64) int64 {
	n := int64(len(items)) * ItemSize
	for _, v := range items {
		if n > most {
			break
		}
		n += weight(v, most-n)
	}
	return n
}
