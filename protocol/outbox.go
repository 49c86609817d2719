package protocol

import (
	"crypto/tls"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

// outbox is the queue of frames to send. A frame is written by whoever adds it if nobody is writing at that moment; all
// that is added while somebody writes goes out together in the next write, which is what makes many calls on one
// connection cheap.
type outbox struct {
	c        *Conn
	try      transport.TryWriter // the stream, nil if it cannot do that
	single   bool                // one frame per write, for streams that carry records
	mu       sync.Mutex
	drained  sync.Cond // signalled when the queue was taken
	queue    [][]byte  // each is written at once; the last may still grow
	spare    [][]byte  // the queue before, emptied
	queued   int       // bytes in queue
	unread   int64     // bytes among them whose sender cannot wait for the peer to read
	blocked  int       // senders waiting for drained
	settling int       // others waiting for drained
	writing  bool
	flushing bool // a goroutine is on its way to write
	stuck    bool // the write under way has not got on for a while
	writes   uint // begun so far
	seen     uint // writes at the last look
	closed   bool

	began atomic.Int64 // when the piece being written was begun, in Unix nanoseconds; 0 if none is
}

const (
	chunkSize = 64 << 10 // frames are gathered up to this size, larger ones written without copying
	highWater = 4 << 20  // senders wait while more than this is queued
	pieceSize = 1 << 20  // written at once of a large frame
)

func (o *outbox) init(c *Conn) {
	o.c = c
	o.try, _ = c.stream.(transport.TryWriter)
	o.drained.L = &o.mu
	switch s := c.stream.(type) {
	case *tls.Conn:
		o.single = true
	case interface{ OneFramePerWrite() bool }:
		o.single = s.OneFramePerWrite()
	}
}

// add puts a frame into the queue. The frame belongs to the outbox then, unless it was copied, which add tells.
func (o *outbox) add(f []byte) (copied bool) {
	o.queued += len(f)
	if n := len(o.queue); n > 0 && !o.single {
		if last := o.queue[n-1]; len(last)+len(f) <= chunkSize && cap(last) <= chunkSize {
			o.queue[n-1] = append(last, f...)
			return true
		}
	}
	if len(f) > chunkSize/2 || o.single {
		o.queue = append(o.queue, f)
		return false
	}
	b := chunks.Get().(*[chunkSize]byte)
	o.queue = append(o.queue, append(b[:0], f...))
	return true
}

// chunks is where small frames are gathered in. They are of all connections, so that an idle one holds none.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// send queues a frame and sees to it that it is written. gather says that more frames are likely to be added at once by
// others, so that yielding to them first saves writes. It waits while the peer does not read, so the reader must not call
// it. copied tells that f is the caller's again, ok that the stream was not closed.
func (o *outbox) send(f []byte, gather bool) (copied, ok bool) {
	o.mu.Lock()
	if o.queued > highWater && o.writing && !o.closed {
		o.blocked++
		o.mu.Unlock()
		o.c.mu.Lock() // so that the reader is not between looking and waiting
		o.c.room.Signal()
		o.c.mu.Unlock()
		o.mu.Lock()
		for o.queued > highWater && o.writing && !o.closed {
			o.drained.Wait()
		}
		o.blocked--
	}
	if o.closed {
		o.mu.Unlock()
		return true, false
	}
	if o.writing {
		copied = o.add(f)
		o.mu.Unlock()
		return copied, true
	}
	o.writing = true
	if gather {
		copied = o.add(f)
		o.mu.Unlock()
		runtime.Gosched()
		o.mu.Lock()
		return copied, o.drain()
	}
	if len(o.queue) > 0 { // left for a flusher that is on its way
		copied = o.add(f)
		return copied, o.drain()
	}
	o.begin()
	o.mu.Unlock()
	if err := o.put(f); err != nil {
		o.c.die(err)
	}
	o.mu.Lock()
	return true, o.drain()
}

// later sends a frame without ever blocking: what the stream does not take at once is left to a goroutine. It therefore ends
// the connection if the peer does not read what is sent in this way.
func (o *outbox) later(f []byte) (copied bool) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return true
	}
	if o.try != nil && !o.writing && len(o.queue) == 0 && len(f) <= chunkSize {
		return o.tryNow(f)
	}
	unread, limit := o.unread, o.c.cfg.Limits.Unread
	o.unread += int64(len(f))
	copied = o.leave(f)
	o.mu.Unlock()
	if unread > limit {
		o.c.die(&LimitError{What: "bytes of answers the peer does not read", Got: unread, Limit: limit})
	}
	return copied
}

// tryNow is later while nothing else is to be written. The lock is held on entry and released.
func (o *outbox) tryNow(f []byte) (copied bool) {
	o.writing = true
	o.begin()
	o.mu.Unlock()
	n, err := o.try.TryWrite(f)
	if err != nil {
		o.c.die(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = false
	if o.settling > 0 {
		o.drained.Broadcast()
	}
	if o.closed {
		return true
	}
	if n < len(f) {
		o.queue = slices.Insert(o.queue, 0, slices.Clone(f[n:]))
		o.queued += len(f) - n
		o.unread += int64(len(f) - n)
	}
	if len(o.queue) > 0 && !o.flushing {
		o.flushing = true
		go o.flush()
	}
	return true
}

// soon queues a frame and leaves the writing to a goroutine, unless so much is queued that it has to wait.
func (o *outbox) soon(f []byte) (copied bool) {
	o.mu.Lock()
	if !o.closed && o.queued <= highWater {
		defer o.mu.Unlock()
		return o.leave(f)
	}
	o.mu.Unlock()
	copied, _ = o.send(f, false)
	return copied
}

// leave adds a frame and sees to it that a goroutine writes it.
func (o *outbox) leave(f []byte) (copied bool) {
	copied = o.add(f)
	if !o.writing && !o.flushing {
		o.flushing = true
		go o.flush()
	}
	return copied
}

func (o *outbox) flush() {
	o.mu.Lock()
	o.flushing = false
	if o.writing || o.closed {
		o.mu.Unlock()
		return
	}
	o.writing = true
	o.drain()
}

// drain writes until the queue is empty. The lock is held on entry, with writing set, and released.
func (o *outbox) drain() bool {
	for len(o.queue) > 0 && !o.closed {
		q := o.queue
		o.queue, o.spare, o.queued, o.unread = o.spare[:0], nil, 0, 0
		if o.blocked > 0 {
			o.drained.Broadcast()
		}
		o.begin()
		o.mu.Unlock()
		err := o.write(q)
		if err != nil {
			o.c.die(err)
		}
		o.mu.Lock()
		for _, b := range q {
			if cap(b) == chunkSize {
				chunks.Put((*[chunkSize]byte)(b[:chunkSize]))
			}
		}
		clear(q)
		o.spare = q[:0]
	}
	o.writing = false
	if o.settling > 0 {
		o.drained.Broadcast()
	}
	ok := !o.closed
	o.mu.Unlock()
	return ok
}

func (o *outbox) write(q [][]byte) error {
	for _, b := range q {
		if err := o.put(b); err != nil {
			return err
		}
	}
	return nil
}

// put writes to the stream, in pieces whose beginning is noted, so that a peer that reads slowly can be told from one that
// does not read.
func (o *outbox) put(b []byte) error {
	defer o.began.Store(0)
	for len(b) > 0 {
		piece := b
		if len(b) > pieceSize && !o.single {
			piece = b[:pieceSize]
		}
		o.began.Store(time.Now().UnixNano())
		if _, err := o.c.stream.Write(piece); err != nil {
			return err
		}
		b = b[len(piece):]
	}
	return nil
}

// stalled reports whether the peer has not read a piece for that long.
func (o *outbox) stalled(now time.Time, limit time.Duration) bool {
	began := o.began.Load()
	return began != 0 && now.UnixNano()-began > int64(limit)
}

// settle waits until all that was queued has been written, or the stream is gone.
func (o *outbox) settle() {
	o.mu.Lock()
	o.settling++
	for (len(o.queue) > 0 || o.writing) && !o.closed {
		o.drained.Wait()
	}
	o.settling--
	o.mu.Unlock()
}

// begin notes that a write begins.
func (o *outbox) begin() {
	o.writes++
	o.stuck = false
}

// look finds out whether a write has been under way since the last look.
func (o *outbox) look() {
	o.mu.Lock()
	o.stuck = o.writing && o.writes == o.seen
	o.seen = o.writes
	o.mu.Unlock()
}

// jammed reports whether senders wait for the peer to read.
func (o *outbox) jammed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.blocked > 0 || o.stuck && o.writing
}

func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.queue, o.queued = nil, 0
	o.drained.Broadcast()
	o.mu.Unlock()
}
