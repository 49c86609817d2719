package transport_test

import (
	"io"
	"net"
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

func TestTryWriteTakesWhatThereIsRoomForAndDoesNotWait(t *testing.T) {
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	accepted := accept(t, l)
	c, err := transport.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	defer c.Close()
	server := <-accepted
	defer server.Close()

	w := c.(transport.TryWriter)
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * 7)
	}
	var sent int
	for { // the peer does not read: some day nothing is taken
		n, err := w.TryWrite(data)
		require.NoError(t, err)
		if sent += n; n == 0 {
			break
		}
		data = append(data[n:], data[:n]...)
	}
	require.NotZero(t, sent)
	got := make([]byte, sent)
	_, err = io.ReadFull(server, got)
	require.NoError(t, err)
	for i := range got {
		if got[i] != byte(i%(1<<20)*7) {
			t.Fatalf("byte %d is wrong", i)
		}
	}
	require.Zero(t, testing.AllocsPerRun(10, func() { _, _ = w.TryWrite(data[:10]) }))

	require.NoError(t, c.Close())
	_, err = w.TryWrite(data)
	require.ErrorIs(t, err, net.ErrClosed)
}
