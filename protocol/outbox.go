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

	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/transport"
)

// outbox is where frames wait to be written to the stream. Whoever sends a frame writes it if nobody is writing at that
// moment; frames that are sent while somebody writes go out together in that goroutine's next write, which is what
// makes many calls on one connection cheap.
type outbox struct {
	c           *Conn
	tryWriter   transport.TryWriter // the stream, if it can be written to without blocking; otherwise nil
	onePerWrite bool                // a write may carry one frame only, because the stream makes a record of it
	mu          sync.Mutex
	changed     sync.Cond // signalled when the queue has been taken, when the writing is done, and at the end
	queue       [][]byte  // one write each; frames are still added to the last one
	spare       [][]byte  // the queue before this one, emptied, to be used again
	queued      int       // bytes in queue
	flying      int       // bytes that were taken out of it and are being written
	lease       lease     // of the budget, for both
	unread      int64     // bytes among them that were sent without waiting for the peer to read
	blocked     int       // senders that wait for the queue to get shorter
	settling    int       // callers of settle
	writing     bool      // a goroutine is writing, and takes along what is added
	flushing    bool      // a goroutine has been started that will flush
	holding     bool      // holdTimer runs
	closed      bool

	holdTimer *time.Timer // flushes what has been held for holdLimit

	writes     uint // begun so far
	seenWrites uint // their number when markStuck was last called
	stuck      bool // the present write had begun before that

	pieces    atomic.Uint64 // counts beginnings and ends of pieces of frames: it is odd while one is written
	slowPiece uint64        // pieces, when stalled last found a new piece being written
	slowSince time.Time     // when that was
}

const (
	chunkSize = 64 << 10 // frames are put together up to this size, larger ones written without copying
	highWater = 4 << 20  // senders that can wait do so while more than this is queued
	pieceSize = 1 << 20  // what is written at once of a large frame
	holdLimit = time.Millisecond
	maxYields = 4 // of a sender that gathers what others send
)

func (o *outbox) init(c *Conn) {
	o.c = c
	o.tryWriter, _ = c.stream.(transport.TryWriter)
	o.changed.L = &o.mu
	switch s := c.stream.(type) {
	case *tls.Conn:
		o.onePerWrite = true
	case interface{ OneFramePerWrite() bool }:
		o.onePerWrite = s.OneFramePerWrite()
	}
}

// sendMode says who writes a frame, when, and whether the sender waits if the peer does not read.
type sendMode uint8

const (
	sendNow    sendMode = iota // by the sender, at once; it waits
	sendGather                 // by the sender, after other goroutines had a chance to add theirs; it waits
	sendSoon                   // by a goroutine, or by the sender when it begins to wait for an answer; it waits
	sendHeld                   // with the sender's next frame, when it flushes, or after holdLimit; it waits
	sendQueued                 // as sendHeld, by a sender that is sure to flush very soon
	sendTry                    // by the sender as far as the stream takes it without blocking, the rest by a goroutine
	sendLater                  // by a goroutine, together with others that are sent in this mode
)

var (
	errNotSent      = errors.New("the context ended before the frame could be queued")
	errStreamClosed = errors.New("the stream is closed")
)

// send queues a frame and sees to it that it is written, as mode says. In the modes that wait, it does so until the
// queue is short enough or ctx has ended; when it then writes itself, the end of ctx interrupts that only on streams
// that can be written to without blocking; to others a goroutine writes what is long. The reader must not wait for the
// peer: it uses the other modes, in which the connection ends if the peer leaves more unread than Limits.Unread.
//
// The outbox keeps f unless copied is true.
func (o *outbox) send(ctx context.Context, f []byte, mode sendMode) (copied bool, err error) {
	waits := mode < sendTry
	o.mu.Lock()
	if waits && o.full() && !o.waitShorter(ctx) {
		o.mu.Unlock()
		return true, errNotSent
	}
	switch {
	case o.closed:
		o.mu.Unlock()
		return true, errStreamClosed
	case (mode == sendHeld || mode == sendQueued) && !o.onePerWrite && o.queued+len(f) <= chunkSize:
		copied = o.add(f)
		if mode == sendHeld {
			o.startHoldTimer()
		}
		o.mu.Unlock()
		return copied, nil
	case mode == sendSoon && !o.onePerWrite && o.queued+len(f) <= chunkSize:
		copied = o.add(f)
		o.startFlusher()
		o.mu.Unlock()
		return copied, nil
	case mode == sendLater, mode == sendTry && (o.tryWriter == nil || o.writing || len(o.queue) > 0 || len(f) > chunkSize):
		return o.addAndFlush(f), nil
	case o.writing:
		copied = o.add(f)
		o.mu.Unlock()
		return copied, nil
	case waits && o.mayHold(ctx, len(f)):
		copied = o.add(f)
		o.startFlusher()
		o.mu.Unlock()
		return copied, nil
	}
	o.writing = true
	block := waits && (o.tryWriter == nil || ctx.Done() == nil)
	switch {
	case mode == sendGather:
		copied = o.add(f)
		o.gather()
	case len(o.queue) > 0: // held, or left to a goroutine that will flush
		copied = o.add(f)
	case block:
		o.beginWrite()
		o.mu.Unlock()
		if _, err := o.write(f); err != nil {
			o.c.die(err)
		}
		o.mu.Lock()
		copied = true
	default:
		return o.tryWrite(f)
	}
	return copied, o.drain(block)
}

// mayHold reports whether writing the queue and n bytes more could take so long that a sender with ctx should not do it
// itself: its end does not interrupt that.
func (o *outbox) mayHold(ctx context.Context, n int) bool {
	return o.tryWriter == nil && ctx.Done() != nil && o.queued+n > chunkSize
}

// full reports whether senders have to wait.
func (o *outbox) full() bool { return o.queued > highWater && o.writing && !o.closed }

// waitShorter waits until the queue is no longer full; false if ctx has ended before. The lock is held on entry and on
// return.
func (o *outbox) waitShorter(ctx context.Context) bool {
	o.blocked++
	o.mu.Unlock()
	o.c.mu.Lock() // so that the reader is not between looking and waiting
	o.c.readOn.Signal()
	o.c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		o.changed.Broadcast()
		o.mu.Unlock()
	})
	defer stop()
	o.mu.Lock()
	for o.full() && ctx.Err() == nil {
		o.changed.Wait()
	}
	o.blocked--
	return !o.full()
}

// add puts a frame into the queue: behind others in the last chunk if it is small, which is a copy, and otherwise by
// itself.
func (o *outbox) add(f []byte) (copied bool) {
	o.queued += len(f)
	o.cover()
	if n := len(o.queue); n > 0 && !o.onePerWrite {
		if last := o.queue[n-1]; len(last)+len(f) <= chunkSize && cap(last) <= chunkSize {
			o.queue[n-1] = append(last, f...)
			return true
		}
	}
	if len(f) > chunkSize/2 || o.onePerWrite {
		o.queue = append(o.queue, f)
		return false
	}
	b := chunks.Get().(*[chunkSize]byte)
	o.queue = append(o.queue, append(b[:0], f...))
	return true
}

// chunks are what small frames are put together in. They are shared by all connections, so that an idle one holds none.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// addAndFlush queues a frame and has a goroutine flush the queue. The lock is held on entry, and released.
func (o *outbox) addAndFlush(f []byte) (copied bool) {
	unread, limit := o.unread, o.c.cfg.Limits.Unread
	o.unread += int64(len(f))
	copied = o.add(f)
	covered := o.cover()
	o.startFlusher()
	o.mu.Unlock()
	switch {
	case unread > limit:
		o.c.die(&LimitError{What: "bytes of answers the peer does not read", Got: unread, Limit: limit})
	case !covered:
		limit = o.c.cfg.Budget.unread.limit
		o.c.die(&LimitError{What: "bytes of answers that peers do not read", Got: limit + 1, Limit: limit})
	}
	return copied
}

// cover counts what is to be written against the budget; false if there is not as much.
func (o *outbox) cover() bool {
	b, n := o.c.cfg.Budget, int64(o.queued+o.flying)
	return b == nil || o.lease.cover(&b.unread, n, bytesPortion)
}

// startFlusher has a goroutine flush the queue, unless somebody is writing or one has been started that has not begun.
func (o *outbox) startFlusher() {
	if o.writing || o.flushing {
		return
	}
	o.flushing = true
	go func() {
		o.mu.Lock()
		o.flushing = false
		o.mu.Unlock()
		o.flush()
	}()
}

// startHoldTimer sees to it that frames are not held for long, whatever their sender does.
func (o *outbox) startHoldTimer() {
	if o.holding {
		return
	}
	o.holding = true
	if o.holdTimer != nil {
		o.holdTimer.Reset(holdLimit)
		return
	}
	o.holdTimer = time.AfterFunc(holdLimit, func() {
		o.mu.Lock()
		o.holding = false
		o.mu.Unlock()
		o.flush()
	})
}

// flush writes what is queued, if nobody does.
func (o *outbox) flush() {
	if o.beginFlush() {
		_ = o.drain(true)
	}
}

// flushFor is flush by a sender who waits no longer than ctx, on streams that can be written to without blocking.
func (o *outbox) flushFor(ctx context.Context) {
	if !o.beginFlush() {
		return
	}
	if o.mayHold(ctx, 0) {
		o.flushRest(nil)
		return
	}
	_ = o.drain(o.tryWriter == nil || ctx.Done() == nil)
}

// flushGathered writes what is queued, if nobody does, after other goroutines had a chance to add their frames. It does
// not wait for the peer to read: where that cannot be avoided, the goroutine that has been started writes.
func (o *outbox) flushGathered() {
	if o.tryWriter == nil || !o.beginFlush() {
		return
	}
	o.gather()
	_ = o.drain(false)
}

// gather gives other goroutines a chance to add their frames, and again while they do. The lock is held on entry, with
// writing set, and on return.
func (o *outbox) gather() {
	for range maxYields {
		before := o.queued
		o.mu.Unlock()
		runtime.Gosched()
		o.mu.Lock()
		if o.queued == before || o.queued > chunkSize/2 {
			return
		}
	}
}

// beginFlush has the caller write what is queued; false if there is nothing or somebody writes. If it is true, the lock
// is held on return.
func (o *outbox) beginFlush() bool {
	o.mu.Lock()
	if o.writing || o.closed || len(o.queue) == 0 {
		o.mu.Unlock()
		return false
	}
	o.writing = true
	return true
}

// tryWrite writes a frame as far as the stream takes it without blocking, while the queue is empty. The lock is held on
// entry, with writing set, and released.
func (o *outbox) tryWrite(f []byte) (copied bool, err error) {
	o.beginWrite()
	o.mu.Unlock()
	n, err := o.tryWriter.TryWrite(f)
	if err != nil {
		o.c.die(err)
	}
	o.mu.Lock()
	if n < len(f) && err == nil {
		rest := f[n:]
		if copied = len(rest) <= chunkSize; copied {
			rest = slices.Clone(rest)
		}
		o.flushRest([][]byte{rest})
		return copied, nil
	}
	return true, o.drain(false)
}

// flushRest has a goroutine write what the stream has not taken, before anything else. The lock is held on entry, with
// writing set, and released.
func (o *outbox) flushRest(rest [][]byte) {
	if o.closed {
		rest = nil
	}
	for _, b := range rest {
		o.queued += len(b)
	}
	o.queue = slices.Insert(o.queue, 0, rest...)
	o.flying = 0
	o.cover()
	o.mu.Unlock()
	go func() {
		o.mu.Lock()
		_ = o.drain(true)
	}()
}

// drain writes until the queue is empty. Unless it may block, it writes only what the stream takes without, and leaves
// the rest to a goroutine. The lock is held on entry, with writing set, and released.
func (o *outbox) drain(block bool) error {
	for len(o.queue) > 0 && !o.closed {
		q := o.queue
		o.queue, o.spare, o.flying, o.queued, o.unread = o.spare[:0], nil, o.queued, 0, 0
		if o.blocked > 0 {
			o.changed.Broadcast()
		}
		o.beginWrite()
		o.mu.Unlock()
		rest, err := o.writeAll(q, block)
		if err != nil {
			o.c.die(err)
		}
		o.mu.Lock()
		if len(rest) > 0 && !o.closed {
			o.flushRest(rest)
			return nil
		}
		for _, b := range q {
			if cap(b) == chunkSize {
				chunks.Put((*[chunkSize]byte)(b[:chunkSize]))
			} else {
				frame.FreeLong(b)
			}
		}
		clear(q)
		o.spare, o.flying = q[:0], 0
		o.cover()
	}
	o.writing = false
	if o.settling > 0 {
		o.changed.Broadcast()
	}
	closed := o.closed
	o.mu.Unlock()
	if closed {
		return errStreamClosed
	}
	return nil
}

// writeAll writes a queue and returns what the stream has not taken, which is nothing if it may block.
func (o *outbox) writeAll(q [][]byte, block bool) (rest [][]byte, err error) {
	for i, b := range q {
		if block {
			if _, err := o.write(b); err != nil {
				return nil, err
			}
			continue
		}
		n, err := o.tryWriter.TryWrite(b)
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

// write writes to the stream, in pieces that are counted, so that a peer that reads slowly can be told from one that
// does not read. It returns how much it has written.
func (o *outbox) write(b []byte) (written int, err error) {
	for len(b)-written > pieceSize+pieceSize/8 && !o.onePerWrite { // a short rest would cost the peer a read of its own
		n, err := o.writePiece(b[written : written+pieceSize])
		if written += n; err != nil {
			return written, err
		}
	}
	n, err := o.writePiece(b[written:])
	return written + n, err
}

func (o *outbox) writePiece(b []byte) (n int, err error) {
	begun := o.pieces.Load() // nobody else writes
	o.pieces.Store(begun + 1)
	n, err = o.c.stream.Write(b)
	o.pieces.Store(begun + 2)
	return n, err
}

// writesPiece reports whether a piece is being written.
func (o *outbox) writesPiece() bool { return o.pieces.Load()%2 == 1 }

// stalled reports whether the peer has not read a piece for longer than limit. Looking at the clock for every write
// would be expensive: the time counts from the first call that finds the piece being written, so stalled is to be
// called a few times within limit.
func (o *outbox) stalled(limit time.Duration) bool {
	n := o.pieces.Load()
	if n%2 == 0 {
		return false
	}
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if n != o.slowPiece {
		o.slowPiece, o.slowSince = n, now
	}
	return now.Sub(o.slowSince) > limit
}

// settle waits until all that was queued has been written, or the stream is gone.
func (o *outbox) settle() {
	o.mu.Lock()
	o.settling++
	for (len(o.queue) > 0 || o.writing) && !o.closed {
		o.changed.Wait()
	}
	o.settling--
	o.mu.Unlock()
}

// beginWrite notes that a write begins.
func (o *outbox) beginWrite() {
	o.writes++
	o.stuck = false
}

// markStuck notes whether the present write had begun at the last call already.
func (o *outbox) markStuck() {
	o.mu.Lock()
	o.stuck = o.writing && o.writes == o.seenWrites
	o.seenWrites = o.writes
	o.mu.Unlock()
}

// waitsForPeer reports whether frames cannot be sent because the peer does not read.
func (o *outbox) waitsForPeer() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.blocked > 0 || o.stuck && o.writing
}

func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.queue, o.queued = nil, 0
	o.cover()
	o.changed.Broadcast()
	o.mu.Unlock()
}
