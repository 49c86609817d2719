package netref_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// TestAssignRemote converts objects of the peer, asking it for their contents.
func TestAssignRemote(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &shop{}, nil)
	list := mustObject(ctx, root, "list")

	all, err := netref.As[[]any](ctx, list)
	require.NoError(t, err)
	require.Equal(t, []any{int64(1), "two", 3.5}, all)
	three, err := netref.As[[3]any](ctx, list)
	require.NoError(t, err)
	require.Equal(t, [3]any{int64(1), "two", 3.5}, three)
	ints, err := netref.Call[[]int16](ctx, root, "ints", 5000)
	require.NoError(t, err)
	require.Len(t, ints, 5000)
	p, err := netref.Call[*[]int](ctx, root, "ints", 2)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, *p)

	prices, err := netref.Call[map[string]float64](ctx, root, "prices")
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"apple": 3, "pear": 4.5}, prices)
	orders, err := netref.Call[[]map[string]any](ctx, root, "orders")
	require.NoError(t, err)
	require.Equal(t, "cheap", orders[3]["price"])

	pt, err := netref.Call[point](ctx, root, "point")
	require.NoError(t, err)
	require.Equal(t, point{1, 2, "t"}, pt)
	ptr, err := netref.Call[*struct {
		A  int8 `rpyc:"x"`
		B  any  `rpyc:"y"`
		No int  `rpyc:"-"`
	}](ctx, root, "point")
	require.NoError(t, err)
	require.Equal(t, int8(1), ptr.A)
	require.Equal(t, int64(2), ptr.B)
	apple, err := netref.Call[struct{ Apple int }](ctx, root, "prices")
	require.NoError(t, err, "a dict gives its items")
	require.Equal(t, 3, apple.Apple)

	add, err := netref.Call[func(context.Context, int) (int, error)](ctx, root, "adder", 5)
	require.NoError(t, err)
	n, err := add(ctx, 10)
	require.NoError(t, err)
	require.Equal(t, 15, n)
	plain, err := netref.Call[func(int) int](ctx, root, "adder", 6)
	require.NoError(t, err)
	require.Equal(t, 16, plain(10))
	b, err := netref.Call[[]byte](ctx, root, "bytes")
	require.NoError(t, err)
	require.Equal(t, []byte{1, 2, 255}, b)
	o, err := netref.As[*netref.Object](ctx, list)
	require.NoError(t, err)
	require.Same(t, list, o)
}

// TestAssignIterators ranges over objects of the peer with Go's iterators.
func TestAssignIterators(t *testing.T) {
	ctx := t.Context()
	s := &shop{}
	root, _ := connect(t, s, nil)
	numbers, err := netref.Call[iter.Seq[int]](ctx, root, "numbers", 1000)
	require.NoError(t, err)
	require.Zero(t, s.Produced(), "nothing is asked for before it is ranged over")
	n := 0
	for x := range numbers {
		require.Equal(t, n, x)
		if n++; n == 3 {
			break
		}
	}
	require.Equal(t, 3, s.Produced())

	list, err := netref.Call[iter.Seq2[int, error]](ctx, root, "list")
	require.NoError(t, err)
	for range 2 { // a list can be ranged over again
		var got []int
		var errs []error
		for x, err := range list {
			if err != nil {
				errs = append(errs, err)
			} else {
				got = append(got, x)
			}
		}
		require.Equal(t, []int{1}, got)
		require.Len(t, errs, 1)
		require.EqualError(t, errs[0], "cannot use str as int: 'two'")
	}
	bad, err := netref.Call[iter.Seq[int]](ctx, root, "list")
	require.NoError(t, err)
	require.Panics(t, func() {
		for range bad {
		}
	}, "there is no place for the error")
	_, err = netref.Call[iter.Seq2[int, int]](ctx, root, "numbers", 3)
	require.NoError(t, err, "it is a func to call")

	set, err := netref.Call[map[int]struct{}](ctx, root, "ints", 3)
	require.NoError(t, err)
	require.Equal(t, map[int]struct{}{0: {}, 1: {}, 2: {}}, set)
	_, err = netref.Call[map[int]int](ctx, root, "ints", 3)
	require.EqualError(t, err, "ints: cannot use list as map[int]int (not a mapping)")
}

func TestAssignRemoteRefuses(t *testing.T) {
	ctx := t.Context()
	root, c := connect(t, &shop{}, nil)
	list, prices := mustObject(ctx, root, "list"), mustObject(ctx, root, "prices")
	var ce *netref.ConvertError
	for _, x := range []struct {
		err  func() error
		want string
	}{
		{func() error { _, err := netref.As[[]int](ctx, list); return err }, "result[1]: cannot use str as int: 'two'"},
		{func() error { _, err := netref.As[[2]any](ctx, list); return err }, "cannot use list as [2]interface {} (3 items)"},
		{func() error { _, err := netref.As[int](ctx, list); return err }, "cannot use list as int"},
		{func() error { _, err := netref.As[string](ctx, list); return err }, "cannot use list as string"},
		{func() error {
			_, err := netref.As[map[string]int](ctx, prices)
			return err
		}, `result["pear"]: cannot use float as int: 4.5`},
		{func() error {
			_, err := netref.Call[[]map[string]int](ctx, root, "orders")
			return err
		}, `orders: result[3]["price"]: cannot use str as int: 'cheap'`},
		{
			func() error { _, err := netref.Call[[]struct{ Price uint8 }](ctx, root, "orders"); return err },
			`orders: result[3]["price"]: cannot use str as uint8: 'cheap'`,
		},
		{func() error {
			_, err := netref.Call[struct{ X string }](ctx, root, "point")
			return err
		}, `point: result.x: cannot use int as string: 1`},
	} {
		err := x.err()
		require.ErrorAs(t, err, &ce)
		require.EqualError(t, err, x.want)
	}
	for _, err := range []error{
		errOf(netref.Call[struct{ Z int }](ctx, root, "point")),
		errOf(netref.Call[[]int](ctx, root, "point")),
		errOf(netref.Call[map[string]int](ctx, root, "point")),
		errOf(netref.Call[struct{ hidden int }](ctx, root, "point")),
	} {
		require.ErrorAs(t, err, &ce)
	}
	require.NoError(t, c.Close())
	_, err := netref.As[[]any](ctx, list)
	require.ErrorIs(t, err, protocol.ErrClosed, "that is not a matter of types")
}

func errOf[T any](_ T, err error) error { return err }

// TestRoundTripOfOwnObjects sends objects of ours and gets them back as what they are.
func TestRoundTripOfOwnObjects(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &shop{}, nil)
	p := &point{X: 5}
	back, err := netref.Call[*point](ctx, root, "echo", p)
	require.NoError(t, err)
	require.Same(t, p, back)
	f := func(x int) int { return x * 2 }
	g, err := netref.Call[func(int) int](ctx, root, "echo", f)
	require.NoError(t, err)
	require.Equal(t, 8, g(4))
	xs, err := netref.Call[[]int](ctx, root, "echo", []int{1, 2})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, xs)
}
