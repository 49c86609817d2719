package classic_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// TestGoServer uses a classic server that is written in Go.
func TestGoServer(t *testing.T) {
	ctx := t.Context()
	server, client, err := protocol.Pair(ctx, slave.NewService(nil), nil, slave.Config(nil))
	require.NoError(t, err)
	defer func() { server.Close(); <-server.Done() }()
	c := classic.New(client)
	defer func() { c.Close(); <-c.Done() }()

	local, there, back := tree(t), filepath.Join(t.TempDir(), "there"), filepath.Join(t.TempDir(), "back")
	require.NoError(t, c.Upload(ctx, local, there, &classic.TransferOptions{Filter: withoutTemporary}))
	require.NoError(t, c.Download(ctx, there, back, nil))
	require.Equal(t, contents(t, there), contents(t, back))
	require.Equal(t, strings.Repeat("\x00\xff", 100_000), contents(t, back)["sub/b.bin"])

	require.NoError(t, c.Execute(ctx, "x = {'a': [1, 2.5]}"))
	ns, err := c.Namespace(ctx)
	require.NoError(t, err)
	x, err := netref.Item[*netref.Object](ctx, ns, "x")
	require.NoError(t, err)
	got, err := classic.Obtain[map[string][]float64](ctx, x)
	require.NoError(t, err)
	require.Equal(t, map[string][]float64{"a": {1, 2.5}}, got)

	has, err := c.HasModule(ctx, "os")
	require.NoError(t, err)
	require.True(t, has)
	has, err = c.HasModule(ctx, "no_such_module")
	require.NoError(t, err)
	require.False(t, has)
	f, err := c.Teleport(ctx, "def add(a, b=1):\n    return a + b")
	require.NoError(t, err)
	n, err := netref.CallFunc[int](ctx, f, 41)
	require.NoError(t, err)
	require.Equal(t, 42, n)
	var out bytes.Buffer
	require.NoError(t, c.RedirectedStdio(ctx, classic.Stdio{Out: &out}, func(ctx context.Context) error {
		return c.Execute(ctx, "print('here', 1)")
	}))
	require.Equal(t, "here 1\n", out.String())
	out.Reset()
	require.NoError(t, c.Interact(ctx, classic.Stdio{In: strings.NewReader("for i in range(2):\n  print(i)\n\nx + 'b'\n"),
		Out: &out}, map[string]any{"x": "a"}))
	require.Equal(t, ">>> ... ... 0\n1\n>>> 'ab'\n>>> ", out.String())
	err = c.PM(ctx, classic.Stdio{})
	require.ErrorIs(t, err, vinegar.ImportError, "there is no Python to look into")
	require.ErrorContains(t, err, "--engine python3")
	o, err := c.Deliver(ctx, map[string]any{"k": []int{1, 2}})
	require.NoError(t, err)
	again, err := classic.Obtain[map[string][]int](ctx, o)
	require.NoError(t, err)
	require.Equal(t, map[string][]int{"k": {1, 2}}, again)
}
