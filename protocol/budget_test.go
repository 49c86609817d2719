package protocol_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// mint gives out objects.
type mint struct{ gated }

func (*mint) Make() *mint { return &mint{} }

func (*mint) Take(any) int { return 1 }

// TestBudget has two connections use up what they share. What one of them gives back the other may use.
func TestBudget(t *testing.T) {
	t.Run("objects", func(t *testing.T) {
		b := protocol.NewBudget(protocol.BudgetLimits{Exports: 256})
		p, q := budgeted(t, b)
		fill := func(p *peer) (refs []any, failed bool) {
			root := p.root()
			for range 600 {
				p.call(int64(1), root, "make")
				m := p.next()
				if m.kind == wire.Exception {
					return refs, true
				}
				refs = append(refs, m.body.(brine.Tuple)[1])
			}
			return refs, false
		}
		refs, failed := fill(p)
		require.True(t, failed)
		require.Len(t, refs, 2*256-1, "the first 256 are free, and the root is one of them")
		_, failed = fill(q)
		require.True(t, failed)
		for _, r := range refs {
			p.request(int64(2), wire.HandleDel, yours(r))
			p.next()
		}
		require.Zero(t, b.Used())
		q.call(int64(1), q.root(), "make")
		require.Equal(t, wire.Reply, q.next().kind)
	})
	t.Run("queued bytes", func(t *testing.T) {
		b := protocol.NewBudget(protocol.BudgetLimits{QueuedBytes: 128 << 10})
		s := &mint{gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}}
		c, p := scripted(t, s, &protocol.Config{Budget: b})
		root := p.root()
		p.call(int64(1), root, "wait")
		<-s.ctx
		text := val(strings.Repeat("x", 60<<10))
		for n := range int64(4) {
			p.call(2+n, root, "take", text)
		}
		p.expectException(int64(5), "builtins.MemoryError")
		require.LessOrEqual(t, b.Used().QueuedBytes, int64(128<<10))
		require.NotZero(t, b.Used().QueuedBytes)
		close(s.gate)
		for n := range int64(4) {
			m := p.next()
			require.Equal(t, 1+n, m.seq)
			require.Equal(t, wire.Reply, m.kind)
		}
		p.alive()
		require.Zero(t, b.Used())
		require.NoError(t, c.Err())
	})
	t.Run("decoded", func(t *testing.T) {
		b := protocol.NewBudget(protocol.BudgetLimits{Decoded: 1 << 20})
		s := &mint{gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}}
		_, p := scripted(t, s, &protocol.Config{Budget: b})
		root := p.root()
		numbers := make(brine.Tuple, 70<<10)
		for i := range numbers {
			numbers[i] = int64(1)
		}
		p.call(int64(1), root, "take", val(numbers)) // 70 KiB, of which a megabyte and more is made
		p.expectException(int64(1), "builtins.MemoryError")
		p.call(int64(2), root, "take", val(numbers[:1000]))
		require.Equal(t, wire.Reply, p.next().kind)
		p.call(int64(3), root, "take", val(strings.Repeat("x", 100<<10)))
		require.Equal(t, wire.Reply, p.next().kind)
		p.alive()
		require.Zero(t, b.Used())
	})
	t.Run("running", func(t *testing.T) {
		b := protocol.NewBudget(protocol.BudgetLimits{Running: 16})
		s := &mint{gated{gate: make(chan struct{}), ctx: make(chan context.Context, 100)}}
		_, p := scripted(t, s, &protocol.Config{Budget: b, Concurrency: -1})
		root := p.root()
		for n := range int64(33) {
			p.call(n, root, "wait")
		}
		p.expectException(int64(32), "builtins.RecursionError")
		close(s.gate)
		for range 32 {
			require.Equal(t, wire.Reply, p.next().kind)
		}
		p.alive()
		require.Zero(t, b.Used())
	})
	t.Run("given back at the end", func(t *testing.T) {
		b := protocol.NewBudget(protocol.BudgetLimits{})
		c, p := scripted(t, &mint{}, &protocol.Config{Budget: b})
		root := p.root()
		for range 300 {
			p.call(int64(1), root, "make")
			p.next()
		}
		require.NotZero(t, b.Used().Exports)
		require.NoError(t, c.CloseNow())
		<-c.Done()
		require.Zero(t, b.Used())
	})
}

func budgeted(t *testing.T, b *protocol.Budget) (p, q *peer) {
	_, p = scripted(t, &mint{}, &protocol.Config{Budget: b})
	_, q = scripted(t, &mint{}, &protocol.Config{Budget: b})
	return p, q
}

// TestFirstTimeout ends the connection of a peer that says nothing, and of no other.
func TestFirstTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, p := scripted(t, nil, &protocol.Config{FirstTimeout: time.Minute})
		begun := time.Now()
		p.expectEOF()
		require.Equal(t, time.Minute, time.Since(begun))
		var idle *protocol.IdleError
		require.ErrorAs(t, c.Err(), &idle)

		c, p = scripted(t, nil, &protocol.Config{FirstTimeout: time.Minute})
		p.alive()
		time.Sleep(time.Hour)
		require.NoError(t, c.Err())
	})
}

// TestIdleSince follows a connection through its work.
func TestIdleSince(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
		made := time.Now()
		c, p := scripted(t, s, nil)
		time.Sleep(time.Minute)
		since, idle := c.IdleSince()
		require.True(t, idle)
		require.WithinDuration(t, made, since, time.Millisecond)
		p.call(int64(1), p.root(), "wait")
		<-s.ctx
		_, idle = c.IdleSince()
		require.False(t, idle)
		close(s.gate)
		p.next()
		ended := time.Now()
		time.Sleep(time.Minute)
		since, idle = c.IdleSince()
		require.True(t, idle)
		require.WithinDuration(t, ended, since, time.Second)
	})
}

// TestHardened looks for a limit or a timeout that it does not set, or sets above the default.
func TestHardened(t *testing.T) {
	cfg := reflect.ValueOf(*protocol.Hardened())
	for _, v := range []reflect.Value{cfg, cfg.FieldByName("Limits")} {
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch v.Field(i).Interface().(type) {
			case time.Duration:
				require.Positive(t, v.Field(i).Int(), name)
			case int, int64:
				require.True(t, v.Field(i).Int() > 0 || name == "Concurrency", name)
			}
		}
	}
	p, q, err := protocol.Pair(t.Context(), &mint{}, nil, protocol.Hardened())
	require.NoError(t, err)
	_, err = q.Root().CallMethod(t.Context(), "take", strings.Repeat("x", 2<<20))
	require.Error(t, err)
	var limit *protocol.LimitError
	<-p.Done()
	require.ErrorAs(t, p.Err(), &limit)
	<-q.Done()
}

// TestVersion has exceptions claim a release.
func TestVersion(t *testing.T) {
	_, p := scripted(t, nil, &protocol.Config{Version: "5.9.1"})
	p.call(int64(1), p.root(), "nothing")
	m := p.expectException(int64(1), "builtins.AttributeError")
	require.Contains(t, m.body.(brine.Tuple)[2], brine.Tuple{"_remote_version", "5.9.1"})
}
