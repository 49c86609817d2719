package measure

import (
	"syscall"
	"time"
	"unsafe"
)

// CPUTime is the CPU time a process has used so far, by its clock, which any process may read: that is exact, where
// /proc counts in steps of 10 ms. It is 0 if it cannot be told.
func CPUTime(pid int) time.Duration {
	const perProcess = 2 // CPUCLOCK_SCHED of a whole process, see clock_getcpuclockid(3)
	if pid <= 0 {
		return 0
	}
	var ts syscall.Timespec
	clock := uintptr(int32(^pid<<3 | perProcess))
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}
