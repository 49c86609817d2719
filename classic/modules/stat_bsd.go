//go:build darwin || netbsd || freebsd

package modules

import "syscall"

func statTimes(st *syscall.Stat_t) (a, m, c syscall.Timespec) {
	return st.Atimespec, st.Mtimespec, st.Ctimespec
}
