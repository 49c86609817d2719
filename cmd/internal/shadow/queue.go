package shadow

import (
	"bytes"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// event is a message that has passed, or the end of a direction if it has no bytes.
type event struct {
	fromClient bool
	raw        []byte
	at         time.Time
	message    talk.Message // of raw, once next has returned it
}

// queue holds what the other server has not been told yet. It never makes the clients wait: a request for which there
// is no room is left out, together with its answer.
type queue struct {
	most int

	mu      sync.Mutex
	change  *sync.Cond
	events  []event
	bytes   int
	ended   bool
	closed  bool           // nobody takes anything
	dropped map[seqOf]bool // requests that were left out and are not answered yet
}

// seqOf names a request: each side has numbers of its own.
type seqOf struct {
	ofClient bool
	seq      wire.Seq
}

func newQueue(most int) *queue {
	q := &queue{most: most, dropped: map[seqOf]bool{}}
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
	full := len(q.events) >= q.most || q.bytes+len(e.raw) > queueBytes
	if full || len(q.dropped) > 0 {
		kind, seq := headerOf(e.raw)
		switch {
		case kind == wire.Request && full:
			if len(q.dropped) < 100*q.most {
				q.dropped[seqOf{e.fromClient, seq}] = true
			}
			return false
		case kind != wire.Request && q.dropped[seqOf{!e.fromClient, seq}]:
			delete(q.dropped, seqOf{!e.fromClient, seq})
			return true
		}
	}
	q.events = append(q.events, e)
	q.bytes += len(e.raw)
	q.change.Signal()
	return true
}

// headerOf is the kind and the number of a message; 0 if it is none.
func headerOf(raw []byte) (wire.Kind, wire.Seq) {
	payload, err := frame.Read(bytes.NewReader(raw), frameLimit)
	if err != nil {
		return 0, wire.Seq{}
	}
	d, err := wire.Detect(payload)
	if err != nil {
		return 0, wire.Seq{}
	}
	kind, seq, _, err := d.ReadHeader(payload)
	if err != nil {
		return 0, wire.Seq{}
	}
	return kind, seq
}

// hangup notes the end of a direction.
func (q *queue) hangup(fromClient bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = append(q.events, event{fromClient: fromClient})
	q.change.Signal()
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
	q.bytes -= len(e.raw)
	q.mu.Unlock()
	if e.raw == nil {
		return e, true
	}
	if payload, err := frame.Read(bytes.NewReader(e.raw), frameLimit); err == nil && len(payload) > 0 {
		e.message = talk.Of(payload)
	}
	return e, true
}
