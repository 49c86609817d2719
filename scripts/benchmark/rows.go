package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
	"github.com/gorpyc/gorpyc/servers"
)

// width is how many calls a mode keeps under way on each connection, 0 for modes of another kind.
var width = map[string]int{"sync": 1, "conns": 1, "conns500": 1, "conns5000": 1, "conc2": 2, "conc8": 8,
	"conc64": inFlight, "conc4096": manyInFlight}

// connections is how many connections a mode has.
func connections(mode string) int {
	switch mode {
	case "conns":
		return manyConns
	case "conns500":
		return 10 * manyConns
	case "conns5000":
		return 100 * manyConns
	case "idle":
		return idleConns
	}
	return 1
}

const (
	idleConns  = 500
	dictsCount = 200
	mixedSlow  = 8  // slow calls at the same time in the mode mixed
	slowMillis = 20 // how long each takes
	heapBytes  = 256 << 20
)

// Attributes is an object with two attributes.
type Attributes struct {
	Name  string
	Start int
}

// Pair returns an object, by reference.
func (*Bench) Pair() *Attributes { return &Attributes{Name: "name", Start: 3} }

// Dicts returns n dicts in a list, by reference.
func (*Bench) Dicts(n int) []map[string]int {
	ds := make([]map[string]int, n)
	for i := range ds {
		ds[i] = map[string]int{"a": i, "b": 2 * i}
	}
	return ds
}

// Total adds up the items of a list.
func (*Bench) Total(numbers []int) (n int) {
	for _, x := range numbers {
		n += x
	}
	return n
}

// Forced tells how often a collection of garbage was forced.
func (*Bench) Forced() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.NumForcedGC)
}

// Sleep takes some time.
func (*Bench) Sleep(millis int) { time.Sleep(time.Duration(millis) * time.Millisecond) }

// Keep keeps what it is given.
func (b *Bench) Keep(x any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = x
}

// serveParallel serves requests of a connection at the same time.
func serveParallel(l net.Listener) error {
	cfg := config()
	cfg.Concurrency = mixedSlow
	return (&servers.Server{Service: &Bench{Answer: 42}, Config: cfg}).Serve(context.Background(), l)
}

// serveLargeHeap serves in a process with many small objects, which make collections dear.
func serveLargeHeap(l net.Listener) error {
	type node struct {
		next *node
		_    [7]uint64
	}
	b := &Bench{Answer: 42}
	var list *node
	for range heapBytes / 64 {
		list = &node{next: list}
	}
	b.heap = list
	return (&servers.Server{Service: b, Config: config()}).Serve(context.Background(), l)
}

// conversionSteps are those of the modes in which a client converts what stays at the server.
func conversionSteps(ctx context.Context, j job, conn *protocol.Conn) ([]step, error) {
	switch j.Mode {
	case "asstruct":
		o, err := netref.Call[*netref.Object](ctx, conn.Root(), "pair")
		if err != nil {
			return nil, err
		}
		return []step{measure.Once(func() error {
			p, err := netref.As[Attributes](ctx, o)
			return expect(err, p.Start == 3)
		})}, nil
	case "dicts":
		o, err := netref.Call[*netref.Object](ctx, conn.Root(), "dicts", dictsCount)
		if err != nil {
			return nil, err
		}
		return []step{measure.Once(func() error {
			ds, err := netref.As[[]map[string]int](ctx, o)
			return expect(err, len(ds) == dictsCount)
		})}, nil
	}
	return nil, j.Unknown()
}

// measureIdle returns how much memory the server uses for each connection on which nothing happens any more.
func measureIdle(j job, dial func() (*preparedConn, error)) (sample, error) {
	warm, closeWarm, err := dialMany(1, dial)
	if err != nil {
		return sample{}, err
	}
	defer closeWarm()
	if err := warm[0].call(); err != nil {
		return sample{}, err
	}
	start, before := time.Now(), resident(j.PID)
	conns, closeAll, err := dialMany(idleConns, dial)
	if err != nil {
		return sample{}, err
	}
	defer closeAll()
	for _, c := range conns {
		if err := c.call(); err != nil {
			return sample{}, err
		}
	}
	time.Sleep(time.Second / 2) // what a server does when nothing happens is done
	s := sample{N: idleConns, Seconds: time.Since(start).Seconds(), Bytes: float64(resident(j.PID)-before) / idleConns}
	s.Mean = s.Seconds * 1e6 / idleConns
	return s, nil
}

// resident is the memory of a process in bytes, 0 if it cannot be told.
func resident(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, pages int
	_, _ = fmt.Sscan(string(b), &size, &pages)
	return pages * os.Getpagesize()
}
