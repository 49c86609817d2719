package exposed

import (
	"context"
	"runtime/debug"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// maxNesting bounds how deep values are followed into one another wherever this package recurses.
const maxNesting = 200

// maxItems bounds how many items are collected at once on behalf of a peer.
const maxItems = 1 << 20

// maxJoined bounds how many items the operator + puts together; of text and bytes it is maxRead.
const maxJoined = 1 << 24

// maxText bounds, in bytes, text that is made of values: containers that share their items can ask for an exponential amount.
const maxText = 16 << 20

// nestKey is under which a context carries how deep containers have been followed into one another. A peer can put a
// list into itself; no recursion over values may believe that it ends.
type nestKey struct{}

// descend is called on the way into a container. It fails when the nesting is too deep or the operation's context has
// ended, as a comparison of shared containers can take exponential time.
func descend(ctx context.Context, doing string) (context.Context, error) {
	depth, _ := ctx.Value(nestKey{}).(int)
	if depth >= maxNesting {
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

func tooManyItems() error {
	return vinegar.MemoryError.Errorf("more than %d items", maxItems)
}

func joinedTooMuch() error {
	return vinegar.MemoryError.Errorf("more than %d items or %d bytes", maxJoined, maxRead)
}
