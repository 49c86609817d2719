package transport_test

import (
	"syscall"
	"unsafe"
)

// tcpSacked reads a field of TCP_INFO, in which Linux tells the length of a listener's queue.
func tcpSacked(fd int) int {
	const sacked = 8 + 5*4 // behind eight bytes and five numbers
	var info [104]byte
	size := uint32(len(info))
	if _, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0); errno != 0 {
		return -1
	}
	return int(*(*uint32)(unsafe.Pointer(&info[sacked])))
}
