package wire_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestThreads reads and writes what CPython's RPyC 6.0.2 and 5.3.1 send with bind_threads: struct.pack("!QQ", thread,
// 0) and a request for the root.
func TestThreads(t *testing.T) {
	threads := []byte("\x00\x00\x7f\x3c\x4a\x9b\x17\x40\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, x := range []struct {
		plain *wire.Dialect
		root  string
	}{
		{wire.FamilyD, "\x01\x11\x50\x11\x53\x11\x51\x02"},
		{wire.FamilyC, "\x12\x51\x50\x11\x53\x11\x51\x02"},
	} {
		payload := append(bytes.Clone(threads), x.root...)
		d, err := wire.Detect(payload)
		require.NoError(t, err)
		require.Same(t, x.plain.BindThreads(), d)
		require.Same(t, d, d.BindThreads())
		require.True(t, d.BindsThreads())
		require.False(t, x.plain.BindsThreads())
		require.Equal(t, x.plain.String()+"+threads", d.String())

		kind, seq, body, err := d.ReadHeader(payload)
		require.NoError(t, err)
		require.Equal(t, wire.Request, kind)
		require.Equal(t, wire.Num(0), seq)
		h, odd, err := d.ReadHandler(&body)
		require.NoError(t, err)
		require.Nil(t, odd)
		require.Equal(t, wire.HandleGetRoot, h)
		require.Equal(t, wire.Threads{Sender: 0x7f3c4a9b1740}, d.ReadThreads(payload))
		require.Zero(t, x.plain.ReadThreads([]byte(x.root)))

		require.Equal(t, payload[:20], d.AppendRequest(d.AppendThreads(nil, wire.Threads{Sender: 0x7f3c4a9b1740}), 0,
			wire.HandleGetRoot)[:20])
		require.Empty(t, x.plain.AppendThreads(nil, wire.Threads{Sender: 1}))
		require.Equal(t, append(make([]byte, 7), 1, 0, 0, 0, 0, 0, 0, 1, 2),
			d.AppendThreads(nil, wire.Threads{Sender: 1, Recipient: 0x102}))

		var p wire.Dumper
		require.Equal(t, "1>- REQUEST 0 GETROOT ()", p.Dump(d, payload))
		for n := range payload {
			_, _, _, err = d.ReadHeader(payload[:n])
			require.Error(t, err)
			_, err = wire.Detect(payload[:min(n, len(threads))])
			require.Error(t, err)
		}
	}
	for _, d := range []*wire.Dialect{wire.FamilyA, wire.FamilyA2, wire.FamilyB, wire.FamilyB2} {
		require.Nil(t, d.BindThreads())
	}
	_, err := wire.Detect(append(make([]byte, 32), 1))
	require.Error(t, err)
}
