package exposed

import (
	"context"
	"runtime/debug"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/reading"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// maxNesting bounds how deep ByValue follows values into one another: deeper ones cannot be sent.
const maxNesting = 200

const maxItems = binding.MaxItems

// maxJoined bounds how many items the operator + puts together; of text and bytes it is reading.Max.
const maxJoined = 1 << 24

// maxText bounds, in bytes, text that is made of values: containers that share their items can ask for an exponential
// amount.
const maxText = 16 << 20

// maxDepth bounds the operations nested in each other; it is CPython's default, sys.getrecursionlimit().
const maxDepth = 1000

// Budget bounds the memory that containers take which a peer has made or made larger, with the values that it has put
// in: see [NewBudget].
type Budget = quota.Budget

// NewBudget returns a budget of so many bytes. An item of a list counts 16 bytes, an entry of a dict or set 160.
func NewBudget(limit int64) *Budget { return quota.New(limit) }

// WithBudget returns a context for operations on behalf of a peer whose budget is b.
func WithBudget(ctx context.Context, b *Budget) context.Context { return quota.With(ctx, b) }

// nestKey is the key under which a context carries how many operations are nested in each other. A peer can put a list
// into itself, or an iterator into a million others; no recursion may believe that it ends.
type nestKey struct{}

// Descend is to be called by an operation before it goes into what a peer can have nested arbitrarily deep: the items
// of a container, the source of an iterator, the callable behind a callable, program text that runs program text. What
// is done inside is to use the context that it returns. It is a RecursionError, of which doing (such as " in
// comparison") ends the text, when a thousand operations are nested in each other, and the context's own error when
// that has ended: comparing containers that share their items can take exponential time.
func Descend(ctx context.Context, doing string) (context.Context, error) {
	depth, _ := ctx.Value(nestKey{}).(int)
	if depth >= maxDepth {
		return ctx, vinegar.RecursionError.New("maximum recursion depth exceeded" + doing)
	}
	if err := ctx.Err(); err != nil {
		return ctx, context.Cause(ctx)
	}
	return context.WithValue(ctx, nestKey{}, depth+1), nil
}

// protect turns a panic in the code of an exposed object into a Python exception. It is to be deferred.
func protect(err *error) {
	if r := recover(); r != nil {
		*err = vinegar.FromPanic(r, debug.Stack())
	}
}

func joinedTooMuch() error {
	return vinegar.MemoryError.Errorf("more than %d items or %d bytes", maxJoined, reading.Max)
}
