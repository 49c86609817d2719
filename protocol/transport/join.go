package transport

import (
	"errors"
	"io"
	"net"
	"sync"
)

// Join makes one stream of two that go one way each, such as the ends of two
// pipes (rpyc.core.stream.PipeStream). Closing it closes both, which should
// interrupt a blocked Read: that of an *os.File for a pipe does, if the file was
// opened by package os or os/exec.
func Join(r io.ReadCloser, w io.WriteCloser) io.ReadWriteCloser {
	return &joined{r: r, w: w}
}

type joined struct {
	r    io.ReadCloser
	w    io.WriteCloser
	once sync.Once
	err  error
}

func (j *joined) Read(p []byte) (int, error)  { return j.r.Read(p) }
func (j *joined) Write(p []byte) (int, error) { return j.w.Write(p) }

// Close closes the writing side first: the other end may be waiting for it.
func (j *joined) Close() error {
	j.once.Do(func() { j.err = errors.Join(j.w.Close(), j.r.Close()) })
	return j.err
}

// LocalAddr is no address, but a name for logs.
func (j *joined) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr is no address, but a name for logs.
func (j *joined) RemoteAddr() net.Addr { return pipeAddr{} }

// pipeAddr stands for the address of what has none.
type pipeAddr struct{}

// Network implements net.Addr.
func (pipeAddr) Network() string { return "pipe" }

// String implements net.Addr.
func (pipeAddr) String() string { return "pipe" }
