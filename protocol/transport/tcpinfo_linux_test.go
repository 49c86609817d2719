package transport_test

import "golang.org/x/sys/unix"

// tcpSacked reads a field of TCP_INFO, in which Linux tells the length of a listener's queue, or -1.
func tcpSacked(fd int) int {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return -1
	}
	return int(info.Sacked)
}
