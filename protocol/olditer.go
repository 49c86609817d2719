package protocol

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

const (
	oldChunk   = 1000 // items that are asked for at once
	itemWeight = 24   // what an item weighs in a tuple at least
)

// iterateAll is BUFFITER without a count, which gives all items of an iterable, for a peer whose BUFFITER wants an
// iterator and a count.
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
		if all = append(all, items...); int64(len(all)) > c.cfg.Limits.Decoded/itemWeight {
			err = c.tooHeavy(int64(len(all)) * itemWeight)
		}
	}
	p.complete(answer{value: all, err: err})
}
