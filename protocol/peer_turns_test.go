package protocol_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// caller has a method that calls back. It keeps what it calls, because cleanups run outside of bubbles.
type caller struct {
	mu   sync.Mutex
	kept []any
}

func (c *caller) Ask(ctx context.Context, f *netref.Object, what string) (string, error) {
	c.mu.Lock()
	c.kept = append(c.kept, f)
	c.mu.Unlock()
	s, err := netref.CallFunc[string](ctx, f, what)
	return what + ":" + s, err
}

func (*caller) Quick() string { return "quick" }

var callbackID = id("builtins.function", 7, 8)

// TestNestedCallsAnsweredOutOfOrder makes three handlers wait for the peer, each called while the one before waits, and
// answers them in an order that no peer with one stack could: each goes on when its own answer is there.
func TestNestedCallsAnsweredOutOfOrder(t *testing.T) {
	for _, order := range [][]int64{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}} {
		bubble(t, func(t *testing.T) {
			_, p := scripted(t, &caller{}, nil)
			root := p.root()
			for i, name := range []string{"a", "b", "c"} {
				p.call(int64(100+i), root, "ask", mine(callbackID), val(name))
				p.expect([]string{
					`REQUEST 0 CALL (-builtins.function#2, ("a"), ())`,
					`REQUEST 1 CALL (-builtins.function#2, ("b"), ())`,
					`REQUEST 2 CALL (-builtins.function#2, ("c"), ())`,
				}[i])
			}
			p.call(int64(200), root, "quick")
			p.expect(`REPLY 200 "quick"`)
			answered := map[int64]string{100: "a:0", 101: "b:1", 102: "c:2"}
			for _, n := range order {
				p.reply(n, val(string(rune('0'+n))))
				m := p.next()
				require.Equal(t, 100+n, m.seq)
				require.Equal(t, val(answered[100+n]), m.body)
			}
		})
	}
}

// TestCallbackRaises sends an exception through a handler that does not catch it.
func TestCallbackRaises(t *testing.T) {
	_, p := scripted(t, &caller{}, nil)
	p.call(int64(1), p.root(), "ask", mine(callbackID), val("a"))
	m := p.next()
	p.raise(m.seq, "ZeroDivisionError", "of the peer")
	m = p.expectException(int64(1), "builtins.ZeroDivisionError")
	require.Equal(t, brine.Tuple{"of the peer"}, m.body.(brine.Tuple)[1])
	require.Contains(t, m.body.(brine.Tuple)[3], "Remote Traceback (1)")
}

// TestAnswersThatDoNotWaitForHandlers asks, while a handler runs and holds the only turn, for what a CPython peer asks
// for while it decodes our messages, and for what runs nothing of the user's.
func TestAnswersThatDoNotWaitForHandlers(t *testing.T) {
	for _, d := range bothFamilies {
		bubble(t, func(t *testing.T) {
			s := &gated{gate: make(chan struct{}), ctx: make(chan context.Context, 1)}
			c, p := scripted(t, s, &protocol.Config{Dialect: d})
			root := p.root()
			p.call(int64(1), root, "wait")
			<-s.ctx

			p.send(wire.Request, int64(2), brine.Tuple{int64(wire.HandleInspect), val(brine.Tuple{root})})
			m := p.next()
			require.Equal(t, int64(2), m.seq)
			pairs := m.body.(brine.Tuple)[1].(brine.Tuple)
			require.NotEmpty(t, pairs)
			for _, x := range pairs {
				pair := x.(brine.Tuple)
				require.Len(t, pair, 2)
				require.IsType(t, "", pair[0])
			}
			p.request(int64(3), wire.HandlePing, val("x"))
			p.expect(`REPLY 3 "x"`)
			p.request(int64(4), wire.HandleGetRoot)
			require.Equal(t, int64(4), p.next().seq)
			p.request(int64(5), wire.HandleDel, yours(root), val(1))
			p.expect("REPLY 5 None")
			p.call(int64(6), root, "value")
			p.request(int64(7), wire.HandleInspect, val(id("no.Such", 1, 2)))
			p.expectException(int64(7), "builtins.KeyError")
			require.NoError(t, c.Err())

			close(s.gate)
			p.expect(`REPLY 1 "through"`)
			p.expect("REPLY 6 17")
		})
	}
}

// TestHandlerThatGivesUp lets a handler's call of the peer end by its own context; the handler goes on.
func TestHandlerThatGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, p := scripted(t, &impatient{}, nil)
		root := p.root()
		p.call(int64(1), root, "ask", mine(callbackID))
		p.expect("REQUEST 0 CALL (-builtins.function#2, (), ())")
		p.call(int64(2), root, "value")
		p.expect("REPLY 2 1")
		p.expect(`REPLY 1 "context canceled"`)
		p.reply(int64(0), val("too late"))
		p.alive()
	})
}

type impatient struct{ cancel context.CancelFunc }

func (i *impatient) Ask(ctx context.Context, f *netref.Object) string {
	ctx, i.cancel = context.WithCancel(ctx)
	_, err := f.Call(ctx)
	return err.Error()
}

func (i *impatient) Value() int { i.cancel(); return 1 }

// TestGoroutinesOfAHandler has a handler call the peer from several goroutines at once: the turn is given up once and
// taken back once.
func TestGoroutinesOfAHandler(t *testing.T) {
	_, p := scripted(t, &fanOut{}, nil)
	defer p.watchdog()()
	root := p.root()
	p.call(int64(1), root, "all", mine(callbackID), val(5))
	p.call(int64(2), root, "value")
	var asked []any
	for len(asked) < 5 {
		m := p.next()
		if m.kind == wire.Request {
			asked = append(asked, m.seq)
		} else {
			require.Equal(t, "REPLY 2 3", m.text)
		}
	}
	for i := len(asked) - 1; i >= 0; i-- {
		p.reply(asked[i], val(10))
	}
	for {
		if m := p.next(); m.seq == int64(1) {
			require.Equal(t, "REPLY 1 50", m.text)
			break
		}
	}
}

type fanOut struct{}

func (*fanOut) Value() int { return 3 }

func (*fanOut) All(ctx context.Context, f *netref.Object, n int) (int, error) {
	sums := make(chan int, n)
	for range n {
		go func() {
			v, err := netref.CallFunc[int](ctx, f)
			if err != nil {
				v = -1000
			}
			sums <- v
		}()
	}
	total := 0
	for range n {
		total += <-sums
	}
	return total, nil
}

// faulty misbehaves in every way a handler can.
type faulty struct{}

func (faulty) Panic() { panic("boom") }

func (faulty) PanicError() { panic(vinegar.KeyError.New("k")) }

func (faulty) Index() int { var s []int; return s[len(s)] }

func (faulty) NilMap() { var m map[string]int; m["x"] = 1 } //nolint:staticcheck // the panic is the point

func (faulty) Divide(by int) int { return 1 / by }

func (faulty) NilPointer() int { var g *gated; return cap(g.gate) }

func (faulty) BadText() string { return "\xff" }

func (faulty) Deep() any {
	var v any = int64(1)
	for range 1000 {
		v = brine.Tuple{v}
	}
	return v
}

func (faulty) Digits() any { return pow10(5000) }

func (faulty) BadInside(c context.Context) any { return brine.Tuple{&gated{}, "\xff"} }

func (faulty) BadException() error { return vinegar.ValueError.New("\xff", pow10(5000)) }

// TestFaultyHandlers checks that whatever a handler does, its caller gets an exception and the connection stays usable.
func TestFaultyHandlers(t *testing.T) {
	for _, d := range bothFamilies {
		c, p := scripted(t, faulty{}, &protocol.Config{Dialect: d})
		root := p.root()
		for method, class := range map[string]string{
			"panic": "RuntimeError", "panic_error": "KeyError", "index": "IndexError", "nil_map": "", "nil_pointer": "",
			"bad_text": "", "deep": "", "digits": "", "bad_inside": "", "bad_exception": "ValueError",
		} {
			p.call(method, root, method)
			m := p.next()
			require.Equal(t, wire.Exception, m.kind, m.text)
			require.Equal(t, method, m.seq)
			if class != "" {
				require.Equal(t, "builtins."+class, excClass(m.body))
			}
			require.Equal(t, 1, c.Exported(), "%s: only the root is held", method)
		}
		p.call("divide", root, "divide", val(0))
		p.expectException("divide", "builtins.ZeroDivisionError")
		p.alive()
		require.NoError(t, c.Err())
	}
}
