package protocol_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// TestFrameTooLarge checks that a length is refused before it is believed.
func TestFrameTooLarge(t *testing.T) {
	for _, limit := range []int64{0, 1000} {
		c, p := scripted(t, nil, &protocol.Config{Limits: protocol.Limits{Frame: limit}})
		claimed := uint32(1001)
		if limit == 0 {
			claimed = 64<<20 + 64<<10 + 1 // the documented default
		}
		p.alive()
		p.write(append(binary.BigEndian.AppendUint32(nil, claimed), 0))
		p.expectEOF()
		<-c.Done()
		var le *protocol.LimitError
		require.ErrorAs(t, c.Err(), &le)
		require.Equal(t, int64(claimed), le.Got)
		require.Equal(t, int64(claimed)-1, le.Limit)
	}
}

// TestInflatedTooLarge sends a small frame that would be a large one.
func TestInflatedTooLarge(t *testing.T) {
	c, p := scripted(t, nil, &protocol.Config{Limits: protocol.Limits{Inflated: 1 << 16}})
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, zlib.BestSpeed)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 8<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	f := append(binary.BigEndian.AppendUint32(nil, uint32(z.Len())), 1)
	p.write(append(append(f, z.Bytes()...), '\n'))
	p.expectEOF()
	<-c.Done()
	var le *protocol.LimitError
	require.ErrorAs(t, c.Err(), &le)
	require.Equal(t, int64(1<<16), le.Limit)
}

// maker makes objects without end.
type maker struct{ n atomic.Int64 }

func (m *maker) New() *demoPoint { m.n.Add(1); return &demoPoint{} }

func (m *maker) Many(n int) brine.Tuple {
	t := make(brine.Tuple, n)
	for i := range t {
		t[i] = &demoPoint{}
	}
	return t
}

// TestTooManyExports checks that a peer that keeps too many objects gets an exception instead of one more, and can go
// on when it has given some up. A result that fits in part only is not handed out at all.
func TestTooManyExports(t *testing.T) {
	c, p := scripted(t, &maker{}, &protocol.Config{Limits: protocol.Limits{Exports: 10}})
	root := p.root()
	p.call(int64(1), root, "many", val(7))
	held := p.next()
	require.Len(t, held.refs, 7)
	require.Equal(t, 8, c.Exported())
	p.call(int64(2), root, "many", val(3))
	require.Equal(t, wire.Exception, p.next().kind)
	require.Equal(t, 8, c.Exported())
	p.call(int64(3), root, "many", val(2))
	require.Equal(t, wire.Reply, p.next().kind)
	p.call(int64(4), root, "new")
	require.Equal(t, wire.Exception, p.next().kind)
	first := held.body.(brine.Tuple)[1].(brine.Tuple)[0].(brine.Tuple)[1]
	p.request(int64(5), wire.HandleDel, yours(first), val(1))
	p.expect("REPLY 5 None")
	p.call(int64(6), root, "new")
	require.Equal(t, wire.Reply, p.next().kind)
	require.Equal(t, 10, c.Exported())

	// Our own calls are bound as well, by an error of their own.
	_, err := c.Start(t.Context(), wire.HandlePing, &demoPoint{})
	var le *protocol.LimitError
	require.True(t, errors.As(err, &le), "%v", err)
	require.Equal(t, int64(10), le.Limit)
	p.alive()
}

// TestTooManyRequestsQueued floods a connection that has to read on, because a handler waits for the peer.
func TestTooManyRequestsQueued(t *testing.T) {
	c, p := scripted(t, &caller{}, &protocol.Config{Limits: protocol.Limits{Queued: 5000}, Concurrency: 1})
	defer p.watchdog()()
	root := p.root()
	p.call(int64(0), root, "ask", mine(callbackID), val("a")) // gives up its turn, to the next
	p.next()
	s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
	o := receiveArg(t, c, p, s)
	p.call(int64(1), o, "wait")
	<-s.ctx
	one := p.encode(wire.Request, int64(2), brine.Tuple{int64(wire.HandleStr), tup(yours(root))})
	for range 10_000 {
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
	require.Equal(t, int64(5000), le.Limit)
	require.Equal(t, int64(5001), le.Got)
}

// receiveArg hands an object of the connection's side to the peer and returns its id pack.
func receiveArg(t *testing.T, c *protocol.Conn, p *peer, v any) any {
	t.Helper()
	r, err := c.Start(t.Context(), wire.HandlePing, v)
	require.NoError(t, err)
	m := p.next()
	p.reply(m.seq, val(nil))
	_, err = r.Wait(t.Context())
	require.NoError(t, err)
	return m.body.(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)[0].(brine.Tuple)[1]
}

// TestReadingStopsWhileAHandlerRuns sends more requests than are worth queueing while a handler that waits for nobody
// has the turn: the rest stays in the stream, and comes when the handler has returned.
func TestReadingStopsWhileAHandlerRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
		_, p := scripted(t, s, &protocol.Config{Limits: protocol.Limits{Queued: 2000}})
		root := p.root()
		p.call(int64(0), root, "wait")
		const n = 20_000 // far above the limit, which is never reached
		for i := range n {
			p.call(int64(i+1), root, "value")
		}
		synctest.Wait()
		close(s.gate)
		p.expect(`REPLY 0 "through"`)
		for i := range n {
			m := p.next()
			require.Equal(t, int64(i+1), m.seq)
			require.Equal(t, val(int64(17)), m.body)
		}
	})
}

// TestFloodOfCalls sends calls to a peer that does not read. What is kept in memory is bounded, callers wait; the
// connection goes on reading meanwhile; and once the peer reads, everything arrives in order.
func TestFloodOfCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, newDemo(), nil)
		const callers, each, size = 8, 60, 64 << 10 // 30 MiB in all
		blob := strings.Repeat("x", size)
		var sent atomic.Int64
		var results [callers][]*netref.AsyncResult
		finished := make(chan int, callers)
		for g := range callers {
			go func() {
				for i := range each {
					r, err := c.Start(context.Background(), wire.HandlePing, brine.Tuple{int64(g), int64(i), blob})
					if err != nil {
						t.Error(err)
						break
					}
					results[g] = append(results[g], r)
					sent.Add(size)
				}
				finished <- g
			}()
		}
		synctest.Wait()
		require.Less(t, sent.Load(), int64(16<<20+2*(4<<20+callers*size)),
			"what the pipe holds, what is being written and what is queued")
		require.Greater(t, sent.Load(), int64(16<<20))

		// The peer does not read, but it writes, and is heard.
		for i := range 3 {
			p.request(int64(i), wire.HandleGetRoot)
		}
		synctest.Wait()
		require.Equal(t, 1, c.Exported())

		last := [callers]int64{}
		roots := 0
		for n := 0; n < callers*each || roots < 3; {
			m := p.next()
			if m.kind != wire.Request {
				roots++
				continue
			}
			n++
			arg := m.body.(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)[0].(brine.Tuple)
			g := arg[0].(int64)
			require.Equal(t, last[g], arg[1], "requests of one caller stay in order")
			last[g]++
			p.reply(m.seq, val(arg[1]))
		}
		for range callers {
			g := <-finished
			for i, r := range results[g] {
				v, err := r.Wait(context.Background())
				require.NoError(t, err)
				require.Equal(t, int64(i), v)
			}
		}
	})
}

// TestFloodOfResults calls for more than fits into memory before it reads the first result. The handlers wait.
func TestFloodOfResults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &bulky{}
		_, p := scripted(t, s, nil)
		root := p.root()
		const n = 50
		for i := range n {
			p.call(int64(i), root, "mebibyte")
		}
		synctest.Wait()
		require.Less(t, s.made.Load(), int64(16+2*4+4), "what the pipe holds, what is being written and what is queued")
		for i := range n {
			m := p.next()
			require.Equal(t, int64(i), m.seq)
			require.Len(t, m.body.(brine.Tuple)[1], 1<<20)
		}
	})
}

type bulky struct{ made atomic.Int64 }

func (b *bulky) Mebibyte() []byte {
	b.made.Add(1)
	return make([]byte, 1<<20)
}

// TestPeerDoesNotRead has a peer send what is answered without a handler and never read the answers: where a handler
// would wait, the connection ends.
func TestPeerDoesNotRead(t *testing.T) {
	c, p := scripted(t, nil, &protocol.Config{Limits: protocol.Limits{Unread: 2 << 20}})
	blob := make([]byte, 1<<20)
	for i := 0; c.Err() == nil; i++ {
		require.Less(t, i, 1000)
		if _, err := p.rw.Write(p.encode(wire.Request, int64(i), brine.Tuple{int64(wire.HandlePing),
			tup(val(blob))})); err != nil {
			break
		}
	}
	<-c.Done()
	var le *protocol.LimitError
	require.ErrorAs(t, c.Err(), &le)
	require.Equal(t, int64(2<<20), le.Limit)
}
