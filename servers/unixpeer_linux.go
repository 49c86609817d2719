package servers

import (
	"net"
	"syscall"
)

// unixPeer asks the kernel which process is at the other end of a Unix socket.
func unixPeer(conn net.Conn) (pid int32, uid, gid uint32, err error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, 0, 0, errNoPeer
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, 0, 0, err
	}
	var cred *syscall.Ucred
	if e := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); e != nil {
		return 0, 0, 0, e
	}
	if err != nil {
		return 0, 0, 0, err
	}
	return cred.Pid, cred.Uid, cred.Gid, nil
}
