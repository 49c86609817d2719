package protocol

import (
	"context"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ourThread is what peers that bind threads take all of this end for. A goroutine has no number that means anything to
// a peer, and one for all is enough: the answer is found by its request's number.
const ourThread = 1

// threads is what a request says of threads: one that a handler makes is for the peer's thread that has asked it.
func (c *Conn) threads(ctx context.Context, d *wire.Dialect) wire.Threads {
	t := wire.Threads{Sender: ourThread}
	if d.BindsThreads() {
		if in := waiting(ctx); in != nil && in.c == c {
			t.Recipient = in.thread
		}
	}
	return t
}
