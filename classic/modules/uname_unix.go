//go:build unix

package modules

import "golang.org/x/sys/unix"

// uname is the system's name, the host's, release, version and machine.
func uname() ([5]string, error) {
	var u unix.Utsname
	err := unix.Uname(&u)
	text := unix.ByteSliceToString
	return [5]string{text(u.Sysname[:]), text(u.Nodename[:]), text(u.Release[:]), text(u.Version[:]), text(u.Machine[:])},
		err
}

// isTerminal asks for the terminal's size, which only terminals have.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	return err == nil
}
