package rpyctest_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/rpyctest"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// fake is a test whose failures are looked at.
type fake struct {
	testing.TB
	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (f *fake) Helper()          {}
func (f *fake) Cleanup(g func()) { f.cleanups = append(f.cleanups, g) }
func (f *fake) Error(args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors = append(f.errors, fmt.Sprint(args...))
}
func (f *fake) Errorf(format string, args ...any) { f.Error(fmt.Sprintf(format, args...)) }

// end ends the test and returns its failures.
func (f *fake) end() []string {
	for i := range f.cleanups {
		f.cleanups[len(f.cleanups)-1-i]()
	}
	return f.errors
}

func dial(t *testing.T, addr string) *protocol.Conn {
	c, err := protocol.Dial(t.Context(), "tcp", addr, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func TestPeer(t *testing.T) {
	p := rpyctest.NewPeer(t)
	p.Attr("limit", 100)
	p.Expect("add", 2, 3).Return(5)
	p.Expect("total", []int{1, 2}, map[string]int{"a": 1}).Return("three")
	p.Expect("greet", "Ann").Keyword("punct", "?").Return("Hi, Ann?")
	p.Expect("fail").Raise(vinegar.KeyError.New("k"))
	p.Expect("odd", rpyctest.Anything, func(v any) bool { return v == int64(7) }).Return(nil)
	p.Expect("each").Do(func(ctx context.Context, args []any) (any, error) { return len(args), nil })
	p.Expect("again", 1).Repeat(2, func(s *rpyctest.Step) { s.Return("x") })
	p.Expect("slow").After(time.Millisecond).Return(1)
	p.Expect("hang").Hang()
	p.Expect("leave").HangUp()

	c := dial(t, p.Addr())
	ctx, root := t.Context(), c.Root()
	limit, err := netref.Get[int](ctx, root, "limit")
	require.NoError(t, err)
	require.Equal(t, 100, limit)
	call := func(want any, name string, args ...any) {
		t.Helper()
		v, err := root.CallMethod(ctx, name, args...)
		require.NoError(t, err)
		require.EqualValues(t, want, v)
	}
	call(5, "add", 2, 3)
	call("three", "total", exposed.NewList(1, 2), map[string]int{"a": 1})
	call("Hi, Ann?", "greet", "Ann", netref.Keyword{Name: "punct", Value: "?"})
	_, err = root.CallMethod(ctx, "fail")
	require.ErrorIs(t, err, vinegar.KeyError)
	call(nil, "odd", 1.5, 7)
	call(0, "each")
	call("x", "again", 1)
	call("x", "again", 1)
	call(1, "slow")
	bounded, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err = root.CallMethod(bounded, "hang")
	require.ErrorIs(t, err, context.DeadlineExceeded)

	other := dial(t, p.Addr())
	_, err = other.Root().CallMethod(ctx, "leave")
	require.ErrorIs(t, err, protocol.ErrClosed)
	require.Len(t, p.Conns(), 2)
}

func TestPeerFailsTheTest(t *testing.T) {
	for want, use := range map[string]func(p *rpyctest.Peer, root *netref.Object){
		"want add(2, 3), got add(2, 4)": func(p *rpyctest.Peer, root *netref.Object) {
			p.Expect("add", 2, 3).Return(5)
			_, err := root.CallMethod(t.Context(), "add", 2, 4)
			require.ErrorIs(t, err, vinegar.AssertionError)
		},
		"want add(2), got add(2, k=1)": func(p *rpyctest.Peer, root *netref.Object) {
			p.Expect("add", 2).Return(5)
			_, err := root.CallMethod(t.Context(), "add", 2, netref.Keyword{Name: "k", Value: 1})
			require.ErrorIs(t, err, vinegar.AssertionError)
		},
		"want b(), got a()": func(p *rpyctest.Peer, root *netref.Object) {
			p.Expect("b").Return(5)
			p.Expect("a").Return(5)
			for range 2 {
				_, err := root.CallMethod(t.Context(), "a")
				if err != nil {
					require.ErrorIs(t, err, vinegar.AssertionError)
				}
			}
		},
		"no further call is expected, got add()": func(p *rpyctest.Peer, root *netref.Object) {
			p.Expect("add").Return(5)
			for range 2 {
				_, _ = root.CallMethod(t.Context(), "add")
			}
		},
		"no use of nothing is expected": func(_ *rpyctest.Peer, root *netref.Object) {
			_, err := root.Get(t.Context(), "nothing")
			require.ErrorIs(t, err, vinegar.AssertionError)
		},
		"add('x') was expected and has not come": func(p *rpyctest.Peer, _ *netref.Object) {
			p.Expect("add", "x").Return(5)
		},
	} {
		f := &fake{TB: t}
		p := rpyctest.NewPeer(f)
		c := dial(t, p.Addr())
		use(p, c.Root())
		errs := f.end()
		require.NotEmpty(t, errs, want)
		require.Contains(t, errs[0], want)
	}
}

type adder struct{}

func (adder) Add(a, b int) int { return a + b }

func (adder) Apply(ctx context.Context, f *netref.Object, n int) (any, error) { return f.Call(ctx, n) }

func TestFaults(t *testing.T) {
	add := func(f rpyctest.Faults, patience time.Duration) (int, error) {
		a, _ := rpyctest.Pair(t, nil, adder{}, f, nil)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		return netref.Call[int](ctx, a.Root(), "add", 2, 3)
	}
	for _, f := range []rpyctest.Faults{{}, {Split: true}, {Delay: time.Millisecond}} {
		n, err := add(f, time.Minute)
		require.NoError(t, err)
		require.Equal(t, 5, n)
	}
	_, err := add(rpyctest.Faults{CutAfter: 20}, time.Minute)
	require.ErrorIs(t, err, protocol.ErrClosed)
	_, err = add(rpyctest.Faults{StallAfter: 20}, 50*time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = add(rpyctest.Faults{CorruptAt: 4, CutAfter: 200}, time.Minute)
	require.ErrorIs(t, err, protocol.ErrClosed)
}

func TestNoLeaks(t *testing.T) {
	a, b := rpyctest.Pair(t, nil, adder{}, rpyctest.Faults{}, nil)
	_, err := a.Root().Dir(t.Context())
	require.NoError(t, err)
	f := &fake{TB: t}
	check := rpyctest.NoLeaks(f, a, b)
	_, err = a.Root().CallMethod(t.Context(), "apply", func(n int) int { return n }, 1)
	require.NoError(t, err)
	check()
	require.Empty(t, f.end())
}

// tap records a conversation as gorpyc tap does.
func tap(t *testing.T, server string, use func(addr string)) string {
	path := filepath.Join(t.TempDir(), "talk.jsonl")
	f, err := os.Create(path)
	require.NoError(t, err)
	var mu sync.Mutex
	enc := json.NewEncoder(f)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		client, err := l.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		pump := func(dir string, from, to net.Conn) {
			for {
				payload, err := frame.Read(from, talk.FrameLimit)
				rec := talk.Record{Conn: 1, Dir: dir}
				if err != nil {
					rec.End = "hung up"
				} else {
					raw, _ := frame.Append(nil, payload, frame.Compress{})
					rec.Hex = hex.EncodeToString(raw)
				}
				mu.Lock()
				_ = enc.Encode(rec)
				mu.Unlock()
				if err != nil {
					_ = to.(*net.TCPConn).CloseWrite()
					return
				}
				_ = frame.Write(to, payload)
			}
		}
		all.Go(func() { pump(talk.FromClient, client, up) })
		all.Go(func() { pump(talk.FromServer, up, client) })
	})
	use(l.Addr().String())
	all.Wait()
	require.NoError(t, errors.Join(f.Close(), l.Close()))
	return path
}

func TestPlay(t *testing.T) {
	p := rpyctest.NewPeer(t)
	p.Expect("add", 2, 3).Return(5)
	p.Expect("apply", rpyctest.Anything).Do(func(ctx context.Context, args []any) (any, error) {
		return args[0].(*netref.Object).Call(ctx, 20)
	})
	p.Expect("list").Return(exposed.NewList(1, 2))
	converse := func(addr string, second int) (err error) {
		c, err := protocol.Dial(t.Context(), "tcp", addr, nil)
		require.NoError(t, err)
		defer func() { err = errors.Join(err, c.Close()) }()
		sum, err := netref.Call[int](t.Context(), c.Root(), "add", 2, second)
		if err != nil {
			return err
		}
		require.Equal(t, 5, sum)
		n, err := netref.Call[int](t.Context(), c.Root(), "apply", func(n int) int { return 2 * n })
		require.NoError(t, err)
		require.Equal(t, 40, n)
		list, err := netref.Call[*netref.Object](t.Context(), c.Root(), "list")
		require.NoError(t, err)
		length, err := list.Len(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, length)
		return nil
	}
	path := tap(t, p.Addr(), func(addr string) { require.NoError(t, converse(addr, 3)) })

	require.NoError(t, converse(rpyctest.Play(t, path).Addr(), 3))

	f := &fake{TB: t}
	require.Error(t, converse(rpyctest.Play(f, path).Addr(), 4))
	errs := f.end()
	require.Len(t, errs, 1)
	require.True(t, strings.Contains(errs[0], `"add"`) && strings.Contains(errs[0], "(2, 4)"), "%s", errs[0])

	f = &fake{TB: t}
	rpyctest.Play(f, path)
	require.Contains(t, strings.Join(f.end(), ""), "of 1 recorded connections, 0 were made")
	_, err := talk.ReadRecords(strings.NewReader("{}\n"))
	require.ErrorContains(t, err, `line 1: dir is ""`)
	_, err = talk.ReadRecords(io.LimitReader(strings.NewReader(""), 0))
	require.NoError(t, err)
}
