// Command metadata serves what compat_tests/reference/metadata_server.py serves, with metadata on. It prints
// "READY host port" and serves until stdin ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

var config = &protocol.Config{Metadata: protocol.MetadataNegotiated}

// service says what came with its calls.
type service struct{ waited any }

// What is what came with the call.
func (*service) What(ctx context.Context) brine.Tuple {
	m, _ := protocol.MetadataFrom(ctx)
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	pairs := brine.Tuple{}
	for _, name := range slices.Sorted(maps.Keys(m.Pairs)) {
		pairs = append(pairs, brine.Tuple{name, m.Pairs[name]})
	}
	var left any
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline).Seconds()
	}
	return brine.Tuple{text(m.TraceParent), text(m.TraceState), text(m.Token), pairs, left}
}

// Next asks another server what came with a call that this one makes.
func (*service) Next(ctx context.Context, host string, port int) (any, error) {
	c, err := protocol.Dial(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)), config)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Root().CallMethod(ctx, "what")
}

// Back asks the client what came with a call that this side makes to it.
func (*service) Back(ctx context.Context, ask *netref.Object) (any, error) { return ask.Call(ctx) }

// Wait waits until its caller has given up.
func (s *service) Wait(ctx context.Context) {
	<-ctx.Done()
	switch {
	case errors.Is(context.Cause(ctx), protocol.ErrGivenUp):
		s.waited = "given up"
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		s.waited = "deadline"
	}
}

// Waited says why the last Wait has ended.
func (s *service) Waited() any { return s.waited }

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	l, err := transport.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &servers.Server{NewService: func() any { return new(service) }, Config: config}
	go func() { _ = srv.Serve(ctx, l) }() // ends with the program
	host, port, _ := net.SplitHostPort(l.Addr().String())
	fmt.Println("READY", host, port)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
