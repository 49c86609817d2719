// Command client calls a calculator service, Python's or Go's.
//
//	go run ./examples/calculator/client --addr localhost:18861
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
)

func main() {
	addr := flag.String("addr", "localhost:18861", "address of the service")
	flag.Parse()
	if err := run(*addr); err != nil {
		log.Fatal(err)
	}
}

func run(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := protocol.Dial(ctx, "tcp", addr, nil)
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
