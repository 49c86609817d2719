package protocol_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// tcpPair makes the two ends of a loopback connection.
func tcpPair(b testing.TB) (client, server net.Conn) {
	l, err := transport.Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer func() { _ = l.Close() }()
	client, err = transport.Dial(b.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(b, err)
	server, err = l.Accept()
	require.NoError(b, err)
	return client, server
}

// BenchmarkRaw is what the network and the scheduler cost: frames of the size of a call, back and forth.
func BenchmarkRaw(b *testing.B) {
	c, s := tcpPair(b)
	defer func() { _ = c.Close() }()
	go func() {
		buf := make([]byte, 82)
		for {
			if _, err := io.ReadFull(s, buf); err != nil {
				_ = s.Close()
				return
			}
			_, _ = s.Write(buf[:17])
		}
	}()
	buf := make([]byte, 82)
	for b.Loop() {
		_, _ = c.Write(buf)
		if _, err := io.ReadFull(c, buf[:17]); err != nil {
			b.Fatal(err)
		}
	}
}

func benchPair(b *testing.B) *protocol.Conn {
	c, s := tcpPair(b)
	_, err := protocol.NewConn(b.Context(), s, &service{}, nil)
	require.NoError(b, err)
	conn, err := protocol.NewConn(b.Context(), c, nil, &protocol.Config{Dialect: wire.FamilyD})
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// BenchmarkCall is a sequential call of a method.
func BenchmarkCall(b *testing.B) {
	root := benchPair(b).Root()
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if n, err := netref.Call[int](ctx, root, "add", 1, 2); n != 3 || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkCall64 is the same by 64 goroutines on one connection.
func BenchmarkCall64(b *testing.B) {
	root := benchPair(b).Root()
	ctx := b.Context()
	_, err := netref.Call[int](ctx, root, "add", 1, 2)
	require.NoError(b, err)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := g; i < b.N; i += 64 {
				if n, err := netref.Call[int](ctx, root, "add", 1, 2); n != 3 || err != nil {
					b.Error(n, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkBatch64 is the same in batches, by one goroutine.
func BenchmarkBatch64(b *testing.B) {
	root := benchPair(b).Root()
	ctx := b.Context()
	var batch netref.Batch
	var sums [64]int
	b.ReportAllocs()
	for i := 0; i < b.N; i += len(sums) {
		for i := range sums {
			batch.Call(&sums[i], root, "add", 1, 2)
		}
		if err := batch.Do(ctx); err != nil || sums[63] != 3 {
			b.Fatal(err, sums)
		}
	}
}

// BenchmarkAsync64 is the same with asynchronous calls of one goroutine.
func BenchmarkAsync64(b *testing.B) {
	root := benchPair(b).Root()
	ctx := b.Context()
	var rs [64]*netref.AsyncResult
	b.ReportAllocs()
	for i := 0; i < b.N; i += len(rs) {
		for i := range rs {
			r, err := root.CallMethodAsync(ctx, "add", 1, 2)
			if err != nil {
				b.Fatal(err)
			}
			rs[i] = r
		}
		for _, r := range rs {
			if n, err := netref.Await[int](ctx, r); n != 3 || err != nil {
				b.Fatal(n, err)
			}
		}
	}
}

// BenchmarkSoftware is a sequential call without a network.
func BenchmarkSoftware(b *testing.B) {
	c, s, err := protocol.Pair(b.Context(), nil, &service{}, nil)
	require.NoError(b, err)
	defer func() {
		_ = c.CloseNow()
		<-s.Done()
	}()
	ctx, root := b.Context(), c.Root()
	b.ReportAllocs()
	for b.Loop() {
		if n, err := netref.Call[int](ctx, root, "add", 1, 2); n != 3 || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkDial connects, asks for the root and closes; both sides are counted.
func BenchmarkDial(b *testing.B) {
	l, err := transport.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = protocol.NewConn(context.Background(), s, &service{}, nil)
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		c, err := protocol.Dial(b.Context(), "tcp", l.Addr().String(), nil)
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
		<-c.Done()
	}
}
