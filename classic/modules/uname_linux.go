package modules

import (
	"syscall"
	"unsafe"
)

// uname is the system's name, the host's, release, version and machine.
func uname() ([5]string, error) {
	var u syscall.Utsname
	err := syscall.Uname(&u)
	return [5]string{charsOf(u.Sysname), charsOf(u.Nodename), charsOf(u.Release), charsOf(u.Version), charsOf(u.Machine)}, err
}

func charsOf[T int8 | uint8](f [65]T) string {
	var b []byte
	for _, c := range f {
		if c == 0 {
			break
		}
		b = append(b, byte(c))
	}
	return string(b)
}

// isTerminal asks for the terminal's size, which only terminals have.
func isTerminal(fd int) bool {
	var size [4]uint16
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return errno == 0
}
