package protocol

import (
	"context"
	"crypto/tls"
	"errors"
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
	guarded  bool // guard will look whether frames are held
	guard    *time.Timer
	stuck    bool // the write under way has not got on for a while
	writes   uint // begun so far
	seen     uint // writes at the last look
	closed   bool

	pieces    atomic.Uint64 // of frames: counts their beginnings and ends, so that it is odd while one is written
	slow      uint64        // the piece that stalled found to be written
	slowSince time.Time     // when it did
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

// errNotSent and errStreamClosed are how send fails.
var (
	errNotSent      = errors.New("the context ended before there was room")
	errStreamClosed = errors.New("the stream is closed")
)

// send queues a frame and sees to it that it is written. gather says that more frames are likely to be added at once by
// others, so that yielding to them first saves writes. It waits while the peer does not read, so the reader must not call
// it; a ctx that can end is regarded while it waits, if the stream can be written to without waiting. copied tells that f
// is the caller's again.
func (o *outbox) send(ctx context.Context, f []byte, gather bool) (copied bool, err error) {
	wait := o.try == nil || ctx.Done() == nil
	o.mu.Lock()
	if o.full() {
		o.makeRoom(ctx)
		if o.full() {
			o.mu.Unlock()
			return true, errNotSent
		}
	}
	if o.closed {
		o.mu.Unlock()
		return true, errStreamClosed
	}
	if o.writing {
		copied = o.add(f)
		o.mu.Unlock()
		return copied, nil
	}
	o.writing = true
	if gather {
		copied = o.add(f)
		o.mu.Unlock()
		runtime.Gosched()
		o.mu.Lock()
		return copied, o.drain(wait)
	}
	if len(o.queue) > 0 { // left for a flusher that is on its way
		copied = o.add(f)
		return copied, o.drain(wait)
	}
	if !wait {
		return o.tryNow(f)
	}
	o.begin()
	o.mu.Unlock()
	if err := o.put(f); err != nil {
		o.c.die(err)
	}
	o.mu.Lock()
	return true, o.drain(wait)
}

// full reports whether senders have to wait.
func (o *outbox) full() bool { return o.queued > highWater && o.writing && !o.closed }

// makeRoom waits until the queue is no longer full, or ctx has ended. The lock is held on entry and on return.
func (o *outbox) makeRoom(ctx context.Context) {
	o.blocked++
	o.mu.Unlock()
	o.c.mu.Lock() // so that the reader is not between looking and waiting
	o.c.room.Signal()
	o.c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		o.drained.Broadcast()
		o.mu.Unlock()
	})
	o.mu.Lock()
	for o.full() && ctx.Err() == nil {
		o.drained.Wait()
	}
	o.blocked--
	stop()
}

// now sends a frame without ever waiting: what the stream does not take at once is left to a goroutine. It therefore ends the
// connection if the peer does not read what is sent in this way.
func (o *outbox) now(f []byte) (copied bool) {
	o.mu.Lock()
	if o.try == nil || o.closed || o.writing || len(o.queue) > 0 || len(f) > chunkSize {
		o.mu.Unlock()
		return o.later(f)
	}
	o.writing = true
	copied, _ = o.tryNow(f)
	return copied
}

// later is now for frames that are likely to be followed by more of the kind, with which they go out together.
func (o *outbox) later(f []byte) (copied bool) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return true
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

// tryNow writes a frame, while nothing else is to be written, as far as the stream takes it. The lock is held on entry, with
// writing set, and released.
func (o *outbox) tryNow(f []byte) (copied bool, err error) {
	o.begin()
	o.mu.Unlock()
	n, err := o.try.TryWrite(f)
	if err != nil {
		o.c.die(err)
	}
	o.mu.Lock()
	copied = true
	if n < len(f) && err == nil {
		rest := f[n:]
		if copied = len(rest) <= chunkSize; copied {
			rest = slices.Clone(rest)
		}
		o.leaveRest([][]byte{rest})
		return copied, nil
	}
	return copied, o.drain(false)
}

// leaveRest has a goroutine write what the stream did not take, before anything else. The lock is held on entry, with writing
// set, and released.
func (o *outbox) leaveRest(rest [][]byte) {
	for _, b := range rest {
		o.queued += len(b)
	}
	o.queue = slices.Insert(o.queue, 0, rest...)
	o.mu.Unlock()
	go o.write()
}

// write drains the queue, with writing set.
func (o *outbox) write() {
	o.mu.Lock()
	_ = o.drain(true)
}

// soon queues a frame and leaves the writing to a goroutine, unless so much is queued that it has to wait.
func (o *outbox) soon(f []byte) (copied bool) {
	o.mu.Lock()
	if !o.closed && o.queued <= highWater {
		defer o.mu.Unlock()
		return o.leave(f)
	}
	o.mu.Unlock()
	copied, _ = o.send(context.Background(), f, false)
	return copied
}

// hold queues a frame whose sender is going to send or flush soon. In case that takes longer than expected, somebody looks.
func (o *outbox) hold(f []byte) (copied bool) {
	o.mu.Lock()
	if o.closed || o.single || o.queued+len(f) > chunkSize {
		o.mu.Unlock()
		copied, _ = o.send(context.Background(), f, false)
		return copied
	}
	copied = o.add(f)
	if !o.guarded {
		o.guarded = true
		if o.guard == nil {
			o.guard = time.AfterFunc(holdLimit, o.lookAfterHeld)
		} else {
			o.guard.Reset(holdLimit)
		}
	}
	o.mu.Unlock()
	return copied
}

// holdLimit is how long a frame is held at most.
const holdLimit = time.Millisecond

func (o *outbox) lookAfterHeld() {
	o.mu.Lock()
	o.guarded = false
	o.mu.Unlock()
	o.flush()
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

// flush writes what is queued, if nobody does.
func (o *outbox) flush() {
	o.mu.Lock()
	o.flushing = false
	if o.writing || o.closed || len(o.queue) == 0 {
		o.mu.Unlock()
		return
	}
	o.writing = true
	_ = o.drain(true)
}

// drain writes until the queue is empty; unless it may wait, only as far as the stream takes it at once, leaving the rest to a
// goroutine. The lock is held on entry, with writing set, and released.
func (o *outbox) drain(wait bool) error {
	for len(o.queue) > 0 && !o.closed {
		q := o.queue
		o.queue, o.spare, o.queued, o.unread = o.spare[:0], nil, 0, 0
		if o.blocked > 0 {
			o.drained.Broadcast()
		}
		o.begin()
		o.mu.Unlock()
		rest, err := o.putAll(q, wait)
		if err != nil {
			o.c.die(err)
		}
		o.mu.Lock()
		if len(rest) > 0 && !o.closed {
			o.leaveRest(rest)
			return nil
		}
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
	closed := o.closed
	o.mu.Unlock()
	if closed {
		return errStreamClosed
	}
	return nil
}

// putAll writes a queue and returns what the stream did not take.
func (o *outbox) putAll(q [][]byte, wait bool) (rest [][]byte, err error) {
	for i, b := range q {
		if wait {
			if err := o.put(b); err != nil {
				return nil, err
			}
			continue
		}
		n, err := o.try.TryWrite(b)
		if err != nil {
			return nil, err
		}
		if n < len(b) {
			q[i] = b[n:]
			return q[i:], nil
		}
	}
	return nil, nil
}

// put writes to the stream, in pieces that are counted, so that a peer that reads slowly can be told from one that does not
// read.
func (o *outbox) put(b []byte) error {
	for len(b) > pieceSize && !o.single {
		if err := o.putPiece(b[:pieceSize]); err != nil {
			return err
		}
		b = b[pieceSize:]
	}
	return o.putPiece(b)
}

func (o *outbox) putPiece(b []byte) error {
	n := o.pieces.Load() // nobody else writes
	o.pieces.Store(n + 1)
	_, err := o.c.stream.Write(b)
	o.pieces.Store(n + 2)
	return err
}

// underWay reports whether a piece is being written.
func (o *outbox) underWay() bool { return o.pieces.Load()%2 == 1 }

// stalled reports whether the peer has not read a piece for that long. To look at the clock for every write would be dear: the
// time counts from the first call that finds the piece being written, so it is to be called a few times in every period.
func (o *outbox) stalled(limit time.Duration) bool {
	n := o.pieces.Load()
	if n%2 == 0 {
		return false
	}
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if n != o.slow {
		o.slow, o.slowSince = n, now
	}
	return now.Sub(o.slowSince) > limit
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
