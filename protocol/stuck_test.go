package protocol_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// forgetful waits for the peer with a context that does not tell which handler it is of.
type forgetful struct {
	caller
	gate  chan struct{}
	begun atomic.Int32
}

func (*forgetful) Ask(f *netref.Object, what string) (string, error) {
	s, err := netref.CallFunc[string](context.Background(), f, what)
	return what + ":" + s, err
}

func (*forgetful) AskLater(f *netref.Object, what string) (string, error) {
	r, err := f.CallAsync(context.Background(), what)
	if err != nil {
		return "", err
	}
	v, err := r.Wait(context.Background())
	s, _ := v.(string)
	return what + ":" + s, err
}

func (*forgetful) AskInBatch(f *netref.Object, what string) (s string, err error) {
	var b netref.Batch
	b.CallFunc(&s, f, what)
	err = b.Do(context.Background())
	return what + ":" + s, err
}

// Block runs until the gate is opened, and tells how many of it had begun.
func (f *forgetful) Block() int32 { n := f.begun.Add(1); <-f.gate; return n }

// TestWaitWithAnotherContext makes handlers wait for the peer, which asks for more before it answers, with contexts of
// another origin. Each gets its answer, the requests run in between, and one line is logged.
func TestWaitWithAnotherContext(t *testing.T) {
	for _, method := range []string{"ask", "ask_later", "ask_in_batch"} {
		for _, cfg := range []protocol.Config{
			{}, {Dialect: wire.FamilyC}, {Dialect: wire.FamilyD.BindThreads()}, {Workers: protocol.NewWorkers(1, 0, false)},
			{Concurrency: 2},
		} {
			bubble(t, func(t *testing.T) {
				var log bytes.Buffer
				cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
				f := &forgetful{gate: make(chan struct{})}
				_, p := scripted(t, f, &cfg)
				root := p.root()
				begin := time.Now()
				for i, name := range []string{"a", "b", "c"} {
					p.call(int64(100+i), root, method, mine(callbackID), val(name))
					require.Equal(t, int64(i), p.next().seq)
				}
				p.call(int64(200), root, "quick")
				require.Equal(t, val("quick"), p.next().body)
				require.Less(t, time.Since(begin), time.Second)
				for i, name := range []string{"a", "b", "c"} {
					p.reply(int64(i), val(name))
					m := p.next()
					require.Equal(t, int64(100+i), m.seq)
					require.Equal(t, val(name+":"+name), m.body)
				}
				p.call(int64(201), root, "quick")
				require.Equal(t, val("quick"), p.next().body)
				require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
			})
		}
	}
}

// TestTurnIsTakenBack answers a call with such a context while a request that has run in between still runs: the
// handler goes on when that has returned.
func TestTurnIsTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &forgetful{gate: make(chan struct{})}
		_, p := scripted(t, f, nil)
		root := p.root()
		p.call(int64(1), root, "ask", mine(callbackID), val("a"))
		p.call(int64(2), root, "block")
		p.expect(`REQUEST 0 CALL (-builtins.function#2, ("a"), ())`)
		time.Sleep(time.Second)
		require.EqualValues(t, 1, f.begun.Load())
		p.reply(int64(0), val("x"))
		time.Sleep(time.Second)
		close(f.gate)
		p.expect(`REPLY 2 1`)
		p.expect(`REPLY 1 "a:x"`)
	})
}

// TestTurnIsKept leaves a handler its turn that waits for nothing of the peer, however long it runs and whatever else
// this side waits for since before.
func TestTurnIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := &forgetful{gate: make(chan struct{})}
		c, p := scripted(t, f, nil)
		root := p.root()
		called := make(chan error, 1)
		go func() {
			_, err := c.Ping(context.Background())
			called <- err
		}()
		ping := p.next()
		p.call(int64(1), root, "block")
		p.call(int64(2), root, "block")
		r, err := c.Start(context.Background(), wire.HandlePing, "later")
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, f.begun.Load())
		p.reply(ping.seq, val("abcdefghijklmnopqrstuvwxyz"))
		require.NoError(t, <-called)
		close(f.gate)
		for p.next().seq != int64(2) {
		}
		r.Abandon()
	})
}
