package protocol_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// A chain is a peer A, connected to B, which is connected to C. Objects of A and C meet through B, which knows neither.

// relay is B's service for A: it hands what it gets to C.
type relay struct{ c *protocol.Conn }

// Pass calls a method of C's root with what A gave.
func (r *relay) Pass(ctx context.Context, method string, x any) (any, error) {
	return r.c.Root().CallMethod(ctx, method, x)
}

// Root is C's root.
func (r *relay) Root() *netref.Object { return r.c.Root() }

func (r *relay) Add(a, b int) int { return a + b }

// far is C's service.
type far struct{ kept any }

func (f *far) Value(ctx context.Context, o *netref.Object) (int, error) {
	return netref.Call[int](ctx, o, "value")
}

func (f *far) Keep(x any) { f.kept = x }

func (f *far) Apply(ctx context.Context, g func(context.Context, int) (int, error)) (int, error) {
	return g(ctx, 20)
}

func (f *far) Kept() any { return f.kept }

func (f *far) Same(x any) bool { return x == f.kept }

func (f *far) Fail() error { return vinegar.KeyError.New("of C") }

func (f *far) Items() any { return []any{int64(1), "two", &thing{N: 3}} }

type chain struct {
	a        *protocol.Conn // A's end of its connection to B
	ab, bc   *protocol.Conn // B's ends
	c        *protocol.Conn // C's end
	service  *far
	toCenter *netref.Object // B's root, seen by A
}

func newChain(t *testing.T) *chain {
	t.Helper()
	ctx := context.Background()
	k := &chain{service: &far{}}
	var err error
	k.bc, k.c, err = protocol.Pair(ctx, nil, k.service, &protocol.Config{Timeout: 10 * time.Second})
	require.NoError(t, err)
	k.a, k.ab, err = protocol.Pair(ctx, nil, &relay{k.bc}, &protocol.Config{Timeout: 10 * time.Second})
	require.NoError(t, err)
	k.toCenter = k.a.Root()
	t.Cleanup(func() {
		for _, c := range []*protocol.Conn{k.a, k.ab, k.bc, k.c} {
			_ = c.CloseNow()
			<-c.Done()
		}
	})
	return k
}

// TestChainUsesAnObjectOfTheOtherEnd hands an object of A to C through B, where it is used.
func TestChainUsesAnObjectOfTheOtherEnd(t *testing.T) {
	k := newChain(t)
	ctx := t.Context()
	n, err := netref.Call[int](ctx, k.toCenter, "pass", "value", &thing{N: 42})
	require.NoError(t, err)
	require.Equal(t, 42, n)

	n, err = netref.Call[int](ctx, k.toCenter, "pass", "apply", func(x int) int { return x + 1 })
	require.NoError(t, err)
	require.Equal(t, 21, n)
}

// TestChainKeepsIdentity sends the same object down the chain twice, and back.
func TestChainKeepsIdentity(t *testing.T) {
	k := newChain(t)
	ctx := t.Context()
	mine := &thing{N: 7}
	_, err := k.toCenter.CallMethod(ctx, "pass", "keep", mine)
	require.NoError(t, err)
	same, err := netref.Call[bool](ctx, k.toCenter, "pass", "same", mine)
	require.NoError(t, err)
	require.True(t, same, "C has one handle on it")

	c, err := netref.Call[*netref.Object](ctx, k.toCenter, "root")
	require.NoError(t, err)
	back, err := c.CallMethod(ctx, "kept")
	require.NoError(t, err)
	require.Same(t, mine, back)
}

// TestChainForwardsEveryOperation works on an object of C from A.
func TestChainForwardsEveryOperation(t *testing.T) {
	k := newChain(t)
	ctx := t.Context()
	c, err := netref.Call[*netref.Object](ctx, k.toCenter, "root")
	require.NoError(t, err)
	_, err = c.CallMethod(ctx, "fail")
	require.ErrorIs(t, err, vinegar.KeyError)
	var e *vinegar.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, []any{"of C"}, e.Args)

	o, err := netref.Call[*netref.Object](ctx, c, "items")
	require.NoError(t, err)
	n, err := o.Len(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	v, err := o.Item(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, "two", v)
	v, err = o.Item(ctx, brine.Slice{Start: int64(0), Stop: int64(2), Step: nil})
	require.NoError(t, err)
	items, err := netref.As[[]any](ctx, v)
	require.NoError(t, err)
	require.Equal(t, []any{int64(1), "two"}, items)
	last, err := netref.Item[*netref.Object](ctx, o, -1)
	require.NoError(t, err)
	value, err := netref.Call[int](ctx, last, "value")
	require.NoError(t, err)
	require.Equal(t, 3, value)

	s, err := last.Repr(ctx)
	require.NoError(t, err)
	require.Contains(t, s, "thing object")
	s, err = c.Str(ctx)
	require.NoError(t, err)
	require.Contains(t, s, "far object")
	names, err := c.Dir(ctx)
	require.NoError(t, err)
	require.Contains(t, names, "exposed_kept")
	eq, err := o.Equal(ctx, o)
	require.NoError(t, err)
	require.True(t, eq)
	h, err := last.Hash(ctx)
	require.NoError(t, err)
	again, err := last.Hash(ctx)
	require.NoError(t, err)
	require.Equal(t, h, again)
	_, err = o.Hash(ctx)
	require.ErrorIs(t, err, vinegar.TypeError)
	got, err := netref.As[[]any](ctx, o)
	require.NoError(t, err)
	require.Equal(t, []any{int64(1), "two", last}, got)
	_, err = c.Get(ctx, "kepd")
	require.ErrorIs(t, err, vinegar.AttributeError)
	var pairs any
	ref, _ := o.Ref()
	require.NoError(t, k.a.Request(ctx, &pairs, wire.HandleInspect, ref.Tuple()))
	require.NotEmpty(t, pairs)
}

// TestRootOfAnotherConnection serves the root of another connection as one's own, without having used it before.
func TestRootOfAnotherConnection(t *testing.T) {
	ctx := t.Context()
	bc, c, err := protocol.Pair(ctx, nil, &far{kept: "of C"}, nil)
	require.NoError(t, err)
	a, ab, err := protocol.Pair(ctx, nil, bc.Root(), nil)
	require.NoError(t, err)
	s, err := netref.Call[string](ctx, a.Root(), "kept")
	require.NoError(t, err)
	require.Equal(t, "of C", s)
	for _, x := range []*protocol.Conn{a, ab, bc, c} {
		require.NoError(t, x.CloseNow())
		<-x.Done()
	}
}

// TestUnresolvedRootOfNobody returns a root handle whose peer is gone before it said what it stands for.
func TestUnresolvedRootOfNobody(t *testing.T) {
	k := newChain(t)
	_ = k.c.CloseNow()
	<-k.bc.Done()
	_, err := k.toCenter.CallMethod(t.Context(), "root")
	require.ErrorIs(t, err, vinegar.EOFError)
	require.NoError(t, k.a.Err())
}

// TestChainLetsGo checks that an object is given up along the whole chain.
func TestChainLetsGo(t *testing.T) {
	k := newChain(t)
	ctx := t.Context()
	_, err := k.toCenter.CallMethod(ctx, "pass", "keep", &thing{N: 7})
	require.NoError(t, err)
	require.Equal(t, 1, k.a.Exported())
	require.Equal(t, 1, k.bc.Exported())
	_, err = k.toCenter.CallMethod(ctx, "pass", "keep", nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		protocol.CollectSoon()
		return k.a.Exported() == 0 && k.bc.Exported() == 0 && k.c.Imported() == 0
	}, 30*time.Second, time.Millisecond)
}

// TestChainBreaks ends the farther connection while its objects are in use through the nearer one.
func TestChainBreaks(t *testing.T) {
	k := newChain(t)
	ctx := t.Context()
	c, err := netref.Call[*netref.Object](ctx, k.toCenter, "root")
	require.NoError(t, err)
	_ = k.c.CloseNow()
	<-k.bc.Done()
	_, err = c.CallMethod(ctx, "kept")
	require.ErrorIs(t, err, vinegar.EOFError)
	require.NoError(t, k.a.Err(), "the nearer one stands")
	n, err := netref.Call[int](ctx, k.toCenter, "add", 1, 2)
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

// TestChainNestsThroughTheMiddle has C call A's function through B, and the function call B while B's handler still
// waits for C.
func TestChainNestsThroughTheMiddle(t *testing.T) {
	k := newChain(t)
	ctx := t.Context()
	n, err := netref.Call[int](ctx, k.toCenter, "pass", "apply", func(ctx context.Context, x int) (int, error) {
		return netref.Call[int](ctx, k.toCenter, "add", x, 1)
	})
	require.NoError(t, err)
	require.Equal(t, 21, n)
}
