package transport_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

func TestQuickAckReachesTheKernel(t *testing.T) {
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	accepted := accept(t, l)
	c, err := transport.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	defer c.Close()
	server := <-accepted
	defer server.Close()

	raw, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	option := func(option int) (v int) {
		require.NoError(t, raw.Control(func(fd uintptr) {
			v, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option)
		}))
		require.NoError(t, err)
		return v
	}
	require.Equal(t, 1, option(syscall.TCP_NODELAY))
	require.NoError(t, raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 0)
	}))
	require.NoError(t, err)
	require.Equal(t, 0, option(syscall.TCP_QUICKACK))
	c.(transport.QuickAcker).QuickAck()
	require.Equal(t, 1, option(syscall.TCP_QUICKACK))

	require.Zero(t, testing.AllocsPerRun(100, c.(transport.QuickAcker).QuickAck))
}
