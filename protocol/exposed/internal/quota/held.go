package quota

import (
	"context"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Held is the memory that an operation takes until it is over, such as the copy of a list that is being searched. A
// peer can have thousands of operations under way that wait for it. They may hold as much at a time as the budget is
// large; one by itself may hold anything, since it is the program's objects that are large then.
type Held struct {
	b *Budget
	n int64
}

// heldPortion is in what portions it is counted: less than one is not.
const heldPortion = 64 << 10

// Hold begins to count for the peer whose budget is in the context, and holds n bytes. Release is to be called.
func Hold(ctx context.Context, n int64) (Held, error) {
	if n < heldPortion {
		return Held{}, nil
	}
	h := Held{b: Of(ctx)}
	return h, h.Grow(ctx, n)
}

// Grow counts n bytes in all. It is a MemoryError if others hold too much.
func (h *Held) Grow(ctx context.Context, n int64) error {
	more := n - h.n
	if more < heldPortion {
		return nil
	}
	if h.b == nil {
		if h.b = Of(ctx); h.b == nil {
			return nil
		}
	}
	alone := false
	for b := h.b; b != nil; b = b.within {
		sum := b.held.Add(more)
		alone = alone || b == h.b && sum == n
		if sum > b.limit.Load() && !alone {
			for back := h.b; ; back = back.within {
				back.held.Add(-more)
				if back == b {
					return vinegar.MemoryError.Errorf("operations under way hold more than %d bytes", b.limit.Load())
				}
			}
		}
	}
	h.n = n
	return nil
}

// Release gives everything back.
func (h *Held) Release() {
	if h.n == 0 {
		return
	}
	for b := h.b; b != nil; b = b.within {
		b.held.Add(-h.n)
	}
	h.n = 0
}
