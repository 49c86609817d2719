package protocol_test

import (
	"context"
	"errors"
	"fmt"
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

// host is a service with an OnConnect.
type host struct {
	connect func(c *protocol.Conn) error
	called  atomic.Int32
	ended   chan error // what a call in OnDisconnect returns
}

func newHost(connect func(c *protocol.Conn) error) *host {
	return &host{connect: connect, ended: make(chan error, 1)}
}

func (h *host) OnConnect(c *protocol.Conn) error { return h.connect(c) }

func (h *host) OnDisconnect(c *protocol.Conn) {
	_, err := c.Root().CallMethod(context.Background(), "bye")
	h.ended <- err
}

func (h *host) Quick() int32 { return h.called.Add(1) }

// met is what NewConn returns.
type met struct {
	conn *protocol.Conn
	err  error
}

// meet begins to make a connection to a peer played by the test.
func meet(t *testing.T, root any, cfg protocol.Config) (*peer, <-chan met) {
	near, far := transport.Pipe()
	d := cfg.Dialect
	if d == nil {
		d = wire.FamilyD
	}
	p, done := newPeer(t, far, d), make(chan met, 1)
	go func() {
		c, err := protocol.NewConn(context.Background(), near, root, &cfg)
		done <- met{c, err}
	}()
	t.Cleanup(func() { _ = far.Close() })
	return p, done
}

var peersRoot = id("m.Peer", 1, 2)

// askName calls a method of the peer's root, with a context that says nothing of OnConnect.
func askName(c *protocol.Conn) error {
	name, err := netref.Call[string](context.Background(), c.Root(), "name")
	if err == nil && name != "anna" {
		err = fmt.Errorf("name %q", name)
	}
	return err
}

// TestOnConnectGoesFirst asks for various things while OnConnect runs. None is answered before it waits for the peer;
// then all are, in order, and so is what is asked later.
func TestOnConnectGoesFirst(t *testing.T) {
	for _, cfg := range []protocol.Config{
		{Dialect: wire.FamilyD}, {}, {Dialect: wire.FamilyC}, {Dialect: wire.FamilyD, Concurrency: -1},
		{Dialect: wire.FamilyD.BindThreads()}, {Dialect: wire.FamilyD, Workers: protocol.NewWorkers(1, 0, true)},
	} {
		bubble(t, func(t *testing.T) {
			gate := make(chan struct{})
			h := newHost(func(c *protocol.Conn) error { <-gate; return askName(c) })
			p, done := meet(t, h, cfg)
			p.request("root", wire.HandleGetRoot)
			p.request("ping", wire.HandlePing, val("?"))
			first := make(chan message)
			go func() { first <- p.next() }()
			synctest.Wait()
			select {
			case m := <-first:
				t.Fatalf("%s, while OnConnect runs", m.text)
			default:
			}
			close(gate)
			getRoot := <-first
			require.Equal(t, wire.Request, getRoot.kind, getRoot.text)
			answers := map[any]any{}
			for range 2 {
				m := p.next()
				answers[m.seq] = m.body
			}
			require.Equal(t, val("?"), answers["ping"])
			p.call("quick", answers["root"].(brine.Tuple)[1], "quick")
			require.Equal(t, val(int64(1)), p.next().body)
			p.reply(getRoot.seq, mine(peersRoot))
			p.reply(p.next().seq, val("anna"))
			r := <-done
			require.NoError(t, r.err)
			p.call("again", answers["root"].(brine.Tuple)[1], "quick")
			require.Equal(t, val(int64(2)), p.next().body)
			require.NoError(t, r.conn.CloseNow())
			require.ErrorIs(t, <-h.ended, protocol.ErrClosed, "OnDisconnect calls a peer that has gone")
			<-r.conn.Done()
		})
	}
}

// TestOnConnectFails has OnConnect end in all ways that are not well. The connection is refused, and OnDisconnect is
// not called.
func TestOnConnectFails(t *testing.T) {
	refusal := errors.New("not this one")
	answered := func(p *peer) { p.reply(p.next().seq, mine(peersRoot)); p.reply(p.next().seq, val("berta")) }
	for _, row := range []struct {
		name    string
		connect func(*protocol.Conn) error
		peer    func(*peer)
		check   func(*testing.T, error)
	}{
		{"error", func(*protocol.Conn) error { return refusal }, func(*peer) {},
			func(t *testing.T, err error) { require.ErrorIs(t, err, refusal) }},
		{"error after a call", askName, answered,
			func(t *testing.T, err error) { require.EqualError(t, err, `name "berta"`) }},
		{"panic", func(*protocol.Conn) error { panic("at once") }, func(*peer) {},
			func(t *testing.T, err error) { require.ErrorContains(t, err, "at once") }},
		{"exception", askName, func(p *peer) { p.raise(p.next().seq, "ValueError", "bad") },
			func(t *testing.T, err error) { require.ErrorIs(t, err, vinegar.ValueError) }},
		{"peer hangs up", askName, func(p *peer) { p.next(); _ = p.rw.Close() },
			func(t *testing.T, err error) { require.ErrorIs(t, err, protocol.ErrClosed) }},
		{"peer never answers", askName, func(p *peer) { p.next() },
			func(t *testing.T, err error) { require.ErrorIs(t, err, context.DeadlineExceeded) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newHost(row.connect)
				p, done := meet(t, h, protocol.Config{Dialect: wire.FamilyD})
				row.peer(p)
				r := <-done
				require.Nil(t, r.conn)
				row.check(t, r.err)
				_, err := p.read()
				require.Error(t, err, "the stream has not ended")
				synctest.Wait()
				require.Empty(t, h.ended)
			})
		})
	}
}

// TestOnConnectOfADroppedConnection has the peer hang up while OnConnect runs, which does not notice. OnDisconnect is
// called after it, and not before.
func TestOnConnectOfADroppedConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		gate := make(chan struct{})
		h := newHost(func(*protocol.Conn) error { <-gate; return nil })
		p, done := meet(t, h, protocol.Config{Dialect: wire.FamilyD})
		_ = p.rw.Close()
		synctest.Wait()
		require.Empty(t, h.ended)
		close(gate)
		r := <-done
		require.NoError(t, r.err)
		require.ErrorIs(t, <-h.ended, protocol.ErrClosed)
		require.ErrorIs(t, r.conn.Err(), protocol.ErrClosed)
	})
}

// TestSilentPeerIsAsked calls a peer that says nothing until it is called. It is taken for one of RPyC 6; if it is not,
// the error says so.
func TestSilentPeerIsAsked(t *testing.T) {
	for _, d := range []*wire.Dialect{wire.FamilyD, wire.FamilyC} {
		bubble(t, func(t *testing.T) {
			p, done := meet(t, newHost(askName), protocol.Config{})
			p.expect("REQUEST 0 GETROOT ()")
			p.d = d
			p.reply(int64(0), mine(peersRoot))
			if d == wire.FamilyC {
				var wrong *protocol.WrongDialectError
				require.ErrorAs(t, (<-done).err, &wrong)
				return
			}
			p.reply(p.next().seq, val("anna"))
			require.NoError(t, (<-done).err)
		})
	}
}

// TestBothSidesCallInOnConnect has the peers of a pair call each other while both connect.
func TestBothSidesCallInOnConnect(t *testing.T) {
	quick := func(c *protocol.Conn) error {
		_, err := netref.Call[int](context.Background(), c.Root(), "quick")
		return err
	}
	a, b := newHost(quick), newHost(quick)
	ca, cb, err := protocol.Pair(t.Context(), a, b, &protocol.Config{Timeout: 20 * time.Second})
	require.NoError(t, err)
	require.EqualValues(t, []int32{1, 1}, []int32{a.called.Load(), b.called.Load()})
	_, _ = ca.CloseNow(), cb.CloseNow()
	<-ca.Done()
	<-cb.Done()
}
