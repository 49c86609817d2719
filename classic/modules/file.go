//go:build unix

package modules

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// rawFile is what a file object needs of what it reads and writes. Seek, Truncate and Fd may fail.
type rawFile interface {
	io.ReadWriteCloser
	io.Seeker
	Truncate(size int64) error
	Fd() (int, error)
	Terminal() bool
}

// file is the bytes of an open file with buffers for both directions, of which at most one holds anything. The Python
// classes around it (reader, writer, text …) are in binary.go and text.go. All methods lock.
type file struct {
	mu       sync.Mutex
	raw      rawFile
	r        *bufio.Reader // nil unless readable
	w        *bufio.Writer // nil unless writable
	append   bool
	seekable bool
	closed   bool
}

// bufferSize is io.DEFAULT_BUFFER_SIZE.
const bufferSize = 8192

// maxRead bounds what one read returns.
var maxRead = 256 << 20 // a variable for the tests

func newFile(raw rawFile, readable, writable bool) *file {
	f := &file{raw: raw}
	if readable {
		f.r = bufio.NewReaderSize(raw, bufferSize)
	}
	if writable {
		f.w = bufio.NewWriterSize(raw, bufferSize)
	}
	_, err := raw.Seek(0, io.SeekCurrent)
	f.seekable = err == nil
	return f
}

var errClosed = vinegar.ValueError.New("I/O operation on closed file.")

func unsupported(what string) error { return vinegar.UnsupportedOperation.New(what) }

// use locks the file and checks that it is open.
func (f *file) use() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return errClosed
	}
	return nil
}

// reading gets the file ready to read; it is locked.
func (f *file) reading(what string) error {
	if f.r == nil {
		return unsupported(what)
	}
	if f.w != nil {
		return f.w.Flush()
	}
	return nil
}

// writing gets the file ready to write: what was read ahead is given back.
func (f *file) writing(what string) error {
	if f.w == nil {
		return unsupported(what)
	}
	if f.r != nil && f.r.Buffered() > 0 && f.seekable {
		if _, err := f.raw.Seek(-int64(f.r.Buffered()), io.SeekCurrent); err != nil {
			return err
		}
		f.r.Reset(f.raw)
	}
	return nil
}

// read reads up to n bytes, all that there is if n is negative. A short result means the end.
func (f *file) read(n int) ([]byte, error) {
	if n >= 0 {
		var b bytes.Buffer // not n bytes at once: the peer says n
		_, err := io.CopyN(&b, f.r, min(int64(n), int64(maxRead)+1))
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if b.Len() > maxRead {
			return nil, vinegar.MemoryError.Errorf("more than %d bytes to read at once", maxRead)
		}
		return b.Bytes(), err
	}
	b, err := io.ReadAll(io.LimitReader(f.r, int64(maxRead)+1))
	if err == nil && len(b) > maxRead {
		return nil, vinegar.MemoryError.Errorf("more than %d bytes to read at once", maxRead)
	}
	return b, err
}

// readLine reads up to the end of a line, or limit bytes if limit is not negative.
func (f *file) readLine(limit int) ([]byte, error) {
	var line []byte
	for limit < 0 || len(line) < limit {
		if len(line) > maxRead {
			return nil, vinegar.MemoryError.Errorf("a line of more than %d bytes", maxRead)
		}
		part, err := f.r.ReadSlice('\n')
		if limit >= 0 && len(part) > limit-len(line) {
			over := len(part) - (limit - len(line))
			line = append(line, part[:len(part)-over]...)
			f.putBack(part[len(part)-over:])
			return line, nil
		}
		line = append(line, part...)
		switch {
		case err == nil || errors.Is(err, io.EOF):
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
	return line, nil
}

// putBack makes bytes that were read the next to read.
func (f *file) putBack(b []byte) {
	rest := append(bytes.Clone(b), f.ahead()...)
	under := io.Reader(f.raw)
	f.r.Reset(io.MultiReader(bytes.NewReader(rest), under))
	_, _ = f.r.Peek(min(len(rest), f.r.Size())) // into the buffer, where tell counts it
}

func (f *file) ahead() []byte {
	b, _ := f.r.Peek(f.r.Buffered())
	return b
}

// tell is the position in bytes.
func (f *file) tell() (int64, error) {
	if !f.seekable {
		return 0, unsupported("underlying stream is not seekable")
	}
	at, err := f.raw.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	if f.w != nil {
		if f.append && f.w.Buffered() > 0 {
			if at, err = f.raw.Seek(0, io.SeekEnd); err != nil {
				return 0, err
			}
		}
		at += int64(f.w.Buffered())
	}
	if f.r != nil {
		at -= int64(f.r.Buffered())
	}
	return at, nil
}

func (f *file) seek(offset int64, whence int) (int64, error) {
	if whence < 0 || whence > 2 {
		return 0, vinegar.ValueError.Errorf("invalid whence (%d, should be 0, 1 or 2)", whence)
	}
	if !f.seekable {
		return 0, unsupported("underlying stream is not seekable")
	}
	if whence == io.SeekStart && offset < 0 {
		return 0, vinegar.ValueError.Errorf("negative seek position %d", offset)
	}
	if f.w != nil {
		if err := f.w.Flush(); err != nil {
			return 0, err
		}
	}
	if f.r != nil {
		if whence == io.SeekCurrent {
			offset -= int64(f.r.Buffered())
		}
		defer f.r.Reset(f.raw)
	}
	return f.raw.Seek(offset, whence)
}

func (f *file) flush() error {
	if f.w == nil {
		return nil
	}
	return f.w.Flush()
}

func (f *file) truncate(size *int64) (int64, error) {
	if f.w == nil {
		return 0, unsupported("truncate")
	}
	at, err := f.tell()
	if err != nil {
		return 0, err
	}
	if err := f.flush(); err != nil {
		return 0, err
	}
	if size != nil {
		at = *size
	}
	return at, f.raw.Truncate(at)
}

// close writes out and closes. It may be called again.
func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	err := f.flush()
	if e := f.raw.Close(); err == nil {
		err = e
	}
	return err
}

// osFile is a file of the operating system.
type osFile struct{ *os.File }

// Fd is the file's descriptor. Unlike os.File.Fd it leaves the mode of the file alone.
func (f osFile) Fd() (int, error) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	err = c.Control(func(fd uintptr) { n = int(fd) })
	return n, err
}

// Terminal reports whether it is a terminal.
func (f osFile) Terminal() bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// memory is a file in memory.
type memory struct {
	b  []byte
	at int64
}

// Read implements io.Reader.
func (m *memory) Read(p []byte) (int, error) {
	if m.at >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(p, m.b[m.at:])
	m.at += int64(n)
	return n, nil
}

// Write implements io.Writer.
func (m *memory) Write(p []byte) (int, error) {
	if m.at+int64(len(p)) > int64(maxRead) {
		return 0, vinegar.MemoryError.Errorf("more than %d bytes in memory", maxRead)
	}
	if grow := m.at + int64(len(p)) - int64(len(m.b)); grow > 0 {
		m.b = append(m.b, make([]byte, grow)...)
	}
	n := copy(m.b[m.at:], p)
	m.at += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (m *memory) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += m.at
	case io.SeekEnd:
		offset += int64(len(m.b))
	}
	m.at = max(offset, 0)
	return m.at, nil
}

// Truncate changes the length.
func (m *memory) Truncate(size int64) error {
	if size < int64(len(m.b)) {
		m.b = m.b[:size]
	}
	return nil
}

// Close implements io.Closer.
func (m *memory) Close() error { return nil }

// Fd is the descriptor.
func (m *memory) Fd() (int, error) { return 0, unsupported("fileno") }

// Terminal reports whether it is a terminal.
func (m *memory) Terminal() bool { return false }

// pipe is one direction of a stream that cannot seek: a standard stream, or a pipe of a child.
type pipe struct {
	io.Reader
	io.Writer
	io.Closer
	fd int // negative if unknown
}

// Seek implements io.Seeker.
func (p pipe) Seek(int64, int) (int64, error) {
	return 0, unsupported("underlying stream is not seekable")
}

// Truncate changes the length.
func (p pipe) Truncate(int64) error { return unsupported("truncate") }

// Terminal reports whether it is a terminal.
func (p pipe) Terminal() bool { return false }

// Fd is the descriptor.
func (p pipe) Fd() (int, error) {
	if p.fd < 0 {
		return 0, unsupported("fileno")
	}
	return p.fd, nil
}

type nothing struct{}

// Read implements io.Reader.
func (nothing) Read([]byte) (int, error) { return 0, io.EOF }

// Write implements io.Writer.
func (nothing) Write(b []byte) (int, error) { return len(b), nil }

// Close implements io.Closer.
func (nothing) Close() error { return nil }
