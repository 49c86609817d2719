package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

var bothFamilies = []*wire.Dialect{wire.FamilyC, wire.FamilyD}

// closing closes the connection in the background.
func closing(c *protocol.Conn) chan error {
	done := make(chan error, 1)
	go func() { done <- c.Close() }()
	return done
}

// TestClose closes the connection while the peer answers in every way that a peer of any release does.
func TestClose(t *testing.T) {
	for _, d := range bothFamilies {
		for _, answer := range []struct {
			name string
			does func(p *peer)
			took time.Duration
		}{
			{"hangs up", func(p *peer) { _ = p.rw.Close() }, 0},
			{"replies", func(p *peer) { p.reply(int64(0), val(nil)) }, 0},
			{"raises", func(p *peer) { p.raise(int64(0), "TypeError", "no") }, 0},
			{"says CLOSE too", func(p *peer) { p.request(int64(0), wire.HandleClose) }, 0},
			{"answers other things first", func(p *peer) {
				p.request(int64(5), wire.HandlePing, val("x"))
				require.Equal(p.t, int64(5), p.next().seq)
				_ = p.rw.Close()
			}, 0},
			{"is silent", func(p *peer) {}, 2 * time.Second},
		} {
			t.Run(fmt.Sprint(d, " ", answer.name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c, p := scripted(t, nil, &protocol.Config{Dialect: d})
					start := time.Now()
					done := closing(c)
					p.expect("REQUEST 0 CLOSE ()")
					answer.does(p)
					require.NoError(t, <-done)
					require.Equal(t, answer.took, time.Since(start))
					<-c.Done()
					require.ErrorIs(t, c.Err(), protocol.ErrClosed)
					require.NoError(t, c.Close())
					require.NoError(t, c.CloseNow())
				})
			})
		}
	}
}

// TestCloseTimeout is the silent peer with another timeout.
func TestCloseTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, nil, &protocol.Config{CloseTimeout: time.Minute})
		start := time.Now()
		done := closing(c)
		p.expect("REQUEST 0 CLOSE ()")
		require.NoError(t, <-done)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

// TestCloseBeforeTheFirstMessage closes a connection that does not know yet what its peer speaks: it just hangs up.
func TestCloseBeforeTheFirstMessage(t *testing.T) {
	near, far := transport.Pipe()
	c, err := protocol.NewConn(context.Background(), near, nil, nil)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	newPeer(t, far, wire.FamilyD).expectEOF()
	<-c.Done()
	require.Nil(t, c.Dialect())
	require.ErrorIs(t, c.Request(t.Context(), nil, wire.HandleGetRoot), protocol.ErrClosed)
}

// TestPeerCloses checks that CLOSE is answered by hanging up, after the answers to what came before it.
func TestPeerCloses(t *testing.T) {
	for _, d := range bothFamilies {
		c, p := scripted(t, newDemo(), &protocol.Config{Dialect: d})
		root := p.root()
		p.call(int64(1), root, "add", val(1), val(2))
		p.call(int64(2), root, "add", val(3), val(4))
		p.request(int64(3), wire.HandlePing, val("x"))
		p.request(int64(4), wire.HandleClose)
		got := map[string]bool{}
		for range 3 {
			got[p.next().text] = true
		}
		require.Equal(t, map[string]bool{"REPLY 1 3": true, "REPLY 2 7": true, `REPLY 3 "x"`: true}, got)
		p.expectEOF()
		<-c.Done()
		require.Zero(t, c.Exported())
	}
}

// TestPeerClosesWhileAHandlerRuns checks that the peer is not made to wait for a handler that takes its time, nor the
// handler interrupted.
func TestPeerClosesWhileAHandlerRuns(t *testing.T) {
	for _, d := range bothFamilies {
		bubble(t, func(t *testing.T) {
			s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
			c, p := scripted(t, s, &protocol.Config{Dialect: d})
			p.call(int64(1), p.root(), "wait")
			start := time.Now()
			p.request(int64(2), wire.HandleClose)
			p.expectEOF()
			took := time.Since(start) // the reader may have been running the handler until the watch looked
			require.GreaterOrEqual(t, took, 2*time.Second)
			require.LessOrEqual(t, took, 2100*time.Millisecond)
			ctx := <-s.ctx
			<-ctx.Done() // the peer may see the end of the stream first
			require.ErrorIs(t, context.Cause(ctx), protocol.ErrClosed)
			select {
			case <-c.Done():
				t.Error("it has ended before its handlers")
			default:
			}
			close(s.gate)
			<-c.Done()
		})
	}
}

// gated has a method that runs until the gate opens.
type gated struct {
	gate chan struct{}
	ctx  chan context.Context
}

func (g *gated) Wait(ctx context.Context) string { g.ctx <- ctx; <-g.gate; return "through" }

func (g *gated) Value() int { return 17 }

// TestCloseAgainstCalls closes while goroutines call. Every call ends, with its result or an error that matches
// ErrClosed; and one that is said to be safe to repeat has never been seen by the peer.
func TestCloseAgainstCalls(t *testing.T) {
	for round := range 40 {
		c, p := scripted(t, nil, nil)
		stop := p.watchdog()
		const callers = 16
		safe := make(chan int64, callers)
		var wg sync.WaitGroup
		for g := range callers {
			wg.Go(func() {
				for token := int64(g); ; token += callers {
					var echo int64
					err := c.Request(t.Context(), &echo, wire.HandlePing, token)
					if err == nil && echo == token {
						continue
					}
					var closed *protocol.ClosedError
					if !errors.As(err, &closed) || !errors.Is(err, protocol.ErrClosed) {
						t.Errorf("%d: %v", token, err)
					} else if protocol.SafeToRetry(err) {
						safe <- token
					}
					return
				}
			})
		}
		seen := map[int64]bool{}
		var done chan error
		for {
			m, err := p.read()
			if err != nil {
				break
			}
			args, _ := m.body.(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)
			if len(args) == 0 { // CLOSE
				_ = p.rw.Close()
				break
			}
			token := args[0].(int64)
			seen[token] = true
			p.reply(m.seq, val(token))
			if len(seen) == 50+round {
				done = closing(c)
			}
		}
		require.NoError(t, <-done)
		wg.Wait()
		close(safe)
		for token := range safe {
			require.False(t, seen[token], "%d was carried out", token)
		}
		stop()
	}
}

// TestEndOfStream ends the stream at every point of a message.
func TestEndOfStream(t *testing.T) {
	for _, d := range bothFamilies {
		whole := (&peer{t: t, d: d}).encode(wire.Reply, int64(0), val("hello"))
		for n := range len(whole) {
			c, p := scripted(t, nil, &protocol.Config{Dialect: d})
			r, err := c.Start(t.Context(), wire.HandleGetRoot)
			require.NoError(t, err)
			p.next()
			p.write(whole[:n])
			_ = p.rw.Close()
			<-c.Done()
			if n == len(whole)-1 { // only the newline is missing, which nobody needs
				v, err := r.Wait(t.Context())
				require.NoError(t, err)
				require.Equal(t, "hello", v)
				continue
			}
			want := io.ErrUnexpectedEOF
			if n == 0 {
				want = io.EOF
			}
			_, err = r.Wait(t.Context())
			require.ErrorIs(t, err, protocol.ErrClosed)
			require.ErrorIs(t, err, want, "%d bytes", n)
			require.ErrorIs(t, c.Err(), want)
			require.False(t, protocol.SafeToRetry(err), "it had been sent")
			err = c.Request(t.Context(), nil, wire.HandleGetRoot)
			require.True(t, protocol.SafeToRetry(err))
		}
	}
}

// TestEndOfContext ends the context that the connection was made with.
func TestEndOfContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("shutting down")
		near, far := transport.Pipe()
		s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
		c, err := protocol.NewConn(ctx, near, s, &protocol.Config{Dialect: wire.FamilyD})
		require.NoError(t, err)
		p := newPeer(t, far, wire.FamilyD)
		p.call(int64(1), p.root(), "wait")
		h := <-s.ctx
		cancel(why)
		<-h.Done()
		require.ErrorIs(t, context.Cause(h), why)
		p.expectEOF()
		close(s.gate)
		<-c.Done()
		require.ErrorIs(t, c.Err(), why)
	})
}

// TestRefusedConnection is about a root that does not want the connection.
func TestRefusedConnection(t *testing.T) {
	near, far := transport.Pipe()
	c, err := protocol.NewConn(context.Background(), near, &refuser{}, nil)
	require.ErrorIs(t, err, errRefused)
	require.Nil(t, c)
	newPeer(t, far, wire.FamilyD).expectEOF()
}

var errRefused = errors.New("not you")

type refuser struct{}

func (*refuser) OnConnect(*protocol.Conn) error { return errRefused }

func (*refuser) OnDisconnect(*protocol.Conn) { panic("it was never connected") }
