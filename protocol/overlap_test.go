package protocol_test

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// acked is a stream that counts how often TCP would have been told to acknowledge at once.
type acked struct {
	io.ReadWriteCloser
	acks atomic.Int32
}

func (s *acked) QuickAck() { s.acks.Add(1) }

// took returns how many acknowledgements there have been since it was last asked, when all goroutines of the bubble
// wait.
func (s *acked) took() int {
	synctest.Wait()
	return int(s.acks.Swap(0))
}

// ackedPeer is scripted over a stream that counts acknowledgements.
func ackedPeer(t *testing.T, root any, cfg protocol.Config) (*protocol.Conn, *peer, *acked) {
	t.Helper()
	if cfg.Dialect == nil {
		cfg.Dialect = wire.FamilyD
	}
	near, far := transport.Pipe()
	s := &acked{ReadWriteCloser: near}
	c, err := protocol.NewConn(context.Background(), s, root, &cfg)
	require.NoError(t, err)
	p := newPeer(t, far, cfg.Dialect)
	t.Cleanup(func() {
		_ = c.CloseNow()
		_ = far.Close()
		<-c.Done()
	})
	return c, p, s
}

// TestAnswersAreAcknowledgedWhileOthersArePending answers calls that overlap. A peer that has not set TCP_NODELAY sends
// an answer when the one before has been acknowledged, and nothing else acknowledges that. With one call after the
// other the next request does.
func TestAnswersAreAcknowledgedWhileOthersArePending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p, s := ackedPeer(t, nil, protocol.Config{})
		ctx := t.Context()
		start := func() *netref.AsyncResult {
			r, err := c.Start(ctx, wire.HandlePing, "x")
			require.NoError(t, err)
			return r
		}
		for range 3 {
			r := start()
			p.reply(p.next().seq, val("x"))
			<-r.Done()
			require.Zero(t, s.took(), "one call after the other")
		}
		var rs []*netref.AsyncResult
		var seqs []any
		for range 4 {
			rs = append(rs, start())
			seqs = append(seqs, p.next().seq)
		}
		s.took()
		for i, r := range rs {
			p.reply(seqs[i], val("x"))
			<-r.Done()
			require.Equal(t, min(1, len(rs)-1-i), s.took(), "answer %d of %d", i+1, len(rs))
		}

		for i := range rs {
			rs[i] = start()
			seqs[i] = p.next().seq
		}
		s.took()
		var both []byte
		for _, seq := range seqs[:2] {
			both = append(both, p.encode(wire.Reply, seq, val("x"))...)
		}
		p.write(both)
		require.Equal(t, 1, s.took(), "answers that come together are acknowledged together")
	})
}

// slowService has a method that runs until it is told to return.
type slowService struct {
	begun chan struct{}
	gate  chan struct{}
	other func(context.Context) error
}

func (*slowService) Quick() int { return 1 }

func (s *slowService) Slow() {
	s.begun <- struct{}{}
	<-s.gate
}

// AskOther waits for an answer on another connection.
func (s *slowService) AskOther(ctx context.Context) error { return s.other(ctx) }

// TestRequestsThatMayOverlapDo sends slow requests after quick ones to connections that may run them at the same time.
// Each has to begin without any time passing, and each has to be acknowledged, or a peer that has not set TCP_NODELAY
// would hold the next one back.
func TestRequestsThatMayOverlapDo(t *testing.T) {
	const n = 4
	for name, cfg := range map[string]protocol.Config{
		"Concurrency":      {Concurrency: n},
		"no limit":         {Concurrency: -1},
		"of bound threads": {Dialect: wire.FamilyD.BindThreads()},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				svc := &slowService{begun: make(chan struct{}, n), gate: make(chan struct{})}
				_, p, s := ackedPeer(t, svc, cfg)
				open := sync.OnceFunc(func() { close(svc.gate) })
				t.Cleanup(open)
				root := p.root()
				for i := range int64(20) {
					p.call(i, root, "quick")
					require.Equal(t, wire.Reply, p.next().kind)
				}
				s.took()
				start := time.Now()
				for i := range int64(n) {
					p.thread = uint64(100 + i)
					p.call(100+i, root, "slow")
					<-svc.begun
					require.Equal(t, 1, s.took(), "request %d", i)
				}
				require.Zero(t, time.Since(start))
				open()
				for range n {
					require.Equal(t, wire.Reply, p.next().kind)
				}
			})
		})
	}
}

// TestARequestIsAcknowledgedWhenItsHandlerWaitsElsewhere has a handler wait for the answer of another peer. It has its
// turn given up, so that the next request of the first peer could run, if it came.
func TestARequestIsAcknowledgedWhenItsHandlerWaitsElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		elsewhere, far := scripted(t, nil, nil)
		svc := &slowService{other: func(ctx context.Context) error {
			_, err := elsewhere.Ping(ctx)
			return err
		}}
		_, p, s := ackedPeer(t, svc, protocol.Config{})
		root := p.root()
		s.took()
		p.call(int64(1), root, "ask_other")
		m := far.next()
		require.Equal(t, 1, s.took())
		p.call(int64(2), root, "quick")
		require.Equal(t, int64(2), p.next().seq)
		far.reply(m.seq, val("abcdefghijklmnopqrstuvwxyz"))
		require.Equal(t, int64(1), p.next().seq)
	})
}
