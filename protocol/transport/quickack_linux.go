package transport

import "syscall"

// quickAck holds what QuickAck needs, made once: the call is on the way of
// every long frame.
type quickAck struct {
	raw syscall.RawConn
	set func(fd uintptr)
}

func (c *tcpConn) initQuickAck() {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	c.raw = raw
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
