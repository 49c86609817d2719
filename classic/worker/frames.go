package worker

import (
	"encoding/binary"
	"io"
)

const headerSize = 5 // the length of a frame's body, and a flag; behind the body is one byte more

// frameWriter passes frames on so that no write has parts of two. On TLS a write is a record, and RPyC asks the socket whether there is
// something to read: it would leave a second frame of the same record where it is, and wait for it.
type frameWriter struct {
	w    io.Writer
	held []byte // a header that nothing has come behind yet
	left int64  // bytes until the end of the frame, 0 before its header is complete
}

// Write implements io.Writer.
func (f *frameWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if f.left == 0 {
			k := min(headerSize-len(f.held), len(p))
			f.held, p = append(f.held, p[:k]...), p[k:]
			if len(f.held) == headerSize {
				f.left = int64(binary.BigEndian.Uint32(f.held)) + 1
			}
			continue
		}
		k := int(min(f.left, int64(len(p))))
		out := append(f.held, p[:k]...)
		if _, err := f.w.Write(out); err != nil {
			return n - len(p), err
		}
		f.held, p, f.left = out[:0], p[k:], f.left-int64(k)
	}
	return n, nil
}

// acknowledged reads from a stream that it has acknowledge at once what comes, where that can be had (transport.QuickAcker): a client on
// CPython writes a large frame in pieces and waits for the acknowledgement, 40 ms each.
type acknowledged struct{ io.Reader }

func (a acknowledged) Read(p []byte) (int, error) {
	if q, ok := a.Reader.(interface{ QuickAck() }); ok {
		q.QuickAck()
	}
	return a.Reader.Read(p)
}
