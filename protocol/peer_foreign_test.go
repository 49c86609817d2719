package protocol_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// passing hands what one peer gave it to another.
type passing struct{ v any }

func (s *passing) Put(v any) { s.v = v }

func (s *passing) Take() any { return s.v }

// TestQuestionsForAnotherPeer asks for the methods of an object of another peer, which does not answer, over and over:
// each question waits on a goroutine, of which there are not any number.
func TestQuestionsForAnotherPeer(t *testing.T) {
	const most, more = 1024, 76
	s := &passing{}
	_, giver := scripted(t, s, nil)
	giver.call(int64(1), giver.root(), "put", mine(id("x.Y", 5, 6)))
	giver.next()
	_, user := scripted(t, s, nil)
	user.call(int64(1), user.root(), "take")
	ref := user.next().body.(brine.Tuple)[1]
	for range most + more {
		user.request("methods", wire.HandleInspect, val(ref))
	}
	for range more {
		user.expectException("methods", "builtins.RecursionError")
	}
	for range most {
		giver.reply(giver.next().seq, val(brine.Tuple{brine.Tuple{"method", nil}}))
		m := user.next()
		require.Equal(t, wire.Reply, m.kind, m.text)
	}
	user.alive()
}
