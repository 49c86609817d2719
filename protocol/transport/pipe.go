package transport

import (
	"io"
	"sync"
)

// pipeBound is how many unread bytes a pipe holds in either direction before
// Write waits.
const pipeBound = 16 << 20

// Pipe returns the two ends of a stream in memory, for tests, examples and
// services that live in the same process.
//
// Unlike net.Pipe it is buffered: up to 16 MiB can be written in each direction
// before Write waits for the other end to read, so two peers that write at the
// same time do not block each other. After an end is closed, the other one reads
// what had been written and then io.EOF, and its writes fail with
// io.ErrClosedPipe, as do all uses of the closed end. Both ends may be used by
// several goroutines at a time. They also have CloseWrite() error, which
// ends one direction only.
func Pipe() (a, b io.ReadWriteCloser) {
	ab, ba := newQueue(), newQueue()
	return &pipeEnd{in: ba, out: ab}, &pipeEnd{in: ab, out: ba}
}

type pipeEnd struct{ in, out *queue }

func (p *pipeEnd) Read(b []byte) (int, error)  { return p.in.read(b) }
func (p *pipeEnd) Write(b []byte) (int, error) { return p.out.write(b) }

// CloseWrite lets the other end read io.EOF after what has been written.
func (p *pipeEnd) CloseWrite() error {
	p.out.closeWriter()
	return nil
}

// Close ends both directions and interrupts blocked calls. It never fails.
func (p *pipeEnd) Close() error {
	p.out.closeWriter()
	p.in.closeReader()
	return nil
}

// queue is one direction of a pipe. The unread bytes are data[start:].
type queue struct {
	mu       sync.Mutex
	changed  sync.Cond // broadcast whenever anything below changes
	data     []byte
	start    int
	noWriter bool // no more will come
	noReader bool // nobody wants more
}

func newQueue() *queue {
	q := &queue{}
	q.changed.L = &q.mu
	return q
}

func (q *queue) read(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case q.noReader:
			return 0, io.ErrClosedPipe
		case len(b) == 0:
			return 0, nil
		case q.start < len(q.data):
			n := copy(b, q.data[q.start:])
			q.start += n
			if q.start == len(q.data) {
				q.data, q.start = q.data[:0], 0
				if cap(q.data) > 1<<20 { // a burst must not cost memory for ever
					q.data = nil
				}
			}
			q.changed.Broadcast()
			return n, nil
		case q.noWriter:
			return 0, io.EOF
		}
		q.changed.Wait()
	}
}

func (q *queue) write(b []byte) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.noReader || q.noWriter {
			return n, io.ErrClosedPipe
		}
		if room := pipeBound - (len(q.data) - q.start); room > 0 || len(b) == 0 {
			part := b[:min(room, len(b))]
			// Moving is worth it only if at least as much was read as is moved.
			if q.start > len(q.data)/2 && len(q.data)+len(part) > cap(q.data) {
				q.data = q.data[:copy(q.data, q.data[q.start:])]
				q.start = 0
			}
			q.data = append(q.data, part...)
			n += len(part)
			if b = b[len(part):]; len(part) > 0 {
				q.changed.Broadcast()
			}
			if len(b) == 0 {
				return n, nil
			}
		}
		q.changed.Wait()
	}
}

func (q *queue) closeWriter() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.noWriter = true
	q.changed.Broadcast()
}

func (q *queue) closeReader() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.noReader = true
	q.data, q.start = nil, 0
	q.changed.Broadcast()
}
