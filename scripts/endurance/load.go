package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// outcome is what a process of clients says in the end, those of peer.py too.
type outcome struct {
	Calls  int            // that have ended
	Ends   map[string]int // how many ended in a result, and in each kind of error
	Faults []string       // what must not be
	Times  []float64      // of some calls that succeeded, in ms
}

// tally collects an outcome.
type tally struct {
	mu sync.Mutex
	outcome
}

func (t *tally) end(kind string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Calls++
	t.Ends[kind]++
	if kind == "result" && len(t.Times) < 100_000 {
		t.Times = append(t.Times, float64(took.Microseconds())/1000)
	}
}

func (t *tally) fault(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.Faults) < 20 {
		t.Faults = append(t.Faults, fmt.Sprintf(format, args...))
	}
}

// kindOf names the kinds of errors that a caller can tell apart; "" is one that it cannot.
func kindOf(err error) string {
	var exc *vinegar.Error
	var op *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, protocol.ErrClosed):
		return "closed"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &op):
		return "network"
	case errors.As(err, &exc) && exc.Class != nil:
		return exc.Class.Name()
	}
	return ""
}

// load runs clients until the time is over.
func load(args []string) error {
	fs := flag.NewFlagSet("load", flag.ExitOnError)
	addr := fs.String("addr", "", "the server's `ADDRESS`")
	clients := fs.Int("clients", 4, "clients at a time")
	seconds := fs.Float64("seconds", 5, "how long")
	seed := fs.Uint64("seed", 1, "of all that is random")
	steady := fs.Bool("steady", false, "keep connections, pause between calls, and take every error for a fault")
	_ = fs.Parse(args)
	t := &tally{outcome: outcome{Ends: map[string]int{}}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(*seconds*float64(time.Second)))
	defer cancel()
	var wg sync.WaitGroup
	for i := range *clients {
		c := &client{tally: t, addr: *addr, steady: *steady, rand: rand.New(rand.NewPCG(*seed, uint64(i)))}
		wg.Go(func() { c.run(ctx) })
	}
	wg.Wait()
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.fault("%d goroutines are left: %s", runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
			break
		}
	}
	return json.NewEncoder(os.Stdout).Encode(t.outcome)
}

// client opens connections and makes calls on them.
type client struct {
	*tally
	addr   string
	steady bool
	rand   *rand.Rand
	token  int
}

func (c *client) run(ctx context.Context) {
	cfg := &protocol.Config{Timeout: 3 * time.Second, StallTimeout: 3 * time.Second, CloseTimeout: time.Second}
	for ctx.Err() == nil {
		began := time.Now()
		conn, err := protocol.DialService(context.WithoutCancel(ctx), "tcp", c.addr, nil, cfg)
		if err != nil {
			kind := kindOf(err)
			if kind == "" || c.steady {
				c.fault("dial: %T %v", err, err)
			}
			c.end("dial: "+kind, time.Since(began))
			time.Sleep(20 * time.Millisecond)
			continue
		}
		for n := 1 + c.rand.IntN(60); ctx.Err() == nil && conn.Err() == nil && (n > 0 || c.steady); n-- {
			c.call(conn)
			if c.steady {
				time.Sleep(time.Duration(c.rand.IntN(200)) * time.Millisecond)
			}
		}
		if c.rand.IntN(2) == 0 || c.steady {
			_ = conn.Close()
		} else {
			_ = conn.CloseNow()
		}
		select {
		case <-conn.Done():
		case <-time.After(30 * time.Second):
			c.fault("a connection has not ended 30 s after it was closed")
			return
		}
		if e, i := conn.Exported(), conn.Imported(); e != 0 || i != 0 {
			c.fault("%d objects are exported and %d imported after the end", e, i)
		}
	}
}

// errWrong says that an answer was not that to the question.
var errWrong = errors.New("this is the answer to something else")

// call makes one call and looks at what came of it.
func (c *client) call(conn *protocol.Conn) {
	c.token++
	ops := []func(context.Context, *netref.Object, int) error{
		c.triple, c.triple, c.triple, c.text, c.apply, c.fails, c.several, c.numbers, c.abandon,
	}
	op := c.rand.IntN(len(ops))
	began := time.Now()
	err := ops[op](context.Background(), conn.Root(), c.token+c.rand.IntN(1<<30))
	took := time.Since(began)
	kind := "result"
	switch {
	case errors.Is(err, errWrong):
		c.fault("operation %d: %v", op, err)
		kind = "wrong"
	case err != nil:
		if kind = kindOf(err); kind == "" || c.steady {
			c.fault("operation %d: %T %v", op, err, err)
		}
	}
	if took > 25*time.Second { // the longest has a few requests, each of which times out after 3 s
		c.fault("operation %d took %v, and ended in %s", op, took, kind)
	}
	c.end(kind, took)
}

func (c *client) triple(ctx context.Context, root *netref.Object, n int) error {
	got, err := netref.Call[int](ctx, root, "triple", n)
	return check(err, got, 3*n)
}

func (c *client) text(ctx context.Context, root *netref.Object, n int) error {
	text := padding(fmt.Sprint(n), 1<<c.rand.IntN(19))
	got, err := netref.Call[string](ctx, root, "echo", text)
	return check(err, got, text)
}

func (c *client) apply(ctx context.Context, root *netref.Object, n int) error {
	got, err := netref.Call[int](ctx, root, "apply", func(x int) int { return x + n }, 7)
	return check(err, got, n+7)
}

// fails ends in an exception, which has to be the right one.
func (c *client) fails(ctx context.Context, root *netref.Object, n int) error {
	word := fmt.Sprint("word", n)
	_, err := root.CallMethod(ctx, "fail", word)
	var exc *vinegar.Error
	if !errors.Is(err, vinegar.ValueError) || !errors.As(err, &exc) {
		if err == nil {
			return errWrong
		}
		return err
	}
	return check(nil, fmt.Sprint(exc.Args...), word)
}

func (c *client) several(ctx context.Context, root *netref.Object, n int) error {
	var results []*netref.AsyncResult
	var first error
	for i := range 8 {
		r, err := root.CallMethodAsync(ctx, "triple", n+i)
		if err != nil {
			first = err
			break
		}
		results = append(results, r)
	}
	for i, r := range results {
		got, err := netref.Await[int](ctx, r)
		if err := check(err, got, 3*(n+i)); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (c *client) numbers(ctx context.Context, root *netref.Object, n int) error {
	n %= 200
	list, err := netref.Call[*netref.Object](ctx, root, "numbers", n)
	if err != nil {
		return err
	}
	defer list.Release()
	got, err := netref.As[[]int](ctx, list)
	if err != nil {
		return err
	}
	return check(nil, fmt.Sprint(got), fmt.Sprint(new(service).Numbers(n)))
}

// abandon gives up on a call, whose answer comes later, and must not be taken for that of the next.
func (c *client) abandon(ctx context.Context, root *netref.Object, n int) error {
	short, cancel := context.WithTimeout(ctx, time.Duration(c.rand.IntN(10))*time.Millisecond)
	defer cancel()
	_, err := netref.Call[int](short, root, "slow", 15, n)
	if err != nil && kindOf(err) == "" {
		return err
	}
	return c.triple(ctx, root, n)
}

func check[T comparable](err error, got, want T) error {
	if err == nil && got != want {
		return fmt.Errorf("%w: %.100v, not %.100v", errWrong, got, want)
	}
	return err
}

// quantile of times that need not be sorted.
func quantile(times []float64, q float64) float64 {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
