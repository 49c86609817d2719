package netref_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestIter(t *testing.T) {
	ctx := t.Context()
	s := &shop{}
	root, _ := connect(t, s, nil)
	var got []any
	for v, err := range mustObject(ctx, root, "list").Iter(ctx) {
		require.NoError(t, err)
		got = append(got, v)
	}
	require.Equal(t, []any{int64(1), "two", 3.5}, got)

	n := 0
	for v, err := range mustObject(ctx, root, "numbers", 1000).Iter(ctx) {
		require.NoError(t, err)
		require.Equal(t, int64(n), v)
		if n++; n == 5 {
			break
		}
	}
	require.Equal(t, 5, s.Produced(), "no item more than was consumed")

	got = nil
	var last error
	for v, err := range mustObject(ctx, root, "broken").Iter(ctx) {
		if last = err; err == nil {
			got = append(got, v)
		}
	}
	require.Equal(t, []any{int64(1)}, got)
	require.ErrorIs(t, last, vinegar.KeyError)

	rounds := 0
	for _, err := range root.Iter(ctx) {
		rounds++
		require.Error(t, err, "a shop is not iterable")
	}
	require.Equal(t, 1, rounds)
}

// TestBuffIter counts how many items are asked for at a time.
func TestBuffIter(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		b         *netref.Buffering
		stopAfter int
		produced  int
	}{
		{nil, 1, 10}, {nil, 10, 10}, {nil, 11, 30}, {nil, 31, 70},
		{&netref.Buffering{Chunk: 3}, 4, 9},
		{&netref.Buffering{Chunk: 3, Max: 4}, 8, 11},
		{&netref.Buffering{Chunk: 50, Max: 4}, 1, 4},
		{&netref.Buffering{Chunk: 2, Factor: 5}, 3, 12},
		{&netref.Buffering{Chunk: 2, Factor: 1}, 3, 4},
	} {
		s := &shop{}
		root, _ := connect(t, s, nil)
		n := 0
		for v, err := range mustObject(ctx, root, "numbers", 1000).BuffIter(ctx, c.b) {
			require.NoError(t, err)
			require.Equal(t, int64(n), v)
			if n++; n == c.stopAfter {
				break
			}
		}
		require.Equal(t, c.produced, s.Produced(), "%+v", c)
	}
}

func TestItems(t *testing.T) {
	ctx := t.Context()
	root, _ := connect(t, &shop{}, nil)
	n := 0
	for v, err := range netref.Items[int](ctx, mustObject(ctx, root, "ints", 2500)) {
		require.NoError(t, err)
		require.Equal(t, n, v)
		n++
	}
	require.Equal(t, 2500, n)
	var errs []error
	for v, err := range netref.Items[int](ctx, mustObject(ctx, root, "list")) {
		if err == nil {
			require.Equal(t, 1, v)
		} else {
			errs = append(errs, err)
		}
	}
	require.Len(t, errs, 1, "the first item that does not fit is the end")
	require.EqualError(t, errs[0], "cannot use str as int: 'two'")
}

func TestAsync(t *testing.T) {
	ctx := t.Context()
	s := &shop{gate: make(chan struct{})}
	root, c := connect(t, s, nil)
	_, err := root.Str(ctx)
	require.NoError(t, err)
	r, err := root.CallMethodAsync(ctx, "wait")
	require.NoError(t, err)
	require.False(t, r.Ready())
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err = r.Wait(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(s.gate)
	for range 2 { // it can be asked for again
		v, err := r.Wait(ctx)
		require.NoError(t, err)
		require.Equal(t, "through", v)
	}
	<-r.Done()
	require.True(t, r.Ready())
	text, err := netref.Await[string](ctx, r)
	require.NoError(t, err)
	require.Equal(t, "through", text)
	_, err = netref.Await[int](ctx, r)
	require.EqualError(t, err, "wait: cannot use str as int: 'through'")

	f, err := netref.Get[*netref.Object](ctx, root, "add")
	require.NoError(t, err)
	r, err = f.CallAsync(ctx, 1, 2)
	require.NoError(t, err)
	n, err := netref.Await[int](ctx, r)
	require.NoError(t, err)
	require.Equal(t, 3, n)

	r, err = root.CallMethodAsync(ctx, "fail")
	require.NoError(t, err)
	_, err = netref.Await[int](ctx, r)
	require.ErrorIs(t, err, vinegar.ValueError)

	require.NoError(t, c.Close())
	_, err = root.CallMethodAsync(ctx, "add", 1, 2)
	require.True(t, errors.Is(err, protocol.ErrClosed))
}
