// Command server serves a calculator to RPyC clients, Python's or Go's.
//
//	go run ./examples/calculator/server --port 18861
//
// It prints "READY host port" when it listens. With --register clients find it by its name, through the registry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
)

// Calculator appears to Python as an object with the methods add, div, sum and apply.
type Calculator struct{}

// Add adds two numbers.
func (Calculator) Add(a, b float64) float64 { return a + b }

// Div divides a by by, rounding down; like Python's //.
func (Calculator) Div(a, by int) (int, error) {
	if by == 0 {
		return 0, vinegar.ZeroDivisionError.New("integer division or modulo by zero")
	}
	q := a / by
	if a%by != 0 && (a < 0) != (by < 0) {
		q--
	}
	return q, nil
}

// Sum adds any number of numbers.
func (Calculator) Sum(xs ...float64) float64 {
	var s float64
	for _, x := range xs {
		s += x
	}
	return s
}

// Apply calls f, a function of the caller's, with each of xs and returns the results.
func (Calculator) Apply(ctx context.Context, f func(context.Context, any) (any, error), xs []any) ([]any, error) {
	ys := make([]any, len(xs))
	for i, x := range xs {
		y, err := f(ctx, x)
		if err != nil {
			return nil, err
		}
		ys[i] = y
	}
	return ys, nil
}

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 18861, "port to listen on, 0 for any that is free")
	register := flag.Bool("register", false, "tell the registry, so that clients find the service as CALCULATOR")
	registryAddr := flag.String("registry", "", "the registry's address; by default it is found by a broadcast")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", net.JoinHostPort(*host, strconv.Itoa(*port)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("READY", *host, l.Addr().(*net.TCPAddr).Port)
	srv := &servers.Server{Service: Calculator{}}
	if *register {
		srv.Registrar = &registry.UDPClient{Addr: *registryAddr}
	}
	if err := srv.Serve(ctx, l); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}
