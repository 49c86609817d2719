package protocol_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// slowWriter is a stream on which a write takes a while, and is counted.
type slowWriter struct {
	io.ReadWriteCloser
	writes atomic.Int32
}

func (s *slowWriter) Write(b []byte) (int, error) {
	s.writes.Add(1)
	time.Sleep(time.Millisecond)
	return s.ReadWriteCloser.Write(b)
}

// countedPair connects a client to s, and counts the writes of both.
func countedPair(t *testing.T, s any) (c *protocol.Conn, client, server *slowWriter) {
	near, far := transport.Pipe()
	w, v := &slowWriter{ReadWriteCloser: near}, &slowWriter{ReadWriteCloser: far}
	b, err := protocol.NewConn(context.Background(), v, s, nil)
	require.NoError(t, err)
	a, err := protocol.NewConn(context.Background(), w, nil, &protocol.Config{Dialect: wire.FamilyD})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = a.Close()
		<-a.Done()
		<-b.Done()
	})
	_, err = netref.Call[int](t.Context(), a.Root(), "add", 0, 0)
	require.NoError(t, err)
	w.writes.Store(0)
	v.writes.Store(0)
	return a, w, v
}

// TestBatchIsOneWrite makes many calls by one goroutine, of which each would have a write of its own.
func TestBatchIsOneWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, w, server := countedPair(t, &service{})
		var b netref.Batch
		for range 2 { // it can be used again
			sums := make([]int, 64)
			for i := range sums {
				b.Call(&sums[i], c.Root(), "add", i, 1)
			}
			require.Equal(t, 64, b.Len())
			require.NoError(t, b.Do(t.Context()))
			require.Zero(t, b.Len())
			for i, n := range sums {
				require.Equal(t, i+1, n)
			}
			require.EqualValues(t, 1, w.writes.Swap(0))
			require.LessOrEqual(t, server.writes.Swap(0), int32(4), "one for each read, whose buffer grows")
		}
		require.NoError(t, b.Do(t.Context()), "an empty one")
	})
}

// records is a stream that makes a record of each write, as TLS does.
type records struct{ slowWriter }

func (*records) OneFramePerWrite() bool { return true }

// TestManyCallsOverRecords has a write for each request: a peer that polls the socket would not see a second one in the
// same record.
func TestManyCallsOverRecords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		near, far := transport.Pipe()
		w := &records{slowWriter{ReadWriteCloser: near}}
		s, err := protocol.NewConn(context.Background(), far, &service{}, nil)
		require.NoError(t, err)
		c, err := protocol.NewConn(context.Background(), w, nil, &protocol.Config{Dialect: wire.FamilyD})
		require.NoError(t, err)
		root := c.Root()
		_, err = netref.Call[int](t.Context(), root, "add", 0, 0)
		require.NoError(t, err)
		w.writes.Store(0)
		var b netref.Batch
		var sums [8]int
		var rs [8]*netref.AsyncResult
		for i := range sums {
			b.Call(&sums[i], root, "add", i, 1)
		}
		require.NoError(t, b.Do(t.Context()))
		for i := range rs {
			rs[i], err = root.CallMethodAsync(t.Context(), "add", i, 1)
			require.NoError(t, err)
		}
		for i, r := range rs {
			n, err := netref.Await[int](t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, n, sums[i])
		}
		require.EqualValues(t, 16, w.writes.Load())
		_ = c.Close()
		<-c.Done()
		<-s.Done()
	})
}

// TestAsyncCallsAreGathered starts many calls from one goroutine: while the first ones are being written, which takes
// time, the others come together.
func TestAsyncCallsAreGathered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, w, _ := countedPair(t, &service{})
		rs := make([]*netref.AsyncResult, 64)
		for i := range rs {
			r, err := c.Root().CallMethodAsync(t.Context(), "add", i, 1)
			require.NoError(t, err)
			rs[i] = r
		}
		for i, r := range rs {
			n, err := netref.Await[int](t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, i+1, n)
		}
		require.LessOrEqual(t, w.writes.Load(), int32(3), "the first, what came before a goroutine took it, the rest")
		_, err := c.Root().CallMethodAsync(t.Context(), "add", 1, 1)
		require.NoError(t, err)
		_, err = c.Root().CallMethodAsync(t.Context(), "add", 1, 1)
		require.NoError(t, err)
		w.writes.Store(0)
		synctest.Wait()
		time.Sleep(10 * time.Millisecond)
		require.EqualValues(t, 1, w.writes.Load(), "what nobody waits for is sent all the same")
	})
}

// TestManyCallsAllocate counts the allocations, of both sides, of a call among many.
func TestManyCallsAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c := pair(t, &service{}, nil)
	ctx, root := t.Context(), c.Root()
	const many = 100
	var sums [many]int
	one := testing.AllocsPerRun(100, func() { sums[0], _ = netref.Call[int](ctx, root, "add", 1, 2) })
	var b netref.Batch
	batch := testing.AllocsPerRun(20, func() {
		for i := range sums {
			b.Call(&sums[i], root, "add", 1, 2)
		}
		require.NoError(t, b.Do(ctx))
	})
	var rs [many]*netref.AsyncResult
	async := testing.AllocsPerRun(20, func() {
		for i := range rs {
			rs[i], _ = root.CallMethodAsync(ctx, "add", 1, 2)
		}
		for i, r := range rs {
			sums[i], _ = netref.Await[int](ctx, r)
		}
	})
	require.Equal(t, 3, sums[many-1])
	require.LessOrEqual(t, batch/many, one-1, "the result has its place, and nothing else is of the call's own")
	require.LessOrEqual(t, async/many, one+2.5, "what stands for the call, and its result")
}

// TestBatchAnswers has a peer answer in another order than it was asked, with values, exceptions and nothing.
func TestBatchAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, nil, nil)
		released := netref.New(c.Root().Peer(), wire.Ref{Name: "a.b", Class: 1, Object: 2})
		var n, late int
		var text string
		var list, wrong any
		var b netref.Batch
		root := c.Root()
		b.Call(&n, root, "f", 1, netref.Kw("k", 2))
		b.Get(&text, root, "name")
		b.Call(&n, root, "g", released)
		b.Call(nil, root, "h")
		b.Get(&n, root, "text")
		b.CallFunc(&list, root)
		b.Set(root, "name", "new")
		b.Call(wrong, root, "i")
		b.Call(7, root, "j")
		b.Call(&late, root, "late")
		released.Release()

		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- b.Do(ctx) }()
		m := p.next()
		p.reply(m.seq, mine(id("x.Root", 1, 1)))
		root1 := yours(id("x.Root", 1, 1))
		var seqs []any
		for _, want := range []brine.Tuple{
			{int64(wire.HandleCallAttr), tup(root1, val("f"), val(brine.Tuple{int64(1)}),
				val(brine.Tuple{brine.Tuple{"k", int64(2)}}))},
			{int64(wire.HandleGetAttr), tup(root1, val("name"))},
			{int64(wire.HandleCallAttr), tup(root1, val("h"), val(brine.Tuple{}), val(brine.Tuple{}))},
			{int64(wire.HandleGetAttr), tup(root1, val("text"))},
			{int64(wire.HandleCall), tup(root1, val(brine.Tuple{}), val(brine.Tuple{}))},
			{int64(wire.HandleSetAttr), tup(root1, val("name"), val("new"))},
			{int64(wire.HandleCallAttr), tup(root1, val("i"), val(brine.Tuple{}), val(brine.Tuple{}))},
			{int64(wire.HandleCallAttr), tup(root1, val("j"), val(brine.Tuple{}), val(brine.Tuple{}))},
			{int64(wire.HandleCallAttr), tup(root1, val("late"), val(brine.Tuple{}), val(brine.Tuple{}))},
		} {
			for m = p.next(); m.body.(brine.Tuple)[0] == int64(wire.HandleDel); m = p.next() {
			}
			require.Equal(t, want, m.body)
			seqs = append(seqs, m.seq)
		}
		p.reply(seqs[7], val(int64(1)))
		p.reply(seqs[6], val(int64(1)))
		p.reply(seqs[5], val(nil))
		p.reply(seqs[4], mine(id("builtins.list", 9, 9)))
		p.reply(seqs[3], val("text"))
		p.raise(seqs[2], "ZeroDivisionError", "by zero")
		p.reply(seqs[1], val("name"))
		p.reply(seqs[0], val(int64(5)))
		synctest.Wait()
		require.Empty(t, done)
		gone := errors.New("gone")
		cancel(gone)
		err := <-done
		p.reply(seqs[8], val(int64(1))) // nobody waits for it any more

		var e *netref.BatchError
		require.ErrorAs(t, err, &e)
		require.Len(t, e.Errs, 10)
		for i, err := range e.Errs {
			switch i {
			case 2:
				require.ErrorIs(t, err, netref.ErrReleased)
			case 3:
				require.ErrorIs(t, err, vinegar.ZeroDivisionError)
			case 4:
				require.ErrorContains(t, err, "text: ")
			case 8:
				require.ErrorContains(t, err, "pointer")
			case 9:
				require.ErrorIs(t, err, gone)
			default:
				require.NoError(t, err)
			}
		}
		require.ErrorIs(t, err, vinegar.ZeroDivisionError)
		require.ErrorIs(t, err, gone)
		require.ErrorContains(t, err, "5 of 10 calls failed, the first of them call 2: ")
		require.Equal(t, 5, n)
		require.Equal(t, "name", text)
		require.Equal(t, "builtins.list", list.(*netref.Object).ClassName())
		require.Zero(t, late)
		p.alive()

		b.Call(nil, root, "f")
		require.ErrorIs(t, b.Do(ctx), gone, "ended before")
		b.Call(nil, root, "f")
		b.Call(nil, root, "f")
		go func() { done <- b.Do(t.Context()) }()
		p.next()
		_ = p.rw.Close()
		require.ErrorAs(t, <-done, &e)
		for _, err := range e.Errs {
			var closed *protocol.ClosedError
			require.ErrorAs(t, err, &closed)
			require.True(t, closed.Sent)
		}
	})
}

// TestBatchTimeout has a peer that does not answer.
func TestBatchTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, _, _ := countedPair(t, &service{})
		hold := make(chan struct{})
		defer close(hold)
		var b netref.Batch
		b.Call(nil, c.Root(), "hold", func() { <-hold })
		var n int
		b.Call(&n, c.Root(), "add", 1, 2)
		err := b.Do(t.Context())
		var late *protocol.TimeoutError
		require.ErrorAs(t, err, &late)
	})
}

// TestLargeBatchIsSentInParts counts how many requests a peer that answers nothing gets.
func TestLargeBatchIsSentInParts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, nil, nil)
		results := make([]int, 1500)
		var b netref.Batch
		o := netref.New(c.Root().Peer(), wire.Ref{Name: "a.b", Class: 1, Object: 2})
		for i := range results {
			b.CallFunc(&results[i], o, i)
		}
		done := make(chan error, 1)
		go func() { done <- b.Do(t.Context()) }()
		var mu sync.Mutex
		var seqs []any
		go func() {
			for m, err := p.read(); err == nil; m, err = p.read() {
				mu.Lock()
				seqs = append(seqs, m.seq)
				mu.Unlock()
			}
		}()
		answered := 0
		for _, asked := range []int{1024, 1500, 1500} { // one part more when one is answered
			synctest.Wait()
			mu.Lock()
			require.Len(t, seqs, asked)
			mu.Unlock()
			for range min(512, asked-answered) {
				p.reply(seqs[answered], val(int64(7)))
				answered++
			}
		}
		require.NoError(t, <-done)
		for _, n := range results {
			require.Equal(t, 7, n)
		}
	})
}

// batching is a service whose handler makes calls by a batch, each of which calls back.
type batching struct{}

func (batching) Add(a, b int) int { return a + b }

func (batching) Many(ctx context.Context, f *netref.Object, depth int) (int, error) {
	if depth == 0 {
		return 1, nil
	}
	var b netref.Batch
	counts := make([]int, 3)
	for i := range counts {
		b.CallFunc(&counts[i], f, depth-1)
	}
	err := b.Do(ctx)
	return counts[0] + counts[1] + counts[2], err
}

// TestBatchInHandlers nests batches: while a handler waits for one, the peer's requests have to be served.
func TestBatchInHandlers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := pair(t, batching{}, nil)
		var back func(ctx context.Context, depth int) (int, error)
		back = func(ctx context.Context, depth int) (int, error) {
			return netref.Call[int](ctx, c.Root(), "many", back, depth)
		}
		n, err := netref.Call[int](t.Context(), c.Root(), "many", back, 3)
		require.NoError(t, err)
		require.Equal(t, 27, n)
	})
}

// TestBatchToFamilyE calls methods of a peer for which a call takes two requests.
func TestBatchToFamilyE(t *testing.T) {
	bubble(t, func(t *testing.T) {
		near, far := transport.Pipe()
		s, err := protocol.NewConn(context.Background(), far, batching{}, &protocol.Config{Dialect: wire.FamilyE})
		require.NoError(t, err)
		c, err := protocol.NewConn(context.Background(), near, nil, &protocol.Config{Dialect: wire.FamilyE})
		require.NoError(t, err)
		var b netref.Batch
		var one, other int
		b.Call(&one, c.Root(), "add", 1, 2)
		b.Call(&other, c.Root(), "add", 3, 4)
		b.Call(nil, c.Root(), "none")
		err = b.Do(t.Context())
		require.ErrorIs(t, err, vinegar.AttributeError)
		require.ErrorContains(t, err, "1 of 3 calls failed")
		require.Equal(t, []int{3, 7}, []int{one, other})
		_ = c.Close()
		<-c.Done()
		<-s.Done()
	})
}

// TestBatchOfSeveralPeers has objects of two connections.
func TestBatchOfSeveralPeers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := pair(t, &service{}, nil), pair(t, &service{}, nil)
		var calls netref.Batch
		sums := make([]int, 3)
		for i, o := range []*netref.Object{a.Root(), b.Root(), a.Root()} {
			calls.Call(&sums[i], o, "add", i, i)
		}
		require.NoError(t, calls.Do(t.Context()))
		require.Equal(t, []int{0, 2, 4}, sums)
	})
}

// TestBatchHooks are told of each call.
func TestBatchHooks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &watcher{name: "a", come: make(chan struct{}, 100)}
		cfg := &protocol.Config{Hooks: protocol.Hooks{Call: []protocol.CallHook{w}}}
		a, b, err := protocol.Pair(context.Background(), nil, &service{}, cfg)
		require.NoError(t, err)
		var calls netref.Batch
		calls.Call(nil, a.Root(), "add", 1, 2)
		calls.Call(nil, a.Root(), "div", 1, 0)
		require.ErrorIs(t, calls.Do(t.Context()), vinegar.ZeroDivisionError)
		w.mu.Lock()
		var ended []string
		for _, r := range w.info {
			if r.Op == wire.HandleCallAttr {
				ended = append(ended, r.Method+r.ErrorClass())
			}
		}
		w.mu.Unlock()
		require.Equal(t, []string{"add", "divZeroDivisionError"}, ended)
		_ = a.Close()
		<-a.Done()
		<-b.Done()
	})
}

// TestBatchesEnd makes batches from several goroutines whose contexts end at any moment.
func TestBatchesEnd(t *testing.T) {
	c, s := tcpPair(t)
	server, err := protocol.NewConn(context.Background(), s, &service{}, nil)
	require.NoError(t, err)
	conn, err := protocol.NewConn(context.Background(), c, nil, &protocol.Config{Dialect: wire.FamilyD})
	require.NoError(t, err)
	done := make(chan error, 4)
	for range cap(done) {
		go func() {
			var b netref.Batch
			for range 10 {
				ctx, cancel := context.WithTimeout(context.Background(), rand.N(time.Millisecond))
				sums := make([]int, rand.N(700))
				for i := range sums {
					b.Call(&sums[i], conn.Root(), "add", i, 1)
				}
				err := b.Do(ctx)
				cancel()
				var e *netref.BatchError
				if err != nil && !errors.As(err, &e) {
					done <- err
					return
				}
				for i, n := range sums {
					if (err == nil || e.Errs[i] == nil) && n != i+1 {
						done <- errors.New("wrong result")
						return
					}
				}
			}
			done <- nil
		}()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	n, err := netref.Call[int](t.Context(), conn.Root(), "add", 1, 2)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	_ = conn.Close()
	<-conn.Done()
	<-server.Done()
}
