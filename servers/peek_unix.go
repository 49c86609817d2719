//go:build unix

package servers

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// peek looks at what a client has sent first, without taking it, and returns how much of it there is. It waits for the
// first bytes as long as it is told.
func peek(conn net.Conn, b []byte, patience time.Duration) (n int) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil || conn.SetReadDeadline(time.Now().Add(patience)) != nil {
		return 0
	}
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	_ = raw.Read(func(fd uintptr) bool {
		for {
			n, _, err = syscall.Recvfrom(int(fd), b, syscall.MSG_PEEK)
			if !errors.Is(err, syscall.EINTR) {
				return !errors.Is(err, syscall.EAGAIN)
			}
		}
	})
	return max(n, 0)
}
