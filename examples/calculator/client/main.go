// Command client calls a calculator service, Python's or Go's.
//
//	go run ./examples/calculator/client --addr localhost:18861
//	go run ./examples/calculator/client --service calculator
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/registry"
)

func main() {
	addr := flag.String("addr", "localhost:18861", "address of the service")
	service := flag.String("service", "", "name of the service, to be looked up in the registry in place of --addr")
	registryAddr := flag.String("registry", "", "the registry's address; by default it is found by a broadcast")
	flag.Parse()
	dial := func(ctx context.Context) (*protocol.Conn, error) { return protocol.Dial(ctx, "tcp", *addr, nil) }
	if *service != "" {
		dial = func(ctx context.Context) (*protocol.Conn, error) {
			return protocol.DialByService(ctx, *service,
				&protocol.Discovery{Registrar: &registry.UDPClient{Addr: *registryAddr}})
		}
	}
	if err := run(dial); err != nil {
		log.Fatal(err)
	}
}

func run(dial func(context.Context) (*protocol.Conn, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()

	sum, err := netref.Call[float64](ctx, conn.Root(), "add", 2, 3)
	if err != nil {
		return err
	}
	fmt.Println("add(2, 3) =", sum)

	_, err = netref.Call[int](ctx, conn.Root(), "div", 7, 0)
	if !errors.Is(err, vinegar.ZeroDivisionError) {
		return fmt.Errorf("div(7, 0): want ZeroDivisionError, got %w", err)
	}
	fmt.Println("div(7, 0) raised", err)

	var calc struct {
		Sum   func(ctx context.Context, xs ...float64) (float64, error)
		Apply func(ctx context.Context, f func(x int) int, xs []int) ([]int, error)
	}
	if err := netref.Bind(ctx, conn.Root(), &calc); err != nil {
		return err
	}
	if sum, err = calc.Sum(ctx, 1, 2, 3.5); err != nil {
		return err
	}
	fmt.Println("sum(1, 2, 3.5) =", sum)
	squares, err := calc.Apply(ctx, func(x int) int { return x * x }, []int{1, 2, 3})
	if err != nil {
		return err
	}
	fmt.Println("apply(square, [1, 2, 3]) =", squares)
	return nil
}
