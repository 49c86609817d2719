package netref_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// counting has things to iterate over.
type counting struct{}

func (counting) Up(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func (counting) Fails(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, vinegar.ValueError.New("no more"))
	}
}

// Sum takes an iterable of the caller's.
func (counting) Sum(xs iter.Seq2[int, error]) (sum int, err error) {
	for x, err := range xs {
		if err != nil {
			return sum, err
		}
		sum += x
	}
	return sum, nil
}

func (counting) List() *exposed.List { return exposed.NewList(2, 0, 1) }

func TestIterators(t *testing.T) {
	ctx := t.Context()
	c, s, err := protocol.Pair(ctx, nil, counting{}, nil)
	require.NoError(t, err)
	defer func() {
		_ = c.Close()
		<-s.Done()
	}()
	root := c.Root()
	up, err := netref.Call[iter.Seq[int]](ctx, root, "up", 4)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 3}, slices.Collect(up))

	fails, err := netref.Call[iter.Seq2[int, error]](ctx, root, "fails", 2)
	require.NoError(t, err)
	var got []int
	var last error
	for v, err := range fails {
		got, last = append(got, v), err
	}
	require.Equal(t, []int{0, 1, 0}, got)
	require.ErrorIs(t, last, vinegar.ValueError)

	words, err := netref.Call[iter.Seq2[string, error]](ctx, root, "up", 3)
	require.NoError(t, err)
	for _, err := range words {
		var ce *netref.ConvertError
		require.ErrorAs(t, err, &ce)
	}
	sum, err := netref.Call[int](ctx, root, "sum", exposed.NewList(1, 2, 3))
	require.NoError(t, err)
	require.Equal(t, 6, sum)
}

func TestWhatIsNoMapping(t *testing.T) {
	ctx := t.Context()
	c, s, err := protocol.Pair(ctx, nil, counting{}, nil)
	require.NoError(t, err)
	defer func() {
		_ = c.Close()
		<-s.Done()
	}()
	_, err = netref.Call[map[int]int](ctx, c.Root(), "list")
	var ce *netref.ConvertError
	require.ErrorAs(t, err, &ce)
	require.Equal(t, "not a mapping", ce.Reason)
	set, err := netref.Call[map[int]struct{}](ctx, c.Root(), "list")
	require.NoError(t, err)
	require.Equal(t, map[int]struct{}{0: {}, 1: {}, 2: {}}, set)
}

type ring struct{ Self *ring }

type Base struct{ N int }

type derived struct{ *Base }

// knot has itself as an attribute.
type knot struct{}

func (k *knot) PyGetAttr(_ context.Context, name string) (any, error) {
	if name == "n" {
		return 7, nil
	}
	return k, nil
}

func TestStructsOfObjects(t *testing.T) {
	ctx := t.Context()
	c, s, err := protocol.Pair(ctx, nil, &knot{}, nil)
	require.NoError(t, err)
	defer func() {
		_ = c.Close()
		<-s.Done()
	}()
	_, err = netref.As[ring](ctx, c.Root())
	var ce *netref.ConvertError
	require.ErrorAs(t, err, &ce)
	require.Contains(t, ce.Reason, "too deep")
	d, err := netref.As[derived](ctx, c.Root())
	require.NoError(t, err)
	require.Equal(t, 7, d.N)
}
