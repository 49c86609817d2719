package frame

import (
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
)

// maxBody is the longest body the length field can describe.
const maxBody = math.MaxUint32

// Compress tells which payloads to compress when writing. The zero value means
// none, which every peer accepts. RPyC uses Compress{Above: 3000, Level: 1}.
type Compress struct {
	Above int // payloads strictly longer than this are compressed; 0 or less: none is
	Level int // of zlib, 1 (fastest) to 9 (smallest); anything else means 1
}

// Begin reserves the header of a frame at the end of b. The payload is to be
// appended next; start is what [End] wants to know.
func Begin(b []byte) (frame []byte, start int) {
	return append(b, 0, 0, 0, 0, flagPlain), len(b)
}

// End completes the frame that Begin began at start, whose payload is the rest of
// b. If c asks for compression and that makes the payload shorter, the
// compressed form takes its place. If the body is too long to be described, the
// error is a *brine.LimitError and the result is b without the frame.
func End(b []byte, start int, c Compress) ([]byte, error) {
	body := start + headerSize
	if n := len(b) - body; c.Above > 0 && n > c.Above {
		if packed := deflate(b[body:], c.Level); packed != nil {
			b = append(b[:body], packed.out...)
			b[start+4] = flagZlib
			packed.free()
		}
	}
	return EndAround(b, start, 0)
}

// EndAround is [End] without compression, for a payload that has n bytes more than b: they are to be written from
// elsewhere, between two parts of the frame.
func EndAround(b []byte, start, n int) ([]byte, error) {
	size := int64(len(b)-start-headerSize) + int64(n)
	if err := checkBody(size); err != nil {
		return b[:start], err
	}
	binary.BigEndian.PutUint32(b[start:], uint32(size))
	return append(b, trailer...), nil
}

// Append appends a whole frame with the given payload, which must not overlap
// the room behind b. See [End] for the error.
func Append(b, payload []byte, c Compress) ([]byte, error) {
	b, start := Begin(b)
	return End(append(b, payload...), start, c)
}

func checkBody(n int64) error {
	if n > maxBody {
		return &brine.LimitError{What: "frame length", Got: n, Limit: maxBody}
	}
	return nil
}

// deflater is a zlib writer that is used again and again: a fresh one costs
// several hundred KiB. It is its own destination.
type deflater struct {
	z     *zlib.Writer
	level int
	out   []byte
	limit int
}

var deflaters [zlib.BestCompression + 1]sync.Pool

var errNoGain = errors.New("frame: compression does not pay")

// Write collects compressed data until it would be no shorter than the original.
func (d *deflater) Write(p []byte) (int, error) {
	if len(d.out)+len(p) >= d.limit {
		return 0, errNoGain
	}
	d.out = append(d.out, p...)
	return len(p), nil
}

// deflate compresses payload, returning nil if that does not make it shorter. The
// result is to be freed after use.
func deflate(payload []byte, level int) *deflater {
	if level < zlib.BestSpeed || level > zlib.BestCompression {
		level = zlib.BestSpeed
	}
	d, _ := deflaters[level].Get().(*deflater)
	if d == nil {
		d = &deflater{level: level}
		d.z, _ = zlib.NewWriterLevel(d, level) // it fails for bad levels only
	}
	d.out, d.limit = d.out[:0], len(payload)
	d.z.Reset(d)
	_, err := d.z.Write(payload)
	if err == nil {
		err = d.z.Close()
	}
	if err != nil {
		d.free()
		return nil
	}
	return d
}

func (d *deflater) free() {
	if cap(d.out) > 16*pooledMax {
		d.out = nil // one big message must not cost memory for ever
	}
	deflaters[d.level].Put(d)
}
