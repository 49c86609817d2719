//go:build unix

package servers

import "syscall"

// forkable tells whether processes can be given sockets here.
const forkable = true

// keepFromChildren has descriptors not passed on to programs this one starts.
func keepFromChildren(fds ...int) {
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
}
