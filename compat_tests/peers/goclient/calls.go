package main

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

func calls(ctx context.Context, c *client) error {
	c.call(ctx, "add", "add", 2, 3)
	c.call(ctx, "add float", "add", 0.5, 1)
	c.call(ctx, "add text", "add", "ab", "c\u00e9")
	c.call(ctx, "add past int64", "add", int64(math.MaxInt64), 1)
	c.call(ctx, "none", "get_none")
	step(ctx, c, "answer", func(ctx context.Context) (any, error) { return c.root.Get(ctx, "answer") })
	step(ctx, c, "bump", func(ctx context.Context) (brine.Tuple, error) {
		var counts brine.Tuple
		for range 3 {
			n, err := netref.Call[int](ctx, c.root, "bump")
			if err != nil {
				return nil, err
			}
			counts = append(counts, n)
		}
		return counts, nil
	})
	c.call(ctx, "name", "get_service_name")
	step(ctx, c, "root", func(context.Context) (*netref.Object, error) { return c.root, nil })
	c.call(ctx, "wrong", "add", 1)
	c.call(ctx, "number + text", "add", 1, "x")
	return nil
}

func kwargs(ctx context.Context, c *client) error {
	kw := netref.Kw
	c.call(ctx, "greet", "greet", "Ada", kw("punct", "?"))
	c.call(ctx, "greet all", "greet", kw("greeting", "Bye"), kw("punct", ""), kw("name", "Bob"))
	c.call(ctx, "shape", "call_shape", 1, "x", kw("zulu", 1), kw("alpha", nil), kw("\u00fc", brine.Tuple{2}))
	c.call(ctx, "unknown", "add", 1, kw("b", 2), kw("c", 3))
	return nil
}

func bigMessages(ctx context.Context, c *client) error {
	echoes := func(data []byte) (bool, error) {
		back, err := netref.Call[[]byte](ctx, c.root, "echo", data)
		return bytes.Equal(back, data), err
	}
	payload := bytes.Repeat(everyByte(), 64<<20/256)
	step(ctx, c, "echo 64 MiB", func(context.Context) (bool, error) { return echoes(payload) })
	c.call(ctx, "length 64 MiB", "length_of", payload)
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // never fails
	step(ctx, c, "echo noise", func(context.Context) (bool, error) { return echoes(noise) })
	step(ctx, c, "sizes", func(context.Context) (bool, error) {
		for _, size := range []int{2990, 2999, 3000, 3001, 3010, 63990, 63995, 64000, 64006, 64010, 200000} {
			if same, err := echoes(noise[:size]); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	})
	text := strings.Repeat("snake \U0001f40d ", 100000)
	step(ctx, c, "text", func(ctx context.Context) (bool, error) {
		back, err := netref.Call[string](ctx, c.root, "echo", text)
		return back == text, err
	})
	return nil
}
