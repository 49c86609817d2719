// Package transport opens the byte streams that RPyC connections run over. It is
// the counterpart of rpyc.core.stream and knows nothing of the protocol: every
// function returns a net.Conn or an io.ReadWriteCloser.
//
// # What a connection asks of its stream
//
// Any io.ReadWriteCloser whose Close interrupts a blocked Read and Write
// will do: a *tls.Conn, an SSH channel, a pair of pipes. Two abilities are
// optional, and found by type assertion:
//
//   - [QuickAcker], which every TCP connection of this package has.
//   - [RecordWriter], for streams that turn every Write into a record of their own.
//
// # Why TCP connections are wrapped
//
// CPython never sets TCP_NODELAY and hands a frame of more than 64,000 bytes
// to the kernel in three pieces. The last piece then stays in its kernel until
// ours acknowledges the earlier ones, which ours puts off for 40 ms in the hope of
// something to send along. Asking for an immediate acknowledgement while in the
// midst of a frame cures uploads from CPython; TCP_NODELAY, which Go sets,
// and writing frames in one go cure downloads.
package transport

import (
	"crypto/tls"
	"io"
	"net"
)

// QuickAcker is implemented by streams that can be told to acknowledge at once
// what has arrived. The reader of a connection calls it before a Read that waits
// for the rest of a frame. It must be cheap and must not block.
type QuickAcker interface {
	QuickAck()
}

// TryWriter is implemented by streams that can be asked to take what they have room for
// and not to wait. The reader of a connection, which must not wait for the peer to read,
// answers with it instead of leaving the writing to another goroutine. n is how much
// was taken, which may be nothing; an error is one of the stream.
type TryWriter interface {
	TryWrite(p []byte) (n int, err error)
}

// RecordWriter is implemented by streams on which it matters to the peer how
// bytes are divided among calls of Write. If OneFramePerWrite returns true, a
// connection writes every frame with a Write of its own instead of gathering
// several. RPyC below TLS wants that: it waits for the socket, not for the
// TLS layer, and so overlooks a second frame that came in the same record.
// *tls.Conn, which does not implement it, is treated as if it returned true.
// A stream that wraps one has to implement it.
type RecordWriter interface {
	OneFramePerWrite() bool
}

// Wrap returns c with what an RPyC connection profits from: a *net.TCPConn gets
// TCP_NODELAY and the method QuickAck, a *tls.Conn over a connection that was
// wrapped gets QuickAck, too; everything else is returned as it is. The result
// has all methods of *net.TCPConn or *tls.Conn, CloseWrite among them, and
// NetConn to get at what it runs over.
func Wrap(c net.Conn) net.Conn {
	switch c := c.(type) {
	case *net.TCPConn:
		// It fails for connections that are broken already, which the first Read
		// tells better.
		_ = c.SetNoDelay(true)
		w := &tcpConn{TCPConn: c}
		w.init()
		return w
	case *tls.Conn:
		if q, ok := c.NetConn().(QuickAcker); ok {
			return &tlsConn{Conn: c, inner: q}
		}
	}
	return c
}

// tcpConn is a TCP connection that can acknowledge at once and write without waiting.
type tcpConn struct {
	*net.TCPConn
	extras
}

var (
	_ QuickAcker                      = (*tcpConn)(nil)
	_ interface{ NetConn() net.Conn } = (*tcpConn)(nil)
	_ interface{ CloseWrite() error } = (*tcpConn)(nil)
	_ interface{ io.ReaderFrom }      = (*tcpConn)(nil)
)

// NetConn returns the connection that was wrapped.
func (c *tcpConn) NetConn() net.Conn { return c.TCPConn }
