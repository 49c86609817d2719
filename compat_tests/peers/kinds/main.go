// Command kinds serves a value of every kind that package exposed gives a Python face, for compat_tests/test_kinds.py:
//
//	kinds [--host H] [--port P]
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
	flag.Parse()
	if err := run(context.Background(), net.JoinHostPort(*host, strconv.Itoa(*port))); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	l, err := transport.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	srv := &servers.Server{
		NewService: func() any { return new(Kinds) },
		Config:     &protocol.Config{Access: exposed.Policy{AllowPublic: true, AllowSet: true, AllowDel: true}},
	}
	go func() { _ = srv.Serve(ctx, l) }() // ends with the program
	host, port, _ := net.SplitHostPort(l.Addr().String())
	fmt.Println("READY", host, port)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
