package protocol

import (
	"fmt"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Workers bounds how many requests run at the same time on all the connections that share it, as the threads of
// rpyc.utils.server.ThreadPoolServer do. A handler that waits for its peer gives its worker up meanwhile, so that nested calls
// find one; it waits for another when it goes on. Requests that run nothing of the user's, such as PING, need no worker.
//
// What happens when all are taken is chosen when it is made: requests wait in the order they came, or are refused with an
// exception, which is Python's BlockingIOError. Workers are safe for concurrent use.
type Workers struct {
	size, batch int
	refuse      bool

	mu    sync.Mutex
	free  int
	queue fifo[chan struct{}] // of those who wait; closed to hand a worker over
}

// NewWorkers makes a pool of n workers; n below 1 means RPyC's 20 (nbThreads). A worker that has run a request runs up to
// batch requests of the same connection that are queued already before it turns to others; below 1 means RPyC's 10
// (requestBatchSize). refuse says that requests are refused when all are taken.
func NewWorkers(n, batch int, refuse bool) *Workers {
	if n < 1 {
		n = 20
	}
	if batch < 1 {
		batch = 10
	}
	return &Workers{size: n, batch: batch, refuse: refuse, free: n}
}

// Busy is how many workers are taken.
func (w *Workers) Busy() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size - w.free
}

// try takes a worker if one is free and nobody waits for it.
func (w *Workers) try() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.free == 0 {
		return false
	}
	w.free--
	return true
}

// wait takes a worker as soon as there is one.
func (w *Workers) wait() {
	w.mu.Lock()
	if w.free > 0 {
		w.free--
		w.mu.Unlock()
		return
	}
	ch := make(chan struct{})
	w.queue.push(ch)
	w.mu.Unlock()
	<-ch
}

// release gives a worker back, to whoever has waited longest. It does not block.
func (w *Workers) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ch, ok := w.queue.pop(); ok {
		close(ch)
		return
	}
	w.free++
}

// employ gets the request a worker; false if it is to be refused.
func (w *Workers) employ(in *incoming) bool {
	if in.works {
		return true
	}
	if !w.try() {
		if w.refuse {
			return false
		}
		in.c.passRole() // the connection is to be read meanwhile
		w.wait()
	}
	l := in.c.lock()
	in.works = !l.broken // nobody waits for the answer if the connection has ended meanwhile
	l.unlock()
	if !in.works {
		w.release()
	}
	return in.works
}

// hand passes the worker of a request that has finished to the next one of the connection, or gives it back. The
// connection's lock is held.
func (w *Workers) hand(in, next *incoming) {
	if !in.works {
		return
	}
	in.works = false
	if next != nil && in.batch+1 < w.batch {
		next.works = true
		next.batch = in.batch + 1
		return
	}
	w.release()
}

// rest gives the worker up of a handler that begins to wait for its peer. The connection's lock is held.
func (w *Workers) rest(in *incoming) {
	if in.works {
		in.works = false
		w.release()
	}
}

// done gives the worker back before the answer is sent, so that nobody who has the answer finds it taken.
func (w *Workers) done(in *incoming) {
	l := in.c.lock()
	defer l.unlock()
	w.rest(in)
}

// rejoin gets a handler a worker again that has waited for its peer.
func (w *Workers) rejoin(in *incoming) {
	l := in.c.lock()
	idle := in.waits > 0 || in.works || in.finished || l.broken
	l.unlock()
	if idle {
		return
	}
	w.wait()
	l = in.c.lock()
	defer l.unlock()
	if in.waits > 0 || in.works || in.finished { // of its other goroutines, one was quicker or waits again
		w.release()
		return
	}
	in.works = true
}

// exhausted is the exception for a request that is refused.
func (w *Workers) exhausted() error {
	const again = 11 // EAGAIN where Python and Go have that number in common
	return vinegar.BlockingIOError.New(int64(again), fmt.Sprintf("all %d workers of the server are busy", w.size))
}
