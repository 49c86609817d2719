package protocol_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestTooManyRequestsUnderWay has a peer call functions that ask back, and never answer: when as many handlers wait as
// may, further calls fail, until one of them gets its answer.
func TestTooManyRequestsUnderWay(t *testing.T) {
	c, p := scripted(t, &caller{}, &protocol.Config{Limits: protocol.Limits{Running: 3}})
	root := p.root()
	var asked []any
	for i := range 3 {
		p.call(int64(i), root, "ask", mine(callbackID), val("a"))
		asked = append(asked, p.next().seq)
	}
	p.call(int64(3), root, "ask", mine(callbackID), val("a"))
	m := p.next()
	require.Equal(t, wire.Exception, m.kind)
	require.Equal(t, int64(3), m.seq)
	require.Equal(t, brine.Tuple{"builtins", "RecursionError"}, m.body.(brine.Tuple)[0])
	p.reply(asked[0], val("b"))
	require.Equal(t, int64(0), p.next().seq)
	p.call(int64(4), root, "ask", mine(callbackID), val("a"))
	require.Equal(t, wire.Request, p.next().kind)
	require.NoError(t, c.CloseNow())
	<-c.Done()
}

// TestTooManyBytesQueued floods a connection that has to read on, because a handler waits for the peer, with few large
// requests.
func TestTooManyBytesQueued(t *testing.T) {
	const limit = 80 << 20
	c, p := scripted(t, &caller{}, &protocol.Config{Limits: protocol.Limits{QueuedBytes: limit}})
	defer p.watchdog()()
	root := p.root()
	p.call(int64(0), root, "ask", mine(callbackID), val("a")) // gives up its turn, to the next
	p.next()
	s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
	o := receiveArg(t, c, p, s)
	p.call(int64(1), o, "wait")
	<-s.ctx
	one := p.encode(wire.Request, int64(2), brine.Tuple{int64(wire.HandleCall),
		tup(yours(root), val(brine.Tuple{make([]byte, 1<<20)}))})
	for range 2 * limit >> 20 {
		if _, err := p.rw.Write(one); err != nil {
			break
		}
	}
	for ended := false; !ended; {
		_, err := p.read()
		ended = err != nil
	}
	close(s.gate)
	<-c.Done()
	var le *protocol.LimitError
	require.ErrorAs(t, c.Err(), &le)
	require.Equal(t, int64(limit), le.Limit)
	require.Less(t, le.Got, int64(limit+2<<20))
}

// TestDeadlineWhileThePeerDoesNotRead checks that a context ends a call that cannot even be sent, and that the
// connection stands: once the peer reads, everything arrives whole.
func TestDeadlineWhileThePeerDoesNotRead(t *testing.T) {
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	stream, err := transport.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	var other net.Conn
	other, err = l.Accept()
	require.NoError(t, err)
	c, err := protocol.NewConn(t.Context(), stream, nil, &protocol.Config{Dialect: wire.FamilyD})
	require.NoError(t, err)
	defer c.CloseNow()

	blob := make([]byte, 3<<20)
	calls := 0
	for full := false; !full; calls++ {
		require.Less(t, calls, 20)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := c.Request(ctx, nil, wire.HandlePing, blob)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, c.Err())
		_, err = c.Start(ctx, wire.HandlePing, blob) // ctx has ended: it is not even tried
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
		full = calls == 12 // 36 MiB are more than any socket buffer, and what may be queued, hold
	}

	peer, err := protocol.NewConn(t.Context(), other, nil, &protocol.Config{Dialect: wire.FamilyD})
	require.NoError(t, err)
	defer peer.CloseNow()
	var back []byte
	require.NoError(t, c.Request(t.Context(), &back, wire.HandlePing, blob))
	require.Len(t, back, len(blob))
	require.NoError(t, c.Close())
}

// TestAnswersNobodyReads has a handler's answer get stuck: the connection ends after the time a request may take.
func TestAnswersNobodyReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, &bulky{}, nil)
		root := p.root()
		start := time.Now()
		for i := range 40 { // MiB, far more than the stream holds
			p.call(int64(i), root, "mebibyte")
		}
		<-c.Done()
		var timeout *protocol.TimeoutError
		require.ErrorAs(t, c.Err(), &timeout)
		require.GreaterOrEqual(t, time.Since(start), 30*time.Second)
		require.LessOrEqual(t, time.Since(start), 61*time.Second)
	})
}
