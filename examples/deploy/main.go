// Command deploy is a service as an orchestrator runs it: it says when it is ready and when it leaves, and finishes
// what it has begun before it ends. The files beside it run it in Kubernetes, in Nomad and by systemd.
//
//	go run ./examples/deploy
//
// It prints "READY host port" when it listens.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/servers"
)

// Greeter appears to Python as an object with the method greet.
type Greeter struct{}

// Greet returns a greeting.
func (Greeter) Greet(name string) string { return "hello " + name }

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", ":18861", "address of the service")
	flag.StringVar(&o.health, "health", ":8080", "address for probes by HTTP: /healthz and /readyz")
	flag.DurationVar(&o.drain, "drain", 5*time.Second, "how long clients are still accepted after the order to end")
	flag.DurationVar(&o.grace, "grace", 20*time.Second, "how long calls that are under way may take after that")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, func(rpyc, _ net.Addr) {
		host, port, _ := net.SplitHostPort(rpyc.String())
		fmt.Println("READY", host, port)
	}); err != nil {
		log.Fatal(err)
	}
}

type options struct {
	listen, health string
	drain, grace   time.Duration
}

// run serves until ctx ends, and then as long as it takes to end in order. ready is called when both ports listen.
func run(ctx context.Context, o options, ready func(rpyc, health net.Addr)) error {
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	probes, err := net.Listen("tcp", o.health)
	if err != nil {
		_ = l.Close()
		return err
	}
	srv := &servers.Server{
		Service:    Greeter{},
		DrainDelay: o.drain,
		HTTPProbe:  true, // the probes' port could be left out
		Systemd:    true, // nothing unless systemd asks for it
	}
	health := &http.Server{Handler: srv.Health(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = health.Serve(probes) }()
	defer func() { _ = health.Close() }()

	down := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.Background(), o.drain+o.grace)
		defer cancel()
		down <- srv.Shutdown(limit)
	})
	ready(l.Addr(), probes.Addr())
	err = srv.Serve(context.Background(), l)
	if stop() || !errors.Is(err, servers.ErrServerClosed) {
		return err // it could not serve
	}
	return <-down
}
