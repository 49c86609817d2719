package frame

import (
	"encoding/binary"
	"io"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

const (
	// A buffer begins small, since most connections are idle most of the time, and
	// grows where the peer fills it. One that takes the place of another, whose
	// messages are in use, begins with nextBuffer. bufferSize holds a few hundred
	// ordinary messages. A frame that does not fit is read straight into its
	// destination.
	firstBuffer = 512
	nextBuffer  = 4 << 10
	bufferSize  = 32 << 10
	// firstChunk is the most memory that a claimed length alone is worth; what
	// arrives earns growFactor times as much. A body of up to the product is read into the place where it stays, but for
	// the first chunk, which is moved.
	firstChunk = 9 << 15
	growFactor = 8
	// maxEmptyReads is how often a reader may return nothing and no error.
	maxEmptyReads = 100
)

// Reader reads frames from a stream. It is not safe for concurrent use, but
// the buffers it returns may be used and released by anyone.
type Reader struct {
	src      io.Reader
	quickAck func() // nil if the stream has no use for it
	limits   Limits

	block      *block
	buf        []byte // the block's memory
	start, end int    // what is buffered
	trailer    bool   // the newline of the last frame is still to be skipped
	late       bool   // the newline did not come with its frame, and has not been acknowledged
	err        error

	observed bool         // since and reads are kept
	got      int          // bytes of an unfinished frame that have come after since
	since    atomic.Int64 // when it began or last made progress, in Unix nanoseconds; 0 if no frame is unfinished
	reads    atomic.Int64
}

// Observe makes the reader keep record of the peer's progress, for Unfinished and Reads. It is to be called before
// anything is read.
func (r *Reader) Observe() { r.observed = true }

// minProgress is how many bytes of an unfinished frame count as progress.
const minProgress = 64 << 10

// Unfinished is since when the peer has made no progress (64 KiB) with a frame that it has begun; the zero time if it
// has begun none. It may be called at any time, unlike the methods that read.
func (r *Reader) Unfinished() time.Time {
	if n := r.since.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// Reads is how often something has come. It may be called at any time.
func (r *Reader) Reads() int64 { return r.reads.Load() }

// Peek waits for the beginning of the first frame and returns its header and the first byte of its payload, or less if
// the stream ends before, with the error. It leaves them to Next, and must not be called after Next.
func (r *Reader) Peek() ([]byte, error) {
	err := r.fill(headerSize + 1)
	return r.buf[r.start:min(r.end, r.start+headerSize+1)], err
}

// NewReader returns a reader of the frames of r. If r has a method QuickAck(), it
// is called before each read that waits for the rest of a frame of which a
// part has arrived: CPython hands long frames to the kernel in pieces, and
// the last piece waits on its side until the earlier ones are acknowledged. It
// is called, too, after a newline that came by itself, for which the next frame
// waits if it begins with a piece that is shorter than the largest segment.
func NewReader(r io.Reader, l Limits) *Reader {
	reader := &Reader{src: r, limits: l.withDefaults()}
	reader.use(make([]byte, firstBuffer))
	if q, ok := r.(interface{ QuickAck() }); ok {
		reader.quickAck = q.QuickAck
	}
	return reader
}

// use makes the reader read into mem.
func (r *Reader) use(mem []byte) { r.block, r.buf = &block{mem: mem}, mem }

// Next waits for the next frame with a payload and returns it. It does not wait
// for the newline behind it, which a peer may send late.
//
// The error is io.EOF if the stream ends between two frames,
// io.ErrUnexpectedEOF if it ends inside one, a *brine.LimitError or
// [*CorruptError] for what the peer sent, or the stream's own error. It is
// final: every further call returns the same.
func (r *Reader) Next() (Buffer, error) {
	for r.err == nil {
		b, err := r.next()
		if err != nil {
			r.fail(err)
		}
		if r.observed && r.since.Load() != 0 {
			r.since.Store(0)
		}
		if len(b.Payload) > 0 {
			return b, nil
		}
	}
	return Buffer{}, r.err
}

// Await waits until the header of the next frame has come, or the stream has failed, which Next tells. Next waits for
// it, too, but with more on the stack: of a goroutine that waits with less than some 1200 bytes there, the garbage
// collector takes half of the stack away.
func (r *Reader) Await() {
	if r.err == nil {
		if err := r.begin(); err != nil {
			r.fail(err)
		}
	}
}

// fail makes an error final.
func (r *Reader) fail(err error) {
	r.err = err
	r.buf, r.block = nil, nil
}

// Buffered reports whether a further message has arrived already, so that Next
// will return at once. It may say false although one has: compressed frames
// are not looked into.
func (r *Reader) Buffered() bool {
	rest := r.buf[min(r.start, len(r.buf)):min(r.end, len(r.buf))]
	if r.trailer && len(rest) > 0 {
		rest = rest[1:]
	}
	for len(rest) >= headerSize {
		n := binary.BigEndian.Uint32(rest)
		if rest[4] != flagPlain || uint64(len(rest)-headerSize) < uint64(n) {
			return false
		}
		if n > 0 {
			return true
		}
		rest = rest[min(headerSize+1, len(rest)):]
	}
	return false
}

// begin skips the newline of the last frame and waits for the header of the next one.
func (r *Reader) begin() error {
	if r.trailer {
		r.late = r.start == r.end
		if err := r.fill(1); err != nil {
			return inside(err)
		}
		r.start++
		r.trailer = false
	}
	err := r.fill(headerSize)
	if err != nil && r.start < r.end {
		err = inside(err)
	}
	return err
}

// next reads one frame, which may be empty.
func (r *Reader) next() (Buffer, error) {
	if err := r.begin(); err != nil {
		return Buffer{}, err
	}
	size := int64(binary.BigEndian.Uint32(r.buf[r.start:]))
	flag := r.buf[r.start+4]
	if size > r.limits.MaxFrame {
		return Buffer{}, &brine.LimitError{What: "frame length", Got: size, Limit: r.limits.MaxFrame}
	}
	n := int(size) // fits: MaxFrame does
	r.trailer = true
	if n > len(r.buf)-headerSize {
		r.start += headerSize
		return r.long(n, flag)
	}
	if err := r.fill(headerSize + n); err != nil {
		return Buffer{}, inside(err)
	}
	body := r.buf[r.start+headerSize : r.start+headerSize+n]
	r.start += headerSize + n
	switch {
	case flag != flagPlain:
		return inflate(body, r.limits.MaxInflated)
	case n == 0:
		return Buffer{}, nil
	}
	return r.block.lend(body[:n:n]), nil
}

// long reads a body of n bytes that does not fit the reader's own buffer.
func (r *Reader) long(n int, flag byte) (Buffer, error) {
	if n <= pooledMax {
		s := newStore(n)
		if err := r.readInto(s.mem[:n]); err != nil {
			s.free()
			return Buffer{}, err
		}
		b := newBuffer(s, n)
		if flag == flagPlain {
			return b, nil
		}
		defer b.Release()
		return inflate(b.Payload, r.limits.MaxInflated)
	}
	body, err := r.longBody(n, flag == flagPlain)
	if err != nil {
		return Buffer{}, err
	}
	if flag == flagPlain {
		return Buffer{Payload: body, owned: true}, nil
	}
	defer FreeLong(body)
	return inflate(body, r.limits.MaxInflated)
}

// longBody reads n bytes, more than pooledMax, into memory that is the caller's if own is set, and NewLong's otherwise.
// Memory is had as bytes arrive: what the peer claims is to come costs nothing yet.
func (r *Reader) longBody(n int, own bool) ([]byte, error) {
	var body []byte
	for len(body) < n {
		have, size := len(body), min(n, max(firstChunk, growFactor*len(body)))
		var bigger []byte
		if own && size == n {
			bigger = uncleared(n)
		} else {
			bigger = NewLong(size)[:size]
		}
		copy(bigger, body)
		FreeLong(body)
		body = bigger
		if err := r.readInto(body[have:]); err != nil {
			FreeLong(body)
			return nil, err
		}
	}
	return body, nil
}

// grow returns b with the length n, its content kept.
func grow(b []byte, n int) []byte {
	bigger := make([]byte, n)
	copy(bigger, b)
	return bigger
}

// readInto fills dst with what follows in the stream, the buffered part first.
func (r *Reader) readInto(dst []byte) error {
	n := copy(dst, r.buf[r.start:r.end])
	r.start += n
	for n < len(dst) {
		m, err := r.read(dst[n:], true)
		if err != nil {
			return inside(err)
		}
		n += m
	}
	return nil
}

// fill makes at least n bytes available in the buffer, n being at most its size.
// If the stream ends before, the error is io.EOF and what came is kept.
func (r *Reader) fill(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	if rest := r.buf[r.start:r.end]; r.block.lent.Load() > 0 {
		// Not larger: memory that messages hold is not to be had again soon.
		r.use(make([]byte, max(nextBuffer, n, len(rest))))
		r.start, r.end = 0, copy(r.buf, rest)
	} else if r.start > 0 {
		r.start, r.end = 0, copy(r.buf, rest)
	}
	for r.end < n {
		m, err := r.read(r.buf[r.end:], r.end > 0 || r.trailer)
		if err != nil {
			return err
		}
		if r.end += m; r.end == len(r.buf) && r.end < bufferSize {
			r.use(grow(r.buf, 2*len(r.buf)))
		}
	}
	return nil
}

// read reads at least one byte. partial tells that the peer has sent part of a
// frame whose rest is awaited. If the stream returns data and an error, the
// error is left to the next read, which will return it again.
func (r *Reader) read(p []byte, partial bool) (int, error) {
	for range maxEmptyReads {
		if r.quickAck != nil && (partial || r.late) {
			r.quickAck()
			r.late = r.late && r.trailer // it is still to come
		}
		if r.observed {
			r.record(partial)
		}
		n, err := r.src.Read(p)
		r.got += max(n, 0)
		if r.observed {
			r.reads.Add(1)
		}
		switch {
		case n < 0 || n > len(p):
			return 0, errBadRead
		case n > 0:
			return n, nil
		case err != nil:
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// record notes that a read begins.
func (r *Reader) record(partial bool) {
	switch since := r.since.Load(); {
	case !partial && since != 0: // it was the newline that was awaited
		r.since.Store(0)
	case partial && (r.got >= minProgress || since == 0):
		r.since.Store(time.Now().UnixNano())
		r.got = 0
	}
}

// inside makes the end of the stream an unexpected one.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
