// Command kinds serves a value of every kind that package exposed gives a Python face, for compat_tests/test_kinds.py:
//
//	kinds [--host H] [--port P] [--prefix P]
//
// It prints "READY host port" and serves until stdin ends.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 0, "port, 0 for any that is free")
	prefix := flag.String("prefix", exposed.DefaultPrefix, "prefix of exposed names; all names are public with the default alone")
	introspect := flag.Bool("introspect", false, "let clients look around")
	flag.Parse()
	policy := exposed.Policy{AllowPublic: true, AllowSet: true, AllowDel: true}
	if *introspect {
		policy = exposed.Policy{Introspect: true}
	}
	if *prefix != exposed.DefaultPrefix {
		policy = exposed.Policy{Prefix: *prefix, NoPrefix: *prefix == "", AllowSet: true}
	}
	if err := run(context.Background(), net.JoinHostPort(*host, strconv.Itoa(*port)), policy); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string, policy exposed.Policy) error {
	l, err := transport.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	srv := &servers.Server{
		NewService: func() any { return new(Kinds) },
		Config:     &protocol.Config{Access: policy},
	}
	go func() { _ = srv.Serve(ctx, l) }() // ends with the program
	host, port, _ := net.SplitHostPort(l.Addr().String())
	fmt.Println("READY", host, port)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
