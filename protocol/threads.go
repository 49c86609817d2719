package protocol

import (
	"context"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ourThread is the thread that all messages of this end are from, for peers that bind threads. A goroutine has no
// number that means anything to a peer, and one for all is enough: the answer is found by its request's number.
const ourThread = 1

// threads names the threads of a request of ours. One that a handler makes is for the peer's thread that it serves.
func (c *Conn) threads(ctx context.Context, d *wire.Dialect) wire.Threads {
	t := wire.Threads{Sender: ourThread}
	if d.BindsThreads() {
		if in := handlerOf(ctx); in != nil && in.c == c {
			t.Recipient = in.thread
		}
	}
	return t
}
