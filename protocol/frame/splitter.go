package frame

import (
	"encoding/binary"
	"io"
)

// Splitter is an io.Writer that passes frames on to another one so that no Write of that has parts of two frames,
// however they come. On TLS a Write is a record, and RPyC asks the socket whether there is something to read: it would
// leave a second frame of the same record where it is, and wait for it.
type Splitter struct {
	w      io.Writer
	header []byte // of a frame nothing of whose body has come
	left   int64  // bytes until the end of the frame; 0 while its header is not complete
}

// NewSplitter returns a Splitter that writes to w.
func NewSplitter(w io.Writer) *Splitter { return &Splitter{w: w} }

// Write implements io.Writer.
func (s *Splitter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if s.left == 0 {
			k := min(headerSize-len(s.header), len(p))
			s.header, p = append(s.header, p[:k]...), p[k:]
			if len(s.header) == headerSize {
				s.left = int64(binary.BigEndian.Uint32(s.header)) + int64(len(trailer))
			}
			continue
		}
		k := int(min(s.left, int64(len(p))))
		out := append(s.header, p[:k]...)
		if _, err := s.w.Write(out); err != nil {
			return n - len(p), err
		}
		s.header, p, s.left = out[:0], p[k:], s.left-int64(k)
	}
	return n, nil
}
