package protocol

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Gate decides, before anything is done for a request of the peer, whether it is carried out: by who asks, for what,
// and how often. It is asked of the requests that a [ServeHook] is told of. RPyC has nothing like it.
type Gate interface {
	// Enter is called when it is the request's turn, before it takes one of Config.Workers, with a context and a
	// description as a ServeHook gets. It may wait, as a handler may: further requests of the connection are read and
	// queued meanwhile. An error turns the request away, and is what the peer gets. leave, if not nil, is called when the
	// request has been carried out, before its answer is sent.
	Enter(ctx context.Context, r *RequestInfo) (leave func(), err error)
}

// enter asks the gate. A panic of it becomes an exception for this request.
func (in *incoming) enter() (leave func(), err error) {
	defer func() {
		if p := recover(); p != nil {
			leave, err = nil, vinegar.FromPanic(p, debug.Stack())
		}
	}()
	info := new(RequestInfo)
	if in.observed != nil {
		info = &in.observed.info
	} else {
		*info = in.describe(time.Now())
	}
	l := in.c.lock()
	info.Nested = l.turns.waiting > 0 && len(l.pending) > 0
	l.unlock()
	return in.c.cfg.Gate.Enter(in, info)
}

// turnAway answers a request that has its turn and is not carried out.
func (in *incoming) turnAway(err error) {
	in.forgetArgs()
	in.answer(nil, err, sendNow)
	if in.refs > 0 && !in.c.cfg.NoCollect {
		CollectSoon()
	}
}
