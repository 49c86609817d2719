//go:build unix

package modules

import "syscall"

func statTimes(st *syscall.Stat_t) (a, m, c syscall.Timespec) { return st.Atim, st.Mtim, st.Ctim }

func mknod(path string, mode uint32, device uint64) error {
	return syscall.Mknod(path, mode, int(device)) //nolint:gosec // the kernel's own encoding
}
