package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
	"github.com/gorpyc/gorpyc/servers"
)

// Bench is the service measured; bench_service.py exposes the same names.
type Bench struct {
	Answer int

	mu   sync.Mutex
	kept any
	heap any
}

// Add adds two numbers.
func (*Bench) Add(a, b int) int { return a + b }

// Echo returns what it gets.
func (*Bench) Echo(x any) any { return x }

// Sink swallows data and returns its length.
func (*Bench) Sink(data []byte) int { return len(data) }

// Source returns n bytes of a kind: random, zeros or text.
func (*Bench) Source(n int, kind string) []byte { return payloadOf(kind, n) }

// Mklist returns a list of n numbers, by reference.
func (*Bench) Mklist(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// Thing returns a new object, by reference.
func (*Bench) Thing(v int) *Thing { return &Thing{Value: v} }

// Callback calls f n times.
func (*Bench) Callback(ctx context.Context, f func(ctx context.Context, i, j int) (int, error), n int) (int, error) {
	sum := 0
	for i := range n {
		x, err := f(ctx, i, 1)
		if err != nil {
			return 0, err
		}
		sum += x
	}
	return sum, nil
}

// Fail raises ValueError.
func (*Bench) Fail(text string) error { return vinegar.ValueError.New(text) }

// Stats returns process id, resident memory in bytes (0 if not known), CPU time in seconds and number of goroutines.
func (*Bench) Stats() brine.Tuple {
	var size, resident int // pages
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		_, _ = fmt.Sscan(string(b), &size, &resident)
	}
	pid := os.Getpid()
	return brine.Tuple{pid, resident * os.Getpagesize(), measure.CPUTime(pid).Seconds(), runtime.NumGoroutine()}
}

// Thing is an object that is passed by reference.
type Thing struct {
	Value int
}

// Get returns the thing's value.
func (t *Thing) Get() int { return t.Value }

// config lets the largest echo through.
func config() *protocol.Config {
	return &protocol.Config{Limits: protocol.Limits{Frame: 128 * mebibyte, Inflated: 128 * mebibyte}}
}

func serveGorpyc(l net.Listener) error {
	srv := &servers.Server{Service: &Bench{Answer: 42}, Config: config()}
	return srv.Serve(context.Background(), l)
}

// loadGorpyc carries out a job.
func loadGorpyc(j job) (sample, error) {
	ctx := context.Background()
	if j.Mode == "connect" {
		return j.Measure(measure.Once(func() error {
			c, err := protocol.Dial(ctx, "tcp", j.Addr(), nil)
			if err != nil {
				return err
			}
			return c.Close()
		}))
	}
	n := connections(j.Mode)
	dial := func() (*protocol.Conn, error) { return protocol.Dial(ctx, "tcp", j.Addr(), config()) }
	conns, closeAll, err := dialMany(n, dial)
	if err != nil {
		return sample{}, err
	}
	defer closeAll()
	steps, err := gorpycSteps(ctx, j, conns)
	if err != nil {
		return sample{}, err
	}
	return j.Measure(steps...)
}

func gorpycSteps(ctx context.Context, j job, conns []*protocol.Conn) (steps []step, err error) {
	root := conns[0].Root()
	if w := width[j.Mode]; w > 0 {
		for _, c := range conns {
			add, err := netref.Get[*netref.Object](ctx, c.Root(), "add")
			if err != nil {
				return nil, err
			}
			op := measure.Once(func() error {
				sum, err := netref.CallFunc[int](ctx, add, 1, 2)
				return expect(err, sum == 3)
			})
			for range w {
				steps = append(steps, op)
			}
		}
		return steps, nil
	}
	switch j.Mode {
	case "async64", "batch64":
		return manyByOne(ctx, j, root)
	case "callattr":
		return []step{measure.Once(func() error {
			sum, err := netref.Call[int](ctx, root, "add", 1, 2)
			return expect(err, sum == 3)
		})}, nil
	case "bound":
		var bound struct {
			Add func(ctx context.Context, a, b int) (int, error)
		}
		err := netref.Bind(ctx, root, &bound)
		return []step{measure.Once(func() error {
			sum, err := bound.Add(ctx, 1, 2)
			return expect(err, sum == 3)
		})}, err
	case "echo":
		data := payload(j.Size)
		return []step{measure.Once(func() error {
			back, err := netref.Call[[]byte](ctx, root, "echo", data)
			return expect(err, len(back) == len(data))
		})}, nil
	case "upload":
		data := payload(j.Size)
		return []step{measure.Once(func() error {
			n, err := netref.Call[int](ctx, root, "sink", data)
			return expect(err, n == len(data))
		})}, nil
	case "download":
		return []step{measure.Once(func() error {
			data, err := netref.Call[[]byte](ctx, root, "source", j.Size, "random")
			return expect(err, len(data) == j.Size)
		})}, nil
	}
	return conversionSteps(ctx, j, conns[0])
}

// manyByOne makes many calls at once by one goroutine.
func manyByOne(ctx context.Context, j job, root *netref.Object) ([]step, error) {
	add, err := netref.Get[*netref.Object](ctx, root, "add")
	if err != nil {
		return nil, err
	}
	var sums [inFlight]int
	if j.Mode == "batch64" {
		var b netref.Batch
		return []step{func() (int, error) {
			for i := range sums {
				b.CallFunc(&sums[i], add, 1, 2)
			}
			err := b.Do(ctx)
			return inFlight, expect(err, sums[inFlight-1] == 3)
		}}, nil
	}
	var started [inFlight]*netref.AsyncResult
	return []step{func() (int, error) {
		for i := range started {
			if started[i], err = add.CallAsync(ctx, 1, 2); err != nil {
				return 0, err
			}
		}
		for i, r := range started {
			if sums[i], err = netref.Await[int](ctx, r); err != nil {
				return 0, err
			}
		}
		return inFlight, expect(nil, sums[inFlight-1] == 3)
	}}, nil
}

// expect adds to an operation's error that its result is wrong.
func expect(err error, right bool) error {
	if err == nil && !right {
		return errWrong
	}
	return err
}
