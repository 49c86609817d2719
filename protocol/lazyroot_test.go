package protocol_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// TestLazyRoot asks for a root object that cannot be had at first: the exception is the answer, and it is asked again.
func TestLazyRoot(t *testing.T) {
	ctx := t.Context()
	asked := 0
	var conn *protocol.Conn
	root := protocol.LazyRoot(func(ctx context.Context) (any, error) {
		conn = protocol.FromContext(ctx)
		switch asked++; asked {
		case 1:
			return nil, vinegar.ConnectionError.New("not there")
		case 2:
			panic("neither")
		}
		return &relay{}, nil
	})
	a, b, err := protocol.Pair(ctx, nil, root, nil)
	require.NoError(t, err)
	defer a.Close()
	_, err = netref.Call[int](ctx, a.Root(), "add", 2, 3)
	require.ErrorIs(t, err, vinegar.ConnectionError)
	_, err = netref.Call[int](ctx, a.Root(), "add", 2, 3)
	require.ErrorContains(t, err, "neither")
	require.Nil(t, b.Served())
	sum, err := netref.Call[int](ctx, a.Root(), "add", 2, 3)
	require.NoError(t, err)
	require.Equal(t, 5, sum)
	require.Equal(t, 3, asked, "what is there is asked for once")
	require.Same(t, b, conn)
	require.IsType(t, &relay{}, b.Served())
	require.Equal(t, a.Local(), a.Served())
}

// TestGuard refuses uses of attributes of one object and sees them under the names that were sent.
func TestGuard(t *testing.T) {
	ctx := t.Context()
	type use struct {
		use  exposed.Use
		name string
	}
	var seen []use
	cfg := &protocol.Config{}
	cfg.Access.AllowSet = true
	cfg.Access.Guard = func(_ context.Context, u exposed.Use, _ any, name string) error {
		seen = append(seen, use{u, name})
		if name == "kept" {
			return vinegar.PermissionError.New("guarded")
		}
		return nil
	}
	a, _, err := protocol.Pair(ctx, nil, &far{}, cfg)
	require.NoError(t, err)
	defer a.Close()
	_, err = a.Root().Get(ctx, "kept")
	require.ErrorIs(t, err, vinegar.PermissionError)
	_, err = a.Root().CallMethod(ctx, "kept")
	require.ErrorIs(t, err, vinegar.PermissionError)
	require.ErrorIs(t, a.Root().Set(ctx, "kept", 1), vinegar.PermissionError)
	require.ErrorIs(t, a.Root().Del(ctx, "kept"), vinegar.PermissionError)
	_, err = a.Root().CallMethod(ctx, "keep", 1)
	require.NoError(t, err)
	require.Equal(t, []use{{exposed.UseGet, "kept"}, {exposed.UseGet, "kept"}, {exposed.UseSet, "kept"},
		{exposed.UseDelete, "kept"}, {exposed.UseGet, "keep"}}, seen)
}
