package protocol_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// excused says why a recording, or one role in it, cannot be replayed or has no frame that is compared byte for byte.
var excused = map[string]string{
	"cross-client5.3.1-server6.0.2-connect_add": "The peers speak different families and hang up; see TestReplayMismatch.",
	"cross-client6.0.2-server5.3.1-connect_add": "The peers speak different families and hang up; see TestReplayMismatch.",
}

// otherException says where our exception is of another class than the recorded one, and why.
var otherException = map[string]struct{ class, why string }{
	"cross-client3.4.3-server4.1.5-connect_add/server": {
		"builtins.TypeError", "A client of family A names an object in a way that is no id pack: we say so, upstream does " +
			"not find it.",
	},
	"6.0.2-py3.11-classic_exception_group/server": {
		"rpyc.core.vinegar/builtins.builtins.ExceptionGroup",
		"The third peer's class is not known here and is handed on under the name that upstream would give it.",
	},
}

func family(rpyc string) *wire.Dialect {
	switch {
	case strings.HasPrefix(rpyc, "rpyc 6."):
		return wire.FamilyD
	case strings.HasPrefix(rpyc, "rpyc 7."): // rpyc-ng
		return wire.FamilyE
	case strings.HasPrefix(rpyc, "rpyc 4.0."):
		return wire.FamilyB
	case strings.HasPrefix(rpyc, "rpyc 3."):
		return wire.FamilyA
	}
	return wire.FamilyC
}

var roles = []struct{ name, us string }{{"client", "c2s"}, {"server", "s2c"}}

func TestReplay(t *testing.T) {
	total := tally{skip: map[string]int{}}
	runs := 0
	for _, rec := range loadRecordings(t) {
		if excused[rec.name] != "" {
			continue
		}
		for _, role := range roles {
			name := rec.name + "/" + role.name
			t.Run(name, func(t *testing.T) {
				r := newReplay(t, rec, role.us, family(rec.meta.Server))
				r.other = otherException[name].class
				r.run()
				c := r.count
				t.Logf("%d frames compared exactly, %d loosely, not compared: %v", c.exact, c.loose, c.skip)
				if c.exact == 0 && excused[name] == "" {
					t.Error("no frame was compared exactly")
				}
				if (r.other != "") != (c.skip[differentClass] > 0) {
					t.Error("the table says that an exception is of another class")
				}
				total.exact += c.exact
				total.loose += c.loose
				for why, n := range c.skip {
					total.skip[why] += n
				}
			})
			runs++
		}
	}
	t.Logf("%d runs: %d frames compared exactly, %d loosely, not compared: %v", runs, total.exact, total.loose, total.skip)
}

// TestReplayMismatch plays the recordings in which the peers speak different families: neither understands the other,
// and both say CLOSE in their own. The Conn says nothing, hangs up and knows why.
func TestReplayMismatch(t *testing.T) {
	n := 0
	for _, rec := range loadRecordings(t) {
		client, server := family(rec.meta.Client), family(rec.meta.Server)
		if !strings.HasPrefix(rec.name, "cross-") || client.BeginsLike(server) {
			continue
		}
		n++
		first, answer := rec.steps[0], rec.steps[1]
		require.Equal(t, "c2s s2c", first.Dir+" "+answer.Dir)
		var wrong *protocol.WrongDialectError

		t.Run(rec.name+"/client", func(t *testing.T) {
			c, p := scripted(t, nil, &protocol.Config{Dialect: client})
			r, err := c.Start(t.Context(), wire.HandleGetRoot)
			require.NoError(t, err)
			require.Equal(t, asGo(payloadOf(t, first.frame)), p.next().payload)
			p.write(answer.frame)
			_, err = r.Wait(t.Context())
			require.ErrorIs(t, err, protocol.ErrClosed)
			require.ErrorAs(t, err, &wrong)
			require.Same(t, server, wrong.Got)
			p.expectEOF()
		})
		t.Run(rec.name+"/server", func(t *testing.T) {
			c, p := scripted(t, nil, &protocol.Config{Dialect: server})
			p.write(first.frame)
			p.expectEOF()
			<-c.Done()
			require.ErrorAs(t, c.Err(), &wrong)
			require.Same(t, client, wrong.Got)
		})
		t.Run(rec.name+"/server that finds out", func(t *testing.T) {
			near, far := transport.Pipe()
			c, err := protocol.NewConn(context.Background(), near, nil, nil)
			require.NoError(t, err)
			p := newPeer(t, far, client)
			p.write(first.frame)
			if client == wire.FamilyC { // which of the families that begin so?
				p.reply(p.expect("REQUEST 0 GETROOT ()").seq, mine(id("m.Client", 1, 2)))
			}
			require.Equal(t, wire.Reply, p.next().kind)
			require.Same(t, client, c.Dialect())
			require.NoError(t, c.CloseNow())
			<-c.Done()
		})
	}
	require.Equal(t, 2, n)
}
