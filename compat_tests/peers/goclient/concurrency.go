package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func asyncCalls(ctx context.Context, c *client) error {
	var results []*netref.AsyncResult
	for i := range 100 {
		r, err := c.root.CallMethodAsync(ctx, "add", i, 1)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	step(ctx, c, "hundred", func(ctx context.Context) (sum int, err error) {
		for _, r := range results {
			n, err := netref.Await[int](ctx, r)
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
	step(ctx, c, "error", func(ctx context.Context) (any, error) {
		r, err := c.root.CallMethodAsync(ctx, "fail", "value")
		if err != nil {
			return nil, err
		}
		return r.Wait(ctx)
	})
	step(ctx, c, "batch", func(ctx context.Context) (any, error) {
		var b netref.Batch
		sums := make([]int, 100)
		for i := range sums {
			b.Call(&sums[i], c.root, "add", i, 1)
		}
		b.Call(nil, c.root, "fail", "value")
		err := b.Do(ctx)
		sum := 0
		for _, n := range sums {
			sum += n
		}
		return brine.Tuple{sum, errors.Is(err, vinegar.ValueError)}, nil
	})
	slow, err := c.root.CallMethodAsync(ctx, "sleep_echo", 0.2, "slow")
	if err != nil {
		return err
	}
	step(ctx, c, "slow", slow.Wait)
	return nil
}

func threads(ctx context.Context, c *client) error {
	onOne := func(ctx context.Context, i int) (bool, error) {
		for n := range 20 {
			sum, err := netref.Call[int](ctx, c.root, "add", i, n)
			if err != nil || sum != i+n {
				return false, err
			}
		}
		return true, nil
	}
	onOwn := func(ctx context.Context, i int) (bool, error) {
		conn, err := c.connect(ctx)
		if err != nil {
			return false, err
		}
		sum, err := netref.Call[int](ctx, conn.Root(), "add", i, 1)
		if err != nil {
			return false, err
		}
		double, err := netref.Call[int](ctx, conn.Root(), "call", func(x int) int { return 2 * x }, i)
		if err != nil {
			return false, err
		}
		return sum == i+1 && double == 2*i, conn.Close()
	}
	step(ctx, c, "on one connection", func(ctx context.Context) (bool, error) { return atOnce(ctx, 50, onOne) })
	step(ctx, c, "on 200 connections", func(ctx context.Context) (bool, error) { return atOnce(ctx, 200, onOwn) })
	c.call(ctx, "alive", "add", 1, 2)
	return nil
}

// atOnce runs work on many goroutines and reports whether all were right, or the first error.
func atOnce(ctx context.Context, goroutines int, work func(ctx context.Context, i int) (bool, error)) (bool, error) {
	var (
		running sync.WaitGroup
		wrong   atomic.Int64
		once    sync.Once
		first   error
	)
	for i := range goroutines {
		running.Go(func() {
			right, err := work(ctx, i)
			if err != nil {
				once.Do(func() { first = err })
			}
			if !right {
				wrong.Add(1)
			}
		})
	}
	running.Wait()
	return wrong.Load() == 0, first
}

func timeout(ctx context.Context, c *client) error {
	conn, err := c.dial(ctx, c.port, nil, protocol.Config{Timeout: 100 * time.Millisecond})
	if err != nil {
		return err
	}
	root := conn.Root()
	start := time.Now()
	step(ctx, c, "expires", func(ctx context.Context) (any, error) {
		return root.CallMethod(ctx, "sleep_echo", 1.5, "late")
	})
	step(ctx, c, "early", func(context.Context) (bool, error) { return time.Since(start) < 1200*time.Millisecond, nil })

	late, err := root.CallMethodAsync(ctx, "tracked", c.tag)
	if err != nil {
		return err
	}
	step(ctx, c, "late reference", func(ctx context.Context) (any, error) {
		soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		return late.Wait(soon)
	})
	late.Abandon()
	step(ctx, c, "alive", func(ctx context.Context) (int, error) {
		patient, cancel := context.WithTimeout(ctx, 30*time.Second) // in place of the connection's own
		defer cancel()
		return netref.Call[int](patient, root, "add", 1, 2)
	})
	step(ctx, c, "released", func(ctx context.Context) (bool, error) { return c.logged(ctx, "final:"+c.tag) })
	return conn.Close()
}
