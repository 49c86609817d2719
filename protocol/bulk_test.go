package protocol_test

import (
	"bytes"
	"context"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestBulkIsAllocatedOnceForEachReceiver sends a byte string there and back. Each side has to make one of what it gets;
// what is sent is put together in memory that is used again.
func TestBulkIsAllocatedOnceForEachReceiver(t *testing.T) {
	if raceEnabled {
		t.Skip("pools drop at random")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // collecting empties pools
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))  // pools keep something for each processor
	ctx := context.Background()
	for _, n := range []int{64 << 10, 1 << 20, 8 << 20} {
		near, far := tcpPair(t)
		server, err := protocol.NewConn(ctx, far, &service{}, nil)
		require.NoError(t, err)
		client, err := protocol.NewConn(ctx, near, nil, &protocol.Config{Dialect: wire.FamilyD})
		require.NoError(t, err)
		data := bytes.Repeat([]byte("0123456789abcdef"), n/16)
		echo := func() {
			back, err := netref.Call[[]byte](ctx, client.Root(), "echo", data)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, back))
		}
		for range 3 {
			echo()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const rounds = 4
		for range rounds {
			echo()
		}
		runtime.ReadMemStats(&after)
		require.Less(t, (after.TotalAlloc-before.TotalAlloc)/rounds, uint64(2*n+n/2+64<<10), "echo of %d bytes", n)
		for _, c := range []*protocol.Conn{client, server} {
			require.NoError(t, c.CloseNow())
			<-c.Done()
		}
	}
}
