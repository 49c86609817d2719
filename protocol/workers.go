package protocol

import (
	"fmt"
	"math"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Workers bounds how many requests run at the same time on all the connections that share it, as the threads of
// rpyc.utils.server.ThreadPoolServer do. A handler that waits for its peer gives its worker up meanwhile, so that
// nested calls find one; it waits for another when it goes on. Requests that run nothing of the user's, such as PING,
// need no worker.
//
// What happens when all are taken is chosen when it is made: requests wait in the order they came, or are refused with
// an exception, which is Python's BlockingIOError. Workers are safe for concurrent use.
type Workers struct {
	size   int
	streak int32 // how many requests of one connection a worker runs in a row
	refuse bool

	mu      sync.Mutex
	idle    int
	waiting fifo[chan struct{}] // of requests, longest first; closed to pass a worker on
}

// NewWorkers makes a pool of n workers; n below 1 means RPyC's 20 (nbThreads). A worker that has run a request runs up
// to batch requests of the same connection that are queued already before it turns to others; below 1 means RPyC's 10
// (requestBatchSize). refuse says that requests are refused when all are taken.
func NewWorkers(n, batch int, refuse bool) *Workers {
	if n < 1 {
		n = 20
	}
	if batch < 1 {
		batch = 10
	}
	return &Workers{size: n, streak: int32(min(batch, math.MaxInt32)), refuse: refuse, idle: n}
}

// Busy is how many workers are taken.
func (w *Workers) Busy() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size - w.idle
}

// try takes a worker if one is idle, which none is while somebody waits.
func (w *Workers) try() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle == 0 {
		return false
	}
	w.idle--
	return true
}

// wait takes a worker, and waits for one if none is idle.
func (w *Workers) wait() {
	w.mu.Lock()
	if w.idle > 0 {
		w.idle--
		w.mu.Unlock()
		return
	}
	ch := make(chan struct{})
	w.waiting.push(ch)
	w.mu.Unlock()
	<-ch
}

// release gives a worker back, to whoever has waited longest. It does not block.
func (w *Workers) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ch, ok := w.waiting.pop(); ok {
		close(ch)
		return
	}
	w.idle++
}

// employ gets a worker for a request; false if the request is not to be carried out.
func (w *Workers) employ(in *incoming) bool {
	if in.hasWorker {
		return true
	}
	if !w.try() {
		if w.refuse {
			return false
		}
		in.c.passRole(false) // the connection is to be read meanwhile
		w.wait()
	}
	l := in.c.lock()
	in.hasWorker = !l.broken // nobody waits for the answer if the connection has ended meanwhile
	l.unlock()
	if !in.hasWorker {
		w.release()
	}
	return in.hasWorker
}

// passOn gives the worker of a request that has finished to the next request of the connection, or, if there is none or
// the worker has run enough of them in a row, back. The connection's lock is held.
func (w *Workers) passOn(in, next *incoming) {
	if !in.hasWorker {
		return
	}
	in.hasWorker = false
	if next != nil && in.streak+1 < w.streak {
		next.hasWorker = true
		next.streak = in.streak + 1
		return
	}
	w.release()
}

// giveUp gives the worker of a request back, if it has one. The connection's lock is held.
func (w *Workers) giveUp(in *incoming) {
	if in.hasWorker {
		in.hasWorker = false
		w.release()
	}
}

// giveUpBeforeAnswer gives the worker of a request back before its answer is sent: the peer, which has the answer,
// could be refused its next request otherwise.
func (w *Workers) giveUpBeforeAnswer(in *incoming) {
	l := in.c.lock()
	defer l.unlock()
	w.giveUp(in)
}

// retake gets a worker for a handler that has waited for its peer, and waits for one if none is idle.
func (w *Workers) retake(in *incoming) {
	l := in.c.lock()
	needed := in.waits == 0 && !in.hasWorker && !in.finished && !l.broken && in != l.turns.opening
	l.unlock()
	if !needed {
		return
	}
	w.wait()
	l = in.c.lock()
	defer l.unlock()
	if in.waits > 0 || in.hasWorker || in.finished { // of its other goroutines, one was quicker or waits again
		w.release()
		return
	}
	in.hasWorker = true
}

// exhausted is the exception for a request that is refused.
func (w *Workers) exhausted() error {
	const again = 11 // EAGAIN where Python and Go have that number in common
	return vinegar.BlockingIOError.New(int64(again), fmt.Sprintf("all %d workers of the server are busy", w.size))
}
