//go:build !unix

package transport

import (
	"errors"
	"net"
	"syscall"
)

func setBacklog(net.Listener, int) error { return errors.ErrUnsupported }

func noReuseAddr(_, _ string, _ syscall.RawConn) error { return nil }
