package protocol

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// havePulse tells that waiting for a beat costs others nothing.
const havePulse = true

// timerFD is a timer of the kernel, which is waited for like a connection.
type timerFD struct{ f *os.File }

// newSource makes a source that beats once in every period.
func newSource(period time.Duration) source {
	const (
		monotonic = 1
		flags     = syscall.O_NONBLOCK | syscall.O_CLOEXEC
	)
	fd, _, e := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic, flags, 0)
	if e != 0 {
		return ticker{time.NewTicker(period)}
	}
	// interval and first
	spec := [2]syscall.Timespec{syscall.NsecToTimespec(int64(period)), syscall.NsecToTimespec(int64(period))}
	_, _, e = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if e != 0 {
		_ = syscall.Close(int(fd))
		return ticker{time.NewTicker(period)}
	}
	return &timerFD{f: os.NewFile(fd, "timerfd")}
}

func (t *timerFD) wait() uint64 {
	var count [8]byte
	if n, err := t.f.Read(count[:]); err != nil || n != len(count) {
		time.Sleep(beat) // cannot be; but nothing is to spin if it is
		return 1
	}
	return binary.NativeEndian.Uint64(count[:])
}

func (t *timerFD) close() { _ = t.f.Close() }
