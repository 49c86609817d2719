package protocol_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// shared is a service that has what looks small and is long when it is sent.
type shared struct {
	text  string
	Texts *exposed.List
}

func newShared() *shared {
	s := &shared{text: strings.Repeat("x", 60<<10)}
	items := make([]any, 1<<12)
	for i := range items {
		items[i] = s.text
	}
	s.Texts = exposed.NewList(items...)
	return s
}

func (s *shared) Long() string { return strings.Repeat(s.text, 40) }

func (s *shared) Inside() any { return brine.Tuple{s, brine.Tuple(s.Texts.Items())} }

func (s *shared) Set() any {
	set := make(brine.FrozenSet, s.Texts.Len())
	for i := range set {
		set[i] = brine.Tuple{int64(i), s.text}
	}
	return set
}

// TestLongAnswers asks for tuples whose items are one text many times: the answer, 240 MiB long, would cost a peer a
// few bytes to ask for.
func TestLongAnswers(t *testing.T) {
	c, p := scripted(t, newShared(), &protocol.Config{Limits: protocol.Limits{Answer: 2 << 20}})
	root := p.root()
	p.request("list", wire.HandleGetAttr, yours(root), val("texts"))
	list := p.next().body.(brine.Tuple)[1]
	text := tup(val(strings.Repeat("x", 60<<10)))
	for _, ask := range map[string]func(seq string, n int64){
		"iteration": func(seq string, n int64) { p.request(seq, wire.HandleBuffIter, yours(list), val(n)) },
		"multiplication": func(seq string, n int64) {
			p.request(seq, wire.HandleCallAttr, text, val("__mul__"), tup(val(n)), val(brine.Tuple{}))
		},
	} {
		took := allocated(func() {
			ask("long", 1<<12)
			p.expectException("long", "builtins.MemoryError")
		})
		require.Less(t, took, uint64(4<<20))
		ask("short", 30)
		m := p.next()
		require.Equal(t, wire.Reply, m.kind, m.text)
		require.Len(t, m.body.(brine.Tuple)[1], 30)
	}
	held := c.Exported()
	for _, name := range []string{"inside", "set"} {
		p.call(name, root, name)
		p.expectException(name, "builtins.MemoryError")
	}
	require.Equal(t, held, c.Exported(), "nothing of the answer was sent")
	p.call("text", root, "long") // the service has it, and it stands by itself
	require.Len(t, p.next().body.(brine.Tuple)[1], 40*60<<10)
	p.alive()
}

// TestLongPickles asks for a copy that becomes too long, and for one whose items are one text.
func TestLongPickles(t *testing.T) {
	s := newShared()
	_, p := scripted(t, s, &protocol.Config{AllowPickle: true, Limits: protocol.Limits{Answer: 2 << 20}})
	p.request("list", wire.HandleGetAttr, yours(p.root()), val("texts"))
	list := p.next().body.(brine.Tuple)[1]
	p.request("same", wire.HandlePickle, yours(list), val(int64(4)))
	require.Less(t, len(p.next().body.(brine.Tuple)[1].([]byte)), 100<<10)
	for range 50 {
		s.Texts.Append(strings.Repeat("x", 60<<10))
	}
	p.request("others", wire.HandlePickle, yours(list), val(int64(4)))
	p.expectException("others", "builtins.MemoryError")
	p.alive()
}

// TestAnswersOfAllPeers has two peers ask for what they do not read. What they share bounds both, and is there again
// when they have gone or have read.
func TestAnswersOfAllPeers(t *testing.T) {
	b := protocol.NewBudget(protocol.BudgetLimits{Unread: 1 << 20})
	text := val(strings.Repeat("x", 100<<10))
	c, p := scripted(t, nil, &protocol.Config{Budget: b})
	ping := p.encode(wire.Request, "ping", brine.Tuple{int64(wire.HandlePing), tup(text)})
	for err := error(nil); err == nil; _, err = p.rw.Write(ping) {
	}
	<-c.Done()
	var limit *protocol.LimitError
	require.ErrorAs(t, c.Err(), &limit)
	require.Equal(t, int64(1<<20), limit.Limit)
	unused := func() bool { return b.Used() == protocol.BudgetLimits{} }
	require.Eventually(t, unused, time.Minute, time.Millisecond)

	c, p = scripted(t, newShared(), &protocol.Config{Budget: b})
	root := p.root()
	p.call("inside", root, "inside") // 240 MiB, below Limits.Answer
	p.expectException("inside", "builtins.MemoryError")
	for range 100 {
		p.request("ping", wire.HandlePing, text)
		p.next()
	}
	p.alive()
	require.Eventually(t, unused, time.Minute, time.Millisecond)
	require.NoError(t, c.Err())
}

// TestContainersOfAllPeers has two peers make containers, of which all that share a budget can have so much.
func TestContainersOfAllPeers(t *testing.T) {
	b := protocol.NewBudget(protocol.BudgetLimits{Containers: 8 << 20})
	one, two := newShared(), newShared()
	made := 0
	for _, s := range []*shared{one, two} {
		_, p := scripted(t, s, &protocol.Config{Budget: b})
		p.request("list", wire.HandleGetAttr, yours(p.root()), val("texts"))
		list := p.next().body.(brine.Tuple)[1]
		for range 100 {
			p.call("more", list, "__mul__", val(int64(16))) // a MiB
			if m := p.next(); m.kind == wire.Exception {
				require.Contains(t, m.text, "all peers")
				break
			}
			made++
		}
	}
	require.Equal(t, 6, made, "of a MiB and a quarter each, by which a list is paid for in advance")
	require.LessOrEqual(t, b.Used().Containers, int64(8<<20))
}
