package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
)

// useClassic prints what classic mode gives.
func useClassic(ctx context.Context, addr string) error {
	c, err := classic.Dial(ctx, addr, nil)
	if err != nil {
		return err
	}
	sum, err := classic.Eval[int](ctx, c, "1 + 1")
	show("eval", sum, err)
	show("execute", nil, c.Execute(ctx, "x = [1, 2, 3]"))
	ns, err := c.Namespace(ctx)
	if err != nil {
		return err
	}
	x, err := netref.Item[*netref.Object](ctx, ns, "x")
	if err != nil {
		return err
	}
	copied, err := classic.Obtain[[]int](ctx, x)
	show("obtain", copied, err)
	pid, err := classic.Call[int](ctx, c, "os.getpid")
	show("call", pid > 0, err)
	d, err := c.Deliver(ctx, map[string]int{"a": 1})
	show("deliver", d, err)
	f, err := c.Teleport(ctx, "def g(a, b=3):\n    return a * b\n")
	show("teleport", f, err)
	if err == nil {
		v, err := f.Call(ctx, 5)
		show("teleported", v, err)
	}
	_, err = c.Module(ctx, "no_such_module")
	show("missing module", err != nil, nil)
	var out bytes.Buffer
	err = c.RedirectedStdio(ctx, classic.Stdio{Out: &out, Err: &out}, func(ctx context.Context) error {
		return c.Execute(ctx, "import sys\nsys.stdout.write('written')")
	})
	show("stdio", out.String(), err)
	show("files", nil, files(ctx, c))
	return c.Close()
}

// files uploads a file and downloads it again.
func files(ctx context.Context, c *classic.Conn) error {
	dir, err := os.MkdirTemp("", "oldpeer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := bytes.Repeat([]byte("0123456789"), 20_000)
	local, remote, back := filepath.Join(dir, "local"), filepath.Join(dir, "remote"), filepath.Join(dir, "back")
	if err := os.WriteFile(local, data, 0o600); err != nil {
		return err
	}
	if err := c.Upload(ctx, local, remote, nil); err != nil {
		return err
	}
	if err := c.Download(ctx, remote, back, nil); err != nil {
		return err
	}
	got, err := os.ReadFile(back)
	if err == nil && !bytes.Equal(got, data) {
		err = os.ErrInvalid
	}
	return err
}
