package protocol_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// id4 makes an id pack of family E.
func id4(name string, class, object, kind int64) brine.Tuple {
	return brine.Tuple{name, class, object, kind}
}

// ask sends a request whose arguments go by value, as TYPE and INSPECT do, and returns the answer's body.
func (p *peer) ask(seq any, h wire.Handler, args ...any) any {
	p.t.Helper()
	p.send(wire.Request, seq, brine.Tuple{int64(h), val(brine.Tuple(args))})
	m := p.next()
	require.Equal(p.t, wire.Reply, m.kind, m.text)
	require.Equal(p.t, seq, m.seq)
	return m.body
}

// manager is a context manager that remembers how it was left.
type manager struct{ left error }

func (m *manager) PyEnter() any             { return 1 }
func (m *manager) PyExit(failed error) bool { m.left = failed; return true }
func (m *manager) PyLen() int               { return 0 }

type managed struct{ m *manager }

// Manager returns it.
func (s managed) Manager() *manager { return s.m }

// Class returns what it is given, and what it is called.
func (managed) Class(v any) (any, string) { return v, exposed.TypeName(v) }

// TestFamilyEClient does what a client of rpyc-ng 7.0.15 does, in the order in which it does it.
func TestFamilyEClient(t *testing.T) {
	s := managed{&manager{}}
	c, p := accepted(t, s, wire.FamilyE, "127.0.0.1", nil)
	root := askRoot(p).(brine.Tuple)
	require.Len(t, root, 4)
	require.EqualValues(t, 3, root[3])
	require.Same(t, wire.FamilyD, c.Dialect(), "not known yet")
	class := p.ask(int64(1), wire.HandleType, root).(brine.Tuple)
	require.Same(t, wire.FamilyE, c.Dialect())
	require.Equal(t, mine(id4(root[0].(string), root[1].(int64), 0, 2)), class)
	methods := p.ask(int64(2), wire.HandleInspect, class[1]).(brine.Tuple)[1].(brine.Tuple)
	require.Contains(t, methods, brine.Tuple{"exposed_manager", nil})
	p.request(int64(4), wire.HandleHash, yours(class[1]))
	require.IsType(t, int64(0), p.next().body.(brine.Tuple)[1])

	getCall := func(o any, method string, args ...any) any {
		p.request("get", wire.HandleGetAttr, yours(o), val(method))
		m := p.next()
		require.Equal(t, wire.Reply, m.kind, m.text)
		p.request("call", wire.HandleCall, yours(m.body.(brine.Tuple)[1]), tup(args...), val(brine.Tuple{}))
		m = p.next()
		require.Equal(t, wire.Reply, m.kind, m.text)
		return m.body
	}
	manager := getCall(root, "manager").(brine.Tuple)[1]
	require.Equal(t, val(int64(1)), getCall(manager, "__enter__"))
	require.Equal(t, val(int64(0)), getCall(manager, "__len__"))
	p.request("bool", wire.HandleBool, yours(manager))
	require.Equal(t, val(false), p.next().body)

	payload := brine.Tuple{brine.Tuple{"builtins", "KeyError"}, brine.Tuple{"x"}, brine.Tuple{}, "Traceback\n"}
	p.request("exit", wire.HandleCtxExit, yours(manager), val(payload))
	require.Equal(t, val(true), p.next().body)
	require.ErrorIs(t, s.m.left, vinegar.KeyError)
	require.ErrorContains(t, s.m.left, "x")
	p.request("exit", wire.HandleCtxExit, yours(manager), val(nil))
	require.Equal(t, val(true), p.next().body)
	require.NoError(t, s.m.left)

	// Without the method, or where it may not be read, CMP knows nothing.
	p.request("cmp", wire.HandleCmp, yours(manager), val(int64(1)), val("__cmp__"))
	require.Equal(t, val(brine.NotImplemented), p.next().body)
	p.request("sub", wire.HandleSubclassCheck, yours(class[1]), val(root))
	require.Equal(t, val(true), p.next().body, "answered as isinstance is")

	// int, by value
	p.request("get", wire.HandleGetAttr, yours(root), val("class"))
	method := p.next().body.(brine.Tuple)[1].(brine.Tuple)
	p.write(frameOf(append([]byte{1, 0x11, 0x51, 0x11, 0x57, 0x11, 0x52, 0x13 - 1, 0x11, 0x53},
		append(encoded(t, method), 0x11, 0x51, 0x10, 0x1d, 0x11, 0x51, 0x02)...)))
	m := p.next()
	got := m.body.(brine.Tuple)[1].(brine.Tuple)
	require.Equal(t, "builtins.int", got[0].(brine.Tuple)[1].(brine.Tuple)[0], m.text)
	require.Equal(t, val("type"), got[1])

	held := c.Exported()
	require.Equal(t, val(nil), p.ask("del", wire.HandleDel, manager, int64(1)))
	require.Equal(t, held-1, c.Exported())
	p.request("del", wire.HandleDel, yours(method), val(int64(1)))
	require.Equal(t, val(nil), p.next().body)
	require.Equal(t, held-2, c.Exported(), "the older form")
	p.request("type", wire.HandleType, val(id4("no", 1, 2, 3)))
	p.expectException("type", "builtins.KeyError")
}

// TestEchoedReferences serves a client that names objects of this side as if they were its own, as rpyc-async does,
// with a fourth member besides.
func TestEchoedReferences(t *testing.T) {
	_, p := accepted(t, managed{&manager{}}, wire.FamilyD, "127.0.0.1", nil)
	root := askRoot(p).(brine.Tuple)
	echo := func(ref any) any { return mine(append(ref.(brine.Tuple)[:3:3], int64(0))) }
	p.request("call", wire.HandleCallAttr, echo(root), val("manager"), val(brine.Tuple{}), val(brine.Tuple{}))
	m := p.next()
	require.Equal(t, wire.Reply, m.kind, m.text)
	manager := m.body.(brine.Tuple)[1]
	p.request("call", wire.HandleCallAttr, echo(root), val("class"), tup(echo(manager)), val(brine.Tuple{}))
	m = p.next()
	require.Equal(t, wire.Reply, m.kind, m.text)
	require.Contains(t, m.text, "protocol_test.manager", "an object of this side, not one of the peer's")
	p.request("del", wire.HandleDel, echo(manager), val(int64(1)))
	require.Equal(t, val(nil), p.next().body)

}

// TestUnknownForms says once what a peer sends that no known release does: a label of values, or a form of references.
func TestUnknownForms(t *testing.T) {
	var log bytes.Buffer
	c, p := accepted(t, managed{&manager{}}, wire.FamilyD, "127.0.0.1",
		&protocol.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	root := askRoot(p)
	for range 2 {
		p.request("fork", wire.HandleStr, brine.Tuple{int64(7), root})
		p.expectException("fork", "builtins.ValueError")
	}
	p.request("fork", wire.HandleStr, yours(val("short")))
	p.expectException("fork", "builtins.TypeError")
	p.alive()
	require.NoError(t, c.CloseNow())
	<-c.Done()
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
	require.Contains(t, log.String(), "fork")
}

// TestUnknownOperations says once that a peer asks for what no release has; 0 is how clients ask for the release.
func TestUnknownOperations(t *testing.T) {
	var log bytes.Buffer
	c, p := accepted(t, managed{&manager{}}, wire.FamilyD, "127.0.0.1",
		&protocol.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for i, h := range []wire.Handler{0, 100, 101} {
		p.request("fork", h, val(int64(1)))
		p.expectException("fork", "builtins.KeyError")
		require.Equal(t, min(i, 1), strings.Count(log.String(), "level=WARN"), log.String())
	}
	p.alive()
	require.Contains(t, log.String(), "operation=100")
	require.NoError(t, c.CloseNow())
	<-c.Done()
}

// TestExitByName leaves a context manager of rpyc-ng as peers do whose proxies call __exit__.
func TestExitByName(t *testing.T) {
	c, p := scripted(t, nil, &protocol.Config{Dialect: wire.FamilyE})
	go func() {
		for _, exc := range []any{nil, vinegar.KeyError.New("why")} {
			_, _ = netref.Call[any](context.Background(), c.Root(), "__exit__", vinegar.KeyError, exc, nil)
		}
	}()
	p.reply(p.next().seq, mine(id4("m.Manager", 1, 2, 3)))
	for _, want := range []any{val(nil), val(brine.Tuple{
		brine.Tuple{"builtins", "KeyError"}, brine.Tuple{"why"}, brine.Tuple{}, ""})} {
		m := p.next()
		body := m.body.(brine.Tuple)
		require.Equal(t, int64(wire.HandleCtxExit), body[0], m.text)
		got := body[1].(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)
		if payload, ok := got[1].(brine.Tuple); ok {
			payload[2], payload[3] = brine.Tuple{}, "" // the release and the traceback
		}
		require.Equal(t, want, got)
		p.reply(m.seq, val(false))
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := brine.Append(nil, v)
	require.NoError(t, err)
	return b
}

// TestFamilyEServer asks a server of rpyc-ng, of a release before 7.0.12 and of a newer one.
func TestFamilyEServer(t *testing.T) {
	for _, older := range []bool{false, true} {
		root := id4("m.Service", 1, 2, 3)
		serve := make(chan *peer, 1)
		c, err := negotiate(t, nil, func(s io.ReadWriteCloser) {
			p := newPeer(t, s, wire.FamilyE)
			p.reply(p.expect("REQUEST 0 GETROOT ()").seq, mine(root))
			serve <- p
		})
		require.NoError(t, err)
		p := <-serve
		require.Same(t, wire.FamilyE, c.Dialect())

		var results []*netref.AsyncResult
		for range 2 {
			r, err := c.Root().CallMethodAsync(t.Context(), "add", 2)
			require.NoError(t, err)
			results = append(results, r)
		}
		first, second := p.next(), p.next()
		require.Equal(t, `REQUEST 2 GETATTR (-m.Service#1, "add")`, second.text)
		method := []brine.Tuple{id4("builtins.method", 3, 4, 3), id4("builtins.method", 3, 5, 3)}
		p.reply(second.seq, mine(method[1]))
		p.reply(first.seq, mine(method[0]))
		var called []any
		var del message
		for len(called) < 2 || del.seq == nil {
			m := p.next()
			args := m.body.(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)
			if m.body.(brine.Tuple)[0] == int64(wire.HandleDel) {
				require.Nil(t, del.seq, "the second waits for the answer to the first: %s", m.text)
				require.Contains(t, []any{method[0], method[1]}, args[0], "an id pack by value: %s", m.text)
				del = m
				continue
			}
			require.Equal(t, int64(wire.HandleCall), m.body.(brine.Tuple)[0], m.text)
			called = append(called, args[0].(brine.Tuple)[1])
			p.reply(m.seq, val(int64(len(called))))
		}
		require.Equal(t, []any{method[0], method[1]}, called, "in the order in which they were made")
		for i, r := range results {
			v, err := r.Wait(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, i+1, v)
		}
		given := 1
		if older {
			given = 2
			p.raise(del.seq, "KeyError")
		} else {
			p.reply(del.seq, val(nil))
		}
		for range given {
			m := p.next()
			require.Equal(t, int64(wire.HandleDel), m.body.(brine.Tuple)[0], m.text)
			boxed := m.body.(brine.Tuple)[1].(brine.Tuple)
			require.EqualValues(t, map[bool]int64{false: 1, true: 2}[older], boxed[0], m.text)
		}
		require.Same(t, wire.FamilyE, c.Dialect())
	}
}

// TestExitTellsTheException leaves a context manager of a peer of each family.
func TestExitTellsTheException(t *testing.T) {
	for _, d := range []*wire.Dialect{wire.FamilyD, wire.FamilyE} {
		c, p := scripted(t, nil, &protocol.Config{Dialect: d})
		var pack any = id("m.Manager", 1, 2)
		if d == wire.FamilyE {
			pack = id4("m.Manager", 1, 2, 3)
		}
		done := make(chan error, 1)
		go func() {
			o, err := netref.Get[*netref.Object](context.Background(), c.Root(), "manager")
			if err == nil {
				err = o.With(context.Background(), func(any) error { return vinegar.KeyError.New("why") })
			}
			done <- err
		}()
		for {
			m := p.next()
			body := m.body.(brine.Tuple)
			switch wire.Handler(body[0].(int64)) {
			case wire.HandleGetRoot, wire.HandleGetAttr: // in family E, __enter__ is the manager itself
				p.reply(m.seq, mine(pack))
				continue
			case wire.HandleCall, wire.HandleCallAttr, wire.HandleDel:
				p.reply(m.seq, val(nil))
				continue
			}
			require.Equal(t, int64(wire.HandleCtxExit), body[0], m.text)
			exc := body[1].(brine.Tuple)[1].(brine.Tuple)[1].(brine.Tuple)
			if d == wire.FamilyD {
				require.EqualValues(t, 4, exc[0], "the class: %s", m.text)
			} else {
				require.EqualValues(t, 1, exc[0], m.text)
				require.Equal(t, brine.Tuple{"builtins", "KeyError"}, exc[1].(brine.Tuple)[0])
				require.Equal(t, brine.Tuple{"why"}, exc[1].(brine.Tuple)[1])
			}
			p.reply(m.seq, val(true))
			break
		}
		require.NoError(t, <-done, "suppressed")
	}
}

// TestForksLeftOut refuses rpyc-ng where it is not spoken, as soon as it shows.
func TestForksLeftOut(t *testing.T) {
	cfg := &protocol.Config{Families: []*wire.Dialect{wire.FamilyC, wire.FamilyD}}
	c, p := accepted(t, nil, wire.FamilyE, "127.0.0.1", cfg)
	root := askRoot(p)
	p.send(wire.Request, int64(1), brine.Tuple{int64(wire.HandleType), val(brine.Tuple{root})})
	p.expectException(int64(1), "builtins.RuntimeError")
	p.expectEOF()
	<-c.Done()
	var family *protocol.FamilyError
	require.ErrorAs(t, c.Err(), &family)
	require.Same(t, wire.FamilyE, family.Got)

	_, err := negotiate(t, cfg, func(s io.ReadWriteCloser) {
		p := newPeer(t, s, wire.FamilyE)
		p.reply(p.next().seq, mine(id4("m.Service", 1, 2, 3)))
	})
	require.True(t, errors.As(err, &family), "%v", err)
}
