package transport

import (
	"os"
	"sync"
	"syscall"
)

// extras holds what QuickAck and TryWrite need, made once: the calls are on the way
// of every long frame and of many answers.
type extras struct {
	raw syscall.RawConn
	set func(fd uintptr)
	try func(fd uintptr) bool

	mu     sync.Mutex // guards the arguments and results of try
	data   []byte
	taken  int
	failed error
}

func (c *tcpConn) init() {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	c.raw = raw
	c.try = c.writeOnce
	c.set = func(fd uintptr) {
		// A failure costs time and nothing else.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	}
}

// QuickAck asks the kernel to acknowledge at once. The kernel returns to its
// usual ways soon, so it is to be called before every read that matters.
func (c *tcpConn) QuickAck() {
	if c.raw != nil {
		_ = c.raw.Control(c.set)
	}
}

// TryWrite implements TryWriter.
func (c *tcpConn) TryWrite(p []byte) (n int, err error) {
	if c.raw == nil || len(p) == 0 {
		return 0, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data, c.taken, c.failed = p, 0, nil
	err = c.raw.Write(c.try)
	c.data = nil
	if err == nil {
		err = c.failed
	}
	return c.taken, err
}

// writeOnce gives the kernel data. It reports true, which means not to wait for room.
func (c *tcpConn) writeOnce(fd uintptr) bool {
	n, err := syscall.Write(int(fd), c.data)
	switch err {
	case nil:
		c.taken = n
	case syscall.EAGAIN, syscall.EINTR:
	default:
		c.failed = os.NewSyscallError("write", err)
	}
	return true
}
