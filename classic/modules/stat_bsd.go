//go:build darwin || netbsd || freebsd

package modules

import "syscall"

func statTimes(st *syscall.Stat_t) (a, m, c syscall.Timespec) {
	return st.Atimespec, st.Mtimespec, st.Ctimespec
}

// mknod makes no devices: their numbers are of different types on these systems.
func mknod(path string, mode uint32, device uint64) error {
	if device != 0 {
		return syscall.ENOSYS
	}
	return syscall.Mknod(path, mode, 0)
}
