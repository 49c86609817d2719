package protocol

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// oldChunk is how many items are asked for at once.
const oldChunk = 1000

// iterateAll is BUFFITER without a count, which gives all items of an iterable, for a peer whose BUFFITER wants an iterator and
// a count.
func (c *Conn) iterateAll(ctx context.Context, p *call, iterable any) {
	all := brine.Tuple{}
	var it any
	err := c.Request(ctx, &it, wire.HandleCallAttr, iterable, "__iter__", brine.Tuple(nil), brine.Tuple(nil))
	for err == nil {
		var v any
		if err = c.Request(ctx, &v, wire.HandleBuffIter, it, oldChunk); err != nil {
			break
		}
		items, ok := v.(brine.Tuple)
		if !ok {
			err = &wire.FormError{What: "a tuple of items", Got: "something else"}
		}
		if len(items) == 0 {
			break
		}
		all = append(all, items...)
	}
	p.complete(answer{value: all, err: err})
}
