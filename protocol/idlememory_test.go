package protocol_test

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestMemoryOfIdleConnections counts what the ends of connections take that have been used. Their goroutines get along
// with stacks of 4 KiB, as long as handlers do, and wait with so little on them that the collector takes away half of
// larger ones.
func TestMemoryOfIdleConnections(t *testing.T) {
	if raceEnabled {
		t.Skip("there is more on the stacks")
	}
	ctx := context.Background()
	used := func() (heap, stacks int64) {
		for range 2 {
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc), int64(m.StackInuse)
	}
	var conns []*protocol.Conn
	open := func(n int) {
		for range n {
			near, far := tcpPair(t)
			server, err := protocol.NewConn(ctx, far, &service{}, nil)
			require.NoError(t, err)
			client, err := protocol.NewConn(ctx, near, nil, &protocol.Config{Dialect: wire.FamilyD})
			require.NoError(t, err)
			_, err = netref.Call[int](ctx, client.Root(), "add", 1, 2)
			require.NoError(t, err)
			conns = append(conns, client, server)
		}
	}
	open(1)
	heap, stacks := used()
	const n = 100
	percent := debug.SetGCPercent(-1)
	open(n)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.SetGCPercent(percent)
	if runtime.GOARCH == "amd64" { // elsewhere, frames have other sizes
		require.Less(t, (int64(m.StackInuse)-stacks)/(2*n), int64(5500), "bytes of stacks that no collection has seen")
	}
	require.Eventually(t, func() bool {
		heapAfter, stacksAfter := used()
		heapEach, stackEach := (heapAfter-heap)/(2*n), (stacksAfter-stacks)/(2*n)
		t.Logf("an end takes %d bytes of the heap and %d of stacks", heapEach, stackEach)
		return heapEach < 6400 && stackEach < 6<<10
	}, time.Minute, 50*time.Millisecond)
	for _, c := range conns {
		require.NoError(t, c.CloseNow())
		<-c.Done()
	}
}
