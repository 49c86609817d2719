//go:build unix

package transport

import (
	"fmt"
	"os"
	"syscall"
)

// takeStdio moves descriptors 0 and 1 away and puts harmless ones in their places.
func takeStdio() (in, out *os.File, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("transport: %w", err)
	}
	defer func() { _ = null.Close() }()
	if in, err = moveAway(0, "stdin"); err != nil {
		return nil, nil, err
	}
	if out, err = moveAway(1, "stdout"); err != nil {
		_ = in.Close()
		return nil, nil, err
	}
	if sameFile(in, 2) || sameFile(out, 2) {
		err = replace(null.Fd(), 2)
	}
	if err == nil {
		err = replace(null.Fd(), 0)
	}
	if err == nil {
		err = replace(2, 1)
	}
	if err != nil {
		_, _ = in.Close(), out.Close()
		return nil, nil, err
	}
	quietStdio()
	return in, out, nil
}

// moveAway returns what a standard descriptor stands for under another number, which children do not inherit.
func moveAway(fd int, name string) (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, err := syscall.Dup(fd)
	if err != nil {
		return nil, fmt.Errorf("transport: %s: %w", name, err)
	}
	syscall.CloseOnExec(n)
	// So that closing interrupts reading. For files that cannot be polled it has no effect.
	_ = syscall.SetNonblock(n, true)
	return os.NewFile(uintptr(n), name), nil
}

// sameFile reports whether two descriptors stand for the same pipe, socket or terminal, other than the null device.
func sameFile(f *os.File, fd int) bool {
	var a, b, null syscall.Stat_t
	if conn, err := f.SyscallConn(); err != nil || conn.Control(func(n uintptr) {
		err = syscall.Fstat(int(n), &a)
	}) != nil || err != nil {
		return false
	}
	if syscall.Fstat(fd, &b) != nil || a.Dev != b.Dev || a.Ino != b.Ino {
		return false
	}
	return syscall.Stat(os.DevNull, &null) != nil || a.Dev != null.Dev || a.Ino != null.Ino
}
