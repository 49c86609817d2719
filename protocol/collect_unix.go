//go:build unix

package protocol

import (
	"syscall"
	"time"
)

// processTime is the processors' time that this process has used; negative if that is not known.
func processTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return -1
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
