package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gorpyc/gorpyc/registry"
)

// A registry, a server that registers with it, and a client that looks for the server.
func Example() {
	ctx := context.Background()
	srv := &registry.Server{AllowListing: true}
	c, err := registry.ListenUDP(ctx, "udp4", "127.0.0.1:0") // ":18811" for other hosts
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- srv.ServeUDP(ctx, c) }()

	registrar := &registry.UDPClient{Addr: c.LocalAddr().String()} // without Addr: a broadcast
	if err := registrar.Register(ctx, []string{"Calculator"}, registry.Endpoint{Port: 18861}); err != nil {
		log.Fatal(err)
	}
	found, err := registrar.Discover(ctx, "calculator")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found)
	names, err := registrar.List(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(names)

	limit, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(limit); err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(<-done, registry.ErrServerClosed))
	// Output:
	// [127.0.0.1:18861]
	// [CALCULATOR]
	// true
}
