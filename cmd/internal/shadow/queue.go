package shadow

import (
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// event is a message that has passed, or the end of a direction if it has no bytes.
type event struct {
	fromClient bool
	raw        []byte
	at         time.Time
	long       bool         // there is no more of it than the header in message
	message    talk.Message // of raw, once next has returned it
}

// eventBytes is what an event takes beside its bytes.
const eventBytes = 256

func (e event) size() int64 { return int64(len(e.raw)) + eventBytes }

// queue holds what the other server has not been told yet. It never makes the clients wait: a request for which there
// is no room is left out, together with its answer.
type queue struct {
	proxy *Proxy

	mu      sync.Mutex
	change  *sync.Cond // events, ended or closed
	events  []event
	bytes   int64
	ended   bool
	closed  bool           // nobody takes anything
	dropped map[seqOf]bool // requests that were left out and are not answered yet
}

// seqOf names a request: each side has numbers of its own.
type seqOf struct {
	ofClient bool
	seq      wire.Seq
}

func newQueue(p *Proxy) *queue {
	q := &queue{proxy: p, dropped: map[seqOf]bool{}}
	q.change = sync.NewCond(&q.mu)
	return q
}

// add appends an event and reports false if there was no room.
func (q *queue) add(e event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return true
	}
	full := len(q.events) >= q.proxy.Queue || q.bytes+e.size() > queueBytes ||
		q.proxy.queued.Load()+e.size() > q.proxy.Memory
	if full || e.long || len(q.dropped) > 0 {
		kind, seq := e.message.Kind, e.message.Seq
		if !e.long {
			_, kind, seq = headOf(e.raw)
		}
		switch {
		case kind == wire.Request && (full || e.long):
			if len(q.dropped) < 10*q.proxy.Queue {
				q.dropped[seqOf{e.fromClient, seq}] = true
			}
			return false
		case kind != wire.Request && q.dropped[seqOf{!e.fromClient, seq}]:
			delete(q.dropped, seqOf{!e.fromClient, seq})
			return true
		case full: // the answer to a request that was not left out
			e.raw, e.long = nil, true
			e.message.Kind, e.message.Seq = kind, seq
		}
	}
	q.push(e)
	return true
}

func (q *queue) push(e event) {
	q.events = append(q.events, e)
	q.bytes += e.size()
	q.proxy.queued.Add(e.size())
	q.change.Signal()
}

// hangup notes the end of a direction.
func (q *queue) hangup(fromClient bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.push(event{fromClient: fromClient})
	}
}

// end says that nothing further comes.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.change.Signal()
}

// close throws away what is there and what comes.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.proxy.queued.Add(-q.bytes)
	q.closed, q.events, q.bytes = true, nil, 0
}

// next waits for the next event, for as long as patience if that is not 0; false at the end, and if none has come.
func (q *queue) next(patience time.Duration) (event, bool) {
	q.mu.Lock()
	over := false
	if patience > 0 {
		defer time.AfterFunc(patience, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			over = true
			q.change.Broadcast()
		}).Stop()
	}
	for len(q.events) == 0 && !q.ended && !over {
		q.change.Wait()
	}
	if len(q.events) == 0 {
		q.mu.Unlock()
		return event{}, false
	}
	e := q.events[0]
	q.events[0] = event{}
	q.events = q.events[1:]
	q.bytes -= e.size()
	q.proxy.queued.Add(-e.size())
	q.mu.Unlock()
	if e.raw != nil {
		e.message, e.long = decoded(e.raw)
	}
	return e, true
}
