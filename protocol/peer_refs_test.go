package protocol_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// thingID is an object of the peer.
var thingID = id("builtins.list", 11, 22)

// receive lets the connection ask for the root and answers with the boxed value.
func receive(t *testing.T, c *protocol.Conn, p *peer, boxed any) any {
	t.Helper()
	r, err := c.Start(t.Context(), wire.HandleGetRoot)
	require.NoError(t, err)
	p.reply(p.next().seq, boxed)
	v, err := r.Wait(t.Context())
	require.NoError(t, err)
	return v
}

// TestDelAgainstRereference is the race between giving an object up and being handed it again: each has its own count,
// and the handles are different ones.
func TestDelAgainstRereference(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, nil, nil)
		ctx := t.Context()
		first, err := c.Start(ctx, wire.HandleGetRoot)
		require.NoError(t, err)
		second, err := c.Start(ctx, wire.HandleGetRoot)
		require.NoError(t, err)
		p.expect("REQUEST 0 GETROOT ()")
		p.expect("REQUEST 1 GETROOT ()")

		p.reply(int64(0), tup(mine(thingID), mine(thingID), val("x")))
		v, err := first.Wait(ctx)
		require.NoError(t, err)
		old := v.(brine.Tuple)[0].(*netref.Object)
		require.Same(t, old, v.(brine.Tuple)[1])
		require.Equal(t, 1, c.Imported())
		old.Release()
		p.reply(int64(1), mine(thingID)) // it was on its way before the DEL arrived
		v, err = second.Wait(ctx)
		require.NoError(t, err)
		again := v.(*netref.Object)
		require.NotSame(t, old, again)
		require.True(t, old.Is(again))
		p.expect("REQUEST 2 DEL (-builtins.list#1, 2)")

		_, err = old.Str(ctx)
		require.ErrorIs(t, err, netref.ErrReleased)
		go func() {
			p.reply(p.expect("REQUEST 4 STR (-builtins.list#1)").seq, val("[]"))
		}()
		s, err := again.Str(ctx)
		require.NoError(t, err)
		require.Equal(t, "[]", s)
		old.Release()
		again.Release()
		again.Release()
		p.expect("REQUEST 5 DEL (-builtins.list#1, 1)")
		require.Zero(t, c.Imported())
		p.alive()
	})
}

// TestEveryReferenceIsGivenBack has goroutines receive and release the same few objects all the time. In the end as
// many references must have been given back as were received, however arrivals and releases met.
func TestEveryReferenceIsGivenBack(t *testing.T) {
	const goroutines, rounds, objects = 8, 300, 3
	c, p := scripted(t, nil, nil)
	defer p.watchdog()()
	ctx := t.Context()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range rounds {
				var o *netref.Object
				if err := c.Request(ctx, &o, wire.HandlePing, (g+i)%objects); err != nil {
					t.Error(err)
					return
				}
				if i%3 > 0 {
					o.Release()
				} // the others are left to the garbage collector
			}
		})
	}
	received := map[int64]int64{}
	given := map[int64]int64{}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	requests := 0
	for balanced := false; requests < goroutines*rounds || !balanced; {
		m, err := p.read()
		require.NoError(t, err)
		if len(m.refs) == 0 { // PING
			n := m.body.(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)[0].(int64)
			received[n]++
			requests++
			p.reply(m.seq, mine(id("builtins.list", 1, n+1)))
			if requests == goroutines*rounds {
				<-done
				for range 3 {
					runtime.GC()
				}
			}
			continue
		}
		args := m.body.(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)
		object := args[0].(brine.Tuple)[1].(brine.Tuple)[2].(int64)
		given[object-1] += args[1].(brine.Tuple)[1].(int64)
		balanced = true
		for n := range received {
			require.LessOrEqual(t, given[n], received[n], "given back more than was received")
			balanced = balanced && given[n] == received[n]
		}
		if !balanced && requests == goroutines*rounds {
			runtime.GC()
		}
	}
}

// summer has a method whose parameters take nothing of a list but its items.
type summer struct{ kept []any }

func (*summer) Sum(ctx context.Context, numbers []int, more ...any) int {
	n := len(more)
	for _, x := range numbers {
		n += x
	}
	return n
}

func (s *summer) Keep(x any, numbers []int) { s.kept = append(s.kept, x) }

// TestArgumentsThatWereConvertedAreGivenBack calls methods with lists. A handler that has a slice has no handle, so
// that the reference goes back before the answer; one that is used otherwise, too, stays.
func TestArgumentsThatWereConvertedAreGivenBack(t *testing.T) {
	list := mine(thingID)
	items := func(p *peer) {
		m := p.next()
		require.Contains(t, m.text, "BUFFITER (-builtins.list#")
		p.reply(m.seq, val(brine.Tuple{1, 2, 3}))
	}
	del := func(p *peer) {
		m := p.next()
		require.Contains(t, m.text, "DEL (-builtins.list#")
		require.Contains(t, m.text, ", 1)")
	}
	c, p := scripted(t, new(summer), nil)
	defer p.watchdog()()
	root := p.root()
	for range 2 {
		p.call(int64(1), root, "sum", list)
		items(p)
		del(p)
		p.expect("REPLY 1 6")
		require.Zero(t, c.Imported())
	}

	p.call(int64(2), root, "sum", list, list)
	items(p)
	p.expect("REPLY 2 7")
	require.Equal(t, 1, c.Imported(), "it may have been kept")

	p.call(int64(3), root, "keep", list, list)
	items(p)
	require.Equal(t, wire.Reply, p.next().kind)
	p.call(int64(4), root, "sum", list)
	items(p)
	del(p) // one of five
	p.expect("REPLY 4 6")
	require.Equal(t, 1, c.Imported())
}

// TestLateReplyIsReleased answers after the time is over: what the reply refers to is given back, nothing else happens.
func TestLateReplyIsReleased(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, newDemo(), nil)
		start := time.Now()
		var te *protocol.TimeoutError
		require.ErrorAs(t, c.Request(context.Background(), nil, wire.HandleGetRoot), &te)
		require.Equal(t, 30*time.Second, te.After)
		require.GreaterOrEqual(t, time.Since(start), 30*time.Second)
		require.Less(t, time.Since(start), 31*time.Second)
		start = time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.ErrorIs(t, c.Request(ctx, nil, wire.HandleGetRoot), context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(start))

		asked := []message{p.next(), p.next()}
		root := p.root()
		for _, m := range asked {
			p.reply(m.seq, tup(val(1), tup(mine(thingID), mine(thingID)), yours(root), mine(id("x.Y", 5, 0))))
		}
		dels := map[string]int64{}
		for range 6 {
			m := p.next()
			require.Contains(t, m.text, "DEL")
			dels[m.text[len("REQUEST n"):]]++
		}
		require.Equal(t, map[string]int64{" DEL (-builtins.list#2, 1)": 4, " DEL (-x.Y@1, 1)": 2}, dels)
		require.Zero(t, c.Imported())
		p.raise(int64(0), "KeyError", "too late as well")
		p.alive()
		require.NoError(t, c.Err())
	})
}

// TestLateReplyCountsForALivingHandle names an object in a reply that nobody waits for, while there is a handle on it:
// the reference is the handle's, and given back with it.
func TestLateReplyCountsForALivingHandle(t *testing.T) {
	c, p := scripted(t, nil, nil)
	o := receive(t, c, p, mine(thingID)).(*netref.Object)
	p.reply(int64(77), mine(thingID))
	p.reply("odd", mine(thingID))
	p.alive()
	o.Release()
	p.expect("REQUEST 1 DEL (-builtins.list#1, 3)")
	require.Zero(t, c.Imported())
}

// TestCancelAgainstReply lets a reply and the end of the caller's context race. Whichever is first, the reference in
// the reply is given back once, by the caller or by the connection.
func TestCancelAgainstReply(t *testing.T) {
	c, p := scripted(t, nil, nil)
	defer p.watchdog()()
	changed := errors.New("changed my mind")
	outcomes := map[bool]int{}
	for i := range 400 {
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() {
			var o *netref.Object
			err := c.Request(ctx, &o, wire.HandleGetRoot)
			if err == nil {
				o.Release()
			}
			done <- err
		}()
		m := p.next()
		go cancel(changed)
		if i%2 == 0 {
			runtime.Gosched()
		}
		p.reply(m.seq, mine(thingID))
		err := <-done
		if err != nil {
			require.ErrorIs(t, err, changed)
		}
		outcomes[err == nil]++
		require.Contains(t, p.next().text, "DEL (-builtins.list#1, 1)")
		require.Zero(t, c.Imported())
	}
	t.Logf("%d replies were in time, %d were not", outcomes[true], outcomes[false])
	p.alive()
}

// TestAbandonedResult is the same for a result that nobody wants.
func TestAbandonedResult(t *testing.T) {
	c, p := scripted(t, nil, nil)
	r, err := c.Start(t.Context(), wire.HandleGetRoot)
	require.NoError(t, err)
	r.Abandon()
	_, err = r.Wait(t.Context())
	require.ErrorIs(t, err, context.Canceled)
	p.reply(p.next().seq, mine(thingID))
	require.Contains(t, p.next().text, "DEL (-builtins.list#1, 1)")
	r.Abandon()
	p.alive()
}

// TestReferencesAreIndependentOfTheRequestsFate sends requests that fail for various reasons after references were
// named in them: the references count all the same, and are given back.
func TestReferencesAreIndependentOfTheRequestsFate(t *testing.T) {
	_, p := scripted(t, newDemo(), nil)
	defer p.watchdog()()
	root := p.root()
	unknown := id("no.Such", 1, 2)
	for _, boxed := range [][]any{
		{yours(unknown), mine(thingID)},                                           // after a reference that fails
		{yours(root), val("identity"), tup(mine(thingID), tup(yours(unknown)))},   // before one
		{yours(root), val("nope"), tup(mine(thingID)), val(brine.Tuple{})},        // a handler that fails
		{yours(root), val("add"), tup(mine(thingID)), val(brine.Tuple{})},         // wrong arguments
		{mine(thingID), val(1), val(2), val(3), val(4), val(5), val(6), val("x")}, // far too many
	} {
		p.request("r", wire.HandleCallAttr, boxed...)
		require.Equal(t, wire.Exception, p.next().kind)
		for {
			m := p.next()
			if m.kind == wire.Request {
				require.Contains(t, m.text, " DEL (-builtins.list#")
				require.Contains(t, m.text, ", 1)")
				p.reply(m.seq, val(nil))
				break
			}
		}
	}
	p.alive()
}
