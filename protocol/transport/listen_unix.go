//go:build unix

package transport

import (
	"errors"
	"net"
	"syscall"
)

// setBacklog listens again: that is how the length of the queue is changed.
func setBacklog(l net.Listener, n int) error {
	s, ok := l.(syscall.Conn)
	if !ok {
		return errors.ErrUnsupported
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), n) }); e != nil {
		return e
	}
	return err
}

// noReuseAddr takes back what package net sets.
func noReuseAddr(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
	}); e != nil {
		return e
	}
	return err
}
