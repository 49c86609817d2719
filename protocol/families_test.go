package protocol_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// accepted is a connection that was not told what its peer speaks, which the test plays. remote is the peer's address.
func accepted(t *testing.T, root any, d *wire.Dialect, remote string, cfg *protocol.Config) (*protocol.Conn, *peer) {
	t.Helper()
	near, far := transport.Pipe()
	c, err := protocol.NewConn(context.Background(), from{near, remote}, root, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.CloseNow()
		_ = far.Close()
		<-c.Done()
	})
	return c, newPeer(t, far, d)
}

// from is a stream of a peer at an address.
type from struct {
	io.ReadWriteCloser
	addr string
}

func (f from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.addr), Port: 1} }

// oldRoot is how the clients of a family refer to their own root.
var oldRoot = map[*wire.Dialect]any{
	wire.FamilyA:  brine.Tuple{int64(77), "Client", "m"},
	wire.FamilyA2: brine.Tuple{int64(77), []byte("Client"), []byte("m")},
	wire.FamilyB:  brine.Tuple{int64(77), "Client", "m"},
	wire.FamilyB2: brine.Tuple{int64(77), []byte("Client"), []byte("m")},
	wire.FamilyC:  id("m.Client", 1, 77),
	wire.FamilyC2: brine.Tuple{[]byte("m.Client"), int64(1), int64(77)},
}

// answerSurvey plays a client that is asked which family it speaks.
func answerSurvey(p *peer) {
	p.t.Helper()
	m := p.next()
	require.Equal(p.t, brine.Tuple{int64(wire.HandleGetRoot), val(brine.Tuple{})}, m.body)
	p.reply(m.seq, mine(oldRoot[p.d]))
	if p.d == wire.FamilyC || p.d == wire.FamilyC2 {
		return
	}
	m = p.next()
	require.Equal(p.t, brine.Tuple{int64(wire.HandleRepr), tup(yours(int64(77)))}, m.body)
	if p.d == wire.FamilyA || p.d == wire.FamilyA2 {
		p.raise(m.seq, "TypeError")
	} else {
		p.reply(m.seq, val("<client>"))
	}
}

// getRoot asks for the root as a Python peer does.
func (p *peer) getRoot(seq any) {
	p.t.Helper()
	p.send(wire.Request, seq, brine.Tuple{int64(wire.HandleGetRoot), val(brine.Tuple{})})
}

// askRoot asks for the root and returns what the answer refers to it by.
func askRoot(p *peer) any {
	p.t.Helper()
	p.getRoot("root")
	for {
		if m := p.next(); m.seq == any("root") {
			require.Equal(p.t, wire.Reply, m.kind, m.text)
			return m.body.(brine.Tuple)[1]
		}
	}
}

// oldReleases are who speaks these families.
var oldReleases = map[*wire.Dialect]string{
	wire.FamilyA: "RPyC 3", wire.FamilyA2: "RPyC 3 on Python 2",
	wire.FamilyB: "RPyC 4.0", wire.FamilyB2: "RPyC 4.0 on Python 2",
	wire.FamilyC: "RPyC 4.1 to 5.3", wire.FamilyC2: "RPyC 4.1 on Python 2",
}

// TestOldClients serves clients of all families before RPyC 6, with nothing configured.
func TestOldClients(t *testing.T) {
	for d := range oldRoot {
		t.Run(d.String(), func(t *testing.T) {
			c, p := accepted(t, &service{}, d, "127.0.0.1", nil)
			p.getRoot("root")
			answerSurvey(p)
			var m message
			for m.seq != any("root") {
				m = p.next() // what the survey was told of is given back
			}
			require.Same(t, d, c.Dialect())
			require.Equal(t, oldReleases[d], c.Peer().Release())
			require.Equal(t, d.Python2(), c.Peer().Python == 2)
			require.False(t, c.Peer().Go)
			ref := m.body.(brine.Tuple)[1].(brine.Tuple)
			require.Len(t, ref, 3)
			name := ref[1]
			if d == wire.FamilyC || d == wire.FamilyC2 {
				name = ref[0]
			}
			if d.Python2() {
				require.IsType(t, []byte(nil), name)
			} else {
				require.IsType(t, "", name)
			}
		})
	}
}

type triple struct{}

func (triple) Items() []int { return []int{1, 2, 3} }

// TestPython2Operators asks as RPyC does on Python 2 where a list's own methods are called: the releases before 3.2 for
// slices, 4.1 for a comparison that no method can decide.
func TestPython2Operators(t *testing.T) {
	for d, want := range map[*wire.Dialect]any{
		wire.FamilyA2: val("[2, 3]"), wire.FamilyC2: val(brine.NotImplemented),
	} {
		t.Run(d.String(), func(t *testing.T) {
			_, p := accepted(t, triple{}, d, "127.0.0.1", nil)
			answer := func(seq any) brine.Tuple {
				for {
					if m := p.next(); m.seq == seq {
						require.Equal(t, wire.Reply, m.kind, m.text)
						return m.body.(brine.Tuple)
					}
				}
			}
			p.getRoot("root")
			answerSurvey(p)
			root := answer("root")[1].(brine.Tuple)
			if d == wire.FamilyA2 {
				ask := func(seq string, h wire.Handler, args ...any) brine.Tuple {
					p.send(wire.Request, seq, brine.Tuple{int64(h), val(brine.Tuple(args))})
					return answer(seq)
				}
				none := brine.Tuple{}
				list := ask("items", wire.HandleCallAttr, root[0], []byte("items"), none, none)[1].(brine.Tuple)
				part := ask("slice", wire.HandleCallAttr, list[0], []byte("__getslice__"),
					brine.Tuple{int64(1), int64(math.MaxInt64)}, none)[1].(brine.Tuple)
				require.Equal(t, want, ask("str", wire.HandleStr, part[0]))
				return
			}
			p.request("items", wire.HandleCallAttr, yours(root), val([]byte("items")), tup(), tup())
			list := answer("items")[1]
			other := mine(brine.Tuple{[]byte("__builtin__.list"), int64(1), int64(5)})
			p.request("cmp", wire.HandleCmp, yours(list), other, val([]byte("__cmp__")))
			require.Equal(t, want, answer("cmp"))
		})
	}
}

// TestFamiliesLeftOut refuses families that the configuration leaves out, in both roles.
func TestFamiliesLeftOut(t *testing.T) {
	var family *protocol.FamilyError
	for d, spoken := range map[*wire.Dialect]*wire.Dialect{
		wire.FamilyA: wire.FamilyC, wire.FamilyC2: wire.FamilyC, wire.FamilyC: wire.FamilyD, wire.FamilyD: wire.FamilyC,
	} {
		t.Run(d.String(), func(t *testing.T) {
			var log bytes.Buffer
			cfg := &protocol.Config{Families: []*wire.Dialect{spoken, wire.FamilyB},
				Logger: slog.New(slog.NewTextHandler(&log, nil))}
			c, p := accepted(t, &service{}, d, "127.0.0.1", cfg)
			p.getRoot(int64(0))
			if d != wire.FamilyD {
				answerSurvey(p)
			}
			m := p.expectException(int64(0), map[bool]string{false: "builtins", true: "exceptions"}[d.Python2()]+".RuntimeError")
			require.Contains(t, m.text, "protocol family "+d.String())
			p.expectEOF()
			<-c.Done()
			require.ErrorAs(t, c.Err(), &family)
			require.Same(t, d, family.Got)
			require.Contains(t, log.String(), "level=WARN")
			require.Contains(t, log.String(), "protocol family "+d.String())
		})
	}
	newOnes := &protocol.Config{Families: []*wire.Dialect{wire.FamilyC, wire.FamilyD}}
	c, p := accepted(t, &service{}, wire.FamilyC, "127.0.0.1", newOnes)
	require.Len(t, askRoot(p), 3, "nothing to be asked: only FamilyC begins like this")
	require.Same(t, wire.FamilyC, c.Dialect())

	answers := func(d *wire.Dialect) func(io.ReadWriteCloser) {
		return func(s io.ReadWriteCloser) {
			p := newPeer(t, s, d)
			p.reply(p.next().seq, mine(oldRoot[d]))
		}
	}
	c, err := negotiate(t, &protocol.Config{Families: []*wire.Dialect{wire.FamilyC}}, answers(wire.FamilyC))
	require.NoError(t, err, "one attempt")
	require.Same(t, wire.FamilyC, c.Dialect())
	_, err = negotiate(t, &protocol.Config{Families: []*wire.Dialect{wire.FamilyC}}, answers(wire.FamilyC2))
	require.ErrorAs(t, err, &family)
	require.ErrorContains(t, err, "C2 (RPyC 4.1 on Python 2) is not spoken here, only C (RPyC 4.1 to 5.3)")
	_, err = negotiate(t, &protocol.Config{Dialect: wire.FamilyD, Families: []*wire.Dialect{wire.FamilyC}})
	require.ErrorAs(t, err, &family)
}

// TestHostsRemembered asks the second client of a host nothing, and finds out all the same if it is not like the first.
func TestHostsRemembered(t *testing.T) {
	const host = "192.0.2.7"
	_, p := accepted(t, &service{}, wire.FamilyC, host, nil)
	p.getRoot("root")
	answerSurvey(p)
	m := p.next()
	require.Equal(t, "root", m.seq, m.text)

	c, p := accepted(t, &service{}, wire.FamilyC, host, nil)
	root := askRoot(p)
	p.call("sum", root, "add", val(int64(2)), val(int64(3)))
	require.Equal(t, val(int64(5)), p.next().body)
	require.Same(t, wire.FamilyC, c.Dialect())

	// RPyC 3 takes the name for the number, and inspects it.
	c, p = accepted(t, &service{}, wire.FamilyA, host, nil)
	name := askRoot(p).(brine.Tuple)[0]
	require.IsType(t, "", name)
	p.send(wire.Request, "inspect", brine.Tuple{int64(wire.HandleInspect), val(brine.Tuple{name})})
	answerSurvey(p)
	for m = p.next(); m.seq != any("inspect"); m = p.next() {
	}
	require.Equal(t, wire.Reply, m.kind, m.text)
	require.Same(t, wire.FamilyA, c.Dialect())
	p.send(wire.Request, "sum", brine.Tuple{int64(wire.HandleCallAttr), val(brine.Tuple{name, "add",
		brine.Tuple{int64(2), int64(3)}, brine.Tuple{}})})
	for m = p.next(); m.seq != any("sum"); m = p.next() {
	}
	require.Equal(t, val(int64(5)), m.body)

	_, p = accepted(t, &service{}, wire.FamilyC, host, nil) // the host has both
	p.getRoot("root")
	answerSurvey(p)

	_, p = accepted(t, &service{}, wire.FamilyC, "192.0.2.8", nil) // Go peers say that they are ones
	p.send(wire.Request, int64(0), brine.Tuple{int64(wire.HandleGetRoot), tup()})
	require.Equal(t, wire.Reply, p.next().kind)
}

// TestAddressesRemembered dials a server of RPyC 5 twice: the second time there is no failed attempt.
func TestAddressesRemembered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	begun := make(chan wire.Kind, 8) // the first bytes of the messages
	serve := func(d *wire.Dialect) {
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			payload, _ := readPayload(s)
			begun <- wire.Kind(payload[0])
			if got, err := wire.Detect(payload); err != nil || got != d {
				_ = s.Close()
				continue
			}
			newPeer(t, s, d).reply(int64(0), mine(id("m.Service", 1, 2)))
			_, _ = io.Copy(io.Discard, s)
			_ = s.Close()
		}
	}
	go serve(wire.FamilyC)
	dialer := &protocol.Dialer{}
	dial := func() *wire.Dialect {
		c, err := dialer.Dial(t.Context(), "tcp", l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, c.CloseNow())
		<-c.Done()
		return c.Dialect()
	}
	require.Same(t, wire.FamilyC, dial())
	require.Equal(t, []wire.Kind{wire.Request, 0x12}, []wire.Kind{<-begun, <-begun})
	require.Same(t, wire.FamilyC, dial())
	require.Equal(t, wire.Kind(0x12), <-begun)
	require.Empty(t, begun)
}
