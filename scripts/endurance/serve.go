package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/servers"
)

// service is what the clients call; peer.py exposes the same names. What each method returns follows from what it was
// given, so that a client sees whether an answer is its own.
type service struct{ server *servers.Server }

func (s *service) Echo(x any) any { return x }

func (s *service) Triple(n int) int { return 3 * n }

func (s *service) Apply(ctx context.Context, f *netref.Object, x int) (any, error) {
	return f.Call(ctx, x)
}

func (s *service) Fail(word string) error { return vinegar.ValueError.New(word) }

func (s *service) Slow(ctx context.Context, ms, n int) int {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
	case <-ctx.Done():
	}
	return n
}

func (s *service) Numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// Gauges is what the server holds.
func (s *service) Gauges() string {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	g := gauges{Goroutines: runtime.NumGoroutine(), Heap: float64(m.HeapAlloc) / (1 << 20)}
	for _, c := range s.server.Clients() {
		g.Conns++
		g.Exported += c.Exported()
		g.Imported += c.Imported()
	}
	text, _ := json.Marshal(g) // numbers
	return string(text)
}

type gauges struct {
	Goroutines int
	Conns      int
	Exported   int
	Imported   int
	Heap       float64 // MiB
}

// serve runs a server until its standard input ends, and prints its port.
func serve(args []string) error {
	fs := flag.NewFlagSet("serve", flag.ExitOnError)
	addr := fs.String("listen", "127.0.0.1:0", "listen at `ADDRESS`")
	_ = fs.Parse(args)
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	s := &service{}
	s.server = &servers.Server{Service: s, Config: &protocol.Config{
		Timeout: 3 * time.Second, StallTimeout: 3 * time.Second, CloseTimeout: time.Second,
	}}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	err = s.server.Serve(ctx, l)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// padding is a text of n bytes that is another one for each token.
func padding(token string, n int) string { return strings.Repeat(token+" ", n/(len(token)+1)+1)[:n] }
