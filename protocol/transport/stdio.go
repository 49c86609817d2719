package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
)

// ErrStdioTaken is returned by [Stdio] when it has been called before.
var ErrStdioTaken = errors.New("transport: standard input and output are in use")

var stdio struct {
	sync.Mutex
	taken bool
}

// Stdio takes the process's standard input and output over as a stream
// (PipeStream.from_std). It serves programs that inetd, xinetd, systemd
// (Accept=yes, StandardInput=socket) or socat start for each connection, and those
// that a peer starts as its child. It can be called once.
//
// From then on nothing but what is written to the stream reaches the peer:
// os.Stdin is empty, and os.Stdout is os.Stderr, so that a forgotten print does not
// end the conversation. On Unix that holds for file descriptors 0 and 1, and so
// for child processes and C code as well; and if standard error is the same
// file as the stream, as inetd has it, it goes nowhere from then on.
//
// If standard input is a network connection, the stream is a net.Conn, wrapped as
// [Wrap] says.
func Stdio() (io.ReadWriteCloser, error) {
	stdio.Lock()
	defer stdio.Unlock()
	if stdio.taken {
		return nil, ErrStdioTaken
	}
	in, out, err := takeStdio()
	if err != nil {
		return nil, err
	}
	stdio.taken = true
	if c, err := net.FileConn(in); err == nil {
		_ = in.Close()
		_ = out.Close()
		return Wrap(c), nil
	}
	return Join(in, out), nil
}

// quietStdio replaces Go's own idea of standard input and output.
func quietStdio() {
	if null, err := os.Open(os.DevNull); err == nil {
		os.Stdin = null
	}
	os.Stdout = os.Stderr
}
