package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/gorpyc/gorpyc/netref"
)

func exceptions(ctx context.Context, c *client) error {
	kinds := []string{"zero", "value", "key", "os", "unicode", "custom", "json", "unbrinable", "stop", "exit",
		"chain", "other"}
	for _, kind := range kinds {
		c.call(ctx, kind, "fail", kind)
	}
	step(ctx, c, "missing", func(ctx context.Context) (any, error) { return c.root.Get(ctx, "nope") })
	step(ctx, c, "is a missing file", func(ctx context.Context) (bool, error) {
		_, err := netref.Call[struct{}](ctx, c.root, "fail", "os")
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, err
	})
	quiet, err := c.endpoint(ctx, "quiet")
	if err != nil {
		return err
	}
	step(ctx, c, "quiet", func(ctx context.Context) (any, error) { return quiet.Root().CallMethod(ctx, "fail", "zero") })
	c.call(ctx, "alive", "add", 1, 2)
	return quiet.Close()
}
