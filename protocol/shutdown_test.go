package protocol_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// asker has a handler that asks the peer, and one that does not.
type asker struct{}

func (asker) Ask(ctx context.Context, f func(context.Context) (int, error)) (int, error) {
	return f(ctx)
}

func (asker) Value() int { return 17 }

// TestShutdown follows the messages: what was accepted is answered, what comes later is refused, and the last message
// is a CLOSE with the number -1.
func TestShutdown(t *testing.T) {
	s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
	c, p := scripted(t, s, &protocol.Config{Concurrency: 2})
	defer p.watchdog()()
	root := p.root()
	p.call(int64(1), root, "wait")
	<-s.ctx
	done := make(chan error, 1)
	go func() { done <- c.Shutdown(t.Context()) }()
	for n := int64(10); ; n++ { // until it has begun
		require.Less(t, n, int64(1000))
		p.call(n, root, "nothing")
		m := p.next()
		require.Equal(t, wire.Exception, m.kind)
		if excClass(m.body) == "builtins.AttributeError" {
			time.Sleep(time.Millisecond)
			continue
		}
		require.Equal(t, "builtins.EOFError", excClass(m.body))
		require.Contains(t, m.body.(brine.Tuple)[2], brine.Tuple{"not_begun", true})
		break
	}
	close(s.gate)
	require.Equal(t, int64(1), p.next().seq)
	m := p.next()
	require.Equal(t, wire.Request, m.kind)
	require.Equal(t, int64(-1), m.seq)
	require.Equal(t, brine.Tuple{int64(wire.HandleClose), val(brine.Tuple{})}, m.body)
	require.NoError(t, p.rw.Close())
	require.NoError(t, <-done)
}

// TestShutdownServesWhatHandlersWaitFor has the peer call back while a handler waits for it.
func TestShutdownServesWhatHandlersWaitFor(t *testing.T) {
	c, p := scripted(t, asker{}, nil)
	defer p.watchdog()()
	root := p.root()
	p.call(int64(1), root, "ask", mine(id("builtins.function", 1, 2)))
	call := p.next()
	done := make(chan error, 1)
	go func() { done <- c.Shutdown(t.Context()) }()
	p.call(int64(2), root, "value")
	require.Equal(t, val(int64(17)), p.next().body)
	p.reply(call.seq, val(int64(5)))
	require.Equal(t, val(int64(5)), p.next().body)
	require.Equal(t, int64(-1), p.next().seq)
	require.NoError(t, p.rw.Close())
	require.NoError(t, <-done)
}

// TestShutdownGivesUp ends the connection when the context does, and when the peer does not hang up.
func TestShutdownGivesUp(t *testing.T) {
	s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
	c, p := scripted(t, s, nil)
	p.call(int64(1), p.root(), "wait")
	<-s.ctx
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Shutdown(short), context.DeadlineExceeded)
	p.expectEOF()
	close(s.gate)
	<-c.Done()

	bubble(t, func(t *testing.T) {
		c, p := scripted(t, nil, nil)
		go func() { _, _ = p.read() }()
		begun := time.Now()
		require.NoError(t, c.Shutdown(t.Context()))
		require.Less(t, time.Since(begun), time.Second)
		require.ErrorIs(t, c.Shutdown(t.Context()), protocol.ErrClosed)
	})
}

// TestRefusedByPeer is about what a caller learns of a peer that shuts down.
func TestRefusedByPeer(t *testing.T) {
	refusal := func(attrs brine.Tuple, trace string) brine.Tuple {
		return brine.Tuple{brine.Tuple{"builtins", "EOFError"}, brine.Tuple{"x"}, attrs, trace}
	}
	const trace = "EOFError: the peer is shutting down, and has not begun this request\n"
	marked := brine.Tuple{brine.Tuple{"not_begun", true}}
	for name, x := range map[string]struct {
		payload brine.Tuple
		safe    bool
	}{
		"refused":            {refusal(marked, trace), true},
		"of a handler":       {refusal(brine.Tuple{}, "Traceback\n"), false},
		"passed on":          {refusal(marked, "Traceback (most recent call last):\n"+trace), false},
		"without attribute":  {refusal(brine.Tuple{}, trace), false},
		"with another class": {brine.Tuple{brine.Tuple{"builtins", "OSError"}, brine.Tuple{}, marked, trace}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := scripted(t, nil, nil)
			r, err := c.Start(t.Context(), wire.HandlePing, "x")
			require.NoError(t, err)
			p.send(wire.Exception, p.next().seq, x.payload)
			_, err = r.Wait(t.Context())
			require.Error(t, err)
			require.Equal(t, x.safe, protocol.SafeToRetry(err))
			if !x.safe {
				var e *vinegar.Error
				require.ErrorAs(t, err, &e)
				return
			}
			require.ErrorIs(t, err, protocol.ErrShutdown)
			require.ErrorIs(t, err, protocol.ErrClosed)
			require.NoError(t, c.Err(), "what its handlers need is still sent")
			e := vinegar.FromError(err) // where a handler of ours passes it on
			require.ErrorIs(t, e, vinegar.EOFError)
			_, marked := e.Attr("not_begun")
			require.False(t, marked)
		})
	}
}

// TestLastClose has calls under way when the peer closes: with the number -1 it says that they were not begun.
func TestLastClose(t *testing.T) {
	for seq, safe := range map[int64]bool{-1: true, 7: false} {
		c, p := scripted(t, nil, nil)
		r, err := c.Start(t.Context(), wire.HandlePing, "x")
		require.NoError(t, err)
		p.next()
		p.request(seq, wire.HandleClose)
		p.expectEOF()
		_, err = r.Wait(t.Context())
		require.ErrorIs(t, err, protocol.ErrClosed)
		require.Equal(t, safe, protocol.SafeToRetry(err), "CLOSE number %d", seq)
	}
}

// TestClientLeavesPeerThatShutsDown has a client go on with another server as soon as its server shuts down, and not
// when the last call there is answered.
func TestClientLeavesPeerThatShutsDown(t *testing.T) {
	old := newSite(t)
	source := make(newsSource)
	ended := make(chan *protocol.Conn, 10)
	client, err := protocol.NewClient(protocol.ClientConfig{
		Source:       source,
		MinBackoff:   time.Millisecond,
		OnDisconnect: func(c *protocol.Conn, _ error) { ended <- c },
	})
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	source <- []string{old.addr}
	first, err := client.Conn(t.Context())
	require.NoError(t, err)
	long, err := first.Root().CallMethodAsync(t.Context(), "hold")
	require.NoError(t, err)
	<-old.held
	next := newSite(t)
	defer next.down()
	source <- []string{old.addr, next.addr}
	done := make(chan struct{})
	go func() { defer close(done); old.gone() }()
	require.Eventually(t, func() bool {
		_, err := netref.Call[string](t.Context(), first.Root(), "where")
		return protocol.SafeToRetry(err)
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, client.Do(t.Context(), func(ctx context.Context, conn *protocol.Conn) error {
		where, err := netref.Call[string](ctx, conn.Root(), "where")
		require.Equal(t, next.addr, where)
		return err
	}))
	require.Empty(t, ended)
	close(old.hold)
	_, err = netref.Await[any](t.Context(), long)
	require.NoError(t, err, "the call that was under way is answered")
	<-done
	require.Same(t, first, <-ended)
}
